//! The minimal example of a finding in words and commands, the same in all reports.

use super::curl::{CommandContext, commands, commands_on_one_connection};
use super::text::{counted, number};
use super::wording::contract_option;
use crate::record::{
    ExampleSize, ExchangeRecord, FindingRecord, FindingStatus, MinimalExample, RUN, RequestRecord,
    Summary, is_of_time,
};
use crate::triage::{
    Occurrences, is_flaky_cause, remembers_credentials, with_remembered_credentials,
};

/// Probability that the stated number of repeats misses it.
const MISS: f64 = 0.05;
/// More repeats are left to `batchproof replay`.
const MANY: u64 = 40;

/// The result of shrinking a finding; nothing if it was not tried.
pub(super) fn minimal_line(summary: &Summary, finding: &FindingRecord) -> Option<String> {
    let minimal = summary.minimals.get(&finding.id)?;
    let sent = counted(minimal.requests, "request");
    let is_smaller = minimal.is_smaller() && minimal.to != minimal.from;
    Some(match (is_smaller, &minimal.note) {
        (true, note) => {
            let mut note = note.as_ref().map(|n| format!("; {n}")).unwrap_or_default();
            if minimal.shown < minimal.of {
                note = format!("; shown in {} of {} tries{note}", minimal.shown, minimal.of);
            }
            format!("{}{note}", sizes(minimal))
        }
        (false, Some(note)) => format!("not reduced: {note}"),
        (false, None) => format!("already minimal (tried {sent})"),
    })
}

/// `1 request, 2 items (was 1 request, 17 items)`.
fn sizes(minimal: &MinimalExample) -> String {
    let (to, from) = (size(minimal.to), size(minimal.from));
    let overlap = minimal.evidence.iter().all(|e| e.group.is_some());
    if minimal.to.requests > minimal.from.requests {
        let how = if overlap { " at the same time" } else { "" };
        format!(
            "{}{how}, {}",
            counted(minimal.to.requests, "request"),
            counted(minimal.to.items, "item")
        )
    } else if to == from {
        format!("{to}, {} bytes (was {})", number(minimal.to.bytes), number(minimal.from.bytes))
    } else {
        format!("{to} (was {from})")
    }
}

/// `1 request, 2 items`.
pub(super) fn size(size: ExampleSize) -> String {
    format!("{}, {}", counted(size.requests, "request"), counted(size.items, "item"))
}

/// The finding whose minimal example represents `finding`: another one of its cause, if only that was shrunk.
pub(super) fn shrunk_finding<'a>(
    summary: &'a Summary,
    finding: &'a FindingRecord,
) -> &'a FindingRecord {
    if summary.minimal_example(finding).is_some() {
        return finding;
    }
    let mut same = summary.findings.iter().map(|(f, _)| f).filter(|f| f.cause() == finding.cause());
    same.find(|f| summary.minimal_example(f).is_some()).unwrap_or(finding)
}

/// The commands that show a finding: those of its minimal example. Where bad credentials passed and nothing smaller
/// showed it, the target may remember good ones of the connection, so these go first, on the same one.
pub(super) fn reproduction(
    summary: &Summary,
    finding: &FindingRecord,
    how: &CommandContext,
) -> Vec<String> {
    let mut lines = requests_of(summary, finding, how);
    if let Some(serve) = gone_server(summary, finding)
        && !lines.first().is_none_or(|line| line.starts_with('#'))
    {
        lines.insert(0, serve);
    }
    lines
}

/// The command that starts the embedded server again, which ended with the run.
fn gone_server(summary: &Summary, finding: &FindingRecord) -> Option<String> {
    if summary.head.target.starts_with("http") {
        return None;
    }
    let exchange = summary.shortest_evidence(finding).first()?;
    let port = url::Url::parse(&exchange.request.url).ok()?.port()?;
    Some(format!("batchproof serve --port {port}{} & sleep 1", contract_option(&summary.head)))
}

fn requests_of(summary: &Summary, finding: &FindingRecord, how: &CommandContext) -> Vec<String> {
    let evidence = summary.shortest_evidence(finding);
    match with_remembered_credentials(summary, finding) {
        Some(exchange) => {
            let good = RequestRecord { credential: "good".to_owned(), ..exchange.request.clone() };
            let good = ExchangeRecord { request: good, ..exchange.clone() };
            commands_on_one_connection(&[good, exchange.clone()], how)
        }
        None => commands(evidence, how),
    }
}

/// How often the commands show a finding, where that may not be each time.
pub(super) fn flakiness(
    summary: &Summary,
    found: &(FindingRecord, FindingStatus),
) -> Option<String> {
    let finding = &found.0;
    // What a clock measures varies by itself.
    if remembers_credentials(summary, finding) || is_of_time(&finding.kind) {
        return None;
    }
    if with_remembered_credentials(summary, finding).is_some() {
        let why = "the target may remember credentials of a connection";
        return Some(format!("{why}: good ones are sent first, and the second response shows it"));
    }
    let minimal = summary.minimals.get(&finding.id);
    let same = || summary.findings.iter().filter(|(f, _)| f.cause() == finding.cause());
    let is_flaky = is_flaky_cause(same().map(|(f, u)| (f, u)), &summary.minimals);
    let (seen, may_miss) = match minimal.filter(|m| m.shown > 0) {
        _ if finding.case == RUN => {
            let alone = summary.tally.probe;
            (Occurrences { shown: alone.lost, of: alone.sent }, !finding.evidence.is_empty())
        }
        Some(m) => (Occurrences { shown: m.shown.into(), of: m.of.into() }, m.shown < m.of),
        None => {
            let sum = |of: fn(&FindingStatus) -> u64| same().map(|(_, u)| of(u)).sum::<u64>();
            let judged = summary.runs_judged(&finding.rule).max(sum(|u| u.runs_shown));
            let shown = sum(|u| u64::from(u.shown)) + sum(|u| u.runs_shown);
            (Occurrences { shown, of: sum(|u| u64::from(u.of)) + judged }, is_flaky)
        }
    };
    let overlaps = summary.shortest_evidence(finding).iter().any(|e| e.group.is_some());
    if !(may_miss || overlaps) || seen.shown == 0 {
        return None;
    }
    let why = if overlaps { "simultaneous requests depend on timing: " } else { "" };
    let times = match seen.tries_needed(MISS) {
        times @ 0..=MANY => format!("repeat the commands up to {times} times"),
        _ => "`batchproof replay` repeats it often enough".to_owned(),
    };
    Some(format!("{why}shown in {} of {} tries; {times}", seen.shown, seen.of))
}

/// The finding as its minimal example shows it; nothing if that is the first execution.
pub(super) fn as_finding(summary: &Summary, finding: &FindingRecord) -> Option<FindingRecord> {
    let minimal = summary.minimal_example(finding)?.clone();
    Some(FindingRecord {
        position: minimal.position,
        expected: minimal.expected,
        actual: minimal.actual,
        message: minimal.message,
        inputs: minimal.inputs,
        evidence: minimal.evidence,
        ..finding.clone()
    })
}
