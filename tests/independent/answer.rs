//! Answers: their shapes, and their bytes.

use super::choices::{Choice, Choices};
use super::moment;
use super::tree::Json;
use std::fmt::Write as _;

/// An answer before it is written.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(&'static str, String)>,
    body: Option<Json>,
    /// Whether anybody may expect a certain body: under a 400 to a well-framed request and a 404.
    judged: bool,
}

/// The circumstances under which an answer is written.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub choices: Choices,
    /// HEAD: everything but the body.
    pub head_only: bool,
    /// To an HTTP/1.0 client.
    pub old: bool,
    pub close: bool,
    /// Which request of this server it answers.
    pub serial: u64,
}

impl Answer {
    pub fn json(status: u16, body: Json) -> Self {
        Self { status, headers: Vec::new(), body: Some(body), judged: matches!(status, 400 | 404) }
    }

    /// The shape in which Spring itself answers.
    pub fn framework(status: u16, path: &str) -> Self {
        Self::json(
            status,
            Json::Object(vec![
                ("timestamp", Json::text(moment::timestamp())),
                ("status", Json::Number(status.into())),
                ("error", Json::text(reason(status))),
                ("path", Json::text(path)),
            ]),
        )
    }

    /// What came was no HTTP request: nothing is known about it, and nobody judges the body.
    pub fn unframed(status: u16) -> Self {
        Self { judged: false, ..Self::framework(status, "/") }
    }

    /// What a gateway says of a server behind it: nobody judges the body.
    pub fn gateway(status: u16, path: &str) -> Self {
        Self { judged: false, ..Self::framework(status, path) }
    }

    /// What the HTTP layer, or a gateway, says before the endpoint is reached: nobody judges the body.
    pub fn before_the_endpoint(self) -> Self {
        Self { judged: false, ..self }
    }

    /// Whether the credentials were refused.
    pub fn refuses_credentials(&self) -> bool {
        matches!(self.status, 401 | 403)
    }

    /// The documented answer to bad credentials.
    pub fn unauthorized() -> Self {
        Self::json(
            401,
            Json::Object(vec![("error", Json::Object(vec![("code", Json::text("unauthorized"))]))]),
        )
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: None, judged: true }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The bytes to send.
    pub fn encode(&self, manner: Manner) -> Vec<u8> {
        let choices = manner.choices;
        let (media_type, body) = self.body(choices);
        let mut headers: Vec<(&str, String)> = self.headers.clone();
        headers.push(("Date", moment::http_date()));
        if choices.has(Choice::Gateway) {
            headers.push(("Server", "nginx".to_owned()));
            headers.push(("Via", "1.1 gateway, 1.1 varnish".to_owned()));
            headers.push(("X-Request-Id", format!("req-{:08x}", manner.serial)));
            headers.push(("Set-Cookie", "AWSALB=one; Path=/; Secure".to_owned()));
            headers.push(("Set-Cookie", "AWSALBCORS=two; Path=/".to_owned()));
        }
        if manner.close {
            headers.push(("Connection", "close".to_owned()));
        } else if manner.old || choices.has(Choice::Gateway) {
            headers.push(("Connection", "keep-alive".to_owned()));
            headers.push(("Keep-Alive", "timeout=60".to_owned()));
        }
        if !media_type.is_empty() {
            headers.push(("Content-Type", media_type.to_owned()));
        }
        let may_chunk = !manner.old && self.status != 204;
        let oddly = choices.has(Choice::ChunkedOddly) && may_chunk;
        let chunked = (choices.has(Choice::ChunkedAnswers) || oddly) && may_chunk;
        let until_close = choices.has(Choice::CloseDelimited) && manner.close;
        if chunked {
            headers.push(("Transfer-Encoding", "chunked".to_owned()));
        } else if self.status != 204 && !until_close {
            headers.push(("Content-Length", body.len().to_string()));
        }

        let phrase = if choices.has(Choice::EmptyReason) { "" } else { reason(self.status) };
        let mut head = format!("HTTP/1.1 {} {phrase}\r\n", self.status);
        for (name, value) in headers {
            let name = if choices.has(Choice::LowercaseHeaders) {
                name.to_lowercase()
            } else {
                name.to_owned()
            };
            // Writing to a string can't fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if manner.head_only || self.status == 204 {
            return bytes;
        }
        if chunked {
            put_chunks(&mut bytes, body.as_bytes(), oddly);
        } else {
            bytes.extend_from_slice(body.as_bytes());
        }
        bytes
    }

    /// Media type and body.
    fn body(&self, choices: Choices) -> (&'static str, String) {
        let Some(json) = &self.body else {
            return ("", String::new());
        };
        if self.status >= 400 && !self.judged {
            if choices.has(Choice::HtmlErrors) {
                let body = format!(
                    "<html><head><title>{0}</title></head><body>{0}</body></html>\n",
                    reason(self.status)
                );
                return ("text/html;charset=utf-8", body);
            }
            if choices.has(Choice::EmptyErrors) {
                return ("", String::new());
            }
        }
        let media_type = match () {
            () if choices.has(Choice::Charset) => "application/json; charset=utf-8",
            () if choices.has(Choice::OddCaseType) => "Application/JSON",
            () => "application/json",
        };
        (media_type, json.write(choices))
    }
}

fn put_chunks(out: &mut Vec<u8>, mut body: &[u8], oddly: bool) {
    let mut size = if oddly { 1 } else { 1000 };
    while !body.is_empty() {
        let (piece, rest) = body.split_at(size.min(body.len()));
        let line = if oddly {
            format!("00{:X};n=\"a;b\"\r\n", piece.len())
        } else {
            format!("{:x}\r\n", piece.len())
        };
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
        body = rest;
        if oddly {
            size = (size * 3).min(5000);
        }
    }
    out.extend_from_slice(if oddly { b"000;last\r\nX-Trailer: yes\r\n\r\n" } else { b"0\r\n\r\n" });
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        411 => "Length Required",
        413 => "Payload Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    }
}
