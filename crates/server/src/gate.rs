//! What the head alone decides: credentials, path, method, expectation, media types.
//!
//! Asked before a byte of the body is read, credentials first. Stores nothing.

use super::Site;
use super::answer::{Answer, Why};
use super::head::{Head, Length, is_json, takes_json};

/// The answer that the head alone demands, where it demands one.
pub(crate) fn check(site: &Site, head: &Head) -> Option<Answer> {
    let framework = |status, why| Some(Answer::framework(status, why, &head.path));
    if head.length() == Length::Unclear || (head.minor > 0 && head.get("host").is_none()) {
        return framework(400, Why::Protocol).map(|mut answer| {
            answer.close = true;
            answer
        });
    }
    if let Some(token) = &site.token
        && !authorised(head, token)
    {
        return Some(unauthorised());
    }
    let operation = &site.contract.operation;
    if head.path != operation.path && !(head.method == "OPTIONS" && head.path == "*") {
        return framework(404, Why::Path);
    }
    let allow = || format!("{}, OPTIONS", operation.method);
    if head.method == "OPTIONS" && operation.method != "OPTIONS" {
        let mut answer = Answer::json(200, Why::Protocol, Vec::new()).with("Allow", allow());
        answer.remove("Content-Type");
        return Some(answer);
    }
    if head.method != operation.method {
        return framework(405, Why::Method).map(|a| a.with("Allow", allow()));
    }
    if head.get("expect").is_some_and(|e| !e.eq_ignore_ascii_case("100-continue")) {
        return framework(417, Why::Protocol);
    }
    let mut accepts = head.all("accept").peekable();
    if accepts.peek().is_some() && !takes_json(&accepts.collect::<Vec<_>>().join(",")) {
        return framework(406, Why::Accept);
    }
    let coded = head.all("content-encoding").any(|c| !c.eq_ignore_ascii_case("identity"));
    if coded || !head.get("content-type").is_some_and(is_json) {
        return framework(415, Why::Media);
    }
    None
}

/// The documented answer to a request without good credentials.
pub(crate) fn unauthorised() -> Answer {
    let body = br#"{"error":{"code":"unauthorized"}}"#.to_vec();
    Answer::json(401, Why::Credentials, body).with("WWW-Authenticate", "Bearer")
}

fn authorised(head: &Head, token: &str) -> bool {
    let mut all = head.all("authorization");
    let (Some(value), None) = (all.next(), all.next()) else { return false };
    let Some((scheme, given)) = value.split_once(' ') else { return false };
    scheme.eq_ignore_ascii_case("bearer") && same(given.trim().as_bytes(), token.as_bytes())
}

/// Compares without telling by its time where two secrets differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |seen, (x, y)| seen | (x ^ y)) == 0
}
