//! What was provoked and seen: statuses, latency, codes, faults, interpretations, cases, examples.

use maud::{Markup, html};

use super::{cells, charts, evidence};
use crate::record::Summary;
use crate::report::groups::exchange_line;
use crate::report::json::{Coverage, Share, latency};
use crate::report::text::{counted, excerpt, number, seconds, visible};

/// Rows of a table.
const ROWS: usize = 300;
/// Examples on the page.
const EXAMPLES: usize = 12;

pub(super) fn section(summary: &Summary) -> Markup {
    let coverage = Coverage::of(summary);
    let latency = latency(summary);
    html! {
        h2 #coverage { "Coverage" }
        p.lede { "What was exercised, of all that the contract gives rise to, and what came back." }
        (figures(&coverage))
        div.charts {
            @if !coverage.statuses.is_empty() { (charts::statuses(&coverage.statuses)) }
            @if !latency.is_empty() { (charts::latency(&latency)) }
        }
        @if !coverage.codes.is_empty() {
            h3 { "Error codes" }
            ul.meta {
                @for code in coverage.codes.iter().take(ROWS) {
                    li {
                        code { (visible(&excerpt(&code.code, 60))) } " "
                        @if code.count == 0 { "not seen" } @else { b { (number(code.count)) "×" } }
                        @if let Some(means) = &code.means { ", " (visible(&excerpt(means, 120))) }
                        @if !code.documented { ", not documented" }
                    }
                }
            }
        }
        (cells::section(&coverage))
        (refusals(&coverage))
        (cases(summary))
        (examples(summary))
    }
}

/// The figures, each with its denominator.
fn figures(coverage: &Coverage) -> Markup {
    let shares = [
        (coverage.schema, "cells of the request schema: keyword × class of value × position"),
        (coverage.documented_codes, "documented error codes provoked"),
        (coverage.rules, "rules judged"),
    ];
    html! {
        div.shares {
            @for (share, what) in shares {
                @if share.of > 0 { (one(share, what)) }
            }
        }
    }
}

fn one(share: Share, what: &str) -> Markup {
    html! {
        div.share {
            b { (number(share.covered)) span.muted { " of " (number(share.of)) } }
            meter min="0" max=(share.of) value=(share.covered) aria-hidden="true" {}
            span { (what) ", " (share.percent()) " %" }
        }
    }
}

/// In which refusal mode each kind was refused.
fn refusals(coverage: &Coverage) -> Markup {
    if coverage.refused.is_empty() {
        return html! {};
    }
    let kinds = coverage.refusal_modes;
    html! {
        h3 { "How broken items were refused" }
        details.card {
            summary {
                span.tag.quiet { (coverage.refused.len()) }
                span.title {
                    "kinds of broken items: " (kinds.request) " with a 400 for the whole request, " (kinds.item)
                    " item by item in a 200, " (kinds.both) " by both"
                }
            }
            div.inside.scroll {
                table {
                    thead { tr {
                        th scope="col" { "Field" } th scope="col" { "Keyword" } th scope="col" { "Class of value" } th scope="col" { "Broken" }
                        th.n scope="col" { "400 for the request" } th.n scope="col" { "rejected in a 200" }
                    } }
                    tbody {
                        @for kind in coverage.refused.iter().take(ROWS) {
                            tr {
                                td { code { (visible(&kind.pointer)) } } td { (visible(&kind.keyword)) } td { (visible(&kind.class)) }
                                td { (if kind.all { "all items" } else { "some items" }) }
                                td.n { (number(kind.request)) } td.n { (number(kind.item)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cases(summary: &Summary) -> Markup {
    html! {
        h3 { "Cases" }
        details.card {
            summary { span.tag.quiet { (summary.cases.len()) } span.title { "cases, with what each sent" } }
            div.inside.scroll {
                table {
                    thead { tr {
                        th scope="col" { "Case" }
                        @for name in ["Runs", "Requests", "Items", "Unanswered", "Time", "Findings"] { th.n scope="col" { (name) } }
                    } }
                    tbody {
                        @for case in summary.cases.iter().take(1_000) {
                            tr {
                                td { code { (visible(&case.id)) } br; span.small.muted { (visible(&excerpt(&case.title, 160))) } }
                                @if let Some(record) = &case.record {
                                    td.n { (number(record.runs)) } td.n { (number(record.requests)) } td.n { (number(record.items)) }
                                    td.n { (number(record.unanswered)) }
                                    td.n { (seconds(std::time::Duration::from_millis(record.millis).as_secs_f64())) }
                                } @else {
                                    td.n.muted colspan="5" {
                                        @match summary.head.not_run.get(&case.id) {
                                            Some(not) => { "not run: " (visible(&excerpt(&not.why, 160))) }
                                            None if summary.tail.is_some() => { "not reached" }
                                            None => { "did not end" }
                                        }
                                    }
                                }
                                td.n { (case.findings.len()) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn examples(summary: &Summary) -> Markup {
    html! {
        @if !summary.samples.is_empty() {
            h3 { "Examples of what was sent" }
            div.cards {
                @for (case, run, exchange) in summary.samples.iter().take(EXAMPLES) {
                    details.card {
                        summary {
                            span.tag.quiet { "example" }
                            span.title { (visible(case)) ", run " (run) }
                            span.under { (excerpt(&exchange_line(exchange), 200)) }
                        }
                        div.inside { (evidence::exchange(exchange, None)) }
                    }
                }
            }
            @if summary.samples.len() > EXAMPLES {
                p.small.muted { (counted((summary.samples.len() - EXAMPLES) as u64, "more example")) ", in " code { "record.jsonl" } "." }
            }
        }
    }
}
