//! What was provoked and seen, from the tallies of a run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::record::Summary;
use crate::report::docs::Docs;

/// What was provoked and seen.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Coverage {
    /// Statuses seen.
    pub statuses: Vec<StatusCount>,
    /// Error codes seen, and documented ones that were not.
    pub codes: Vec<CodeCount>,
    /// Faults that were sent on purpose: field, keyword, class of value, position in the batch.
    pub provoked: Vec<Provoked>,
    /// By which reading each kind of broken item was refused.
    pub refused: Vec<Refused>,
}

/// How often a status was seen.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct StatusCount {
    /// The status.
    pub status: u16,
    /// How often.
    pub count: u64,
}

/// How often an error code was seen.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CodeCount {
    /// The code.
    pub code: String,
    /// How often; 0 for a documented one that was not seen.
    pub count: u64,
    /// Whether the specification or the profile names it; null where that is not known.
    pub documented: Option<bool>,
}

/// How often a fault was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Provoked {
    /// JSON pointer inside the item.
    pub pointer: String,
    /// The broken keyword.
    pub keyword: String,
    /// Class of the value.
    pub class: String,
    /// `first`, `middle`, `last` or `only`.
    pub position: String,
    /// How often.
    pub count: u64,
}

/// By which reading a kind of broken item was refused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Refused {
    /// JSON pointer inside the item.
    pub pointer: String,
    /// The broken keyword.
    pub keyword: String,
    /// Class of the value.
    pub class: String,
    /// Whether all items of the batch were broken.
    pub all: bool,
    /// How often the whole request was answered 400.
    pub request: u64,
    /// How often the item was rejected in a 200.
    pub item: u64,
}

/// Latencies of batches of about one size.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct LatencyClass {
    /// The class of sizes.
    pub items: usize,
    /// Answers.
    pub count: u64,
    /// Mean, in milliseconds.
    pub mean_ms: f64,
    /// Smallest, in milliseconds.
    pub min_ms: f64,
    /// Largest, in milliseconds.
    pub max_ms: f64,
}

impl Coverage {
    /// Of a run.
    #[must_use]
    pub fn of(summary: &Summary) -> Coverage {
        let tally = &summary.tally;
        Coverage {
            statuses: tally
                .statuses
                .iter()
                .map(|(status, count)| StatusCount { status: *status, count: *count })
                .collect(),
            codes: codes(summary),
            provoked: tally.provoked.iter().map(|(what, count)| provoked(what, *count)).collect(),
            refused: tally
                .refusals
                .iter()
                .map(|(key, (request, item))| Refused {
                    pointer: key.pointer.clone(),
                    keyword: key.keyword.clone(),
                    class: key.class.clone(),
                    all: key.all,
                    request: *request,
                    item: *item,
                })
                .collect(),
        }
    }
}

fn codes(summary: &Summary) -> Vec<CodeCount> {
    let documented = Docs::of(summary).codes;
    let mut counts = summary.tally.codes.clone();
    for code in documented.iter().flatten() {
        counts.entry(code.clone()).or_insert(0);
    }
    counts
        .into_iter()
        .map(|(code, count)| CodeCount {
            documented: documented.as_ref().map(|d| d.contains(&code)),
            code,
            count,
        })
        .collect()
}

/// Takes `pointer keyword class position` apart; only a class has spaces of its own.
fn provoked(what: &str, count: u64) -> Provoked {
    let (rest, position) = what.rsplit_once(' ').unwrap_or((what, ""));
    let mut parts = rest.splitn(3, ' ');
    let mut next = || parts.next().unwrap_or("").to_owned();
    Provoked {
        pointer: next(),
        keyword: next(),
        class: next(),
        position: position.to_owned(),
        count,
    }
}

/// Latencies of all cases, by size class.
pub(in crate::report) fn latency(summary: &Summary) -> Vec<LatencyClass> {
    let mut classes: BTreeMap<usize, (u64, u64, u64, u64)> = BTreeMap::new();
    for record in summary.cases.iter().filter_map(|c| c.record.as_ref()) {
        for (size, (count, sum, min, max)) in &record.latency {
            let class = classes.entry(*size).or_insert((0, 0, u64::MAX, 0));
            class.0 += count;
            class.1 = class.1.saturating_add(*sum);
            class.2 = class.2.min(*min);
            class.3 = class.3.max(*max);
        }
    }
    let millis = |micros: u64| std::time::Duration::from_micros(micros).as_secs_f64() * 1e3;
    classes
        .into_iter()
        .filter(|(_, (count, ..))| *count > 0)
        .map(|(items, (count, sum, min, max))| LatencyClass {
            items,
            count,
            mean_ms: millis(sum / count),
            min_ms: millis(min),
            max_ms: millis(max),
        })
        .collect()
}
