//! What happened to each further unique key of an execution, and what is therefore known of those of every item.
//!
//! After a lost or 5xx answer the state of a key is unknown, and nothing is said of it. It must not know rules.

use std::collections::HashMap;

use serde_json::Value;

use super::keys::{KeyState, is_other_tenant, request_outcome};
use crate::contract::shape::{Again, KeyScope, SameKey};
use crate::contract::unique_key::FurtherKey;
use crate::contract::{Level, member};
use crate::exchange_view::{ExchangeView, ItemVerdict};
use crate::generate::KeyParts;
use crate::key_use::{FreeReason, ItemKeys, KeyUse};
use crate::prediction::{Prediction, UnusedReason};

/// A further key as an item has it.
#[derive(Clone)]
struct SentKey<'a> {
    text: &'a str,
    /// The other fields that belong to it; nothing where the item lacks one.
    with: Option<Vec<&'a Value>>,
}

/// What an earlier request did to a key.
struct Earlier<'a> {
    key: SentKey<'a>,
    by: usize,
    state: EarlierState,
}

/// The weightier one counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EarlierState {
    Refused,
    Rejected,
    Unknown,
    Used,
}

/// Which of the further keys, whether it is the other tenant's, and its text without letter case.
type KeyPlace = (usize, bool, String);

/// A key in a group of requests: request, position, and the key.
type Beside<'a> = (usize, usize, SentKey<'a>);

/// How two keys compare whose texts differ in letter case at most.
enum Likeness {
    Same,
    Different(FreeReason),
    Unclear,
}

/// Fills in what is known of the further keys of every item, and takes back what is predicted of items whose further keys
/// were not made for them.
pub(super) fn predict(views: &mut [ExchangeView<'_>]) {
    if views.first().is_none_or(|view| view.contract.batch.further.is_empty()) {
        return;
    }
    let mut earlier: HashMap<KeyPlace, Vec<Earlier<'_>>> = HashMap::new();
    for wave in views.chunk_by_mut(ExchangeView::is_simultaneous_with) {
        predict_group(wave, &mut earlier);
    }
}

fn predict_group<'a>(
    views: &mut [ExchangeView<'a>],
    earlier: &mut HashMap<KeyPlace, Vec<Earlier<'a>>>,
) {
    let mut beside: HashMap<KeyPlace, Vec<Beside<'a>>> = HashMap::new();
    for (v, view) in views.iter().enumerate() {
        for i in 0..view.items().len() {
            for (place, key) in keys_of(view, i) {
                beside.entry(place).or_default().push((v, i, key));
            }
        }
    }
    let fresh: Vec<Vec<bool>> = views
        .iter()
        .map(|view| (0..view.items().len()).map(|i| first_is_fresh(view, i)).collect())
        .collect();
    let known: Vec<Vec<ItemKeys>> = views
        .iter()
        .enumerate()
        .map(|(v, view)| {
            let keys = |i: usize| {
                let mut uses = vec![None; view.contract.batch.further.len()];
                for (place, key) in keys_of(view, i) {
                    let near = Near {
                        about: &view.contract.batch.further[place.0],
                        earlier: earlier.get(&place).map_or(&[][..], Vec::as_slice),
                        beside: beside.get(&place).map_or(&[][..], Vec::as_slice),
                        views,
                        fresh: &fresh,
                    };
                    uses[place.0] = Some(near.key_use((v, i), &key));
                }
                ItemKeys { first_is_fresh: fresh[v][i], uses }
            };
            (0..view.items().len()).map(keys).collect()
        })
        .collect();
    let takes_back = taken_back(views, &known);
    for ((view, keys), takes_back) in views.iter_mut().zip(known).zip(takes_back) {
        for (i, keys) in keys.iter().enumerate() {
            if takes_back[i] {
                view.predicted[i] = Prediction::Open;
            }
            view.may_be_used[i] |= !keys.are_fresh();
        }
        view.further = keys;
    }
    for view in views.iter() {
        record(view, earlier);
    }
}

/// Whether an item is valid beyond doubt and has a first key of its own.
fn first_is_fresh(view: &ExchangeView<'_>, i: usize) -> bool {
    let is_unused = matches!(
        view.predicted.get(i),
        Some(Prediction::Accept {
            level: Level::Must,
            because: UnusedReason::Fresh | UnusedReason::Near(_)
        })
    );
    is_unused && !view.items()[i].literal
}

/// The further keys of an item that are texts.
fn keys_of<'a>(view: &ExchangeView<'a>, i: usize) -> Vec<(KeyPlace, SentKey<'a>)> {
    let item = &view.items()[i].value;
    let is_other = is_other_tenant(view);
    let further = view.contract.batch.further.iter().enumerate();
    further
        .filter_map(|(nth, about)| {
            let text = member(item, &about.field)?.as_str()?;
            let other = |field: &String| member(item, field).filter(|value| !value.is_null());
            let with = about.with.iter().map(other).collect();
            Some(((nth, is_other, text.to_lowercase()), SentKey { text, with }))
        })
        .collect()
}

