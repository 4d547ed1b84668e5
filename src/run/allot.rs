//! How often each case runs where the budget is small: what each states as far as the budget holds it, and what is
//! left goes to what is not covered yet.
//!
//! It looks at what cases declare and never at what a target answered: equal seeds allot equal runs.

use std::collections::{BTreeSet, HashMap};

use super::case_size::{is_scarce, planned_mode, size_of_run, stated_runs};
use super::preflight;
use crate::case::{Depth, MutatedItems};
use crate::execution::{SelectedCase, mutations_of};
use crate::session::{Amount, Environment, RunOptions, depth_budget};

/// Something that an execution declares to try: what it is worth, and what it is.
type Point<'a> = (f64, &'static str, &'a str, String);

/// Cases that wait as long, in milliseconds, run only as often as they state.
const WAITING: u64 = 1_000;
/// What a scenario of its own is worth, a rule, a kind of mutation, and a request of a kind.
const CASE: f64 = 2.0;
const RULE: f64 = 1.0;
const MUTATION: f64 = 0.75;
const REQUEST: f64 = 0.25;
/// What the same is worth once more.
const AGAIN: f64 = 0.35;

/// How often each case runs, and in which order the cases begin.
pub(super) struct Allotment {
    /// By position among the selected cases.
    pub(super) runs: Vec<u64>,
    /// Positions of the cases that run: what reveals most for its cost comes first.
    pub(super) order: Vec<usize>,
}

/// Allots the budget where the whole suite runs at depth quick.
///
/// With named cases nothing is allotted: which are chosen changes nothing for each of them.
pub(super) fn allot(
    environment: &Environment,
    options: &RunOptions,
    selected: &[SelectedCase],
) -> Option<Allotment> {
    let budget = depth_budget(options.depth).filter(|_| is_scarce(options))?;
    let preflight = options.preflight.then(|| preflight::amount(environment));
    let mut allotting = Allotting {
        environment,
        options,
        selected,
        budget,
        spent: preflight.unwrap_or_default(),
        covered: HashMap::new(),
        allotment: Allotment { runs: vec![0; selected.len()], order: Vec::new() },
        sizes: HashMap::new(),
    };
    let stated = |s: &SelectedCase| stated_runs(environment, options, s);
    let standard = RunOptions { depth: Depth::Standard, ..options.clone() };
    let most = |s: &SelectedCase| match s.case.waits() {
        WAITING.. => stated(s),
        _ => stated(s).max(stated_runs(environment, &standard, s)),
    };
    // What cases state is asked for, whatever the profile allows; what is added keeps to that.
    let items = environment.profile.limits.items.unwrap_or(u64::MAX).min(budget.items);
    let allowed = Amount::new(budget.requests, items);
    if planned_mode(options).is_some() {
        allotting.budget = allowed;
    }
    let packed = packed(selected, options);
    let least = |s: &SelectedCase| if is_packed(s, &packed) { stated(s).min(1) } else { stated(s) };
    // Every case once comes before any case again.
    allotting.fill(&selected.iter().map(|s| least(s).min(1)).collect::<Vec<_>>());
    allotting.fill(&selected.iter().map(least).collect::<Vec<_>>());
    allotting.budget = allowed;
    allotting.fill(&selected.iter().map(most).collect::<Vec<_>>());
    Some(allotting.allotment)
}

/// Mutations that are sent many in a batch, where the target refuses item by item.
fn packed<'a>(selected: &'a [SelectedCase], options: &RunOptions) -> BTreeSet<&'a str> {
    let modes = planned_mode(options);
    let runs = |s: &&SelectedCase| modes.is_some() && s.case.spec.refusal_mode == modes;
    selected.iter().filter(runs).flat_map(|s| s.mutations.iter().map(|m| m.name)).collect()
}

