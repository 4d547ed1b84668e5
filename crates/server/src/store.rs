//! The memory of used numbers: compact, sharded, atomic for each number.
//!
//! Clients count their numbers up, so what differs in the last byte alone stands together: a bit for each.
//! Of the rest 128 bits of two keyed hashes are kept, never the key itself. Knows no items and no requests.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

const SHARDS: usize = 32;

type Shard = HashMap<u128, TakenBytes, BuildHasherDefault<FoldingHasher>>;

/// Which last bytes are taken, one bit each.
#[derive(Default)]
struct TakenBytes([u64; 4]);

/// The keys that are taken.
pub(crate) struct Store {
    shards: Vec<Mutex<Shard>>,
    low: RandomState,
    high: RandomState,
}

impl Store {
    pub(crate) fn new() -> Store {
        Store {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            low: RandomState::new(),
            high: RandomState::new(),
        }
    }

    /// Takes `key`; false where it was taken before.
    pub(crate) fn claim(&self, key: &str) -> bool {
        let (hash, word, bit) = self.place(key);
        let mut shard = self.shard(hash);
        let TakenBytes(words) = shard.entry(hash).or_default();
        let free = words[word] & bit == 0;
        words[word] |= bit;
        free
    }

    /// Whether `key` is taken.
    pub(crate) fn contains(&self, key: &str) -> bool {
        let (hash, word, bit) = self.place(key);
        self.shard(hash).get(&hash).is_some_and(|TakenBytes(words)| words[word] & bit != 0)
    }

    /// Gives `key` back.
    pub(crate) fn release(&self, key: &str) {
        let (hash, word, bit) = self.place(key);
        if let Some(TakenBytes(words)) = self.shard(hash).get_mut(&hash) {
            words[word] &= !bit;
        }
    }

    /// The hash of all but the last byte, and the place of that byte. Two independently keyed 64-bit hashes:
    /// nobody who knows no key can make two numbers collide.
    fn place(&self, key: &str) -> (u128, usize, u64) {
        let (last, rest) = key.as_bytes().split_last().unwrap_or((&0, b""));
        // The length too, so that the empty key is no other.
        let of = |state: &RandomState| u128::from(state.hash_one((key.len(), rest)));
        (of(&self.high) << 64 | of(&self.low), usize::from(*last >> 6), 1 << (*last & 63))
    }

    fn shard(&self, hash: u128) -> MutexGuard<'_, Shard> {
        let at = usize::try_from(hash >> 123).unwrap_or(0) % SHARDS;
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys are hashes already: their low half is as good as any hash of them.
#[derive(Default)]
struct FoldingHasher(u64);

impl Hasher for FoldingHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*b);
        }
    }

    fn write_u128(&mut self, value: u128) {
        self.0 = u64::try_from(value & u128::from(u64::MAX)).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_once() {
        let store = Store::new();
        for i in 0..10_000 {
            assert!(store.claim(&format!("n-{i}")));
        }
        assert!((0..10_000).all(|i| !store.claim(&format!("n-{i}"))));
        assert!(!store.contains("n-10000"));
        store.release("n-7");
        assert!(!store.contains("n-7") && store.claim("n-7"));
        for key in ["", "\0", "n", "n-", "é", "\u{e8}", "n-1000é"] {
            assert!(store.claim(key) && !store.claim(key), "{key:?}");
        }
    }
}
