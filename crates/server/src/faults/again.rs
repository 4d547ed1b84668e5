//! Faults of used keys in contracts that do not reject them.

use batchproof_contract::shape::{Again, name};
use serde_json::{Value, json};

use super::rejected;
use crate::fault::{Call, Fault, FaultFamily, HookResult};
use crate::received::{Decision, ReceivedBatch, ReceivedItem, Rejection, ReplyResults};

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
    UNIQUE
        .fault("repeat-paid-again", "a repeated idempotency key is processed again, under another payment number")
        .must(&["UNIQUE-015"])
        .needs_again(&[Again::Returned])
        .decided(|call, decision| {
            let number = |item: &ReceivedItem| format!("p{}-{}", call.serial, item.index);
            note_payments(call, decision, number);
            Ok(())
        })
        .results(write_payments),
    UNIQUE
        .fault(
            "other-amount-paid-again",
            "an idempotency key is looked up with the item's values: another amount is a second payment",
        )
        .must(&["UNIQUE-015"])
        .needs_again(&[Again::Returned])
        .decided(|call, decision| {
            note_payments(call, decision, |item| payment_of(call, &item.value.to_string()));
            Ok(())
        })
        .results(write_payments),
    UNIQUE
        .fault(
            "paid-twice-in-one-batch",
            "idempotency keys are looked up before a batch: one that stands twice in it is two payments",
        )
        .must(&["UNIQUE-015"])
        .needs_again(&[Again::Returned])
        .decided(|call, decision| {
            let known: Vec<Option<String>> = decision
                .items
                .iter()
                .map(|item| call.kept().texts.get(item.text(call.unique())?).cloned())
                .collect();
            note_payments(call, decision, |item| {
                let number = format!("p{}-{}", call.serial, item.index);
                let number = known.get(item.index).cloned().flatten().unwrap_or(number);
                let key = item.text(call.unique()).unwrap_or_default().to_owned();
                call.kept().texts.entry(key).or_insert_with(|| number.clone());
                number
            });
            Ok(())
        })
        .results(write_payments),
];

/// Under what the payment numbers of a request are kept until its results are built.
fn place_of(call: &Call<'_>) -> String {
    format!("answer {}", call.serial)
}

/// The number of the payment that was made for this text, made where there is none.
fn payment_of(call: &Call<'_>, text: &str) -> String {
    let mut kept = call.kept();
    let next = format!("p{}-{}", call.serial, kept.texts.len());
    kept.texts.entry(text.to_owned()).or_insert(next).clone()
}

fn note_payments(call: &Call<'_>, decision: &Decision, number: impl Fn(&ReceivedItem) -> String) {
    let numbers: Vec<String> = decision.items.iter().map(number).collect();
    call.kept().texts.insert(place_of(call), numbers.join(" "));
}

/// Adds its payment number to each result.
fn write_payments(call: &Call<'_>, results: &mut ReplyResults) {
    let Some(numbers) = call.kept().texts.remove(&place_of(call)) else { return };
    for (row, number) in results.rows.iter_mut().zip(numbers.split(' ')) {
        row.insert(name::BESIDE.to_owned(), json!({ "id": number }));
    }
}

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
