//! Makes a second request from a first one, by a relation.

use bytes::Bytes;

use super::{BodyStyle, OutgoingItem, batch, plain_request};
use crate::case::{Framing, Relation};
use crate::exchange::{BodyIntent, Request};
use crate::generate::{BatchShape, Draft, Random, ValueStyle};
use crate::session::Environment;

/// Requests that were made from a first one.
pub struct DerivedRequests {
    /// The requests, each with what its body means.
    pub requests: Vec<(Request, BodyIntent)>,
    /// Positions in the first batch beside (request, position) in what was made of it; the verdicts of a
    /// pair must be the same.
    pub pairs: Vec<(usize, (usize, usize))>,
}

/// What is made of the first request, and with what.
pub struct FirstRequest<'a> {
    /// The items that were sent.
    pub entries: &'a [OutgoingItem],
    /// The bytes that were sent.
    pub bytes: &'a Bytes,
    /// The items as they would be without mutations.
    pub sound: &'a [Draft],
    /// Which of them the answer refused; all of them where it refused the request.
    pub refused: &'a [usize],
    /// How often the case ran before.
    pub run: u64,
    /// This run's seed.
    pub seed: u64,
}

/// Writes an item's members in another order, in each run in another one.
fn reorder_members(entry: &mut OutgoingItem, run: u64) {
    let draft = &mut entry.draft;
    let mut fields: Vec<_> = std::mem::take(&mut draft.fields).into_iter().collect();
    let last = fields.len();
    if run == 0 {
        fields.reverse();
        draft.key_position = last.saturating_sub(draft.key_position);
    } else {
        fields.rotate_left(usize::try_from(run).unwrap_or(0) % last.max(1));
        draft.key_position = if run % 2 == 1 { 0 } else { last };
    }
    draft.fields = fields.into_iter().collect();
}

/// Makes the second request, or the second and third.
#[must_use]
pub fn derive(
    environment: &Environment,
    relation: Relation,
    first: &FirstRequest<'_>,
) -> DerivedRequests {
    let fresh: Vec<OutgoingItem> =
        first.entries.iter().map(|e| e.renumbered(environment)).collect();
    let same = |count: usize| (0..count).map(|i| (i, (0, i))).collect::<Vec<_>>();
    let single =
        |entries: &[OutgoingItem], writing, pairs| single(environment, entries, writing, pairs);
    let count = fresh.len();
    match relation {
        Relation::Replay => {
            let contract = &environment.contract;
            if !contract.batch.further.is_empty() {
                // Further keys are fresh, so that nothing but the first one is used.
                let mut entries = first.entries.to_vec();
                for entry in &mut entries {
                    environment.keys.mint(&mut entry.draft);
                }
                return single(&entries, BodyStyle::Compact, Vec::new());
            }
            let body = BodyIntent::of(contract.body_validity(first.bytes), contract.judged_key());
            DerivedRequests {
                requests: vec![(plain_request(environment, first.bytes.clone()), body)],
                pairs: Vec::new(),
            }
        }
        Relation::Permute => {
            let order = shuffled(count, first.seed);
            let entries: Vec<OutgoingItem> = order.iter().map(|i| fresh[*i].clone()).collect();
            let pairs = order.iter().enumerate().map(|(at, i)| (*i, (0, at))).collect();
            single(&entries, BodyStyle::Compact, pairs)
        }
        Relation::Split => {
            let middle = count.div_ceil(2);
            let (a, b) = fresh.split_at(middle);
            let mut derived = single(a, BodyStyle::Compact, same(a.len()));
            if !b.is_empty() {
                let (bytes, body) = batch(environment, b, BodyStyle::Compact);
                derived.requests.push((plain_request(environment, bytes), body));
                derived.pairs.extend((0..b.len()).map(|i| (middle + i, (1, i))));
            }
            derived
        }
        Relation::Concatenate => {
            let shape = BatchShape { items: 1..=count.max(1), style: ValueStyle::Plain };
            let more = environment.generator.batch(first.seed.rotate_left(7), &shape);
            let mut entries = fresh;
            entries.extend(more.into_iter().map(|d| OutgoingItem::with_fresh_key(environment, d)));
            if let Some(limit) = environment.profile.limits.batch_items {
                entries.truncate(limit);
            }
            let pairs = same(count.min(entries.len()));
            single(&entries, BodyStyle::Compact, pairs)
        }
        Relation::AddBadItem => add_bad_item(environment, first, fresh),
        Relation::DuplicateItem => {
            let mut entries = fresh;
            let twice = usize::try_from(first.seed % count.max(1) as u64).unwrap_or(0);
            if let Some(copy) = entries.get(twice).cloned() {
                entries.push(copy);
            }
            // Which of the two is accepted is another rule's matter.
            let others = same(count).into_iter().filter(|(i, _)| *i != twice).collect();
            single(&entries, BodyStyle::Compact, others)
        }
        Relation::AddProperty => {
            let list = environment.generator.mutations("add-property").unwrap_or(&[]);
            let mut entries = fresh;
            for (at, entry) in entries.iter_mut().enumerate() {
                let turns = first.run + at as u64;
                // Mostly one, and now and then several.
                let several = if turns % 4 == 3 { 5.min(list.len() as u64) } else { 1 };
                for mutation in (0..several).filter_map(|more| turn(list, turns + more)) {
                    let mutated = mutation.apply(&mut entry.draft);
                    entry.mutations.push(mutated);
                }
            }
            single(&entries, BodyStyle::Compact, same(count))
        }
        Relation::ReorderKeys => {
            let mut entries = fresh;
            for entry in &mut entries {
                reorder_members(entry, first.run);
            }
            single(&entries, BodyStyle::Compact, same(count))
        }
        Relation::WhiteSpace => {
            let even = first.run.is_multiple_of(2);
            let writing = if even { BodyStyle::Spacious } else { BodyStyle::Escaped };
            single(&fresh, writing, same(count))
        }
        Relation::Chunk => {
            let mut derived = single(&fresh, BodyStyle::Compact, same(count));
            for (request, _) in &mut derived.requests {
                request.framing = if first.run.is_multiple_of(2) {
                    Framing::Chunked
                } else {
                    Framing::TinyChunks
                };
            }
            derived
        }
        Relation::Correct => correct(environment, first),
    }
}

