//! One run of one case: composes, sends, and gathers what the rules will look at.

mod generated;
mod written;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::compose::{self, Composed};
use super::environment::Environment;
use super::giant;
use super::plan::case_seed;
use super::select::Selected;
use crate::case::Expect;
use crate::check::{
    Evaluation, Excerpt, Expectation, ExpectationSource, Rule, VerdictRelation, evaluate, rules,
};
use crate::contract::Problem;
use crate::exchange::{Answer, BodyIntent, Exchange, Intent, Loss, LossKind, Request};
use crate::generate::sequence;
use crate::send::FRESH_CONNECTIONS;

/// What the step of a generated batch is called.
const BATCH: &str = "the batch";
/// Bytes of a body up to which a request is small.
const SMALL: usize = 16 * 1024;

/// What a trial sent and got, and what its case expects of it.
#[derive(Debug, Default)]
pub struct Trial {
    /// The exchanges, in the order in which they were sent.
    pub exchanges: Vec<Exchange>,
    /// What the case expects.
    pub expectations: Vec<Expectation>,
    /// How the exchanges must relate.
    pub relating: Option<VerdictRelation>,
    /// Milliseconds that passed on purpose before an exchange, by its index.
    pub pauses: HashMap<usize, u64>,
    /// Whether the run ended before the trial did: what it expects of all its exchanges was not seen.
    pub cut: bool,
    /// Set where the only batch was never whole in memory: its exchange then holds the first items alone.
    pub streamed: Option<Box<Streamed>>,
}

/// What was judged while it came.
#[derive(Debug)]
pub struct Streamed {
    /// How many items were sent.
    pub items: u64,
    /// What the rules say; the exchange of a violation is 0 for the whole, and n for the excerpt n - 1.
    pub evaluation: Evaluation,
    /// How often each violation was seen, by its position.
    pub times: Vec<u64>,
    /// What violations are about.
    pub excerpts: Vec<Excerpt>,
}

/// Runs `selected` for the `run`th time.
///
/// # Errors
/// A [`Problem`] where a file that the case names can't be used.
pub async fn execute(
    environment: &Arc<Environment>,
    selected: &Selected,
    run: u64,
    seed: u64,
) -> Result<Trial, Problem> {
    let seed = case_seed(seed, &selected.case.id, run);
    let mut trial = Trial::default();
    if let Some((generate, steps)) =
        selected.case.spec.generate.as_ref().and_then(|g| Some((g, g.steps?)))
    {
        let items = environment.clamp(generate.items);
        let mut memory = compose::Memory::default();
        for (number, turn) in sequence(seed, steps.range(), items).iter().enumerate() {
            let Composed { request, body } = compose::next(environment, &mut memory, turn);
            exchange(environment, &mut trial, &format!("step {}", number + 1), request, body).await;
        }
    } else if let Some(generate) =
        selected.case.spec.generate.as_ref().filter(|g| giant::is_giant(environment, g))
    {
        trial = giant::execute(environment, selected, generate, seed).await;
    } else if selected.case.spec.generate.is_some() {
        generated::execute(environment, selected, run, seed, &mut trial).await;
    } else {
        written::execute(environment, selected, run, seed, &mut trial).await?;
    }
    Ok(trial)
}

impl Trial {
    /// A trial of one generated batch that was sent already.
    pub(super) fn of_batch(
        selected: &Selected,
        request: Request,
        intent: Intent,
        answer: Answer,
    ) -> Trial {
        let mut trial = Trial::default();
        let body = intent.body.clone();
        trial.push(BATCH, None, Composed { request, body }, intent, answer);
        trial.expect_of_batch(selected);
        trial
    }

    /// What the case expects of its only batch.
    pub(super) fn expect_of_batch(&mut self, selected: &Selected) {
        self.expect(selected, selected.case.spec.expect.as_ref(), vec![0], BATCH);
    }

    /// What the rules say of it.
    #[must_use]
    pub fn judge(&self, environment: &Environment) -> Evaluation {
        match &self.streamed {
            Some(streamed) => streamed.evaluation.clone(),
            None => evaluate(
                &environment.contract,
                &environment.profile,
                &self.exchanges,
                &self.expectations,
                self.relating.as_ref(),
            ),
        }
    }

