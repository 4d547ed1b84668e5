//! Composes the requests of a drawn sequence: numbers that were sent before come back, whatever became of
//! them; what each item must then meet, the ledger says.

use bytes::Bytes;
use serde_json::Value;

use super::{BodyStyle, ComposedRequest, OutgoingItem, batch, plain_request};
use crate::case::{Credential, Framing};
use crate::exchange::BodyIntent;
use crate::generate::{Manner, Mutation, NumberShape, Optional, Origin, Part, Turn};
use crate::session::Environment;

/// Mutations that a part may be broken by: plain enough to be refused in either refusal mode.
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
    turn: &Turn,
) -> ComposedRequest {
    let again = match turn.manner {
        Manner::Again(which) => nth(&memory.bodies, which),
        _ => None,
    };
    if let Some(mut earlier) = again.cloned() {
        earlier.request.new_connection = turn.new_connection;
        return earlier;
    }
    let mut entries: Vec<OutgoingItem> = Vec::with_capacity(turn.parts.len());
    for part in &turn.parts {
        let entry = entry(environment, memory, entries.last(), part);
        entries.push(entry);
    }
    memory.numbers.extend(entries.iter().filter_map(|e| e.number.clone()).filter(Value::is_string));
    let (bytes, body) = batch(environment, &entries, BodyStyle::Compact);
    let mut composed = ComposedRequest { request: plain_request(environment, bytes.clone()), body };
    composed.request.new_connection = turn.new_connection;
    match turn.manner {
        Manner::Ordinary | Manner::Again(_) => memory.bodies.push(composed.clone()),
        Manner::Chunked => {
            composed.request.framing =
                if bytes.len() % 2 == 0 { Framing::Chunked } else { Framing::Slivers };
        }
        Manner::NoCredentials => composed.request.credential = Credential::None,
        Manner::WrongCredentials => composed.request.credential = Credential::Wrong,
        Manner::Truncated => {
            let cut = bytes.slice(..bytes.len() * 2 / 3);
            replace_body(environment, &mut composed, cut);
        }
        Manner::OtherEnvelope => {
            let items = &environment.contract.batch.items;
            let text = String::from_utf8_lossy(&bytes);
            let other = text.replacen(items.as_str(), &format!("{items}s"), 1);
            replace_body(environment, &mut composed, Bytes::from(other));
        }
        Manner::OtherMethod => {
            let other = if bytes.len() % 2 == 0 { "PUT" } else { "DELETE" };
            other.clone_into(&mut composed.request.method);
        }
        Manner::OtherPath => composed.request.path.push_str("/extra"),
        Manner::OtherMediaType => {
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
    composed.body = BodyIntent::of(contract.body_validity(&bytes), &contract.batch.unique);
    composed.request.body = Some(bytes);
}

fn entry(
    environment: &Environment,
    memory: &SequenceMemory,
    before: Option<&OutgoingItem>,
    part: &Part,
) -> OutgoingItem {
    let mut entry =
        OutgoingItem::mint(environment, environment.generator.item(part.seed, Optional::Drawn));
    if part.extended
        && let Some(mutation) =
            environment.generator.mutations("add-property").and_then(<[_]>::first)
    {
        entry.mutations.push(mutation.apply(&mut entry.draft));
    }
    let number = match part.number {
        Origin::Fresh => None,
        Origin::Earlier(which) => nth(&memory.numbers, which).cloned(),
        Origin::Neighbour => before.and_then(|e| e.number.clone()).filter(Value::is_string),
    };
    if let Some(number) = number {
        entry.draft.number = NumberShape::Fixed(number.clone());
        entry.number = Some(number);
    }
    if let Some(which) = part.broken {
        let all: Vec<&Mutation> =
            BREAKING.iter().filter_map(|n| environment.generator.mutations(n)).flatten().collect();
        if let Some(mutation) = nth(&all, which) {
            let shape = entry.draft.number.clone();
            entry.mutations.push(mutation.apply(&mut entry.draft));
            if entry.draft.number != shape {
                entry.number = environment.mint.shaped(&entry.draft.number);
            }
        }
    }
    entry
}

fn nth<T>(list: &[T], which: usize) -> Option<&T> {
    list.get(which.checked_rem(list.len())?)
}
