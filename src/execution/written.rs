//! The execution of a written case: its steps one after another, those that are simultaneous together.
//!
//! Doesn't know what the rules look at.

use std::sync::Arc;
use std::time::Duration;

use super::sending::exchange;
use super::{Execution, SelectedCase, send_together};
use crate::case::{Expect, Step};
use crate::compose::{self, Captures, ComposedRequest, StepSource};
use crate::contract::FileError;
use crate::session::Environment;

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
                let seed = seed.wrapping_add(1000 * (member as u64 + 1));
                let source = source(environment, selected, execution, run, seed);
                let label =
                    inner.name.clone().unwrap_or_else(|| format!("{name}, request {}", member + 1));
                for copy in compose::compose(&source, &mut captures, inner)? {
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
            for ComposedRequest { request, body } in compose::compose(&source, &mut captures, step)?
            {
                let sent = request.body.clone();
                let index = exchange(environment, execution, &name, request, body).await;
                captures.step(&name, index, sent);
                about.push(index);
            }
        }
        if environment.cancellation.is_cancelled() && execution.was_left() {
            execution.cut = true;
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
            &name,
        );
    }
    Ok(())
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
    for pin in expect.body.values_mut() {
        if let crate::case::BodyPin::Equals(value) = pin {
            *value = captures.value(environment, &execution.exchanges, value, seed);
        }
    }
    Some(expect)
}
