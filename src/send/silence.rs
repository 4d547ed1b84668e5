//! Whether the target has stopped answering: which request was the last to get a response, and how many got none since.
//!
//! It must not know what is sent, nor what an answer says.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exchange::{Answer, LossKind};

/// Requests without a response after which the target has stopped answering; fewer may be odd ones.
const STOPPED: u64 = 20;

/// Keeps count of a target's responses.
#[derive(Debug, Default)]
pub struct ResponseLog(Mutex<Counts>);

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    sent: u64,
    last_answered: u64,
    lost_since: u64,
    /// How it stood when all cases had run.
    marked: Option<Silence>,
}

/// A target that answered and stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// The last request that got a response, counted from 1.
    pub after: u64,
    /// Requests since, none of which got one.
    pub since: u64,
}

impl ResponseLog {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a request that is sent now.
    pub(super) fn begin(&self) -> u64 {
        let mut counts = self.counts();
        counts.sent += 1;
        counts.sent
    }

    /// Takes note of what became of it.
    pub(super) fn note(&self, number: u64, answer: &Answer) {
        let mut counts = self.counts();
        match answer {
            Answer::Lost(loss)
                if matches!(
                    loss.kind,
                    LossKind::HungUp | LossKind::Ended | LossKind::Credentials
                ) => {}
            // Where the head came, it is the body that got lost.
            Answer::Lost(loss) if !loss.message.starts_with("status ") => counts.lost_since += 1,
            Answer::Received(_) | Answer::Lost(_) => {
                counts.last_answered = counts.last_answered.max(number);
                counts.lost_since = 0;
            }
        }
    }

    /// The last request that got a response; 0 where none did.
    #[must_use]
    pub fn last_answered(&self) -> u64 {
        self.counts().last_answered
    }

    /// All cases have run: what follows sends again what got no response, and says nothing of other requests.
    pub fn mark(&self) {
        let mut counts = self.counts();
        let stopped = counts.last_answered > 0 && counts.lost_since >= STOPPED;
        let silence = Silence { after: counts.last_answered, since: counts.lost_since };
        counts.marked = stopped.then_some(silence);
    }

    /// Whether the target answered at first, none of the last requests of the cases, and nothing since.
    #[must_use]
    pub fn silence(&self) -> Option<Silence> {
        let counts = *self.counts();
        counts.marked.filter(|silence| silence.after == counts.last_answered)
    }
}
