//! What happened to each unique key of an execution, and what is therefore predicted of each item.
//!
//! After a lost or 5xx answer the state of a key is unknown, and nothing is predicted of it. It must not know
//! rules, which read what it predicts.

use std::borrow::Cow;
use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use crate::case::Credential;
use crate::contract::shape::{KeyScope, MapKey, SameKey};
use crate::contract::validity::ExpectedOutcome;
use crate::contract::{Contract, Level, string_end};
use crate::exchange::{Answer, ItemIntent, LossKind, Situation};
use crate::exchange_view::{ExchangeView, ItemVerdict};
use crate::generate::KeyParts;
use crate::prediction::{Prediction, UnusedReason};

#[derive(Clone)]
pub(super) enum KeyState {
    Unused(UnusedReason),
    Used(usize),
    BrokenOff(usize),
    Unknown,
}

/// What is known of each key so far.
type KeyStates<'a> = HashMap<Cow<'a, str>, KeyState>;

/// Fills in what is expected of every item of every exchange.
pub(super) fn predict(views: &mut [ExchangeView<'_>]) {
    // Those of the run's own tenant, and those of the other one.
    let (mut own, mut other) = (KeyStates::new(), KeyStates::new());
    for wave in views.chunk_by_mut(ExchangeView::is_simultaneous_with) {
        let others = wave.iter().filter(|view| is_other_tenant(view)).count();
        if others == 0 {
            predict_group(wave, &mut own, &other);
        } else if others == wave.len() {
            predict_group(wave, &mut other, &own);
        } else {
            for view in wave {
                let (mine, theirs) =
                    if is_other_tenant(view) { (&mut other, &own) } else { (&mut own, &other) };
                predict_group(std::slice::from_mut(view), mine, theirs);
            }
        }
    }
}

/// Whether a request was another tenant's, and tenants have numbers of their own.
pub(super) fn is_other_tenant(view: &ExchangeView<'_>) -> bool {
    view.exchange.request.credential == Credential::OtherTenant
        && !view.contract.batch.unique_across_tenants
}

/// One exchange, or several that overlapped; `others` is what another tenant did.
fn predict_group<'a>(
    views: &mut [ExchangeView<'a>],
    states: &mut KeyStates<'a>,
    others: &KeyStates<'a>,
) {
    let mut places = Places::default();
    for (v, view) in views.iter().enumerate() {
        for (i, item) in view.items().iter().enumerate() {
            let Some(number) = key_of(view, item) else { continue };
            let refused = item.validity.expected_outcome() == ExpectedOutcome::Refuse(Level::Must);
            let list = if refused { &mut places.broken } else { &mut places.sound };
            list.entry(number).or_default().push((v, i));
        }
    }
    let may_be_used: Vec<Vec<bool>> = views
        .iter()
        .map(|view| {
            let used = |number: &String| {
                let number = view.contract.batch.same.compared(number);
                states.contains_key(&*number) || places.count(&number) > 1
            };
            // A text that was not made as a key is sent again in every execution.
            let is_constant = |item: &ItemIntent, number: &String| {
                !item.validity.invalid.is_empty() && KeyParts::parse(number).is_none()
            };
            let may_be = |i: &ItemIntent| {
                i.literal || i.number.as_ref().is_some_and(|n| used(n) || is_constant(i, n))
            };
            view.items().iter().map(may_be).collect()
        })
        .collect();
    let predicted: Vec<Vec<Prediction>> = views
        .iter()
        .enumerate()
        .map(|(v, view)| {
            (0..view.items().len())
                .map(|i| predict_item((view, v, i), views, &places, states, others))
                .collect()
        })
        .collect();
    for ((view, list), used) in views.iter_mut().zip(predicted).zip(may_be_used) {
        view.predicted = list;
        view.may_be_used = used;
    }
    // What one request uses, another may use as well.
    let within = views.first().and_then(|view| view.contract.shape.as_ref()).map(|s| s.within);
    if within == Some(KeyScope::Request) {
        return;
    }
    // Acceptances first: a rejection beside one says nothing against it.
    for pass in [true, false] {
        for view in views.iter() {
            record_outcome(view, states, pass);
        }
    }
}

/// An item's key as the contract compares it.
fn key_of<'a>(view: &ExchangeView<'a>, item: &'a ItemIntent) -> Option<Cow<'a, str>> {
    item.number.as_deref().map(|number| view.contract.batch.same.compared(number))
}

/// Where each number of a wave stands: request and position.
#[derive(Default)]
struct Places<'a> {
    sound: HashMap<Cow<'a, str>, Positions>,
    /// In items that must be refused, which use no number.
    broken: HashMap<Cow<'a, str>, Positions>,
}

