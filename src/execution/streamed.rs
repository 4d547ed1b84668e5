//! Sends a batch that is never whole in memory, and has its answer judged while it comes.

use std::time::Instant;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::execution::StreamedExecution;
use super::{Execution, SelectedCase};
use crate::case::{Framing, Generate};
use crate::check::{StreamContext, StreamEvaluator};
use crate::compose::{self, style};
use crate::exchange::Loss;
use crate::generate::{BatchShape, KeyBlock, Stream, TextSpan};
use crate::send::{StreamedExchange, headers};
use crate::session::Environment;

/// Bytes that are written at once.
const PIECE: usize = 48 * 1024;

/// Whether the batches of a case are too large to be held in memory.
pub(crate) fn is_streamed(environment: &Environment, generate: &Generate) -> bool {
    generate.steps.is_none() && *environment.clamp(generate.items).end() > Generate::STREAMED
}

/// Sends the batch of that seed and judges the answer.
pub(super) async fn execute(
    environment: &Environment,
    selected: &SelectedCase,
    generate: &Generate,
    seed: u64,
) -> Execution {
    let shape =
        BatchShape { items: environment.clamp(generate.items), style: style(generate.values) };
    let stream = || environment.generator.stream(seed, &shape);
    let items = stream().left();
    let numbers = environment.keys.reserve(items as u64);
    let outgoing = || BodyPieces::new(environment, stream(), numbers.clone());
    let hash = environment.sender.signs().then(|| outgoing().hash());
    let length = match generate.framing {
        Framing::Sized => Some(outgoing().length()),
        Framing::Chunked | Framing::TinyChunks => None,
    };
    let mut request = compose::plain_request(environment, Bytes::new());
    request.framing = generate.framing;
    environment.trace(&mut request);
    let mut execution = Execution::default();
    execution.expect_of_batch(selected);
    let about = StreamContext {
        contract: &environment.contract,
        profile: &environment.profile,
        quick: environment.quick.as_ref(),
        request: request.clone(),
        expectations: execution.expectations.clone(),
        rule: selected.rule,
    };
    let judge = StreamEvaluator::new(about, stream(), &numbers);
    let mut exchange = StreamedBatch { environment, outgoing: outgoing(), judge, begun: false };
    let started = Instant::now();
    let ended = tokio::select! {
        biased;
        () = std::future::ready(()), if !environment.may_send(items) => {
            execution.cut = true;
            Err(Loss::ended(started.elapsed()))
        }
        () = environment.cancellation.cancelled() => {
            execution.cut = true;
            Err(Loss::ended(started.elapsed()))
        }
        ended = environment.sender.stream(&request, length, hash, items, &mut exchange) => ended,
    };
    let judged = exchange.judge.finish(ended);
    execution.exchanges.extend(judged.exchange);
    execution.streamed = Some(Box::new(StreamedExecution {
        items: items as u64,
        evaluation: judged.evaluation,
        times: judged.times,
        excerpts: judged.excerpts,
    }));
    execution
}

/// The body of a batch, piece by piece.
struct BodyPieces<'a> {
    stream: Stream<'a>,
    numbers: KeyBlock,
    places: Vec<TextSpan>,
    /// The piece that is being written; at first, what stands before all items.
    piece: String,
    over: bool,
}

impl<'a> BodyPieces<'a> {
    fn new(environment: &Environment, stream: Stream<'a>, numbers: KeyBlock) -> BodyPieces<'a> {
        let piece = compose::batch_start(environment);
        BodyPieces { stream, numbers, places: Vec::new(), piece, over: false }
    }

    fn next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.over {
            return false;
        }
        while self.piece.len() < PIECE {
            self.places.clear();
            if self.stream.write(&mut self.piece, &mut self.numbers, &mut self.places).is_none() {
                break;
            }
            if self.stream.left() > 0 {
                self.piece.push(',');
            }
        }
        if self.stream.left() == 0 {
            self.piece.push_str("]}");
            self.over = true;
        }
        out.extend_from_slice(self.piece.as_bytes());
        self.piece.clear();
        true
    }

    /// The SHA-256 and the length of the body: written once, and thrown away.
    fn hash(mut self) -> ([u8; 32], u64) {
        let mut hasher = Sha256::new();
        let mut length = 0;
        let mut piece = Vec::with_capacity(2 * PIECE);
        while self.next(&mut piece) {
            hasher.update(&piece);
            length += piece.len() as u64;
            piece.clear();
        }
        (hasher.finalize().into(), length)
    }

    /// How long the body is: written once, and thrown away.
    fn length(mut self) -> u64 {
        let mut length = 0;
        let mut piece = Vec::with_capacity(2 * PIECE);
        while self.next(&mut piece) {
            length += piece.len() as u64;
            piece.clear();
        }
        length
    }
}

struct StreamedBatch<'a> {
    environment: &'a Environment,
    outgoing: BodyPieces<'a>,
    judge: StreamEvaluator<'a>,
    begun: bool,
}

impl StreamedExchange for StreamedBatch<'_> {
    fn next_piece(&mut self, out: &mut Vec<u8>) -> bool {
        let from = out.len();
        let more = self.outgoing.next(out);
        self.environment.note_keys_in(&out[from..]);
        more
    }

    fn take_body(&mut self, status: u16, head: &[u8], body: &mut Vec<u8>) {
        if !self.begun {
            self.begun = true;
            self.judge.begin(status, headers(head));
        }
        self.judge.take(body);
        body.clear();
    }
}
