//! The head of a request: request line, headers, and what they say of the body.
//!
//! Pure reading of bytes; decides nothing about the request.

use batchproof_contract::media_type::MediaType;

/// The most bytes that a head may have.
pub(crate) const LIMIT: usize = 64 * 1024;

/// A request's head. Header names keep the letter case in which they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RequestHead {
    pub(crate) method: String,
    /// The target's path, without query.
    pub(crate) path: String,
    /// The whole target as it was sent.
    pub(crate) target: String,
    /// `1` for HTTP/1.1, `0` for HTTP/1.0.
    pub(crate) minor: u8,
    pub(crate) headers: Vec<(String, String)>,
}

/// What bytes at the start of a request are.
pub(crate) enum ParsedHead {
    /// More bytes are needed.
    Partial,
    /// A head, and how many bytes it has.
    Head(RequestHead, usize),
    /// No head; the status that says so.
    Bad(u16),
}

/// How long the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLength {
    Sized(usize),
    Chunked,
    /// The headers contradict themselves.
    Unclear,
}

impl RequestHead {
    /// Reads a head from the start of `bytes`.
    pub(crate) fn parse(bytes: &[u8]) -> ParsedHead {
        let mut slots = [httparse::EMPTY_HEADER; 128];
        let mut request = httparse::Request::new(&mut slots);
        let size = match request.parse(bytes) {
            Ok(httparse::Status::Complete(size)) => size,
            Ok(httparse::Status::Partial) if bytes.len() > LIMIT => return ParsedHead::Bad(431),
            Ok(httparse::Status::Partial) => return ParsedHead::Partial,
            Err(httparse::Error::TooManyHeaders) => return ParsedHead::Bad(431),
            Err(httparse::Error::Version) => return ParsedHead::Bad(505),
            Err(_) => return ParsedHead::Bad(400),
        };
        let headers = request
            .headers
            .iter()
            .map(|h| (h.name.to_owned(), String::from_utf8_lossy(h.value).trim().to_owned()))
            .collect();
        let target = request.path.unwrap_or_default();
        let head = RequestHead {
            method: request.method.unwrap_or_default().to_owned(),
            path: path_of(target).to_owned(),
            target: target.to_owned(),
            minor: request.version.unwrap_or(1),
            headers,
        };
        ParsedHead::Head(head, size)
    }

    /// The values of a header, in the order in which they were sent.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| &**v)
    }

    /// A header's first value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| &**v)
    }

    /// Replaces a header.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Removes a header.
    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// Whether the client wants the connection closed after the answer.
    pub(crate) fn closes(&self) -> bool {
        self.minor == 0
            || self
                .values("connection")
                .flat_map(|v| v.split(','))
                .any(|t| t.trim().eq_ignore_ascii_case("close"))
    }

    /// Whether the client waits for a `100 Continue`.
    pub(crate) fn waits(&self) -> bool {
        self.minor > 0 && self.get("expect").is_some_and(|v| v.eq_ignore_ascii_case("100-continue"))
    }

    /// How long the body is (RFC 9112 section 6.3).
    pub(crate) fn length(&self) -> BodyLength {
        let mut sizes = self.values("content-length").flat_map(|v| v.split(','));
        if let Some(coding) = self.get("transfer-encoding") {
            let once = self.values("transfer-encoding").count() == 1;
            let plain = once && self.minor > 0 && coding.eq_ignore_ascii_case("chunked");
            // A length beside a coding is how requests are smuggled: refused.
            return if plain && sizes.next().is_none() {
                BodyLength::Chunked
            } else {
                BodyLength::Unclear
            };
        }
        let Some(first) = sizes.next() else { return BodyLength::Sized(0) };
        let first = first.trim();
        let digits = !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit());
        if !digits || sizes.any(|other| other.trim() != first) {
            return BodyLength::Unclear;
        }
        // A length beyond every integer is still a length, and too large.
        BodyLength::Sized(first.parse().unwrap_or(usize::MAX))
    }
}

fn path_of(target: &str) -> &str {
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| target.strip_prefix(scheme))
        .map_or(target, |after| after.find('/').map_or("/", |at| &after[at..]));
    rest.split(['?', '#']).next().unwrap_or(rest)
}

/// Whether `value` names this media type, whatever the parameters.
pub(crate) fn is_media(value: &str, media: &str) -> bool {
    MediaType::parse(value).essence == MediaType::parse(media).essence
}

/// Whether an Accept header leaves room for a media type (RFC 9110 section 12.5.1).
pub(crate) fn takes(accept: &str, media: &str) -> bool {
    let essence = MediaType::parse(media).essence;
    let of_kind = essence.split_once('/').map(|(kind, _)| format!("{kind}/*"));
    let mut best: Option<(u8, bool)> = None;
    for range in accept.split(',').map(str::trim).filter(|r| !r.is_empty()) {
        let mut parts = range.split(';').map(str::trim);
        let precision = match parts.next().unwrap_or("").to_ascii_lowercase().as_str() {
            range if range == essence => 2,
            range if Some(range) == of_kind.as_deref() => 1,
            "*/*" | "*" => 0,
            _ => continue,
        };
        let refused = parts.any(|p| {
            p.get(..2).is_some_and(|q| q.eq_ignore_ascii_case("q="))
                && p[2..].trim().parse::<f32>().is_ok_and(|q| q <= 0.0)
        });
        if best.is_none_or(|(known, _)| precision >= known) {
            best = Some((precision, !refused));
        }
    }
    best.map_or_else(|| accept.trim().is_empty(), |(_, taken)| taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> RequestHead {
        match RequestHead::parse(text.as_bytes()) {
            ParsedHead::Head(head, size) if size == text.len() => head,
            _ => panic!("no head: {text}"),
        }
    }

    #[test]
    fn lengths_are_read_or_refused() {
        let of = |headers: &str| head(&format!("POST / HTTP/1.1\r\n{headers}\r\n")).length();
        assert_eq!(of(""), BodyLength::Sized(0));
        assert_eq!(of("content-LENGTH: 12\r\n"), BodyLength::Sized(12));
        assert_eq!(of("Content-Length: 12, 12\r\n"), BodyLength::Sized(12));
        assert_eq!(of("Content-Length: 12\r\nContent-Length: 13\r\n"), BodyLength::Unclear);
        assert_eq!(of("Content-Length: -1\r\n"), BodyLength::Unclear);
        assert_eq!(of("Content-Length: 99999999999999999999\r\n"), BodyLength::Sized(usize::MAX));
        assert_eq!(of("Transfer-Encoding: Chunked\r\n"), BodyLength::Chunked);
        assert_eq!(of("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"), BodyLength::Unclear);
        assert_eq!(of("Transfer-Encoding: gzip, chunked\r\n"), BodyLength::Unclear);
    }

    #[test]
    fn targets_and_media_ranges() {
        assert_eq!(head("GET http://h:1/a/b?c HTTP/1.1\r\n\r\n").path, "/a/b");
        assert_eq!(head("GET http://h HTTP/1.1\r\n\r\n").path, "/");
        let json = "application/json";
        assert!(is_media("Application/JSON; charset=utf-8", json));
        assert!(!is_media("application/json5", json));
        assert!(takes("application/x-ndjson, */*;q=0", "application/x-ndjson"));
        for (accept, taken) in [
            ("*/*", true),
            ("", true),
            ("text/html, application/*;q=0.5", true),
            ("text/html", false),
            ("application/json;q=0, */*", false),
            ("application/xml", false),
        ] {
            assert_eq!(takes(accept, json), taken, "{accept}");
        }
    }
}
