//! One connection: reads requests, frames bodies, writes answers, byte by byte under this server's
//! control.
//!
//! A library would mend what faults must break (lengths, chunks, endings). Knows HTTP/1.1 and
//! nothing of batches.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::fault::{Call, Handling, RefusedBody};
use super::reply::{Reply, ReplyReason};
use super::request_head::{BodyLength, ParsedHead, RequestHead};
use super::{ServerState, batch, gate, read};

/// The largest body that is read.
const BODY_LIMIT: usize = 1024 * 1024 * 1024;
/// Larger bodies are parsed off the connection's thread, so that others are not kept waiting.
const INLINE: usize = 256 * 1024;
const IDLE: Duration = Duration::from_mins(2);
const STALL: Duration = Duration::from_secs(30);
const LINGER: Duration = Duration::from_secs(10);

/// Why reading ended.
enum ReadEnd {
    /// The client is gone.
    Gone,
    /// To be answered with this status, and closed.
    Status(u16),
}

/// Serves a connection to its end.
pub(crate) async fn serve(site: Arc<ServerState>, stream: impl ByteStream, number: u64) {
    let mut connection =
        ClientConnection { site, number, stream, buffer: BytesMut::with_capacity(8 * 1024) };
    while connection.exchange().await == AfterExchange::NextRequest {}
}

#[derive(PartialEq, Eq)]
enum AfterExchange {
    /// The connection stays open for the next request.
    NextRequest,
    /// It is over.
    Over,
}

/// What bytes come and go through, encrypted or not.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> ByteStream for S {}

struct ClientConnection<S> {
    site: Arc<ServerState>,
    number: u64,
    stream: S,
    buffer: BytesMut,
}

impl<S: ByteStream> ClientConnection<S> {
    /// One request and its answer.
    async fn exchange(&mut self) -> AfterExchange {
        let sent = match self.head().await {
            Ok(head) => head,
            Err(ReadEnd::Gone) => return AfterExchange::Over,
            Err(ReadEnd::Status(status)) => {
                let answer = Reply::framework(status, ReplyReason::Protocol, "/");
                self.write(&answer.render(true, false)).await;
                return self.part().await;
            }
        };
        let started = Instant::now();
        let mut handling = Handling { refused: None, continues: true };
        let refusal = {
            let call = Call::new(&self.site, &sent, self.number, started);
            let mut understood = None;
            for (own, hook) in call.at(|h| h.head) {
                let head = understood.get_or_insert_with(|| sent.clone());
                let before = (head.clone(), handling);
                hook(&own, head, &mut handling);
                own.changed(before != (head.clone(), handling));
            }
            let head = understood.as_ref().unwrap_or(&sent);
            gate::check(&self.site, head).map(|answer| batch::finish(&call, answer))
        };
        let length = sent.length();
        match refusal {
            Some(answer) => {
                let refused = handling.refused.filter(|(why, _)| *why == answer.why);
                self.refuse(sent, started, length, refused.map(|(_, how)| how), answer).await
            }
            None => self.accept(sent, started, length, handling.continues).await,
        }
    }

