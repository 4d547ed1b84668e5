//! What a run is going to send, counted before anything is sent.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::compose::style;
use super::environment::Environment;
use super::options::RunOptions;
use super::select::Selected;
use super::share::Share;
use crate::case::{BatchSpec, Depth, Relation, Span, Step};
use crate::generate::{Shape, sequence};
use crate::record::NotRun;

/// The share of the budget that confirming and shrinking may add: a third.
pub const RESERVE: u64 = 3;
/// Runs of a case whose requests and items are counted one by one.
const COUNTED: u64 = 10_000;

/// What a run is going to send.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// By case, in order.
    pub cases: Vec<PlannedCase>,
}

/// What a case is going to send.
#[derive(Debug, Clone)]
pub struct PlannedCase {
    /// Its id.
    pub case: String,
    /// Runs, this part's only.
    pub runs: Share,
    /// Requests.
    pub requests: u64,
    /// Items.
    pub items: u64,
    /// Bytes of bodies, roughly.
    pub bytes: u64,
}

impl Plan {
    /// Trials, requests and items of all cases.
    #[must_use]
    pub fn totals(&self) -> (u64, u64, u64) {
        self.cases
            .iter()
            .fold((0, 0, 0), |(t, r, i), c| (t + c.runs.len(), r + c.requests, i + c.items))
    }
}

/// Requests and items that a depth may spend.
#[must_use]
pub fn budget(depth: Depth) -> Option<(u64, u64)> {
    match depth {
        Depth::Quick => Some((200, 1_000)),
        Depth::Standard => Some((3_000, 20_000)),
        Depth::Deep => None,
    }
}

/// The seed of one run of one case: derived from the run's, so that filters and parallelism change nothing.
#[must_use]
pub fn case_seed(seed: u64, case: &str, run: u64) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    hasher.update(case.as_bytes());
    hasher.update(run.to_le_bytes());
    let digest = hasher.finalize();
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// Counts what `selected` is going to send.
#[must_use]
pub fn plan(environment: &Environment, options: &RunOptions, selected: &[Selected]) -> Plan {
    let mut cases: Vec<PlannedCase> = Vec::with_capacity(selected.len());
    let mut position: u64 = 0;
    for chosen in selected {
        let runs = if held_back(environment, chosen).is_some() {
            0
        } else {
            options.runs.unwrap_or_else(|| chosen.case.runs(options.depth))
        };
        let mine = match options.partition {
            None => Share::all(runs),
            Some((part, parts)) => Share::dealt(runs, position, part, parts),
        };
        position += runs;
        let (requests, items) = size(environment, options, chosen, mine);
        let mut planned =
            PlannedCase { case: chosen.case.id.clone(), runs: mine, requests, items, bytes: 0 };
        // What an item of this contract takes, drawn once.
        let item = environment.generator.item(1, crate::generate::Optional::All);
        let size = item.with_number(&environment.contract, None).to_string().len() as u64 + 70;
        planned.bytes = planned.items * size + planned.requests * 30;
        cases.push(planned);
    }
    Plan { cases }
}

/// Cases that can't run against this target, each with the reason.
#[must_use]
pub fn not_run(environment: &Environment, selected: &[Selected]) -> BTreeMap<String, NotRun> {
    selected.iter().filter_map(|s| Some((s.case.id.clone(), held_back(environment, s)?))).collect()
}

/// Why a case can't run against this target, where it can't.
pub(super) fn held_back(environment: &Environment, chosen: &Selected) -> Option<NotRun> {
    if let Some(reason) = &chosen.not_applicable {
        return Some(NotRun { why: reason.clone(), by_contract: true });
    }
    let raw = chosen.case.spec.steps.iter().flatten().any(is_raw);
    (raw && environment.sender.target.url.scheme() != "http").then(|| NotRun {
        why: "raw connections are made without TLS only".to_owned(),
        by_contract: false,
    })
}

fn is_raw(step: &Step) -> bool {
    step.raw.is_some() || step.hang_up.is_some() || step.simultaneously.iter().flatten().any(is_raw)
}

/// Requests and items of all runs: counted, or reckoned from the first ones where there are very many.
fn size(
    environment: &Environment,
    options: &RunOptions,
    chosen: &Selected,
    runs: Share,
) -> (u64, u64) {
    let counted = runs.len().min(COUNTED);
    let (requests, items) = runs
        .iter()
        .take(usize::try_from(counted).unwrap_or(usize::MAX))
        .map(|run| one(environment, options, chosen, run))
        .fold((0, 0), |(r, i), (s, t)| (r + s, i + t));
    let all = |some: u64| {
        let all = u128::from(some) * u128::from(runs.len()) / u128::from(counted.max(1));
        u64::try_from(all).unwrap_or(u64::MAX)
    };
    (all(requests), all(items))
}

fn one(environment: &Environment, options: &RunOptions, chosen: &Selected, run: u64) -> (u64, u64) {
    let spec = &chosen.case.spec;
    if let Some(generate) = &spec.generate {
        let seed = case_seed(options.seed, &chosen.case.id, run);
        if let Some(steps) = generate.steps {
            let turns = sequence(seed, steps.range(), environment.clamp(generate.items));
            let items = turns.iter().map(|t| t.parts.len() as u64).sum();
            return (turns.len() as u64, items);
        }
        let shape =
            Shape { items: environment.clamp(generate.items), style: style(generate.values) };
        let items = environment.generator.stream(seed, &shape).left() as u64;
        return match spec.relation {
            None => (1, items),
            Some(Relation::Split) => (3, items * 2),
            Some(Relation::Concatenate) => (2, items * 3),
            Some(_) => (2, items * 2 + 1),
        };
    }
    spec.steps
        .iter()
        .flatten()
        .map(|s| step(environment, s))
        .fold((0, 0), |(r, i), (s, t)| (r + s, i + t))
}

fn step(environment: &Environment, step: &Step) -> (u64, u64) {
    if let Some(group) = &step.simultaneously {
        return group
            .iter()
            .map(|s| self::step(environment, s))
            .fold((0, 0), |(r, i), (s, t)| (r + s, i + t));
    }
    let times = step.times.unwrap_or(1) as u64;
    let items = match &step.batch {
        Some(BatchSpec::Count(Span { low, high })) => {
            let range = environment.clamp(Span { low: *low, high: *high });
            usize::midpoint(*range.start(), *range.end())
        }
        Some(BatchSpec::Items(items)) => items.iter().map(|i| i.times.unwrap_or(1)).sum(),
        None => 0,
    };
    (times, times * items as u64)
}
