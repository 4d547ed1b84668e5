//! Test Anything Protocol 14: a test for the run, one for each rule, and one for each cause of differences from an
//! older target.
//!
//! What does not fail the run is `TODO`, what was not tested is `SKIP`.

use std::fmt::Write as _;
use std::path::Path;

use crate::contract::Level;
use crate::record::{Conclusion, RuleOutcome, RuleSummary, Summary};
use crate::report::against;
use crate::report::facts::facts;
use crate::report::text::visible;
use crate::report::wording::{not_tested, other_reasons};
use crate::triage::{DifferenceGroup, Problem, difference_groups, problems};

pub(super) fn tap(summary: &Summary, dir: &Path) -> String {
    let rules: Vec<&RuleSummary> = summary.rules_shown().collect();
    let problems = problems(summary);
    let differences = summary.against.as_ref().map(difference_groups).unwrap_or_default();
    let tests = rules.len() + 1;
    let mut out = format!("TAP version 14\n1..{}\n", tests + differences.len());
    let conclusive = summary.conclusion != Conclusion::Inconclusive;
    let result = if conclusive { "ok" } else { "not ok" };
    let _ = writeln!(out, "{result} 1 - run: the run came to a conclusion");
    if !conclusive {
        diagnosis(
            &mut out,
            other_reasons(summary).into_iter().map(|why| ("because".to_owned(), why)),
        );
    }
    for (at, rule) in rules.into_iter().enumerate() {
        test(&mut out, summary, rule, at + 2, &problems);
    }
    for (at, group) in differences.iter().enumerate() {
        difference(&mut out, summary, group, tests + at + 1);
    }
    let _ = writeln!(
        out,
        "# {}; reports in {}",
        summary.conclusion,
        visible(&dir.display().to_string())
    );
    out
}

fn test(
    out: &mut String,
    summary: &Summary,
    rule: &RuleSummary,
    number: usize,
    problems: &[Problem<'_>],
) {
    let id = &rule.rule.id;
    let counts = rule.rule.level == Level::Must || summary.head.strict;
    let (result, directive) = match rule.outcome {
        RuleOutcome::Passed => ("ok", String::new()),
        RuleOutcome::Failed if counts => ("not ok", String::new()),
        RuleOutcome::Failed => ("not ok", " # TODO a SHOULD rule does not fail the run".to_owned()),
        RuleOutcome::Waived => ("not ok", " # TODO waived".to_owned()),
        RuleOutcome::Unconfirmed => ("not ok", " # TODO unconfirmed".to_owned()),
        RuleOutcome::Errored => ("not ok", String::new()),
        RuleOutcome::NotApplicable | RuleOutcome::Masked | RuleOutcome::Unanswered => {
            let why = not_tested(rule).unwrap_or_default();
            ("ok", format!(" # SKIP {}", visible(&why)))
        }
    };
    let title = described(&format!("{id} {}: {}", rule.rule.level, visible(&rule.rule.title)));
    let _ = writeln!(out, "{result} {number} - {title}{directive}");
    if result == "ok" {
        return;
    }
    for problem in problems.iter().filter(|p| p.rule() == id) {
        let facts = facts(summary, problem).into_iter().map(|f| (f.label.to_string(), f.text));
        diagnosis(out, facts);
    }
}

/// A cause of differences from an older target.
fn difference(out: &mut String, summary: &Summary, group: &DifferenceGroup<'_>, number: usize) {
    let directive = if group.counts() { "" } else { " # TODO not confirmed" };
    let title = described(&format!("{}: {}", group.lead.verdict.words(), against::title(group)));
    let _ = writeln!(out, "not ok {number} - {title}{directive}");
    let facts = against::difference_facts(summary, group).into_iter();
    diagnosis(out, facts.map(|fact| (fact.label.to_string(), fact.text)));
}

/// A description: `#` would begin a directive.
fn described(text: &str) -> String {
    text.replace('\\', "\\\\").replace('#', "\\#")
}

/// A YAML block of strings. A block holds each key once, so that a repeated one is numbered.
fn diagnosis(out: &mut String, facts: impl Iterator<Item = (String, String)>) {
    let mut known: Vec<String> = Vec::new();
    out.push_str("  ---\n");
    for (label, text) in facts {
        let label = if label.trim().is_empty() { "more".to_owned() } else { label };
        let times = known.iter().filter(|k| **k == label).count();
        let key = if times == 0 { label.clone() } else { format!("{label} {}", times + 1) };
        known.push(label);
        // A JSON string is one of YAML too.
        let _ = writeln!(out, "  {}: {}", quoted(&key), quoted(&text));
    }
    out.push_str("  ...\n");
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
