//! Waivers as text: an entry to paste into a waivers file, and the status of those of a run.
//!
//! It must not decide anything: `waiver` reads the file, `record` matches findings.

use std::fmt::Write as _;

use super::text::{counted, visible};
use super::wording::rule_of;
use crate::check::rules::is_of_suite;
use crate::contract::yaml::scalar;
use crate::record::{FindingRecord, Summary, WaiverStatus, WaiverSummary};
use crate::triage::{Problem, ProblemState, problems};
use crate::waiver::{Day, Waiver};

/// One entry of a waivers file that covers `finding`; reason, owner and date are left to fill in.
#[must_use]
pub fn waiver(finding: &FindingRecord) -> String {
    entry(&finding.rule, Some(&finding.case), &finding.place)
}

/// Entries that cover all findings of a group, one a rule and place: of every case, where several show it.
pub(super) fn covering(group: &Problem<'_>) -> String {
    let mut covered: Vec<(&str, &str)> = Vec::new();
    let mut text = String::new();
    for (finding, _) in std::iter::once(group.lead).chain(group.other_causes()) {
        let here = (finding.rule.as_str(), finding.place.as_str());
        if covered.contains(&here) {
            continue;
        }
        covered.push(here);
        let same = |f: &FindingRecord| (f.rule.as_str(), f.place.as_str()) == here;
        let mut others = group.findings.iter().map(|(f, _)| f).filter(|f| same(f));
        let one_case = others.all(|f| f.case == finding.case);
        text.push_str(&entry(&finding.rule, one_case.then_some(&finding.case), &finding.place));
    }
    text
}

fn entry(rule: &str, case: Option<&str>, place: &str) -> String {
    let mut text = format!("- rule: {}\n", scalar(rule));
    if let Some(case) = case {
        let _ = writeln!(text, "  case: {}", scalar(case));
    }
    let _ = writeln!(text, "  pointer: {}", scalar(place));
    text.push_str("  reason: …\n  owner: …\n  expires: YYYY-MM-DD\n");
    text
}

/// A waivers file that covers all problems of a run until a day: those that it knew, with what was said of them, and the
/// others with the run as their reason. Expired and stale ones are left out.
#[must_use]
pub fn baseline(summary: &Summary, expires: Day) -> String {
    let head = &summary.head;
    let mut text = format!(
        "# What batchproof found in run {} of {}, as known failures until {expires}.\n\
         # Give each entry its reason and its owner, and remove what is fixed.\n",
        visible(&head.run_id),
        visible(&head.target)
    );
    for waiver in summary
        .waivers
        .iter()
        .filter(|w| w.status != WaiverStatus::Expired && w.status != WaiverStatus::Stale)
    {
        known(&mut text, &waiver.waiver);
    }
    for problem in problems(summary).iter().filter(|p| p.state != ProblemState::Waived) {
        for (rule, case, place) in scopes(problem) {
            let title = rule_of(summary, rule).map_or("", |r| r.rule.title.as_str());
            let reason = format!("baseline, run {}: not true yet: {title}", head.run_id);
            let _ = writeln!(text, "- rule: {}", scalar(rule));
            if let Some(case) = case {
                let _ = writeln!(text, "  case: {}", scalar(case));
            }
            if let Some(place) = place {
                let _ = writeln!(text, "  pointer: {}", scalar(place));
            }
            let _ = writeln!(
                text,
                "  reason: {}\n  owner: nobody yet\n  expires: {expires}",
                scalar(&visible(&reason))
            );
            if problem.state == ProblemState::Unconfirmed || problem.is_intermittent() {
                text.push_str("  flaky: true\n");
            }
        }
    }
    text
}

/// Rule, case and place of entries that cover a problem in a later run, whose values are others: where a rule fails at
/// several places it is waived at all of them, and a case is named where it is the user's own rule that failed.
fn scopes<'a>(problem: &Problem<'a>) -> Vec<(&'a str, Option<&'a str>, Option<&'a str>)> {
    let mut scopes: Vec<(&str, Option<&str>, Option<&str>)> = Vec::new();
    for (finding, _) in &problem.findings {
        let case = (!is_of_suite(&finding.rule)).then_some(finding.case.as_str());
        let same = |scope: &&mut (&str, Option<&str>, Option<&str>)| {
            (scope.0, scope.1) == (&finding.rule, case)
        };
        match scopes.iter_mut().find(same) {
            Some(known) if known.2 != Some(&finding.place) => known.2 = None,
            Some(_) => {}
            None => scopes.push((&finding.rule, case, Some(&finding.place))),
        }
    }
    scopes
}

/// An entry that the run was given, as it was.
fn known(text: &mut String, waiver: &Waiver) {
    let _ = writeln!(text, "- rule: {}", scalar(&waiver.rule));
    for (name, value) in [("case", &waiver.case), ("pointer", &waiver.pointer)] {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name}: {}", scalar(value));
        }
    }
    let (reason, owner) = (scalar(&waiver.reason), scalar(&waiver.owner));
    let _ = writeln!(text, "  reason: {reason}\n  owner: {owner}\n  expires: {}", waiver.expires);
    if waiver.flaky {
        text.push_str("  flaky: true\n");
    }
}

/// The status of a waiver, in a word or two.
pub(super) fn status_word(status: WaiverStatus) -> &'static str {
    match status {
        WaiverStatus::Used => "used",
        WaiverStatus::Expired => "expired",
        WaiverStatus::Stale => "stale",
        WaiverStatus::UnmatchedFlaky => "flaky, not seen",
        WaiverStatus::NotRun => "not tested",
    }
}

/// The status of a waiver, in a sentence.
pub(super) fn status(waiver: &WaiverSummary) -> String {
    let count = waiver.findings.len() as u64;
    match waiver.status {
        WaiverStatus::Used => format!("covers {}", counted(count, "finding")),
        WaiverStatus::Expired => {
            let until = waiver.waiver.expires;
            let findings = match count {
                0 => String::new(),
                1 => "; its finding counts again".to_owned(),
                _ => format!("; its {} count again", counted(count, "finding")),
            };
            format!("expired after {until}{findings}")
        }
        WaiverStatus::Stale => {
            "stale: its rule and case ran, and nothing matched. Remove it from the file".to_owned()
        }
        WaiverStatus::UnmatchedFlaky => {
            "nothing matched in this run; the finding is declared flaky".to_owned()
        }
        WaiverStatus::NotRun => "not tested in this run, or not to the end".to_owned(),
    }
}
