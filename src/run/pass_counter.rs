//! Counts the answers of a soak worker that are beyond doubt, and hands them over many at a time.

use std::sync::Arc;
use std::time::Duration;

use super::shared::RunContext;
use crate::check::Evaluation;
use crate::collect::{PassBatch, size_class};
use crate::record::Latencies;
use crate::session::locked;

/// Answers that a soak worker found right; handed to the collector when it ends, however it ends.
pub(super) struct PassCounter<'a> {
    shared: &'a RunContext,
    index: usize,
    sums: Vec<PassBatch>,
}

impl<'a> PassCounter<'a> {
    pub fn new(shared: &'a RunContext, index: usize) -> PassCounter<'a> {
        PassCounter { shared, index, sums: Vec::new() }
    }

    /// Counts one answer.
    pub fn add(&mut self, items: usize, elapsed: Duration, evaluation: &Arc<Evaluation>) {
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        let sum = if let Some(at) = self.sums.iter_mut().position(|sum| sum.items == items) {
            &mut self.sums[at]
        } else {
            let evaluation = Arc::clone(evaluation);
            let latencies = Latencies::default();
            self.sums.push(PassBatch { items, evaluation, count: 0, latencies });
            let last = self.sums.len() - 1;
            &mut self.sums[last]
        };
        sum.count += 1;
        sum.latencies.count(size_class(items), micros);
    }

    /// Hands over what was counted so far.
    pub fn hand_over(&mut self) {
        if !self.sums.is_empty() {
            let case = &self.shared.selected[self.index].case.id;
            let mut collector = locked(&self.shared.collector);
            let told = self.sums.drain(..).try_for_each(|sum| collector.add_passes(case, &sum));
            drop(collector);
            self.shared.io(told);
        }
    }
}

impl Drop for PassCounter<'_> {
    fn drop(&mut self) {
        self.hand_over();
    }
}
