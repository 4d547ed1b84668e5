//! Rules of the run's scope: held against what all trials added up, again whenever parts of a run are merged.

use super::judge::RuleCounts;
use super::rule::{Check, Finding, Rule, Verdict};
use super::rules;
use super::tally::Tally;

/// What a rule of the run's scope says.
pub struct RunVerdict {
    /// The rule.
    pub rule: &'static Rule,
    /// How it was judged, once.
    pub counts: RuleCounts,
    /// Its findings.
    pub findings: Vec<Finding>,
}

/// Holds every rule of the run's scope against `tally`, but for those that are skipped.
#[must_use]
pub fn judge_run(tally: &Tally, skipped: impl Fn(&str) -> bool) -> Vec<RunVerdict> {
    let mut verdicts = Vec::new();
    for &rule in rules::all() {
        let verdict = match rule.check {
            Check::Run(check) => check(tally),
            Check::Asked(check) => check(tally.alone),
            _ => continue,
        };
        let mut counts = RuleCounts::default();
        let mut findings = Vec::new();
        if skipped(rule.id) {
            counts.not_applicable = 1;
        } else {
            match verdict {
                Verdict::Pass => counts.passed = 1,
                Verdict::NotApplicable(_) => counts.not_applicable = 1,
                Verdict::Fail(found) => {
                    counts.failed = found.len() as u64;
                    findings = found;
                }
            }
        }
        verdicts.push(RunVerdict { rule, counts, findings });
    }
    verdicts
}
