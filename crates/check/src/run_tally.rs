//! Tallies: what rules of the run's scope look at. They can be added up, so that parts of a run are judged
//! again when they are merged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exchange_view::{ExchangeView, ItemVerdict};
use super::rules::must_be_processed;
use super::text::shorten;
use crate::contract::validity::ExpectedOutcome;
use crate::contract::{Contract, Level, RefusalMode, code_text, member};
use crate::exchange::BodyIntent;
use crate::generate::coverage::ItemPosition;

/// A kind of fault (INTERPRETATION-01).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FaultKind {
    /// JSON pointer inside the item.
    pub pointer: String,
    /// The broken keyword.
    pub keyword: String,
    /// Class of the value.
    pub class: String,
    /// Whether all items of the batch were broken.
    pub all: bool,
}

/// Codes that are counted one by one: a target that makes them up must not fill the memory.
const CODES: usize = 256;
/// What all further ones are counted as.
const OTHER: &str = "(others)";

/// What a run adds up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTally {
    /// Refusals by kind: how often by a 400, how often in a 200.
    #[serde(with = "super::map_as_pairs")]
    pub refusals: BTreeMap<FaultKind, (u64, u64)>,
    /// Error codes seen, by code.
    pub codes: BTreeMap<String, u64>,
    /// Items that were accepted: numbers that stay behind.
    pub accepted: u64,
    /// Statuses seen.
    #[serde(with = "super::map_as_pairs")]
    pub statuses: BTreeMap<u16, u64>,
    /// Causes provoked: `pointer keyword class position`.
    pub provoked: BTreeMap<String, u64>,
    /// Valid batches in chunks, far below any limit of size: how many were read, how many were refused.
    #[serde(default)]
    pub chunked: (u64, u64),
    /// Such batches with a length that were refused, so that chunks are not why.
    #[serde(default)]
    pub sized_refused: u64,
    /// Plain batches that were sent one by one because answers had got lost.
    #[serde(default, alias = "alone")]
    pub probe: ProbeResult,
}

/// Requests on connections of their own, one at a time, and how many of them got no answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// Requests.
    #[serde(alias = "asked")]
    pub sent: u64,
    /// Those without an answer.
    pub lost: u64,
}

impl ProbeResult {
    /// Lost answers that are no accident of the network.
    pub const ENOUGH: u64 = 2;
}

impl RunTally {
    /// Adds another part's.
    pub fn add(&mut self, other: &RunTally) {
        for (key, (request, item)) in &other.refusals {
            let entry = self.refusals.entry(key.clone()).or_default();
            entry.0 += request;
            entry.1 += item;
        }
        for (code, count) in &other.codes {
            self.add_code(code, *count);
        }
        self.accepted += other.accepted;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        self.chunked.0 += other.chunked.0;
        self.chunked.1 += other.chunked.1;
        self.sized_refused += other.sized_refused;
        self.probe.sent += other.probe.sent;
        self.probe.lost += other.probe.lost;
        for (what, count) in &other.provoked {
            *self.provoked.entry(what.clone()).or_default() += count;
        }
    }

    fn add_code(&mut self, code: &str, count: u64) {
        if let Some(before) = self.codes.get_mut(code) {
            *before += count;
        } else {
            let code = if self.codes.len() < CODES { code } else { OTHER };
            *self.codes.entry(code.to_owned()).or_default() += count;
        }
    }

    /// The same, repeated `times` times.
    #[must_use]
    pub fn times(&self, times: u64) -> RunTally {
        let mut all = self.clone();
        all.refusals.values_mut().for_each(|(request, item)| {
            *request *= times;
            *item *= times;
        });
        all.codes.values_mut().for_each(|count| *count *= times);
        all.accepted *= times;
        all.sized_refused *= times;
        all.chunked = (all.chunked.0 * times, all.chunked.1 * times);
        all.statuses.values_mut().for_each(|count| *count *= times);
        all.provoked.values_mut().for_each(|count| *count *= times);
        all
    }

    /// Counts one exchange.
    pub(super) fn count(&mut self, contract: &Contract, view: &ExchangeView<'_>) {
        if let Some(status) = view.status() {
            *self.statuses.entry(status).or_default() += 1;
        }
        self.count_codes(contract, view);
        let accepted = view.verdicts.iter().filter(|v| **v == Some(ItemVerdict::Accepted)).count();
        self.accepted += accepted as u64;
        self.count_chunked(view);
        let BodyIntent::Batch { items, .. } = &view.exchange.intent.body else { return };
        if !view.is_ordinary() || view.feature().is_some() {
            return;
        }
        // Only batches in which one kind of fault stands tell which fault was answered how.
        let broken: Vec<usize> = (0..items.len())
            .filter(|i| matches!(items[*i].validity.expected_outcome(), ExpectedOutcome::Refuse(_)))
            .collect();
        for i in &broken {
            for cause in &items[*i].validity.invalid {
                let position = ItemPosition::of(*i, items.len()).word();
                let what =
                    format!("{} {} {} {position}", cause.pointer, cause.keyword, cause.class);
                *self.provoked.entry(what).or_default() += 1;
            }
        }
        let mut kinds: Vec<FaultKind> = broken
            .iter()
            .filter_map(|i| match items[*i].validity.invalid.as_slice() {
                [cause] if cause.level == Level::Must => Some(FaultKind {
                    pointer: cause.pointer.clone(),
                    keyword: cause.keyword.clone(),
                    class: cause.class.to_string(),
                    all: broken.len() == items.len(),
                }),
                _ => None,
            })
            .collect();
        let pure = kinds.len() == broken.len();
        kinds.dedup();
        // Neither a used number nor the sheer size may be what refused it.
        let open =
            items.iter().any(|i| i.validity.expected_outcome() == ExpectedOutcome::NotJudged)
                || view.may_be_used.contains(&true)
                || view.may_be_refused_for_size();
        let (true, false, [kind]) = (pure, open, kinds.as_slice()) else { return };
        let refusal_mode = match view.status() {
            Some(400) => RefusalMode::Request,
            Some(200)
                if broken.iter().all(|i| view.verdicts[*i] == Some(ItemVerdict::Rejected)) =>
            {
                RefusalMode::Item
            }
            _ => return,
        };
        let entry = self.refusals.entry(kind.clone()).or_default();
        match refusal_mode {
            RefusalMode::Request => entry.0 += 1,
            RefusalMode::Item => entry.1 += 1,
        }
    }

    fn count_chunked(&mut self, view: &ExchangeView<'_>) {
        // Chunk extensions and trailers, which only written-out requests have, may be refused by themselves.
        let request = &view.exchange.request;
        let valid = must_be_processed(view) && !view.may_be_refused_for_size();
        if request.raw.is_some() || !valid {
            return;
        }
        match view.status() {
            Some(400) if !request.framing.is_chunked() && view.feature().is_none() => {
                self.sized_refused += 1;
            }
            _ if !request.framing.is_chunked() => {}
            Some(200) if view.is_aligned() => self.chunked.0 += 1,
            Some(400 | 411 | 501) => self.chunked.1 += 1,
            _ => {}
        }
    }

    fn count_codes(&mut self, contract: &Contract, view: &ExchangeView<'_>) {
        let field = &contract.batch.error.code;
        let mut add = |value: Option<&serde_json::Value>| {
            if let Some(code) = value.and_then(code_text) {
                self.add_code(&shorten(&code), 1);
            }
        };
        if view.is_refused() {
            add(view.body().and_then(|b| b.get(field)));
        }
        for result in view.results().unwrap_or(&[]) {
            add(member(result, field));
        }
    }
}
