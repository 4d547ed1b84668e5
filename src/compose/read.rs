//! Composes the request that shows one item.

use bytes::Bytes;

use super::usual_headers;
use crate::case::{Credential, Framing};
use crate::exchange::Request;
use crate::session::Environment;

/// The contract's request for the item with a key; nothing where the contract has none, or the key does not fit.
#[must_use]
pub fn read_request(environment: &Environment, key: &str) -> Option<Request> {
    let read = environment.contract.read.as_ref().filter(|read| read.can_carry(key))?;
    let body = read.body_of(key);
    let mut headers = usual_headers();
    if body.is_none() {
        headers.retain(|(name, _)| name != "Content-Type");
    }
    // What a cache keeps says nothing of what is stored by now (RFC 9111 section 5.2.1.4).
    headers.push(("Cache-Control".to_owned(), "no-cache".to_owned()));
    for (name, value) in read.headers_of(key) {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        headers.push((name, value));
    }
    Some(Request {
        method: read.method.clone(),
        path: read.path_of(key),
        headers,
        credential: Credential::Good,
        body: body.map(Bytes::from),
        framing: Framing::Sized,
        hang_up: None,
        new_connection: false,
        trace: None,
        raw: None,
    })
}
