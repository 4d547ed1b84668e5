//! What reports say of a problem, line by line: what was expected, what the target answered, how sure that is,
//! and where the requirement comes from.
//!
//! Terminal and report.md show the same lines. It must not know how a line looks.

use super::minimal::{as_finding, flakiness, minimal_line};
use super::pair::{elements, index_in, rows};
use super::text::{counted, excerpt, visible, visible_value};
use super::wording::{also, confirmation, request_line, rule_of, seen, shown};
use crate::record::{BodyRecord, ExchangeRecord, FindingRecord, Summary};
use crate::triage::Problem;

/// Characters of a value.
const VALUE: usize = 400;
/// Cases that are named.
const CASES: usize = 3;

/// One line about a problem; hidden characters in it are spelled out.
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) text: String,
}

/// The lines about a problem, in the order in which a reader needs them.
pub(super) fn facts(summary: &Summary, group: &Problem<'_>) -> Vec<Fact> {
    let (first, status) = group.lead;
    let smallest = as_finding(summary, first);
    let finding = smallest.as_ref().unwrap_or(first);
    let mut facts = Vec::new();
    let mut add = |label, text| facts.push(Fact { label, text });
    add("expected", visible_value(&excerpt(&finding.expected, VALUE)));
    add("got", visible_value(&excerpt(&finding.actual, VALUE)));
    let place = place(finding);
    if !place.is_empty() {
        add("at", place);
    }
    if let Some((position, exchange)) = shown(finding) {
        if let BodyRecord::Text(body) = &exchange.request.body {
            add("sent", visible_value(&sent(finding, exchange, body)));
        }
        let several = match finding.evidence.len() {
            1 => String::new(),
            n => format!(" (request {} of {n})", position + 1),
        };
        add("request", format!("{}{several}", request_line(exchange, &summary.head.target)));
    }
    match confirmation(group.lead) {
        Some(confirmed) => add("confirmed", format!("{confirmed}; {}", seen(group, CASES))),
        None => add("seen", seen(group, CASES).trim_start_matches("seen ").to_owned()),
    }
    if let Some(also) = also(group) {
        add("also", also);
    }
    if let Some(reason) = &status.waived {
        add("waived", visible(reason));
    }
    if let Some(line) = minimal_line(summary, first) {
        add("minimal", visible(&line));
    }
    if let Some(line) = flakiness(summary, group.lead) {
        add("flaky", visible(&line));
    }
    if let Some(rule) = rule_of(summary, &first.rule) {
        add("why", visible(&rule.rule.cite));
    }
    facts
}

/// Where the finding is: a pointer into the response, and the item where the pointer does not name it.
fn place(finding: &FindingRecord) -> String {
    let pointer = &finding.position.pointer;
    let place = visible(if pointer.is_empty() { &finding.place } else { pointer });
    match finding.position.item {
        Some(item) if index_in(pointer) == Some(item) => place,
        Some(item) if place.is_empty() => format!("item {item}"),
        Some(item) => format!("{place} (item {item})"),
        None => place,
    }
}

/// What was sent: all of it where that is short, else the item that the finding is about.
fn sent(finding: &FindingRecord, exchange: &ExchangeRecord, body: &str) -> String {
    let about = finding.position.item.or_else(|| index_in(&finding.position.pointer));
    let item = about.and_then(|index| Some((index, elements(exchange, index).0?)));
    if body.chars().nth(VALUE).is_none() {
        return body.to_owned();
    }
    let items = rows(body).unwrap_or_default().iter().filter(|r| r.index.is_some()).count() as u64;
    match item {
        Some((index, item)) if exchange.first > 0 => {
            format!("item {index}: {}", excerpt(item, VALUE))
        }
        Some((index, item)) => format!("item {index} of {items}: {}", excerpt(item, VALUE)),
        None if items > 1 => format!("{}: {}", counted(items, "item"), excerpt(body, VALUE)),
        None => excerpt(body, VALUE),
    }
}
