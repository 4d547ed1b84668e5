//! A soak: many runs of one generated case, one after the other on one connection, by a worker that allocates
//! nothing and judges quickly what is plainly right.
//!
//! What is not goes the way of every other execution: to the judge, with all it takes to explain a finding.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::verdict_cache::VerdictCache;
use crate::case::{Expect, Framing, Generate};
use crate::check::{Evaluation, HeaderCache, SentItems};
use crate::compose::{self, style};
use crate::exchange::{Answer, BodyIntent, Loss, LossKind, Request, Response};
use crate::execution::{Execution, SelectedCase, is_streamed};
use crate::generate::{BatchShape, KeyBlock, TextSpan};
use crate::send::{Lane, LaneFailure};
use crate::session::Environment;

/// Numbers that a worker sets aside at a time.
const NUMBERS: u64 = 4096;

/// Whether runs of the case can be left to soak workers.
pub(super) fn can_soak(environment: &Environment, selected: &SelectedCase) -> bool {
    let spec = &selected.case.spec;
    environment.quick.is_some()
        && (spec.generate.as_ref())
            .is_some_and(|g| g.steps.is_none() && g.framing == Framing::Sized)
        && environment.contract.shape.is_none()
        && !spec.generate.as_ref().is_some_and(|g| is_streamed(environment, g))
        && spec.mutate.is_none()
        && spec.relation.is_none()
        && spec.expect.as_ref().is_none_or(is_same_for_all)
}

/// Whether an expectation holds of every plainly right answer of a size, or of none.
fn is_same_for_all(expect: &Expect) -> bool {
    expect.body.is_empty()
        && expect.schema.is_none()
        && !expect.headers.keys().any(|name| HeaderCache::is_varying(name))
}

/// What outcome of a run.
pub(super) enum RunOutcome {
    /// A plainly right answer.
    FastPass {
        /// How many items were sent.
        items: usize,
        /// Until all of the answer had come.
        elapsed: Duration,
        /// What the rules say of it.
        evaluation: Arc<Evaluation>,
    },
    /// Anything else.
    NeedsJudge {
        /// To be judged.
        execution: Execution,
        /// The header lines of an answer that would have been plainly right had its like been judged before.
        right: Option<Vec<u8>>,
    },
    /// An answer that a worker has no room for: the run is to be made again, beside all others.
    TooLarge,
}

/// Sends and judges; its memory is used again and again.
pub(super) struct SoakWorker {
    lane: Option<Lane>,
    request: Request,
    numbers: KeyBlock,
    body: String,
    places: Vec<TextSpan>,
    start: String,
}

impl SoakWorker {
    pub fn new(environment: &Environment) -> SoakWorker {
        let request = compose::plain_request(environment, Bytes::new());
        SoakWorker {
            lane: environment.sender.lane(&request),
            request,
            numbers: environment.keys.reserve(NUMBERS),
            body: String::new(),
            places: Vec::new(),
            start: compose::batch_start(environment),
        }
    }

