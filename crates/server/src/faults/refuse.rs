//! Faults of validation: invalid input is accepted.

use serde_json::{Value, json};

use super::overlook;
use crate::fault::{Call, EarlyEnd, Fault, FaultFamily};
use crate::received::ReceivedItem;
use batchproof_contract::datetime::DateTimeClass;
use batchproof_contract::validity::{InvalidClass, ValueKind};
use batchproof_contract::{CodeCause, RefusalMode};

const REFUSE: FaultFamily = FaultFamily("REFUSE");

pub(super) static FAULTS: &[Fault] = &[
    REFUSE
        .fault("mandatory-1-unchecked", "the first mandatory field may be missing or null")
        .must(&["REFUSE-001"])
        .may(&["REFUSE-007"])
        .item(|call, item| mandatory(call, item, 0)),
    REFUSE
        .fault("mandatory-2-unchecked", "the second mandatory field may be missing or null")
        .must(&["REFUSE-001"])
        .item(|call, item| mandatory(call, item, 1)),
    REFUSE
        .fault("mandatory-3-unchecked", "the third mandatory field may be missing or null")
        .must(&["REFUSE-001"])
        .may(&["REFUSE-007"])
        .item(|call, item| mandatory(call, item, 2)),
    REFUSE
        .fault("mandatory-4-unchecked", "the fourth mandatory field may be missing or null")
        .must(&["REFUSE-001"])
        .may(&["REFUSE-007"])
        .item(|call, item| mandatory(call, item, 3)),
    REFUSE
        .fault("mandatory-5-unchecked", "the fifth mandatory field may be missing or null")
        .must(&["REFUSE-001"])
        .item(|call, item| mandatory(call, item, 4)),
    REFUSE
        .fault("null-taken-for-present", "a mandatory field that is null counts as present")
        .must(&["REFUSE-001"])
        .may(&["REFUSE-002"])
        .item(|call, item| {
            overlook(call, item, |c| c.class == InvalidClass::WrongType(ValueKind::Null));
        }),
    REFUSE
        .fault("only-first-item-checked", "mandatory fields are looked for in the first item only")
        .must(&["REFUSE-001"])
        .item(|call, item| {
            if item.index > 0 {
                overlook(call, item, |c| c.code == CodeCause::Missing);
            }
        }),
    REFUSE
        .fault(
            "types-unchecked-behind-200-items",
            "types are checked in the first 200 items of a batch",
        )
        .items(201)
        .must(&["REFUSE-002"])
        .may(&["REFUSE-001", "REFUSE-004", "REFUSE-008", "ATOM-001"])
        .only(&[RefusalMode::Request])
        .item(|call, item| {
            if item.index >= 200 {
                overlook(call, item, |c| matches!(c.class, InvalidClass::WrongType(_)));
            }
        }),
    REFUSE
        .fault(
            "lengths-unchecked-behind-500-items",
            "lengths are checked in the first 500 items of a batch",
        )
        .items(501)
        .must(&["REFUSE-003"])
        .may(&["REFUSE-012", "SCHEMA-001", "SCHEMA-004"])
        .only(&[RefusalMode::Item])
        .item(|call, item| {
            if item.index >= 500 {
                overlook(call, item, |c| {
                    matches!(c.class, InvalidClass::TooLong | InvalidClass::LongerThanResult)
                });
            }
        }),
    REFUSE
        .fault(
            "date-times-unchecked-behind-1000-items",
            "date-times are looked at in the first 1,000 items of a batch",
        )
        .items(1_001)
        .must(&["REFUSE-004"])
        .may(&["REFUSE-009"])
        .only(&[RefusalMode::Request])
        .item(|call, item| {
            if item.index >= 1000 {
                overlook(call, item, |c| matches!(c.class, InvalidClass::DateTime(_)));
            }
        }),
    REFUSE
        .fault(
            "mandatory-unchecked-behind-1000-items",
            "mandatory fields are looked for in the first 1,000 items of a batch",
        )
        .items(1_001)
        .must(&["REFUSE-001"])
        .may(&["ATOM-001", "UNIQUE-003"])
        .only(&[RefusalMode::Item])
        .item(|call, item| {
            if item.index >= 1000 {
                overlook(call, item, |c| c.code == CodeCause::Missing);
            }
        }),
    REFUSE
        .fault("untraced-requests-unchecked", "a request without traceparent is not validated")
        .must(&["REFUSE-001"])
        .may(&["REFUSE-002", "REFUSE-007", "SCHEMA-001", "SCHEMA-004", "ATOM-001", "UNIQUE-001"])
        .item(|call, item| {
            if call.head.get("traceparent").is_none() {
                overlook(call, item, |_| true);
            }
        }),
    REFUSE
        .fault(
            "errors-beyond-twenty-overlooked",
            "of a batch the first twenty errors are collected",
        )
        .must(&["REFUSE-001"])
        .may(&["REFUSE-002", "REFUSE-003", "REFUSE-004", "REFUSE-010"])
        .only(&[RefusalMode::Item])
        .judged(|_, batch| {
            let broken = batch.items.iter_mut().filter(|item| item.fail.is_some());
            broken.skip(20).for_each(|item| item.fail = None);
            Ok(())
        }),
    REFUSE
        .fault(
            "hundredth-item-unchecked",
            "the last of each hundred items of a batch is not validated",
        )
        .must(&["REFUSE-001"])
        .may(&["REFUSE-002", "REFUSE-003", "REFUSE-004", "REFUSE-010"])
        .judged(|_, batch| {
            let last = batch.items.iter_mut().filter(|item| item.index % 100 == 99);
            last.for_each(|item| item.fail = None);
            Ok(())
        }),
    REFUSE
        .fault(
            "validation-skipped-when-several",
            "items of a batch of more than ten are not validated",
        )
        .must(&["REFUSE-001"])
        .may(&["REFUSE-002", "REFUSE-003", "REFUSE-004", "REFUSE-010"])
        .judged(|_, batch| {
            if batch.items.len() > 10 {
                batch.items.iter_mut().for_each(|item| item.fail = None);
            }
            Ok(())
        }),
    REFUSE
        .fault(
            "structures-accepted-as-text",
            "an array or an object is taken where a mandatory text belongs",
        )
        .must(&["REFUSE-002"])
        .may(&["REFUSE-010", "SCHEMA-004"])
        .item(|call, item| {
            overlook(call, item, |c| {
                matches!(c.class, InvalidClass::WrongType(ValueKind::Array | ValueKind::Object))
                    && call.field_at(&c.pointer).is_some_and(|f| f.kind() == Some("string"))
            });
        }),
    REFUSE
        .fault("anything-accepted-as-number", "a mandatory number may be text or a structure")
        .must(&["REFUSE-002"])
        .may(&["REFUSE-008", "REFUSE-010"])
        .item(|call, item| {
            overlook(call, item, |c| {
                c.keyword == "type"
                    && c.class != InvalidClass::WrongType(ValueKind::Null)
                    && call.field_at(&c.pointer).is_some_and(|f| f.kind() == Some("number"))
            });
        }),
    REFUSE
        .fault("non-object-items-skipped", "items that are no objects are passed over in silence")
        .must(&["ORDER-001"])
        .may(&["SCHEMA-003", "SCHEMA-004"])
        .judged(|_, batch| {
            batch.items.retain(|item| item.value.is_object());
            Ok(())
        }),
    REFUSE
        .fault("length-unchecked", "texts may be longer than their schema allows")
        .must(&["REFUSE-003"])
        .item(|call, item| overlook(call, item, |c| c.class == InvalidClass::TooLong)),
    REFUSE
        .fault("length-off-by-one", "a text may be one character longer than its schema allows")
        .must(&["REFUSE-003"])
        .item(|call, item| {
            let value = item.value.clone();
            overlook(call, item, |c| {
                let field = call.field_at(&c.pointer);
                let max = field.and_then(|f| f.schema.get("maxLength")).and_then(Value::as_u64);
                let text = value.pointer(&c.pointer).and_then(Value::as_str).unwrap_or_default();
                c.class == InvalidClass::TooLong
                    && max.map(|n| n + 1) == u64::try_from(text.chars().count()).ok()
            });
        }),
    REFUSE
        .fault("length-counted-trimmed", "a bounded text is measured without its outer white space")
        .must(&["REFUSE-003"])
        .deep()
        .item(|call, item| {
            let value = item.value.clone();
            overlook(call, item, |c| {
                let text = value.pointer(&c.pointer).and_then(Value::as_str).unwrap_or_default();
                let field = call.field_at(&c.pointer);
                let max = field.and_then(|f| f.schema.get("maxLength")).and_then(Value::as_u64);
                c.class == InvalidClass::TooLong
                    && u64::try_from(text.trim().chars().count())
                        .ok()
                        .is_some_and(|n| Some(n) <= max)
            });
        }),
    REFUSE
        .fault("date-text-accepted", "any text is taken for a date-time")
        .must(&["REFUSE-004"])
        .may(&["REFUSE-009"])
        .item(|call, item| overlook(call, item, |c| c.keyword == "format")),
    REFUSE
        .fault("date-alone-accepted", "a date without a time is taken for a date-time")
        .must(&["REFUSE-004"])
        .item(|call, item| {
            overlook(call, item, |c| c.class == InvalidClass::DateTime(DateTimeClass::DateAlone));
        }),
    REFUSE
        .fault("date-as-number-accepted", "a number is taken for a date-time")
        .must(&["REFUSE-002"])
        .may(&["REFUSE-004", "REFUSE-008"])
        .item(|call, item| {
            overlook(call, item, |c| {
                c.class == InvalidClass::WrongType(ValueKind::Number)
                    && call.field_at(&c.pointer).is_some_and(batchproof_contract::Field::is_instant)
            });
        }),
    REFUSE
        .fault("impossible-date-accepted", "the 30th of February is rolled over into March")
        .must(&["REFUSE-009"])
        .item(|call, item| {
            overlook(call, item, |c| {
                c.class == InvalidClass::DateTime(DateTimeClass::ImpossibleDate)
            });
        }),
    REFUSE
        .fault("missing-offset-accepted", "a time without offset is taken for local time")
        .must(&["REFUSE-009"])
        .item(|call, item| {
            overlook(call, item, |c| c.class == InvalidClass::DateTime(DateTimeClass::NoOffset));
        }),
    REFUSE
        .fault(
            "null-batch-taken-for-empty",
            "an array of items that is null or missing is an empty batch",
        )
        .must(&["REFUSE-005"])
        .may(&["REFUSE-007"])
        .body(|call, body| {
            envelope(call, body, |items| items.is_none_or(Value::is_null).then(|| json!([])));
            Ok(())
        }),
    REFUSE
        .fault("single-object-taken-for-array", "a single item is taken for an array of one")
        .must(&["REFUSE-005"])
        .body(|call, body| {
            envelope(call, body, |items| items.filter(|i| i.is_object()).map(|i| json!([i])));
            Ok(())
        }),
    REFUSE
        .fault("bare-array-accepted", "a bare array is taken for the envelope")
        .must(&["REFUSE-005"])
        .body(|call, body| {
            if let Ok(list @ Value::Array(_)) = serde_json::from_slice(body) {
                *body = json!({ call.batch().items.as_str(): list }).to_string().into_bytes();
            }
            Ok(())
        }),
    REFUSE
        .fault("empty-body-taken-for-empty", "an empty body is an empty batch")
        .must(&["REFUSE-006"])
        .body(|call, body| {
            if body.trim_ascii().is_empty() {
                *body = json!({ call.batch().items.as_str(): [] }).to_string().into_bytes();
            }
            Ok(())
        }),
    REFUSE
        .fault("broken-utf-8-replaced", "broken UTF-8 is replaced instead of refused")
        .must(&["REFUSE-007"])
        .body(|_, body| {
            if std::str::from_utf8(body).is_err() {
                *body = String::from_utf8_lossy(body).into_owned().into_bytes();
            }
            Ok(())
        }),
    REFUSE
        .fault("lenient-json", "comments, single quotes and trailing commas are taken for JSON")
        .must(&["REFUSE-007"])
        .body(|_, body| {
            if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err() {
                let text = String::from_utf8_lossy(body);
                let loose = without_comments(&text.replace('\'', "\""));
                *body = without_trailing_commas(&loose).into_bytes();
            }
            Ok(())
        }),
    REFUSE
        .fault("nan-taken-for-null", "NaN in an optional number is taken for null")
        .must(&["REFUSE-006"])
        .body(|call, body| {
            let fields = call.contract().fields().iter().filter(|f| !f.required);
            if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err() {
                let mut text = String::from_utf8_lossy(body).into_owned();
                for name in fields.map(|f| Value::from(f.name.as_str()).to_string()) {
                    for (word, end) in [("NaN", ','), ("NaN", '}')] {
                        text = text
                            .replace(&format!("{name}:{word}{end}"), &format!("{name}:null{end}"));
                    }
                }
                *body = text.into_bytes();
            }
            Ok(())
        }),
    REFUSE
        .fault("cut-json-completed", "JSON that breaks off is taken for its whole items")
        .must(&["REFUSE-006"])
        .body(|call, body| {
            let broken = serde_json::from_slice::<serde::de::IgnoredAny>(body).err();
            if broken.is_some_and(|e| e.is_eof())
                && let Some(items) = super::whole_items(call, body)
            {
                *body = json!({ call.batch().items.as_str(): items }).to_string().into_bytes();
            }
            Ok(())
        }),
    REFUSE
        .fault("text-after-document-accepted", "text after the JSON document is passed over")
        .must(&["REFUSE-007"])
        .may(&["REFUSE-006"])
        .body(|_, body| {
            let mut documents = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
            if matches!(documents.next(), Some(Ok(_))) {
                let end = documents.byte_offset();
                body.truncate(end);
            }
            Ok(())
        }),
    REFUSE
        .fault("scalars-coerced", "scalars of another type are converted")
        .must(&["REFUSE-008"])
        .may(&["REFUSE-010", "SCHEMA-004", "ECHO-002"])
        .item(|call, item| {
            overlook(call, item, |c| matches!(c.class, InvalidClass::KeepsMeaning(_)));
        }),
    REFUSE
        .fault("optional-types-unchecked", "optional fields may have any type")
        .must(&["REFUSE-010"])
        .may(&["REFUSE-008", "SCHEMA-004", "ECHO-002"])
        .item(|call, item| {
            overlook(call, item, |c| {
                c.keyword == "type" && call.field_at(&c.pointer).is_some_and(|f| !f.required)
            });
        }),
    REFUSE
        .fault(
            "refusal-mode-changes-from-request-to-request",
            "broken items now refuse the request, now are rejected alone",
        )
        .must(&["REFUSE-011"])
        .judged(|call, batch| {
            if batch.items.iter().any(|item| item.fail.is_some()) {
                batch.refusal_mode =
                    if call.every(2) { RefusalMode::Item } else { RefusalMode::Request };
            }
            Ok(())
        }),
    REFUSE
        .fault("overlong-number-cut", "a number too long for its result is accepted and cut")
        .must(&["REFUSE-012"])
        .may(&["ECHO-001", "UNIQUE-005", "SCHEMA-004", "SCHEMA-001"])
        .item(|call, item| {
            overlook(call, item, |c| c.class == InvalidClass::LongerThanResult);
        })
        .results(|call, results| super::rewrite(results, call.unique(), |t| super::head(t, 255))),
    REFUSE
        .fault(
            "number-of-256-accepted",
            "a number one character too long for its result is accepted",
        )
        .must(&["REFUSE-012"])
        .may(&["ECHO-001", "SCHEMA-004", "SCHEMA-001"])
        .item(|call, item| {
            let max = call.contract().field(call.unique()).and_then(|f| f.result_max);
            let length = item.text(call.unique()).map(|t| t.chars().count());
            if length.zip(max).is_some_and(|(length, max)| length == max + 1) {
                overlook(call, item, |c| c.class == InvalidClass::LongerThanResult);
            }
        }),
    REFUSE
        .fault("broken-text-server-error", "a body that is not JSON ends in a 500")
        .must(&["ROBUST-001"])
        .may(&["STATUS-002", "ROBUST-004"])
        .body(|call, body| {
            let broken = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err();
            if broken { Err(EarlyEnd::status(call, 500)) } else { Ok(()) }
        }),
    REFUSE
        .fault("last-item-unvalidated", "the last item of several is not validated")
        .must(&["REFUSE-001"])
        .may(&[
            "REFUSE-002",
            "REFUSE-003",
            "REFUSE-004",
            "REFUSE-008",
            "REFUSE-009",
            "REFUSE-010",
            "REFUSE-012",
        ])
        .judged(|_, batch| {
            if let [_, .., last] = &mut batch.items[..] {
                last.fail = None;
            }
            Ok(())
        }),
];

fn mandatory(call: &Call<'_>, item: &mut ReceivedItem, n: usize) {
    if let Some(field) = call.required(n) {
        let pointer = format!("/{}", batchproof_contract::validity::escape(&field.name));
        overlook(call, item, |c| c.pointer == pointer && c.code == CodeCause::Missing);
    }
}

/// Puts something else in the place of the items.
fn envelope(call: &Call<'_>, body: &mut Vec<u8>, change: impl Fn(Option<&Value>) -> Option<Value>) {
    if let Ok(Value::Object(mut map)) = serde_json::from_slice::<Value>(body)
        && let Some(items) = change(map.get(&call.batch().items))
    {
        map.insert(call.batch().items.clone(), items);
        *body = Value::Object(map).to_string().into_bytes();
    }
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("/*") {
        out.push_str(&rest[..start]);
        rest = rest[start..].split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    let lines = out.lines().map(|line| line.split(" //").next().unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn without_trailing_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ']' | '}') && out.trim_end().ends_with(',') {
            out.truncate(out.trim_end().len() - 1);
        }
        out.push(c);
    }
    out
}
