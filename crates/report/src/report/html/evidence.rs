//! A request beside its response, item *i* beside result *i*.

use maud::{Markup, html};

use super::diff::marked;
use crate::record::{AnswerRecord, BodyRecord, ExchangeRecord, FindingRecord, RequestRecord};
use crate::report::bytes::readable;
use crate::report::fact::Fact;
use crate::report::good_request::GoodRequest;
use crate::report::pair::{ItemAndResult, in_view, rows};
use crate::report::requests::unusual;
use crate::report::text::{excerpt, millis, number, visible, visible_body};
use crate::report::wording::answer_line;

/// Characters of a line of a body.
const LINE: usize = 1_500;
/// Characters of a body that has no lines.
const WHOLE: usize = 4_000;
/// Characters of a header's value.
const VALUE: usize = 300;
/// Characters of what a finding states.
const STATED: usize = 1_200;
/// Characters of a field.
const FIELD: usize = 600;

/// What was expected, beside what the target answered.
pub(super) fn versus(finding: &FindingRecord) -> Markup {
    let (want, got) = marked(&finding.expected, &finding.actual, STATED);
    html! {
        div.versus {
            div.want { span.label { "Expected" } code { (want) } }
            div.got { span.label { "Got" } code { (got) } }
        }
    }
}

/// What was sent beside what came back, and beside other items, in words.
pub(super) fn in_words(facts: &[Fact]) -> Markup {
    html! {
        @for fact in facts { p.small { (fact.label) ": " b { (fact.text) } } }
    }
}