    /// One run of a case.
    pub async fn run(
        &mut self,
        environment: &Environment,
        selected: &SelectedCase,
        seed: u64,
        known: &VerdictCache,
    ) -> RunOutcome {
        let Some(generate) = &selected.case.spec.generate else {
            return RunOutcome::NeedsJudge { execution: Execution::default(), right: None };
        };
        let (items, certain) = self.write(environment, generate, seed);
        if !environment.may_send(items) {
            let execution = Execution { cut: true, ..Execution::default() };
            return RunOutcome::NeedsJudge { execution, right: None };
        }
        environment.note_keys_in(self.body.as_bytes());
        let sent = SentItems { body: self.body.as_bytes(), places: &self.places };
        let quick = environment.quick.as_ref().filter(|_| certain);
        let within = selected.case.spec.expect.as_ref().and_then(|expect| expect.within);
        let is_right = |status: u16, body: &[u8], elapsed: Duration| {
            if within.is_some_and(|most| elapsed > most.0) {
                return false;
            }
            let read = quick.filter(|_| status == 200).and_then(|quick| quick.body(sent, body));
            read.is_some_and(|times| times.agrees(elapsed))
        };
        environment.trace(&mut self.request);
        let sender = &environment.sender;
        let heard: Result<Response, Loss>;
        let right: Option<Vec<u8>>;
        if let Some(lane) = &mut self.lane {
            let turn = sender.pace.turn().await;
            let trace = self.request.trace;
            let sending = lane.send(sender, self.body.as_bytes(), items, &turn, trace);
            match environment
                .unless_crowded(sending)
                .await
                .unwrap_or_else(|| Err(LaneFailure::Lost(crowded())))
            {
                Ok(answer) => {
                    environment.note_answered();
                    let plain = is_right(answer.status, answer.body, answer.elapsed);
                    if plain
                        && known.heads.knows(answer.head)
                        && let Some(evaluation) = known.judged.get(&items)
                    {
                        let evaluation = Arc::clone(evaluation);
                        return RunOutcome::FastPass { items, elapsed: answer.elapsed, evaluation };
                    }
                    if !plain && !answer.is_modest() {
                        return RunOutcome::TooLarge;
                    }
                    right = plain.then(|| answer.head.to_vec());
                    heard = Ok(answer.response());
                }
                Err(LaneFailure::TooLarge) => return RunOutcome::TooLarge,
                Err(LaneFailure::Lost(loss)) => {
                    right = None;
                    heard = Err(loss);
                }
            }
            // A token may have been read again since.
            if heard.as_ref().is_ok_and(|r| matches!(r.status, 401 | 403)) {
                self.lane = None;
            }
        } else {
            let mut request = self.request.clone();
            request.body = Some(Bytes::copy_from_slice(self.body.as_bytes()));
            match sender.send(&request, items).await {
                Answer::Received(response) => {
                    let plain = is_right(response.status, &response.body, response.elapsed);
                    let head = head(&response);
                    if plain
                        && known.heads.knows(&head)
                        && let Some(evaluation) = known.judged.get(&items)
                    {
                        let evaluation = Arc::clone(evaluation);
                        return RunOutcome::FastPass {
                            items,
                            elapsed: response.elapsed,
                            evaluation,
                        };
                    }
                    right = plain.then_some(head);
                    heard = Ok(response);
                }
                Answer::Lost(loss) => {
                    right = None;
                    heard = Err(loss);
                }
            }
            self.lane = sender.lane(&self.request);
        }
        RunOutcome::NeedsJudge { execution: self.execution(environment, selected, heard), right }
    }

    /// Writes the batch of that seed: how many items it has, and whether all are beyond doubt.
    fn write(
        &mut self,
        environment: &Environment,
        generate: &Generate,
        seed: u64,
    ) -> (usize, bool) {
        let shape =
            BatchShape { items: environment.clamp(generate.items), style: style(generate.values) };
        let mut stream = environment.generator.stream(seed, &shape);
        let items = stream.left();
        self.places.clear();
        self.body.clear();
        self.body.push_str(&self.start);
        let mut certain = true;
        while let Some(item) = stream.write(&mut self.body, &mut self.numbers, &mut self.places) {
            certain &= item;
            if stream.left() > 0 {
                self.body.push(',');
            }
        }
        self.body.push_str("]}");
        (items, certain)
    }

    /// The same as any other execution.
    fn execution(
        &self,
        environment: &Environment,
        selected: &SelectedCase,
        heard: Result<Response, Loss>,
    ) -> Execution {
        let contract = &environment.contract;
        let mut request = self.request.clone();
        request.body = Some(Bytes::copy_from_slice(self.body.as_bytes()));
        let body =
            BodyIntent::of(contract.body_validity(self.body.as_bytes()), &contract.batch.unique);
        let intent = compose::intent(environment, &request, body);
        let answer = match heard {
            Ok(response) => Answer::Received(response),
            Err(loss) => Answer::Lost(loss),
        };
        Execution::of_batch(selected, request, intent, answer)
    }
}

/// Its connection was one too many.
fn crowded() -> Loss {
    let message = "others were answered meanwhile".to_owned();
    Loss { kind: LossKind::Crowded, message, elapsed: Duration::ZERO }
}

fn head(response: &Response) -> Vec<u8> {
    response.headers.iter().flat_map(|(n, v)| format!("{n}: {v}\r\n").into_bytes()).collect()
}
