//! What the requests of a run came to, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::exchange::Loss;

/// 2xx, 3xx and 4xx, 408 with 429 and 503, other 5xx, no answer.
#[derive(Debug, Default)]
pub(super) struct Outcomes([AtomicU64; 5]);

impl Outcomes {
    /// A response came.
    pub fn note_status(&self, status: u16) {
        self.count(match status {
            200..=299 => 0,
            408 | 429 | 503 => 2,
            500.. => 3,
            _ => 1,
        });
    }

    /// None came; a request that did not reach the target counts nowhere.
    pub fn note_loss(&self, loss: &Loss) {
        if !loss.kind.is_unreached() {
            self.count(4);
        }
    }

    fn count(&self, kind: usize) {
        self.0[kind].fetch_add(1, Ordering::Relaxed);
    }

    /// How many of each kind.
    pub fn counts(&self) -> [u64; 5] {
        self.0.each_ref().map(|count| count.load(Ordering::Relaxed))
    }
}
