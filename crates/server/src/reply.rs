//! An answer before it is bytes, and the bytes that it becomes.
//!
//! Knows HTTP and the shapes of error bodies; must not know why an item is broken.

use std::cell::RefCell;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use batchproof_contract::Contract;

/// Why a request is answered as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyReason {
    /// The batch was processed.
    Processed,
    /// One item was read.
    Read,
    /// An item is broken, and the whole request is refused for it.
    Item,
    /// The envelope is broken.
    Envelope,
    /// The body is not JSON, or not judged.
    Syntax,
    Credentials,
    Path,
    Method,
    Media,
    Accept,
    /// `OPTIONS`, framing, sizes: all that the batch has no part in.
    Protocol,
}

/// How the body's end is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyFraming {
    /// A true `Content-Length`.
    Sized,
    /// A `Content-Length` that differs from the body by this number of bytes.
    Off(i64),
    /// Chunks, with or without the last one.
    Chunked { ended: bool },
    /// A true `Content-Length`, and a body even where none may follow.
    Unasked,
    /// Nothing tells, and the connection stays open.
    Open,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) why: ReplyReason,
    pub(crate) framing: ReplyFraming,
    /// Bytes written after the body.
    pub(crate) tail: &'static [u8],
    /// Waited before the first byte is written.
    pub(crate) delay: Duration,
    /// The connection ends after this number of bytes.
    pub(crate) cut: Option<usize>,
    /// The connection is closed after this answer.
    pub(crate) close: bool,
}

impl Reply {
    /// A JSON body.
    pub(crate) fn json(status: u16, why: ReplyReason, body: Vec<u8>) -> Reply {
        Reply {
            status,
            headers: vec![("Content-Type", "application/json".to_owned())],
            body,
            why,
            framing: ReplyFraming::Sized,
            tail: b"",
            delay: Duration::ZERO,
            cut: None,
            close: false,
        }
    }

    /// An error in the shape of a web framework.
    pub(crate) fn framework(status: u16, why: ReplyReason, path: &str) -> Reply {
        let now = Utc::now().format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string();
        let body = json!({
            "timestamp": now, "status": status, "error": reason(status), "path": path,
        });
        Reply::json(status, why, body.to_string().into_bytes())
    }

    /// A refusal in the shape of the endpoint itself.
    pub(crate) fn refusal(
        contract: &Contract,
        why: ReplyReason,
        code: &str,
        description: &str,
    ) -> Reply {
        let batch = &contract.batch;
        let mut body = Map::new();
        body.insert(batch.verdict.field.clone(), Value::from(&*batch.verdict.rejected));
        if batch.error.has_code || contract.shape.is_some() {
            body.insert(batch.error.code.clone(), contract.code_value(400, code));
        }
        if batch.error.has_description || contract.shape.is_some() {
            body.insert(batch.error.description.clone(), Value::from(description));
        }
        Reply::json(400, why, Value::Object(body).to_string().into_bytes())
    }

    /// The same answer with one more header.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// Replaces a header.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.remove(name);
        self.headers.push((name, value.to_owned()));
    }

    /// Removes a header.
    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The whole answer as bytes; `bare` leaves out the body, as an answer to HEAD does.
    pub(crate) fn render(&self, close: bool, bare: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + self.body.len());
        out.extend_from_slice(b"HTTP/1.1 ");
        push_number(&mut out, u64::from(self.status));
        out.push(b' ');
        out.extend_from_slice(reason(self.status).as_bytes());
        out.extend_from_slice(b"\r\nDate: ");
        push_date(&mut out);
        for (name, value) in &self.headers {
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
        }
        let length = u64::try_from(self.body.len()).unwrap_or(u64::MAX);
        let declared = match self.framing {
            // RFC 9110 section 8.6: no length where there is never a body.
            _ if self.status == 204 => None,
            ReplyFraming::Sized | ReplyFraming::Unasked => Some(length),
            ReplyFraming::Off(by) => Some(length.saturating_add_signed(by)),
            ReplyFraming::Chunked { .. } | ReplyFraming::Open => None,
        };
        if let Some(declared) = declared {
            out.extend_from_slice(b"\r\nContent-Length: ");
            push_number(&mut out, declared);
        } else if matches!(self.framing, ReplyFraming::Chunked { .. }) && self.status != 204 {
            out.extend_from_slice(b"\r\nTransfer-Encoding: chunked");
        }
        if close {
            out.extend_from_slice(b"\r\nConnection: close");
        }
        out.extend_from_slice(b"\r\n\r\n");
        if bare && self.framing != ReplyFraming::Unasked || self.status == 204 {
            return out;
        }
        match self.framing {
            ReplyFraming::Chunked { ended } => {
                for part in self.body.chunks(4096) {
                    out.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
                    out.extend_from_slice(part);
                    out.extend_from_slice(b"\r\n");
                }
                if ended {
                    out.extend_from_slice(b"0\r\n\r\n");
                }
            }
            _ => out.extend_from_slice(&self.body),
        }
        out.extend_from_slice(self.tail);
        out
    }
}

/// Writes a whole number in decimal.
pub(crate) fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

thread_local! {
    // A date lasts a second: formatting it for every answer would cost more than the answer's head.
    static DATE: RefCell<(i64, String)> = const { RefCell::new((0, String::new())) };
}

fn push_date(out: &mut Vec<u8>) {
    let now: DateTime<Utc> = Utc::now();
    DATE.with_borrow_mut(|(second, text)| {
        if *second != now.timestamp() {
            *second = now.timestamp();
            *text = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        }
        out.extend_from_slice(text.as_bytes());
    });
}

/// The reason phrase of a status.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        207 => "Multi-Status",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        422 => "Unprocessable Content",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    }
}
