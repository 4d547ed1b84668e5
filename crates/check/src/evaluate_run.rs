//! Rules of the run's scope: checked against what all executions added up, again whenever parts of a run are merged.

use super::evaluation::RuleCounts;
use super::finding::{Finding, Verdict};
use super::rule::{Check, Rule};
use super::rules;
use super::run_tally::RunTally;

/// What a rule of the run's scope says.
pub struct RunEvaluation {
    /// The rule.
    pub rule: &'static Rule,
    /// How it was judged, once.
    pub counts: RuleCounts,
    /// Its findings.
    pub findings: Vec<Finding>,
}

/// Holds every rule of the run's scope against `tally`, but for those that are skipped.
#[must_use]
pub fn evaluate_run(tally: &RunTally, skipped: impl Fn(&str) -> bool) -> Vec<RunEvaluation> {
    let mut verdicts = Vec::new();
    for &rule in rules::all() {
        let verdict = match rule.check {
            Check::Run(check) => check(tally),
            Check::Probe(check) => check(tally.probe),
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
        verdicts.push(RunEvaluation { rule, counts, findings });
    }
    verdicts
}
