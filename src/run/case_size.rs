//! How often a case runs by what it states, and what one run of it is going to send.

use crate::case::{Depth, Relation};
use crate::compose::{self, style};
use crate::contract::RefusalMode;
use crate::execution::{SelectedCase, case_seed, why_not_run};
use crate::generate::{BatchShape, sequence};
use crate::session::{Amount, Environment, RunOptions};

/// Runs that nobody will ever make: the time ends them.
const ENDLESS: u64 = 1 << 62;

/// Whether the budget is so small that it is allotted: the whole suite at depth quick.
pub(super) fn is_scarce(options: &RunOptions) -> bool {
    options.depth == Depth::Quick
        && options.whole_suite
        && options.runs.is_none()
        && options.duration.is_none()
}

/// The refusal mode that is planned for: `request` until another one is observed, which no part of a divided run does.
pub(super) fn planned_mode(options: &RunOptions) -> Option<RefusalMode> {
    options.refusal_mode.or(is_scarce(options).then_some(RefusalMode::Request))
}

/// How often a case runs where nothing is allotted.
pub(super) fn stated_runs(
    environment: &Environment,
    options: &RunOptions,
    chosen: &SelectedCase,
) -> u64 {
    let mode = planned_mode(options);
    let other_mode = chosen.case.spec.refusal_mode.is_some_and(|own| mode != Some(own));
    if other_mode || why_not_run(environment, chosen).is_some() {
        0
    } else if options.duration.is_some() {
        ENDLESS
    } else {
        options.runs.unwrap_or_else(|| chosen.case.runs(options.depth))
    }
}

/// Requests and items of one run, what it reads back with them.
pub(super) fn size_of_run(
    environment: &Environment,
    options: &RunOptions,
    chosen: &SelectedCase,
    run: u64,
) -> (u64, u64) {
    let (requests, items) = size_without_reads(environment, options, chosen, run);
    let reads = chosen.case.spec.read_back.filter(|_| environment.contract.read.is_some());
    (requests + reads.map_or(0, |most| (most as u64).min(items)), items)
}

fn size_without_reads(
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