fn single(
    environment: &Environment,
    entries: &[OutgoingItem],
    writing: BodyStyle,
    pairs: Vec<(usize, (usize, usize))>,
) -> DerivedRequests {
    let (bytes, body) = batch(environment, entries, writing);
    DerivedRequests { requests: vec![(plain_request(environment, bytes), body)], pairs }
}

fn add_bad_item(
    environment: &Environment,
    first: &FirstRequest<'_>,
    fresh: Vec<OutgoingItem>,
) -> DerivedRequests {
    let mut entries = fresh;
    let count = entries.len();
    let place = usize::try_from(first.seed % (count as u64 + 1)).unwrap_or(0);
    let mut bad = OutgoingItem::with_fresh_key(
        environment,
        environment.generator.item(first.seed, crate::generate::OptionalFields::Drawn),
    );
    let list = environment.generator.mutations("drop-required").unwrap_or(&[]);
    if let Some(mutation) = turn(list, first.run) {
        let mutated = mutation.apply(&mut bad.draft);
        bad.mutations.push(mutated);
        bad.number = environment.keys.with_shape(&bad.draft.key);
    }
    entries.insert(place.min(count), bad);
    let pairs = (0..count).map(|i| (i, (0, if i < place { i } else { i + 1 }))).collect();
    single(environment, &entries, BodyStyle::Compact, pairs)
}

fn correct(environment: &Environment, first: &FirstRequest<'_>) -> DerivedRequests {
    let entries: Vec<OutgoingItem> = first
        .refused
        .iter()
        .filter_map(|i| {
            let sent = first.entries.get(*i)?;
            let mut draft = first.sound.get(*i)?.clone();
            environment.keys.mint(&mut draft);
            // The number that was refused, where it was one.
            let own = sent.number.clone().filter(|n| {
                n.as_str().is_some_and(|t| !t.is_empty()) && sent.draft.key == draft.key
            });
            let number = own.or_else(|| environment.keys.with_shape(&draft.key));
            Some(OutgoingItem { draft, number, raw: None, mutations: Vec::new() })
        })
        .collect();
    if entries.is_empty() {
        return DerivedRequests { requests: Vec::new(), pairs: Vec::new() };
    }
    single(environment, &entries, BodyStyle::Compact, Vec::new())
}

/// The element whose turn it is.
pub(crate) fn turn<T>(list: &[T], run: u64) -> Option<&T> {
    if list.is_empty() {
        return None;
    }
    list.get(usize::try_from(run % list.len() as u64).unwrap_or(0))
}

/// A permutation that moves something where there are two items or more.
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut random = Random::new(seed);
    for at in (1..count).rev() {
        order.swap(at, random.index(at + 1));
    }
    if count > 1 && order.windows(2).all(|w| w[0] < w[1]) {
        order.rotate_left(1);
    }
    order
}