    /// Answers a request that its head refuses, without waiting for its body.
    async fn refuse(
        &mut self,
        head: RequestHead,
        started: Instant,
        length: BodyLength,
        refused: Option<RefusedBody>,
        answer: Reply,
    ) -> AfterExchange {
        if length == BodyLength::Unclear {
            self.send(&answer, &head, true).await;
            return self.part().await;
        }
        let waits = head.waits() && length != BodyLength::Sized(0) && self.buffer.is_empty();
        let Some(refused) = refused else {
            let close = answer.close || head.closes() || waits;
            if self.send(&answer, &head, close).await == AfterExchange::Over {
                return AfterExchange::Over;
            }
            if close || self.body(length).await.is_err() {
                return self.part().await;
            }
            return AfterExchange::NextRequest;
        };
        if waits {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        let Ok(body) = self.body(length).await else { return self.part().await };
        let close = answer.close || head.closes();
        let answer = match refused {
            RefusedBody::Judged => {
                let call = Call::new(&self.site, &head, self.number, started);
                batch::judge_only(&call, &body).unwrap_or(answer)
            }
            RefusedBody::Processed => {
                let _ = self.process(head.clone(), started, body).await;
                answer
            }
        };
        self.send(&answer, &head, close).await;
        if close { self.part().await } else { AfterExchange::NextRequest }
    }

    /// Reads the body, processes it, answers.
    async fn accept(
        &mut self,
        head: RequestHead,
        started: Instant,
        length: BodyLength,
        continues: bool,
    ) -> AfterExchange {
        if matches!(length, BodyLength::Sized(size) if size > BODY_LIMIT) {
            let answer = Reply::framework(413, ReplyReason::Protocol, &head.path);
            self.send(&answer, &head, true).await;
            return self.part().await;
        }
        if head.waits() && self.buffer.is_empty() && length != BodyLength::Sized(0) {
            if continues {
                self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await;
            } else if self.fill(Duration::from_secs(3)).await.is_err() {
                return AfterExchange::Over;
            }
        }
        let body = match self.body(length).await {
            Ok(body) => body,
            Err((ReadEnd::Gone, partial)) => {
                let call = Call::new(&self.site, &head, self.number, started);
                call.at(|h| h.hangup).for_each(|(own, hook)| {
                    own.changed(true);
                    hook(&own, &partial);
                });
                return AfterExchange::Over;
            }
            Err((ReadEnd::Status(status), _)) => {
                let answer = Reply::framework(status, ReplyReason::Protocol, &head.path);
                self.send(&answer, &head, true).await;
                return self.part().await;
            }
        };
        let (close, bare) = (head.closes(), head.method == "HEAD");
        let Ok(answer) = self.process(head, started, body).await else {
            return AfterExchange::Over;
        };
        if self.transmit(&answer, close, bare).await == AfterExchange::Over {
            return AfterExchange::Over;
        }
        if close || answer.close { self.part().await } else { AfterExchange::NextRequest }
    }

    /// Large bodies take long: they are kept off the runtime's own threads.
    async fn process(
        &self,
        head: RequestHead,
        started: Instant,
        body: Vec<u8>,
    ) -> Result<Reply, ()> {
        let number = self.number;
        if body.len() <= INLINE {
            return respond(&Call::new(&self.site, &head, number, started), body);
        }
        let site = Arc::clone(&self.site);
        tokio::task::spawn_blocking(move || {
            respond(&Call::new(&site, &head, number, started), body)
        })
        .await
        .unwrap_or(Err(()))
    }

    async fn head(&mut self) -> Result<RequestHead, ReadEnd> {
        loop {
            // RFC 9112 section 2.2: an empty line before the request line is overlooked.
            while self.buffer.starts_with(b"\r\n") {
                self.buffer.advance(2);
            }
            if !self.buffer.is_empty() {
                match RequestHead::parse(&self.buffer) {
                    ParsedHead::Head(head, size) => {
                        self.buffer.advance(size);
                        return Ok(head);
                    }
                    ParsedHead::Bad(status) => return Err(ReadEnd::Status(status)),
                    ParsedHead::Partial => {}
                }
            }
            let limit = if self.buffer.is_empty() { IDLE } else { STALL };
            match self.fill(limit).await {
                Err(ReadEnd::Status(408)) if self.buffer.is_empty() => return Err(ReadEnd::Gone),
                other => other?,
            }
        }
    }

    async fn fill(&mut self, limit: Duration) -> Result<(), ReadEnd> {
        match timeout(limit, self.stream.read_buf(&mut self.buffer)).await {
            Err(_) => Err(ReadEnd::Status(408)),
            Ok(Ok(0) | Err(_)) => Err(ReadEnd::Gone),
            Ok(Ok(_)) => Ok(()),
        }
    }

    async fn body(&mut self, length: BodyLength) -> Result<Vec<u8>, (ReadEnd, Vec<u8>)> {
        let mut body = Vec::new();
        let read = match length {
            BodyLength::Sized(size) if size > BODY_LIMIT => Err(ReadEnd::Status(413)),
            BodyLength::Sized(size) => self.take(size, &mut body).await,
            BodyLength::Chunked => self.chunks(&mut body).await,
            BodyLength::Unclear => Err(ReadEnd::Status(400)),
        };
        read.map_err(|broken| (broken, std::mem::take(&mut body))).map(|()| body)
    }

    /// Moves `size` bytes of the stream to the end of `body`.
    async fn take(&mut self, size: usize, body: &mut Vec<u8>) -> Result<(), ReadEnd> {
        let ready = size.min(self.buffer.len());
        // What is declared is not believed before it is there.
        body.reserve(size.min(1024 * 1024));
        body.extend_from_slice(&self.buffer[..ready]);
        self.buffer.advance(ready);
        let mut left = size - ready;
        while left > 0 {
            let part = u64::try_from(left).unwrap_or(u64::MAX);
            let read = (&mut self.stream).take(part).read_buf(body).await_within(STALL).await?;
            left -= read.min(left);
        }
        Ok(())
    }

    async fn chunks(&mut self, body: &mut Vec<u8>) -> Result<(), ReadEnd> {
        loop {
            let line = self.line().await?;
            let digits = line.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
            let size = std::str::from_utf8(digits)
                .ok()
                .filter(|d| !d.starts_with('+'))
                .and_then(|d| usize::from_str_radix(d, 16).ok())
                .ok_or(ReadEnd::Status(400))?;
            if size > BODY_LIMIT - body.len().min(BODY_LIMIT) {
                return Err(ReadEnd::Status(413));
            }
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(());
            }
            self.take(size, body).await?;
            if !self.line().await?.is_empty() {
                return Err(ReadEnd::Status(400));
            }
        }
    }

