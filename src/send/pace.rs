//! Pace: at most so many requests a second.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Spaces requests evenly; without a rate it never waits.
pub struct Pace {
    state: Mutex<PaceState>,
}

struct PaceState {
    interval: Duration,
    next: Instant,
    /// What was asked for.
    usual: Duration,
    /// Nothing is sent before this moment (`Retry-After`).
    not_before: Option<Instant>,
    /// When the target last asked to slow down.
    slowed: Option<Instant>,
    /// Requests since then.
    since: u32,
}

/// Answers of one burst that ask to slow down are one request to do so.
const BURST: Duration = Duration::from_secs(2);
/// After so many requests without complaint the rate doubles again, up to what it was.
const RECOVERY: u32 = 12;
/// However often a target complains, this is slow enough where no rate was set.
const SLOWEST: Duration = Duration::from_millis(50);

impl Pace {
    /// At most `rate` requests a second.
    #[must_use]
    pub fn new(rate: Option<f64>) -> Pace {
        let interval = rate.map_or(Duration::ZERO, |r| Duration::from_secs_f64(1.0 / r.max(1e-6)));
        let state = PaceState {
            interval,
            next: Instant::now(),
            usual: interval,
            not_before: None,
            slowed: None,
            since: 0,
        };
        Pace { state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, PaceState> {
        match self.state.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    /// Waits for this request's turn.
    pub async fn wait(&self) {
        let due = {
            let mut state = self.state();
            if state.interval.is_zero() && state.not_before.is_none() {
                return;
            }
            let now = Instant::now();
            state.since += 1;
            if state.since >= RECOVERY && state.interval > state.usual {
                state.since = 0;
                let faster = state.interval / 2;
                state.interval = if faster < Duration::from_millis(5) {
                    state.usual
                } else {
                    faster.max(state.usual)
                };
            }
            let due = state.next.max(now).max(state.not_before.unwrap_or(now));
            state.next = due + state.interval;
            if state.not_before.is_some_and(|t| t <= now) {
                state.not_before = None;
            }
            due
        };
        tokio::time::sleep_until(due).await;
    }

    /// The target asked to slow down: nothing for `pause`, then half the rate.
    pub fn back_off(&self, pause: Duration) {
        let mut state = self.state();
        let now = Instant::now();
        if state.slowed.is_none_or(|t| now.duration_since(t) > BURST) {
            state.slowed = Some(now);
            state.interval = if state.interval.is_zero() {
                Duration::from_millis(10)
            } else {
                (state.interval * 2).min(SLOWEST.max(state.usual * 8))
            };
        }
        state.since = 0;
        let until = now + pause;
        state.not_before = Some(state.not_before.map_or(until, |t| t.max(until)));
    }
}
