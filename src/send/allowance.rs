//! The time that an exchange may take: what we make it wait for ourselves is not the target's.
//!
//! It must not know what is waited for.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::exchange::LossKind;

/// A time limit that stands still while we do.
pub(super) struct Allowance {
    limit: Duration,
    start: Instant,
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    /// Waits that are over.
    total: Duration,
    /// When the present one began.
    since: Option<Instant>,
}

impl Allowance {
    pub fn new(limit: Duration) -> Allowance {
        Allowance { limit, start: Instant::now(), waits: Mutex::default() }
    }

    fn waits(&self) -> std::sync::MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something of ours: the limit stands still meanwhile.
    pub async fn standing_still<T>(&self, wait: impl Future<Output = T>) -> T {
        self.waits().since = Some(Instant::now());
        let ended = wait.await;
        let mut waits = self.waits();
        let waited = waits.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        waits.total += waited;
        ended
    }

    /// How long it has stood still.
    fn waited(&self) -> Duration {
        let waits = self.waits();
        waits.total + waits.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// What is left of it. It stands still for its own length at most: others may be slow for ever.
    fn left(&self) -> Duration {
        (self.limit + self.waited().min(self.limit)).saturating_sub(self.start.elapsed())
    }

    /// What an answer that did not come within it is lost by: to us, where we made it wait.
    pub fn late(&self) -> LossKind {
        if self.waited() > self.limit / 2 { LossKind::CutShort } else { LossKind::Timeout }
    }

    /// The outcome of `work`, where it ends in time.
    pub async fn within<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            let left = self.left();
            if left.is_zero() {
                return None;
            }
            if let Ok(done) = tokio::time::timeout(left, work.as_mut()).await {
                return Some(done);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_for_our_own_room_takes_nothing_of_the_limit() {
        let allowance = Allowance::new(Duration::from_secs(1));
        let wait = allowance.standing_still(tokio::time::sleep(Duration::from_millis(1500)));
        assert_eq!(allowance.within(wait).await, Some(()));
        assert_eq!(allowance.within(std::future::pending::<()>()).await, None);
    }
}
