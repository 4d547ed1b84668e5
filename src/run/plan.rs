//! What a run is going to send, counted before anything is sent.

use std::collections::BTreeMap;

use super::allot::allot;
use super::case_size::{is_scarce, size_of_run, stated_runs};
use super::preflight;
use super::run_range::RunRange;
use crate::compose;
use crate::execution::{SelectedCase, why_not_run};
use crate::record::NotRun;
use crate::session::{Amount, Environment, RunOptions};

/// Runs of a case whose requests and items are counted one by one.
const COUNTED: u64 = 10_000;
/// The same of a written case, whose requests must be composed for that.
const COMPOSED: u64 = 1_000;

/// What a run is going to send.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// By case, in order.
    pub cases: Vec<PlannedCase>,
    /// Positions of the cases, as they begin.
    pub order: Vec<usize>,
    /// The plain batch that comes before them, and what shows the refusal mode.
    pub preflight: Amount,
    /// Whether the runs go on until a time is over: requests and items are then those of one run of each case.
    pub endless: bool,
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
    /// Executions, and requests and items with the preflight.
    #[must_use]
    pub fn totals(&self) -> (u64, u64, u64) {
        let runs = |case: &PlannedCase| {
            if self.endless { case.runs.len().min(1) } else { case.runs.len() }
        };
        // What comes before them belongs to no round of an endless run.
        let before = if self.endless { Amount::default() } else { self.preflight };
        let Amount { requests, items } = self.of_cases() + before;
        (self.cases.iter().map(runs).sum(), requests, items)
    }

    /// What the cases send.
    #[must_use]
    pub fn of_cases(&self) -> Amount {
        self.cases.iter().map(|case| Amount::new(case.requests, case.items)).sum()
    }
}

/// Counts what `selected` is going to send.
#[must_use]
pub fn plan(environment: &Environment, options: &RunOptions, selected: &[SelectedCase]) -> Plan {
    let mut cases: Vec<PlannedCase> = Vec::with_capacity(selected.len());
    let mut position: u64 = 0;
    let endless = options.duration.is_some();
    let allotted = allot(environment, options, selected);
    let mut executions: u64 = 0;
    for (index, chosen) in selected.iter().enumerate() {
        let runs = match &allotted {
            Some(allotment) => allotment.runs[index],
            None => stated_runs(environment, options, chosen),
        };
        executions = executions.saturating_add(runs);
        let mine = match options.partition {
            None => RunRange::all(runs),
            Some((part, parts)) => RunRange::of_partition(runs, position, part, parts),
        };
        position += if endless { 0 } else { runs };
        let counted = if endless { mine.chunks(1).next().unwrap_or(mine) } else { mine };
        let (requests, items) = size_of_runs(environment, options, chosen, counted);
        let mut planned =
            PlannedCase { case: chosen.case.id.clone(), runs: mine, requests, items, bytes: 0 };
        // What an item of this contract takes, drawn once.
        let item = environment.generator.item(1, crate::generate::OptionalFields::All);
        let size = item.with_key(&environment.contract, None).to_string().len() as u64 + 70;
        planned.bytes = planned.items * size + planned.requests * 30;
        cases.push(planned);
    }
    let order = allotted.map_or_else(|| (0..selected.len()).collect(), |a| a.order);
    let preflight = preflight_amount(environment, options, executions);
    Plan { cases, order, preflight, endless }
}

/// What comes before the cases, where anything does and the target accepts it.
fn preflight_amount(environment: &Environment, options: &RunOptions, executions: u64) -> Amount {
    if !options.preflight || executions == 0 {
        Amount::default()
    } else if is_scarce(options) && may_observe(options) {
        preflight::amount(environment)
    } else {
        Amount::new(1, preflight::number_of_items(environment) as u64)
    }
}

/// Whether the preflight shows the refusal mode. The parts of a divided run observe nothing: all of them have to plan
/// alike.
pub(super) fn may_observe(options: &RunOptions) -> bool {
    options.refusal_mode.is_none() && options.partition.is_none() && options.preflight
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
    let written = chosen.case.spec.generate.is_none();
    let most = match (written, compose::varies(&chosen.case)) {
        (true, false) => 1,
        (true, true) => COMPOSED,
        (false, _) => COUNTED,
    };
    let counted = runs.len().min(most);
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
