//! The same keys for two executions of one case that go on side by side, each against a target of its own.
//!
//! Each task draws its next key when it needs one. It must not know what is executed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::locked;
use crate::generate::KeyGenerator;

tokio::task_local! {
    /// The counts of the execution that the task belongs to, where another one makes the same keys.
    static COUNTS: Arc<CountReader>;
}

/// The keys that two executions share.
#[derive(Clone)]
pub struct SameKeys(Arc<DrawnCounts>);

struct DrawnCounts {
    keys: Arc<KeyGenerator>,
    /// How many were asked for, and the first of them.
    drawn: Mutex<Vec<(u64, u64)>>,
}

/// How far one of the executions has read.
struct CountReader {
    counts: Arc<DrawnCounts>,
    next: AtomicUsize,
}

impl SameKeys {
    /// Keys that `keys` will count.
    #[must_use]
    pub fn new(keys: &Arc<KeyGenerator>) -> SameKeys {
        SameKeys(Arc::new(DrawnCounts { keys: Arc::clone(keys), drawn: Mutex::default() }))
    }

    /// Runs one of the executions: its nth key has the count that the nth key of the others has.
    pub async fn scope<T>(&self, execution: impl Future<Output = T>) -> T {
        let reader = CountReader { counts: Arc::clone(&self.0), next: AtomicUsize::new(0) };
        COUNTS.scope(Arc::new(reader), execution).await
    }
}

impl CountReader {
    fn take(&self, count: u64) -> u64 {
        let mut drawn = locked(&self.counts.drawn);
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        match drawn.get(at) {
            Some((asked, first)) if *asked == count => *first,
            // The executions went different ways.
            Some(_) => self.counts.keys.draw(count),
            None => {
                let first = self.counts.keys.draw(count);
                drawn.push((count, first));
                first
            }
        }
    }
}

/// Reserves `count` counts and gives the first, where the task has counts of its own.
pub(super) fn same_counts(count: u64) -> Option<u64> {
    COUNTS.try_with(|reader| reader.take(count)).ok()
}