    /// Requests and items that it sent.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        let items = match &self.streamed {
            Some(streamed) => streamed.items,
            None => self.exchanges.iter().map(|e| e.intent.items().len() as u64).sum(),
        };
        (self.exchanges.len() as u64, items)
    }

    fn expect(
        &mut self,
        selected: &Selected,
        expect: Option<&Expect>,
        about: Vec<usize>,
        step: &str,
    ) {
        let Some(expect) = expect else { return };
        let rule: &'static Rule = expect
            .asserts
            .as_ref()
            .and_then(|named| rules::find(&named.name))
            .unwrap_or(selected.rule);
        self.expectations.push(Expectation {
            exchanges: about,
            expect: expect.clone(),
            rule,
            source: ExpectationSource {
                file: format!("{}:{}", selected.case.file, expect.line),
                step: step.to_owned(),
            },
        });
    }

    /// Whether the run ended while a request of it was under way.
    fn was_left(&self) -> bool {
        let left = |a: &Answer| matches!(a, Answer::Lost(loss) if loss.kind == LossKind::Ended);
        self.exchanges.iter().any(|e| left(&e.answer))
    }

    pub(super) fn push(
        &mut self,
        step: &str,
        group: Option<usize>,
        composed: Composed,
        intent: Intent,
        answer: Answer,
    ) -> usize {
        let index = self.exchanges.len();
        self.exchanges.push(Exchange {
            index,
            step: step.to_owned(),
            group,
            request: composed.request,
            intent,
            answer,
        });
        index
    }
}

/// Sends one request.
pub(super) async fn send(
    environment: &Environment,
    request: &Request,
    body: &BodyIntent,
) -> Answer {
    let items = match body {
        BodyIntent::Batch { items, .. } => items.len(),
        _ => 0,
    };
    let started = std::time::Instant::now();
    let answer = tokio::select! {
        biased;
        () = environment.halt.reached() => Answer::Lost(Loss::ended(started.elapsed())),
        answer = environment.sender.send(request, items) => answer,
    };
    if let Answer::Received(response) = &answer
        && request.body.as_ref().is_none_or(|body| body.len() <= SMALL)
    {
        environment.note_busy(response.elapsed);
    }
    answer
}

/// Sends all at once: nobody starts before everybody is ready.
pub(super) async fn release(
    environment: &Arc<Environment>,
    together: Vec<Composed>,
) -> Vec<Answer> {
    let barrier = Arc::new(Barrier::new(together.len()));
    let mut tasks = JoinSet::new();
    let count = together.len();
    let fresh = FRESH_CONNECTIONS.try_with(|fresh| *fresh).unwrap_or(false);
    for (index, composed) in together.into_iter().enumerate() {
        let environment = Arc::clone(environment);
        let barrier = Arc::clone(&barrier);
        tasks.spawn(async move {
            barrier.wait().await;
            let answer = send(&environment, &composed.request, &composed.body);
            (index, FRESH_CONNECTIONS.scope(fresh, answer).await)
        });
    }
    let mut answers: Vec<Option<Answer>> = vec![None; count];
    while let Some(joined) = tasks.join_next().await {
        if let Ok((index, answer)) = joined {
            answers[index] = Some(answer);
        }
    }
    answers
        .into_iter()
        .map(|answer| {
            answer.unwrap_or_else(|| {
                Answer::Lost(Loss {
                    kind: LossKind::HungUp,
                    message: "the sending task ended early".to_owned(),
                    elapsed: Duration::ZERO,
                })
            })
        })
        .collect()
}

async fn exchange(
    environment: &Arc<Environment>,
    trial: &mut Trial,
    step: &str,
    request: Request,
    body: BodyIntent,
) -> usize {
    let intent = compose::intent(environment, &request, body.clone());
    let answer = send(environment, &request, &body).await;
    trial.push(step, None, Composed { request, body }, intent, answer)
}
