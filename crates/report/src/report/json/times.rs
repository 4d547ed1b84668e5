//! How long the answers of a case took: the distribution, and thresholds beside what was measured.

use schemars::JsonSchema;
use serde::Serialize;

use crate::record::{CaseRecord, MeasuredThreshold, Summary, measured};

/// Bars of a distribution.
const BARS: u32 = 24;
/// Answers from which on the distribution of a case is shown without being asked for.
const MANY: u64 = 1_000;

/// Answers that took about as long.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct HistogramBar {
    /// The shortest, in milliseconds.
    pub from_ms: f64,
    /// The first that belongs to the next bar.
    pub to_ms: f64,
    /// How many.
    pub count: u64,
}

/// The thresholds of a case that ran.
pub(in crate::report) fn thresholds(
    summary: &Summary,
    case: &str,
    record: &CaseRecord,
) -> Vec<MeasuredThreshold> {
    let stated = summary.head.thresholds.get(case).filter(|_| record.requests > 0);
    stated.map(|thresholds| measured(thresholds, record)).unwrap_or_default()
}

/// The distribution of a case's answers; nothing where few were sent and none was asked for.
pub(in crate::report) fn histogram(
    summary: &Summary,
    case: &str,
    record: &CaseRecord,
) -> Vec<HistogramBar> {
    let whole = record.latencies.whole();
    if whole.count < MANY && !summary.head.thresholds.contains_key(case) {
        return Vec::new();
    }
    let millis = |micros: u64| std::time::Duration::from_micros(micros).as_secs_f64() * 1e3;
    let bars = whole.bars(BARS).into_iter();
    bars.map(|bar| HistogramBar {
        from_ms: millis(bar.from),
        to_ms: millis(bar.to),
        count: bar.count,
    })
    .collect()
}
