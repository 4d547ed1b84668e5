//! The differences of a run so far: how often each was seen, and the smallest execution that shows it.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

use super::compare::SeenDifference;
use crate::contract::hex;
use crate::exchange::Redactor;
use crate::execution::Execution;
use crate::record::{
    AgainstRecord, DifferenceKind, DifferenceRecord, DifferenceState, ExchangePair, ExchangeRecord,
};

/// Exchanges of an example that are kept.
const EVIDENCE: usize = 6;
/// Bytes of a body in an example that are kept whole.
const WHOLE: usize = 16 * 1024;
/// Differences that are kept; a run with more has other problems.
const MOST: usize = 500;
/// Cases that are named.
const CASES: usize = 50;

/// What executions showed so far.
#[derive(Default)]
pub(super) struct DifferenceTally {
    pub record: AgainstRecord,
    found: HashMap<String, FoundDifference>,
    order: Vec<String>,
}

/// A difference with its smallest example.
pub(super) struct FoundDifference {
    pub record: DifferenceRecord,
    /// The position of the case of the example.
    pub case: usize,
    pub proven: bool,
    /// Requests, items and bytes of the example.
    size: (usize, usize, usize),
}

/// An execution on both targets.
pub(super) struct ExecutionPair<'a> {
    pub case: (usize, &'a str),
    pub run: u64,
    pub old: &'a Execution,
    pub new: &'a Execution,
}

/// Where the targets are, and what must not be shown of their answers.
pub(super) struct ShownTargets<'a> {
    pub old: (&'a str, &'a Redactor),
    pub new: (&'a str, &'a Redactor),
}

impl DifferenceTally {
    /// Takes in what an execution showed; gives the ids of new kinds.
    pub(super) fn add(
        &mut self,
        pair: &ExecutionPair<'_>,
        seen: &[SeenDifference],
        shown: &ShownTargets<'_>,
    ) -> Vec<String> {
        let mut once: Vec<String> = Vec::new();
        let mut news = Vec::new();
        for one in seen {
            let id = id_of(one);
            if once.contains(&id) {
                continue;
            }
            once.push(id.clone());
            let size = size_up_to(pair.new, one.exchange);
            if let Some(known) = self.found.get_mut(&id) {
                known.record.count += 1;
                let cases = &mut known.record.cases;
                if cases.len() < CASES && !cases.iter().any(|case| case == pair.case.1) {
                    cases.push(pair.case.1.to_owned());
                }
                if size < known.size {
                    let (count, cases) = (known.record.count, known.record.cases.clone());
                    *known = found(pair, one, shown, (id, size));
                    (known.record.count, known.record.cases) = (count, cases);
                }
            } else if self.order.len() < MOST {
                let found = found(pair, one, shown, (id.clone(), size));
                let kind = kind_of(&found.record);
                if self.all().all(|known| kind_of(&known.record) != kind) {
                    news.push(id.clone());
                }
                self.order.push(id.clone());
                self.found.insert(id, found);
            }
        }
        news
    }

