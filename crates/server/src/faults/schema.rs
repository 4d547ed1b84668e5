//! Faults of bodies: what does not fit its schema.

use serde_json::{Map, Value, json};

use super::{edit, rejected, reword};
use crate::fault::{Fault, FaultFamily};
use crate::reply::ReplyReason;

const SCHEMA: FaultFamily = FaultFamily("SCHEMA");

pub(super) static FAULTS: &[Fault] = &[
    SCHEMA
        .fault("results-as-object", "results come as an object keyed by position, not as an array")
        .must(&["SCHEMA-001"])
        .may(&["SCHEMA-003", "ORDER-001"])
        .answer(|call, answer| {
            if answer.status == 200 {
                edit(answer, |body| {
                    if let Some(Value::Array(list)) = body.get_mut(&call.batch().results) {
                        let keyed: Map<String, Value> = std::mem::take(list)
                            .into_iter()
                            .enumerate()
                            .map(|(at, row)| (at.to_string(), row))
                            .collect();
                        body.insert(call.batch().results.clone(), Value::Object(keyed));
                    }
                });
            }
        }),
    SCHEMA
        .fault("answer-is-array", "a successful answer is the bare array of results")
        .must(&["SCHEMA-001"])
        .may(&["SCHEMA-003", "SCHEMA-005", "ORDER-001"])
        .answer(|call, answer| {
            if answer.status == 200
                && let Ok(body) = serde_json::from_slice::<Value>(&answer.body)
                && let Some(list) = body.get(&call.batch().results)
            {
                answer.body = list.to_string().into_bytes();
            }
        }),
    SCHEMA
        .fault(
            "verdict-lower-case",
            "verdicts are written in lower case, outside their enumeration",
        )
        .must(&["SCHEMA-001"])
        .may(&["SCHEMA-004", "CODE-001", "CODE-002", "CODE-007", "ACCEPT-001"])
        .results(|call, results| {
            super::rewrite(results, &call.batch().verdict.field, str::to_lowercase);
        }),
    SCHEMA
        .fault(
            "answer-cut-when-large",
            "answers of more than 15,000 bytes end in the middle of the JSON",
        )
        .must(&["SCHEMA-001"])
        .may(&["SCHEMA-003", "ORDER-001", "ACCEPT-005"])
        .answer(|_, answer| {
            if answer.status == 200 && answer.body.len() > 15_000 {
                answer.body.truncate(answer.body.len() - 7);
            }
        }),
    SCHEMA
        .fault("trailing-comma-when-many", "results of more than 20 items end with a comma")
        .must(&["SCHEMA-001"])
        .may(&["SCHEMA-003", "ORDER-001", "ACCEPT-005"])
        .answer(|_, answer| {
            if answer.status == 200 {
                reword(answer, |text| {
                    let many = text.matches("},{").count() >= 20;
                    if many { text.replacen("}]", "},]", 1) } else { text.to_owned() }
                });
            }
        }),
    SCHEMA
        .fault("answer-in-latin-1", "answers are encoded as ISO 8859-1 instead of UTF-8")
        .must(&["SCHEMA-001"])
        .may(&["SCHEMA-003", "ECHO-001", "ECHO-002", "HTTP-001", "ORDER-001"])
        .answer(|_, answer| {
            let text = String::from_utf8_lossy(&answer.body);
            let bytes = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'));
            answer.body = bytes.collect();
        }),
    SCHEMA
        .fault("optional-echo-null", "an echoed field that the item lacked is answered as null")
        .must(&["SCHEMA-001"])
        .may(&["ECHO-003"])
        .results(|call, results| {
            for row in &mut results.rows {
                for field in call.optional_echo() {
                    row.entry(field.name.clone()).or_insert(Value::Null);
                }
            }
        }),
    SCHEMA
        .fault("elapsed-as-text", "the total elapsed time is a string")
        .must(&["SCHEMA-001"])
        .may(&["TIME-001", "SCHEMA-005"])
        .results(|call, results| {
            let total = call.batch().elapsed.total.as_ref();
            if let Some(value) = total.and_then(|name| results.beside.get_mut(name)) {
                *value = Value::from(value.to_string());
            }
        }),
    SCHEMA
        .fault("error-status-as-text", "the status in an error body is a string")
        .must(&["SCHEMA-002"])
        .answer(|_, answer| {
            let status = answer.status.to_string();
            if answer.status >= 400 {
                edit(answer, |body| {
                    body.insert("status".to_owned(), Value::from(status));
                });
            }
        }),
    SCHEMA
        .fault("error-code-as-number", "the error code of a refused request is a number")
        .must(&["SCHEMA-002"])
        .may(&["CODE-003", "CODE-004"])
        .answer(|call, answer| {
            if answer.status == 400 {
                edit(answer, |body| {
                    if let Some(code) = body.get_mut(&call.batch().error.code) {
                        *code = json!(1);
                    }
                });
            }
        }),
    SCHEMA
        .fault("error-body-plain-text", "the body of a 400 is plain text under a JSON label")
        .must(&["SCHEMA-002"])
        .may(&["CODE-006"])
        .answer(|_, answer| {
            if answer.status == 400 {
                answer.body = b"Bad Request".to_vec();
            }
        }),
    SCHEMA
        .fault("error-body-empty", "a 400 has no body at all")
        .must(&["SCHEMA-002"])
        .may(&["CODE-006", "HTTP-001"])
        .answer(|_, answer| {
            if answer.status == 400 {
                answer.body.clear();
            }
        }),
    SCHEMA
        .fault(
            "results-missing-when-all-rejected",
            "an answer whose items are all rejected has no results",
        )
        .must(&["SCHEMA-003"])
        .answer(|call, answer| {
            if answer.why == ReplyReason::Processed {
                edit(answer, |body| {
                    let rows = body.get(&call.batch().results).and_then(Value::as_array);
                    let all = rows.is_some_and(|rows| {
                        let mut objects = rows.iter().filter_map(Value::as_object);
                        !rows.is_empty() && objects.all(|row| rejected(call, row))
                    });
                    if all {
                        body.shift_remove(&call.batch().results);
                    }
                });
            }
        }),
    SCHEMA
        .fault("results-renamed", "the results stand under a capitalised name")
        .must(&["SCHEMA-003"])
        .may(&["ORDER-001"])
        .answer(|call, answer| {
            if answer.status == 200 {
                edit(answer, |body| {
                    if let Some(list) = body.shift_remove(&call.batch().results) {
                        let mut letters = call.batch().results.chars();
                        let first = letters.next().into_iter().flat_map(char::to_uppercase);
                        body.insert(first.chain(letters).collect(), list);
                    }
                });
            }
        }),
    SCHEMA
        .fault("answer-wrapped", "the whole answer stands inside a `data` property")
        .must(&["SCHEMA-003"])
        .may(&["SCHEMA-005", "ORDER-001"])
        .answer(|_, answer| {
            if answer.status == 200 {
                reword(answer, |text| format!("{{\"data\":{text}}}"));
            }
        }),
    SCHEMA
        .fault("verdict-missing-when-accepted", "accepted results carry no verdict")
        .must(&["SCHEMA-004"])
        .may(&["ACCEPT-001", "CODE-002"])
        .results(|call, results| {
            for row in results.rows.iter_mut().filter(|row| !rejected(call, row)) {
                row.shift_remove(&call.batch().verdict.field);
            }
        }),
    SCHEMA
        .fault(
            "echo-missing-when-rejected",
            "rejected results lack an identity field of their items",
        )
        .must(&["SCHEMA-004"])
        .may(&["ECHO-002"])
        .results(|call, results| {
            for row in results.rows.iter_mut().filter(|row| rejected(call, row)) {
                row.shift_remove(call.other(0));
            }
        }),
    SCHEMA
        .fault("number-missing-after-100", "from the 101st result on the unique number is left out")
        .must(&["SCHEMA-004"])
        .may(&["ECHO-001", "ACCEPT-005"])
        .results(|call, results| {
            for row in results.rows.iter_mut().skip(100) {
                row.shift_remove(call.unique());
            }
        }),
    SCHEMA
        .fault("total-elapsed-missing", "the answer does not say how long it took")
        .must(&["SCHEMA-005"])
        .results(|_, results| results.beside.clear()),
    SCHEMA
        .fault("elapsed-missing-when-rejected", "rejected results do not say how long they took")
        .must(&["SCHEMA-005"])
        .results(|call, results| {
            for row in results.rows.iter_mut().filter(|row| rejected(call, row)) {
                row.retain(|name, _| call.batch().elapsed.item.as_ref() != Some(name));
            }
        }),
    SCHEMA
        .fault("repeated-key-in-result", "the first result has its verdict twice")
        .must(&["SCHEMA-006"])
        .answer(|call, answer| {
            if answer.why == ReplyReason::Processed {
                let verdict = &call.batch().verdict;
                let field = Value::from(&*verdict.field);
                reword(answer, |text| {
                    let word = if text.contains(&verdict.rejected) {
                        &verdict.rejected
                    } else {
                        &verdict.accepted
                    };
                    let pair = format!("{field}:{}", Value::from(&**word));
                    text.replacen(&pair, &format!("{pair},{pair}"), 1)
                });
            }
        }),
];
