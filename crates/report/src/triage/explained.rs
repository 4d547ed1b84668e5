//! Which findings the confirmed failure of another rule accounts for: they are not problems of their own.

use std::collections::{HashMap, HashSet};

use crate::check::{ProbeResult, Rule, rules};
use crate::record::{FindingRecord, FindingStatus};

/// Ids of the findings that the confirmed failure of another rule explains, each with that rule; `alone` is
/// what asking one by one came to.
#[must_use]
pub fn explained(
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
    use crate::check::{Finding, Symptom};

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
        let explained = explained(&pairs, ProbeResult { sent: 57, lost: 2 });
        let is_explained: Vec<bool> =
            found.iter().map(|(f, _)| explained.contains_key(&f.id)).collect();
        assert_eq!(is_explained, [false, true, true, false]);
    }
}
