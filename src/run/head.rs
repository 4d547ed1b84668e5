//! How the record of a run begins: what was asked for, of what, with which rules.

use chrono::{SecondsFormat, Utc};

use super::plan::{not_run, notes};
use crate::case::hash_of_cases;
use crate::check::rules;
use crate::execution::SelectedCase;
use crate::record::{RuleInfo, RunHead, SpecInfo, VERSION};
use crate::session::{Amount, Environment, RunOptions};

pub(super) fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

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
        specification: SpecInfo {
            title: contract.batch.title.clone(),
            endpoint: format!("{} {}", contract.operation.method, contract.operation.path),
            hash: contract.hash.clone(),
            dir: contract.dir.clone(),
            key: contract.batch.unique.clone(),
            codes: contract.batch.codes.clone(),
            interpretations: contract.interpretations.clone(),
        },
        suite: hash_of_cases(selected.iter().map(|chosen| &chosen.case)),
        cases: selected.iter().map(|s| (s.case.id.clone(), s.case.spec.title.clone())).collect(),
        files: selected
            .iter()
            .filter(|s| s.case.dir.is_some())
            .map(|s| (s.case.id.clone(), s.case.file.clone()))
            .collect(),
        whole_suite: options.whole_suite,
        rules: rules::all()
            .iter()
            .map(|r| RuleInfo {
                id: r.id.to_owned(),
                level: r.level,
                title: r.title.to_owned(),
                cite: r.cite.to_owned(),
                doc: r.doc.to_owned(),
                needs: r.needs.iter().map(|id| (*id).to_owned()).collect(),
                scope: Some(r.scope()),
            })
            .collect(),
        profile: Some(shown),
        skipped: profile.skips(),
        refusal_mode: options.refusal_mode,
        planned: (planned.requests, planned.items),
        deeper: deeper(options, selected),
        not_run: not_run(environment, selected),
        excluded: rules::all()
            .iter()
            .filter_map(|r| Some((r.id.to_owned(), rules::why_not(contract, r.id)?.to_owned())))
            .collect(),
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
