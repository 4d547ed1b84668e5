//! Pace: how many requests may go out when, and how many may be under way at once.
//!
//! A rate that was asked for is strict: it holds in every window of one second, as the target sees it. What the target
//! refuses (429, 503) is remembered, and not tried again for a while. It must not know what is sent.

mod state;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::ceiling::Ceiling;
use super::rate_limit::Advice;
use state::{PaceState, Sent, WINDOW};

/// The longest pause that a target gets, whatever it asks for.
pub const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Lets requests go out at their time; without a rate or a refusal, at once.
#[derive(Clone)]
pub struct Pace(Arc<PaceShared>);

struct PaceShared {
    /// Held by the request that is next, so that requests go out in the order in which they came.
    queue: tokio::sync::Mutex<()>,
    state: Mutex<PaceState>,
    /// Wakes the next request when one ends.
    ended: Notify,
    /// Nothing limits the pace: neither the queue nor the state is touched.
    is_free: AtomicBool,
    under_way: AtomicUsize,
    total: AtomicU64,
    begun: Instant,
}

/// The right to send one request, held until it is answered.
pub struct Turn {
    pace: Pace,
    released: Instant,
    /// Among those that count; 0 where none do.
    number: u64,
}

impl Pace {
    /// At most `rate` requests in any second.
    #[must_use]
    pub fn new(rate: Option<f64>) -> Pace {
        let now = Instant::now();
        Pace(Arc::new(PaceShared {
            queue: tokio::sync::Mutex::new(()),
            state: Mutex::new(PaceState::new(rate, now)),
            ended: Notify::new(),
            is_free: AtomicBool::new(rate.is_none()),
            under_way: AtomicUsize::new(0),
            total: AtomicU64::new(0),
            begun: now,
        }))
    }

    /// Waits for the turn of one request.
    pub async fn turn(&self) -> Turn {
        if self.0.is_free.load(Ordering::Relaxed) {
            return self.taken(1, Instant::now(), 0);
        }
        let (released, number) = self.admitted(1).await;
        self.taken(1, released, number)
    }

    /// Waits until `count` requests may go out at once; [`Pace::most_together`] says how many may.
    pub async fn turns(&self, count: usize) -> Vec<Turn> {
        let (released, number) = if self.0.is_free.load(Ordering::Relaxed) {
            (Instant::now(), 0)
        } else {
            self.admitted(count).await
        };
        let nth = |nth: usize| if number == 0 { 0 } else { number + nth as u64 };
        (0..count).map(|at| self.taken(1, released, nth(at))).collect()
    }

    /// How many requests may go out at once.
    #[must_use]
    pub fn most_together(&self) -> usize {
        if self.0.is_free.load(Ordering::Relaxed) { usize::MAX } else { self.state().together() }
    }

    /// Why the target refuses everything, where it has done so for too long.
    #[must_use]
    pub fn hopeless(&self) -> Option<String> {
        if self.0.is_free.load(Ordering::Relaxed) {
            return None;
        }
        self.state().trouble.as_ref().and_then(|t| t.hopeless.clone())
    }

    /// Requests that are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.0.under_way.load(Ordering::Relaxed)
    }

    /// A 503 that does not say when to come back was no answer to load, and is none from now on: what it slowed down is
    /// undone.
    pub fn busy_is_a_fault(&self) {
        let mut state = self.state();
        state.busy_is_a_fault = true;
        if state.only_busy {
            state.rate = Ceiling::default();
            state.not_before = None;
            state.next = Instant::now();
        }
    }

    /// The target takes no more connections than `open`, or than the requests under way have: fewer from now on. Gives how
    /// many they are.
    #[must_use]
    pub fn crowded(&self, open: usize) -> usize {
        let open = self.under_way().max(open);
        let mut state = self.state();
        // Connections that are closed take their place for a while yet.
        state.at_once.lower(open as f64 / 2.0, 1.0, Instant::now());
        self.0.is_free.store(false, Ordering::Relaxed);
        open
    }

    fn taken(&self, count: usize, released: Instant, number: u64) -> Turn {
        self.0.under_way.fetch_add(count, Ordering::Relaxed);
        self.0.total.fetch_add(count as u64, Ordering::Relaxed);
        Turn { pace: self.clone(), released, number }
    }

    /// Waits in the queue; when the requests went out, and the number of the first.
    async fn admitted(&self, count: usize) -> (Instant, u64) {
        let _first = self.0.queue.lock().await;
        loop {
            let now = Instant::now();
            let under_way = self.0.under_way.load(Ordering::Relaxed);
            let admitted = self.state().admit(count, under_way, now);
            match admitted {
                Ok(number) => return (now, number),
                Err(until) => {
                    tokio::select! {
                        () = self.0.ended.notified() => {}
                        () = tokio::time::sleep_until(until) => {}
                    }
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, PaceState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Takes note of the answer: whether the target asks to slow down, and what it says of its limits. Gives how long
    /// it asks not to be sent anything.
    pub fn heard(&self, status: u16, header: &dyn Fn(&str) -> Option<String>) -> Option<Duration> {
        let shared = &self.pace.0;
        let advice = Advice::of(status, header);
        if advice.is_nothing() && shared.is_free.load(Ordering::Relaxed) {
            return None;
        }
        let now = Instant::now();
        let under_way = shared.under_way.load(Ordering::Relaxed);
        let elapsed = now.duration_since(shared.begun).max(WINDOW);
        let average = shared.total.load(Ordering::Relaxed) as f64 / elapsed.as_secs_f64();
        let mut state = self.pace.state();
        let sent = Sent { released: self.released, under_way, average };
        state.heard(status, &advice, &sent, now);
        shared.is_free.store(state.is_free(), Ordering::Relaxed);
        advice.pause
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let shared = &self.pace.0;
        shared.under_way.fetch_sub(1, Ordering::Relaxed);
        if self.number > 0 {
            self.pace.state().ended(self.number, Instant::now());
        }
        if !shared.is_free.load(Ordering::Relaxed) {
            shared.ended.notify_one();
        }
    }
}
