//! Matches the waivers of a run with its findings: which they cover, and which match nothing any more.
//!
//! From the record alone, so that a killed run and merged parts are waived like any other.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{CaseRecord, FindingRecord, FindingStatus, RunHead, RunTail};
use crate::waiver::{Day, Waiver};

/// The status of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaiverStatus {
    /// It covers findings of this run.
    Used,
    /// Its expiry date is over: it waives nothing.
    Expired,
    /// Its rule and case ran, and nothing matched.
    Stale,
    /// The same, but it declares its finding flaky.
    UnmatchedFlaky,
    /// Its rule was not tested in its case, or the run ended before: unknown.
    NotRun,
}

/// A waiver over a whole run.
#[derive(Debug, Clone)]
pub struct WaiverSummary {
    /// The waiver.
    pub waiver: Waiver,
    /// Its status in this run.
    pub status: WaiverStatus,
    /// Ids of the findings that it covers, or would cover had it not expired.
    pub findings: Vec<String>,
}

/// Waives findings by the waivers of `head`; the status of each waiver.
pub(super) fn waive(
    head: &RunHead,
    tail: Option<&RunTail>,
    records: &BTreeMap<String, CaseRecord>,
    findings: &mut [(FindingRecord, FindingStatus)],
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
            let status = match (expired, covered.is_empty()) {
                (true, _) => WaiverStatus::Expired,
                (false, false) => WaiverStatus::Used,
                (false, true) if !(whole && ran(waiver, head, records)) => WaiverStatus::NotRun,
                (false, true) if waiver.flaky => WaiverStatus::UnmatchedFlaky,
                (false, true) => WaiverStatus::Stale,
            };
            WaiverSummary { waiver: waiver.clone(), status, findings: covered }
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
