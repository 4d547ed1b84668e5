//! Why a run is no ground for a certificate.

use super::statement::certified;
use crate::case::Depth;
use crate::check::Scope;
use crate::contract::Level;
use crate::record::{Conclusion, Fate, Outcome, RuleSummary, Summary};

/// Why a run is no ground for a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In a sentence.
    pub why: String,
    /// Whether it speaks against the target, or leaves it open.
    pub against: bool,
}

/// The reasons against a certificate; none where one may be issued.
#[must_use]
pub fn refusals(summary: &Summary) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = Vec::new();
    let mut open = |why: String| refusals.push(Refusal { why, against: false });
    let head = &summary.head;
    if head.depth != Depth::Deep {
        open(format!("the depth was {}; a certificate needs deep", head.depth));
    }
    if !head.whole_suite || !head.files.is_empty() {
        open("not exactly the shipped cases were run".to_owned());
    }
    if let Some(runs) = head.runs {
        open(format!("each case was run {runs} times instead of what it says for the depth"));
    }
    if let Some((part, of)) = head.partition {
        open(format!("this is part {part} of {of} of a run"));
    }
    if summary.conclusion == Conclusion::Inconclusive {
        summary.reasons.iter().for_each(|reason| open(reason.clone()));
    } else {
        // A contradiction hides from the conclusion that the run did not come to its end.
        match &summary.tail {
            None => open("the run was killed before its end".to_owned()),
            Some(tail) => {
                tail.trouble.iter().for_each(|trouble| open(trouble.clone()));
                if tail.cut_short {
                    open("the run was cut short".to_owned());
                }
            }
        }
    }
    for rule in &summary.rules {
        refusals.extend(of_rule(summary, rule));
    }
    for waiver in summary.waivers_that_are(Fate::Stale) {
        let why = format!(
            "the waiver of {} ({}) is stale: nothing matched it",
            waiver.waiver.scope(),
            waiver.waiver.at
        );
        refusals.push(Refusal { why, against: true });
    }
    if summary.conclusion == Conclusion::NonConformant && refusals.is_empty() {
        for reason in &summary.reasons {
            refusals.push(Refusal { why: reason.clone(), against: true });
        }
    }
    let mut seen = Vec::new();
    refusals.retain(|refusal| {
        let new = !seen.contains(&refusal.why);
        seen.push(refusal.why.clone());
        new
    });
    refusals
}

/// What a rule says against a certificate.
fn of_rule(summary: &Summary, rule: &RuleSummary) -> Option<Refusal> {
    let id = &rule.rule.id;
    if !certified(id) {
        return None;
    }
    if rule.counts.errored > 0 {
        let why = format!("{id} panicked: a defect of batchproof");
        return Some(Refusal { why, against: false });
    }
    if rule.rule.level != Level::Must {
        return None;
    }
    let failed: Vec<_> =
        summary.findings.iter().filter(|(f, u)| f.rule == *id && u.confirmed).collect();
    if !failed.is_empty() {
        let waived = failed.iter().filter(|(_, u)| u.waived.is_some()).count();
        let waived = match waived {
            0 => String::new(),
            n => format!(", {n} of them waived"),
        };
        let word = if failed.len() == 1 { "finding" } else { "findings" };
        let why = format!("{id} failed: {} confirmed {word}{waived}", failed.len());
        return Some(Refusal { why, against: true });
    }
    let why = match rule.outcome {
        Outcome::NotApplicable if rule.skipped.is_some() => return None,
        // What is judged over a run, where it came about, did not: answers that got lost, for one.
        Outcome::NotApplicable if rule.rule.scope == Some(Scope::Run) => return None,
        Outcome::NotApplicable => {
            format!("{id} was never judged, and the profile does not say why")
        }
        Outcome::Masked => format!("{id} was never judged: always masked by another rule"),
        Outcome::Unanswered => format!("{id} was never judged: the target did not answer"),
        _ => return None,
    };
    Some(Refusal { why, against: false })
}
