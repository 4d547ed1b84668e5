//! What a run is going to send, counted before anything is sent.

use std::collections::BTreeMap;

use super::preflight::preflight_items;
use super::run_range::RunRange;
use crate::case::Relation;
use crate::compose::{self, style};
use crate::execution::{SelectedCase, case_seed, why_not_run};
use crate::generate::{BatchShape, sequence};
use crate::record::NotRun;
use crate::session::{Amount, Environment, RunOptions, depth_budget};

/// Runs of a case whose requests and items are counted one by one.
const COUNTED: u64 = 10_000;
/// The same of a written case, whose requests must be composed for that.
const COMPOSED: u64 = 1_000;
/// Runs that nobody will ever make: the time ends them.
const ENDLESS: u64 = 1 << 62;

/// What a run is going to send.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// By case, in order.
    pub cases: Vec<PlannedCase>,
    /// The plain batch that comes before them.
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
    let all_runs = runs_of_cases(environment, options, selected);
    let executions: u64 = all_runs.iter().sum();
    let preflight = preflight_amount(environment, options, executions);
    for (chosen, runs) in selected.iter().zip(all_runs) {
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
    Plan { cases, preflight, endless }
}

/// What the preflight sends, where there is one and the target accepts it.
fn preflight_amount(environment: &Environment, options: &RunOptions, executions: u64) -> Amount {
    if options.preflight && executions > 0 {
        Amount::new(1, preflight_items(environment) as u64)
    } else {
        Amount::default()
    }
}

/// How often each case runs, all parts of a divided run together.
///
/// The budget of a depth is a promise that holds for the preflight too: where all shipped cases come to more with it, the
/// case with the most executions has fewer.
fn runs_of_cases(
    environment: &Environment,
    options: &RunOptions,
    selected: &[SelectedCase],
) -> Vec<u64> {
    let runs = |chosen: &SelectedCase| {
        if why_not_run(environment, chosen).is_some() {
            0
        } else if options.duration.is_some() {
            ENDLESS
        } else {
            options.runs.unwrap_or_else(|| chosen.case.runs(options.depth))
        }
    };
    let mut runs: Vec<u64> = selected.iter().map(runs).collect();
    let own = options.runs.is_some() || options.duration.is_some() || !options.whole_suite;
    let Some(budget) = depth_budget(options.depth).filter(|_| !own) else { return runs };
    let size = |at: usize, runs: u64| {
        let (requests, items) =
            size_of_runs(environment, options, &selected[at], RunRange::all(runs));
        Amount::new(requests, items)
    };
    let mut sizes: Vec<Amount> = runs.iter().enumerate().map(|(at, n)| size(at, *n)).collect();
    let preflight = preflight_amount(environment, options, runs.iter().sum());
    while !(sizes.iter().copied().sum::<Amount>() + preflight).fits(budget) {
        let most = (0..runs.len()).max_by_key(|at| runs[*at]);
        let Some(at) = most.filter(|at| runs[*at] > 1) else { break };
        runs[at] -= 1;
        sizes[at] = size(at, runs[at]);
    }
    runs
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
    let Amount { requests, items } = compose::size(
        environment,
        &chosen.case,
        run,
        case_seed(options.seed, &chosen.case.id, run),
    );
    (requests, items)
}