/// Which predictions about first keys no longer hold.
fn taken_back(views: &[ExchangeView<'_>], known: &[Vec<ItemKeys>]) -> Vec<Vec<bool>> {
    let position = |exchange: usize| views.iter().position(|v| v.exchange.index == exchange);
    // Of several items with one first key, one is accepted, unless a further key has a say in it.
    let holds = |places: &[(usize, usize)]| {
        places.iter().all(|(v, i)| {
            known[*v][*i].uses.iter().flatten().all(|key| match key {
                KeyUse::Fresh => true,
                KeyUse::BatchDuplicate(own) => own.iter().all(|k| places.contains(&(*v, *k))),
                KeyUse::ConcurrentDuplicate(own) => {
                    own.iter().all(|(e, k)| position(*e).is_some_and(|v| places.contains(&(v, *k))))
                }
                _ => false,
            })
        })
    };
    let is_taken_back = |v: usize, i: usize| match &views[v].predicted[i] {
        // What was refused with its first key may come again with all of its keys.
        Prediction::Accept { because, .. } => {
            let came_before = !matches!(
                because,
                UnusedReason::Fresh
                    | UnusedReason::Near(_)
                    | UnusedReason::Literal
                    | UnusedReason::OtherTenant
            );
            !known[v][i].uses.iter().flatten().all(|key| match key {
                KeyUse::Fresh => true,
                KeyUse::Free { because: FreeReason::Refused, .. } => came_before,
                KeyUse::Free { because: FreeReason::Rejected, .. } => {
                    *because == UnusedReason::Rejected
                }
                _ => false,
            })
        }
        Prediction::BatchDuplicate(places) => {
            !holds(&places.iter().map(|k| (v, *k)).collect::<Vec<_>>())
        }
        Prediction::ConcurrentDuplicate(places) => {
            let places: Option<Vec<(usize, usize)>> =
                places.iter().map(|(e, k)| Some((position(*e)?, *k))).collect();
            places.is_none_or(|places| !holds(&places))
        }
        _ => false,
    };
    known
        .iter()
        .enumerate()
        .map(|(v, items)| (0..items.len()).map(|i| is_taken_back(v, i)).collect())
        .collect()
}

/// What stands near a key of an item.
struct Near<'v, 'a> {
    about: &'v FurtherKey,
    earlier: &'v [Earlier<'a>],
    beside: &'v [Beside<'a>],
    views: &'v [ExchangeView<'a>],
    fresh: &'v [Vec<bool>],
}

impl Near<'_, '_> {
    fn key_use(&self, own: (usize, usize), key: &SentKey<'_>) -> KeyUse {
        let mut free: Option<(FreeReason, usize)> = None;
        let mut is_unclear = false;
        let mut same: Vec<(EarlierState, usize)> = Vec::new();
        for earlier in self.earlier {
            match likeness(self.about, key, &earlier.key) {
                Likeness::Same => same.push((earlier.state, earlier.by)),
                Likeness::Different(because) => free = Some((because, earlier.by)),
                Likeness::Unclear => is_unclear = true,
            }
        }
        let (mut in_batch, mut elsewhere) = (vec![own.1], vec![own]);
        for (v, i, other) in self.beside.iter().filter(|(v, i, _)| (*v, *i) != own) {
            if *v != own.0 && !self.about.stays_used() {
                continue;
            }
            match likeness(self.about, key, other) {
                Likeness::Same if *v == own.0 => in_batch.push(*i),
                Likeness::Same => elsewhere.push((*v, *i)),
                Likeness::Different(because) => {
                    free.get_or_insert((because, self.views[own.0].exchange.index));
                }
                Likeness::Unclear => is_unclear = true,
            }
        }
        let is_repeated = in_batch.len() > 1 || elsewhere.len() > 1;
        let strongest = same.iter().max().copied();
        match strongest {
            Some((EarlierState::Used, _)) if self.about.stays_used() => {
                let first = same.iter().filter(|(state, _)| *state == EarlierState::Used);
                return KeyUse::Used { by: first.map(|(_, by)| *by).min().unwrap_or_default() };
            }
            Some((EarlierState::Unknown, _)) if self.about.stays_used() => return KeyUse::Open,
            Some((EarlierState::Rejected | EarlierState::Refused, _))
                if is_repeated && self.about.stays_used() =>
            {
                return KeyUse::Open;
            }
            _ => {}
        }
        if is_unclear {
            return KeyUse::Open;
        }
        if is_repeated {
            if let Some(repeated) = self.repeated(own, &mut in_batch, &mut elsewhere) {
                return repeated;
            }
            return KeyUse::Free { because: FreeReason::Allowed, by: self.index(own.0) };
        }
        let because = match strongest {
            Some((_, by)) if self.about.within == KeyScope::Request => {
                Some((FreeReason::EarlierRequest, by))
            }
            Some((_, by)) if self.about.again == Again::Free => Some((FreeReason::Allowed, by)),
            Some((EarlierState::Rejected, by)) => Some((FreeReason::Rejected, by)),
            Some((_, by)) => Some((FreeReason::Refused, by)),
            None => free,
        };
        match because {
            Some((because, by)) => KeyUse::Free { because, by },
            // A text that was not made as a key is sent again in every execution.
            None if KeyParts::parse(key.text).is_none() => KeyUse::Open,
            None => KeyUse::Fresh,
        }
    }

