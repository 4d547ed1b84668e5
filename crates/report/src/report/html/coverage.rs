//! What the run covered: statuses, latency, error codes, schema, refusals, cases, examples.

use maud::{Markup, html};

use super::{cells, charts, evidence};
use crate::record::Summary;
use crate::report::json::{Coverage, CoverageShare, latency};
use crate::report::text::{counted, excerpt, number, seconds, visible};
use crate::report::wording::exchange_line;

/// Rows of a table.
const ROWS: usize = 300;
/// Examples on the page.
const EXAMPLES: usize = 12;

pub(super) fn section(summary: &Summary) -> Markup {
    let coverage = Coverage::from_summary(summary);
    let latency = latency(summary);
    html! {
        h2 #coverage { "Coverage" }
        p.lede { "What the run covered of everything that the contract describes, and how the target responded." }
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
        (
            coverage.schema,
            "coverage points of the request schema: keyword × class of value × position",
        ),
        (coverage.documented_codes, "documented error codes seen"),
        (coverage.rules, "rules tested"),
    ];
    html! {
        div.shares {
            @for (share, what) in shares {
                @if share.of > 0 { (share_card(share, what)) }
            }
        }
    }
}

fn share_card(share: CoverageShare, what: &str) -> Markup {
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
        h3 { "How invalid items were refused" }
        details.card {
            summary {
                span.tag.quiet { (coverage.refused.len()) }
                span.title {
                    "kinds of invalid items: " (kinds.request) " with a 400 for the whole request, " (kinds.item)
                    " item by item in a 200, " (kinds.both) " both ways"
                }
            }
            div.inside {
                table.stacks {
                    thead { tr {
                        th scope="col" { "Field" } th scope="col" { "Keyword" } th scope="col" { "Class of value" } th scope="col" { "Invalid" }
                        th.n scope="col" { "400 for the request" } th.n scope="col" { "Rejected in a 200" }
                    } }
                    tbody {
                        @for kind in coverage.refused.iter().take(ROWS) {
                            tr {
                                td data-name="Field" { code { (visible(&kind.pointer)) } }
                                td data-name="Keyword" { (visible(&kind.keyword)) }
                                td data-name="Class of value" { (visible(&kind.class)) }
                                td data-name="Invalid" { (if kind.all { "all items" } else { "some items" }) }
                                td.n data-name="400 for the request" { (number(kind.request)) }
                                td.n data-name="Rejected in a 200" { (number(kind.item)) }
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
            summary { span.tag.quiet { (summary.cases.len()) } span.title { "cases, with what each of them sent" } }
            div.inside {
                table.stacks {
                    thead { tr {
                        th scope="col" { "Case" }
                        @for name in ["Executions", "Requests", "Items", "No response", "Time", "Findings"] { th.n scope="col" { (name) } }
                    } }
                    tbody {
                        @for case in summary.cases.iter().take(1_000) {
                            tr {
                                td data-name="Case" { code { (visible(&case.id)) } br; span.small.muted { (visible(&excerpt(&case.title, 160))) }
                                    @for change in summary.head.notes.get(&case.id).into_iter().flatten() {
                                        br; span.small { (visible(&excerpt(change, 160))) }
                                    }
                                }
                                @if let Some(record) = &case.record {
                                    td.n data-name="Executions" { (number(record.runs)) }
                                    td.n data-name="Requests" { (number(record.requests)) }
                                    td.n data-name="Items" { (number(record.items)) }
                                    td.n data-name="No response" { (number(record.unanswered)) }
                                    td.n data-name="Time" { (seconds(std::time::Duration::from_millis(record.millis).as_secs_f64())) }
                                } @else {
                                    td.n.muted colspan="5" data-name="Not run" {
                                        @match summary.head.not_run.get(&case.id) {
                                            Some(not) => { (visible(&excerpt(&not.why, 160))) }
                                            None if summary.head.deeper.contains(&case.id) => { "at a greater depth" }
                                            None if summary.tail.as_ref().is_some_and(|tail| tail.cut_short) => { "the run ended before it" }
                                            None if summary.tail.is_some() => { "not planned at this depth" }
                                            None => { "the run was killed during it" }
                                        }
                                    }
                                }
                                td.n data-name="Findings" { (case.findings.len()) }
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
            h3 { "Examples of requests" }
            div.cards {
                @for (case, run, exchange) in summary.samples.iter().take(EXAMPLES) {
                    details.card {
                        summary {
                            span.tag.quiet { "example" }
                            span.title { (visible(case)) ", execution " (run) }
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
