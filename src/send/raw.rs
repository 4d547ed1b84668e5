//! A raw connection, where framing itself is tested or the client disconnects: every byte is ours, and what
//! contradicts RFC 9112 in the answer is noted.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Sender;
use super::allowance::Allowance;
use super::body_end::{SILENCE, is_whole};
use super::connection::TargetConnection;
use super::head::{self, BodyEnd};
use super::incoming::{Incoming, LossReason};
use super::lane::headers;
use super::memory::{AnswerBounds, Buffered};
use crate::case::{Credential, Disconnect};
use crate::exchange::{
    Answer, FramingFault, FramingSeen, Loss, LossKind, Request, Response, TOKEN_MARK,
};

/// How long a client waits with its body for `100 Continue`.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bytes behind an answer that are shown.
const SHOWN: usize = 60;
/// How long we listen for bytes behind an answer.
const AFTER: Duration = Duration::from_millis(20);

pub(super) async fn send(
    sender: &Sender,
    request: &Request,
    signature: &[(String, String)],
    limit: Duration,
    bounds: AnswerBounds,
) -> Answer {
    let start = Instant::now();
    let lost = |(kind, message): LossReason| {
        Answer::Lost(Loss { kind, message, elapsed: start.elapsed() })
    };
    if let Some(why) = sender.raw_excluded().await {
        return lost((LossKind::HungUp, format!("{why}; nothing was sent")));
    }
    let allowance = Allowance::new(limit);
    match allowance.within(talk(sender, request, signature, &allowance, bounds)).await {
        Some(Ok(response)) => Answer::Received(Response { elapsed: start.elapsed(), ..response }),
        Some(Err(failure)) => lost(failure),
        None => lost((allowance.late(), "no whole answer in time".to_owned())),
    }
}

async fn talk(
    sender: &Sender,
    request: &Request,
    signature: &[(String, String)],
    allowance: &Allowance,
    bounds: AnswerBounds,
) -> Result<Response, LossReason> {
    let mut talk = Talk {
        connection: TargetConnection::open(sender).await?,
        incoming: Incoming::observed(bounds.most, &request.method, request.is_http_1_0()),
        body: Buffered::new(&sender.memory, allowance, 0, bounds),
        piece: vec![0; 16 * 1024],
        left_over: 0,
        following: Vec::new(),
        is_followed: false,
    };
    let bytes = match &request.raw {
        Some(raw) => filled(raw, sender, request, signature),
        None => render(sender, request, signature),
    };
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    let until = match request.hang_up {
        None | Some(Disconnect::BeforeAnswer) => bytes.len(),
        Some(Disconnect::AfterHeaders) => head,
        Some(Disconnect::HalfBody) => head + (bytes.len() - head) / 2,
    };
    let waits = request.header("expect").is_some() && until > head;
    talk.write(&bytes[..if waits { head } else { until }]).await?;
    let mut kept_waiting = false;
    if waits {
        // As a careful client does: the body goes out once the server has said anything, or after a while.
        match talk.read(PATIENCE).await {
            Some(read) => _ = read?,
            None => kept_waiting = true,
        }
        // A final answer may have come, and its connection be closed: that is what counts then.
        let written = talk.write(&bytes[head..until]).await;
        if !talk.incoming.has_head() {
            written?;
        }
    }
    if request.hang_up.is_some() {
        let _ = talk.connection.shutdown().await;
        return Err((LossKind::HungUp, "the client disconnected".to_owned()));
    }
    talk.answer().await?;
    let (status, headers) = (talk.incoming.status, headers(talk.incoming.lines()));
    let seen =
        FramingSeen { fault: talk.fault(), continued: talk.incoming.continued, kept_waiting };
    let (body, outline) = talk.body.finish();
    let elapsed = Duration::ZERO;
    Ok(Response { status, headers, body, elapsed, framing: Some(seen), outline })
}

/// The bytes of a case, with the credentials where they go, and the trace context behind the last header.
fn filled(
    raw: &Bytes,
    sender: &Sender,
    request: &Request,
    signature: &[(String, String)],
) -> Vec<u8> {
    let mark = TOKEN_MARK.as_bytes();
    let end = raw.windows(4).position(|w| w == b"\r\n\r\n").map_or(raw.len(), |at| at + 2);
    let (head, rest) = raw.split_at(end);
    let mut out = Vec::with_capacity(raw.len() + 256);
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if line.windows(mark.len()).any(|w| w == mark) {
            credential_lines(line, sender, signature, &mut out);
        } else {
            out.extend_from_slice(line);
        }
    }
    if let Some(trace) = request.trace.filter(|_| rest.starts_with(b"\r\n")) {
        out.extend_from_slice(format!("traceparent: {trace}\r\n").as_bytes());
    }
    out.extend_from_slice(&with_token(rest, sender));
    out
}

