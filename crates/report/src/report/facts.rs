//! What reports say of a problem, line by line: what was expected, what the target answered, how sure that is,
//! and where the requirement comes from.
//!
//! Terminal and report.md show the same lines. It must not know how a line looks.

use super::cause_line::cause_line;
use super::differences::{echo_difference, related_item};
use super::fact::Fact;
use super::good_request::good_line;
use super::minimal::{as_finding, flakiness, minimal_line};
use super::pair::index_in;
use super::requests::{Focus, request_facts};
use super::text::{excerpt, visible, visible_value};
use super::wording::{also, confirmation, explained, rule_of, seen, shown};
use crate::record::{FindingRecord, Summary};
use crate::triage::Problem;

/// Characters of a value.
const VALUE: usize = 400;
/// Cases that are named.
const CASES: usize = 3;

/// The lines about a problem, in the order in which a reader needs them.
pub(super) fn facts(summary: &Summary, group: &Problem<'_>) -> Vec<Fact> {
    let (first, status) = group.lead;
    let smallest = as_finding(summary, first);
    let finding = smallest.as_ref().unwrap_or(first);
    let mut facts = Vec::new();
    let mut add = |label: &'static str, text| facts.push(Fact { label: label.into(), text });
    if let Some(line) = cause_line(summary, group) {
        add("cause", line);
    }
    add("expected", visible_value(&excerpt(&finding.expected, VALUE)));
    add("got", visible_value(&excerpt(&finding.actual, VALUE)));
    let place = place(finding);
    if !place.is_empty() {
        add("at", place);
    }
    facts.extend(comparisons(summary, finding));
    let related = related_item(finding, &summary.head.specification.key);
    if let Some((position, _)) = shown(finding) {
        let item = finding.position.item.or_else(|| index_in(&finding.position.pointer));
        let showing = Focus { exchange: position, item };
        let related = related.map(|r| Focus { exchange: r.exchange, item: Some(r.item) });
        facts.extend(request_facts(&finding.evidence, showing, related, &summary.head.target));
    }
    let mut add = |label: &'static str, text| facts.push(Fact { label: label.into(), text });
    match confirmation(group.lead) {
        Some(confirmed) => add("confirmed", format!("{confirmed}; {}", seen(group, CASES))),
        None => add("seen", seen(group, CASES).trim_start_matches("seen ").to_owned()),
    }
    if let Some(also) = also(group) {
        add("also", also);
    }
    if let Some(line) = explained(summary, group) {
        add("explains", line);
    }
    if let Some(reason) = &status.waived {
        add("waived", visible(reason));
    }
    if let Some(line) = minimal_line(summary, first) {
        add("minimal", visible(&line));
    }
    if let Some(line) = good_line(summary, finding) {
        add("compare", line);
    }
    if let Some(line) = flakiness(summary, group.lead) {
        add("flaky", visible(&line));
    }
    if let Some(rule) = rule_of(summary, &first.rule) {
        add("why", visible(&rule.rule.cite));
    }
    facts
}

/// What was sent beside what came back, and beside other items, in words.
pub(super) fn comparisons(summary: &Summary, finding: &FindingRecord) -> Vec<Fact> {
    let key = &summary.head.specification.key;
    let facts = [
        ("difference", echo_difference(finding)),
        ("keys", related_item(finding, key).map(|related| related.words)),
    ];
    let said = |(label, text): (&'static str, Option<String>)| {
        Some(Fact { label: label.into(), text: text? })
    };
    facts.into_iter().filter_map(said).collect()
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
