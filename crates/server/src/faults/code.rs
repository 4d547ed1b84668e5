//! Faults of verdicts and error codes.

use serde_json::Value;

use super::{ResultRow, edit, rejected};
use crate::fault::{Call, Fault, FaultFamily};
use crate::received::Rejection;
use crate::reply::{Reply, ReplyReason};
use batchproof_contract::validity::{InvalidClass, ValueKind};
use batchproof_contract::{CodeCause, RefusalMode};

const CODE: FaultFamily = FaultFamily("CODE");

pub(super) static FAULTS: &[Fault] = &[
    CODE.fault("rejected-without-code", "rejected results carry no error code")
        .must(&["CODE-001"])
        .results(|call, results| {
            for row in results.rows.iter_mut().filter(|row| rejected(call, row)) {
                row.shift_remove(&call.batch().error.code);
            }
        }),
    CODE.fault(
        "second-rejected-without-code",
        "only the first rejected result of a batch carries an error code",
    )
    .must(&["CODE-001"])
    .results(|call, results| {
        for row in results.rows.iter_mut().filter(|row| rejected(call, row)).skip(1) {
            row.shift_remove(&call.batch().error.code);
        }
    }),
    CODE.fault("code-null", "the error code of a rejected result is null")
        .must(&["SCHEMA-001"])
        .may(&["CODE-001"])
        .results(|call, results| {
            for row in results.rows.iter_mut().filter(|row| rejected(call, row)) {
                row.insert(call.batch().error.code.clone(), Value::Null);
            }
        }),
    CODE.fault("accepted-with-code", "accepted results carry the code O000")
        .must(&["CODE-002"])
        .may(&["CODE-004"])
        .results(|call, results| fill(call, results, &call.batch().error.code, "O000")),
    CODE.fault("accepted-with-description", "accepted results carry the description OK")
        .must(&["CODE-002"])
        .results(|call, results| fill(call, results, &call.batch().error.description, "OK")),
    CODE.fault(
        "accepted-after-rejected-with-code",
        "an accepted result keeps the code of the rejected one before it",
    )
    .must(&["CODE-002"])
    .results(|call, results| {
        let field = &call.batch().error.code;
        for at in 1..results.rows.len() {
            let code = results.rows[at - 1].get(field).cloned();
            if let Some(code) = code
                && !rejected(call, &results.rows[at])
            {
                results.rows[at].insert(field.clone(), code);
            }
        }
    }),
    CODE.fault("codes-swapped", "a used number and a missing field carry each other's code")
        .must(&["CODE-003"])
        .answer(|call, answer| {
            recode(
                call,
                answer,
                |_, missing, used, code| {
                    if code == used { missing.to_owned() } else { used.to_owned() }
                },
            );
        }),
    CODE.fault("used-code-for-invalid", "an invalid item is rejected as if its number were used")
        .must(&["CODE-003"])
        .judged(|call, batch| {
            for fail in batch.items.iter_mut().filter_map(|item| item.fail.as_mut()) {
                fail.code = Rejection::used(call.contract()).code;
            }
            Ok(())
        }),
    CODE.fault("undocumented-code-for-used", "a used number carries a code that is not documented")
        .must(&["CODE-003"])
        .may(&["CODE-004"])
        .answer(|call, answer| {
            recode(
                call,
                answer,
                |_, _, used, code| {
                    if code == used { "E409".to_owned() } else { code.to_owned() }
                },
            );
        }),
    CODE.fault("codes-lower-case", "error codes are written in lower case")
        .must(&["CODE-003"])
        .may(&["CODE-004", "REFUSE-001", "CODE-008"])
        .answer(|call, answer| recode(call, answer, |_, _, _, code| code.to_lowercase())),
    CODE.fault(
        "undocumented-code-for-missing",
        "a missing mandatory field carries a code that is not documented",
    )
    .must(&["CODE-003"])
    .may(&["CODE-004", "REFUSE-001", "CODE-008"])
    .judged(|_, batch| {
        for item in &mut batch.items {
            let missing = item.validity.invalid.iter().any(|c| c.code == CodeCause::Missing);
            if let Some(fail) = item.fail.as_mut().filter(|_| missing) {
                "O002".clone_into(&mut fail.code);
            }
        }
        Ok(())
    }),
    CODE.fault(
        "null-called-invalid",
        "a null in a mandatory field carries another code than a missing one",
    )
    .must(&["CODE-008"])
    .may(&["CODE-004"])
    .only(&[RefusalMode::Item])
    .judged(|_, batch| {
        for item in &mut batch.items {
            let null = InvalidClass::WrongType(ValueKind::Null);
            let only_null = !item.validity.invalid.is_empty()
                && item.validity.invalid.iter().all(|c| c.class == null);
            if let Some(fail) = item.fail.as_mut().filter(|_| only_null) {
                "O003".clone_into(&mut fail.code);
            }
        }
        Ok(())
    }),
    CODE.fault(
        "undocumented-code-for-invalid",
        "an invalid value carries a code that is not documented",
    )
    .must(&["CODE-004"])
    .judged(|_, batch| {
        for item in &mut batch.items {
            let missing = item.validity.invalid.iter().any(|c| c.code == CodeCause::Missing);
            if let Some(fail) = item.fail.as_mut().filter(|_| !missing) {
                "VALIDATION_FAILED".clone_into(&mut fail.code);
            }
        }
        Ok(())
    }),
    CODE.fault("rejected-without-description", "rejected results carry no description")
        .must(&["CODE-005"])
        .results(|call, results| {
            for row in results.rows.iter_mut().filter(|row| rejected(call, row)) {
                row.shift_remove(&call.batch().error.description);
            }
        }),
    CODE.fault(
        "refusal-without-code",
        "a 400 for a missing mandatory field carries verdict and description alone",
    )
    .must(&["CODE-006"])
    .only(&[RefusalMode::Request])
    .answer(|call, answer| {
        if answer.why == ReplyReason::Item {
            edit(answer, |body| {
                body.shift_remove(&call.batch().error.code);
            });
        }
    }),
    CODE.fault(
        "refusal-in-framework-shape",
        "a 400 for a missing mandatory field has the framework's shape",
    )
    .must(&["CODE-006"])
    .only(&[RefusalMode::Request])
    .answer(|call, answer| {
        if answer.why == ReplyReason::Item {
            *answer = Reply::framework(400, ReplyReason::Item, &call.head.path);
        }
    }),
    CODE.fault(
        "missing-envelope-in-framework-shape",
        "a 400 for a missing array of items has the framework's shape",
    )
    .must(&["CODE-006"])
    .answer(|call, answer| {
        if answer.why == ReplyReason::Envelope {
            *answer = Reply::framework(400, ReplyReason::Envelope, &call.head.path);
        }
    }),
    CODE.fault(
        "refusal-verdict-unknown",
        "a 400 has a verdict of its own, which results never have",
    )
    .must(&["CODE-009"])
    .may(&["CODE-006"])
    .answer(|call, answer| refusal_says(answer, &call.batch().verdict.field, "ERROR")),
    CODE.fault(
        "envelope-refusal-verdict-empty",
        "the verdict of a 400 for a broken envelope is an empty text",
    )
    .must(&["CODE-009"])
    .answer(|call, answer| {
        if answer.why == ReplyReason::Envelope {
            refusal_says(answer, &call.batch().verdict.field, "");
        }
    }),
    CODE.fault(
        "refusal-code-empty",
        "the error code of a 400 for a broken envelope is an empty text",
    )
    .must(&["CODE-010"])
    .answer(|call, answer| {
        if answer.why == ReplyReason::Envelope {
            refusal_says(answer, &call.batch().error.code, "");
        }
    }),
    CODE.fault("refusal-says-accepted", "the body of a 400 says accepted")
        .must(&["CODE-007"])
        .may(&["CODE-006", "SCHEMA-002"])
        .answer(|call, answer| {
            if answer.status == 400 {
                let verdict = &call.batch().verdict;
                edit(answer, |body| {
                    if let Some(word) = body.get_mut(&verdict.field) {
                        *word = Value::from(&*verdict.accepted);
                    }
                });
            }
        }),
];

