//! Latencies as a distribution: bounded in size, and parts of a run add up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Steps within a doubling: neighbours differ by at most a sixteenth, about 6 %.
const STEPS: u32 = 16;

/// How many answers took about how long, by class of batch size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Latencies(#[serde(with = "crate::check::map_as_pairs")] BTreeMap<usize, Latency>);

/// The latencies of the answers to batches of one size class, in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Answers.
    pub count: u64,
    /// Of all answers together.
    pub sum: u64,
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
    /// Answers by step, see [`step`].
    #[serde(with = "crate::check::map_as_pairs")]
    steps: BTreeMap<u32, u64>,
}

/// Answers whose latencies lie between two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatencyBar {
    /// The smallest, in microseconds.
    pub from: u64,
    /// The first that is too large.
    pub to: u64,
    /// How many.
    pub count: u64,
}

impl Default for Latency {
    fn default() -> Latency {
        Latency { count: 0, sum: 0, min: u64::MAX, max: 0, steps: BTreeMap::new() }
    }
}

impl Latency {
    fn add(&mut self, other: &Latency) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        for (step, count) in &other.steps {
            *self.steps.entry(*step).or_default() += count;
        }
    }

    /// The same as [`Latency::percentile`], by the lower end of its step: the share of the answers surely reached it.
    #[must_use]
    pub fn at_least(&self, share: f64) -> Option<u64> {
        self.step_of(share).map(|step| low(step).clamp(self.min, self.max))
    }

    /// The distribution in at most `most` bars of equal width on a logarithmic scale, those between them without an answer too.
    #[must_use]
    pub fn bars(&self, most: u32) -> Vec<LatencyBar> {
        let (Some((first, _)), Some((last, _))) =
            (self.steps.first_key_value(), self.steps.last_key_value())
        else {
            return Vec::new();
        };
        let width = (last - first + 1).div_ceil(most.max(1));
        let mut bars: Vec<LatencyBar> = (*first..=*last)
            .step_by(width as usize)
            .map(|from| LatencyBar { from: low(from), to: low(from + width), count: 0 })
            .collect();
        for (step, count) in &self.steps {
            if let Some(bar) = bars.get_mut(((step - first) / width) as usize) {
                bar.count += count;
            }
        }
        bars
    }

    fn step_of(&self, share: f64) -> Option<u32> {
        let mut left = (self.count as f64 * share).ceil();
        self.steps.iter().find_map(|(step, count)| {
            left -= *count as f64;
            (left <= 0.0).then_some(*step)
        })
    }

    /// The latency in microseconds that the `share` of the answers did not exceed, to a sixteenth; nothing where
    /// there were none.
    #[must_use]
    pub fn percentile(&self, share: f64) -> Option<u64> {
        self.step_of(share).map(|step| middle(step).clamp(self.min, self.max))
    }
}

impl Latencies {
    /// Counts an answer to a batch of a size class.
    pub fn count(&mut self, size: usize, micros: u64) {
        let class = self.0.entry(size).or_default();
        class.count += 1;
        class.sum = class.sum.saturating_add(micros);
        class.min = class.min.min(micros);
        class.max = class.max.max(micros);
        *class.steps.entry(step(micros)).or_default() += 1;
    }

    /// Adds another part's.
    pub fn add(&mut self, other: &Latencies) {
        for (size, class) in &other.0 {
            self.0.entry(*size).or_default().add(class);
        }
    }

    /// The answers of all size classes together.
    #[must_use]
    pub fn whole(&self) -> Latency {
        let mut whole = Latency::default();
        self.0.values().for_each(|class| whole.add(class));
        whole
    }

    /// By size class, the smallest first.
    pub fn classes(&self) -> impl Iterator<Item = (usize, &Latency)> {
        self.0.iter().map(|(size, class)| (*size, class))
    }
}

/// The step that a latency falls into: small ones have one each, then sixteen a doubling.
fn step(micros: u64) -> u32 {
    let steps = u64::from(STEPS);
    if micros < steps {
        return u32::try_from(micros).unwrap_or(0);
    }
    let doubling = micros.ilog2() - STEPS.ilog2();
    let within = (micros >> doubling) - steps;
    (doubling + 1) * STEPS + u32::try_from(within).unwrap_or(0)
}

/// The smallest latency of a step.
fn low(step: u32) -> u64 {
    if step < STEPS {
        return u64::from(step);
    }
    u64::from(STEPS + step % STEPS) << (step / STEPS - 1)
}

/// The middle of a step.
fn middle(step: u32) -> u64 {
    let doubling = (step / STEPS).saturating_sub(1);
    low(step) + (1 << doubling) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_off_by_a_sixteenth_at_most() {
        for micros in [0, 1, 15, 16, 17, 100, 999, 12_345, 1_000_000, 29_999_999, u64::MAX / 4] {
            let mut latencies = Latencies::default();
            latencies.count(1, micros);
            let told = latencies.0[&1].percentile(0.5).unwrap();
            assert!(told.abs_diff(micros) <= micros / 16, "{micros}: {told}");
        }
    }

    #[test]
    fn bars_hold_every_answer_once_and_the_lower_end_of_a_step_is_not_above_it() {
        let mut latencies = Latencies::default();
        for micros in 1..=5_000 {
            latencies.count(1 + usize::try_from(micros % 3).unwrap(), micros);
        }
        let whole = latencies.whole();
        let bars = whole.bars(20);
        assert!((10..=20).contains(&bars.len()), "{}", bars.len());
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 5_000);
        assert!(bars.windows(2).all(|two| two[0].to == two[1].from));
        let least = whole.at_least(0.95).unwrap();
        assert!((4_750 - 4_750 / 16..=4_750).contains(&least), "{least}");
    }

    #[test]
    fn percentiles_of_a_whole_are_those_of_its_parts_together() {
        let (mut whole, mut a, mut b) =
            (Latencies::default(), Latencies::default(), Latencies::default());
        for micros in 1..=1_000 {
            whole.count(10, micros);
            if micros % 3 == 0 { a.count(10, micros) } else { b.count(10, micros) }
        }
        a.add(&b);
        assert_eq!(a, whole);
        let median = whole.0[&10].percentile(0.5).unwrap();
        assert!(median.abs_diff(500) <= 32, "{median}");
        assert!(whole.0[&10].percentile(0.99).unwrap().abs_diff(990) <= 62);
        assert_eq!(whole.classes().count(), 1);
    }
}
