//! The memory of used numbers: compact, sharded, atomic for each number.
//!
//! Keeps 128 bits of two keyed hashes for each key, never the key itself. Knows no items and no
//! requests.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

const SHARDS: usize = 32;

/// The keys that are taken.
pub(crate) struct Store {
    shards: Vec<Mutex<HashSet<u128, BuildHasherDefault<Folded>>>>,
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
        let hash = self.hash(key);
        self.shard(hash).insert(hash)
    }

    /// Whether `key` is taken.
    pub(crate) fn contains(&self, key: &str) -> bool {
        let hash = self.hash(key);
        self.shard(hash).contains(&hash)
    }

    /// Gives `key` back.
    pub(crate) fn release(&self, key: &str) {
        let hash = self.hash(key);
        self.shard(hash).remove(&hash);
    }

    // Two independently keyed 64-bit hashes: nobody who knows no key can make two numbers collide.
    fn hash(&self, key: &str) -> u128 {
        u128::from(self.high.hash_one(key)) << 64 | u128::from(self.low.hash_one(key))
    }

    fn shard(&self, hash: u128) -> MutexGuard<'_, HashSet<u128, BuildHasherDefault<Folded>>> {
        let at = usize::try_from(hash >> 123).unwrap_or(0) % SHARDS;
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys are hashes already: their low half is as good as any hash of them.
#[derive(Default)]
struct Folded(u64);

impl Hasher for Folded {
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
    }
}
