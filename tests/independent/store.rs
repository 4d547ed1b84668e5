//! What has been accepted: the numbers, which is all that this endpoint ever shows of it.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The used numbers. A batch holds the lock from its first item to its last, as a transaction with
/// a unique index would: of simultaneous claims to a number one wins.
#[derive(Debug, Default)]
pub struct Store {
    used: Mutex<HashSet<String>>,
}

impl Store {
    pub fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        // A set is sound after a panic of another holder: an insertion happened or did not.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
