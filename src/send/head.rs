//! The head of a request: the one place where headers of the profile, of the case and of the credentials meet.
//!
//! It must not know how the head reaches the target.

use std::borrow::Cow;

use reqwest::header::{HeaderName, HeaderValue};

use super::{Sender, present};
use crate::case::Credential;
use crate::exchange::{Request, TRACE_HEADER};

/// Who we are.
pub(super) const USER_AGENT: &str = concat!("batchproof/", env!("CARGO_PKG_VERSION"));

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyEnd {
    /// After this number of bytes.
    Length(u64),
    /// With its last chunk.
    Chunks,
    /// There is none, and nothing says so.
    NoBody,
}

/// The header fields of `request`, those that frame its body aside. A name or value that HTTP does not allow, such
/// as one with a control character, is left out: it could be read as another header.
pub(super) fn fields<'a>(
    sender: &'a Sender,
    request: &'a Request,
    signature: &'a [(String, String)],
) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
    let other =
        sender.other_tenant.as_ref().filter(|_| request.credential == Credential::OtherTenant);
    let others = other.into_iter().flat_map(|tenant| &tenant.headers);
    let is_left_out = move |name: &str| {
        let is_it = |own: &String| own.eq_ignore_ascii_case(name);
        match (request.credential, other) {
            (Credential::NoFurtherKey, _) => sender.further_keys.iter().any(is_it),
            (_, Some(tenant)) => tenant.headers.keys().any(is_it),
            _ => false,
        }
    };
    let own = sender.profile_headers.iter().filter(move |(name, _)| !is_left_out(name));
    let given = own.chain(&request.headers).chain(signature).map(|(name, value)| (name, value));
    let trace = request.trace.map(|trace| ("traceparent", Cow::Owned(trace.to_string())));
    let token = &sender.token;
    let shows_its_own =
        others.clone().any(|(name, _)| name.eq_ignore_ascii_case(token.scheme().header()));
    let shown = match other.and_then(|tenant| tenant.secret.as_deref()) {
        Some(secret) => present::header(token.scheme(), Some(secret), Credential::Good),
        None => token.header(request.credential).filter(|_| !shows_its_own),
    };
    let credentials = shown.map(|value| (token.scheme().header(), Cow::Owned(value)));
    given
        .chain(others)
        .map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str())))
        .chain(credentials)
        .chain(trace)
        .filter(|(name, value)| {
            let is_untraced = value.is_empty() && name.eq_ignore_ascii_case(TRACE_HEADER);
            !is_untraced
                && HeaderName::from_bytes(name.as_bytes()).is_ok()
                && HeaderValue::from_bytes(value.as_bytes()).is_ok()
        })
}

/// Request line and header lines, to the empty line that ends them.
pub(super) fn write(
    sender: &Sender,
    request: &Request,
    signature: &[(String, String)],
    end: BodyEnd,
) -> Vec<u8> {
    let mut head = open(sender, request, signature);
    close(&mut head, end);
    head
}

/// Request line and header lines, but for those that frame the body.
pub(super) fn open(sender: &Sender, request: &Request, signature: &[(String, String)]) -> Vec<u8> {
    let target = &sender.target;
    let mut text = line(&request.method, &format!("{}{}", target.prefix(), request.path));
    let fields: Vec<_> = fields(sender, request, signature).collect();
    let has = |name: &str| fields.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    let authority = target.host();
    let own = [("Host", authority.as_str()), ("User-Agent", USER_AGENT)];
    for (name, value) in own {
        if !has(name) {
            text.extend([name, ": ", value, "\r\n"]);
        }
    }
    for (name, value) in &fields {
        text.extend([name, ": ", value.as_ref(), "\r\n"]);
    }
    text.into_bytes()
}

/// The request line. What would end it early is encoded, as every HTTP client does.
fn line(method: &str, path: &str) -> String {
    let mut line: String = method.chars().filter(char::is_ascii_graphic).collect();
    line.push(' ');
    for byte in path.bytes() {
        if byte.is_ascii_graphic() {
            line.push(char::from(byte));
        } else {
            line.extend(percent_encoded(byte));
        }
    }
    line.push_str(" HTTP/1.1\r\n");
    line
}

/// A byte as a URL spells it where it stands for nothing else (RFC 3986, section 2.1).
fn percent_encoded(byte: u8) -> [char; 3] {
    let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value & 0xF)]);
    ['%', digit(byte >> 4), digit(byte)]
}

/// Adds what frames the body, and the empty line.
pub(super) fn close(head: &mut Vec<u8>, end: BodyEnd) {
    match end {
        BodyEnd::Length(length) => {
            head.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes());
        }
        BodyEnd::Chunks => head.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n"),
        BodyEnd::NoBody => head.extend_from_slice(b"\r\n"),
    }
}
