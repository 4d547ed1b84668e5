//! A request, and the situation that it stands in: derived from what is sent, so that a user's own
//! request is read like a shipped one.

use bytes::Bytes;

use super::TraceParent;
use crate::case::{Credential, Disconnect, Framing};
use crate::contract::media_type::MediaType;
use crate::contract::{Contract, DeclaredScheme, DeclaredSecurity};

/// A request, its credentials named but never held.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Path and query below the target's base; the documented path unless a case says otherwise.
    pub path: String,
    /// Headers beside `Authorization`; names as they are sent.
    pub headers: Vec<(String, String)>,
    /// Which credentials it carries.
    pub credential: Credential,
    /// The body; none is not the same as an empty one.
    pub body: Option<Bytes>,
    /// How the body is framed.
    pub framing: Framing,
    /// Where the client hangs up, if it does.
    pub hang_up: Option<Disconnect>,
    /// Whether it gets a connection of its own.
    pub new_connection: bool,
    /// By what the logs of the target name it; set when it is sent.
    pub trace: Option<TraceParent>,
    /// The whole request as bytes, where framing itself is on trial; `method`, `path`, `headers` and
    /// `body` then say what it contains.
    pub raw: Option<Bytes>,
}

impl Request {
    /// The first header of that name, ignoring letter case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Whether its request line says HTTP/1.0, as only one that is given as bytes does.
    #[must_use]
    pub fn is_http_1_0(&self) -> bool {
        let line = self.raw.as_ref().and_then(|raw| raw.split(|b| *b == b'\r').next());
        line.is_some_and(|line| line.ends_with(b"HTTP/1.0"))
    }
}

/// Which statuses are in place for a request, before its body is looked at (INTERPRETATION-07).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Situation {
    /// The documented method, path and media type, with good credentials.
    Ordinary,
    /// Without good credentials.
    Credentials,
    /// Another method.
    Method,
    /// `OPTIONS`, which may be answered 2xx.
    Options,
    /// Another media type.
    MediaType,
    /// An `Accept` that excludes the documented answers.
    Accept,
    /// A path beside or below the documented one.
    Path,
    /// The client hangs up halfway.
    HungUp,
    /// The contract's request for one item.
    Read,
    /// Something that INTERPRETATION-09 or INTERPRETATION-10 leaves unjudged, or a head so odd that it may be refused.
    Unjudged,
}

/// Headers of more bytes than this may be refused for their size (RFC 6585, section 5).
const LONG_HEADERS: usize = 4096;
/// A path longer than this may be refused for its length (RFC 9110, section 15.5.15).
const LONG_PATH: usize = 1024;

/// Whether the head alone is reason enough to refuse a request: its size, a query that can't be decoded, or a
/// coding of the body.
fn is_odd_head(request: &Request) -> bool {
    let size: usize = request.headers.iter().map(|(n, v)| n.len() + v.len()).sum();
    let undecodable = request.path.split('%').skip(1).any(|rest| {
        let digits = rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count();
        digits < 2
    });
    // Whether an old client is served is not documented.
    request.is_http_1_0()
        || size > LONG_HEADERS
        || request.path.len() > LONG_PATH
        || undecodable
        || request.header("content-encoding").is_some_and(|c| !c.eq_ignore_ascii_case("identity"))
}

/// Whether a case wrote a header that shows credentials itself.
fn shows_its_own(contract: &Contract, request: &Request) -> bool {
    let declared = match &contract.operation.security {
        DeclaredSecurity::Scheme(DeclaredScheme::ApiKey(name))
        | DeclaredSecurity::Optional(DeclaredScheme::ApiKey(name)) => Some(name),
        _ => None,
    };
    request.header("authorization").is_some()
        || declared.is_some_and(|name| request.header(name).is_some())
}

/// Derives the situation of `request`.
#[must_use]
pub fn situation_of(contract: &Contract, request: &Request) -> Situation {
    let documented = &contract.operation.path;
    let path = request.path.split('?').next().unwrap_or("");
    if request.hang_up.is_some() {
        return Situation::HungUp;
    }
    if path != documented {
        // With credentials of the case's own, somebody else may look.
        let is_own = request.credential == Credential::Good && !shows_its_own(contract, request);
        if is_own && key_read(contract, request).is_some() {
            return Situation::Read;
        }
        let same = path.trim_end_matches('/').eq_ignore_ascii_case(documented);
        return if same { Situation::Unjudged } else { Situation::Path };
    }
    if shows_its_own(contract, request) || request.credential == Credential::InQuery {
        // A header of the case's own: who knows what it says.
        return Situation::Unjudged;
    }
    if !matches!(request.credential, Credential::Good | Credential::OtherTenant) {
        return Situation::Credentials;
    }
    if request.method != contract.operation.method {
        return if request.method == "OPTIONS" { Situation::Options } else { Situation::Method };
    }
    if is_odd_head(request) {
        return Situation::Unjudged;
    }
    let media = |value: &str| request_media(contract, value);
    match request.header("content-type").map(media) {
        Some(RequestMedia::Documented) => {}
        Some(RequestMedia::Other) => return Situation::MediaType,
        Some(RequestMedia::Unclear) | None => return Situation::Unjudged,
    }
    match request.header("accept") {
        Some(accept) if excludes_answers(contract, accept) => Situation::Accept,
        _ => Situation::Ordinary,
    }
}

/// The key that a request reads, where it is the contract's request for one item.
#[must_use]
pub fn key_read(contract: &Contract, request: &Request) -> Option<String> {
    let read = contract.read.as_ref().filter(|_| request.raw.is_none())?;
    read.key_of(&request.method, &request.path, request.body.as_deref())
}

enum RequestMedia {
    Documented,
    Other,
    Unclear,
}

fn request_media(contract: &Contract, value: &str) -> RequestMedia {
    let media = MediaType::parse(value);
    if media.essence == MediaType::parse(contract.request_media()).essence {
        return match media.foreign_charset() {
            None => RequestMedia::Documented,
            Some(_) => RequestMedia::Unclear,
        };
    }
    let well_formed =
        media.essence.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
    if !well_formed || media.essence.contains('*') || media.essence.contains("json") {
        RequestMedia::Unclear
    } else {
        RequestMedia::Other
    }
}

fn excludes_answers(contract: &Contract, accept: &str) -> bool {
    let documented = MediaType::parse(contract.success_media()).essence;
    !accept.split(',').any(|range| {
        let essence = MediaType::parse(range.trim()).essence;
        let is_documented = essence == documented;
        essence.is_empty() || essence.contains('*') || essence.contains("json") || is_documented
    })
}
