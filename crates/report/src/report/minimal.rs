//! The smallest trial of a finding, in a sentence: what all reports say of it.

use super::curl::{How, commands, commands_on_one_connection};
use super::text::counted;
use crate::check::{Rule, rules};
use crate::record::{
    ExchangeRecord, FindingRecord, Minimal, RUN, RequestRecord, Sightings, Size, Summary, Update,
    comes_and_goes,
};

/// How likely it is still missed after so many pastes as are told.
const MISS: f64 = 0.05;
/// More pastes are not asked of anybody.
const MANY: u64 = 40;

/// What shrinking a finding came to; nothing where it was not tried.
pub(super) fn minimal_line(summary: &Summary, finding: &FindingRecord) -> Option<String> {
    let minimal = summary.minimals.get(&finding.id)?;
    let sent = counted(minimal.requests, "request");
    let is_smaller = minimal.is_smaller() && minimal.to != minimal.from;
    Some(match (is_smaller, &minimal.note) {
        (true, note) => {
            let mut note = note.as_ref().map(|n| format!("; {n}")).unwrap_or_default();
            if minimal.shown < minimal.of {
                note = format!(
                    "; sent at last, it showed in {} of {}{note}",
                    minimal.shown, minimal.of
                );
            }
            format!("{} (found with {sent}{note})", sizes(minimal))
        }
        (false, Some(note)) => format!("as it is: {note}"),
        (false, None) => format!("as it is: none of {sent} with less in it showed it"),
    })
}

/// `1 request with 2 items instead of 1 request with 17 items`.
fn sizes(minimal: &Minimal) -> String {
    let (to, from) = (size(minimal.to), size(minimal.from));
    if to == from {
        format!("{to}, {} bytes instead of {}", minimal.to.bytes, minimal.from.bytes)
    } else {
        format!("{to} instead of {from}")
    }
}

/// `1 request with 2 items`.
pub(super) fn size(size: Size) -> String {
    format!("{} with {}", counted(size.requests, "request"), counted(size.items, "item"))
}

/// The finding whose smallest trial stands for `finding`: another of its cause, where that alone was shrunk.
pub(super) fn stands_for<'a>(
    summary: &'a Summary,
    finding: &'a FindingRecord,
) -> &'a FindingRecord {
    if summary.smaller(finding).is_some() {
        return finding;
    }
    let mut same = summary.findings.iter().map(|(f, _)| f).filter(|f| f.cause() == finding.cause());
    same.find(|f| summary.smaller(f).is_some()).unwrap_or(finding)
}

/// The commands that show a finding: those of its smallest trial. Where bad credentials passed and nothing smaller
/// showed it, the target may remember good ones of the connection, so these go first, on the same one.
pub(super) fn again(summary: &Summary, finding: &FindingRecord, how: &How) -> Vec<String> {
    let evidence = summary.shortest(finding);
    match remembered(summary, finding) {
        Some(exchange) => {
            let good = RequestRecord { credential: "good".to_owned(), ..exchange.request.clone() };
            let good = ExchangeRecord { request: good, ..exchange.clone() };
            commands_on_one_connection(&[good, exchange.clone()], how)
        }
        None => commands(evidence, how),
    }
}

/// The exchange with bad credentials, where it may hang on what the target remembers of its connection.
fn remembered<'a>(summary: &'a Summary, finding: &'a FindingRecord) -> Option<&'a ExchangeRecord> {
    let about_credentials = rules::find(&finding.rule).is_some_and(Rule::is_about_credentials);
    let showed = summary.minimals.get(&finding.id).is_some_and(|m| m.shown > 0 && m.shown == m.of);
    let exchange = finding.evidence.get(finding.position.exchange)?;
    let bad = matches!(exchange.request.credential.as_str(), "none" | "empty" | "wrong")
        && exchange.request.framing == "sized"
        && exchange.group.is_none();
    (about_credentials && !showed && bad).then_some(exchange)
}

/// How often what is sent again shows a finding, where it may not each time.
pub(super) fn chance(summary: &Summary, found: &(FindingRecord, Update)) -> Option<String> {
    let finding = &found.0;
    if remembered(summary, finding).is_some() {
        let why = "the target may remember credentials of a connection";
        return Some(format!("{why}: good ones go first, and the second answer shows it"));
    }
    let minimal = summary.minimals.get(&finding.id);
    let same = || summary.findings.iter().filter(|(f, _)| f.cause() == finding.cause());
    let comes_and_goes =
        same().any(|(_, u)| comes_and_goes(u)) || minimal.is_some_and(|m| m.shown < m.of);
    let (seen, may_miss) = match minimal.filter(|m| m.shown > 0) {
        _ if finding.case == RUN => {
            let alone = summary.tally.probe;
            (Sightings { shown: alone.lost, of: alone.sent }, !finding.evidence.is_empty())
        }
        Some(m) => (Sightings { shown: m.shown.into(), of: m.of.into() }, m.shown < m.of),
        None => {
            let sum = |of: fn(&Update) -> u64| same().map(|(_, u)| of(u)).sum::<u64>();
            let judged = summary.trials_judged(&finding.rule).max(sum(|u| u.trials));
            let shown = sum(|u| u64::from(u.shown)) + sum(|u| u.trials);
            (Sightings { shown, of: sum(|u| u64::from(u.of)) + judged }, comes_and_goes)
        }
    };
    let overlaps = summary.shortest(finding).iter().any(|e| e.group.is_some());
    if !(may_miss || overlaps) || seen.shown == 0 {
        return None;
    }
    let why = if overlaps { "requests that overlap depend on time" } else { "it comes and goes" };
    let times = match seen.looks(MISS) {
        times @ 0..=MANY => format!("paste again where it does not show, up to {times} times"),
        _ => "`batchproof replay` sends it often enough".to_owned(),
    };
    Some(format!("{why}: it showed in {} of {} tries; {times}", seen.shown, seen.of))
}

/// The finding as its smallest trial shows it; nothing where that is the first one.
pub(super) fn as_finding(summary: &Summary, finding: &FindingRecord) -> Option<FindingRecord> {
    let minimal = summary.smaller(finding)?.clone();
    Some(FindingRecord {
        position: minimal.position,
        expected: minimal.expected,
        actual: minimal.actual,
        message: minimal.message,
        evidence: minimal.evidence,
        ..finding.clone()
    })
}
