//! Annotations of GitHub Actions: a workflow command a problem, and the conclusion.
//!
//! Nothing that a target answered may become a command: it stands only in escaped messages.

use std::fmt::Write as _;
use std::path::Path;

use super::source::own_file;
use crate::contract::Level;
use crate::record::{Conclusion, Summary};
use crate::report::facts::facts;
use crate::report::text::visible;
use crate::report::wording::{found_line, headline, host, other_reasons, state_mark, tested_line};
use crate::report::{against, manual};
use crate::triage::{DifferenceGroup, Problem, ProblemState, difference_groups, problems};

/// A step shows this many annotations of a severity; GitHub drops the rest.
const SHOWN: usize = 10;

pub(super) fn annotations(summary: &Summary, dir: &Path) -> String {
    let problems = problems(summary);
    let mut out = String::new();
    let mut counts = [0; 3];
    for problem in &problems {
        let severity = severity(summary, problem);
        let count = &mut counts[severity as usize];
        *count += 1;
        if *count < SHOWN {
            annotation(&mut out, summary, problem, severity);
        }
    }
    let differences = summary.against.as_ref().map(difference_groups).unwrap_or_default();
    for group in &differences {
        let severity = severity_of_difference(group);
        let count = &mut counts[severity as usize];
        *count += 1;
        if *count < SHOWN {
            difference(&mut out, summary, group, severity);
        }
    }
    for (severity, count) in
        [Severity::Error, Severity::Warning, Severity::Notice].into_iter().zip(counts)
    {
        let left = count.saturating_sub(SHOWN - 1);
        if left > 0 {
            let text = format!("{left} more, in {}", dir.join("report.html").display());
            command(&mut out, severity, &[("title", "batchproof: more problems")], &text);
        }
    }
    if summary.conclusion == Conclusion::Inconclusive {
        let reasons = other_reasons(summary).join("\n");
        command(
            &mut out,
            Severity::Error,
            &[("title", "batchproof: the run is inconclusive")],
            &reasons,
        );
    }
    let _ = writeln!(
        out,
        "{}  {}  {}    {}",
        summary.conclusion.to_string().to_uppercase(),
        harmless(&visible(&host(&summary.head.target))),
        found_line(summary, &problems),
        tested_line(summary)
    );
    if let Some(compared) = &summary.against {
        let line = against::differences_line(&differences);
        let _ = writeln!(
            out,
            "{}  {line}, {}",
            harmless(&against::targets(summary, compared)),
            against::compared_line(compared)
        );
    }
    out
}

#[derive(Clone, Copy)]
enum Severity {
    Error,
    Warning,
    Notice,
}

fn severity(summary: &Summary, problem: &Problem<'_>) -> Severity {
    match (problem.state, problem.level) {
        (ProblemState::Confirmed, Level::Must) => Severity::Error,
        (ProblemState::Confirmed, Level::Should) if summary.head.strict => Severity::Error,
        (ProblemState::Confirmed, Level::Should) => Severity::Warning,
        (ProblemState::Unconfirmed | ProblemState::Waived, _) => Severity::Notice,
    }
}

fn severity_of_difference(group: &DifferenceGroup<'_>) -> Severity {
    match (group.counts(), group.is_violation()) {
        (false, _) => Severity::Notice,
        (true, false) => Severity::Warning,
        (true, true) => Severity::Error,
    }
}

fn difference(
    out: &mut String,
    summary: &Summary,
    group: &DifferenceGroup<'_>,
    severity: Severity,
) {
    let title = format!("{}: {}", group.lead.verdict.words(), against::title(group));
    let facts = against::difference_facts(summary, group);
    let lines: Vec<String> =
        facts.iter().map(|fact| format!("{}: {}", fact.label, fact.text)).collect();
    command(out, severity, &[("title", title.as_str())], &lines.join("\n"));
}

fn annotation(out: &mut String, summary: &Summary, problem: &Problem<'_>, severity: Severity) {
    let mark = state_mark(problem.state);
    let title =
        format!("{} {}{mark}: {}", problem.rule(), problem.level, headline(summary, problem));
    let mut message = String::new();
    for fact in facts(summary, problem) {
        let _ = writeln!(message, "{}: {}", fact.label, fact.text);
    }
    let _ = writeln!(message, "explain: batchproof explain {}", problem.rule());
    if let Some(page) = manual::page(problem.rule()) {
        let _ = writeln!(message, "manual: {page}");
    }
    let mut properties = vec![("title", title.as_str())];
    if let Some(file) = own_file(summary, problem) {
        properties.extend([("file", file.strip_prefix("./").unwrap_or(file)), ("line", "1")]);
    }
    command(out, severity, &properties, message.trim_end());
}

/// A workflow command.
fn command(out: &mut String, severity: Severity, properties: &[(&str, &str)], message: &str) {
    let name = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    };
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    let _ = writeln!(out, "::{name} {}::{}", properties.join(","), data(message));
}

/// Text of a command, as the toolkit of GitHub Actions escapes it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Text of a property: a colon and a comma would end it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text in a line of its own: the runner takes `##[` for a command anywhere.
fn harmless(text: &str) -> String {
    text.replace("##[", "# #[")
}