/// Exchanges a text of a 400.
fn refusal_says(answer: &mut Reply, field: &str, text: &str) {
    if answer.status == 400 {
        edit(answer, |body| {
            if let Some(word) = body.get_mut(field) {
                *word = Value::from(text);
            }
        });
    }
}

/// Gives every accepted result one more text.
fn fill(call: &Call<'_>, results: &mut crate::received::ReplyResults, field: &str, text: &str) {
    for row in results.rows.iter_mut().filter(|row| !rejected(call, row)) {
        row.insert(field.to_owned(), Value::from(text));
    }
}

/// Changes every code of an answer; told are the contract, the missing-field code and the used
/// code.
fn recode(
    call: &Call<'_>,
    answer: &mut Reply,
    change: impl Fn(&Call<'_>, &str, &str, &str) -> String,
) {
    let used = Rejection::used(call.contract()).code;
    let missing = Rejection::invalid(call.contract(), "").code;
    let field = &call.batch().error.code;
    let apply = |row: &mut ResultRow| {
        if let Some(Value::String(code)) = row.get_mut(field) {
            *code = change(call, &missing, &used, code);
        }
    };
    edit(answer, |body| {
        apply(body);
        if let Some(Value::Array(rows)) = body.get_mut(&call.batch().results) {
            rows.iter_mut().filter_map(Value::as_object_mut).for_each(apply);
        }
    });
}
