//! How the record of a run begins: what was asked for, of what, with which rules.

use super::plan::{not_run, notes};
use crate::case::hash_of_cases;
use crate::execution::SelectedCase;
use crate::record::{RuleInfo, RunHead, SpecInfo, VERSION, excluded_rules, now};
use crate::session::{Amount, Environment, RunOptions};

pub(super) fn head(
    environment: &Environment,
    selected: &[SelectedCase],
    options: &RunOptions,
    planned: Amount,
) -> RunHead {
    let contract = &environment.contract;
    let profile = &environment.profile;
    let shown = profile.recorded(contract);
    RunHead {
        version: VERSION,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: options.run_id.clone(),
        seed: options.seed,
        depth: options.depth,
        started: now(),
        target: options.target.clone(),
        runs: options.runs,
        strict: options.strict,
        partition: options.partition,
        specification: SpecInfo::of(contract),
        suite: hash_of_cases(selected.iter().map(|chosen| &chosen.case)),
        cases: selected.iter().map(|s| (s.case.id.clone(), s.case.spec.title.clone())).collect(),
        files: selected
            .iter()
            .filter(|s| s.case.dir.is_some())
            .map(|s| (s.case.id.clone(), s.case.file.clone()))
            .collect(),
        whole_suite: options.whole_suite,
        rules: RuleInfo::all(),
        profile: Some(shown),
        skipped: profile.skips(),
        refusal_mode: options.refusal_mode,
        planned: (planned.requests, planned.items),
        deeper: deeper(options, selected),
        not_run: not_run(environment, selected),
        excluded: excluded_rules(contract),
        notes: notes(selected),
        thresholds: selected
            .iter()
            .filter_map(|s| Some((s.case.id.clone(), s.case.spec.thresholds.clone()?)))
            .collect(),
        cells: environment.generator.coverage().list().to_vec(),
        token_given: Some(environment.sender.token().is_given()),
        only_http_2: environment.sender.speaks_only_http_2(),
        waivers: options.waivers.clone(),
        traffic: Vec::new(),
        against: None,
    }
}

/// Cases that have no execution at this depth, though they apply.
fn deeper(options: &RunOptions, selected: &[SelectedCase]) -> Vec<String> {
    if options.runs.is_some() || options.duration.is_some() {
        return Vec::new();
    }
    let waits = |s: &&SelectedCase| s.not_applicable.is_none() && s.case.runs(options.depth) == 0;
    selected.iter().filter(waits).map(|s| s.case.id.clone()).collect()
}
