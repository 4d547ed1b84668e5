//! What was provoked and seen: statuses, latency, codes, faults, readings, cases, examples.

use maud::{Markup, html};

use super::{charts, evidence};
use crate::record::Summary;
use crate::report::groups::exchange_line;
use crate::report::json::{Coverage, Provoked, latency};
use crate::report::text::{counted, excerpt, number, seconds, visible};

/// Positions of a broken item in its batch.
const POSITIONS: [&str; 4] = ["first", "middle", "last", "only"];
/// Rows of a table.
const ROWS: usize = 300;
/// Examples on the page.
const EXAMPLES: usize = 12;

pub(super) fn section(summary: &Summary) -> Markup {
    let coverage = Coverage::of(summary);
    let latency = latency(summary);
    html! {
        h2 #coverage { "Coverage" }
        p.lede { "What was provoked on purpose, and what came back." }
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
                        @if code.documented == Some(false) { ", not documented" }
                    }
                }
            }
        }
        (faults(&coverage))
        (refusals(&coverage))
        (cases(summary))
        (examples(summary))
    }
}

/// Kinds of faults by position in the batch.
fn faults(coverage: &Coverage) -> Markup {
    let mut kinds: Vec<(&Provoked, [u64; 4])> = Vec::new();
    for fault in &coverage.provoked {
        let at = POSITIONS.iter().position(|p| *p == fault.position).unwrap_or(0);
        let same = |k: &Provoked| {
            k.pointer == fault.pointer && k.keyword == fault.keyword && k.class == fault.class
        };
        if let Some((_, counts)) = kinds.iter_mut().find(|(k, _)| same(k)) {
            counts[at] += fault.count;
        } else {
            let mut counts = [0; 4];
            counts[at] = fault.count;
            kinds.push((fault, counts));
        }
    }
    if kinds.is_empty() {
        return html! {};
    }
    html! {
        h3 { "Faults" }
        details.card {
            summary { span.tag.quiet { (kinds.len()) } span.title { "kinds of faults, by the broken item's position in its batch" } }
            div.inside.scroll {
                table.matrix {
                    thead { tr {
                        th scope="col" { "Field" } th scope="col" { "Keyword" } th scope="col" { "Class of value" }
                        @for position in POSITIONS { th.n scope="col" { (position) } }
                    } }
                    tbody {
                        @for (kind, counts) in kinds.iter().take(ROWS) {
                            tr {
                                td { code { (visible(&kind.pointer)) } } td { (visible(&kind.keyword)) } td { (visible(&kind.class)) }
                                @for count in counts {
                                    @if *count == 0 { td.n.zero { "–" } } @else { td.n { (number(*count)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// By which reading each kind was refused.
fn refusals(coverage: &Coverage) -> Markup {
    if coverage.refused.is_empty() {
        return html! {};
    }
    let mixed = coverage.refused.iter().filter(|r| r.request > 0 && r.item > 0).count();
    html! {
        h3 { "How broken items were refused" }
        details.card {
            summary {
                span.tag.quiet { (coverage.refused.len()) }
                span.title { "kinds of broken items, by reading"
                    @if mixed > 0 { "; " (mixed) " by both" } }
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
                                } @else { td.n.muted colspan="5" { "did not end" } }
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
