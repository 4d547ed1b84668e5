//! The execution of a generated case: a batch, what is broken in it, and the batches that must relate to it.
//!
//! Doesn't know what the rules look at.

use std::sync::Arc;

use super::execution::BATCH;
use super::sending::exchange;
use super::{Execution, SelectedCase};
use crate::case::{MutatedItems, Relation};
use crate::check::VerdictRelation;
use crate::compose::{self, BodyStyle, FirstRequest, OutgoingItem};
use crate::exchange::Answer;
use crate::generate::{BatchShape, Mutation};
use crate::session::Environment;

/// Mutations that a run of several goes on by, at least: few of them meet every kind soon.
const STRIDE: u64 = 7;

pub(super) async fn execute(
    environment: &Arc<Environment>,
    selected: &SelectedCase,
    run: u64,
    seed: u64,
    execution: &mut Execution,
) {
    let spec = &selected.case.spec;
    let Some(generate) = &spec.generate else { return };
    let shape = BatchShape {
        items: environment.clamp(generate.items),
        style: compose::style(generate.values),
    };
    let drafts = environment.generator.batch(seed, &shape);
    // Only what is made of the batch afterwards needs the items as they were.
    let sound = if spec.relation.is_some() { drafts.clone() } else { Vec::new() };
    let mut entries: Vec<OutgoingItem> =
        drafts.into_iter().map(|d| OutgoingItem::with_fresh_key(environment, d)).collect();
    mutate(environment, selected, run, &mut entries);

    let (bytes, body) = compose::batch(environment, &entries, BodyStyle::Compact);
    let mut request = compose::plain_request(environment, bytes.clone());
    request.framing = generate.framing;
    let index = exchange(environment, execution, BATCH, request, body).await;
    if execution.was_left() {
        execution.cut = true;
        return;
    }
    execution.expect(selected, spec.expect.as_ref(), vec![index], BATCH);

    let Some(relation) = spec.relation else { return };
    let refused = refused(environment, execution, entries.len());
    let first = FirstRequest {
        entries: &entries,
        bytes: &bytes,
        sound: &sound,
        refused: &refused,
        run,
        seed,
    };
    let derived = compose::derive(environment, relation, &first);
    let what = relation_name(relation);
    let mut indexes = Vec::new();
    for (request, body) in derived.requests {
        indexes.push(exchange(environment, execution, &what, request, body).await);
        if execution.was_left() {
            execution.cut = true;
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
        execution.relating = Some(VerdictRelation { what, rule: selected.rule, pairs });
    }
}

/// Bends the items whose turn it is.
fn mutate(
    environment: &Environment,
    selected: &SelectedCase,
    run: u64,
    entries: &mut [OutgoingItem],
) {
    for (place, mutation) in mutations_of(selected, run, entries.len()) {
        if let Some(entry) = entries.get_mut(place) {
            let mutated = mutation.apply(&mut entry.draft);
            entry.mutations.push(mutated);
            entry.number = environment.keys.with_shape(&entry.draft.key);
        }
    }
}

/// What a run of the case bends in a batch of `count` items: the places, and how.
pub(crate) fn mutations_of(
    selected: &SelectedCase,
    run: u64,
    count: usize,
) -> Vec<(usize, &Mutation)> {
    let (Some(mutate), Some(generate)) = (&selected.case.spec.mutate, &selected.case.spec.generate)
    else {
        return Vec::new();
    };
    if count == 0 {
        return Vec::new();
    }
    let kinds = selected.mutations.len() as u64;
    let chosen: Vec<usize> = match mutate.at {
        // The position moves on with each round through the mutations too.
        MutatedItems::Turns => match (run + run / kinds.max(1)) % 3 {
            0 => vec![0],
            1 => vec![count / 2],
            _ => vec![count - 1],
        },
        MutatedItems::First => vec![0],
        MutatedItems::Middle => vec![count / 2],
        MutatedItems::Last => vec![count - 1],
        MutatedItems::Half => (0..count).skip(usize::from(run % 2 == 1)).step_by(2).collect(),
        MutatedItems::All => (0..count).collect(),
    };
    // Where many are bent at once, each run goes on where the last one ended.
    let stride = match mutate.at {
        MutatedItems::Half => (generate.items.low as u64 / 2).max(STRIDE),
        MutatedItems::All => (generate.items.low as u64).max(STRIDE),
        _ => 1,
    };
    let turn = |nth: usize| run.wrapping_mul(stride).wrapping_add(nth as u64);
    let nth = chosen.into_iter().enumerate();
    nth.filter_map(|(nth, place)| Some((place, compose::turn(&selected.mutations, turn(nth))?)))
        .collect()
}

/// Which items the last answer refused: all where it refused the request.
fn refused(environment: &Environment, execution: &Execution, count: usize) -> Vec<usize> {
    let Some(Answer::Received(response)) = execution.exchanges.last().map(|e| &e.answer) else {
        return Vec::new();
    };
    let contract = &environment.contract;
    if contract.known_status(response.status) == 400 {
        return (0..count).collect();
    }
    let batch = &contract.batch;
    let body = contract.answer_json(response.status, &response.body);
    let body = body.map(|document| document.value).unwrap_or_default();
    let items: Vec<&serde_json::Value> = execution
        .exchanges
        .last()
        .map(|e| e.intent.items().iter().map(|item| &item.value).collect())
        .unwrap_or_default();
    let body = contract.read_answer(response.status, body, &items);
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
