//! One run of one case: composes, sends, and gathers what the rules will look at.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::compose::{self, Captures, Composed, Entry, First, Source, Writing};
use super::environment::Environment;
use super::giant;
use super::plan::case_seed;
use super::select::Selected;
use crate::case::{Expect, Position, Relation, Step};
use crate::check::{Excerpt, Expectation, Judgement, Pinned, Relating, Rule, judge, rules};
use crate::contract::Problem;
use crate::exchange::{Answer, BodyIntent, Exchange, Intent, Loss, LossKind, Request};
use crate::generate::{Shape, sequence};
use crate::send::FRESH_CONNECTIONS;

/// What the step of a generated batch is called.
const BATCH: &str = "the batch";

/// What a trial sent and got, and what its case expects of it.
#[derive(Debug, Default)]
pub struct Trial {
    /// The exchanges, in the order in which they were sent.
    pub exchanges: Vec<Exchange>,
    /// What the case expects.
    pub expectations: Vec<Expectation>,
    /// How the exchanges must relate.
    pub relating: Option<Relating>,
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
    /// What the rules say; the exchange of a hit is 0 for the whole, and n for the excerpt n - 1.
    pub judgement: Judgement,
    /// How often each hit was seen, by its position.
    pub times: Vec<u64>,
    /// What hits are about.
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
        generated(environment, selected, run, seed, &mut trial).await;
    } else {
        written(environment, selected, run, seed, &mut trial).await?;
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
    pub fn judge(&self, environment: &Environment) -> Judgement {
        match &self.streamed {
            Some(streamed) => streamed.judgement.clone(),
            None => judge(
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
            pinned: Pinned {
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
    tokio::select! {
        biased;
        () = environment.halt.reached() => Answer::Lost(Loss::ended(started.elapsed())),
        answer = environment.sender.send(request, items) => answer,
    }
}

async fn written(
    environment: &Arc<Environment>,
    selected: &Selected,
    run: u64,
    seed: u64,
    trial: &mut Trial,
) -> Result<(), Problem> {
    let mut captures = Captures::default();
    for (number, step) in selected.case.spec.steps.iter().flatten().enumerate() {
        let name = step.name.clone().unwrap_or_else(|| format!("step {}", number + 1));
        if step.at_end {
            environment.ended().await;
        }
        if let Some(pause) = step.pause {
            trial.pauses.insert(trial.exchanges.len(), pause);
            environment.pause(Duration::from_millis(pause)).await;
        }
        if environment.halt.is_reached() {
            trial.cut = true;
            return Ok(());
        }
        let seed = seed.wrapping_add(number as u64);
        let mut about = Vec::new();
        if let Some(group) = &step.simultaneously {
            let mut together: Vec<(String, &Step, Composed)> = Vec::new();
            for (member, inner) in group.iter().enumerate() {
                let seed = seed.wrapping_add(1000 * (member as u64 + 1));
                let source = Source {
                    environment,
                    case: &selected.case,
                    exchanges: &trial.exchanges,
                    run,
                    seed,
                };
                let label =
                    inner.name.clone().unwrap_or_else(|| format!("{name}, request {}", member + 1));
                for copy in compose::compose(&source, &mut captures, inner)? {
                    together.push((label.clone(), inner, copy));
                }
            }
            together.truncate(environment.at_once());
            let answers =
                release(environment, together.iter().map(|(_, _, c)| c.clone()).collect()).await;
            for ((label, inner, composed), answer) in together.into_iter().zip(answers) {
                let intent = compose::intent(environment, &composed.request, composed.body.clone());
                let sent = composed.request.body.clone();
                let index = trial.push(&label, Some(number), composed, intent, answer);
                if let Some(name) = &inner.name {
                    captures.step(name, index, sent);
                }
                trial.expect(selected, inner.expect.as_ref(), vec![index], &label);
                about.push(index);
            }
        } else {
            let source = Source {
                environment,
                case: &selected.case,
                exchanges: &trial.exchanges,
                run,
                seed,
            };
            for composed in compose::compose(&source, &mut captures, step)? {
                let intent = compose::intent(environment, &composed.request, composed.body.clone());
                let answer = send(environment, &composed.request, &composed.body).await;
                let sent = composed.request.body.clone();
                let index = trial.push(&name, None, composed, intent, answer);
                captures.step(&name, index, sent);
                about.push(index);
            }
        }
        if environment.halt.is_reached() && trial.was_left() {
            trial.cut = true;
            return Ok(());
        }
        if step.hang_up.is_some() {
            // A retry that overtakes the request which was broken off would say nothing of either.
            environment.pause(environment.left_alone()).await;
        }
        trial.expect(
            selected,
            filled(environment, &captures, trial, step.expect.as_ref(), seed).as_ref(),
            about,
            &name,
        );
    }
    Ok(())
}

/// An expectation with its captures filled in.
fn filled(
    environment: &Environment,
    captures: &Captures,
    trial: &Trial,
    expect: Option<&Expect>,
    seed: u64,
) -> Option<Expect> {
    let mut expect = expect?.clone();
    for pin in expect.body.values_mut() {
        if let crate::case::BodyPin::Equals(value) = pin {
            *value = captures.value(environment, &trial.exchanges, value, seed);
        }
    }
    Some(expect)
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

async fn generated(
    environment: &Arc<Environment>,
    selected: &Selected,
    run: u64,
    seed: u64,
    trial: &mut Trial,
) {
    let spec = &selected.case.spec;
    let Some(generate) = &spec.generate else { return };
    let shape =
        Shape { items: environment.clamp(generate.items), style: compose::style(generate.values) };
    let sound = environment.generator.batch(seed, &shape);
    let mut entries: Vec<Entry> =
        sound.iter().map(|d| Entry::mint(environment, d.clone())).collect();
    mutate(environment, selected, run, &mut entries);

    let (bytes, body) = compose::batch(environment, &entries, Writing::Compact);
    let mut request = compose::plain_request(environment, bytes.clone());
    request.framing = generate.framing;
    let index = exchange(environment, trial, BATCH, request, body).await;
    if trial.was_left() {
        trial.cut = true;
        return;
    }
    trial.expect(selected, spec.expect.as_ref(), vec![index], BATCH);

    let Some(relation) = spec.relation else { return };
    let refused = refused(environment, trial, entries.len());
    let first =
        First { entries: &entries, bytes: &bytes, sound: &sound, refused: &refused, run, seed };
    let derived = compose::derive(environment, relation, &first);
    let what = relation_name(relation);
    let mut indexes = Vec::new();
    for (request, body) in derived.requests {
        indexes.push(exchange(environment, trial, &what, request, body).await);
        if trial.was_left() {
            trial.cut = true;
            return;
        }
    }
    let pairs: Vec<_> = derived
        .pairs
        .into_iter()
        .filter_map(|(item, (request, place))| {
            Some(((index, item), (*indexes.get(request)?, place)))
        })
        .collect();
    if !pairs.is_empty() {
        trial.relating = Some(Relating { what, rule: selected.rule, pairs });
    }
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

/// Bends the items whose turn it is.
fn mutate(environment: &Environment, selected: &Selected, run: u64, entries: &mut [Entry]) {
    let Some(mutate) = &selected.case.spec.mutate else { return };
    let count = entries.len();
    if count == 0 {
        return;
    }
    let kinds = selected.mutations.len() as u64;
    let chosen: Vec<usize> = match mutate.at {
        // The position moves on with each round through the mutations too.
        Position::Turns => match (run + run / kinds.max(1)) % 3 {
            0 => vec![0],
            1 => vec![count / 2],
            _ => vec![count - 1],
        },
        Position::First => vec![0],
        Position::Middle => vec![count / 2],
        Position::Last => vec![count - 1],
        Position::Half => (0..count).skip(usize::from(run % 2 == 1)).step_by(2).collect(),
        Position::All => (0..count).collect(),
    };
    for (nth, place) in chosen.into_iter().enumerate() {
        let turn = if matches!(mutate.at, Position::Half | Position::All) {
            run.wrapping_mul(7).wrapping_add(nth as u64)
        } else {
            run
        };
        if let (Some(mutation), Some(entry)) =
            (compose::turn(&selected.mutations, turn), entries.get_mut(place))
        {
            let mutated = mutation.apply(&mut entry.draft);
            entry.mutations.push(mutated);
            entry.number = environment.mint.shaped(&entry.draft.number);
        }
    }
}

/// Which items the last answer refused: all where it refused the request.
fn refused(environment: &Environment, trial: &Trial, count: usize) -> Vec<usize> {
    let Some(Answer::Received(response)) = trial.exchanges.last().map(|e| &e.answer) else {
        return Vec::new();
    };
    if response.status == 400 {
        return (0..count).collect();
    }
    let batch = &environment.contract.batch;
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let results = body.get(&batch.results).and_then(serde_json::Value::as_array);
    results
        .into_iter()
        .flatten()
        .enumerate()
        .filter(|(_, r)| {
            r.get(&batch.verdict.field).and_then(serde_json::Value::as_str)
                == Some(&batch.verdict.rejected)
        })
        .map(|(index, _)| index)
        .collect()
}

fn relation_name(relation: Relation) -> String {
    serde_json::to_value(relation)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}
