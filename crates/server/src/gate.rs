//! What the head alone decides: credentials, path, method, expectation, media types.
//!
//! Asked before a byte of the body is read, credentials first. Stores nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use batchproof_contract::CredentialScheme;

use super::ServerState;
use super::kept;
use super::reply::{Reply, ReplyReason};
use super::request_head::{BodyLength, RequestHead, is_media, takes};

/// The answer that the head alone demands, where it demands one.
pub(crate) fn check(site: &ServerState, head: &RequestHead) -> Option<Reply> {
    let framework = |status, why| Some(Reply::framework(status, why, &head.path));
    if head.length() == BodyLength::Unclear || (head.minor > 0 && head.get("host").is_none()) {
        return framework(400, ReplyReason::Protocol).map(|mut answer| {
            answer.close = true;
            answer
        });
    }
    if let Some(token) = &site.token
        && !authorised(site, head, token)
        && !is_other_tenant(site, head)
    {
        return Some(unauthorised(site));
    }
    let lacks = |name: &&String| head.get(name).is_none_or(str::is_empty);
    if site.further_keys.iter().any(|name| lacks(&name)) {
        return Some(unauthorised(site));
    }
    if kept::is_read(&site.contract, head) {
        return None;
    }
    let operation = &site.contract.operation;
    if head.path != operation.path && !(head.method == "OPTIONS" && head.path == "*") {
        return framework(404, ReplyReason::Path);
    }
    let allow = || format!("{}, OPTIONS", operation.method);
    if head.method == "OPTIONS" && operation.method != "OPTIONS" {
        let mut answer = Reply::json(200, ReplyReason::Protocol, Vec::new()).with("Allow", allow());
        answer.remove("Content-Type");
        return Some(answer);
    }
    if head.method != operation.method {
        return framework(405, ReplyReason::Method).map(|a| a.with("Allow", allow()));
    }
    if head.get("expect").is_some_and(|e| !e.eq_ignore_ascii_case("100-continue")) {
        return framework(417, ReplyReason::Protocol);
    }
    let mut accepts = head.values("accept").peekable();
    if accepts.peek().is_some() {
        let accepts = accepts.collect::<Vec<_>>().join(",");
        if !takes(&accepts, site.contract.success_media()) {
            return framework(406, ReplyReason::Accept);
        }
    }
    let coded = head.values("content-encoding").any(|c| !c.eq_ignore_ascii_case("identity"));
    if coded
        || !head
            .get("content-type")
            .is_some_and(|value| is_media(value, site.contract.request_media()))
    {
        return framework(415, ReplyReason::Media);
    }
    None
}

/// The documented answer to a request without good credentials.
pub(crate) fn unauthorised(site: &ServerState) -> Reply {
    let body = br#"{"error":{"code":"unauthorized"}}"#.to_vec();
    let challenge = site.scheme.word().unwrap_or("ApiKey");
    Reply::json(401, ReplyReason::Credentials, body).with("WWW-Authenticate", challenge)
}

/// Whether the other tenant shows its credentials.
pub(crate) fn is_other_tenant(site: &ServerState, head: &RequestHead) -> bool {
    site.other_token.as_ref().is_some_and(|token| authorised(site, head, token))
}

fn authorised(site: &ServerState, head: &RequestHead, token: &str) -> bool {
    let mut all = head.values(site.scheme.header());
    let (Some(value), None) = (all.next(), all.next()) else { return false };
    let Some(word) = site.scheme.word() else {
        return same(value.trim().as_bytes(), token.as_bytes());
    };
    let Some((scheme, given)) = value.split_once(' ') else { return false };
    if !scheme.eq_ignore_ascii_case(word) {
        return false;
    }
    match site.scheme {
        CredentialScheme::Basic => {
            let given = BASE64.decode(given.trim()).unwrap_or_default();
            same(&given, token.as_bytes())
        }
        _ => same(given.trim().as_bytes(), token.as_bytes()),
    }
}

/// Compares without telling by its time where two secrets differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |seen, (x, y)| seen | (x ^ y)) == 0
}
