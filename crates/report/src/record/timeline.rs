//! A run over time: what its requests came to, in at most a few hundred slices, however long it was.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a run was doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Setting up, and the first plain batches.
    #[default]
    Preflight,
    /// The cases.
    Cases,
    /// Repeating findings, and looking for minimal examples.
    Repeats,
}

impl Phase {
    /// Its name for readers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Phase::Preflight => "preflight",
            Phase::Cases => "cases",
            Phase::Repeats => "repeats",
        }
    }
}

/// Requests by what they came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RequestOutcomes {
    /// Answered with a 2xx.
    pub accepted: u64,
    /// Answered with another status below 500, but for 408 and 429.
    pub refused: u64,
    /// Answered with 408, 429 or 503.
    pub busy: u64,
    /// Answered with another 5xx.
    pub failed: u64,
    /// Not answered.
    pub unanswered: u64,
}

impl RequestOutcomes {
    /// All of them, in the order in which they are drawn.
    #[must_use]
    pub fn list(&self) -> [(&'static str, u64); 5] {
        [
            ("2xx", self.accepted),
            ("3xx, 4xx", self.refused),
            ("408, 429, 503", self.busy),
            ("5xx", self.failed),
            ("no response", self.unanswered),
        ]
    }

    /// How many requests.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.list().iter().map(|(_, count)| count).sum()
    }

    /// What came since `before`.
    #[must_use]
    pub fn since(&self, before: &RequestOutcomes) -> RequestOutcomes {
        RequestOutcomes {
            accepted: self.accepted - before.accepted.min(self.accepted),
            refused: self.refused - before.refused.min(self.refused),
            busy: self.busy - before.busy.min(self.busy),
            failed: self.failed - before.failed.min(self.failed),
            unanswered: self.unanswered - before.unanswered.min(self.unanswered),
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: &RequestOutcomes) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.busy += other.busy;
        self.failed += other.failed;
        self.unanswered += other.unanswered;
    }
}

/// A slice of the time of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineSlice {
    /// Milliseconds from the start of the run to the end of the slice; it begins where the one before it ends.
    pub until_ms: u64,
    /// What the run was doing.
    pub phase: Phase,
    /// The requests that ended in it.
    #[serde(flatten)]
    pub ended: RequestOutcomes,
}

/// Slices that are kept at most.
const MOST: usize = 240;

/// The slices of a run, as they come.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    slices: Vec<TimelineSlice>,
    seen: RequestOutcomes,
}

impl Timeline {
    /// Ends a slice. Whether slices have become too many, and pairs of them were made one: those to come should be twice as
    /// long.
    pub fn push(&mut self, until_ms: u64, phase: Phase, all: RequestOutcomes) -> bool {
        let ended = all.since(&self.seen);
        self.seen = all;
        let is_idle = |slice: &TimelineSlice| slice.phase == phase && slice.ended.total() == 0;
        match self.slices.last_mut() {
            Some(last) if last.until_ms >= until_ms => last.ended.add(&ended),
            Some(last) if ended.total() == 0 && is_idle(last) => last.until_ms = until_ms,
            _ => self.slices.push(TimelineSlice { until_ms, phase, ended }),
        }
        let full = self.slices.len() > MOST;
        if full {
            let mut merged: Vec<TimelineSlice> = Vec::with_capacity(MOST);
            for (at, slice) in std::mem::take(&mut self.slices).into_iter().enumerate() {
                match merged.last_mut() {
                    Some(last) if at % 2 == 1 && last.phase == slice.phase => {
                        last.until_ms = slice.until_ms;
                        last.ended.add(&slice.ended);
                    }
                    _ => merged.push(slice),
                }
            }
            self.slices = merged;
        }
        full
    }

    /// The slices so far.
    #[must_use]
    pub fn into_slices(self) -> Vec<TimelineSlice> {
        self.slices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_keeps_every_request_in_few_slices() {
        let mut timeline = Timeline::default();
        let mut all = RequestOutcomes::default();
        for tick in 1..=100_000_u64 {
            all.accepted += 3;
            all.busy += u64::from(tick % 7 == 0);
            let phase = if tick < 90_000 { Phase::Cases } else { Phase::Repeats };
            timeline.push(tick * 10, phase, all);
        }
        let slices = timeline.into_slices();
        assert!(slices.len() <= MOST, "{}", slices.len());
        let mut sum = RequestOutcomes::default();
        for slice in &slices {
            sum.add(&slice.ended);
        }
        assert_eq!(sum, all);
        assert!(slices.windows(2).all(|two| two[0].until_ms < two[1].until_ms));
        assert_eq!(slices.last().map(|slice| slice.until_ms), Some(1_000_000));
    }
}
