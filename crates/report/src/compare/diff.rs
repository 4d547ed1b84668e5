//! Compares two runs of one target: what is new, fixed, or still failing.

use crate::check::RuleCounts;
use crate::record::{FindingRecord, RUN, RecordedFinding, RuleInfo, RuleOutcome, Summary};

/// Two runs of one target, compared.
pub struct Diff<'a> {
    /// The earlier run.
    pub before: &'a Summary,
    /// The later run.
    pub after: &'a Summary,
    /// Findings that only the later run has.
    pub new: Vec<&'a RecordedFinding>,
    /// Findings that only the earlier run has, though the later one tested the same.
    pub fixed: Vec<&'a RecordedFinding>,
    /// Findings of both, as the later run has them.
    pub still: Vec<&'a RecordedFinding>,
    /// Findings that only the earlier run has, but that the later one does not show to be fixed.
    pub unknown: Vec<UnresolvedFinding<'a>>,
    /// Rules with another outcome.
    pub rules: Vec<RuleChange<'a>>,
    /// What else differs between the runs and may be the cause, in sentences.
    pub caveats: Vec<String>,
}

/// A finding that is gone, but not shown to be fixed.
pub struct UnresolvedFinding<'a> {
    /// The finding.
    pub found: &'a RecordedFinding,
    /// Why not.
    pub why: &'static str,
}

/// A rule with another outcome.
pub struct RuleChange<'a> {
    /// The rule.
    pub rule: &'a RuleInfo,
    /// Its outcome in the earlier run; nothing if that did not know it.
    pub before: Option<RuleOutcome>,
    /// Its outcome in the later run.
    pub after: Option<RuleOutcome>,
}

impl<'a> Diff<'a> {
    /// Compares `after` with `before`.
    #[must_use]
    pub fn between(before: &'a Summary, after: &'a Summary) -> Diff<'a> {
        let has = |summary: &Summary, id: &str| summary.findings.iter().any(|(f, _)| f.id == id);
        let (still, new) = after.findings.iter().partition(|(f, _)| has(before, &f.id));
        let mut fixed = Vec::new();
        let mut unknown = Vec::new();
        for found in before.findings.iter().filter(|(f, _)| !has(after, &f.id)) {
            match why_unresolved(before, after, &found.0).or_else(|| elsewhere(after, &found.0)) {
                None => fixed.push(found),
                Some(why) => unknown.push(UnresolvedFinding { found, why }),
            }
        }
        Diff {
            before,
            after,
            new,
            fixed,
            still,
            unknown,
            rules: changes(before, after),
            caveats: caveats(before, after),
        }
    }
}

/// Why a run without `finding` does not say that it is fixed, where it doesn't.
fn why_unresolved(
    before: &Summary,
    after: &Summary,
    finding: &FindingRecord,
) -> Option<&'static str> {
    if before.head.depth != after.head.depth {
        return Some("the depths differ: another depth sends other requests");
    }
    let Some(counts) = counts(after, finding) else { return Some("its case did not run") };
    if after.tail.as_ref().is_none_or(|tail| tail.cut_short || !tail.trouble.is_empty()) {
        return Some("the later run did not finish");
    }
    if counts.masked > 0 {
        Some("masked by the failure of another rule")
    } else if counts.errored > 0 {
        Some("its rule panicked")
    } else if counts.judged() == 0 && counts.unanswered > 0 {
        Some("no answer came that could be judged")
    } else if counts.judged() == 0 {
        Some("its rule was not tested there")
    } else {
        None
    }
}

/// Why a finding that does not show in its case any more is not fixed, where its cause shows in others.
fn elsewhere(after: &Summary, finding: &FindingRecord) -> Option<&'static str> {
    let wanted = finding.cause();
    let there = after.findings.iter().any(|(f, _)| f.cause() == wanted);
    there.then_some("the same problem still shows in other cases")
}

/// How often the finding's rule was judged in the finding's case; nothing where that did not run.
fn counts(summary: &Summary, finding: &FindingRecord) -> Option<RuleCounts> {
    if finding.case == RUN {
        return summary.rules.iter().find(|r| r.rule.id == finding.rule).map(|r| r.counts);
    }
    let case = summary.cases.iter().find(|c| c.id == finding.case)?;
    Some(case.record.as_ref()?.rules.get(&finding.rule).copied().unwrap_or_default())
}

fn changes<'a>(before: &'a Summary, after: &'a Summary) -> Vec<RuleChange<'a>> {
    let outcome = |summary: &Summary, id: &str| {
        summary.rules.iter().find(|r| r.rule.id == id).map(|r| r.outcome)
    };
    let gone = before.rules.iter().filter(|r| outcome(after, &r.rule.id).is_none());
    after
        .rules
        .iter()
        .chain(gone)
        .map(|r| RuleChange {
            rule: &r.rule,
            before: outcome(before, &r.rule.id),
            after: outcome(after, &r.rule.id),
        })
        .filter(|change| change.before != change.after)
        .collect()
}

fn caveats(before: &Summary, after: &Summary) -> Vec<String> {
    let (a, b) = (&before.head, &after.head);
    let mut caveats = Vec::new();
    let texts = [
        ("specification", &a.specification.hash, &b.specification.hash),
        ("cases", &a.suite, &b.suite),
        ("version of batchproof", &a.tool, &b.tool),
    ];
    for (what, ours, theirs) in texts {
        if ours != theirs {
            caveats.push(format!("the {what} changed between the runs"));
        }
    }
    if a.depth != b.depth {
        caveats.push(format!("the depths differ: {} and {}", a.depth, b.depth));
    }
    if a.runs != b.runs {
        caveats.push("the executions of each case differ (--runs)".to_owned());
    }
    if a.profile != b.profile {
        caveats.push("the profiles differ".to_owned());
    }
    if a.seed != b.seed {
        caveats.push(format!(
            "the seeds differ ({} and {}): a problem that only some values trigger may seem new or fixed",
            a.seed, b.seed
        ));
    }
    caveats
}
