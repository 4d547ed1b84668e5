//! Parses the body of an answer. It must not know what an answer means.

use serde_json::Value;

use super::exchange_view::{ItemVerdict, ParsedBody};
use crate::contract::{Contract, Document, member, repeated_key};
use crate::exchange::Answer;

/// The body as JSON, and a key that it has twice in one object.
pub(super) fn body(contract: &Contract, answer: &Answer) -> (ParsedBody, Option<String>) {
    let Answer::Received(response) = answer else { return (ParsedBody::Absent, None) };
    match contract.answer_json(response.status, &response.body) {
        Ok(Document { value, repeated }) => (ParsedBody::Value(value), repeated),
        Err(error) => match contract.answer_leniently(response.status, &response.body) {
            Some(value) => (ParsedBody::Value(value), repeated_key(&response.body)),
            None => (ParsedBody::Broken(why_not_json(&error, response.body.len())), None),
        },
    }
}

/// The verdict that a result states.
pub(super) fn verdict(contract: &Contract, result: &Value) -> Option<ItemVerdict> {
    let words = &contract.batch.verdict;
    match member(result, &words.field).and_then(Value::as_str) {
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
