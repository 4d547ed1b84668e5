//! What was provoked and seen, from the tallies of a run.

use schemars::JsonSchema;
use serde::Serialize;

use crate::generate::coverage::{CoveragePoint, ItemPosition};
use crate::record::{Latencies, Summary};

/// What was provoked and seen.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Coverage {
    /// Coverage points of the request schema (keyword × class of value × position) that were exercised, of all that
    /// the contract gives rise to.
    pub schema: CoverageShare,
    /// Documented error codes that were provoked, those of the profile with them.
    pub documented_codes: CoverageShare,
    /// Rules of the suite that were tested.
    pub rules: CoverageShare,
    /// How broken items were refused (INTERPRETATION-01): kinds of them.
    pub refusal_modes: RefusalModeCount,
    /// The cells behind `schema`, those that lack with their zeros.
    pub cells: Vec<CoveragePointCount>,
    /// Statuses seen.
    pub statuses: Vec<StatusCount>,
    /// Error codes seen, and documented ones that were not.
    pub codes: Vec<CodeCount>,
    /// Faults that were sent on purpose: field, keyword, class of value, position in the batch.
    pub provoked: Vec<ProvokedFault>,
    /// In which refusal mode each kind of broken item was refused.
    pub refused: Vec<RefusedKind>,
}

/// A part of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CoverageShare {
    /// How many were covered.
    pub covered: u64,
    /// Of how many.
    pub of: u64,
}

impl CoverageShare {
    /// In percent, never rounded up to all of it.
    #[must_use]
    pub fn percent(self) -> u64 {
        (self.covered * 100).checked_div(self.of).unwrap_or(100)
    }
}

/// Kinds of broken items by how they were refused: pointer, keyword, class, some or all items broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RefusalModeCount {
    /// Kinds that always had the whole request answered 400.
    pub request: u64,
    /// Kinds that were always rejected in a 200, item by item.
    pub item: u64,
    /// Kinds that met both.
    pub both: u64,
}

impl RefusalModeCount {
    /// All kinds.
    #[must_use]
    pub fn kinds(self) -> u64 {
        self.request + self.item + self.both
    }
}

/// A cell of the request schema, and how often it was exercised.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CoveragePointCount {
    /// The cell.
    #[serde(flatten)]
    pub cell: CoveragePoint,
    /// How often at all.
    pub count: u64,
    /// By the item's position in its batch; null for cells of the envelope.
    pub positions: Option<PositionCount>,
}

/// Counts by the item's position in its batch.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct PositionCount {
    /// The first of several.
    pub first: u64,
    /// Neither first nor last.
    pub middle: u64,
    /// The last of several.
    pub last: u64,
    /// The only one.
    pub only: u64,
}

impl PositionCount {
    /// In the order of [`ItemPosition::ALL`].
    #[must_use]
    pub fn all(self) -> [u64; 4] {
        [self.first, self.middle, self.last, self.only]
    }
}

impl CoveragePointCount {
    /// How much of it was exercised: by position, where it has any.
    #[must_use]
    pub fn share(&self) -> CoverageShare {
        match self.positions {
            Some(positions) => CoverageShare {
                covered: positions.all().iter().filter(|n| **n > 0).count() as u64,
                of: ItemPosition::ALL.len() as u64,
            },
            None => CoverageShare { covered: u64::from(self.count > 0), of: 1 },
        }
    }
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
    /// Whether the specification or the profile names it.
    pub documented: bool,
    /// What it means, where it is documented.
    pub means: Option<String>,
}

/// How often a fault was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ProvokedFault {
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

/// In which refusal mode a kind of broken item was refused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RefusedKind {
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
    /// Half of the answers took no longer, in milliseconds; to about 6 %, as are the other percentiles.
    pub p50_ms: Option<f64>,
    /// 90 in 100 took no longer.
    pub p90_ms: Option<f64>,
    /// 99 in 100 took no longer.
    pub p99_ms: Option<f64>,
}

