//! Shows every request that was sent, with what came back, to a log of the traffic.
//!
//! Credentials are taken out here. It must not know how a log is written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::{SpooledTempFile, spooled_tempfile};

use super::lane::headers;
use super::{Sender, StreamedExchange, head};
use crate::exchange::{Answer, Loss, REDACTED, Request, Response};

/// Bytes of a streamed body that stay in memory; the rest is in a file that has no name.
const IN_MEMORY: usize = 256 * 1024;

/// Keeps a log of the traffic.
pub trait TrafficLog: Send + Sync {
    /// Called for every request, once it is known what came back.
    fn note(&self, exchange: LoggedExchange<'_>);
}

/// A request that was sent, and what came back.
pub struct LoggedExchange<'a> {
    /// What stands before the path: scheme, host, prefix.
    pub base: &'a str,
    /// The request; its body stands beside it.
    pub request: &'a Request,
    /// All header fields that were sent, secret values taken out, but for those that frame the body.
    pub headers: Vec<(String, String)>,
    /// What was sent of the body.
    pub body: LoggedBody<'a>,
    /// Whether it went over HTTP/2.
    pub http_2: bool,
    /// When it began.
    pub begun: Instant,
    /// What came back.
    pub answer: LoggedAnswer<'a>,
}

/// What came back.
pub enum LoggedAnswer<'a> {
    /// A response.
    Received {
        /// Status code.
        status: u16,
        /// Header fields, names in lower case.
        headers: Vec<(String, String)>,
        /// The body.
        body: LoggedBody<'a>,
        /// From the first byte sent to the last byte received.
        elapsed: Duration,
    },
    /// None.
    Lost(&'a Loss),
}

/// A body, as far as it is known.
pub enum LoggedBody<'a> {
    /// There is none.
    None,
    /// All of it.
    Held(&'a [u8]),
    /// All of it, in a file.
    Spooled(SpooledTempFile),
    /// It was too large to be held; its length.
    TooLarge(u64),
}

/// A request under way. One that is dropped before its end is noted too: it may have reached the target.
pub(super) struct UnderWay<'a> {
    sender: &'a Sender,
    log: Option<(Arc<dyn TrafficLog>, Request)>,
    body: Option<&'a [u8]>,
    begun: Instant,
}

impl<'a> UnderWay<'a> {
    /// Begins; `body` is that of a request which is held without one.
    pub fn begin(sender: &'a Sender, request: &Request, body: Option<&'a [u8]>) -> UnderWay<'a> {
        let log = sender.traffic_log.get().map(|log| (Arc::clone(log), request.clone()));
        UnderWay { sender, log, body, begun: Instant::now() }
    }

    /// It was answered, or is known to be lost.
    pub fn ended(mut self, answer: &Answer) {
        match answer {
            Answer::Received(response) => self.note(received(response)),
            Answer::Lost(loss) => self.note(LoggedAnswer::Lost(loss)),
        }
    }

    /// The same of a response whose parts stand elsewhere.
    pub fn answered(mut self, status: u16, lines: &[u8], body: &[u8], elapsed: Duration) {
        if self.log.is_some() {
            let (headers, body) = (headers(lines), LoggedBody::Held(body));
            self.note(LoggedAnswer::Received { status, headers, body, elapsed });
        }
    }

    /// No whole response came.
    pub fn lost(mut self, loss: &Loss) {
        self.note(LoggedAnswer::Lost(loss));
    }

    fn note(&mut self, answer: LoggedAnswer<'_>) {
        let Some((log, request)) = self.log.take() else { return };
        let held = request.body.as_deref().or(self.body);
        log.note(LoggedExchange {
            base: &self.sender.target.base,
            headers: shown_headers(self.sender, &request),
            request: &request,
            body: held.map_or(LoggedBody::None, LoggedBody::Held),
            http_2: self.sender.speaks_only_http_2(),
            begun: self.begun,
            answer,
        });
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.log.is_some() {
            let loss = Loss::ended(self.begun.elapsed());
            self.note(LoggedAnswer::Lost(&loss));
        }
    }
}

fn received(response: &Response) -> LoggedAnswer<'_> {
    let body = match &response.outline {
        Some(outline) => LoggedBody::TooLarge(outline.bytes),
        None => LoggedBody::Held(&response.body),
    };
    LoggedAnswer::Received {
        status: response.status,
        headers: response.headers.clone(),
        body,
        elapsed: response.elapsed,
    }
}

/// The header fields of a request: values of the profile's and of credentials are shown nowhere.
fn shown_headers(sender: &Sender, request: &Request) -> Vec<(String, String)> {
    let is_own = |name: &str| {
        name.eq_ignore_ascii_case("traceparent")
            || request.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    };
    let fields: Vec<(String, String)> = head::fields(sender, request, &[])
        .map(|(name, value)| {
            let value = if is_own(name) { value.into_owned() } else { REDACTED.to_owned() };
            (name.to_owned(), value)
        })
        .collect();
    let has = |name: &str| fields.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let mut all = Vec::new();
    for (name, value) in [("Host", sender.target.host()), ("User-Agent", head::USER_AGENT.into())] {
        if !has(name) {
            all.push((name.to_owned(), value));
        }
    }
    all.extend(fields);
    all
}

/// A streamed request whose bodies are kept beside, in files.
pub(super) struct SpooledExchange<'a, E> {
    inner: &'a mut E,
    sent: SpooledTempFile,
    got: SpooledTempFile,
    head: Option<(u16, Vec<(String, String)>)>,
    failed: bool,
}

impl<'a, E: StreamedExchange> SpooledExchange<'a, E> {
    pub fn new(inner: &'a mut E) -> SpooledExchange<'a, E> {
        let spool = || spooled_tempfile(IN_MEMORY);
        SpooledExchange { inner, sent: spool(), got: spool(), head: None, failed: false }
    }

    /// Hands on what was sent and what came back.
    pub fn ended(
        self,
        sender: &Sender,
        request: &Request,
        begun: Instant,
        ended: &Result<Duration, Loss>,
    ) {
        let Some(log) = sender.traffic_log.get() else { return };
        let whole =
            |file| if self.failed { LoggedBody::TooLarge(0) } else { LoggedBody::Spooled(file) };
        let cut = Loss::ended(begun.elapsed());
        let answer = match (ended, self.head) {
            (Ok(elapsed), Some((status, headers))) => {
                LoggedAnswer::Received { status, headers, body: whole(self.got), elapsed: *elapsed }
            }
            (Err(loss), _) => LoggedAnswer::Lost(loss),
            (Ok(_), None) => LoggedAnswer::Lost(&cut),
        };
        log.note(LoggedExchange {
            base: &sender.target.base,
            headers: shown_headers(sender, request),
            request,
            body: whole(self.sent),
            http_2: sender.speaks_only_http_2(),
            begun,
            answer,
        });
    }
}

impl<E: StreamedExchange> StreamedExchange for SpooledExchange<'_, E> {
    fn next_piece(&mut self, out: &mut Vec<u8>) -> bool {
        use std::io::Write as _;
        let from = out.len();
        let more = self.inner.next_piece(out);
        self.failed |= self.sent.write_all(&out[from..]).is_err();
        more
    }

    fn take_body(&mut self, status: u16, head: &[u8], body: &mut Vec<u8>) {
        use std::io::Write as _;
        if self.head.is_none() {
            self.head = Some((status, headers(head)));
        }
        self.failed |= self.got.write_all(body).is_err();
        self.inner.take_body(status, head, body);
    }
}
