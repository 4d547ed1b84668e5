//! Composes the requests of a drawn sequence: keys that were sent before come back, whatever became of
//! them; what each item must then meet, the ledger says.

use bytes::Bytes;
use serde_json::Value;

use super::{BodyStyle, ComposedRequest, OutgoingItem, batch, plain_request};
use crate::case::{Credential, Framing};
use crate::exchange::BodyIntent;
use crate::generate::{
    KeyShape, KeySource, Mutation, OptionalFields, SequenceItem, SequenceStep, StepKind,
};
use crate::session::Environment;

/// Mutations that make an item of a sequence invalid: clear enough to be refused in either refusal mode.
const BREAKING: [&str; 4] = ["drop-required", "wrong-type", "null-required", "break-format"];

/// What a sequence has sent so far.
#[derive(Default)]
pub struct SequenceMemory {
    numbers: Vec<Value>,
    bodies: Vec<ComposedRequest>,
}

/// Composes the next request of a sequence.
#[must_use]
pub fn next(
    environment: &Environment,
    memory: &mut SequenceMemory,
    step: &SequenceStep,
) -> ComposedRequest {
    let again = match step.kind {
        StepKind::Again(which) => nth(&memory.bodies, which),
        _ => None,
    };
    if let Some(mut earlier) = again.cloned() {
        earlier.request.new_connection = step.new_connection;
        return earlier;
    }
    let mut entries: Vec<OutgoingItem> = Vec::with_capacity(step.items.len());
    for item in &step.items {
        let entry = entry(environment, memory, entries.last(), item);
        entries.push(entry);
    }
    memory.numbers.extend(entries.iter().filter_map(|e| e.number.clone()).filter(Value::is_string));
    let (bytes, body) = batch(environment, &entries, BodyStyle::Compact);
    let mut composed = ComposedRequest { request: plain_request(environment, bytes.clone()), body };
    composed.request.new_connection = step.new_connection;
    match step.kind {
        StepKind::Ordinary | StepKind::Again(_) => memory.bodies.push(composed.clone()),
        StepKind::Chunked => {
            composed.request.framing =
                if bytes.len() % 2 == 0 { Framing::Chunked } else { Framing::TinyChunks };
        }
        StepKind::NoCredentials => composed.request.credential = Credential::None,
        StepKind::WrongCredentials => composed.request.credential = Credential::Wrong,
        StepKind::Truncated => {
            let cut = bytes.slice(..bytes.len() * 2 / 3);
            replace_body(environment, &mut composed, cut);
        }
        StepKind::OtherEnvelope => {
            let items = &environment.contract.batch.items;
            let text = String::from_utf8_lossy(&bytes);
            let other = text.replacen(items.as_str(), &format!("{items}s"), 1);
            replace_body(environment, &mut composed, Bytes::from(other));
        }
        StepKind::OtherMethod => {
            let other = if bytes.len() % 2 == 0 { "PUT" } else { "DELETE" };
            other.clone_into(&mut composed.request.method);
        }
        StepKind::OtherPath => composed.request.path.push_str("/extra"),
        StepKind::OtherMediaType => {
            for (name, value) in &mut composed.request.headers {
                if name.eq_ignore_ascii_case("content-type") {
                    "text/plain".clone_into(value);
                }
            }
        }
    }
    composed
}

fn replace_body(environment: &Environment, composed: &mut ComposedRequest, bytes: Bytes) {
    let contract = &environment.contract;
    composed.body = BodyIntent::of(contract.body_validity(&bytes), contract.judged_key());
    composed.request.body = Some(bytes);
}

fn entry(
    environment: &Environment,
    memory: &SequenceMemory,
    before: Option<&OutgoingItem>,
    item: &SequenceItem,
) -> OutgoingItem {
    let mut entry = OutgoingItem::with_fresh_key(
        environment,
        environment.generator.item(item.seed, OptionalFields::Drawn),
    );
    if item.has_additional
        && let Some(mutation) =
            environment.generator.mutations("add-property").and_then(<[_]>::first)
    {
        entry.mutations.push(mutation.apply(&mut entry.draft));
    }
    let number = match item.key {
        KeySource::Fresh => None,
        KeySource::Earlier(which) => nth(&memory.numbers, which).cloned(),
        KeySource::Neighbour => before.and_then(|e| e.number.clone()).filter(Value::is_string),
    };
    if let Some(number) = number {
        entry.draft.key = KeyShape::Fixed(number.clone());
        entry.number = Some(number);
    }
    if let Some(which) = item.mutation {
        let all: Vec<&Mutation> =
            BREAKING.iter().filter_map(|n| environment.generator.mutations(n)).flatten().collect();
        if let Some(mutation) = nth(&all, which) {
            let shape = entry.draft.key.clone();
            entry.mutations.push(mutation.apply(&mut entry.draft));
            if entry.draft.key != shape {
                entry.number = environment.keys.with_shape(&entry.draft.key);
            }
        }
    }
    entry
}

fn nth<T>(list: &[T], which: usize) -> Option<&T> {
    list.get(which.checked_rem(list.len())?)
}
