//! What a target must have stored under a key, from what was sent and answered; and whether a read shows that.
//!
//! What was lost, answered 5xx or for load, or may have been stored by somebody else leaves it open. It must not know
//! rules.

use serde_json::Value;

use super::exchange_view;
use crate::case::Credential;
use crate::contract::shape::{Again, KeyScope, ReadAnswer};
use crate::contract::validity::ExpectedOutcome;
use crate::contract::{Contract, code_text, member};
use crate::exchange::{Answer, Exchange, ItemIntent, Request, Situation, key_read};
use crate::exchange_view::{ExchangeView, ItemVerdict};
use crate::generate::{KeyParts, has_everyday_keys};

/// An item: the index of its exchange, and its position.
pub(crate) type StoredAt = (usize, usize);

/// What is stored under a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stored {
    /// An item that was accepted; what it must look like, where that is certain.
    Kept(StoredAt, Option<Value>),
    /// Nothing: the item was rejected.
    Rejected(StoredAt),
    /// Nothing: its request was refused with this status.
    Refused(StoredAt, u16),
    /// Nobody can tell.
    Unclear,
}

/// A field that a read shows otherwise than it was sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldDifference {
    /// Its name in items.
    pub name: String,
    /// Pointer into the answer.
    pub at: String,
    pub sent: Value,
    /// Nothing where it is missing.
    pub shown: Option<Value>,
}

/// An item that is looked for.
#[derive(Debug, Clone)]
pub struct SoughtItem {
    /// Its key.
    pub key: String,
    /// The index of its exchange, and its position there.
    pub item: (usize, usize),
    stored: Stored,
}

impl SoughtItem {
    /// Whether an answer leaves nothing to wait for: it shows what must be stored, or nothing can be said of that.
    #[must_use]
    pub fn is_settled(&self, contract: &Contract, answer: &Answer) -> bool {
        let Some(read) = &contract.read else { return true };
        let says = match answer {
            Answer::Received(response) => read.says(response.status, &response.body),
            Answer::Lost(_) => ReadAnswer::Unclear,
        };
        match (&self.stored, says) {
            (Stored::Unclear, _)
            | (Stored::Rejected(_) | Stored::Refused(..), ReadAnswer::Gone) => true,
            (Stored::Kept(_, Some(sent)), ReadAnswer::Found(Some(shown))) => {
                differences(contract, sent, &shown).is_empty()
            }
            (Stored::Kept(..), ReadAnswer::Found(_)) => true,
            _ => false,
        }
    }
}

/// At most `most` items whose reads can be judged: as many that must not be there as that must, as far as there are
/// any; from all over their batches.
#[must_use]
pub fn sought_items(contract: &Contract, exchanges: &[Exchange], most: usize) -> Vec<SoughtItem> {
    let Some(read) = &contract.read else { return Vec::new() };
    let views: Vec<ExchangeView<'_>> =
        exchanges.iter().map(|e| exchange_view(contract, e, exchanges)).collect();
    let (mut kept, mut not) = (Vec::new(), Vec::new());
    let mut seen = std::collections::HashSet::new();
    for view in &views {
        for at in 0..view.items().len() {
            let Some(key) = key_at(view, at).filter(|key| read.can_carry(key)) else { continue };
            if seen.insert(key.clone()) {
                let is_accepted = verdict_at(view, at) == ItemFate::Accepted;
                if is_accepted { &mut kept } else { &mut not }.push(key);
            }
        }
    }
    let of_not = not.len().min(most.div_ceil(2)).max(most.saturating_sub(kept.len()));
    let mut keys = spread(&not, of_not);
    keys.splice(0..0, spread(&kept, most - keys.len().min(most)));
    let sought = keys.into_iter().map(|key| {
        let stored = stored(&views, &key);
        SoughtItem { item: place(&stored), key, stored }
    });
    sought.filter(|sought| sought.stored != Stored::Unclear).collect()
}

/// What a read that follows these exchanges looks for; nothing where the request does not read an item.
#[must_use]
pub fn sought_by(
    contract: &Contract,
    earlier: &[Exchange],
    request: &Request,
) -> Option<SoughtItem> {
    let key = key_read(contract, request)?;
    let views: Vec<ExchangeView<'_>> =
        earlier.iter().map(|e| exchange_view(contract, e, earlier)).collect();
    let stored = stored(&views, &key);
    Some(SoughtItem { item: place(&stored), key, stored })
}

