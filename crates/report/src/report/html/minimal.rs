//! The minimal example of a finding, and its case file.

use maud::{Markup, html};

use super::evidence;
use super::parts::paste;
use crate::record::{FindingRecord, Summary};
use crate::report::facts::comparisons;
use crate::report::good_request::good_request;
use crate::report::minimal::minimal_line;
use crate::report::pair::{index_in, pair};
use crate::report::text::{visible, visible_block};
use crate::report::wording::shown;

/// Exchanges that are shown.
const EXCHANGES: usize = 6;
/// Bytes of a case file that is shown.
const CASE_FILE: usize = 8_000;

/// The finding as its minimal example shows it.
pub(super) fn minimal(summary: &Summary, smallest: &FindingRecord) -> Markup {
    let showing = shown(smallest).map_or(0, |(at, _)| at);
    let focus = smallest.position.item.or_else(|| index_in(&smallest.position.pointer));
    let count = smallest.evidence.len();
    html! {
        @if let Some(line) = minimal_line(summary, smallest) {
            h3 { "Minimal example" }
            p.small.muted { (visible(&line)) }
        }
        (evidence::versus(smallest))
        (evidence::in_words(&comparisons(summary, smallest)))
        @if let Some(good) = good_request(summary, smallest) { (evidence::beside_good(&good)) }
        @if let Some(pair) = pair(smallest) { (evidence::pair(&pair)) }
        @for (at, exchange) in smallest.evidence.iter().enumerate().take(EXCHANGES) {
            @if count > 1 { p.small { "Request " (at + 1) " of " (count) @if at == showing { ", which shows the problem" } } }
            (evidence::exchange(exchange, focus.filter(|_| at == showing)))
        }
    }
}

/// The minimal example as a case file.
pub(super) fn case_file(summary: &Summary, finding: &FindingRecord) -> Markup {
    let text = summary.minimals.get(&finding.id).map_or("", |m| m.case_file.as_str());
    html! {
        @if !text.is_empty() && text.len() <= CASE_FILE {
            details.fold {
                summary { "A case file to keep (" code { "run --export-cases DIR" } " writes it)" }
                (paste("Case file", &visible_block(text)))
            }
        }
    }
}
