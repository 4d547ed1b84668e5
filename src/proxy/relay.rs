//! One connection of a client: each request is handed on to the target, and what comes back to the client.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::live::Live;
use super::message::{BodyProgress, LARGEST_HEAD, MessageHead, head};
use super::room::{BodyCapture, CaptureRoom};
use crate::contract::Contract;
use crate::exchange::{Loss, LossKind};
use crate::har::{TimeSpan, TrafficAnswer, TrafficBody, TrafficEntry};
use crate::judge::base_of;
use crate::send::{Sender, TargetStream};

/// Bytes that are read at once.
const PIECE: usize = 32 * 1024;

/// What all connections share.
pub(super) struct Shared {
    pub live: Arc<Live>,
    pub room: CaptureRoom,
    pub sender: Sender,
    pub contract: Arc<Contract>,
}

/// One side of a connection, with what was read and belongs to the next message.
struct Side<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Side<S> {
    fn new(stream: S) -> Side<S> {
        Side { stream, buffer: Vec::new() }
    }

    /// Reads more; nothing came where the other side has closed.
    async fn more(&mut self) -> io::Result<usize> {
        self.buffer.reserve(PIECE);
        self.stream.read_buf(&mut self.buffer).await
    }

    /// The next head, which stays in the buffer; none where the connection ended before it.
    async fn head(&mut self, is_request: bool) -> io::Result<Option<MessageHead>> {
        loop {
            if !self.buffer.is_empty() {
                let read = head(&self.buffer, is_request);
                if let Some(head) =
                    read.map_err(|why| io::Error::other(format!("no HTTP: {why}")))?
                {
                    return Ok(Some(head));
                }
            }
            if self.more().await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// Serves a client until either side ends the connection.
pub(super) async fn serve(shared: &Shared, client: TcpStream) {
    let _ = client.set_nodelay(true);
    let mut client = Side::new(client);
    let mut target: Option<Side<TargetStream>> = None;
    loop {
        let request = match client.head(true).await {
            Ok(Some(request)) => request,
            Ok(None) => return,
            Err(_) => {
                let _ = refuse(&mut client, 400, "the proxy can't read the request").await;
                return;
            }
        };
        let place = shared.live.begin();
        let exchange = Passing::new(shared, place, &request);
        let went_on = exchange.pass(&mut client, &mut target, &request).await;
        if !matches!(went_on, Ok(true)) {
            let _ = client.stream.shutdown().await;
            return;
        }
    }
}

/// One exchange as it passes by. One that ends early is shown too: its request may have been processed.
struct Passing<'a> {
    shared: &'a Shared,
    place: (i64, u64),
    entry: Option<TrafficEntry>,
    sent: Option<BodyCapture>,
    got: Option<BodyCapture>,
    has_body: bool,
    /// Whether all of the request went out.
    is_sent: bool,
    /// Whether the target took no more of it.
    is_refused: bool,
    /// When the last bytes of the response had come.
    ended: Option<i64>,
}

impl<'a> Passing<'a> {
    fn new(shared: &'a Shared, place: (i64, u64), request: &MessageHead) -> Passing<'a> {
        let base = &shared.sender.target.base;
        let entry = TrafficEntry {
            place: format!("exchange {}", place.1),
            span: TimeSpan { begun: place.0, ended: place.0, slack: 0 },
            method: request.method.clone(),
            url: format!("{base}{}", request.target),
            headers: request.headers.clone(),
            body: TrafficBody::Unknown,
            answer: TrafficAnswer::Lost(LossKind::Ended),
            own: None,
        };
        let is_judged = base_of(&shared.contract, &entry).is_some();
        Passing {
            sent: Some(BodyCapture::new(&shared.room, is_judged)),
            got: Some(BodyCapture::new(&shared.room, is_judged)),
            has_body: request.header("content-length").is_some()
                || !request.request_end().is_done(),
            is_sent: false,
            is_refused: false,
            ended: None,
            entry: Some(entry),
            shared,
            place,
        }
    }

    /// Why there is no response.
    fn lost(&mut self, kind: LossKind) {
        if let Some(entry) = &mut self.entry {
            entry.answer = TrafficAnswer::Lost(kind);
        }
    }

    /// A whole response came.
    fn answered(&mut self, response: &MessageHead) {
        let Some(entry) = &mut self.entry else { return };
        let lower = |(name, value): &(String, String)| (name.to_ascii_lowercase(), value.clone());
        entry.answer = TrafficAnswer::Received {
            status: response.status,
            headers: response.headers.iter().map(lower).collect(),
            body: TrafficBody::None,
            is_coded: true,
        };
    }

    /// Passes request and response on; whether the connection of the client goes on.
    async fn pass(
        mut self,
        client: &mut Side<TcpStream>,
        target: &mut Option<Side<TargetStream>>,
        request: &MessageHead,
    ) -> io::Result<bool> {
        // What comes unasked, or from a connection that was closed meanwhile, belongs to no request.
        if target.as_mut().is_some_and(|idle| !idle.buffer.is_empty() || idle.stream.is_over()) {
            *target = None;
        }
        let mut upstream = match target.take() {
            Some(upstream) => upstream,
            None => match self.shared.sender.connect().await {
                Ok(stream) => Side::new(stream),
                Err(Loss { kind, message, .. }) => {
                    self.lost(kind);
                    refuse(client, 502, &message).await?;
                    return Ok(false);
                }
            },
        };
        let host = self.shared.sender.target.host();
        upstream.stream.write_all(&with_host(&client.buffer[..request.length], &host)).await?;
        client.buffer.drain(..request.length);
        let mut sending = request.request_end();
        let Some(response) = self.response_head(client, &mut upstream, &mut sending).await? else {
            return Ok(false);
        };
        let is_tunnel = response.status == 101
            || request.method == "CONNECT" && (200..300).contains(&response.status);
        if is_tunnel {
            self.answered(&response);
            drop(self);
            client.stream.write_all(&upstream.buffer).await?;
            upstream.stream.write_all(&client.buffer).await?;
            tokio::io::copy_bidirectional(&mut client.stream, &mut upstream.stream).await?;
            return Ok(false);
        }
        let mut receiving = response.response_end(&request.method);
        let is_whole = self.body(client, &mut upstream, &mut sending, &mut receiving).await?;
        if !is_whole {
            self.lost(LossKind::Reset);
            return Ok(false);
        }
        self.is_sent = sending.is_done() && !self.is_refused;
        self.answered(&response);
        let is_framed = receiving.is_done() && !self.is_refused;
        drop(self);
        let goes_on = is_framed && sending.is_done() && !request.closes() && !response.closes();
        if goes_on {
            *target = Some(upstream);
        }
        Ok(goes_on)
    }

    /// Passes the body of the request on until the head of the response has come, and that too; nothing where none
    /// comes. Interim responses are passed on before it.
    async fn response_head(
        &mut self,
        client: &mut Side<TcpStream>,
        upstream: &mut Side<TargetStream>,
        sending: &mut BodyProgress,
    ) -> io::Result<Option<MessageHead>> {
        loop {
            self.send_on(client, upstream, sending).await?;
            self.is_sent = sending.is_done() && !self.is_refused;
            let come = if upstream.buffer.is_empty() { None } else { read_head(&upstream.buffer)? };
            if let Some(response) = come {
                client.stream.write_all(&upstream.buffer[..response.length]).await?;
                upstream.buffer.drain(..response.length);
                if matches!(response.status, 100 | 102..=199) {
                    continue;
                }
                return Ok(Some(response));
            }
            let came = tokio::select! {
                read = upstream.more() => read?,
                read = client.more(), if client.buffer.len() < LARGEST_HEAD => {
                    if read? == 0 {
                        // The client has left.
                        self.lost(if sending.is_done() { LossKind::Ended } else { LossKind::HungUp });
                        return Ok(None);
                    }
                    continue;
                }
            };
            self.ended = Some(self.shared.live.now());
            if came == 0 {
                self.lost(LossKind::Reset);
                refuse(client, 502, "the target closed the connection without a response").await?;
                return Ok(None);
            }
        }
    }

    /// Passes the bodies on; whether that of the response came whole.
    async fn body(
        &mut self,
        client: &mut Side<TcpStream>,
        upstream: &mut Side<TargetStream>,
        sending: &mut BodyProgress,
        receiving: &mut BodyProgress,
    ) -> io::Result<bool> {
        loop {
            let got = &mut self.got;
            let mut keep = |bytes: &[u8]| got.iter_mut().for_each(|got| got.add(bytes));
            let taken = receiving
                .pass(&upstream.buffer, &mut keep)
                .map_err(|()| io::Error::other("the chunks of the response are broken"));
            // What the client gets is what came, whatever it is.
            let (bytes, broken) = match taken {
                Ok(taken) => (taken, None),
                Err(broken) => (upstream.buffer.len(), Some(broken)),
            };
            client.stream.write_all(&upstream.buffer[..bytes]).await?;
            upstream.buffer.drain(..bytes);
            if let Some(broken) = broken {
                self.lost(LossKind::NoHttp);
                return Err(broken);
            }
            if receiving.is_done() {
                return Ok(true);
            }
            self.send_on(client, upstream, sending).await?;
            let came = tokio::select! {
                read = upstream.more() => read?,
                // A pipelined request waits for its turn.
                read = client.more(), if !sending.is_done() => {
                    if read? == 0 {
                        return Ok(false);
                    }
                    continue;
                }
            };
            self.ended = Some(self.shared.live.now());
            if came == 0 {
                return Ok(matches!(receiving, BodyProgress::UntilClosed));
            }
        }
    }

    /// Sends what has come of the request's body.
    async fn send_on(
        &mut self,
        client: &mut Side<TcpStream>,
        upstream: &mut Side<TargetStream>,
        sending: &mut BodyProgress,
    ) -> io::Result<()> {
        if !sending.is_done() && !client.buffer.is_empty() {
            let sent = &mut self.sent;
            let mut keep = |bytes: &[u8]| sent.iter_mut().for_each(|sent| sent.add(bytes));
            let taken = sending
                .pass(&client.buffer, &mut keep)
                .map_err(|()| io::Error::other("the chunks of the request are broken"))?;
            let written = upstream.stream.write_all(&client.buffer[..taken]).await;
            client.buffer.drain(..taken);
            if written.is_err() {
                // A target may answer and close before it has read all; its answer may be there already.
                self.is_refused = true;
                *sending = BodyProgress::Done;
                return Ok(());
            }
        }
        upstream
            .stream
            .flush()
            .await
            .or_else(|error| if self.is_refused { Ok(()) } else { Err(error) })
    }
}

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        let (Some(mut entry), Some(sent), Some(got)) =
            (self.entry.take(), self.sent.take(), self.got.take())
        else {
            return;
        };
        entry.span.ended = self.ended.unwrap_or_else(|| self.shared.live.now());
        let mut taken = 0;
        if self.is_sent {
            let (body, bytes) = sent.finish(self.has_body);
            entry.body = body;
            taken += bytes;
        }
        if let TrafficAnswer::Received { body, .. } = &mut entry.answer {
            let (whole, bytes) = got.finish(true);
            *body = whole;
            taken += bytes;
        }
        let room = self.shared.room.taken(taken);
        self.shared.live.end_exchange(self.place, Some((entry, room)));
    }
}

fn read_head(bytes: &[u8]) -> io::Result<Option<MessageHead>> {
    head(bytes, false).map_err(|why| io::Error::other(format!("no HTTP: {why}")))
}

/// A request's head with the target's own name as its host.
fn with_host(head: &[u8], host: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len() + host.len());
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let is_host = line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"host:"));
        if is_host {
            out.extend_from_slice(&line[..5]);
            out.extend_from_slice(format!(" {host}\r\n").as_bytes());
        } else {
            out.extend_from_slice(line);
        }
    }
    out
}

/// Answers a request that can't be handed on.
async fn refuse(client: &mut Side<TcpStream>, status: u16, why: &str) -> io::Result<()> {
    let reason = if status == 400 { "Bad Request" } else { "Bad Gateway" };
    let body = format!("batchproof proxy: {why}\n");
    let text = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    client.stream.write_all(text.as_bytes()).await?;
    client.stream.flush().await
}
