//! What records of runs and of judged traffic say alike of the contract and the rules.

use std::collections::BTreeMap;

use chrono::{SecondsFormat, Utc};

use super::{RuleInfo, SpecInfo};
use crate::check::rules;
use crate::contract::Contract;

impl SpecInfo {
    /// What is recorded of a contract.
    #[must_use]
    pub fn of(contract: &Contract) -> SpecInfo {
        SpecInfo {
            title: contract.batch.title.clone(),
            endpoint: format!("{} {}", contract.operation.method, contract.operation.path),
            hash: contract.hash.clone(),
            dir: contract.dir.clone(),
            key: contract.batch.unique.clone(),
            codes: contract.batch.codes.clone(),
            interpretations: contract.interpretations.clone(),
        }
    }
}

impl RuleInfo {
    /// All rules.
    #[must_use]
    pub fn all() -> Vec<RuleInfo> {
        rules::all()
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
            .collect()
    }
}

/// Rules for which a contract leaves nothing to judge, each with the reason.
#[must_use]
pub fn excluded_rules(contract: &Contract) -> BTreeMap<String, String> {
    rules::all()
        .iter()
        .filter_map(|r| Some((r.id.to_owned(), rules::why_not(contract, r.id)?.to_owned())))
        .collect()
}

/// The present moment, as records state it.
#[must_use]
pub fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}
