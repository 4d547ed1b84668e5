//! A lane: one worker's own connection, kept open, for documented requests that differ in nothing but their
//! bodies.
//!
//! The pool of an HTTP client costs more than all else that a small batch needs, and can't be handed an
//! answer while its request is still being written. It speaks HTTP/1.1 and never retries.

mod request_writer;

use std::future::poll_fn;
use std::io::Write as _;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::connection::TargetConnection;
use super::good_answers::is_good;
use super::head::{self, BodyEnd};
use super::incoming::{Incoming, LossReason};
use super::memory::AnswerBounds;
use super::sign::{SignatureHeaders, SignedBody, without_signatures};
use super::{Sender, Turn, UnderWay};
use crate::exchange::{Loss, LossKind, Request, Response, TraceParent};
use request_writer::{ChunkedPieces, RequestWriter, WriteState};

/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;
/// A body up to this size is copied behind its head, so that both go out at once.
const SMALL: usize = 16 * 1024;
/// So much of a body is worth to be read straight into its place.
const STRAIGHT: usize = 16 * 1024;
/// Bytes of a body that a lane takes, and what each item adds: many times what a right answer has.
const MOST: (u64, u64) = (1024 * 1024, 2048);
/// After this time without a request, a connection is looked at before it is used again.
const IDLE: Duration = Duration::from_secs(1);

/// One worker's own connection.
pub struct Lane {
    stream: Option<TargetConnection>,
    /// What every request says, but for its body.
    request: Request,
    /// The head of every request, but for the length of its body.
    head: Vec<u8>,
    /// Which token the head shows.
    generation: u64,
    /// The headers that sign the request under way.
    signature: SignatureHeaders,
    /// What is to be written.
    out: Vec<u8>,
    piece: Vec<u8>,
    incoming: Incoming,
    used: Instant,
}

/// Why there is no answer.
pub enum LaneFailure {
    /// None came.
    Lost(Loss),
    /// It is too large for a lane, whose memory is not counted; nothing is said of it.
    TooLarge,
}

/// An answer, as it stands in its lane.
pub struct LaneAnswer<'a> {
    /// Status code.
    pub status: u16,
    /// The header lines, each with its end.
    pub head: &'a [u8],
    /// The body, framing removed.
    pub body: &'a [u8],
    /// From the first byte sent to the last byte received.
    pub elapsed: Duration,
    bounds: AnswerBounds,
    signature: &'a [(String, String)],
}

/// What a streamed request is made of, and who takes its answer.
pub trait StreamedExchange {
    /// Appends the next piece of the body; false where there is none.
    fn next_piece(&mut self, out: &mut Vec<u8>) -> bool;

    /// Takes what has come of the body of an answer with this status and these header lines.
    fn take_body(&mut self, status: u16, head: &[u8], body: &mut Vec<u8>);
}

