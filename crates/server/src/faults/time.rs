//! Faults of elapsed times.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::fault::{Call, Fault, FaultFamily};
use crate::received::ReplyResults;

const TIME: FaultFamily = FaultFamily("TIME");

pub(super) static FAULTS: &[Fault] = &[
    TIME.fault("item-elapsed-negative", "elapsed times are counted the wrong way round")
        .must(&["TIME-001"])
        .results(|call, results| items(call, results, |_, ms| json!(-1 - ms))),
    TIME.fault(
        "total-elapsed-negative-now-and-then",
        "the total is negative when the clock steps back",
    )
    .must(&["TIME-001"])
    .may(&["TIME-002"])
    .results(|call, results| {
        if call.every(25) {
            total(call, results, |ms| json!(-3 - ms));
        }
    }),
    TIME.fault("elapsed-with-fraction", "elapsed times have a fraction")
        .must(&["SCHEMA-001"])
        .may(&["TIME-001", "TIME-002"])
        .results(|call, results| {
            items(call, results, |_, ms| json!(f64::from(i32::try_from(ms).unwrap_or(0)) + 0.25));
            total(call, results, |ms| json!(f64::from(i32::try_from(ms).unwrap_or(0)) + 0.5));
        }),
    TIME.fault(
        "item-elapsed-above-total",
        "an item's elapsed time is in microseconds, the total in milliseconds",
    )
    .must(&["TIME-002"])
    .may(&["TIME-003"])
    .results(|call, results| items(call, results, |at, ms| json!(1000 * (ms + 1) + at))),
    TIME.fault(
        "item-elapsed-adds-up",
        "each item's elapsed time has a constant added for every item before it",
    )
    .must(&["TIME-002"])
    .may(&["TIME-003"])
    .results(|call, results| items(call, results, |at, ms| json!(ms + 5 * at))),
    TIME.fault("total-elapsed-in-microseconds", "the total is in microseconds")
        .must(&["TIME-003"])
        .results(|call, results| {
            let micros = call.started.elapsed().as_micros();
            total(call, results, |_| json!(u64::try_from(micros).unwrap_or(0)));
        }),
    TIME.fault("total-elapsed-since-epoch", "the total is the time of day instead of a duration")
        .must(&["TIME-003"])
        .results(|call, results| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            total(call, results, |_| json!(u64::try_from(now.as_millis()).unwrap_or(0)));
        }),
    TIME.fault(
        "total-elapsed-padded-when-large",
        "for more than 50 items the total counts a second too many",
    )
    .must(&["TIME-003"])
    .results(|call, results| {
        if results.rows.len() > 50 {
            total(call, results, |ms| json!(ms + 1000));
        }
    }),
];

/// Changes each item's elapsed time; told are its position and the milliseconds.
fn items(call: &Call<'_>, results: &mut ReplyResults, change: impl Fn(i64, i64) -> Value) {
    let Some(name) = &call.batch().elapsed.item else { return };
    for (at, row) in (0..).zip(&mut results.rows) {
        if let Some(value) = row.get_mut(name) {
            *value = change(at, value.as_i64().unwrap_or(0));
        }
    }
}

fn total(call: &Call<'_>, results: &mut ReplyResults, change: impl Fn(i64) -> Value) {
    let name = call.batch().elapsed.total.as_ref();
    if let Some(value) = name.and_then(|name| results.beside.get_mut(name)) {
        *value = change(value.as_i64().unwrap_or(0));
    }
}
