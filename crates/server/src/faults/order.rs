//! Faults of the results' number and order.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::{ResultRow, rejected};
use crate::fault::{Fault, FaultFamily};

const ORDER: FaultFamily = FaultFamily("ORDER");

pub(super) static FAULTS: &[Fault] = &[
    ORDER
        .fault("results-reversed", "results come in the opposite order")
        .must(&["ORDER-002"])
        .may(&["ECHO-001", "ECHO-002", "ECHO-003", "SCHEMA-004"])
        .results(|_, results| results.rows.reverse()),
    ORDER
        .fault(
            "results-reversed-when-large",
            "results of more than 100 items come in the opposite order",
        )
        .must(&["ORDER-002"])
        .may(&["ECHO-001", "ECHO-002", "ECHO-003", "SCHEMA-004", "ACCEPT-005"])
        .results(|_, results| {
            if results.rows.len() > 100 {
                results.rows.reverse();
            }
        }),
    ORDER
        .fault("results-sorted-by-number", "results come sorted by their unique numbers")
        .must(&["ORDER-002"])
        .may(&["ECHO-001", "ECHO-002", "ECHO-003", "SCHEMA-004"])
        .results(|call, results| results.rows.sort_by_key(|row| text(row, call.unique()))),
    ORDER
        .fault("results-grouped-by-identity", "results come grouped by another identity field")
        .must(&["ORDER-002"])
        .may(&["ECHO-001", "ECHO-002", "ECHO-003", "SCHEMA-004"])
        .results(|call, results| results.rows.sort_by_key(|row| text(row, call.other(0)))),
    ORDER
        .fault("results-in-hash-order", "results pass through an unordered map on their way")
        .must(&["ORDER-002"])
        .may(&["ECHO-001", "ECHO-002", "ECHO-003", "SCHEMA-004"])
        .results(|call, results| {
            results.rows.sort_by_key(|row| {
                let mut hasher = DefaultHasher::new();
                text(row, call.unique()).hash(&mut hasher);
                hasher.finish()
            });
        }),
    ORDER
        .fault("rejected-first", "rejected results stand before the accepted ones")
        .must(&["ORDER-002"])
        .may(&["ECHO-001", "ECHO-002", "ECHO-003", "SCHEMA-004", "UNIQUE-004"])
        .results(|call, results| results.rows.sort_by_key(|row| !rejected(call, row))),
    ORDER
        .fault("rejected-last", "rejected results stand behind the accepted ones")
        .must(&["ORDER-002"])
        .may(&["ECHO-001", "ECHO-002", "ECHO-003", "SCHEMA-004", "UNIQUE-004"])
        .results(|call, results| results.rows.sort_by_key(|row| rejected(call, row))),
    ORDER
        .fault(
            "neighbours-swapped-now-and-then",
            "in every 50th answer two neighbours have changed places",
        )
        .must(&["ORDER-002"])
        .may(&["ECHO-001", "ECHO-002", "ECHO-003", "SCHEMA-004"])
        .results(|call, results| {
            if results.rows.len() > 1 && call.every(50) {
                results.rows.swap(0, 1);
            }
        }),
    ORDER
        .fault(
            "workers-out-of-order",
            "blocks of 64 items are worked on in parallel and join as they finish",
        )
        .must(&["ORDER-002"])
        .may(&["ECHO-001", "ECHO-002", "ECHO-003", "SCHEMA-004", "ACCEPT-005"])
        .results(|_, results| {
            let len = results.rows.len();
            if len > 64 {
                results.rows.rotate_left(64);
            }
        }),
    ORDER
        .fault(
            "last-two-swapped-when-long",
            "the last two results of ten or more have changed places",
        )
        .must(&["ORDER-002"])
        .may(&["ECHO-001", "ECHO-002", "ECHO-003", "SCHEMA-004"])
        .results(|_, results| {
            let len = results.rows.len();
            if len >= 10 {
                results.rows.swap(len - 2, len - 1);
            }
        }),
    ORDER
        .fault("rejected-left-out", "rejected items have no result")
        .must(&["ORDER-001"])
        .results(|call, results| results.rows.retain(|row| !rejected(call, row))),
    ORDER
        .fault("only-rejected-told", "accepted items have no result")
        .must(&["ORDER-001"])
        .may(&["SCHEMA-003", "ACCEPT-001"])
        .results(|call, results| results.rows.retain(|row| rejected(call, row))),
    ORDER
        .fault("last-result-dropped", "the last result of several is missing")
        .must(&["ORDER-001"])
        .may(&["ORDER-003"])
        .results(|_, results| {
            if results.rows.len() > 1 {
                results.rows.pop();
            }
        }),
    ORDER
        .fault("results-end-at-100", "an answer holds at most a hundred results")
        .must(&["ORDER-001"])
        .may(&["ACCEPT-005", "ORDER-003"])
        .results(|_, results| results.rows.truncate(100)),
    ORDER
        .fault("result-65-lost", "the first item of the second block of 64 has no result")
        .must(&["ORDER-001"])
        .may(&["ACCEPT-005", "ORDER-002", "ORDER-003", "ECHO-001", "ECHO-002", "ECHO-003"])
        .results(|_, results| {
            if results.rows.len() > 64 {
                results.rows.remove(64);
            }
        }),
    ORDER
        .fault("last-result-twice", "the last result comes twice now and then")
        .must(&["ORDER-001"])
        .may(&["ORDER-003", "UNIQUE-001"])
        .results(|call, results| {
            if let Some(last) = results.rows.last().cloned()
                && call.every(20)
            {
                results.rows.push(last);
            }
        }),
    ORDER
        .fault("duplicates-merged", "items with one number share a single result")
        .must(&["ORDER-001"])
        .may(&["ORDER-003", "UNIQUE-001", "UNIQUE-006", "UNIQUE-004", "ECHO-002", "ACCEPT-003"])
        .results(|call, results| {
            let mut seen = std::collections::HashSet::new();
            results.rows.retain(|row| seen.insert(text(row, call.unique())));
        }),
    ORDER
        .fault(
            "one-result-over-another",
            "of ten or more results the third stands in the fourth's place too",
        )
        .must(&["ORDER-003"])
        .may(&["ORDER-002", "ECHO-001", "ECHO-002", "ECHO-003", "SCHEMA-004", "UNIQUE-001"])
        .results(|_, results| {
            if results.rows.len() >= 10 {
                results.rows[3] = results.rows[2].clone();
            }
        }),
];

fn text(row: &ResultRow, field: &str) -> String {
    row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}
