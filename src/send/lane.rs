//! A lane: one worker's own connection, kept open, for documented requests that differ in nothing but their
//! bodies.
//!
//! The pool of an HTTP client costs more than all else that a small batch needs, and can't be handed an
//! answer while its request is still being written. It sends over plain connections only, and never retries.

use std::future::poll_fn;
use std::io::IoSlice;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::Sender;
use super::incoming::{Failure, Incoming};
use crate::exchange::{Loss, LossKind, Request, Response};

/// So many bytes are read at once.
const PIECE: usize = 64 * 1024;
/// A body up to this size is copied behind its head, so that both go out at once.
const SMALL: usize = 16 * 1024;
/// So much of a body is worth to be read straight into its place.
const STRAIGHT: usize = 16 * 1024;
/// So many pieces are written before the other side is listened to again.
const BURST: usize = 8;
/// After this time without a request, a connection is looked at before it is used again.
const IDLE: Duration = Duration::from_secs(1);

/// One worker's own connection.
pub struct Lane {
    stream: Option<TcpStream>,
    /// The head of every request, but for the length of its body.
    head: Vec<u8>,
    /// What is to be written.
    out: Vec<u8>,
    piece: Vec<u8>,
    incoming: Incoming,
    used: Instant,
}

/// An answer, as it stands in its lane.
pub struct Heard<'a> {
    /// Status code.
    pub status: u16,
    /// The header lines, each with its end.
    pub head: &'a [u8],
    /// The body, framing removed.
    pub body: &'a [u8],
    /// From the first byte sent to the last byte received.
    pub elapsed: Duration,
}

/// What a streamed request is made of, and who takes its answer.
pub trait Exchanging {
    /// Appends the next piece of the body; false where there is none.
    fn next(&mut self, out: &mut Vec<u8>) -> bool;

    /// Takes what has come of the body of an answer with this status and these header lines.
    fn take(&mut self, status: u16, head: &[u8], body: &mut Vec<u8>);
}

impl Heard<'_> {
    /// The same as an exchange keeps it.
    #[must_use]
    pub fn response(&self) -> Response {
        Response {
            status: self.status,
            headers: headers(self.head),
            body: Bytes::copy_from_slice(self.body),
            elapsed: self.elapsed,
            framing: None,
        }
    }
}

/// Header lines as pairs, names in lower case.
#[must_use]
pub fn headers(lines: &[u8]) -> Vec<(String, String)> {
    String::from_utf8_lossy(lines)
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect()
}

/// A request whose body is there already.
struct Whole;

impl Exchanging for Whole {
    fn next(&mut self, _: &mut Vec<u8>) -> bool {
        false
    }

    fn take(&mut self, _: u16, _: &[u8], _: &mut Vec<u8>) {}
}

impl Lane {
    pub(super) fn new(sender: &Sender, request: &Request) -> Lane {
        Lane {
            stream: None,
            head: sender.plain_head(request).into_bytes(),
            out: Vec::new(),
            piece: vec![0; PIECE],
            incoming: Incoming::default(),
            used: Instant::now(),
        }
    }

