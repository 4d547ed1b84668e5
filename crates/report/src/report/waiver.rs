//! Waivers as text: an entry to paste into a waivers file, and the status of those of a run.
//!
//! It must not decide anything: `waiver` reads the file, `record` matches findings.

use std::fmt::Write as _;

use super::text::counted;
use crate::contract::yaml::scalar;
use crate::record::{FindingRecord, WaiverStatus, WaiverSummary};
use crate::triage::Problem;

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