    async fn line(&mut self) -> Result<Vec<u8>, ReadEnd> {
        loop {
            if let Some(end) = self.buffer.iter().position(|b| *b == b'\n') {
                let mut line = self.buffer.split_to(end + 1);
                line.truncate(end);
                return Ok(line.strip_suffix(b"\r").unwrap_or(&line).to_vec());
            }
            if self.buffer.len() > super::request_head::LIMIT {
                return Err(ReadEnd::Status(400));
            }
            self.fill(STALL).await?;
        }
    }

    async fn send(&mut self, answer: &Reply, head: &RequestHead, close: bool) -> AfterExchange {
        self.transmit(answer, close, head.method == "HEAD").await
    }

    async fn transmit(&mut self, answer: &Reply, close: bool, bare: bool) -> AfterExchange {
        if !answer.delay.is_zero() {
            tokio::time::sleep(answer.delay).await;
        }
        let bytes = answer.render(close || answer.close, bare);
        match answer.cut {
            Some(cut) => {
                self.write(&bytes[..cut.min(bytes.len())]).await;
                AfterExchange::Over
            }
            None => self.write(&bytes).await,
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> AfterExchange {
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(STALL, writing).await {
            Ok(Ok(())) => AfterExchange::NextRequest,
            _ => AfterExchange::Over,
        }
    }

    /// Ends a connection whose client may still be sending: closing at once would reset it, and the
    /// answer could be lost with what was not read (RFC 9112 section 9.6).
    async fn part(&mut self) -> AfterExchange {
        let _ = self.stream.shutdown().await;
        let _ = timeout(LINGER, async {
            loop {
                self.buffer.clear();
                match self.stream.read_buf(&mut self.buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {}
                }
            }
        })
        .await;
        AfterExchange::Over
    }
}

/// The answer to a whole request, or the lack of one.
fn respond(call: &Call<'_>, body: Vec<u8>) -> Result<Reply, ()> {
    match read::answer(call, &body) {
        Some(answer) => Ok(answer),
        None => batch::process(call, body),
    }
}

/// Reading with a limit of time, where nothing read means that the client is gone.
trait Within {
    async fn await_within(self, limit: Duration) -> Result<usize, ReadEnd>;
}

impl<F: Future<Output = std::io::Result<usize>>> Within for F {
    async fn await_within(self, limit: Duration) -> Result<usize, ReadEnd> {
        match timeout(limit, self).await {
            Err(_) => Err(ReadEnd::Status(408)),
            Ok(Ok(0) | Err(_)) => Err(ReadEnd::Gone),
            Ok(Ok(read)) => Ok(read),
        }
    }
}
