//! How often a finding is tried, and what comes and goes: a cause is told from all of its cases together.

use std::collections::HashMap;

use super::{Fate, Replayed};
use crate::record::{FindingRecord, Summary, Update, looks, share};

/// Tries of a finding that showed in every repeat.
const STEADY: u64 = 2;
/// Tries of one that was never repeated.
const UNKNOWN: u64 = 3;
/// Most tries of a cause that comes and goes, in all cases together.
const MOST: u64 = 300;
/// Chance of taking a cause that comes and goes for fixed.
const MISS: f64 = 0.05;

/// Findings by their causes: same rule, place and kind, in any case.
pub struct Causes {
    /// By finding.
    cause: HashMap<usize, usize>,
    /// By cause: how many tries tell that it is gone, where it comes and goes, and its findings.
    causes: Vec<(Option<u64>, u64)>,
}

impl Causes {
    /// Of the findings at these positions.
    pub fn of(summary: &Summary, wanted: &[usize]) -> Causes {
        let mut keys: Vec<(&str, &str, &str)> = Vec::new();
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut cause = HashMap::new();
        for index in wanted {
            let Some((f, _)) = summary.findings.get(*index) else { continue };
            let key = (f.rule.as_str(), f.place.as_str(), f.kind.as_str());
            let at = keys.iter().position(|k| *k == key).unwrap_or_else(|| {
                keys.push(key);
                members.push(Vec::new());
                keys.len() - 1
            });
            members[at].push(*index);
            cause.insert(*index, at);
        }
        let causes = members
            .iter()
            .map(|list| {
                let found: Vec<_> = list.iter().filter_map(|i| summary.findings.get(*i)).collect();
                let comes_and_goes = found.iter().any(|(f, u)| f.proven && u.shown < u.of);
                let updates: Vec<&Update> = found.iter().map(|(_, u)| u).collect();
                let needed = comes_and_goes.then(|| looks(share(&updates), MISS));
                (needed, list.len() as u64)
            })
            .collect();
        Causes { cause, causes }
    }

    fn at(&self, index: usize) -> Option<(Option<u64>, u64)> {
        self.causes.get(*self.cause.get(&index)?).copied()
    }

    /// How many tries of all its cases tell that a cause is gone, where it comes and goes.
    pub fn needed(&self, index: usize) -> Option<u64> {
        self.at(index)?.0
    }

    /// How often a finding is tried before it counts as fixed.
    pub fn tries(&self, index: usize, finding: &FindingRecord, update: &Update) -> u64 {
        match self.at(index) {
            Some((Some(needed), count)) => needed.min(MOST).div_ceil(count).max(UNKNOWN),
            _ if finding.proven && update.of > 0 => STEADY,
            _ => UNKNOWN,
        }
    }

    /// Fixed is one that comes and goes only where its cause showed nowhere, often enough.
    pub fn settle(&self, held: &mut [Replayed]) {
        let mut sums: Vec<(u64, u64)> = vec![(0, 0); self.causes.len()];
        for one in held.iter() {
            if let Some(sum) = self.cause.get(&one.index).and_then(|at| sums.get_mut(*at)) {
                sum.0 += one.shown;
                sum.1 += one.of;
            }
        }
        for one in held.iter_mut().filter(|one| one.fate == Fate::Fixed) {
            let Some(at) = self.cause.get(&one.index) else { continue };
            let (Some((shown, of)), Some(needed)) = (sums.get(*at), self.needed(one.index)) else {
                continue;
            };
            if *shown > 0 {
                one.fate = Fate::CantTell;
                one.why = format!("{}; it comes and goes, and shows in another case", one.why);
            } else if *of < needed {
                one.fate = Fate::CantTell;
                one.why = format!(
                    "{}; it comes and goes: {of} tries of its cause are too few to tell, {needed} would do",
                    one.why
                );
            }
        }
    }
}
