//! How long answers are waited for: less and less where none comes at all.
//!
//! A target that hangs on every request would hold a run for hours. It must not know what is sent.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// After this number of time-outs in a row the limit is divided.
const STEPS: [(u32, u32); 2] = [(8, 16), (32, 128)];
/// The limit is not divided below this.
const LEAST: Duration = Duration::from_millis(200);

/// Counts time-outs in a row.
#[derive(Debug, Default)]
pub(super) struct Patience(AtomicU32);

impl Patience {
    /// What is left of `limit`.
    pub fn of(&self, limit: Duration) -> Duration {
        let timeouts = self.0.load(Ordering::Relaxed);
        let divisor = STEPS.iter().rev().find(|(from, _)| timeouts >= *from).map_or(1, |s| s.1);
        (limit / divisor).max(LEAST.min(limit))
    }

    /// Takes note of an answer, or of a time-out.
    pub fn note(&self, timed_out: bool) {
        if timed_out {
            self.0.fetch_add(1, Ordering::Relaxed);
        } else {
            self.0.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_target_that_never_answers_is_waited_for_less() {
        let patience = Patience::default();
        let limit = Duration::from_secs(32);
        for timeouts in 0..40 {
            let wanted = match timeouts {
                0..8 => limit,
                8..32 => Duration::from_secs(2),
                _ => Duration::from_millis(250),
            };
            assert_eq!(patience.of(limit), wanted);
            assert_eq!(patience.of(LEAST / 2), LEAST / 2);
            patience.note(true);
        }
        patience.note(false);
        assert_eq!(patience.of(limit), limit);
    }
}
