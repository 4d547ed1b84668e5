//! Whether a target takes no more connections: it leaves some unanswered while it answers others, or refuses them.
//!
//! A server of five workers may keep each of them for one open connection. It must not know what is sent.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Environment, locked};
use crate::case::{Credential, Framing};
use crate::exchange::{Answer, Request};

/// A request that is unanswered for this long may be one too many, or for so many times the slowest plain answer.
const STALLED: (Duration, u32) = (Duration::from_secs(2), 20);

impl Environment {
    /// Counts an answer.
    pub fn note_answered(&self) {
        self.crowd.answered.fetch_add(1, Ordering::Relaxed);
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
            if !others || self.sender.pace.under_way() < 2 {
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
                self.crowded();
                return None;
            }
            drop(alone);
            // It is this request that takes long.
            return Some(sending.await);
        }
    }

    /// The target takes no more connections than there are now: fewer from now on, each closed after its answer.
    pub fn crowded(&self) {
        self.crowd.found.fetch_add(1, Ordering::Relaxed);
        let open = self.sender.pace.crowded();
        self.sender.close_after_answers();
        let mut too_many = locked(&self.crowd.too_many);
        *too_many = Some(too_many.map_or(open, |before| before.min(open)));
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
        let asking = self.sender.send_in_turn(&request, 0, &turn);
        let asked = tokio::time::timeout(self.stalled(), asking).await;
        matches!(asked, Ok(Answer::Received(_)))
    }

    fn stalled(&self) -> Duration {
        self.slowest_plain().saturating_mul(STALLED.1).max(STALLED.0)
    }
}
