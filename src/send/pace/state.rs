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
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    /// Sends as fast as the pace allows, each request with `latency` milliseconds to the target and back, of which it
    /// reaches the target at a random one; when the target saw them.
    fn seen(state: &mut PaceState, requests: usize, jobs: usize, latency: u64) -> Vec<Duration> {
        let start = state.next;
        let mut now = start;
        let (mut under_way, mut seen, mut random) =
            (Vec::<(Instant, u64)>::new(), Vec::new(), 7_u64);
        while seen.len() < requests {
            under_way.sort_unstable();
            while under_way.first().is_some_and(|(end, _)| *end <= now) {
                let (end, number) = under_way.remove(0);
                state.ended(number, end);
            }
            let until = if under_way.len() >= jobs {
                now + Duration::from_hours(1)
            } else {
                match state.admit(1, under_way.len(), now) {
                    Ok(number) => {
                        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(11);
                        let arrives = (random >> 33) % (latency + 1);
                        seen.push(now + Duration::from_millis(arrives) - start);
                        under_way.push((now + Duration::from_millis(latency), number));
                        continue;
                    }
                    Err(until) => until,
                }
            };
            let first = under_way.iter().map(|(end, _)| *end).min();
            now = first.map_or(until, |end| end.min(until)).max(now + Duration::from_micros(1));
        }
        seen.sort_unstable();
        seen
    }

    #[test]
    fn a_rate_holds_in_every_second_that_the_target_sees() {
        for (rate, most) in [(5.0, 5), (20.0, 20), (2.5, 2), (300.0, 300)] {
            for latency in [0, 30, 400, 3_000] {
                for jobs in [1, 4, 16, 400] {
                    let mut state = PaceState::new(Some(rate), Instant::now());
                    let seen = seen(&mut state, 400, jobs, latency.min(1_000));
                    for (at, first) in seen.iter().enumerate() {
                        let within =
                            seen[at..].iter().take_while(|t| t.saturating_sub(*first) < WINDOW);
                        let count = within.count();
                        assert!(count <= most, "{count} at {rate}/s, {latency} ms, {jobs} jobs");
                    }
                    if latency <= 30 && jobs >= 16 {
                        let seconds = seen.last().unwrap().as_secs_f64();
                        let wanted = 400.0 / most as f64;
                        assert!(seconds <= wanted * 1.1 + 1.0, "{seconds} s at {rate}/s");
                    }
                }
            }
        }
    }

    #[test]
    fn a_race_counts_as_many_requests_as_it_has() {
        let start = Instant::now();
        let mut state = PaceState::new(Some(5.0), start);
        assert_eq!(state.together(), 5);
        let first = state.admit(4, 0, start).unwrap();
        let soon = start + Duration::from_millis(10);
        (0..4).for_each(|nth| state.ended(first + nth, soon));
        let later = start + Duration::from_millis(900);
        assert!(state.admit(1, 0, later).is_ok(), "the fifth of the second");
        assert_eq!(
            state.admit(1, 1, later + Duration::from_millis(1)).unwrap_err(),
            later + Duration::from_millis(200)
        );
        assert!(
            state.admit(5, 0, start + Duration::from_millis(1_100)).is_err(),
            "only four have gone by"
        );
    }

    fn refuse(state: &mut PaceState, status: u16, pause: Option<u64>, sent: &Sent, now: Instant) {
        let header =
            move |name: &str| pause.filter(|_| name == "retry-after").map(|s| s.to_string());
        state.heard(status, &Advice::of(status, &header), sent, now);
    }

    #[test]
    fn a_rate_that_was_refused_is_not_tried_again_for_a_while() {
        let start = Instant::now();
        let mut state = PaceState::new(None, start);
        // Thirty in the first second, and the last of them is refused.
        for nth in 0..30 {
            state.admit(1, 0, start + Duration::from_millis(nth * 10)).unwrap();
        }
        let now = start + Duration::from_millis(300);
        let sent = Sent { released: now, under_way: 1, average: 30.0 };
        refuse(&mut state, 429, None, &sent, now);
        let mut now = now + USUAL_PAUSE;
        let mut released: Vec<Instant> = Vec::new();
        while now < start + Duration::from_secs(25) {
            match state.admit(1, 0, now) {
                Ok(_) => released.push(now),
                Err(until) => now = until,
            }
        }
        for at in &released {
            let within = released.iter().filter(|t| *t >= at && **t - *at < WINDOW).count();
            assert!(within < 30, "{within}");
        }
        assert!(released.len() > 24 * 15, "{} in 24 s is too slow", released.len());
    }

    #[test]
    fn a_target_that_is_busy_gets_fewer_requests_at_once() {
        let start = Instant::now();
        let mut state = PaceState::new(None, start);
        let mut now = start;
        for _ in 0..20 {
            let under_way = state.together().min(16);
            if under_way > 4 {
                let sent = Sent { released: now, under_way, average: 1.0 };
                refuse(&mut state, 503, Some(1), &sent, now);
                assert!(state.together() < under_way);
            }
            now += Duration::from_secs(1);
        }
        assert!((2..=4).contains(&state.together()), "{}", state.together());
        for _ in 0..20 {
            let sent = Sent { released: now, under_way: state.together(), average: 1.0 };
            refuse(&mut state, 503, Some(1), &sent, now);
            now += Duration::from_secs(1);
        }
        assert_eq!(state.together(), 2, "two are simultaneous");
    }

    #[test]
    fn a_pause_of_a_day_is_cut_down_once_and_then_hopeless() {
        let start = Instant::now();
        let mut state = PaceState::new(None, start);
        let sent = |released| Sent { released, under_way: 1, average: 1.0 };
        refuse(&mut state, 429, Some(86_400), &sent(start), start);
        assert_eq!(state.admit(1, 0, start).unwrap_err(), start + LONGEST_PAUSE);
        assert!(state.trouble.as_ref().unwrap().hopeless.is_none());
        let later = start + LONGEST_PAUSE;
        assert!(state.admit(1, 0, later + WINDOW).is_ok());
        refuse(&mut state, 429, Some(86_400), &sent(later), later);
        let why = state.trouble.as_ref().unwrap().hopeless.clone().unwrap();
        assert!(why.contains("86400 s") && why.contains("at most 60 s"), "{why}");
        state.heard(200, &Advice::of(200, &none), &sent(later), later);
        assert!(state.trouble.is_none(), "a good answer ends the trouble");
    }

    #[test]
    fn what_is_left_of_a_quota_is_not_exceeded() {
        let start = Instant::now();
        let mut state = PaceState::new(None, start);
        let header = |name: &str| (name == "ratelimit").then(|| "\"a\";r=3;t=7".to_owned());
        let sent = Sent { released: start, under_way: 2, average: 1.0 };
        state.heard(200, &Advice::of(200, &header), &sent, start);
        // One of the three may be under way already.
        assert!(state.admit(2, 0, start).is_ok());
        assert_eq!(state.admit(1, 0, start).unwrap_err(), start + Duration::from_secs(7));
        assert!(state.admit(1, 0, start + Duration::from_secs(7)).is_ok());
    }

    #[test]
    fn an_answer_that_was_overtaken_renews_no_quota() {
        let start = Instant::now();
        let mut state = PaceState::new(None, start);
        let left = |left: u64| {
            let field = format!("\"a\";r={left};t=7");
            Advice::of(200, &move |name: &str| (name == "ratelimit").then(|| field.clone()))
        };
        let sent = Sent { released: start, under_way: 1, average: 1.0 };
        let heard = start + Duration::from_millis(10);
        state.heard(200, &left(1), &sent, heard);
        state.heard(200, &left(9), &sent, heard + Duration::from_millis(1));
        assert!(state.admit(1, 0, heard).is_ok());
        assert!(state.admit(1, 0, heard).is_err(), "the older answer counts for nothing");
        let later = Sent { released: heard + Duration::from_millis(2), ..sent };
        state.heard(200, &left(9), &later, heard + Duration::from_millis(3));
        assert!(state.admit(8, 0, heard + Duration::from_millis(3)).is_ok());
    }
}