    /// A difference by its id.
    pub(super) fn get(&self, id: &str) -> Option<&FoundDifference> {
        self.found.get(id)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut FoundDifference> {
        self.found.get_mut(id)
    }

    /// Forgets a value that changes from answer to answer, and remembers that it does.
    pub(super) fn is_volatile(&mut self, place: &str) {
        if !self.record.volatile.iter().any(|known| known == place) {
            self.record.volatile.push(place.to_owned());
        }
        let gone = |found: &FoundDifference| {
            matches!(found.record.kind, DifferenceKind::Value | DifferenceKind::Text)
                && found.record.place == place
        };
        self.found.retain(|_, found| !gone(found));
        self.order.retain(|id| self.found.contains_key(id));
    }

    /// Puts another example in place of that of a difference, whatever its size.
    pub(super) fn use_example(
        &mut self,
        id: &str,
        pair: &ExecutionPair<'_>,
        seen: &SeenDifference,
        shown: &ShownTargets<'_>,
    ) {
        let Some(known) = self.found.get_mut(id) else { return };
        let size = size_up_to(pair.new, seen.exchange);
        let smaller = found(pair, seen, shown, (id.to_owned(), size));
        known.size = size;
        known.record.item = smaller.record.item;
        known.record.old_value = smaller.record.old_value;
        known.record.new_value = smaller.record.new_value;
        known.record.evidence = smaller.record.evidence;
    }

    /// All of them, in the order in which they were first seen.
    pub(super) fn all(&self) -> impl Iterator<Item = &FoundDifference> {
        self.order.iter().filter_map(|id| self.found.get(id))
    }

    /// Ids with their rank among those of one kind, the smallest first.
    fn ranked(&self) -> Vec<(usize, &str)> {
        let mut found: Vec<&FoundDifference> = self.all().collect();
        found.sort_by_key(|found| found.size);
        let mut ranks: BTreeMap<KindOfDifference<'_>, usize> = BTreeMap::new();
        let mut ranked: Vec<(usize, &str)> = Vec::new();
        for found in found {
            let rank = ranks.entry(kind_of(&found.record)).or_default();
            ranked.push((*rank, &found.record.id));
            *rank += 1;
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked
    }

    /// What is to be repeated, the first of each kind before the others: at most `most` of a kind.
    pub(super) fn to_repeat(&self, most: usize) -> Vec<String> {
        let ranked = self.ranked().into_iter().filter(|(rank, _)| *rank < most);
        ranked.map(|(_, id)| id.to_owned()).collect()
    }

    /// All of them as they are recorded: only the smallest of each kind with their examples.
    pub(super) fn records(&self, most: usize) -> Vec<DifferenceRecord> {
        let whole = self.to_repeat(most);
        let mut records: Vec<DifferenceRecord> = self.all().map(|f| f.record.clone()).collect();
        for record in records.iter_mut().filter(|r| !whole.contains(&r.id)) {
            record.evidence.clear();
        }
        records
    }
}

/// What makes differences those of one kind, whatever the input.
type KindOfDifference<'a> = (DifferenceKind, &'a str, &'a str, &'a str, Option<&'a str>);

fn kind_of(record: &DifferenceRecord) -> KindOfDifference<'_> {
    (record.kind, &record.place, &record.old, &record.new, record.rule.as_deref())
}

fn found(
    pair: &ExecutionPair<'_>,
    seen: &SeenDifference,
    shown: &ShownTargets<'_>,
    (id, size): (String, (usize, usize, usize)),
) -> FoundDifference {
    let difference = &seen.difference;
    let (old_base, old_redactor) = shown.old;
    let (new_base, new_redactor) = shown.new;
    let from = (seen.exchange + 1).saturating_sub(EVIDENCE);
    let exchanges = pair.old.exchanges.iter().zip(&pair.new.exchanges);
    let evidence = exchanges.take(seen.exchange + 1).skip(from).map(|(old, new)| ExchangePair {
        old: ExchangeRecord::up_to(WHOLE, old, old_base, old_redactor),
        new: ExchangeRecord::up_to(WHOLE, new, new_base, new_redactor),
    });
    let clean = |text: &str| new_redactor.clean(&old_redactor.clean(text));
    let record = DifferenceRecord {
        id,
        kind: difference.kind,
        place: clean(&difference.place()),
        old: clean(&difference.old),
        new: clean(&difference.new),
        verdict: seen.decided.verdict,
        rule: seen.decided.rule.map(|rule| rule.id.to_owned()),
        level: seen.decided.rule.map(|rule| rule.level),
        input: seen.input.clone(),
        count: 1,
        cases: vec![pair.case.1.to_owned()],
        state: DifferenceState::NotRepeated,
        shown: 0,
        of: 0,
        case: pair.case.1.to_owned(),
        run: pair.run,
        item: difference.item,
        old_value: clean(&difference.values.0),
        new_value: clean(&difference.values.1),
        evidence: evidence.collect(),
    };
    FoundDifference { record, case: pair.case.0, proven: seen.decided.proven, size }
}

/// What an execution sent up to an exchange: requests, items, bytes.
fn size_up_to(execution: &Execution, exchange: usize) -> (usize, usize, usize) {
    let exchanges = || execution.exchanges.iter().take(exchange + 1);
    let bytes = |e: &crate::exchange::Exchange| {
        e.request.raw.as_ref().or(e.request.body.as_ref()).map_or(0, bytes::Bytes::len)
    };
    (
        exchanges().count(),
        exchanges().map(|e| e.intent.items().len()).sum(),
        exchanges().map(bytes).sum(),
    )
}

/// What makes a difference one: kind, place, answers, verdict, rule and kind of input.
fn id_of(seen: &SeenDifference) -> String {
    let difference = &seen.difference;
    let place = difference.place();
    let mut hasher = Sha256::new();
    let rule = seen.decided.rule.map_or("", |rule| rule.id);
    for part in [
        difference.kind.words(),
        &place,
        &difference.old,
        &difference.new,
        seen.decided.verdict.words(),
        rule,
        &seen.input,
    ] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hex(&hasher.finalize())[..12].to_owned()
}
