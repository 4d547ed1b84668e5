//! Exchanges as they end, judged in the order in which they began.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, watch};

use super::room::TakenRoom;
use crate::har::TrafficEntry;
use crate::judge::TrafficJudge;
use crate::record::Summary;
use crate::session::locked;

/// How often exchanges are judged that nothing follows.
const TICK: Duration = Duration::from_millis(100);
/// An exchange that takes longer holds up no others; it is judged as the one that came last.
const PATIENCE: i64 = 60_000_000;
/// So is the oldest one, where more than these wait for it.
const WAITING: usize = 20_000;

/// When an exchange began, and its number.
type ExchangePlace = (i64, u64);

/// An exchange with the room that it takes.
pub(super) type EndedExchange = (ExchangePlace, Option<(TrafficEntry, TakenRoom)>);

/// Exchanges under way.
pub(super) struct Live {
    clock: (DateTime<Utc>, Instant),
    under_way: Mutex<(u64, BTreeSet<ExchangePlace>)>,
    ended: Mutex<Option<mpsc::UnboundedSender<EndedExchange>>>,
    count: watch::Sender<usize>,
}

impl Live {
    pub fn new() -> (Arc<Live>, mpsc::UnboundedReceiver<EndedExchange>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let live = Live {
            clock: (Utc::now(), Instant::now()),
            under_way: Mutex::default(),
            ended: Mutex::new(Some(sender)),
            count: watch::Sender::new(0),
        };
        (Arc::new(live), receiver)
    }

    /// Microseconds since 1970, on a clock that never jumps.
    pub fn now(&self) -> i64 {
        let since = i64::try_from(self.clock.1.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.clock.0.timestamp_micros().saturating_add(since)
    }

    /// An exchange begins.
    pub fn begin(&self) -> ExchangePlace {
        let mut under_way = locked(&self.under_way);
        under_way.0 += 1;
        let place = (self.now(), under_way.0);
        under_way.1.insert(place);
        self.count.send_replace(under_way.1.len());
        place
    }

    /// It has ended; `entry` is what is to be judged of it.
    pub fn end_exchange(&self, place: ExchangePlace, entry: Option<(TrafficEntry, TakenRoom)>) {
        if let Some(ended) = locked(&self.ended).as_ref() {
            let _ = ended.send((place, entry));
        }
        let mut under_way = locked(&self.under_way);
        under_way.1.remove(&place);
        self.count.send_replace(under_way.1.len());
    }

    /// Waits until none is under way.
    pub async fn idle(&self) {
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Nothing more will come.
    pub fn end(&self) {
        locked(&self.ended).take();
    }

    /// Nothing that is still to come began before that.
    fn settled(&self, waiting: usize) -> i64 {
        let now = self.now();
        let under_way = locked(&self.under_way);
        let oldest = under_way.1.iter().map(|(begun, _)| *begun);
        let patient = if waiting > WAITING { i64::MAX } else { now - PATIENCE };
        oldest.filter(|begun| *begun > patient).min().unwrap_or(now)
    }
}

/// Judges exchanges until nothing more comes.
pub(super) async fn judge_all(
    live: Arc<Live>,
    mut entries: mpsc::UnboundedReceiver<EndedExchange>,
    mut judge: TrafficJudge,
) -> std::io::Result<Option<Summary>> {
    let mut waiting: BTreeMap<ExchangePlace, (TrafficEntry, TakenRoom)> = BTreeMap::new();
    let mut is_open = true;
    let mut last = i64::MIN;
    while is_open {
        tokio::select! {
            ended = entries.recv() => match ended {
                Some((place, entry)) => waiting.extend(entry.map(|entry| (place, entry))),
                None => is_open = false,
            },
            () = tokio::time::sleep(TICK) => {}
        }
        let settled = if is_open { live.settled(waiting.len()) } else { i64::MAX };
        // What is under way no longer was handed over before.
        while let Ok((place, entry)) = entries.try_recv() {
            waiting.extend(entry.map(|entry| (place, entry)));
        }
        while let Some(first) = waiting.first_entry().filter(|first| first.key().0 < settled) {
            let (mut entry, _room) = first.remove();
            // One that was not awaited lies in the past: it is judged as simultaneous with what goes on now.
            entry.span.begun = entry.span.begun.max(last);
            entry.span.ended = entry.span.ended.max(entry.span.begun);
            last = entry.span.begun;
            judge.take(0, &entry)?;
        }
        judge.close_before(if is_open { settled } else { i64::MAX })?;
    }
    judge.finish(&[])
}
