//! Faults of used keys in contracts that do not reject them.

use batchproof_contract::shape::Again;
use serde_json::Value;

use super::rejected;
use crate::fault::{Call, Fault, FaultFamily, HookResult};
use crate::received::{ReceivedBatch, Rejection};

const UNIQUE: FaultFamily = FaultFamily("UNIQUE");

pub(super) static FAULTS: &[Fault] = &[
    UNIQUE
        .fault("used-key-not-replaced", "a used key is rejected where it may be used again")
        .must(&["UNIQUE-008"])
        .may(&["ACCEPT-001", "ACCEPT-002", "ACCEPT-003", "ACCEPT-005", "CODE-001"])
        .needs_again(&[Again::Replaced, Again::Free])
        .judged(reject_used),
    UNIQUE
        .fault("repeat-rejected", "a repeated idempotency key is rejected")
        .must(&["UNIQUE-009"])
        .may(&["ACCEPT-001", "ACCEPT-002", "ACCEPT-003", "ACCEPT-005", "CODE-001"])
        .needs_again(&[Again::Returned])
        .judged(reject_used),
    UNIQUE
        .fault("repeat-processed-again", "a repeated idempotency key gets another result")
        .must(&["UNIQUE-010"])
        .may(&["CODE-001", "CODE-002", "CODE-005"])
        .needs_again(&[Again::Returned])
        .results(|call, results| {
            let description = &call.batch().error.description;
            for row in &mut results.rows {
                let Some(key) = row.get(call.unique()).and_then(Value::as_str) else { continue };
                if !rejected(call, row) && !call.kept().set.insert(key.to_owned()) {
                    row.insert(description.clone(), Value::from("stored once more"));
                }
            }
        }),
];

/// Rejects every key that an earlier item had.
#[expect(clippy::unnecessary_wraps, reason = "hooks may fail")]
fn reject_used(call: &Call<'_>, batch: &mut ReceivedBatch) -> HookResult {
    let mut kept = call.kept();
    for item in batch.items.iter_mut().filter(|item| item.fail.is_none()) {
        let key = item.text(call.unique()).map(str::to_owned);
        if key.is_some_and(|key| !kept.set.insert(key)) {
            item.fail = Some(Rejection::used(call.contract()));
        }
    }
    Ok(())
}
