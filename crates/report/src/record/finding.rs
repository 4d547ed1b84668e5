//! What makes a finding one of its kind, and which findings another one explains.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::event::{FindingRecord, FindingStatus};
use super::exchange::FindingPosition;
use crate::check::{Finding, Grouping, ProbeResult, Rule, rules};
use crate::contract::hex;

/// The pseudo-case that rules of the run's scope are found in.
pub const RUN: &str = "(run)";

/// The id of a finding: a hash of rule, case, place and kind of difference.
#[must_use]
pub fn finding_id(rule: &str, case: &str, place: &str, kind: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [rule, case, place, kind] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hex(&hasher.finalize())[..12].to_owned()
}

/// What findings of one cause share, in any case: rule, place, and kind of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cause<'a> {
    rule: &'a str,
    place: &'a str,
    kind: &'a str,
}

impl FindingRecord {
    /// Its cause. What follows a colon in a kind is a variety of it: `type accepted: array`.
    #[must_use]
    pub fn cause(&self) -> Cause<'_> {
        let kind = self.kind.split_once(": ").map_or(self.kind.as_str(), |(kind, _)| kind);
        Cause { rule: &self.rule, place: &self.place, kind }
    }

    /// What is told together: causes that say the same of a target, whichever rule judges the request. Which of
    /// them a 5xx or a lost answer falls under depends on the request alone, and a number that is accepted twice
    /// is one fault, within a batch or across batches.
    #[must_use]
    pub fn symptom(&self) -> Cause<'_> {
        let cause = self.cause();
        match rules::find(cause.rule).map(|rule| rule.grouping) {
            Some(Grouping::Shared(group)) => Cause { rule: group, ..cause },
            Some(Grouping::ByPlace) => Cause { kind: "", ..cause },
            Some(Grouping::ByKind) | None => cause,
        }
    }

    /// A finding of `rule` in a run of `case`, still without evidence; `clean` takes out secrets.
    #[must_use]
    pub fn of(
        rule: &Rule,
        finding: &Finding,
        (case, run, seed): (&str, u64, u64),
        clean: impl Fn(&str) -> String,
    ) -> FindingRecord {
        let place = finding.place();
        FindingRecord {
            id: finding_id(rule.id, case, &place, &finding.kind),
            rule: rule.id.to_owned(),
            level: rule.level,
            case: case.to_owned(),
            run,
            seed,
            place,
            kind: clean(&finding.kind),
            position: FindingPosition {
                exchange: 0,
                item: finding.item,
                pointer: clean(&finding.pointer),
            },
            expected: clean(&finding.expected),
            actual: clean(&finding.actual),
            message: clean(&finding_message(finding)),
            proven: finding.proven,
            explained_by: rules::explaining(rule, finding.symptom)
                .into_iter()
                .map(|rule| rule.id.to_owned())
                .collect(),
            evidence: Vec::new(),
        }
    }
}

/// What a finding says in one sentence.
#[must_use]
pub fn finding_message(finding: &Finding) -> String {
    let place = match (finding.item, finding.pointer.as_str()) {
        (Some(item), "") => format!("item {item}: "),
        (Some(item), pointer) => format!("item {item}, {pointer}: "),
        (None, "") => String::new(),
        (None, pointer) => format!("{pointer}: "),
    };
    format!("{place}expected {}, got {}", finding.expected, finding.actual)
}

/// Ids of the findings that the confirmed failure of another rule explains, each with that rule; `alone` is
/// what asking one by one came to.
#[must_use]
pub fn masked(
    findings: &[(&FindingRecord, &FindingStatus)],
    alone: ProbeResult,
) -> HashMap<String, String> {
    let standing = || findings.iter().filter(|(_, update)| update.confirmed);
    let confirmed: HashSet<&str> = standing().map(|(f, _)| f.rule.as_str()).collect();
    let by = |(finding, update): &(&FindingRecord, &FindingStatus), known: &HashSet<&str>| {
        let other = |rule: &&String| finding.rule != **rule && known.contains(rule.as_str());
        let by_chance = |rule: &str| rules::find(rule).is_some_and(Rule::explains_by_chance);
        let may = |rule: &&String| !by_chance(rule) || may_be_lost(finding, update, alone);
        finding.explained_by.iter().filter(other).find(may).cloned()
    };
    // What is explained itself explains nothing, or two rules could hide each other.
    let roots: HashSet<&str> = standing()
        .filter(|found| by(found, &confirmed).is_none())
        .map(|(f, _)| f.rule.as_str())
        .collect();
    let explained = |found| by(found, &roots).map(|rule| (found.0.id.clone(), rule));
    findings.iter().filter_map(explained).collect()
}

/// Whether repeats that lost an answer may be of those that get lost now and then, whatever is asked. One that
/// showed more often than this luck has a cause of its own.
fn may_be_lost(finding: &FindingRecord, update: &FindingStatus, alone: ProbeResult) -> bool {
    const LUCK: f64 = 0.001;
    let each = (alone.lost + 1) as f64 / (alone.sent + 2) as f64;
    let requests = i32::try_from(finding.evidence.len().max(1)).unwrap_or(i32::MAX);
    let trial = 1.0 - (1.0 - each).powi(requests);
    // So many of the repeats, or more.
    let (shown, of) = (update.shown, update.of);
    let mut chance = 0.0;
    for times in shown..=of {
        let ways = (0..times).fold(1.0, |ways, i| ways * f64::from(of - i) / f64::from(i + 1));
        chance += ways * trial.powf(times.into()) * (1.0 - trial).powf((of - times).into());
    }
    chance >= LUCK
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Symptom;

    fn lost(rule: &str, shown: u32) -> (FindingRecord, FindingStatus) {
        let rule = rules::find(rule).unwrap();
        let finding = Finding::new("lost", "", "an answer", "none").shows(Symptom::NoAnswer);
        let record = FindingRecord::of(rule, &finding, (rule.id, 0, 0), str::to_owned);
        let update = FindingStatus {
            id: record.id.clone(),
            count: 1,
            confirmed: shown >= 2,
            shown,
            of: 3,
            runs_shown: 1,
            runs: 64,
            waived: None,
            masked_by: None,
        };
        (record, update)
    }

    #[test]
    fn an_answer_that_is_always_lost_is_not_one_that_gets_lost_now_and_then() {
        let found = [
            lost("STATUS-004", 3),
            lost("STATUS-003", 2),
            lost("RACE-003", 1),
            lost("ROBUST-001", 3),
        ];
        let pairs: Vec<_> = found.iter().map(|(f, u)| (f, u)).collect();
        let masked = masked(&pairs, ProbeResult { sent: 57, lost: 2 });
        let is_masked: Vec<bool> = found.iter().map(|(f, _)| masked.contains_key(&f.id)).collect();
        assert_eq!(is_masked, [false, true, true, false]);
    }
}
