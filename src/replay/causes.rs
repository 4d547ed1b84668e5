//! How often a finding is tried, and what is flaky: a cause is reproduced from all of its cases together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::seen::FindingTries;
use super::{ReplayVerdict, ReplayedFinding};
use crate::record::{FindingRecord, FindingStatus, Summary};
use crate::triage::{is_flaky_cause, tries_needed};

/// Tries of a finding that showed in every repeat, or was never repeated.
const STEADY: u64 = 3;
/// Most tries of a flaky cause, in all cases together.
pub(super) const MOST: u64 = 300;
/// Chance of taking a flaky cause for fixed.
pub(super) const MISS: f64 = 0.05;

/// Findings by their causes: same rule, place and kind, in any case.
pub struct RootCauses {
    /// By finding.
    cause: HashMap<usize, usize>,
    causes: Vec<RootCause>,
}

struct RootCause {
    /// How many tries tell that it is gone, where it is flaky.
    needed: Option<u64>,
    /// Its findings that are tried.
    tried: u64,
    /// Tries that showed it.
    shown: AtomicU64,
}

impl RootCauses {
    /// Of the findings at these positions.
    pub fn of(summary: &Summary, wanted: &[usize]) -> RootCauses {
        let mut firsts: Vec<&FindingRecord> = Vec::new();
        let mut causes: Vec<RootCause> = Vec::new();
        let mut cause = HashMap::new();
        for index in wanted {
            let Some((finding, _)) = summary.findings.get(*index) else { continue };
            let known = firsts.iter().position(|f| f.cause() == finding.cause());
            let at = known.unwrap_or_else(|| {
                firsts.push(finding);
                let needed = needed(summary, finding);
                causes.push(RootCause { needed, tried: 0, shown: AtomicU64::new(0) });
                causes.len() - 1
            });
            causes[at].tried += 1;
            cause.insert(*index, at);
        }
        RootCauses { cause, causes }
    }

    fn at(&self, index: usize) -> Option<&RootCause> {
        self.causes.get(*self.cause.get(&index)?)
    }

    /// How many tries of all its cases tell that a cause is gone, where it is flaky.
    pub fn needed(&self, index: usize) -> Option<u64> {
        self.at(index)?.needed
    }

    /// Notes that a try showed a finding.
    pub fn saw(&self, index: usize) {
        if let Some(cause) = self.at(index) {
            cause.shown.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether more tries could change what is said of a finding.
    pub fn is_open(&self, seen: &FindingTries<'_>) -> bool {
        if seen.shown >= seen.enough() {
            return false;
        }
        let Some((cause, needed)) = self.at(seen.index).and_then(|c| Some((c, c.needed?))) else {
            return seen.of < STEADY;
        };
        let tries = needed.min(MOST).div_ceil(cause.tried.max(1));
        match cause.shown.load(Ordering::Relaxed) {
            0 => seen.of < tries.max(STEADY),
            shown if shown >= seen.enough() => seen.of < STEADY,
            // It is there: a second time would make it sure.
            _ => seen.of < (2 * tries).max(STEADY),
        }
    }

    /// A flaky one is fixed only where its cause showed nowhere, often enough.
    pub fn settle(&self, summary: &Summary, held: &mut [ReplayedFinding]) {
        let mut sums: Vec<(u64, u64)> = vec![(0, 0); self.causes.len()];
        for one in held.iter() {
            if let Some(sum) = self.cause.get(&one.index).and_then(|at| sums.get_mut(*at)) {
                sum.0 += one.shown;
                sum.1 += one.of;
            }
        }
        for one in held.iter_mut().filter(|one| one.verdict != ReplayVerdict::StillFailing) {
            let Some(at) = self.cause.get(&one.index) else { continue };
            let (Some((shown, of)), Some(needed)) = (sums.get(*at), self.needed(one.index)) else {
                continue;
            };
            let enough = summary.findings.get(one.index).map_or(1, |(f, _)| FindingTries::needs(f));
            if *shown >= enough && one.shown > 0 {
                one.verdict = ReplayVerdict::StillFailing;
                one.why = format!(
                    "{} of {}; it is flaky, and shows in another case too",
                    one.shown, one.of
                );
            } else if one.verdict == ReplayVerdict::CantTell {
            } else if *shown > 0 {
                one.verdict = ReplayVerdict::CantTell;
                one.why = format!("{}; it is flaky, and shows in another case", one.why);
            } else if *of < needed {
                one.verdict = ReplayVerdict::CantTell;
                one.why = format!(
                    "{}; it is flaky: {of} tries of its cause are too few to tell{}",
                    one.why,
                    would_do(needed)
                );
            }
        }
    }
}

/// What to say of tries that were not made.
pub(super) fn would_do(needed: u64) -> String {
    if needed == u64::MAX { String::new() } else { format!(", {needed} would do") }
}

/// How many tries tell that the cause of `finding` is gone, where it is flaky.
fn needed(summary: &Summary, finding: &FindingRecord) -> Option<u64> {
    let found: Vec<_> =
        summary.findings.iter().filter(|(f, _)| f.cause() == finding.cause()).collect();
    if !is_flaky_cause(found.iter().map(|(f, u)| (f, u)), &summary.minimals) {
        return None;
    }
    let updates: Vec<&FindingStatus> = found.iter().map(|(_, u)| u).collect();
    Some(tries_needed(&updates, summary.runs_judged(&finding.rule), MISS))
}
