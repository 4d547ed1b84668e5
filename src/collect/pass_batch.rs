//! Counters of many answers that were judged right at once.

use std::sync::Arc;

use crate::check::Evaluation;
use crate::record::Latencies;

/// Plainly right answers to batches of one size.
#[derive(Clone)]
pub struct PassBatch {
    pub items: usize,
    pub evaluation: Arc<Evaluation>,
    pub count: u64,
    pub latencies: Latencies,
}
