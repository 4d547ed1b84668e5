//! Parses the body of an answer. It must not know what an answer means.

use serde_json::Value;

use super::beyond_limits::cut_down;
use super::exchange_view::{ItemVerdict, ParsedBody};
use super::surrogates;
use crate::contract::Contract;
use crate::exchange::Answer;

/// The body as JSON.
pub(super) fn body(answer: &Answer) -> ParsedBody {
    match answer {
        Answer::Lost(_) => ParsedBody::Absent,
        Answer::Received(r) => match serde_json::from_slice(&r.body) {
            Ok(value) => ParsedBody::Value(value),
            Err(error) => match surrogates::replaced(&r.body).or_else(|| cut_down(&r.body)) {
                Some(value) => ParsedBody::Value(value),
                None => ParsedBody::Broken(why_not_json(&error, r.body.len())),
            },
        },
    }
}

/// The verdict that a result states.
pub(super) fn verdict(contract: &Contract, result: &Value) -> Option<ItemVerdict> {
    let words = &contract.batch.verdict;
    match result.get(&words.field).and_then(Value::as_str) {
        Some(word) if word == words.accepted => Some(ItemVerdict::Accepted),
        Some(word) if word == words.rejected => Some(ItemVerdict::Rejected),
        _ => None,
    }
}

/// What is wrong with a text that is not JSON, in words about the text.
fn why_not_json(error: &serde_json::Error, bytes: usize) -> String {
    match (error.is_eof(), bytes) {
        (true, 0) => "nothing".to_owned(),
        (true, bytes) => format!("a text that is cut off behind {bytes} bytes"),
        _ => error.to_string(),
    }
}
