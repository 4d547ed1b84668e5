//! The smallest trial of a finding, before the one that showed it first.

use maud::{Markup, html};

use super::diff::marked;
use super::evidence;
use super::parts::paste;
use crate::record::{FindingRecord, Summary};
use crate::report::groups::shown;
use crate::report::minimal::{as_finding, minimal_line, sizes};
use crate::report::pair::{index_in, pair};
use crate::report::text::{counted, visible, visible_block};

/// Exchanges that are shown.
const EXCHANGES: usize = 6;
/// Bytes of a case file that is shown.
const CASE_FILE: usize = 8_000;
/// Characters of a value.
const VALUE: usize = 1_200;

/// The smallest trial with its case file, or why there is none.
pub(super) fn minimal(summary: &Summary, finding: &FindingRecord) -> Markup {
    let Some(minimal) = summary.minimals.get(&finding.id) else { return html! {} };
    let Some(smallest) = as_finding(summary, finding) else {
        return html! {
            @if let Some(line) = minimal_line(summary, finding) {
                p.small.muted { "Smallest trial: " (visible(&line)) }
            }
        };
    };
    let (want, got) = marked(&smallest.expected, &smallest.actual, VALUE);
    let showing = shown(&smallest).map_or(0, |(at, _)| at);
    let focus = smallest.position.item.or_else(|| index_in(&smallest.position.pointer));
    let count = smallest.evidence.len();
    html! {
        h3 { "The smallest trial that shows it: " (sizes(minimal)) }
        p.small.muted {
            "Found with " (counted(minimal.requests, "request"))
            @if let Some(note) = &minimal.note { "; " (visible(note)) }
            "."
        }
        div.versus { div.want { code { (want) } } div.got { code { (got) } } }
        @if let Some(pair) = pair(&smallest) { (evidence::pair(&pair)) }
        @for (at, exchange) in smallest.evidence.iter().enumerate().take(EXCHANGES) {
            @if count > 1 { p.small { "Request " (at + 1) " of " (count) @if at == showing { ": it shows the finding" } } }
            (evidence::exchange(exchange, focus.filter(|_| at == showing)))
        }
        @if !minimal.case_file.is_empty() && minimal.case_file.len() <= CASE_FILE {
            details.fold {
                summary { "As a case file (" code { "run --save-cases DIR" } " writes it)" }
                (paste("Case file", &visible_block(&minimal.case_file)))
            }
        }
        h3 { "Where it was first seen" }
    }
}
