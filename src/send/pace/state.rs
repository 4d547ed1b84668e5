//! What the pace keeps in mind: when requests went out, and what the target refused.
//!
//! It gets the time from its caller, and never waits.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::LONGEST_PAUSE;
use crate::send::ceiling::Ceiling;
use crate::send::rate_limit::{Advice, Quota};

/// The pause where a refusal names none.
const USUAL_PAUSE: Duration = Duration::from_secs(1);
/// The same where 503 is known to be a fault.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
/// A rate holds within every window of this length.
pub(super) const WINDOW: Duration = Duration::from_secs(1);
/// By then a request has reached the target, whether it was answered or not.
const ARRIVED: Duration = Duration::from_secs(1);
/// Requests a second that 503 does not slow a run below: it may be a fault, and have nothing to do with the rate.
const SLOWEST_FOR_FAULTS: f64 = 20.0;
/// Requests at once that 503 does not bring a run below: simultaneous requests stay possible.
const FEWEST_FOR_FAULTS: usize = 2;
/// Requests a second that nothing slows a run below.
const SLOWEST: f64 = 0.2;
/// More entries than this are not searched one by one.
const MANY: usize = 1000;

/// What lets requests go out, and what answers say of it.
pub(super) struct PaceState {
    /// Requests a second that were asked for.
    asked: Option<f64>,
    pub(super) rate: Ceiling,
    pub(super) at_once: Ceiling,
    /// What the target says of itself.
    policy: Option<f64>,
    quota: Option<Quota>,
    /// When the next request may go out, by the rate alone.
    pub(super) next: Instant,
    /// Nothing goes out before this moment (`Retry-After`).
    pub(super) not_before: Option<Instant>,
    /// Requests of the last second or so that count for the rate that was asked for.
    counted: VecDeque<Counted>,
    /// When requests went out, in the last second.
    released: VecDeque<Instant>,
    lowered: Option<Instant>,
    raised: Instant,
    pub(super) trouble: Option<Trouble>,
    /// What lowered the rate was nothing but 503 that did not say when to come back.
    pub(super) only_busy: bool,
    /// A 503 that does not say when to come back is not caused by load.
    pub(super) busy_is_a_fault: bool,
    number: u64,
}

/// A request that counts for the rate.
struct Counted {
    number: u64,
    released: Instant,
    ended: Option<Instant>,
}

impl Counted {
    /// When it no longer counts: the target has seen it by its end, or soon after its beginning.
    fn free(&self, window: Duration) -> Instant {
        let arrived = self.released + ARRIVED;
        self.ended.map_or(arrived, |ended| ended.min(arrived)) + window
    }
}

/// Refusals since the last good answer.
#[derive(Default)]
pub(super) struct Trouble {
    /// When the pause ends that was cut down to [`LONGEST_PAUSE`].
    cut: Option<Instant>,
    /// Why nothing more is to be expected, once that is so.
    pub(super) hopeless: Option<String>,
}

/// A request that was answered, and what else was going on.
pub(super) struct Sent {
    pub(super) released: Instant,
    /// Requests under way, this one too.
    pub(super) under_way: usize,
    /// Requests a second since the beginning.
    pub(super) average: f64,
}

impl PaceState {
    pub(super) fn new(asked: Option<f64>, now: Instant) -> PaceState {
        PaceState {
            asked: asked.map(|rate| rate.max(1e-3)),
            rate: Ceiling::default(),
            at_once: Ceiling::default(),
            policy: None,
            quota: None,
            next: now,
            not_before: None,
            counted: VecDeque::new(),
            released: VecDeque::new(),
            lowered: None,
            raised: now,
            trouble: None,
            only_busy: true,
            busy_is_a_fault: false,
            number: 0,
        }
    }

    pub(super) fn is_free(&self) -> bool {
        self.asked.is_none()
            && self.policy.is_none()
            && self.quota.is_none()
            && self.not_before.is_none()
            && self.trouble.is_none()
            && self.rate.is_open()
            && self.at_once.is_open()
    }

    /// Requests that may go out in any window, and how long such a window is.
    fn slots(&self) -> Option<(usize, Duration)> {
        let rate = self.asked?;
        // Less than one a second is one in a longer window.
        let slots = rate.floor().max(1.0);
        Some((whole(slots), WINDOW.mul_f64((1.0 / rate).max(1.0))))
    }

    pub(super) fn together(&self) -> usize {
        let slots = self.slots().map_or(usize::MAX, |(slots, _)| slots);
        slots.min(whole(self.at_once.level())).max(1)
    }

    fn interval(&self) -> Duration {
        let limits = [self.asked, self.policy].into_iter().flatten();
        let rate = limits.fold(self.rate.level(), f64::min);
        if rate.is_finite() { Duration::from_secs_f64(1.0 / rate) } else { Duration::ZERO }
    }