fn place(stored: &Stored) -> StoredAt {
    match stored {
        Stored::Kept(at, _) | Stored::Rejected(at) | Stored::Refused(at, _) => *at,
        Stored::Unclear => (0, 0),
    }
}

/// The first, the last, and others at equal distances.
fn spread(keys: &[String], most: usize) -> Vec<String> {
    let count = keys.len().min(most);
    let at = |nth: usize| match count {
        0 | 1 => 0,
        _ => nth * (keys.len() - 1) / (count - 1),
    };
    (0..count).filter_map(|nth| keys.get(at(nth)).cloned()).collect()
}

/// What became of an item.
#[derive(Clone, Copy, PartialEq)]
enum ItemFate {
    Accepted,
    Rejected,
    /// Rejected because its key was used: by an item of this execution, or by somebody else's.
    Used,
    Refused(u16),
    /// It never reached the target.
    NotSent,
    Unclear,
}

/// What became of a whole request alike; nothing where each result says its own.
fn request_outcome(view: &ExchangeView<'_>) -> Option<ItemFate> {
    let situation = view.exchange.intent.situation;
    let response = match &view.exchange.answer {
        Answer::Lost(loss) if loss.kind.is_unreached() => return Some(ItemFate::NotSent),
        Answer::Lost(_) => return Some(ItemFate::Unclear),
        Answer::Received(response) => response,
    };
    match view.status().unwrap_or_default() {
        200 if view.misordered.is_none() && view.crosstalk.is_none() && view.is_aligned() => None,
        400 | 404 | 405 | 406 | 411 | 413 | 414 | 415 | 417 | 431 => {
            Some(ItemFate::Refused(response.status))
        }
        401 | 403 if situation == Situation::Credentials => {
            Some(ItemFate::Refused(response.status))
        }
        _ => Some(ItemFate::Unclear),
    }
}

fn verdict_at(view: &ExchangeView<'_>, at: usize) -> ItemFate {
    if view.exchange.request.credential == Credential::OtherTenant {
        return ItemFate::Unclear;
    }
    let by_result = || match view.verdicts.get(at).copied().flatten() {
        Some(ItemVerdict::Accepted) => ItemFate::Accepted,
        Some(ItemVerdict::Rejected) if view.is_called_used(at) => ItemFate::Used,
        Some(ItemVerdict::Rejected) => ItemFate::Rejected,
        None => ItemFate::Unclear,
    };
    request_outcome(view).unwrap_or_else(by_result)
}

/// The key of an item: its own, or the one that its result says was made for it.
fn key_at(view: &ExchangeView<'_>, at: usize) -> Option<String> {
    let unique = &view.contract.batch.unique;
    let own = view.items().get(at).and_then(|item| member(&item.value, unique));
    if let Some(own) = own.filter(|own| !own.is_null()) {
        return code_text(own).map(std::borrow::Cow::into_owned);
    }
    let made = view.results().filter(|_| view.is_aligned())?.get(at)?;
    code_text(member(made, unique)?).map(std::borrow::Cow::into_owned)
}

