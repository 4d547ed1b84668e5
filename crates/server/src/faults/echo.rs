//! Faults of what results repeat of their items.

use std::collections::HashMap;

use serde_json::Value;

use super::{ResultRow, compose, head, rejected, rewrite};
use crate::fault::{Call, Fault, FaultFamily};
use crate::received::ReplyResults;

const ECHO: FaultFamily = FaultFamily("ECHO");

pub(super) static FAULTS: &[Fault] = &[
    ECHO.fault("number-trimmed", "white space around the echoed number is lost")
        .must(&["ECHO-001"])
        .may(&["ACCEPT-003", "UNIQUE-005", "ORDER-002"])
        .results(|call, results| rewrite(results, call.unique(), |t| t.trim().to_owned())),
    ECHO.fault("number-lower-cased", "the echoed number is in lower case")
        .must(&["ECHO-001"])
        .may(&["ORDER-002", "UNIQUE-005"])
        .results(|call, results| rewrite(results, call.unique(), str::to_lowercase)),
    ECHO.fault(
        "number-upper-cased-when-rejected",
        "the number of a rejected result is in upper case",
    )
    .must(&["ECHO-001"])
    .may(&["ORDER-002", "UNIQUE-005"])
    .results(|call, results| {
        for row in results.rows.iter_mut().filter(|row| rejected(call, row)) {
            change(row, call.unique(), str::to_uppercase);
        }
    }),
    ECHO.fault("number-composed", "the echoed number is in Unicode normalisation form C")
        .must(&["ECHO-001"])
        .may(&["ACCEPT-003", "UNIQUE-005", "ORDER-002"])
        .results(|call, results| rewrite(results, call.unique(), compose)),
    ECHO.fault("number-cut-at-64", "the echoed number ends after 64 characters")
        .must(&["ECHO-001"])
        .may(&["UNIQUE-005", "ORDER-002"])
        .results(|call, results| rewrite(results, call.unique(), |t| head(t, 64))),
    ECHO.fault("number-cut-at-254", "the echoed number ends a character before its bound")
        .must(&["ECHO-001"])
        .may(&["UNIQUE-005", "ORDER-002"])
        .results(|call, results| rewrite(results, call.unique(), |t| head(t, 254))),
    ECHO.fault("number-html-escaped", "markup in the echoed number is escaped as HTML")
        .must(&["ECHO-001"])
        .may(&["ACCEPT-003", "ORDER-002"])
        .results(|call, results| rewrite(results, call.unique(), escape_html)),
    ECHO.fault("number-control-stripped", "control characters of the echoed number are lost")
        .must(&["ECHO-001"])
        .may(&["ACCEPT-003", "UNIQUE-005", "ORDER-002"])
        .results(|call, results| {
            rewrite(results, call.unique(), |t| t.chars().filter(|c| !c.is_control()).collect());
        }),
    ECHO.fault(
        "number-url-decoded",
        "the echoed number is URL-decoded: `+` and `%20` become spaces",
    )
    .must(&["ECHO-001"])
    .may(&["ACCEPT-003", "ORDER-002"])
    .results(|call, results| {
        rewrite(results, call.unique(), |t| t.replace("%20", " ").replace('+', " "));
    }),
    ECHO.fault("identity-html-escaped", "markup in another echoed field is escaped as HTML")
        .must(&["ECHO-002"])
        .may(&["ACCEPT-003"])
        .results(|call, results| others(call, results, escape_html)),
    ECHO.fault(
        "identity-outside-bmp-replaced",
        "characters outside the basic plane are echoed as question marks",
    )
    .must(&["ECHO-002"])
    .may(&["ACCEPT-003", "ECHO-001"])
    .results(|call, results| {
        others(call, results, |t| {
            t.chars().map(|c| if u32::from(c) > 0xffff { '?' } else { c }).collect()
        });
    }),
    ECHO.fault("identity-non-ascii-lost", "letters outside ASCII are echoed as question marks")
        .must(&["ECHO-002"])
        .may(&["ACCEPT-003"])
        .results(|call, results| {
            others(call, results, |t| {
                t.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
            });
        }),
    ECHO.fault("identity-trimmed", "white space around another echoed field is lost")
        .must(&["ECHO-002"])
        .may(&["ACCEPT-003"])
        .results(|call, results| others(call, results, |t| t.trim().to_owned())),
    ECHO.fault("identity-composed", "another echoed field is in Unicode normalisation form C")
        .must(&["ECHO-002"])
        .may(&["ACCEPT-003"])
        .results(|call, results| others(call, results, compose)),
    ECHO.fault("identity-cut-at-64", "another echoed field ends after 64 characters")
        .must(&["ECHO-002"])
        .results(|call, results| others(call, results, |t| head(t, 64))),
    ECHO.fault(
        "identity-leading-zeros-lost",
        "another echoed field of digits alone passes through a number",
    )
    .must(&["ECHO-002"])
    .deep()
    .results(|call, results| {
        others(call, results, |t| {
            let digits = !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
            let cut = t.trim_start_matches('0');
            if digits && !cut.is_empty() { cut.to_owned() } else { t.to_owned() }
        });
    }),
    ECHO.fault(
        "identity-escaped-twice",
        "backslashes and quotes of another echoed field are escaped twice",
    )
    .must(&["ECHO-002"])
    .may(&["ACCEPT-003"])
    .results(|call, results| {
        others(call, results, |t| t.replace('\\', "\\\\").replace('"', "\\\""));
    }),
    ECHO.fault("identity-from-neighbour", "an identity field comes from the item before")
        .must(&["ECHO-002"])
        .may(&["ORDER-002", "SCHEMA-004", "ECHO-003"])
        .results(|call, results| {
            let before: Vec<_> =
                results.rows.iter().map(|row| row.get(call.other(0)).cloned()).collect();
            for (row, value) in results.rows.iter_mut().skip(1).zip(before) {
                if let Some(value) = value {
                    row.insert(call.other(0).to_owned(), value);
                }
            }
        }),
    ECHO.fault(
        "identity-of-65th-wrong",
        "at the seam of two blocks of 64 an identity field comes from the item before",
    )
    .must(&["ECHO-002"])
    .may(&["ORDER-002", "ACCEPT-005"])
    .results(|call, results| {
        if results.rows.len() > 64
            && let Some(value) = results.rows[63].get(call.other(0)).cloned()
        {
            results.rows[64].insert(call.other(0).to_owned(), value);
        }
    }),
    ECHO.fault(
        "identity-interned",
        "an identity field comes as the batch first spelled it, in upper or lower case",
    )
    .must(&["ECHO-002"])
    .may(&["ORDER-002"])
    .results(|call, results| {
        let mut spelled: HashMap<String, Value> = HashMap::new();
        for row in &mut results.rows {
            if let Some(value) = row.get_mut(call.other(0))
                && let Some(text) = value.as_str()
            {
                *value =
                    spelled.entry(text.to_lowercase()).or_insert_with(|| value.clone()).clone();
            }
        }
    }),
    ECHO.fault(
        "identity-of-first-use",
        "the result of a used number repeats the identity of its first use",
    )
    .must(&["ECHO-002"])
    .may(&["UNIQUE-001", "ORDER-002", "RACE-002"])
    .results(|call, results| {
        let mut kept = call.kept();
        for row in &mut results.rows {
            let (Some(number), Some(value)) = (text(row, call.unique()), text(row, call.other(0)))
            else {
                continue;
            };
            if rejected(call, row) {
                if let Some(first) = kept.texts.get(&number) {
                    row.insert(call.other(0).to_owned(), Value::from(&**first));
                }
            } else {
                kept.texts.insert(number, value);
            }
        }
    }),
    ECHO.fault(
        "optional-default-filled-in",
        "an echoed field that the item lacked is filled with a default",
    )
    .must(&["ECHO-003"])
    .results(|call, results| {
        for row in &mut results.rows {
            for field in call.optional_echo() {
                row.entry(field.name.clone()).or_insert_with(|| Value::from("default"));
            }
        }
    }),
    ECHO.fault(
        "optional-empty-filled-in",
        "an echoed field that the item lacked comes as an empty string",
    )
    .must(&["ECHO-003"])
    .results(|call, results| {
        for row in &mut results.rows {
            for field in call.optional_echo() {
                row.entry(field.name.clone()).or_insert_with(|| Value::from(""));
            }
        }
    }),
    ECHO.fault(
        "optional-carried-over",
        "an echoed field that the item lacked is left over from the item before",
    )
    .must(&["ECHO-003"])
    .may(&["ORDER-002"])
    .results(|call, results| {
        for field in call.optional_echo() {
            let mut last: Option<Value> = None;
            for row in &mut results.rows {
                match (row.get(&field.name), &last) {
                    (Some(value), _) => last = Some(value.clone()),
                    (None, Some(left)) => {
                        row.insert(field.name.clone(), left.clone());
                    }
                    (None, None) => {}
                }
            }
        }
    }),
    ECHO.fault("optional-dropped", "an optional identity field is never repeated")
        .must(&["SCHEMA-004"])
        .may(&["ECHO-002"])
        .results(|call, results| {
            for row in &mut results.rows {
                call.optional_echo().for_each(|field| {
                    row.shift_remove(&field.name);
                });
            }
        }),
    ECHO.fault(
        "optional-taken-from-first",
        "every result repeats the first item's optional identity field",
    )
    .must(&["ECHO-003"])
    .may(&["ECHO-002", "ORDER-002"])
    .results(|call, results| {
        for field in call.optional_echo() {
            let first = results.rows.first().and_then(|row| row.get(&field.name)).cloned();
            for row in &mut results.rows {
                if let Some(value) = &first {
                    row.insert(field.name.clone(), value.clone());
                }
            }
        }
    }),
];

fn text(row: &ResultRow, field: &str) -> Option<String> {
    row.get(field).and_then(Value::as_str).map(str::to_owned)
}

fn change(row: &mut ResultRow, field: &str, change: impl Fn(&str) -> String) {
    if let Some(Value::String(text)) = row.get_mut(field) {
        *text = change(text);
    }
}

/// Changes the echoed fields beside the unique number.
fn others(call: &Call<'_>, results: &mut ReplyResults, change: impl Fn(&str) -> String) {
    for field in call.batch().echo.iter().filter(|f| *f != call.unique()) {
        rewrite(results, field, &change);
    }
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
