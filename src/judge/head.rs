//! How the record of judged traffic begins: what was judged, by which rules.

use std::path::PathBuf;

use crate::case::Depth;
use crate::contract::{Contract, Profile};
use crate::generate::coverage::CoveragePoint;
use crate::record::{RuleInfo, RunHead, SpecInfo, VERSION, excluded_rules, now};
use crate::waiver::Waiver;

/// What is judged, and how.
#[derive(Debug, Clone)]
pub struct TrafficOptions {
    /// What the record is called.
    pub run_id: String,
    /// The target's base URL, for people.
    pub target: String,
    /// Where exchanges come from: names of files, or what the proxy is called.
    pub sources: Vec<String>,
    /// Whether they come as they are made.
    pub is_live: bool,
    /// No key was used before the first exchange.
    pub fresh_store: bool,
    /// SHOULD findings fail the judgement too.
    pub strict: bool,
    /// Findings that are known.
    pub waivers: Vec<Waiver>,
    /// Where the record goes.
    pub report_dir: Option<PathBuf>,
}

pub(super) fn head(
    contract: &Contract,
    profile: &Profile,
    options: &TrafficOptions,
    cells: Vec<CoveragePoint>,
) -> RunHead {
    let sources = || options.sources.iter();
    RunHead {
        version: VERSION,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: options.run_id.clone(),
        seed: 0,
        depth: Depth::Quick,
        started: now(),
        target: options.target.clone(),
        runs: None,
        strict: options.strict,
        partition: None,
        specification: SpecInfo::of(contract),
        suite: String::new(),
        cases: sources().map(|source| (source.clone(), "recorded traffic".to_owned())).collect(),
        files: std::collections::BTreeMap::new(),
        whole_suite: false,
        rules: RuleInfo::all(),
        profile: Some(profile.recorded(contract)),
        skipped: profile.skips(),
        refusal_mode: None,
        planned: (0, 0),
        deeper: Vec::new(),
        not_run: std::collections::BTreeMap::new(),
        excluded: excluded_rules(contract),
        notes: std::collections::BTreeMap::new(),
        thresholds: std::collections::BTreeMap::new(),
        cells,
        token_given: None,
        only_http_2: false,
        waivers: options.waivers.clone(),
        against: None,
        traffic: sources().cloned().collect(),
    }
}