impl LaneAnswer<'_> {
    /// Whether it may be parsed whole beside those of all other lanes.
    #[must_use]
    pub fn is_modest(&self) -> bool {
        self.bounds.is_modest(self.body)
    }

    /// The same as an exchange keeps it.
    #[must_use]
    pub fn response(&self) -> Response {
        let mut response = Response {
            status: self.status,
            headers: headers(self.head),
            body: Bytes::copy_from_slice(self.body),
            elapsed: self.elapsed,
            framing: None,
            outline: None,
        };
        without_signatures(&mut response, self.signature);
        response
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
struct NoFurtherPieces;

impl StreamedExchange for NoFurtherPieces {
    fn next_piece(&mut self, _: &mut Vec<u8>) -> bool {
        false
    }

    fn take_body(&mut self, _: u16, _: &[u8], _: &mut Vec<u8>) {}
}

impl Lane {
    pub(super) fn new(request: &Request) -> Lane {
        Lane {
            stream: None,
            head: Vec::new(),
            request: Request { body: None, ..request.clone() },
            generation: 0,
            signature: Vec::new(),
            out: Vec::new(),
            piece: vec![0; PIECE],
            incoming: Incoming::new(0),
            used: Instant::now(),
        }
    }

    /// Sends `body`, which holds `items` items, in `turn`, and reads the answer to it.
    ///
    /// # Errors
    /// A [`LaneFailure`] where no whole answer came.
    pub async fn send(
        &mut self,
        sender: &Sender,
        body: &[u8],
        items: usize,
        turn: &Turn,
        trace: Option<TraceParent>,
    ) -> Result<LaneAnswer<'_>, LaneFailure> {
        self.request.trace = trace;
        let whole = SignedBody::Whole(body);
        self.signature = match sender.signature(&self.request, Some(whole)).await {
            Ok(signature) => signature,
            Err(loss) => {
                sender.good_answers.note_bad(&loss.message);
                return Err(LaneFailure::Lost(loss));
            }
        };
        let under_way = UnderWay::begin(sender, &self.request, Some(body));
        let (allowed, held) = (sender.most(items), MOST.0 + MOST.1 * items as u64);
        self.begin(sender, Some(body.len() as u64), allowed.min(held));
        // What is small is written in one piece.
        let (first, rest) = body.split_at(if body.len() <= SMALL { body.len() } else { 0 });
        self.out.extend_from_slice(first);
        let elapsed = match self.exchange(sender, items, rest, &mut NoFurtherPieces).await {
            Ok(elapsed) => {
                sender.note_sent(items, None);
                elapsed
            }
            Err(loss) if loss.kind == LossKind::TooLarge && held < allowed => {
                under_way.lost(&loss);
                sender.note_sent(items, None);
                return Err(LaneFailure::TooLarge);
            }
            Err(loss) => {
                under_way.lost(&loss);
                sender.note_sent(items, Some(&loss));
                sender.outcomes.note_loss(&loss);
                sender.good_answers.note_bad(&loss.message);
                return Err(LaneFailure::Lost(loss));
            }
        };
        self.heard(sender, turn);
        let Incoming { status, body, .. } = &self.incoming;
        under_way.answered(*status, self.incoming.lines(), body, elapsed);
        if is_good(*status) {
            sender.good_answers.begin();
        } else {
            sender.good_answers.note_bad(&format!("status {status}"));
        }
        let bounds = AnswerBounds { most: allowed, items };
        let (head, signature) = (self.incoming.lines(), self.signature.as_slice());
        Ok(LaneAnswer { status: *status, head, body, elapsed, bounds, signature })
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
        (turn, signature): (&Turn, &[(String, String)]),
        streamed: &mut impl StreamedExchange,
    ) -> Result<Duration, Loss> {
        self.signature = signature.to_vec();
        self.begin(sender, length, sender.most(items));
        let elapsed = if length.is_some() {
            self.exchange(sender, items, b"", streamed).await?
        } else {
            let mut chunked = ChunkedPieces { inner: streamed, piece: Vec::new(), over: false };
            self.exchange(sender, items, b"", &mut chunked).await?
        };
        self.heard(sender, turn);
        Ok(elapsed)
    }

    /// Has the pace take note of what an answer says of the target's limits; most say nothing.
    fn heard(&self, sender: &Sender, turn: &Turn) {
        let lines = self.incoming.lines();
        sender.heard(turn, self.incoming.status, &|name| {
            let wanted = |line: &&[u8]| {
                line.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
                    && line.get(name.len()) == Some(&b':')
            };
            let line = lines.split(|byte| *byte == b'\n').find(wanted)?;
            Some(String::from_utf8_lossy(&line[name.len() + 1..]).trim().to_owned())
        });
    }

    /// Makes ready for a body of that length, where it is known, and an answer of `most` bytes.
    fn begin(&mut self, sender: &Sender, length: Option<u64>, most: u64) {
        let generation = sender.token.generation();
        if self.generation != generation || self.head.is_empty() {
            self.generation = generation;
            // What differs from request to request is added below.
            let same = Request { trace: None, ..self.request.clone() };
            self.head = head::open(sender, &same, &[]);
        }
        self.out.clear();
        self.incoming.clear(most);
        self.out.extend_from_slice(&self.head);
        if let Some(trace) = self.request.trace {
            // Writing into a vector cannot fail.
            let _ = write!(self.out, "traceparent: {trace}\r\n");
        }
        for (name, value) in &self.signature {
            let _ = write!(self.out, "{name}: {value}\r\n");
        }
        head::close(&mut self.out, length.map_or(BodyEnd::Chunks, BodyEnd::Length));
    }

    async fn exchange(
        &mut self,
        sender: &Sender,
        items: usize,
        rest: &[u8],
        streamed: &mut impl StreamedExchange,
    ) -> Result<Duration, Loss> {
        let start = Instant::now();
        let talk = self.talk(sender, rest, streamed);
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
        streamed: &mut impl StreamedExchange,
    ) -> Result<(), LossReason> {
        if self.used.elapsed() > IDLE && self.stream.as_mut().is_some_and(TargetConnection::is_over)
        {
            self.stream = None;
        }
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TargetConnection::open(sender).await?,
        };
        let Lane { out, piece, incoming, .. } = self;
        let mut writing = RequestWriter { out, rest, written: 0, state: WriteState::Pieces };
        let mut left_over = false;
        poll_fn(|cx| {
            writing.go_on(cx, Pin::new(&mut stream), streamed);
            loop {
                match ready!(read(cx, &mut stream, incoming, piece)) {
                    Err(error) if incoming.is_untouched() => {
                        return Poll::Ready(Err((LossKind::Reset, error.to_string())));
                    }
                    Ok(ReadInto::Straight(count)) if count > 0 => incoming.was_read(count)?,
                    Ok(ReadInto::Piece(count)) if count > 0 => {
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
                    streamed.take_body(status, head, body);
                }
                if incoming.is_done() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
        .await?;
        // What was not written, or came unasked, would be taken for a part of the next exchange.
        let all = writing.state == WriteState::Done;
        if all && !left_over && !self.incoming.closes && !sender.closes.load(Ordering::Relaxed) {
            self.stream = Some(stream);
        }
        Ok(())
    }
}

/// How many bytes were read, and to where.
enum ReadInto {
    /// Into the body of the answer.
    Straight(usize),
    /// Into the piece.
    Piece(usize),
}

/// Reads what has come: where the framing is known, straight to where it belongs.
fn read(
    cx: &mut Context<'_>,
    stream: &mut TargetConnection,
    incoming: &mut Incoming,
    piece: &mut [u8],
) -> Poll<std::io::Result<ReadInto>> {
    if let Some((body, left)) = incoming.space()
        && left >= STRAIGHT
    {
        body.reserve(left.min(STRAIGHT * 16));
        let mut space = body.limit(left);
        let read = pin!(stream.read_buf(&mut space)).poll(cx);
        return read.map_ok(ReadInto::Straight);
    }
    let mut space = ReadBuf::new(piece);
    let read = ready!(Pin::new(stream).poll_read(cx, &mut space));
    Poll::Ready(read.map(|()| ReadInto::Piece(space.filled().len())))
}
