//! The requests that show a finding, in the order in which they were sent: what is unusual about the head of each,
//! what it carries, and what came back.
//!
//! It must not know what a finding is about beyond its position.

use std::borrow::Cow;

use super::bytes::readable;
use super::fact::Fact;
use super::pair::{elements, rows};
use super::text::{counted, excerpt, visible, visible_value};
use super::wording::request_line;
use crate::record::{AnswerRecord, BodyRecord, ExchangeRecord, RequestRecord};

/// Characters of a body.
const BODY: usize = 400;
/// Characters of an answer that is not the one that shows the finding.
const ANSWER: usize = 240;
/// Requests that are shown from the first on, and up to the one that shows the finding.
const SHOWN: usize = 4;

/// What requests carry unless something is to be found out by it.
const USUAL: [(&str, &str); 3] = [
    ("Content-Type", "application/json"),
    ("Accept", "application/json"),
    ("Accept-Encoding", "identity"),
];

/// A request whose bytes or answers matter, and which of its items.
#[derive(Clone, Copy)]
pub(super) struct Focus {
    pub(super) exchange: usize,
    pub(super) item: Option<usize>,
}

/// The lines about all requests of an evidence.
pub(super) fn request_facts(
    evidence: &[ExchangeRecord],
    showing: Focus,
    related: Option<Focus>,
    target: &str,
) -> Vec<Fact> {
    let focus_of = |at: usize| {
        [Some(showing), related]
            .into_iter()
            .flatten()
            .find(|f| f.exchange == at)
            .and_then(|f| f.item)
    };
    if let [one] = evidence {
        let mut facts = vec![];
        facts.extend(sent(one, showing.item, None).map(|text| fact("sent", text)));
        facts.push(fact("request", request_line(one, target)));
        facts.extend(with(one).map(|text| fact("with", text)));
        return facts;
    }
    let mut facts = Vec::new();
    let mut left_out = 0;
    for (at, exchange) in evidence.iter().enumerate() {
        let near = at < SHOWN || at.abs_diff(showing.exchange) < SHOWN;
        let matters = related.is_some_and(|r| r.exchange == at);
        if evidence.len() > 2 * SHOWN && !near && !matters {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            facts.push(fact("…", format!("{} more", counted(left_out, "request"))));
            left_out = 0;
        }
        let together = evidence.iter().any(|other| {
            exchange.group.is_some()
                && other.group == exchange.group
                && !std::ptr::eq(other, exchange)
        });
        let together = if together { ", at the same time as others" } else { "" };
        let label = format!("request {}", at + 1);
        facts.push(fact(label, format!("{}{together}", request_line(exchange, target))));
        facts.extend(with(exchange).map(|text| fact("  with", text)));
        let previous = at.checked_sub(1).and_then(|before| evidence.get(before));
        facts.extend(sent(exchange, focus_of(at), previous).map(|text| fact("  sent", text)));
        if at != showing.exchange {
            facts.extend(came_back(exchange, focus_of(at)).map(|text| fact("  answer", text)));
        }
    }
    if left_out > 0 {
        facts.push(fact("…", format!("{} more", counted(left_out, "request"))));
    }
    facts
}

fn fact(label: impl Into<Cow<'static, str>>, text: String) -> Fact {
    Fact { label: label.into(), text }
}

fn with(exchange: &ExchangeRecord) -> Option<String> {
    let list = unusual(&exchange.request);
    (!list.is_empty()).then(|| list.join("; "))
}