/// Field by field; what differs is marked.
pub(super) fn pair(pair: &ItemAndResult) -> Markup {
    html! {
        h3 { "Item " (pair.index) " beside result " (pair.index) span.muted { " (counted from 0)" } }
        div {
            table.pair.stacks {
                thead { tr { th scope="col" { "Field" } th scope="col" { "Item" } th scope="col" { "Result" } } }
                tbody {
                    @for field in &pair.fields {
                        @let class = match (field.differs, field.named) {
                            (true, true) => "differs named",
                            (true, false) => "differs",
                            (false, true) => "named",
                            (false, false) => "",
                        };
                        @let (item, result) = (field.item.as_deref(), field.result.as_deref());
                        // What only one of them has differs from nothing.
                        @let (left, right) = marked(item.or(result).unwrap_or(""), result.or(item).unwrap_or(""), FIELD);
                        tr class=(class) {
                            td data-name="Field" { (visible(&field.name)) }
                            td data-name="Item" { @if item.is_some() { (left) } @else { span.absent { "–" } } }
                            td data-name="Result" {
                                @if result.is_some() { (right) }
                                @else if !pair.answered { span.absent { "no result" } }
                                @else { span.absent { "–" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The request beside a good one, where they differ.
pub(super) fn beside_good(good: &GoodRequest<'_>) -> Markup {
    html! {
        h3 { "This request beside a good one" span.muted { " (the good one gets " (answer_line(&good.exchange.answer)) ")" } }
        div {
            table.pair.stacks {
                thead { tr { th scope="col" { "Where they differ" } th scope="col" { "This request" } th scope="col" { "Good request" } } }
                tbody {
                    @for place in &good.places {
                        @let (this, other) = (place.this.as_deref(), place.good.as_deref());
                        @let (left, right) = marked(this.unwrap_or(""), other.unwrap_or(""), FIELD);
                        tr.differs {
                            td data-name="Where they differ" { (visible(&place.name)) }
                            td data-name="This request" { @if this.is_some() { (left) } @else { span.absent { "–" } } }
                            td data-name="Good request" { @if other.is_some() { (right) } @else { span.absent { "–" } } }
                        }
                    }
                }
            }
        }
    }
}

/// Which part of a body is shown.
#[derive(Clone, Copy)]
struct BodyView {
    /// The element that matters, counted from the body's first.
    focus: Option<usize>,
    /// Which item of the batch that first one is.
    first: usize,
}

/// Request and answer, side by side.
pub(super) fn exchange(exchange: &ExchangeRecord, focus: Option<usize>) -> Markup {
    let first = exchange.first;
    let look = BodyView { focus: focus.and_then(|item| item.checked_sub(first)), first };
    html! {
        @if first > 0 { p.small.muted { "An excerpt: " (visible(&exchange.step)) "." } }
        div.exchange {
            div.side { (request(&exchange.request, look)) }
            div.side { (answer(&exchange.answer, look)) }
        }
    }
}

fn request(request: &RequestRecord, look: BodyView) -> Markup {
    let unusual = unusual(request);
    let trace = request.trace.iter().map(|trace| ("traceparent".to_owned(), trace.clone()));
    let shown: Vec<(String, String)> = request.headers.iter().cloned().chain(trace).collect();
    html! {
        div.line { b { (visible(&request.method)) } " " (visible(&excerpt(&request.url, VALUE))) }
        (headers(&shown))
        @if !unusual.is_empty() { p.small { "With " b { (unusual.join("; ")) } } }
        (body(&request.body, look))
    }
}

fn answer(answer: &AnswerRecord, look: BodyView) -> Markup {
    match answer {
        AnswerRecord::Received { status, headers: list, body: content, millis: took } => html! {
            div.line { b { (status) } " " span.muted { "in " (millis(*took)) } }
            (headers(list))
            (body(content, look))
        },
        AnswerRecord::Lost { .. } => html! {
            div.line { (answer_line(answer)) }
        },
    }
}

fn headers(list: &[(String, String)]) -> Markup {
    html! {
        @if !list.is_empty() {
            div.heads {
                @for (name, value) in list.iter().take(30) {
                    div { (visible(&excerpt(name, VALUE))) ": " (visible(&excerpt(value, VALUE))) }
                }
            }
        }
    }
}

fn body(record: &BodyRecord, look: BodyView) -> Markup {
    match record {
        BodyRecord::None => html! { p.none { "no body" } },
        BodyRecord::Text(text) => match rows(text) {
            Some(rows) => lines(&rows, look),
            None => {
                html! { div.body { pre { (visible_body(&excerpt(text, WHOLE))) } } }
            }
        },
        BodyRecord::Hex(hex) => html! {
            p.none { (number(hex.len() as u64 / 2)) " bytes that are not UTF-8, " code { "\\xff" } " for a byte" }
            div.body { pre { (excerpt(&readable(hex), WHOLE)) } }
        },
        BodyRecord::Excerpt { bytes, sha256, begins } => html! {
            p.none { (number(*bytes as u64)) " bytes, SHA-256 " code { (visible(&excerpt(sha256, 64))) } ", the beginning:" }
            div.body { pre { (visible_body(&excerpt(begins, WHOLE))) } }
        },
    }
}

/// One element per line, with its position; elements far from the focus are left out.
fn lines(rows: &[crate::report::pair::BodyRow<'_>], look: BodyView) -> Markup {
    let BodyView { focus, first } = look;
    let len = rows.iter().filter(|r| r.index.is_some()).count();
    let shown = |at: usize| in_view(at, len, focus);
    html! {
        div.body {
            @for row in rows {
                @match row.index {
                    None => div.row { span {} code { (visible(&excerpt(row.text, LINE))) } },
                    Some(at) if shown(at) => {
                        div class=(if focus == Some(at) { "row focus" } else { "row" }) {
                            span { (first + at) } code { (visible(&excerpt(row.text, LINE))) }
                        }
                    }
                    Some(at) if at > 0 && shown(at - 1) => {
                        @let until = (at..len).find(|i| shown(*i)).unwrap_or(len);
                        div.row.gap { span { "⋮" } code { (until - at) " more" } }
                    }
                    Some(_) => {}
                }
            }
        }
    }
}
