//! When the target last gave a good answer, and how long it has gone without one.
//!
//! It must not know what is sent, and ends no run.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::exchange::{Answer, LossKind};

/// How long a target may go without a good answer.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
/// Pauses that a target asks for do not count, but no longer than this multiple of the patience.
const MOST_PAUSES: u32 = 5;

/// When the target last gave a good answer.
pub(super) struct GoodAnswers {
    patience: Duration,
    state: Mutex<GoodAnswersState>,
}

struct GoodAnswersState {
    last: Instant,
    /// Until when the target asked to be left alone, and for how long in all since the last good answer.
    paused_until: Instant,
    paused: Duration,
    /// What the last answer was that was not good.
    bad: String,
}

impl GoodAnswers {
    pub fn new(patience: Duration) -> GoodAnswers {
        let now = Instant::now();
        let state = GoodAnswersState {
            last: now,
            paused_until: now,
            paused: Duration::ZERO,
            bad: String::new(),
        };
        GoodAnswers { patience, state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, GoodAnswersState> {
        match self.state.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    /// Begins anew: what was before is not the target's.
    pub fn begin(&self) {
        let mut state = self.state();
        state.last = Instant::now();
        state.paused = Duration::ZERO;
    }

    /// Takes note of an answer.
    pub fn note(&self, answer: &Answer) {
        match answer {
            Answer::Received(response) if is_good(response.status) => self.begin(),
            Answer::Received(response) => self.note_bad(&format!("status {}", response.status)),
            Answer::Lost(loss) if loss.kind == LossKind::CutShort => self.note_bad(&loss.message),
            Answer::Lost(loss) if loss.kind.is_ours() && !loss.kind.is_unreached() => {}
            Answer::Lost(loss) => self.note_bad(&loss.message),
        }
    }

    /// Takes note of something that is no good answer.
    pub fn note_bad(&self, why: &str) {
        let mut state = self.state();
        state.bad.clear();
        state.bad.extend(why.chars().take(200));
    }

    /// The target asked not to be sent anything for so long.
    pub fn pause(&self, pause: Duration) {
        let mut state = self.state();
        let now = Instant::now();
        let until = now + pause;
        let from = state.paused_until.max(now);
        if until > from {
            state.paused += until - from;
            state.paused_until = until;
        }
    }

    /// Why nothing more is to be expected of the target, where that is so.
    pub fn over(&self) -> Option<String> {
        let state = self.state();
        let excused = state.paused.min(self.patience.saturating_mul(MOST_PAUSES));
        let without = state.last.elapsed();
        (without > self.patience + excused).then(|| {
            let last =
                if state.bad.is_empty() { String::new() } else { format!("; last: {}", state.bad) };
            format!("no good answer for {} s (--patience){last}", without.as_secs())
        })
    }
}

/// Whether a status is the answer of a target that works: neither an error of the server nor load.
pub(super) fn is_good(status: u16) -> bool {
    status < 500 && !matches!(status, 408 | 429)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Loss;

    fn lost(kind: LossKind) -> Answer {
        Answer::Lost(Loss { kind, message: "nothing came".to_owned(), elapsed: Duration::ZERO })
    }

    #[test]
    fn pauses_that_were_asked_for_do_not_count() {
        let answers = GoodAnswers::new(Duration::ZERO);
        answers.note(&lost(LossKind::Timeout));
        std::thread::sleep(Duration::from_millis(2));
        assert!(answers.over().unwrap().ends_with("last: nothing came"));
        let patient = GoodAnswers::new(Duration::from_millis(1));
        patient.pause(Duration::from_hours(1));
        patient.pause(Duration::from_hours(1));
        let state = patient.state();
        // Two at once are one, and however long they are, they end.
        assert!(state.paused <= Duration::from_secs(3601), "{:?}", state.paused);
        drop(state);
        std::thread::sleep(Duration::from_millis(20));
        assert!(patient.over().is_some());
    }

    #[test]
    fn what_we_do_ourselves_is_no_answer() {
        let answers = GoodAnswers::new(Duration::ZERO);
        answers.note(&lost(LossKind::HungUp));
        assert!(answers.state().bad.is_empty());
        assert!([200, 400, 404].into_iter().all(is_good));
        assert!(![408, 429, 500, 503].into_iter().any(is_good));
    }
}
