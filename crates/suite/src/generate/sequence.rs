//! Sequences: what a client may do one after the other, drawn as a plan.
//!
//! A plan says which keys are fresh and which are used again, which items are invalid and which requests
//! can't be processed. It must not know what the target answers, nor what it should answer.

use std::ops::RangeInclusive;

use proptest::collection::vec;
use proptest::num::u64::ANY as BITS;
use proptest::num::usize::ANY as INDEX;
use proptest::prop_oneof;
use proptest::strategy::{Just, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// One request of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceStep {
    /// How it is sent.
    pub kind: StepKind,
    /// Its items.
    pub items: Vec<SequenceItem>,
    /// Whether it has a connection of its own.
    pub new_connection: bool,
}

/// How a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// As documented.
    Ordinary,
    /// Its body in chunks.
    Chunked,
    /// Without credentials.
    NoCredentials,
    /// With wrong credentials.
    WrongCredentials,
    /// Cut off in the middle of its JSON.
    Truncated,
    /// Its items under another name.
    OtherEnvelope,
    /// Under a media type that isn't JSON.
    OtherMediaType,
    /// By another method.
    OtherMethod,
    /// At a path below the documented one.
    OtherPath,
    /// The body of an earlier request once more: which one, modulo how many there were.
    Again(usize),
}

/// One item of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceItem {
    /// What its values are drawn from.
    pub seed: u64,
    /// Where its key comes from.
    pub key: KeySource,
    /// Which mutation makes it invalid, modulo how many there are; none where it is valid.
    pub mutation: Option<usize>,
    /// Whether it has a property that the schema does not name.
    pub has_additional: bool,
}

/// Where a key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// Never used before.
    Fresh,
    /// One that was sent before, whatever came of it: which one, modulo how many there were.
    Earlier(usize),
    /// That of the item before it.
    Neighbour,
}

/// All sequences with these numbers of requests and of items, as a proptest strategy: shorter ones are simpler.
pub fn sequences(
    steps: RangeInclusive<usize>,
    items: RangeInclusive<usize>,
) -> impl Strategy<Value = Vec<SequenceStep>> {
    let source = prop_oneof![
        6 => Just(KeySource::Fresh),
        4 => INDEX.prop_map(KeySource::Earlier),
        1 => Just(KeySource::Neighbour),
    ];
    let mutation = prop_oneof![7 => Just(None), 1 => INDEX.prop_map(Some)];
    let has_additional = prop_oneof![5 => Just(false), 1 => Just(true)];
    let item = (BITS.no_shrink(), source, mutation, has_additional).prop_map(
        |(seed, key, mutation, has_additional)| SequenceItem {
            seed,
            key,
            mutation,
            has_additional,
        },
    );
    let kind = prop_oneof![
        18 => Just(StepKind::Ordinary),
        3 => Just(StepKind::Chunked),
        1 => Just(StepKind::NoCredentials),
        1 => Just(StepKind::WrongCredentials),
        1 => Just(StepKind::Truncated),
        1 => Just(StepKind::OtherEnvelope),
        1 => Just(StepKind::OtherMediaType),
        1 => Just(StepKind::OtherMethod),
        1 => Just(StepKind::OtherPath),
        3 => INDEX.prop_map(StepKind::Again),
    ];
    let connection = prop_oneof![4 => Just(false), 1 => Just(true)];
    let step = (kind, vec(item, items), connection)
        .prop_map(|(kind, items, new_connection)| SequenceStep { kind, items, new_connection });
    vec(step, steps)
}

/// The sequence of that seed: the same for the same seed and ranges, always.
#[must_use]
pub fn sequence(
    seed: u64,
    steps: RangeInclusive<usize>,
    items: RangeInclusive<usize>,
) -> Vec<SequenceStep> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    // A strategy without filters never refuses.
    sequences(steps, items).new_tree(&mut runner).map(|tree| tree.current()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{KeySource, StepKind, sequence};

    #[test]
    fn a_seed_means_one_sequence_and_a_few_seeds_meet_every_kind_of_step() {
        assert_eq!(sequence(7, 3..=8, 1..=4), sequence(7, 3..=8, 1..=4));
        let all: Vec<_> = (0..200).flat_map(|seed| sequence(seed, 3..=8, 1..=4)).collect();
        for kind in [
            StepKind::Chunked,
            StepKind::NoCredentials,
            StepKind::WrongCredentials,
            StepKind::Truncated,
            StepKind::OtherEnvelope,
            StepKind::OtherMediaType,
            StepKind::OtherMethod,
            StepKind::OtherPath,
        ] {
            assert!(all.iter().any(|t| t.kind == kind), "{kind:?}");
        }
        assert!(all.iter().any(|t| matches!(t.kind, StepKind::Again(_))));
        let items = || all.iter().flat_map(|t| &t.items);
        assert!(items().any(|p| p.key == KeySource::Neighbour));
        assert!(items().any(|p| matches!(p.key, KeySource::Earlier(_)) && p.mutation.is_none()));
        assert!(all.iter().all(|t| (1..=4).contains(&t.items.len())));
    }
}