    /// What is known of one of several keys in a batch, or in several at once; nothing where they may be the same.
    fn repeated(
        &self,
        own: (usize, usize),
        in_batch: &mut [usize],
        elsewhere: &mut [(usize, usize)],
    ) -> Option<KeyUse> {
        match (self.about.again, self.about.within) {
            (Again::Free, KeyScope::Target) => return None,
            // The contract does not say what becomes of two in one request.
            (Again::Free, KeyScope::Request) => return Some(KeyUse::Open),
            _ => {}
        }
        in_batch.sort_unstable();
        elsewhere.sort_unstable();
        let is_fresh = |(v, i): &(usize, usize)| self.fresh[*v][*i];
        Some(match (in_batch.len() > 1, elsewhere.len() > 1) {
            (true, false) if in_batch.iter().all(|i| is_fresh(&(own.0, *i))) => {
                KeyUse::BatchDuplicate(in_batch.to_vec())
            }
            (false, true) if elsewhere.iter().all(is_fresh) => KeyUse::ConcurrentDuplicate(
                elsewhere.iter().map(|(v, i)| (self.index(*v), *i)).collect(),
            ),
            _ => KeyUse::Open,
        })
    }

    fn index(&self, view: usize) -> usize {
        self.views[view].exchange.index
    }
}

fn likeness(about: &FurtherKey, a: &SentKey<'_>, b: &SentKey<'_>) -> Likeness {
    match about.same {
        SameKey::CodePoint if a.text != b.text => {
            return Likeness::Different(FreeReason::LetterCase);
        }
        // Which letters beyond ASCII are one without their case, every library says otherwise.
        SameKey::IgnoreCase if !a.text.eq_ignore_ascii_case(b.text) => return Likeness::Unclear,
        _ => {}
    }
    let (Some(own), Some(other)) = (&a.with, &b.with) else { return Likeness::Unclear };
    let mut pairs = own.iter().zip(other);
    if own == other {
        Likeness::Same
    } else if pairs.any(|(a, b)| are_different(a, b)) {
        Likeness::Different(FreeReason::OtherField)
    } else {
        Likeness::Unclear
    }
}

/// Whether two values are different however they are compared.
fn are_different(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => {
            let is_word = |text: &str| {
                let mut characters = text.chars();
                characters.next().is_some_and(char::is_alphabetic)
                    && characters.all(|c| c.is_alphanumeric() || c == '-' || c == '_')
            };
            is_word(a) && is_word(b) && a.to_lowercase() != b.to_lowercase()
        }
        (Value::Number(a), Value::Number(b)) => {
            matches!((a.as_i64(), b.as_i64()), (Some(a), Some(b)) if a != b)
        }
        (Value::Bool(a), Value::Bool(b)) => a != b,
        _ => false,
    }
}

fn record<'a>(view: &ExchangeView<'a>, earlier: &mut HashMap<KeyPlace, Vec<Earlier<'a>>>) {
    let whole = match request_outcome(view) {
        Some(KeyState::Unused(UnusedReason::Fresh)) => return,
        Some(KeyState::Unused(_)) => Some(EarlierState::Refused),
        Some(_) => Some(EarlierState::Unknown),
        None => None,
    };
    for i in 0..view.items().len() {
        for (place, key) in keys_of(view, i) {
            let state = whole.unwrap_or_else(|| match view.verdicts.get(i).copied().flatten() {
                Some(ItemVerdict::Accepted) => EarlierState::Used,
                // An earlier run may have used a key that is not ours.
                Some(ItemVerdict::Rejected) if KeyParts::parse(key.text).is_some() => {
                    EarlierState::Rejected
                }
                _ => EarlierState::Unknown,
            });
            earlier.entry(place).or_default().push(Earlier { key, by: view.exchange.index, state });
        }
    }
}