impl Coverage {
    /// Of a run.
    #[must_use]
    pub fn from_summary(summary: &Summary) -> Coverage {
        let tally = &summary.tally;
        let codes = codes(summary);
        let cells = cells(summary);
        Coverage {
            schema: cells.iter().map(CoveragePointCount::share).fold(
                CoverageShare { covered: 0, of: 0 },
                |a, b| CoverageShare { covered: a.covered + b.covered, of: a.of + b.of },
            ),
            documented_codes: share(codes.iter().filter(|c| c.documented), |c| c.count > 0),
            rules: rules_tested(summary),
            refusal_modes: refusal_modes(summary),
            cells,
            statuses: tally
                .statuses
                .iter()
                .map(|(status, count)| StatusCount { status: *status, count: *count })
                .collect(),
            codes,
            provoked: tally.provoked.iter().map(|(what, count)| provoked(what, *count)).collect(),
            refused: tally
                .refusals
                .iter()
                .map(|(key, (request, item))| RefusedKind {
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

fn rules_tested(summary: &Summary) -> CoverageShare {
    let (covered, of) = summary.rules_tested();
    CoverageShare { covered: covered as u64, of: of as u64 }
}

fn share<T>(all: impl Iterator<Item = T>, covered: impl Fn(&T) -> bool) -> CoverageShare {
    all.fold(CoverageShare { covered: 0, of: 0 }, |share, one| CoverageShare {
        covered: share.covered + u64::from(covered(&one)),
        of: share.of + 1,
    })
}

fn cells(summary: &Summary) -> Vec<CoveragePointCount> {
    let count = |(number, cell): (usize, &CoveragePoint)| {
        let counts = summary.covered.0.get(&number).copied().unwrap_or_default();
        let [first, middle, last, only] = counts;
        CoveragePointCount {
            cell: cell.clone(),
            count: counts.iter().sum(),
            positions: (!cell.envelope).then_some(PositionCount { first, middle, last, only }),
        }
    };
    summary.head.cells.iter().enumerate().map(count).collect()
}

fn refusal_modes(summary: &Summary) -> RefusalModeCount {
    let mut kinds = RefusalModeCount::default();
    for (request, item) in summary.tally.refusals.values() {
        match (request, item) {
            (0, _) => kinds.item += 1,
            (_, 0) => kinds.request += 1,
            _ => kinds.both += 1,
        }
    }
    kinds
}

/// Those that were seen, and the documented ones that were not.
fn codes(summary: &Summary) -> Vec<CodeCount> {
    let documented = &summary.head.specification.codes;
    let mut counts = summary.tally.codes.clone();
    for code in documented.keys() {
        counts.entry(code.clone()).or_insert(0);
    }
    counts
        .into_iter()
        .map(|(code, count)| CodeCount {
            documented: documented.contains_key(&code),
            means: documented.get(&code).map(|c| c.means.clone()),
            code,
            count,
        })
        .collect()
}

/// Takes `pointer keyword class position` apart; only a class has spaces of its own.
fn provoked(what: &str, count: u64) -> ProvokedFault {
    let (rest, position) = what.rsplit_once(' ').unwrap_or((what, ""));
    let mut parts = rest.splitn(3, ' ');
    let mut next = || parts.next().unwrap_or("").to_owned();
    ProvokedFault {
        pointer: next(),
        keyword: next(),
        class: next(),
        position: position.to_owned(),
        count,
    }
}

/// Latencies of all cases, by size class.
pub(in crate::report) fn latency(summary: &Summary) -> Vec<LatencyClass> {
    let mut all = Latencies::default();
    for record in summary.cases.iter().filter_map(|c| c.record.as_ref()) {
        all.add(&record.latencies);
    }
    let millis = |micros: u64| std::time::Duration::from_micros(micros).as_secs_f64() * 1e3;
    all.classes()
        .filter(|(_, class)| class.count > 0)
        .map(|(items, class)| LatencyClass {
            items,
            count: class.count,
            mean_ms: millis(class.sum / class.count),
            min_ms: millis(class.min),
            max_ms: millis(class.max),
            p50_ms: class.percentile(0.5).map(millis),
            p90_ms: class.percentile(0.9).map(millis),
            p99_ms: class.percentile(0.99).map(millis),
        })
        .collect()
}
