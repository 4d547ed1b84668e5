//! Watches what the requests of a run come to, from its start to its end.
//!
//! It looks at the sender's counts now and then, so that no request pays for it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::record::{Phase, RequestOutcomes, Timeline, TimelineSlice};
use crate::session::{Environment, locked};

/// The first distance between two looks; it doubles when a run becomes long.
const FIRST: Duration = Duration::from_millis(10);

/// The slices of a run so far.
struct Watched {
    timeline: Timeline,
    phase: Phase,
    every: Duration,
}

/// Watches a run.
pub(super) struct Watcher {
    environment: Arc<Environment>,
    started: Instant,
    watched: Arc<Mutex<Watched>>,
    task: tokio::task::JoinHandle<()>,
}

impl Watcher {
    /// Begins to watch.
    pub fn start(environment: &Arc<Environment>, started: Instant) -> Watcher {
        let watched =
            Watched { timeline: Timeline::default(), phase: Phase::Preflight, every: FIRST };
        let watched = Arc::new(Mutex::new(watched));
        let (watching, looked) = (Arc::clone(environment), Arc::clone(&watched));
        let task = tokio::spawn(async move {
            loop {
                let every = locked(&looked).every;
                tokio::time::sleep(every).await;
                look(&watching, started, &looked);
            }
        });
        Watcher { environment: Arc::clone(environment), started, watched, task }
    }

    /// Another phase begins.
    pub fn phase(&self, phase: Phase) {
        look(&self.environment, self.started, &self.watched);
        locked(&self.watched).phase = phase;
    }

    /// The slices of the whole run.
    pub fn end(&self) -> Vec<TimelineSlice> {
        self.task.abort();
        look(&self.environment, self.started, &self.watched);
        std::mem::take(&mut locked(&self.watched).timeline).into_slices()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn look(environment: &Environment, started: Instant, watched: &Mutex<Watched>) {
    let [accepted, refused, busy, failed, unanswered] = environment.sender.outcomes();
    let counts = RequestOutcomes { accepted, refused, busy, failed, unanswered };
    let mut watched = locked(watched);
    let phase = watched.phase;
    let until = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if watched.timeline.push(until, phase, counts) {
        watched.every *= 2;
    }
}