/// Where a number stands: request and position.
type Positions = Vec<(usize, usize)>;

impl Places<'_> {
    fn count(&self, number: &str) -> usize {
        [&self.sound, &self.broken].iter().filter_map(|m| m.get(number)).map(Positions::len).sum()
    }
}

fn predict_item(
    (view, v, i): (&ExchangeView<'_>, usize, usize),
    views: &[ExchangeView<'_>],
    places: &Places<'_>,
    states: &KeyStates<'_>,
    others: &KeyStates<'_>,
) -> Prediction {
    let item = &view.items()[i];
    let outcome = item.validity.expected_outcome();
    if outcome == ExpectedOutcome::Refuse(Level::Must) {
        return Prediction::Refuse(Level::Must);
    }
    let by_outcome = |because: UnusedReason| match outcome {
        ExpectedOutcome::Accept(level) => Prediction::Accept { level, because },
        ExpectedOutcome::Refuse(level) => Prediction::Refuse(level),
        ExpectedOutcome::NotJudged => Prediction::Open,
    };
    let Some(number) = key_of(view, item) else { return by_outcome(UnusedReason::Fresh) };
    let number = &*number;
    let state = states.get(number);
    match state {
        Some(KeyState::Used(by)) => return Prediction::Used { by: *by },
        Some(KeyState::Unknown) => return Prediction::Open,
        Some(KeyState::BrokenOff(_)) if item.literal => return Prediction::Open,
        Some(KeyState::BrokenOff(by)) => return Prediction::BrokenOff(*by),
        Some(KeyState::Unused(_)) | None => {}
    }
    // A broken item that was accepted all the same has used the number.
    let stolen = places.broken.get(number).into_iter().flatten().any(|(v, i)| {
        match views[*v].verdicts.get(*i).copied().flatten() {
            Some(verdict) => verdict == ItemVerdict::Accepted,
            None => views[*v].status() == Some(200),
        }
    });
    if stolen {
        return Prediction::Open;
    }
    let same = &places.sound[number];
    let beside_broken = places.broken.contains_key(number);
    if same.len() > 1 {
        // Where it was refused before, rules of its own say whether it stayed unused.
        if state.is_some() || beside_broken {
            return Prediction::Open;
        }
        let verdict = |(v, i): &(usize, usize)| views[*v].verdicts.get(*i).copied().flatten();
        let called_used = |(v, i): &(usize, usize)| views[*v].is_called_used(*i);
        // All of them may have been used before this run.
        let used_before = item.literal
            && same.iter().any(called_used)
            && !same.iter().any(|place| verdict(place) == Some(ItemVerdict::Accepted));
        let open = used_before
            || same.iter().any(|(v, i)| {
                !matches!(
                    views[*v].items()[*i].validity.expected_outcome(),
                    ExpectedOutcome::Accept(Level::Must)
                )
            });
        if open {
            return Prediction::Open;
        }
        if same.iter().any(|(other, _)| *other != v) {
            return Prediction::ConcurrentDuplicate(
                same.iter().map(|(v, i)| (views[*v].exchange.index, *i)).collect(),
            );
        }
        return Prediction::BatchDuplicate(same.iter().map(|(_, i)| *i).collect());
    }
    if item.literal {
        by_outcome(UnusedReason::Literal)
    } else if beside_broken && outcome == ExpectedOutcome::Accept(Level::Must) {
        // A rejected item beside it may have used the number, whatever came of it before: that is no more than
        // a SHOULD.
        Prediction::Accept { level: Level::Should, because: UnusedReason::Rejected }
    } else if let Some(KeyState::Unused(because)) = state {
        by_outcome(because.clone())
    } else if !others.is_empty() && others.contains_key(number) {
        by_outcome(UnusedReason::OtherTenant)
    } else {
        // Only a rejection needs to know; looking at every number would cost more than all else.
        if view.verdicts.get(i).copied().flatten() != Some(ItemVerdict::Rejected) {
            return by_outcome(UnusedReason::Fresh);
        }
        // What was rejected itself keeps nobody from its key.
        let is_accepted =
            |k: usize| view.verdicts.get(k).copied().flatten() == Some(ItemVerdict::Accepted);
        let siblings = view
            .items()
            .iter()
            .enumerate()
            .filter(|(k, _)| *k != i && is_accepted(*k))
            .filter_map(|(k, s)| Some((k > i, s.number.as_deref()?)));
        let used = states.iter().filter(|(_, s)| matches!(s, KeyState::Used(_)));
        let near = siblings
            .chain(used.map(|(n, _)| (false, &**n)))
            .take(64)
            .filter(|(_, other)| looks_like(number, other))
            .min_by_key(|(is_later, other)| {
                let plain = strsim::levenshtein(number.trim(), other.trim());
                (strsim::levenshtein(&folded(number), &folded(other)), *is_later, plain)
            })
            .map(|(_, other)| other);
        // Which letters beyond ASCII are one without their case, every library says otherwise.
        if view.contract.batch.same == SameKey::IgnoreCase
            && near.is_some_and(|near| !near.is_ascii() || !number.is_ascii())
        {
            return Prediction::Open;
        }
        by_outcome(near.map_or(UnusedReason::Fresh, |n| UnusedReason::Near(n.to_owned())))
    }
}

fn record_outcome<'a>(view: &ExchangeView<'a>, states: &mut KeyStates<'a>, acceptances: bool) {
    let whole = request_outcome(view);
    if !view.exchange.intent.is_batch() && !acceptances {
        let body = view.exchange.request.body.as_deref().unwrap_or_default();
        for number in keys_in_text(view.contract, body) {
            let outcome = whole.clone().unwrap_or(KeyState::Unknown);
            let number = view.contract.batch.same.compared(&number).into_owned();
            let before = states.get(number.as_str());
            if matches!(before, None | Some(KeyState::Unused(_))) {
                let state = joined_state(before, outcome);
                states.insert(Cow::Owned(number), state);
            }
        }
    }
    for (i, item) in view.items().iter().enumerate() {
        let Some(number) = key_of(view, item) else { continue };
        let outcome = match &whole {
            Some(state) => state.clone(),
            None => match view.verdicts.get(i).copied().flatten() {
                Some(ItemVerdict::Accepted) => KeyState::Used(view.exchange.index),
                // The target says so itself, and nobody else knows what became of it before.
                Some(ItemVerdict::Rejected)
                    if matches!(
                        states.get(&*number),
                        Some(KeyState::Unknown | KeyState::BrokenOff(_))
                    ) && view.is_called_used(i) =>
                {
                    KeyState::Used(view.exchange.index)
                }
                // An earlier run may have used it.
                Some(ItemVerdict::Rejected) if item.literal && view.is_called_used(i) => {
                    KeyState::Unknown
                }
                Some(ItemVerdict::Rejected) => KeyState::Unused(UnusedReason::Rejected),
                None => KeyState::Unknown,
            },
        };
        let accepted = matches!(outcome, KeyState::Used(_));
        if accepted != acceptances {
            continue;
        }
        let before = states.get(&*number);
        let keep = matches!(
            (before, &outcome),
            (Some(KeyState::Used(_)), _)
                | (Some(KeyState::Unknown | KeyState::BrokenOff(_)), KeyState::Unused(_))
        );
        if !keep {
            let state = joined_state(before, outcome);
            states.insert(number, state);
        }
    }
}

/// What is known of a number after another request with it.
fn joined_state(before: Option<&KeyState>, outcome: KeyState) -> KeyState {
    match (before, outcome) {
        (Some(KeyState::Unused(before)), KeyState::Unused(now)) if *before != now => {
            KeyState::Unused(UnusedReason::Several)
        }
        (_, outcome) => outcome,
    }
}

/// The numbers that a body spells out which our parser does not read as a batch: another reader may have stored them.
#[must_use]
pub fn keys_in_text(contract: &Contract, body: &[u8]) -> Vec<String> {
    let map_key = contract.shape.as_ref().and_then(|shape| shape.form.map_key());
    if let Some(MapKey::Field(_)) = map_key {
        return member_names(body);
    }
    let Some(name) = contract.judged_key().rsplit('/').next().filter(|n| !n.is_empty()) else {
        return Vec::new();
    };
    let key = serde_json::Value::from(name).to_string();
    let mut numbers = Vec::new();
    let mut rest: &[u8] = body;
    while let Some(at) = rest.windows(key.len()).position(|w| w == key.as_bytes()) {
        rest = rest[at + key.len()..].trim_ascii_start();
        let Some(value) = rest.strip_prefix(b":") else { continue };
        let mut values = serde_json::Deserializer::from_slice(value).into_iter::<String>();
        numbers.extend(values.next().and_then(Result::ok));
    }
    numbers
}

/// The names of all members that a text spells out.
fn member_names(body: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.iter().position(|byte| *byte == b'"') {
        let end = string_end(rest, at);
        let text = serde_json::from_slice::<String>(&rest[at..end]);
        rest = &rest[end..];
        if let Some(text) = text.ok().filter(|_| rest.trim_ascii_start().first() == Some(&b':')) {
            names.push(text);
        }
    }
    names
}

/// What happened to all numbers of a request alike; nothing where each result says its own.
pub(super) fn request_outcome(view: &ExchangeView<'_>) -> Option<KeyState> {
    let situation = view.exchange.intent.situation;
    match &view.exchange.answer {
        Answer::Lost(loss) if loss.kind == LossKind::HungUp => {
            Some(KeyState::BrokenOff(view.exchange.index))
        }
        Answer::Lost(loss) if loss.kind.is_unreached() => {
            Some(KeyState::Unused(UnusedReason::Fresh))
        }
        Answer::Lost(_) => Some(KeyState::Unknown),
        Answer::Received(_) => match view.status().unwrap_or_default() {
            // Verdicts of results that stand in the wrong place say nothing of their items.
            200 if view.misordered.is_some() || view.crosstalk.is_some() => Some(KeyState::Unknown),
            200 if view.is_aligned() => None,
            400 => Some(KeyState::Unused(match situation {
                Situation::Credentials => UnusedReason::Credentials,
                Situation::Ordinary => UnusedReason::Refused,
                _ => UnusedReason::NotProcessed(400),
            })),
            401 | 403 => Some(KeyState::Unused(UnusedReason::Credentials)),
            status @ (404 | 405 | 406 | 411 | 413 | 414 | 415 | 417 | 431 | 501 | 505) => {
                Some(KeyState::Unused(UnusedReason::NotProcessed(status)))
            }
            _ => Some(KeyState::Unknown),
        },
    }
}

/// Whether one is the other cut, padded, in another letter case or with other punctuation.
pub(super) fn same_but_for_form<'t>(a: &'t str, b: &'t str) -> bool {
    let letters =
        |t: &'t str| t.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    a.starts_with(b) || b.starts_with(a) || letters(a).eq(letters(b))
}

/// A text as the most careless comparison sees it: its percent-encoding undone, without letter case, in Unicode's
/// compatible decomposition, white space at its ends left out.
fn folded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let encoded = behind.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let encoded = encoded.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        rest = behind;
        match (first, encoded) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).trim().nfkd().collect::<String>().to_uppercase()
}

/// Whether a careless comparison could take two different numbers for one.
fn looks_like(a: &str, b: &str) -> bool {
    if a == b {
        return false;
    }
    let value = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    if same_but_for_form(a, b) || value(a).is_some_and(|a| Some(a) == value(b)) {
        return true;
    }
    let common = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    common >= 30 && (common >= 40 || !a.is_ascii() || !b.is_ascii())
}
