//! What became of the waivers of a run: which findings they cover, and whether they still have a purpose.
//!
//! Told from the record alone, so that a killed run and merged parts are waived like any other.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{CaseRecord, FindingRecord, RunHead, RunTail, Update};
use crate::waiver::{Day, Waiver};

/// What became of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It covers findings of this run.
    Used,
    /// Its day is over: it waives nothing.
    Expired,
    /// Its rule and case ran, and there was nothing for it to cover.
    Stale,
    /// The same, but it says that its finding comes and goes.
    Quiet,
    /// Its rule was not judged in its case, or the run did not come that far: nothing can be said.
    NotRun,
}

/// A waiver over a whole run.
#[derive(Debug, Clone)]
pub struct WaiverSummary {
    /// The waiver.
    pub waiver: Waiver,
    /// What became of it.
    pub fate: Fate,
    /// Ids of the findings that it covers, or would cover had it not expired.
    pub findings: Vec<String>,
}

/// Waives findings by the waivers of `head`, and says what became of each.
pub(super) fn waive(
    head: &RunHead,
    tail: Option<&RunTail>,
    records: &BTreeMap<String, CaseRecord>,
    findings: &mut [(FindingRecord, Update)],
) -> Vec<WaiverSummary> {
    // A record without a readable beginning expires nothing.
    let today = Day::of(&head.started);
    let ended = tail.is_some_and(|t| !t.cut_short && t.trouble.is_empty());
    let whole = ended && head.partition.is_none();
    head.waivers
        .iter()
        .map(|waiver| {
            let expired = today.is_some_and(|today| waiver.expires < today);
            let mut covered = Vec::new();
            for (finding, update) in findings.iter_mut() {
                if !waiver.covers(&finding.rule, &finding.case, &finding.place) {
                    continue;
                }
                covered.push(finding.id.clone());
                if !expired && update.waived.is_none() {
                    update.waived = Some(waiver.told());
                }
            }
            let fate = match (expired, covered.is_empty()) {
                (true, _) => Fate::Expired,
                (false, false) => Fate::Used,
                (false, true) if !(whole && ran(waiver, head, records)) => Fate::NotRun,
                (false, true) if waiver.flaky => Fate::Quiet,
                (false, true) => Fate::Stale,
            };
            WaiverSummary { waiver: waiver.clone(), fate, findings: covered }
        })
        .collect()
}

/// Whether the rule was judged in all that the waiver speaks of: in its case, or, where it names several, in
/// the whole suite.
fn ran(waiver: &Waiver, head: &RunHead, records: &BTreeMap<String, CaseRecord>) -> bool {
    (head.whole_suite || waiver.one_case().is_some())
        && records
            .values()
            .filter(|record| waiver.covers_case(&record.case))
            .filter_map(|record| record.rules.get(&waiver.rule))
            .any(|counts| counts.judged() > 0)
}