/// What is stored under a key after these exchanges.
pub(crate) fn stored(views: &[ExchangeView<'_>], key: &str) -> Stored {
    let mut accepted: Vec<(&ExchangeView<'_>, usize)> = Vec::new();
    let mut not: Option<Stored> = None;
    let (mut is_unclear, mut is_used) = (false, false);
    for view in views.iter().filter(|view| !view.is_read()) {
        if !view.exchange.intent.is_batch() {
            is_unclear |= mentions(view, key);
            continue;
        }
        for (at, item) in view.items().iter().enumerate() {
            if key_at(view, at).as_deref() != Some(key) {
                continue;
            }
            let place = (view.exchange.index, at);
            match verdict_at(view, at) {
                ItemFate::Accepted => accepted.push((view, at)),
                ItemFate::NotSent => {}
                ItemFate::Used => is_used = true,
                _ if !is_made(view.contract, item, key) => is_unclear = true,
                ItemFate::Rejected => not = not.or(Some(Stored::Rejected(place))),
                ItemFate::Refused(status) => not = not.or(Some(Stored::Refused(place, status))),
                ItemFate::Unclear => is_unclear = true,
            }
        }
    }
    if let Some((view, at)) = shown_of(&accepted) {
        let sent = view.items()[at].validity.expected_outcome();
        let value = matches!(sent, ExpectedOutcome::Accept(_))
            .then(|| view.items()[at].value.clone())
            .filter(|_| !is_unclear && is_alone(&accepted, (view, at)));
        return Stored::Kept((view.exchange.index, at), value);
    }
    not.filter(|_| !is_unclear && !is_used).unwrap_or(Stored::Unclear)
}

/// Which of the accepted items with one key is the one that is shown.
fn shown_of<'v, 'a>(
    accepted: &[(&'v ExchangeView<'a>, usize)],
) -> Option<(&'v ExchangeView<'a>, usize)> {
    let (first, last) = (accepted.first()?, accepted.last()?);
    let again = first.0.contract.shape.as_ref().map(|shape| shape.again).unwrap_or_default();
    Some(if again == Again::Replaced { *last } else { *first })
}

/// Whether no other accepted item may be the one that is shown.
fn is_alone(
    accepted: &[(&ExchangeView<'_>, usize)],
    (view, at): (&ExchangeView<'_>, usize),
) -> bool {
    let shape = view.contract.shape.as_ref();
    let again = shape.map(|shape| shape.again).unwrap_or_default();
    let in_request = shape.is_some_and(|shape| shape.within == KeyScope::Request);
    let follows = matches!(again, Again::Replaced | Again::Returned) && !in_request;
    let exchange = view.exchange;
    accepted.iter().all(|(other, place)| {
        let is_same = other.exchange.index == exchange.index;
        let together = is_same || exchange.group.is_some_and(|g| other.exchange.group == Some(g));
        is_same && *place == at || follows && !together
    })
}

/// Whether nobody but this run has used a key, and this item does not bend it.
fn is_made(contract: &Contract, item: &ItemIntent, key: &str) -> bool {
    let unique = format!("/{}", crate::contract::validity::escape(&contract.batch.unique));
    let bends = |pointer: &str| pointer == unique;
    !item.literal
        && (KeyParts::parse(key).is_some() || !has_everyday_keys(contract))
        && !item.validity.invalid.iter().any(|reason| bends(&reason.pointer))
        && !item.mutations.iter().any(|mutation| bends(&mutation.pointer))
}

/// Whether a request without a batch spells out a key.
fn mentions(view: &ExchangeView<'_>, key: &str) -> bool {
    let request = &view.exchange.request;
    let bytes = request.raw.as_deref().or(request.body.as_deref()).unwrap_or_default();
    let key = key.as_bytes();
    !key.is_empty() && bytes.windows(key.len()).any(|part| part == key)
}

/// What a read shows otherwise than it was sent, as far as the contract names it.
pub(crate) fn differences(
    contract: &Contract,
    sent: &Value,
    shown: &Value,
) -> Vec<FieldDifference> {
    let Some(read) = &contract.read else { return Vec::new() };
    let difference = |field: &crate::contract::shape::ReadField| {
        let sent = member(sent, &field.name).filter(|sent| !sent.is_null())?;
        // What becomes of U+0000 is not judged (INTERPRETATION-15).
        if sent.as_str().is_some_and(|text| text.contains('\0')) {
            return None;
        }
        let shown = field.at.get(shown).filter(|shown| !shown.is_null());
        let is_right = match shown {
            Some(shown) => is_same(sent, shown),
            None => !field.required,
        };
        (!is_right).then(|| FieldDifference {
            name: field.name.clone(),
            at: format!("{}{}", read.item, field.at),
            sent: sent.clone(),
            shown: shown.cloned(),
        })
    };
    read.fields.iter().filter_map(difference).collect()
}

/// Whether two values say the same: numbers by what they are worth, as texts too, and date-times as instants.
pub(crate) fn is_same(sent: &Value, shown: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok().filter(|n| n.is_finite()),
        _ => None,
    };
    match (sent, shown) {
        (Value::String(a), Value::String(b)) if a != b => {
            let instant = |text: &str| chrono::DateTime::parse_from_rfc3339(text).ok();
            instant(a).is_some_and(|a| instant(b) == Some(a))
        }
        (Value::Number(_), Value::Number(_) | Value::String(_))
        | (Value::String(_), Value::Number(_)) => {
            sent == shown || number(sent).is_some_and(|sent| number(shown) == Some(sent))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.iter().all(|(name, a)| b.get(name).is_some_and(|b| is_same(a, b)))
        }
        _ => sent == shown,
    }
}
