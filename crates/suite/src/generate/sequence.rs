//! Sequences: what a client may do one after the other, drawn as a plan.
//!
//! A plan says which numbers are fresh and which are used again, which items are broken and which requests
//! can't be processed. It must not know what comes of any of it: the model of the endpoint is whoever judges.

use std::ops::RangeInclusive;

use proptest::collection::vec;
use proptest::num::u64::ANY as BITS;
use proptest::num::usize::ANY as INDEX;
use proptest::prop_oneof;
use proptest::strategy::{Just, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// One request of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// In which manner it is sent.
    pub manner: Manner,
    /// Its items.
    pub parts: Vec<Part>,
    /// Whether on a connection of its own.
    pub new_connection: bool,
}

/// In which manner a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
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
pub struct Part {
    /// What its values are drawn from.
    pub seed: u64,
    /// Where its number comes from.
    pub number: Origin,
    /// Which mutation breaks it, modulo how many there are; nothing where it is sound.
    pub broken: Option<usize>,
    /// Whether it has a property that the schema does not name.
    pub extended: bool,
}

/// Where a number comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Never used before.
    Fresh,
    /// One that was sent before, whatever came of it: which one, modulo how many there were.
    Earlier(usize),
    /// That of the item before it.
    Neighbour,
}

/// All sequences with so many requests of so many items, as a proptest strategy: shorter ones are simpler.
pub fn sequences(
    steps: RangeInclusive<usize>,
    items: RangeInclusive<usize>,
) -> impl Strategy<Value = Vec<Turn>> {
    let origin = prop_oneof![
        6 => Just(Origin::Fresh),
        4 => INDEX.prop_map(Origin::Earlier),
        1 => Just(Origin::Neighbour),
    ];
    let broken = prop_oneof![7 => Just(None), 1 => INDEX.prop_map(Some)];
    let extended = prop_oneof![5 => Just(false), 1 => Just(true)];
    let part = (BITS.no_shrink(), origin, broken, extended)
        .prop_map(|(seed, number, broken, extended)| Part { seed, number, broken, extended });
    let manner = prop_oneof![
        18 => Just(Manner::Ordinary),
        3 => Just(Manner::Chunked),
        1 => Just(Manner::NoCredentials),
        1 => Just(Manner::WrongCredentials),
        1 => Just(Manner::Truncated),
        1 => Just(Manner::OtherEnvelope),
        1 => Just(Manner::OtherMediaType),
        1 => Just(Manner::OtherMethod),
        1 => Just(Manner::OtherPath),
        3 => INDEX.prop_map(Manner::Again),
    ];
    let connection = prop_oneof![4 => Just(false), 1 => Just(true)];
    let turn = (manner, vec(part, items), connection)
        .prop_map(|(manner, parts, new_connection)| Turn { manner, parts, new_connection });
    vec(turn, steps)
}

/// The sequence of that seed: the same for the same seed and ranges, always.
#[must_use]
pub fn sequence(
    seed: u64,
    steps: RangeInclusive<usize>,
    items: RangeInclusive<usize>,
) -> Vec<Turn> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    // A strategy without filters never refuses.
    sequences(steps, items).new_tree(&mut runner).map(|tree| tree.current()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Manner, Origin, sequence};

    #[test]
    fn a_seed_means_one_sequence_and_a_few_seeds_meet_every_manner() {
        assert_eq!(sequence(7, 3..=8, 1..=4), sequence(7, 3..=8, 1..=4));
        let all: Vec<_> = (0..200).flat_map(|seed| sequence(seed, 3..=8, 1..=4)).collect();
        for manner in [
            Manner::Chunked,
            Manner::NoCredentials,
            Manner::WrongCredentials,
            Manner::Truncated,
            Manner::OtherEnvelope,
            Manner::OtherMediaType,
            Manner::OtherMethod,
            Manner::OtherPath,
        ] {
            assert!(all.iter().any(|t| t.manner == manner), "{manner:?}");
        }
        assert!(all.iter().any(|t| matches!(t.manner, Manner::Again(_))));
        let parts = || all.iter().flat_map(|t| &t.parts);
        assert!(parts().any(|p| p.number == Origin::Neighbour));
        assert!(parts().any(|p| matches!(p.number, Origin::Earlier(_)) && p.broken.is_none()));
        assert!(all.iter().all(|t| (1..=4).contains(&t.parts.len())));
    }
}
