//! The trial of a written case: its steps one after another, those that are simultaneous together.
//!
//! Doesn't know what the rules look at.

use std::sync::Arc;
use std::time::Duration;

use super::{Selected, Trial, release, send};
use crate::case::{Expect, Step};
use crate::compose::{self, Captures, Composed, Source};
use crate::contract::Problem;
use crate::session::Environment;

pub(super) async fn execute(
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
                let source = source(environment, selected, trial, run, seed);
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
            let source = source(environment, selected, trial, run, seed);
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

/// What the next step is composed from.
fn source<'a>(
    environment: &'a Environment,
    selected: &'a Selected,
    trial: &'a Trial,
    run: u64,
    seed: u64,
) -> Source<'a> {
    Source { environment, case: &selected.case, exchanges: &trial.exchanges, run, seed }
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
