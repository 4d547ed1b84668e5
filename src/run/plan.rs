//! What a run is going to send, counted before anything is sent.

use std::collections::BTreeMap;

use super::run_range::RunRange;
use crate::case::{BatchSpec, Relation, Span, Step};
use crate::compose::style;
use crate::execution::{SelectedCase, case_seed, why_not_run};
use crate::generate::{BatchShape, sequence};
use crate::record::NotRun;
use crate::session::Environment;
use crate::session::RunOptions;

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
    pub runs: RunRange,
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

/// Counts what `selected` is going to send.
#[must_use]
pub fn plan(environment: &Environment, options: &RunOptions, selected: &[SelectedCase]) -> Plan {
    let mut cases: Vec<PlannedCase> = Vec::with_capacity(selected.len());
    let mut position: u64 = 0;
    for chosen in selected {
        let runs = if why_not_run(environment, chosen).is_some() {
            0
        } else {
            options.runs.unwrap_or_else(|| chosen.case.runs(options.depth))
        };
        let mine = match options.partition {
            None => RunRange::all(runs),
            Some((part, parts)) => RunRange::of_partition(runs, position, part, parts),
        };
        position += runs;
        let (requests, items) = size_of_runs(environment, options, chosen, mine);
        let mut planned =
            PlannedCase { case: chosen.case.id.clone(), runs: mine, requests, items, bytes: 0 };
        // What an item of this contract takes, drawn once.
        let item = environment.generator.item(1, crate::generate::OptionalFields::All);
        let size = item.with_key(&environment.contract, None).to_string().len() as u64 + 70;
        planned.bytes = planned.items * size + planned.requests * 30;
        cases.push(planned);
    }
    Plan { cases }
}

/// Cases that can't run against this target, each with the reason.
#[must_use]
pub fn not_run(environment: &Environment, selected: &[SelectedCase]) -> BTreeMap<String, NotRun> {
    selected
        .iter()
        .filter_map(|s| Some((s.case.id.clone(), why_not_run(environment, s)?)))
        .collect()
}

/// What is to be known of cases beside their results.
#[must_use]
pub fn notes(selected: &[SelectedCase]) -> BTreeMap<String, Vec<String>> {
    selected
        .iter()
        .filter(|s| s.not_applicable.is_none() && !s.notes.is_empty())
        .map(|s| (s.case.id.clone(), s.notes.clone()))
        .collect()
}

/// Requests and items of all runs: counted, or reckoned from the first ones where there are very many.
fn size_of_runs(
    environment: &Environment,
    options: &RunOptions,
    chosen: &SelectedCase,
    runs: RunRange,
) -> (u64, u64) {
    let counted = runs.len().min(COUNTED);
    let (requests, items) = runs
        .iter()
        .take(usize::try_from(counted).unwrap_or(usize::MAX))
        .map(|run| size_of_run(environment, options, chosen, run))
        .fold((0, 0), |(r, i), (s, t)| (r + s, i + t));
    let all = |some: u64| {
        let all = u128::from(some) * u128::from(runs.len()) / u128::from(counted.max(1));
        u64::try_from(all).unwrap_or(u64::MAX)
    };
    (all(requests), all(items))
}

fn size_of_run(
    environment: &Environment,
    options: &RunOptions,
    chosen: &SelectedCase,
    run: u64,
) -> (u64, u64) {
    let spec = &chosen.case.spec;
    if let Some(generate) = &spec.generate {
        let seed = case_seed(options.seed, &chosen.case.id, run);
        if let Some(steps) = generate.steps {
            let turns = sequence(seed, steps.range(), environment.clamp(generate.items));
            let items = turns.iter().map(|t| t.items.len() as u64).sum();
            return (turns.len() as u64, items);
        }
        let shape =
            BatchShape { items: environment.clamp(generate.items), style: style(generate.values) };
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
        .map(|s| size_of_step(environment, s))
        .fold((0, 0), |(r, i), (s, t)| (r + s, i + t))
}

fn size_of_step(environment: &Environment, step: &Step) -> (u64, u64) {
    if let Some(group) = &step.simultaneously {
        return group
            .iter()
            .map(|s| self::size_of_step(environment, s))
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
