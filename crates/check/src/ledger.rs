//! The ledger: what happened to each number of a trial, and what is therefore expected of each item.
//!
//! After a lost or 5xx answer a number's fate is unknown, and nothing is expected of it. Knows nothing of
//! rules; they read what it expects.

use std::collections::HashMap;

use super::view::{ExchangeView, ItemVerdict};
use crate::contract::Level;
use crate::contract::standing::Due;
use crate::exchange::{Answer, LossKind, Situation};

/// What is expected of an item, given all that came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Accepted, as its number is unused.
    Accept {
        /// What a contradiction weighs.
        level: Level,
        /// Why the number is unused.
        because: Because,
    },
    /// Rejected as used: accepted before in that exchange.
    Used {
        /// The exchange that used it.
        by: usize,
    },
    /// Refused, in either refusal mode.
    Refuse(Level),
    /// One of several in the same batch with this number; their positions.
    Twin(Vec<usize>),
    /// One of several that a barrier released with this number: exchange and position of each.
    Racer(Vec<(usize, usize)>),
    /// In a request that the client broke off in that exchange: all or nothing.
    BrokenOff(usize),
    /// Nothing is expected.
    Open,
}

/// Why a number is unused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// It was never sent.
    Fresh,
    /// It was never sent, but one that looks like it was used.
    Near(String),
    /// Its request was refused with a 400.
    Refused,
    /// Its item was rejected.
    Rejected,
    /// Its request was refused for its credentials.
    Credentials,
    /// Its request was refused with this status for its method, path, headers or size.
    NotProcessed(u16),
    /// More than one of these: whoever stored it can't be told.
    Several,
}

#[derive(Clone)]
enum State {
    Unused(Because),
    Used(usize),
    BrokenOff(usize),
    Unknown,
}

