//! Two JSON values, compared member by member: what is missing, of another type, or another value.
//!
//! It knows no contract but the names that it is given.

use serde_json::{Map, Value};

use super::difference::AnswerDifference;
use crate::contract::validity::escape;
use crate::record::DifferenceKind;

/// Characters of a value that are kept.
const SHOWN: usize = 400;

/// Members that only one object has, from which on they are one difference: another shape.
const SEVERAL: usize = 3;

/// What a comparison has to know of the members that it meets.
pub(super) struct MemberNames<'a> {
    /// The verdict on an item.
    pub verdict: &'a str,
    /// The error code.
    pub code: &'a str,
    /// Members that count time: only their types are compared.
    pub elapsed: Vec<&'a str>,
    /// The item as it was sent, where the values are those of its result.
    pub sent: Option<&'a Value>,
}

/// Differences of `new` from `old`, below `pointer`.
pub(super) fn tree(
    names: &MemberNames<'_>,
    (old, new): (&Value, &Value),
    pointer: &str,
    out: &mut Vec<AnswerDifference>,
) {
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            let only = |one: &Map<String, Value>, other: &Map<String, Value>| -> Vec<String> {
                one.keys().filter(|name| !other.contains_key(*name)).cloned().collect()
            };
            let (missing, additional) = (only(before, after), only(after, before));
            if missing.len() + additional.len() >= SEVERAL {
                out.push(AnswerDifference::new(
                    DifferenceKind::Members,
                    pointer.to_owned(),
                    (names_of(&missing), names_of(&additional)),
                    (shown(old), shown(new)),
                ));
            } else {
                for name in &missing {
                    let value = &before[name];
                    out.push(AnswerDifference::new(
                        DifferenceKind::Missing,
                        format!("{pointer}/{}", escape(name)),
                        (type_name(value), "absent"),
                        (shown(value), String::new()),
                    ));
                }
                for name in &additional {
                    let value = &after[name];
                    out.push(AnswerDifference::new(
                        DifferenceKind::Additional,
                        format!("{pointer}/{}", escape(name)),
                        ("absent", type_name(value)),
                        (String::new(), shown(value)),
                    ));
                }
            }
            for (name, value) in before {
                if let Some(other) = after.get(name) {
                    tree(names, (value, other), &format!("{pointer}/{}", escape(name)), out);
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            if before.len() != after.len() {
                out.push(AnswerDifference::new(
                    DifferenceKind::Count,
                    pointer.to_owned(),
                    ("a number of elements", "another number"),
                    (before.len().to_string(), after.len().to_string()),
                ));
            }
            for (at, pair) in before.iter().zip(after).enumerate() {
                tree(names, pair, &format!("{pointer}/{at}"), out);
            }
        }
        _ if is_same(old, new) => {}
        _ => leaf(names, (old, new), pointer, out),
    }
}

fn leaf(
    names: &MemberNames<'_>,
    (old, new): (&Value, &Value),
    pointer: &str,
    out: &mut Vec<AnswerDifference>,
) {
    let name = pointer.rsplit('/').next().unwrap_or_default();
    let values = (shown(old), shown(new));
    let (before, after) = (type_name(old), type_name(new));
    let difference = if name == escape(names.verdict) {
        let tokens = (values.0.clone(), values.1.clone());
        AnswerDifference::new(DifferenceKind::Verdict, pointer.to_owned(), tokens, values)
    } else if name == escape(names.code) {
        let tokens = (values.0.clone(), values.1.clone());
        AnswerDifference::new(DifferenceKind::Code, pointer.to_owned(), tokens, values)
    } else if before != after {
        AnswerDifference::new(DifferenceKind::Type, pointer.to_owned(), (before, after), values)
    } else if names.elapsed.iter().any(|elapsed| name == escape(elapsed)) {
        return;
    } else {
        let sent = names.sent.and_then(|item| item.get(name));
        let token = |value: &Value, other: &'static str| match sent {
            Some(sent) if is_same(sent, value) => "as sent",
            Some(_) => "another value than was sent",
            None => other,
        };
        let tokens = (token(old, "a value"), token(new, "another value"));
        AnswerDifference::new(DifferenceKind::Value, pointer.to_owned(), tokens, values)
    };
    out.push(difference);
}

/// Names of members in a line.
fn names_of(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Whether two values say the same: numbers whatever their notation.
fn is_same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64().is_some_and(|a| b.as_f64() == Some(a))
        }
        _ => old == new,
    }
}

pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A value as text, cut where it is long.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
