//! Whether a target takes no more connections: it leaves some unanswered while it answers others, or refuses them.
//!
//! A server of five workers may keep each of them for one open connection. It must not know what is sent.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::environment::micros;
use super::{Environment, locked};
use crate::case::{Credential, Framing};
use crate::exchange::{Answer, Request};

/// By then a target knows that a connection was closed.
const NOTICED: Duration = Duration::from_millis(200);
/// So many new connections, one after the other, that get no answer show that there may be no more.
const REFUSED: usize = 3;

/// A request that is unanswered for this long may be one too many, or for this multiple of the slowest plain answer.
const STALLED: (Duration, u32) = (Duration::from_secs(2), 20);

impl Environment {
    /// Counts an answer. A little less time is enough, until it is not.
    pub fn note_answered(&self) {
        self.crowd.answered.fetch_add(1, Ordering::Relaxed);
        let room = self.crowd.room.load(Ordering::Relaxed);
        if room > 0 {
            self.crowd.room.store(room - room.div_ceil(16), Ordering::Relaxed);
        }
    }

    /// The fewest connections that the target did not take, where there were any.
    #[must_use]
    pub fn too_many_connections(&self) -> Option<usize> {
        *locked(&self.crowd.too_many)
    }

    /// What `sending` comes to; nothing where its connection is one of those that the target leaves unanswered.
    pub async fn unless_crowded<T>(&self, sending: impl Future<Output = T>) -> Option<T> {
        let (answered, found) =
            (self.crowd.answered.load(Ordering::Relaxed), self.crowd.found.load(Ordering::Relaxed));
        let is_news = || self.crowd.found.load(Ordering::Relaxed) != found;
        let open = self.sender.pace.under_way();
        let mut sending = pin!(sending);
        loop {
            tokio::select! {
                biased;
                done = &mut sending => return Some(done),
                () = tokio::time::sleep(self.stalled()) => {}
            }
            if is_news() {
                return None;
            }
            // Where nobody else is answered either, the target is slow, or hangs.
            let others = self.crowd.answered.load(Ordering::Relaxed) != answered;
            // The connections of the others are open still, unless each is closed after its answer.
            let is_alone = self.sender.pace.under_way() < 2 && !self.sender.keeps_connections();
            if !others || is_alone {
                continue;
            }
            let alone = tokio::select! {
                biased;
                done = &mut sending => return Some(done),
                alone = self.crowd.asking.lock() => alone,
            };
            if is_news() {
                return None;
            }
            let more = tokio::select! {
                biased;
                done = &mut sending => return Some(done),
                more = self.takes_one_more() => more,
            };
            if !more {
                self.crowded_with(open);
                return None;
            }
            drop(alone);
            // It is this request that takes long.
            return Some(sending.await);
        }
    }

    /// The target takes no more connections than there are now: fewer from now on, each closed after its answer.
    pub fn crowded(&self) {
        self.crowded_with(0);
    }

    /// The same where `open` connections were open at the beginning.
    fn crowded_with(&self, open: usize) {
        self.crowd.found.fetch_add(1, Ordering::Relaxed);
        let open = self.sender.pace.crowded(open);
        self.sender.close_after_answers();
        let mut too_many = locked(&self.crowd.too_many);
        *too_many = Some(too_many.map_or(open, |before| before.min(open)));
    }

    /// Whether new connections are closed without an answer while others are open: then fewer are opened from now on,
    /// and none stays open.
    pub async fn closes_new_connections(&self) -> bool {
        let found = self.crowd.found.load(Ordering::Relaxed);
        let _alone = self.crowd.asking.lock().await;
        if self.crowd.found.load(Ordering::Relaxed) != found {
            return true;
        }
        // Where none of ours is open, it is not their number.
        if !self.sender.keeps_connections() && self.sender.pace.under_way() == 0 {
            return false;
        }
        let mut refused = 0;
        while refused < REFUSED && !self.cancellation.is_cancelled() && !self.takes_one_more().await
        {
            refused += 1;
        }
        // Of a target that is known to take few, one that is refused says as much.
        if refused < REFUSED && (refused == 0 || found == 0) {
            return false;
        }
        self.crowded();
        true
    }

    /// Gives a gateway time to notice that the target closed a connection.
    pub async fn give_time_to_notice(&self) {
        self.pause(NOTICED).await;
    }

    /// Closes the connections that are idle, and gives the target time to notice.
    pub async fn close_idle_connections(&self) {
        if self.sender.keeps_connections() {
            self.sender.close_after_answers();
            self.pause(NOTICED).await;
        }
    }

    /// Gives a target that takes few connections time to notice that the last one was closed.
    pub async fn leave_room(&self) {
        let room = self.crowd.room.load(Ordering::Relaxed);
        if room > 0 {
            self.pause(Duration::from_micros(room)).await;
        }
    }

    /// That time was not enough: twice as much from now on.
    pub fn leave_more_room(&self) {
        let most = micros(NOTICED);
        let twice = |room: u64| Some((room * 2).clamp(most / 20, most));
        let _ = self.crowd.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, twice);
    }

    /// Whether one more connection is answered, with a GET of the documented path, which stores nothing.
    async fn takes_one_more(&self) -> bool {
        let mut request = Request {
            method: "GET".to_owned(),
            path: self.contract.operation.path.clone(),
            headers: Vec::new(),
            credential: Credential::Good,
            body: None,
            framing: Framing::Sized,
            hang_up: None,
            new_connection: true,
            trace: None,
            raw: None,
        };
        self.trace(&mut request);
        let turn = self.sender.pace.turn().await;
        self.leave_room().await;
        let asking = self.sender.send_in_turn(&request, 0, &turn);
        let asked = tokio::time::timeout(self.stalled(), asking).await;
        matches!(asked, Ok(Answer::Received(_)))
    }

    fn stalled(&self) -> Duration {
        self.slowest_plain().saturating_mul(STALLED.1).max(STALLED.0)
    }
}