/// What the head of a request has, or lacks, that those of plain batches do not.
pub(super) fn unusual(request: &RequestRecord) -> Vec<String> {
    let mut list = Vec::new();
    list.extend(credential(&request.credential));
    match request.framing.as_str() {
        "sized" | "raw" => {}
        "chunked" => list.push("a chunked body".to_owned()),
        "tiny-chunks" => list.push("a body in tiny chunks".to_owned()),
        other => list.push(visible(other)),
    }
    if let Some(place) = &request.hang_up {
        let place = match place.as_str() {
            "after-headers" => "after the headers",
            "half-body" => "after half of the body",
            "before-answer" => "before the answer",
            other => other,
        };
        list.push(format!("a client that disconnects {}", visible(place)));
    }
    // A request of bytes shows its head itself.
    if request.framing == "raw" {
        return list;
    }
    if request.new_connection {
        list.push("a connection of its own".to_owned());
    }
    for (name, value) in &request.headers {
        let usual = USUAL.iter().any(|(n, v)| n == name && v == value)
            || name.eq_ignore_ascii_case("traceparent");
        if !usual {
            list.push(visible_value(&excerpt(&format!("{name}: {value}"), BODY)));
        }
    }
    for (name, _) in USUAL {
        let is_there = request.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        let needed = name != "Content-Type" || request.body != BodyRecord::None;
        if !is_there && needed {
            list.push(format!("no {name}"));
        }
    }
    list
}

/// Which credentials a request carried, where not the good ones.
fn credential(name: &str) -> Option<String> {
    let words = match name {
        "good" => return None,
        "none" => "no Authorization header",
        "empty" => "an empty Authorization header",
        "scheme-only" => "an Authorization header with a scheme and no token",
        "wrong" => "a wrong token",
        "longer" => "the token with a character more",
        "shorter" => "the token without its last character",
        "other-case" => "the token in the other letter case",
        "quoted" => "the token in double quotes",
        "no-scheme" => "the token without a scheme",
        "wrong-scheme" => "the token under a scheme that does not exist",
        "basic" => "the token as Basic credentials",
        "in-query" => "the token in the query, not in the header",
        other => return Some(format!("credentials: {}", visible(other))),
    };
    Some(words.to_owned())
}

/// What a request carried: all of it where that is short, else the item that matters.
fn sent(
    exchange: &ExchangeRecord,
    about: Option<usize>,
    previous: Option<&ExchangeRecord>,
) -> Option<String> {
    let body = &exchange.request.body;
    if *body != BodyRecord::None && previous.is_some_and(|p| p.request.body == *body) {
        return Some("the same as before".to_owned());
    }
    match body {
        BodyRecord::None => None,
        BodyRecord::Text(text) => Some(visible_value(&sent_text(exchange, about, text))),
        BodyRecord::Hex(hex) => Some(excerpt(&readable(hex), BODY)),
        BodyRecord::Excerpt { bytes, begins, .. } => Some(format!(
            "{}: {}",
            counted(*bytes as u64, "byte"),
            visible_value(&excerpt(begins, BODY))
        )),
    }
}

fn sent_text(exchange: &ExchangeRecord, about: Option<usize>, body: &str) -> String {
    if body.chars().nth(BODY).is_none() {
        return body.to_owned();
    }
    let item = about.and_then(|index| Some((index, elements(exchange, index).0?)));
    let items = rows(body).unwrap_or_default().iter().filter(|r| r.index.is_some()).count() as u64;
    match item {
        Some((index, item)) if exchange.first > 0 => {
            format!("item {index}: {}", excerpt(item, BODY))
        }
        Some((index, item)) => format!("item {index} of {items}: {}", excerpt(item, BODY)),
        None if items > 1 => format!("{}: {}", counted(items, "item"), excerpt(body, BODY)),
        None => excerpt(body, BODY),
    }
}

/// What the body of an answer says: of a large batch, the result that matters.
fn came_back(exchange: &ExchangeRecord, about: Option<usize>) -> Option<String> {
    let AnswerRecord::Received { body, .. } = &exchange.answer else { return None };
    match body {
        BodyRecord::None => Some("no body".to_owned()),
        BodyRecord::Text(text) => {
            let result = about.and_then(|index| Some((index, elements(exchange, index).1?)));
            Some(visible_value(&match result {
                Some((index, result)) if text.chars().nth(ANSWER).is_some() => {
                    format!("result {index}: {}", excerpt(result, ANSWER))
                }
                _ => excerpt(text, ANSWER),
            }))
        }
        BodyRecord::Hex(hex) => Some(excerpt(&readable(hex), ANSWER)),
        BodyRecord::Excerpt { begins, .. } => Some(visible_value(&excerpt(begins, ANSWER))),
    }
}
