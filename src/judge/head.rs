//! How the record of judged traffic begins: what was judged, by which rules.

use std::path::PathBuf;

use chrono::{SecondsFormat, Utc};

use crate::case::Depth;
use crate::check::rules;
use crate::contract::{Contract, Profile};
use crate::generate::coverage::CoveragePoint;
use crate::record::{RuleInfo, RunHead, SpecInfo, VERSION};
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

pub(super) fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
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
        specification: SpecInfo {
            title: contract.batch.title.clone(),
            endpoint: format!("{} {}", contract.operation.method, contract.operation.path),
            hash: contract.hash.clone(),
            dir: contract.dir.clone(),
            key: contract.batch.unique.clone(),
            codes: contract.batch.codes.clone(),
            interpretations: contract.interpretations.clone(),
        },
        suite: String::new(),
        cases: sources().map(|source| (source.clone(), "recorded traffic".to_owned())).collect(),
        files: std::collections::BTreeMap::new(),
        whole_suite: false,
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
        profile: Some(profile.recorded(contract)),
        skipped: profile.skips(),
        refusal_mode: None,
        planned: (0, 0),
        deeper: Vec::new(),
        not_run: std::collections::BTreeMap::new(),
        excluded: rules::all()
            .iter()
            .filter_map(|r| Some((r.id.to_owned(), rules::why_not(contract, r.id)?.to_owned())))
            .collect(),
        notes: std::collections::BTreeMap::new(),
        thresholds: std::collections::BTreeMap::new(),
        cells,
        token_given: None,
        only_http_2: false,
        waivers: options.waivers.clone(),
        traffic: sources().cloned().collect(),
    }
}
