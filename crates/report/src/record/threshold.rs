//! Thresholds of cases: what was measured over all answers of a case, beside what its file allows.
//!
//! Only counts and distributions: what it says holds for a whole run as for its parts together.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::event::CaseRecord;
use crate::case::{Share, Thresholds, TimeMeasure};
use crate::check::{Finding, RuleCounts, rules};

/// How the kinds of these findings begin.
const KIND: &str = "threshold ";

/// A threshold, and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MeasuredThreshold {
    /// Its name in case files.
    pub name: String,
    /// What the case file allows: `800ms`, `1%`.
    pub limit: String,
    /// The same in milliseconds, where it is a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_ms: Option<f64>,
    /// What was measured, in milliseconds, or as a share from 0 to 1; null where there was no answer.
    pub measured: Option<f64>,
    /// The same for people.
    pub shown: String,
    /// Whether it was crossed.
    pub crossed: bool,
}

/// Requests of a case, and those of them that went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCount {
    /// Requests that were sent, those with them that were sent again.
    pub requests: u64,
    /// Without an answer, or with a 408, a 429 or a 5xx.
    pub errors: u64,
}

impl ErrorCount {
    /// The requests of a case.
    #[must_use]
    pub fn of(record: &CaseRecord) -> ErrorCount {
        let requests = record.requests + record.retried;
        let is_good = |status: u16| !matches!(status, 408 | 429 | 500..=599);
        let statuses = record.tally.statuses.iter();
        let good: u64 = statuses.filter(|(status, _)| is_good(**status)).map(|(_, n)| *n).sum();
        ErrorCount { requests, errors: requests.saturating_sub(good) }
    }

    /// The share that went wrong.
    #[must_use]
    pub fn share(self) -> f64 {
        if self.requests == 0 { 0.0 } else { self.errors as f64 / self.requests as f64 }
    }
}

/// What was measured of each threshold. Percentiles come from a distribution with steps of 6 %, and count as crossed
/// only where the whole step is above the limit.
#[must_use]
pub fn measured(thresholds: &Thresholds, record: &CaseRecord) -> Vec<MeasuredThreshold> {
    let all = record.latencies.whole();
    let mut measured: Vec<MeasuredThreshold> = thresholds
        .times()
        .map(|(name, measure, limit)| {
            let micros = match measure {
                TimeMeasure::Percentile(share) => all.at_least(share),
                TimeMeasure::Max => (all.count > 0).then_some(all.max),
                TimeMeasure::Mean => all.sum.checked_div(all.count),
            };
            let limit_micros = limit.0.as_micros();
            MeasuredThreshold {
                name: name.to_owned(),
                limit: limit.to_string(),
                limit_ms: Some(limit.0.as_secs_f64() * 1000.0),
                measured: micros.map(|micros| Duration::from_micros(micros).as_secs_f64() * 1000.0),
                shown: micros.map_or_else(|| "no answer".to_owned(), shown),
                crossed: micros.is_some_and(|micros| u128::from(micros) > limit_micros),
            }
        })
        .collect();
    if let Some(limit) = thresholds.error_rate {
        let count = ErrorCount::of(record);
        measured.push(MeasuredThreshold {
            name: "error-rate".to_owned(),
            limit: limit.to_string(),
            limit_ms: None,
            measured: Some(count.share()),
            shown: format!("{} ({} of {})", Share(count.share()), count.errors, count.requests),
            crossed: count.share() > limit.0,
        });
    }
    measured
}

fn shown(micros: u64) -> String {
    format!("{:.1} ms", Duration::from_micros(micros).as_secs_f64() * 1000.0)
}

/// The findings of a case's thresholds, and how many of these hold.
#[must_use]
pub fn findings(thresholds: &Thresholds, record: &CaseRecord) -> (Vec<Finding>, RuleCounts) {
    let all = record.latencies.whole();
    let mut counts = RuleCounts::default();
    let mut found = Vec::new();
    for threshold in measured(thresholds, record) {
        if !threshold.crossed {
            counts.passed += 1;
            continue;
        }
        counts.failed += 1;
        let MeasuredThreshold { name, limit, shown, .. } = threshold;
        let (wanted, said) = if name == "error-rate" {
            (
                format!("error-rate at most {limit}"),
                format!("{shown} requests without an answer, or with a 408, a 429 or a 5xx"),
            )
        } else {
            let least = if name.starts_with('p') { "at least " } else { "" };
            (
                format!("{name} at most {limit}"),
                format!(
                    "{least}{shown} over {} answers, from sending the request to the last byte",
                    all.count
                ),
            )
        };
        found.push(Finding::new(format!("{KIND}{name}"), "", wanted, said));
    }
    (found, counts)
}

/// The rule that thresholds are judged under.
#[must_use]
pub fn rule() -> &'static crate::check::Rule {
    rules::of_user_cases()
}

/// Whether a finding of that kind is about a threshold: all runs of its case show it together, and none alone.
#[must_use]
pub fn is_of_threshold(kind: &str) -> bool {
    kind.starts_with(KIND)
}

/// Whether a finding of that kind is about what a clock measured: it varies by itself, so that nothing is called flaky.
#[must_use]
pub fn is_of_time(kind: &str) -> bool {
    kind == Finding::SLOW || is_of_threshold(kind)
}