    /// Lets `count` requests go out now, and gives the number of the first of them; else until when to wait, or until
    /// one that is under way ends.
    pub(super) fn admit(
        &mut self,
        count: usize,
        under_way: usize,
        now: Instant,
    ) -> Result<u64, Instant> {
        if now.saturating_duration_since(self.raised) >= WINDOW {
            self.raised = now;
            self.rate.raise(now);
            self.at_once.raise(now);
        }
        if let Some(until) = self.not_before {
            if until > now {
                return Err(until);
            }
            self.not_before = None;
        }
        if self.next > now {
            return Err(self.next);
        }
        if under_way > 0 && under_way + count > whole(self.at_once.level()) {
            return Err(now + WINDOW);
        }
        if let Some(quota) = self.quota.filter(|quota| quota.until > now)
            && quota.left < count as u64
            && (quota.left == 0 || under_way > 0)
        {
            return Err(quota.until);
        }
        if let Some((slots, window)) = self.slots() {
            if slots > MANY {
                while self.counted.front().is_some_and(|c| c.free(window) <= now) {
                    self.counted.pop_front();
                }
            } else {
                self.counted.retain(|c| c.free(window) > now);
            }
            if self.counted.len() + count > slots.max(count) {
                let first = self.counted.iter().map(|c| c.free(window)).min();
                return Err(first.unwrap_or(now + window));
            }
        }
        self.quota = self.quota.filter(|quota| quota.until > now);
        if let Some(quota) = &mut self.quota {
            quota.left = quota.left.saturating_sub(count as u64);
        }
        self.released.retain(|at| now.saturating_duration_since(*at) < WINDOW);
        let first = self.number + 1;
        for _ in 0..count {
            self.number += 1;
            self.released.push_back(now);
            if self.asked.is_some() {
                let number = self.number;
                self.counted.push_back(Counted { number, released: now, ended: None });
            }
        }
        self.next = now + self.interval().saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        Ok(first)
    }

    pub(super) fn ended(&mut self, number: u64, now: Instant) {
        if let Ok(at) = self.counted.binary_search_by_key(&number, |c| c.number) {
            self.counted[at].ended = Some(now);
        }
    }

    pub(super) fn heard(&mut self, status: u16, advice: &Advice, sent: &Sent, now: Instant) {
        if let Some(quota) = advice.quota(now, LONGEST_PAUSE) {
            // Those that are under way may not be counted there yet.
            let others = sent.under_way.saturating_sub(1) as u64;
            let told = Quota { left: quota.left.saturating_sub(others), ..quota };
            self.quota = Some(match self.quota.filter(|known| known.until > now) {
                // Sent before that was heard: answers overtake each other, and this one may be the older.
                Some(known) if sent.released < known.heard => {
                    Quota { left: known.left.min(told.left), ..known }
                }
                _ => told,
            });
        }
        self.policy = advice.policy.or(self.policy);
        match status {
            429 | 503 => self.refused(status, advice, sent, now),
            408 | 502 | 504 => {}
            _ => self.trouble = None,
        }
    }

    fn refused(&mut self, status: u16, advice: &Advice, sent: &Sent, now: Instant) {
        // Who says when to come back is asked again then, and at once where that is now: it is not the rate.
        let says_when = advice.pause.is_some_and(|pause| status == 503 || pause.is_zero());
        // Answers to what was sent before the pace was lowered say nothing new.
        let is_news = self.lowered.is_none_or(|lowered| sent.released >= lowered);
        if is_news {
            self.lowered = Some(now);
            // Who is busy and says for how long may take fewer at once.
            let is_busy = advice.pause.is_some_and(|pause| !pause.is_zero());
            let least = if status == 429 { 1 } else { FEWEST_FOR_FAULTS };
            if sent.under_way > least && (status == 429 || is_busy) {
                self.at_once.lower(sent.under_way as f64, least as f64, now);
            }
            self.raised = now;
        }
        let is_fault = self.busy_is_a_fault && status == 503 && advice.pause.is_none();
        self.only_busy &= status == 503 && advice.pause.is_none();
        if is_news && !says_when && !is_fault {
            let recent =
                self.released.iter().filter(|at| now.saturating_duration_since(**at) < WINDOW);
            let count = recent.count();
            let level = if count == 0 { sent.average } else { count as f64 };
            let asked = self.asked.unwrap_or(f64::INFINITY);
            let least = if status == 429 { SLOWEST } else { SLOWEST_FOR_FAULTS };
            self.rate.lower(level.min(asked), least.min(asked), now);
            self.next = self.next.max(now + self.interval());
        }
        let asked = advice.pause.unwrap_or(if is_fault { SHORT_PAUSE } else { USUAL_PAUSE });
        let until = now + asked.min(LONGEST_PAUSE);
        let before = self.not_before.unwrap_or(now).max(now);
        let trouble = self.trouble.get_or_insert_default();
        self.not_before = Some(before.max(until));
        if asked > LONGEST_PAUSE {
            let seconds = asked.as_secs();
            if trouble.cut.is_some_and(|cut| sent.released >= cut) {
                trouble.hopeless = Some(format!(
                    "The target answered {status} and asks to come back in {seconds} s; batchproof waits at most {} s.",
                    LONGEST_PAUSE.as_secs()
                ));
            }
            trouble.cut.get_or_insert(until);
        }
    }
}

/// The whole part of a level; the greatest number where there is no limit.
fn whole(level: f64) -> usize {
    let seconds = Duration::try_from_secs_f64(level).map_or(u64::MAX, |level| level.as_secs());
    usize::try_from(seconds).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