    /// Sends `body`, which holds `items` items, and reads the answer to it.
    ///
    /// # Errors
    /// A [`Loss`] where no whole answer came.
    pub async fn send(
        &mut self,
        sender: &Sender,
        body: &[u8],
        items: usize,
    ) -> Result<Heard<'_>, Loss> {
        sender.pace.wait().await;
        self.begin(Some(body.len() as u64));
        // What is small is written in one piece.
        let (first, rest) = body.split_at(if body.len() <= SMALL { body.len() } else { 0 });
        self.out.extend_from_slice(first);
        let elapsed = self.exchange(sender, items, rest, &mut Whole).await?;
        let Incoming { status, body, .. } = &self.incoming;
        Ok(Heard { status: *status, head: self.incoming.lines(), body, elapsed })
    }

    /// Sends a body piece by piece, `length` bytes of it where that is known, and hands on what comes back
    /// meanwhile. Gives the time from the first byte sent to the last byte received.
    ///
    /// # Errors
    /// A [`Loss`] where no whole answer came.
    pub async fn stream(
        &mut self,
        sender: &Sender,
        length: Option<u64>,
        items: usize,
        exchanging: &mut impl Exchanging,
    ) -> Result<Duration, Loss> {
        sender.pace.wait().await;
        self.begin(length);
        if length.is_some() {
            return self.exchange(sender, items, b"", exchanging).await;
        }
        let mut chunked = Chunked { inner: exchanging, piece: Vec::new(), over: false };
        self.exchange(sender, items, b"", &mut chunked).await
    }

    fn begin(&mut self, length: Option<u64>) {
        self.out.clear();
        self.incoming.clear();
        self.out.extend_from_slice(&self.head);
        let framing = match length {
            Some(length) => format!("Content-Length: {length}\r\n\r\n"),
            None => "Transfer-Encoding: chunked\r\n\r\n".to_owned(),
        };
        self.out.extend_from_slice(framing.as_bytes());
    }

    async fn exchange(
        &mut self,
        sender: &Sender,
        items: usize,
        rest: &[u8],
        exchanging: &mut impl Exchanging,
    ) -> Result<Duration, Loss> {
        let start = Instant::now();
        let talk = self.talk(sender, rest, exchanging);
        let talk = tokio::time::timeout(sender.limit(items), talk).await;
        let elapsed = start.elapsed();
        self.used = start + elapsed;
        let failure = match talk {
            Ok(Ok(())) => return Ok(elapsed),
            Ok(Err(failure)) => failure,
            Err(_) => (LossKind::Timeout, "no whole answer in time".to_owned()),
        };
        self.stream = None;
        Err(Loss { kind: failure.0, message: failure.1, elapsed })
    }

    async fn talk(
        &mut self,
        sender: &Sender,
        rest: &[u8],
        exchanging: &mut impl Exchanging,
    ) -> Result<(), Failure> {
        if self.used.elapsed() > IDLE && self.stream.as_ref().is_some_and(is_over) {
            self.stream = None;
        }
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(sender).await?,
        };
        let Lane { out, piece, incoming, .. } = self;
        let mut writing = Writing { out, rest, written: 0, state: Written::Some };
        let mut left_over = false;
        poll_fn(|cx| {
            writing.go_on(cx, Pin::new(&mut stream), exchanging);
            loop {
                match ready!(read(cx, &mut stream, incoming, piece)) {
                    Err(error) if incoming.is_untouched() => {
                        return Poll::Ready(Err((LossKind::Reset, error.to_string())));
                    }
                    Ok(Read::Straight(count)) if count > 0 => incoming.was_read(count),
                    Ok(Read::Piece(count)) if count > 0 => {
                        left_over = incoming.take(&piece[..count])? < count;
                    }
                    // The end, or a reset after which nothing more can come.
                    _ => {
                        incoming.end()?;
                        incoming.closes = true;
                    }
                }
                if incoming.has_head() {
                    let (status, head, body) = incoming.parts();
                    exchanging.take(status, head, body);
                }
                if incoming.is_done() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
        .await?;
        // What was not written, or came unasked, would be taken for a part of the next exchange.
        let all = writing.state == Written::All;
        if all && !left_over && !self.incoming.closes {
            self.stream = Some(stream);
        }
        Ok(())
    }
}

/// How many bytes were read, and to where.
enum Read {
    /// Into the body of the answer.
    Straight(usize),
    /// Into the piece.
    Piece(usize),
}

/// Reads what has come: where the framing is known, straight to where it belongs.
fn read(
    cx: &mut Context<'_>,
    stream: &mut TcpStream,
    incoming: &mut Incoming,
    piece: &mut [u8],
) -> Poll<std::io::Result<Read>> {
    if let Some((body, left)) = incoming.space()
        && left >= STRAIGHT
    {
        body.reserve(left.min(STRAIGHT * 16));
        let mut space = body.limit(left);
        let read = pin!(stream.read_buf(&mut space)).poll(cx);
        return read.map_ok(Read::Straight);
    }
    let mut space = ReadBuf::new(piece);
    let read = ready!(Pin::new(stream).poll_read(cx, &mut space));
    Poll::Ready(read.map(|()| Read::Piece(space.filled().len())))
}

/// A request on its way out.
struct Writing<'a> {
    out: &'a mut Vec<u8>,
    /// What is written after it.
    rest: &'a [u8],
    /// How much of `out` is written.
    written: usize,
    state: Written,
}

/// How much of a request is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Some,
    All,
    /// The other side takes no more. That is no end: its answer may be there already.
    Refused,
}

impl Writing<'_> {
    /// Writes what can be written now.
    fn go_on(
        &mut self,
        cx: &mut Context<'_>,
        mut stream: Pin<&mut TcpStream>,
        exchanging: &mut impl Exchanging,
    ) {
        let mut pieces = 0;
        while self.state == Written::Some {
            if !self.rest.is_empty() {
                let parts = [IoSlice::new(&self.out[self.written..]), IoSlice::new(self.rest)];
                match stream.as_mut().poll_write_vectored(cx, &parts) {
                    Poll::Ready(Ok(count)) => {
                        let head = count.min(self.out.len() - self.written);
                        self.written += head;
                        self.rest = &self.rest[count - head..];
                    }
                    Poll::Ready(Err(_)) => self.state = Written::Refused,
                    Poll::Pending => return,
                }
                continue;
            }
            if self.written == self.out.len() {
                if pieces == BURST {
                    cx.waker().wake_by_ref();
                    return;
                }
                pieces += 1;
                self.out.clear();
                self.written = 0;
                if !exchanging.next(self.out) {
                    self.state = Written::All;
                    return;
                }
            }
            match stream.as_mut().poll_write(cx, &self.out[self.written..]) {
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(_)) => self.state = Written::Refused,
                Poll::Pending => return,
            }
        }
    }
}

/// Puts the pieces of a body into chunks.
struct Chunked<'a, E> {
    inner: &'a mut E,
    piece: Vec<u8>,
    over: bool,
}

impl<E: Exchanging> Exchanging for Chunked<'_, E> {
    fn next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.over {
            return false;
        }
        self.piece.clear();
        self.over = !self.inner.next(&mut self.piece);
        // An empty piece would be the last chunk.
        if self.over || !self.piece.is_empty() {
            push_chunk(out, &self.piece);
        }
        true
    }

    fn take(&mut self, status: u16, head: &[u8], body: &mut Vec<u8>) {
        self.inner.take(status, head, body);
    }
}

fn push_chunk(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// Whether an idle connection was closed, or says something that nobody asked for.
fn is_over(stream: &TcpStream) -> bool {
    let mut byte = [0];
    !matches!(stream.try_read(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

async fn connect(sender: &Sender) -> Result<TcpStream, Failure> {
    let address = sender.target.address();
    let connecting = TcpStream::connect((address.0.as_str(), address.1));
    match tokio::time::timeout(sender.options.connect, connecting).await {
        Ok(Ok(stream)) => {
            let _ = stream.set_nodelay(true);
            Ok(stream)
        }
        Ok(Err(error)) => Err((LossKind::Connect, error.to_string())),
        Err(_) => Err((LossKind::Connect, "no connection in time".to_owned())),
    }
}