/// Whether all that the case bends, one item in a batch, is packed elsewhere.
fn is_packed(selected: &SelectedCase, packed: &BTreeSet<&str>) -> bool {
    let spec = &selected.case.spec;
    spec.refusal_mode.is_none()
        && spec.relation.is_none()
        && spec.mutate.as_ref().is_some_and(|m| m.at == MutatedItems::Turns)
        && selected.mutations.iter().all(|m| packed.contains(m.name))
}

struct Allotting<'a> {
    environment: &'a Environment,
    options: &'a RunOptions,
    selected: &'a [SelectedCase],
    budget: Amount,
    spent: Amount,
    covered: HashMap<(&'static str, &'a str, String), i32>,
    allotment: Allotment,
    sizes: HashMap<usize, (u64, Amount)>,
}

impl<'a> Allotting<'a> {
    /// Takes the execution that reveals most for its cost, again and again, up to the runs that each case may have.
    fn fill(&mut self, most: &[u64]) {
        while let Some((index, size)) = self.best(most) {
            let run = self.allotment.runs[index];
            for (_, kind, name, detail) in self.points(index, run) {
                *self.covered.entry((kind, name, detail)).or_default() += 1;
            }
            if run == 0 {
                self.allotment.order.push(index);
            }
            self.allotment.runs[index] += 1;
            self.spent += size;
        }
    }

    /// The next execution that fits, of the case where it reveals most; of equals the first.
    fn best(&mut self, most: &[u64]) -> Option<(usize, Amount)> {
        let mut best: Option<(f64, usize, Amount)> = None;
        for (index, most) in most.iter().enumerate() {
            let run = self.allotment.runs[index];
            if run >= *most {
                continue;
            }
            let size = self.size(index, run);
            if !(self.spent + size).fits(self.budget) {
                continue;
            }
            let value = self.value(index, run) / self.cost(size);
            if best.is_none_or(|(most, _, _)| value > most) {
                best = Some((value, index, size));
            }
        }
        best.map(|(_, index, size)| (index, size))
    }

    fn size(&mut self, index: usize, run: u64) -> Amount {
        match self.sizes.get(&index) {
            Some((counted, size)) if *counted == run => *size,
            _ => {
                let chosen = &self.selected[index];
                let (requests, items) = size_of_run(self.environment, self.options, chosen, run);
                let size = Amount::new(requests, items);
                self.sizes.insert(index, (run, size));
                size
            }
        }
    }

    /// The share of the budget that it takes, of requests and items together.
    fn cost(&self, size: Amount) -> f64 {
        let share = |part: u64, whole: u64| count(part) / count(whole.max(1));
        share(size.requests.max(1), self.budget.requests) + share(size.items, self.budget.items)
    }

    /// What an execution is worth: each thing that it tries, less where that was tried before.
    fn value(&self, index: usize, run: u64) -> f64 {
        let worth = |(worth, kind, name, detail): Point<'a>| {
            let times = self.covered.get(&(kind, name, detail)).copied().unwrap_or_default();
            worth * AGAIN.powi(times)
        };
        self.points(index, run).into_iter().map(worth).sum()
    }

    /// What an execution declares to try: its scenario, its rule, its mutations and its requests.
    fn points(&self, index: usize, run: u64) -> Vec<Point<'a>> {
        let selected = &self.selected[index];
        let id = selected.case.id.as_str();
        let mut points = vec![
            (CASE, "case", id, String::new()),
            (RULE, "rule", selected.rule.id, String::new()),
        ];
        let items = selected.case.spec.generate.as_ref();
        let items = items.map_or(0, |g| *self.environment.clamp(g.items).start());
        for (_, mutation) in mutations_of(selected, run, items) {
            points.push((MUTATION, "place", mutation.name, mutation.pointer.clone()));
            points.push((MUTATION, "class", mutation.name, mutation.class.clone()));
        }
        let steps = selected.case.spec.steps.iter().flatten().enumerate();
        points.extend(steps.map(|(number, _)| (REQUEST, "request", id, number.to_string())));
        points
    }
}

fn count(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}
