//! Why a run does not earn a certificate.

use crate::case::Depth;
use crate::check::rules::is_of_suite;
use crate::contract::Level;
use crate::record::{Conclusion, NotTested, Reason, RuleSummary, Summary, WaiverStatus};

/// A reason why a run does not earn a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRefusal {
    /// In a sentence.
    pub why: String,
    /// Whether the target failed; else the run is not enough.
    pub against: bool,
    /// The rule that was not tested, and why, if that is the reason.
    pub not_tested: Option<(String, NotTested)>,
}

impl CertificateRefusal {
    fn new(why: String, against: bool) -> CertificateRefusal {
        CertificateRefusal { why, against, not_tested: None }
    }
}

/// The reasons against a certificate; none where one may be issued.
#[must_use]
pub fn refusals(summary: &Summary) -> Vec<CertificateRefusal> {
    let mut refusals: Vec<CertificateRefusal> = Vec::new();
    let mut not_enough = |why: String| refusals.push(CertificateRefusal::new(why, false));
    let head = &summary.head;
    if head.depth != Depth::Deep {
        not_enough(format!("the depth was {}; a certificate needs deep", head.depth));
    }
    if !head.whole_suite || !head.files.is_empty() {
        not_enough("the run was not exactly the shipped cases".to_owned());
    }
    if let Some(runs) = head.runs {
        not_enough(format!("--runs set the executions of each case to {runs}"));
    }
    if let Some((part, of)) = head.partition {
        not_enough(format!("this is part {part} of {of} of a run"));
    }
    if summary.conclusion == Conclusion::Inconclusive {
        summary.reasons.iter().for_each(|reason| not_enough(reason.to_string()));
    } else {
        // A contradiction hides from the conclusion that the run did not come to its end.
        match &summary.tail {
            None => not_enough(Reason::Killed.to_string()),
            Some(tail) => {
                tail.trouble.iter().for_each(|trouble| not_enough(trouble.clone()));
                if tail.cut_short {
                    not_enough(Reason::CutShort(None).to_string());
                }
            }
        }
    }
    for rule in &summary.rules {
        refusals.extend(of_rule(summary, rule));
    }
    for waiver in summary.waivers_with(WaiverStatus::Stale) {
        let why = format!(
            "the waiver of {} ({}) is stale: nothing matched",
            waiver.waiver.scope(),
            waiver.waiver.at
        );
        refusals.push(CertificateRefusal::new(why, true));
    }
    if summary.conclusion == Conclusion::NonConformant && refusals.is_empty() {
        for reason in &summary.reasons {
            refusals.push(CertificateRefusal::new(reason.to_string(), true));
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
fn of_rule(summary: &Summary, rule: &RuleSummary) -> Option<CertificateRefusal> {
    let id = &rule.rule.id;
    if !is_of_suite(id) {
        return None;
    }
    if rule.counts.errored > 0 {
        let why = format!("{id} was not judged everywhere: {}", NotTested::Panicked);
        return Some(CertificateRefusal::new(why, false));
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
        return Some(CertificateRefusal::new(why, true));
    }
    let why = match rule.not_tested()? {
        // What the whole run shows is tested only where it happened: lost answers, for one. What needs HTTP/1.1
        // framing does not apply to a target that speaks only HTTP/2.
        NotTested::Skipped(_) | NotTested::Excluded(_) | NotTested::NotTriggered => return None,
        why => why,
    };
    let text = Reason::RuleNotTested { rule: id.clone(), why: why.clone() }.to_string();
    Some(CertificateRefusal {
        not_tested: Some((id.clone(), why)),
        ..CertificateRefusal::new(text, false)
    })
}
