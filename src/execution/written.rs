//! The execution of a written case: its steps one after another, those that are simultaneous together.
//!
//! Doesn't know what the rules look at.

use std::sync::Arc;
use std::time::Duration;

use super::{
    Execution, SelectedCase, has_keys_of_its_own, is_load, is_refused_for_pace, send_request,
    send_together, settled,
};
use crate::case::{Expect, Step};
use crate::compose::{self, Captures, ComposedRequest, StepSource};
use crate::contract::FileError;
use crate::exchange::{Intent, Request};
use crate::session::{Amount, Environment};

/// How often a request is sent to a target that refuses it for its pace.
const PACE_TRIES: u32 = 8;

pub(super) async fn execute(
    environment: &Arc<Environment>,
    selected: &SelectedCase,
    run: u64,
    seed: u64,
    execution: &mut Execution,
) -> Result<(), FileError> {
    let mut captures = Captures::default();
    for (number, step) in selected.case.spec.steps.iter().flatten().enumerate() {
        let name = step.name.clone().unwrap_or_else(|| format!("step {}", number + 1));
        let label = step.label.as_ref().unwrap_or(&name);
        if step.at_end {
            environment.ended().await;
        }
        if let Some(pause) = step.pause {
            execution.pauses.insert(execution.exchanges.len(), pause);
            environment.pause(Duration::from_millis(pause)).await;
        }
        if environment.cancellation.is_cancelled() {
            execution.cut = true;
            return Ok(());
        }
        let seed = seed.wrapping_add(number as u64);
        let mut about = Vec::new();
        if let Some(group) = &step.simultaneously {
            let mut together: Vec<(String, &Step, ComposedRequest)> = Vec::new();
            for (member, inner) in group.iter().enumerate() {
                let seed = compose::group_seed(seed, member);
                let source = source(environment, selected, execution, run, seed);
                let label = inner
                    .name
                    .clone()
                    .unwrap_or_else(|| format!("{label}, request {}", member + 1));
                for mut copy in compose::compose(&source, &mut captures, inner)? {
                    environment.trace(&mut copy.request);
                    together.push((label.clone(), inner, copy));
                }
            }
            together.truncate(environment.at_once());
            let requests = together.iter().map(|(_, _, sent)| {
                let ComposedRequest { request, body } = sent;
                (request.clone(), body.items().len())
            });
            let answers = send_together(environment, requests.collect()).await;
            for ((label, inner, composed), answer) in together.into_iter().zip(answers) {
                let ComposedRequest { request, body } = composed;
                let intent = compose::intent(environment, &request, body);
                let sent = request.body.clone();
                let index = execution.push(&label, Some(number), request, intent, answer);
                if let Some(name) = &inner.name {
                    captures.step(name, index, sent);
                }
                execution.expect(selected, inner.expect.as_ref(), vec![index], &label);
                about.push(index);
            }
        } else {
            let source = source(environment, selected, execution, run, seed);
            for composed in compose::compose(&source, &mut captures, step)? {
                let ComposedRequest { mut request, body } = composed;
                environment.trace(&mut request);
                let mut intent = compose::intent(environment, &request, body);
                let mut answer = send_request(environment, &request, intent.items().len()).await;
                for _ in 1..PACE_TRIES {
                    if !is_refused_for_pace(&answer)
                        || environment.sender.out_of_patience().is_some()
                        || !may_send_again(environment, step, (&request, &intent), execution)
                    {
                        break;
                    }
                    let source = self::source(environment, selected, execution, run, seed);
                    if let Some(mut again) = compose::compose(&source, &mut captures, step)?.pop() {
                        environment.trace(&mut again.request);
                        intent = compose::intent(environment, &again.request, again.body);
                        request = again.request;
                    }
                    answer = send_request(environment, &request, intent.items().len()).await;
                }
                let (answer, again) =
                    settled(environment, &execution.exchanges, (&request, &intent), answer).await;
                execution.read_again += again;
                let sent = request.body.clone();
                let index = execution.push(label, None, request, intent, answer);
                captures.step(&name, index, sent);
                about.push(index);
            }
        }
        if environment.cancellation.is_cancelled() && execution.was_left() {
            execution.cut = true;
            return Ok(());
        }
        // Whether anything more is to be expected is asked before further steps wait for their turns.
        let refused = execution.exchanges.last().is_some_and(|e| is_load(&e.answer));
        if refused && environment.sender.out_of_patience().is_some() {
            return Ok(());
        }
        if step.disconnect.is_some() {
            // A retry that overtakes the request which was broken off would say nothing of either.
            environment.pause(environment.left_alone()).await;
        }
        execution.expect(
            selected,
            filled(environment, &captures, execution, step.expect.as_ref(), seed).as_ref(),
            about,
            label,
        );
    }
    Ok(())
}

/// Whether a request that was refused for its pace is sent again by itself: with fresh keys, which neither earlier
/// steps nor other copies fixed. Its cost is taken from the reserve.
fn may_send_again(
    environment: &Environment,
    step: &Step,
    (request, intent): (&Request, &Intent),
    execution: &mut Execution,
) -> bool {
    let cost = Amount::new(1, intent.items().len() as u64);
    let may = step.times.unwrap_or(1) == 1
        && step.resend.is_none()
        && !environment.cancellation.is_cancelled()
        && has_keys_of_its_own(environment, (request, intent), &execution.exchanges)
        && environment.reserve.take(cost);
    if may {
        execution.resent += cost;
    }
    may
}

/// What the next step is composed from.
fn source<'a>(
    environment: &'a Environment,
    selected: &'a SelectedCase,
    execution: &'a Execution,
    run: u64,
    seed: u64,
) -> StepSource<'a> {
    StepSource { environment, case: &selected.case, exchanges: &execution.exchanges, run, seed }
}

/// An expectation with its captures filled in.
fn filled(
    environment: &Environment,
    captures: &Captures,
    execution: &Execution,
    expect: Option<&Expect>,
    seed: u64,
) -> Option<Expect> {
    let mut expect = expect?.clone();
    for value in expect.values_mut() {
        *value = captures.value(environment, &execution.exchanges, value, seed);
    }
    Some(expect)
}