/// The header lines that stand for `line`, which names bearer credentials: those of the target's own scheme.
fn credential_lines(
    line: &[u8],
    sender: &Sender,
    signature: &[(String, String)],
    out: &mut Vec<u8>,
) {
    let token = &sender.token;
    if sender.signer.is_some() {
        for (name, value) in signature {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        return;
    }
    let text = String::from_utf8_lossy(line);
    let (name, value) = text.split_once(':').unwrap_or((&text, ""));
    let good = format!("Bearer {TOKEN_MARK}");
    let is_whole = value.trim() == good && name.eq_ignore_ascii_case("authorization");
    if !is_whole {
        out.extend_from_slice(&with_token(line, sender));
        return;
    }
    // Without a token, there is nothing to show.
    let Some(shown) = token.header(Credential::Good) else { return };
    let own = token.scheme().header();
    let name = if name.eq_ignore_ascii_case(own) {
        name.to_owned()
    } else if name.bytes().any(|byte| byte.is_ascii_lowercase()) {
        own.to_owned()
    } else {
        own.to_ascii_uppercase()
    };
    out.extend_from_slice(format!("{name}: {shown}\r\n").as_bytes());
}

/// Bytes with the token in place of its mark.
fn with_token(bytes: &[u8], sender: &Sender) -> Vec<u8> {
    let mark = TOKEN_MARK.as_bytes();
    let mut out = bytes.to_vec();
    while let Some(at) = out.windows(mark.len()).position(|w| w == mark) {
        out.splice(at..at + mark.len(), sender.token.expose().bytes());
    }
    out
}

fn render(sender: &Sender, request: &Request, signature: &[(String, String)]) -> Vec<u8> {
    let end = match &request.body {
        Some(body) => BodyEnd::Length(body.len() as u64),
        // RFC 9110 section 8.6: a method that expects content says that there is none.
        None if matches!(request.method.as_str(), "POST" | "PUT" | "PATCH") => BodyEnd::Length(0),
        None => BodyEnd::NoBody,
    };
    let mut bytes = head::write(sender, request, signature, end);
    bytes.extend_from_slice(request.body.as_deref().unwrap_or_default());
    bytes
}

/// One request and its answer.
struct Talk<'a> {
    connection: TargetConnection,
    incoming: Incoming,
    body: Buffered<'a>,
    piece: Vec<u8>,
    /// Bytes that came behind the answer.
    left_over: usize,
    /// The first of them.
    following: Vec<u8>,
    /// Whether they follow a whole answer.
    is_followed: bool,
}

impl Talk<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), LossReason> {
        let reset = |error: std::io::Error| (LossKind::Reset, error.to_string());
        self.connection.write_all(bytes).await.map_err(reset)?;
        self.connection.flush().await.map_err(reset)
    }

    /// Reads once, where anything comes within `time`: whether more may come.
    async fn read(&mut self, time: Duration) -> Option<Result<bool, LossReason>> {
        // To take in what came may wait for room: that is not silence of the target.
        let read = tokio::time::timeout(time, self.connection.read(&mut self.piece)).await.ok()?;
        Some(self.take(read).await)
    }

    /// Takes in what was read.
    async fn take(&mut self, read: std::io::Result<usize>) -> Result<bool, LossReason> {
        match read {
            Ok(0) => Ok(false),
            Ok(count) => {
                let taken = self.incoming.take(&self.piece[..count])?;
                self.left_over += count - taken;
                let room = SHOWN.saturating_sub(self.following.len());
                self.following.extend(self.piece[taken..count].iter().take(room));
                self.body.add(&self.incoming.body).await?;
                self.incoming.body.clear();
                Ok(true)
            }
            // A reset behind an answer is its end.
            Err(_) if !self.incoming.is_untouched() => Ok(false),
            Err(error) => Err((LossKind::Reset, error.to_string())),
        }
    }

    /// Reads the answer to its end, and listens whether more follows.
    async fn answer(&mut self) -> Result<(), LossReason> {
        while !self.incoming.is_done() {
            match self.read(SILENCE).await {
                Some(read) => {
                    if !read? {
                        return self.incoming.end();
                    }
                }
                None => self.after_silence()?,
            }
        }
        if self.incoming.fault().is_none() && !self.incoming.ends_with_connection() {
            if self.left_over == 0 {
                // Whether bytes follow though nothing more was asked.
                let _ = self.read(AFTER).await;
            }
            self.is_followed = self.left_over > 0;
        }
        Ok(())
    }

    /// What is wrong with the framing of the answer.
    fn fault(&self) -> Option<FramingFault> {
        if self.is_followed {
            let (count, first) = (self.left_over, self.following.clone());
            return Some(FramingFault::Following { count, first });
        }
        self.incoming.fault().map(|words| FramingFault::Other(words.to_owned()))
    }

    /// A target that declares more than it sends, or ends its body by nothing, would keep us until the time-out.
    fn after_silence(&mut self) -> Result<(), LossReason> {
        if self.incoming.is_sized() && is_whole(self.body.bytes()) {
            return self.incoming.end();
        }
        if self.incoming.ends_with_connection()
            && !self.incoming.promised
            && is_whole(self.body.bytes())
        {
            let fault = "neither Content-Length nor chunks, and the connection stays open";
            return self.incoming.note(fault.to_owned());
        }
        Ok(())
    }
}