/// Fills in what is expected of every item of every exchange.
pub(super) fn expect(views: &mut [ExchangeView<'_>]) {
    let mut ledger: HashMap<String, State> = HashMap::new();
    let mut at = 0;
    while at < views.len() {
        let group = views[at].exchange.group;
        let mut end = at + 1;
        while group.is_some() && end < views.len() && views[end].exchange.group == group {
            end += 1;
        }
        wave(&mut views[at..end], &mut ledger);
        at = end;
    }
}

/// One exchange, or several that overlapped.
fn wave(views: &mut [ExchangeView<'_>], ledger: &mut HashMap<String, State>) {
    let mut places = Places::default();
    for (v, view) in views.iter().enumerate() {
        for (i, item) in view.items().iter().enumerate() {
            let Some(number) = &item.number else { continue };
            let refused = item.standing.due() == Due::Refuse(Level::Must);
            let list = if refused { &mut places.broken } else { &mut places.sound };
            list.entry(number.clone()).or_default().push((v, i));
        }
    }
    let may_be_used: Vec<Vec<bool>> = views
        .iter()
        .map(|view| {
            let used = |number: &String| ledger.contains_key(number) || places.count(number) > 1;
            view.items().iter().map(|item| item.number.as_ref().is_some_and(used)).collect()
        })
        .collect();
    let expected: Vec<Vec<Expected>> = views
        .iter()
        .enumerate()
        .map(|(v, view)| {
            (0..view.items().len()).map(|i| one(view, v, i, views, &places, ledger)).collect()
        })
        .collect();
    for ((view, list), used) in views.iter_mut().zip(expected).zip(may_be_used) {
        view.expected = list;
        view.may_be_used = used;
    }
    // Acceptances first: a rejection beside one says nothing against it.
    for pass in [true, false] {
        for view in views.iter() {
            settle(view, ledger, pass);
        }
    }
}

/// Where each number of a wave stands: request and position.
#[derive(Default)]
struct Places {
    sound: HashMap<String, Vec<(usize, usize)>>,
    /// In items that must be refused, which use no number.
    broken: HashMap<String, Vec<(usize, usize)>>,
}

impl Places {
    fn count(&self, number: &str) -> usize {
        [&self.sound, &self.broken].iter().filter_map(|m| m.get(number)).map(Vec::len).sum()
    }
}

fn one(
    view: &ExchangeView<'_>,
    v: usize,
    i: usize,
    views: &[ExchangeView<'_>],
    places: &Places,
    ledger: &HashMap<String, State>,
) -> Expected {
    let item = &view.items()[i];
    let due = item.standing.due();
    if due == Due::Refuse(Level::Must) {
        return Expected::Refuse(Level::Must);
    }
    let by_due = |because: Because| match due {
        Due::Accept(level) => Expected::Accept { level, because },
        Due::Refuse(level) => Expected::Refuse(level),
        Due::Open => Expected::Open,
    };
    let Some(number) = &item.number else { return by_due(Because::Fresh) };
    let state = ledger.get(number);
    match state {
        Some(State::Used(by)) => return Expected::Used { by: *by },
        Some(State::Unknown) => return Expected::Open,
        Some(State::BrokenOff(by)) => return Expected::BrokenOff(*by),
        Some(State::Unused(_)) | None => {}
    }
    // A broken item that was accepted all the same has used the number.
    let stolen = places.broken.get(number).into_iter().flatten().any(|(v, i)| {
        match views[*v].verdicts.get(*i).copied().flatten() {
            Some(verdict) => verdict == ItemVerdict::Accepted,
            None => views[*v].status() == Some(200),
        }
    });
    if stolen {
        return Expected::Open;
    }
    let same = &places.sound[number];
    let beside_broken = places.broken.contains_key(number);
    if same.len() > 1 {
        // Where it was refused before, rules of its own say whether it stayed unused.
        if state.is_some() || beside_broken {
            return Expected::Open;
        }
        let open = same.iter().any(|(v, i)| {
            !matches!(views[*v].items()[*i].standing.due(), Due::Accept(Level::Must))
        });
        if open {
            return Expected::Open;
        }
        if same.iter().any(|(other, _)| *other != v) {
            return Expected::Racer(
                same.iter().map(|(v, i)| (views[*v].exchange.index, *i)).collect(),
            );
        }
        return Expected::Twin(same.iter().map(|(_, i)| *i).collect());
    }
    if beside_broken && due == Due::Accept(Level::Must) {
        // A rejected item beside it may have used the number, whatever came of it before: that is no more than
        // a SHOULD.
        Expected::Accept { level: Level::Should, because: Because::Rejected }
    } else if let Some(State::Unused(because)) = state {
        by_due(because.clone())
    } else {
        // Only a rejection needs to know; looking at every number would cost more than all else.
        if view.verdicts.get(i).copied().flatten() != Some(ItemVerdict::Rejected) {
            return by_due(Because::Fresh);
        }
        let siblings = view.items().iter().enumerate().filter(|(k, _)| *k != i);
        let near = siblings
            .filter_map(|(_, s)| s.number.as_deref())
            .chain(
                ledger.iter().filter(|(_, s)| matches!(s, State::Used(_))).map(|(n, _)| n.as_str()),
            )
            .take(64)
            .filter(|other| looks_like(number, other))
            .min_by_key(|other| strsim::levenshtein(&folded(number), &folded(other)));
        by_due(near.map_or(Because::Fresh, |n| Because::Near(n.to_owned())))
    }
}

fn settle(view: &ExchangeView<'_>, ledger: &mut HashMap<String, State>, acceptances: bool) {
    let whole = whole_fate(view);
    if !view.exchange.intent.is_batch() && !acceptances {
        for number in mentioned(view) {
            let fate = whole.clone().unwrap_or(State::Unknown);
            let before = ledger.get(&number);
            if matches!(before, None | Some(State::Unused(_))) {
                let state = joined(before, fate);
                ledger.insert(number, state);
            }
        }
    }
    for (i, item) in view.items().iter().enumerate() {
        let Some(number) = &item.number else { continue };
        let fate = match &whole {
            Some(state) => state.clone(),
            None => match view.verdicts.get(i).copied().flatten() {
                Some(ItemVerdict::Accepted) => State::Used(view.exchange.index),
                // The target says so itself, and nobody else knows what became of it before.
                Some(ItemVerdict::Rejected)
                    if matches!(ledger.get(number), Some(State::Unknown | State::BrokenOff(_)))
                        && view.called_used(i) =>
                {
                    State::Used(view.exchange.index)
                }
                Some(ItemVerdict::Rejected) => State::Unused(Because::Rejected),
                None => State::Unknown,
            },
        };
        let accepted = matches!(fate, State::Used(_));
        if accepted != acceptances {
            continue;
        }
        let before = ledger.get(number);
        let keep = matches!(
            (before, &fate),
            (Some(State::Used(_)), _)
                | (Some(State::Unknown | State::BrokenOff(_)), State::Unused(_))
        );
        if !keep {
            ledger.insert(number.clone(), joined(before, fate));
        }
    }
}

/// What is known of a number after another request with it.
fn joined(before: Option<&State>, fate: State) -> State {
    match (before, fate) {
        (Some(State::Unused(before)), State::Unused(now)) if *before != now => {
            State::Unused(Because::Several)
        }
        (_, fate) => fate,
    }
}

/// The numbers that a body which is no batch still spells out: a careless reader may have stored them.
fn mentioned(view: &ExchangeView<'_>) -> Vec<String> {
    let Some(body) = &view.exchange.request.body else { return Vec::new() };
    let key = serde_json::Value::from(view.contract.batch.unique.as_str()).to_string();
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

/// What happened to all numbers of a request alike; nothing where each result says its own.
fn whole_fate(view: &ExchangeView<'_>) -> Option<State> {
    let situation = view.exchange.intent.situation;
    match &view.exchange.answer {
        Answer::Lost(loss) if loss.kind == LossKind::HungUp => {
            Some(State::BrokenOff(view.exchange.index))
        }
        Answer::Lost(loss) if loss.kind == LossKind::Connect => Some(State::Unused(Because::Fresh)),
        Answer::Lost(_) => Some(State::Unknown),
        Answer::Received(response) => match response.status {
            // Verdicts of results that stand in the wrong place say nothing of their items.
            200 if view.misplaced.is_some() || view.foreign.is_some() => Some(State::Unknown),
            200 if view.is_aligned() => None,
            400 => Some(State::Unused(match situation {
                Situation::Credentials => Because::Credentials,
                Situation::Ordinary => Because::Refused,
                _ => Because::NotProcessed(400),
            })),
            401 | 403 => Some(State::Unused(Because::Credentials)),
            status @ (404 | 405 | 406 | 411 | 413 | 414 | 415 | 417 | 431 | 501 | 505) => {
                Some(State::Unused(Because::NotProcessed(status)))
            }
            _ => Some(State::Unknown),
        },
    }
}

/// Whether one is the other cut, padded, in another letter case or with other punctuation.
pub(super) fn same_but_for_form(a: &str, b: &str) -> bool {
    let letters = |t: &str| -> String {
        t.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    a.starts_with(b) || b.starts_with(a) || letters(a) == letters(b)
}

/// A text as a comparison without letter case sees it, white space at its ends left out.
fn folded(text: &str) -> String {
    text.trim().to_uppercase()
}

/// Whether a careless comparison could take two different numbers for one.
fn looks_like(a: &str, b: &str) -> bool {
    if a == b {
        return false;
    }
    if same_but_for_form(a, b) {
        return true;
    }
    let common = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    common >= 30 && (common >= 40 || !a.is_ascii() || !b.is_ascii())
}
