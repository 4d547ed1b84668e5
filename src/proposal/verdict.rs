//! How a result says what became of its item, and why.
//!
//! It must not know how a batch contract is written.

use serde_json::Value;

use super::codes;
use super::view::{self, SchemaShape, ViewedProperty};
use super::words::{has, judges, words};
use crate::contract::SchemaDocument;

/// How a result says what became of its item.
#[derive(Debug, Clone)]
pub struct VerdictGuess {
    /// The field.
    pub field: String,
    /// Its value for an accepted item.
    pub accepted: VerdictValue,
    /// The same for a rejected one.
    pub rejected: VerdictValue,
    /// Whether the words leave no doubt.
    pub sure: bool,
}

/// The value of a verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum VerdictValue {
    /// This value.
    Is(Value),
    /// This value, or none.
    IsOrAbsent(Value),
    /// Any value.
    Present,
    /// None.
    Absent,
    /// A status from 200 to 299, or any other.
    Success(bool),
}

/// How a result says what became of its item: the likeliest of its fields.
pub fn verdict(
    document: &SchemaDocument,
    result: &[ViewedProperty<'_>],
    item: &[ViewedProperty<'_>],
    examples: &[Value],
) -> Option<VerdictGuess> {
    let is = |value: Value| VerdictValue::Is(value);
    let mut best: Option<(i32, VerdictGuess)> = None;
    for property in result {
        let (name, field) = (property.name, property.name.to_owned());
        let speaks_of_outcome = has(
            name,
            &["result", "status", "outcome", "verdict", "state", "disposition", "decision"],
        );
        let of_item = item.iter().any(|p| p.name == name);
        let found = match view::shape(document, property.schema) {
            SchemaShape::Scalar("boolean") => judges(name).map(|good| {
                (
                    8,
                    VerdictGuess {
                        field,
                        accepted: is(good.into()),
                        // A field such as `ok` that need not be there may be missing where it would be false.
                        rejected: if good && !property.required {
                            match property.schema.get("const") {
                                Some(_) => VerdictValue::Absent,
                                None => VerdictValue::IsOrAbsent(false.into()),
                            }
                        } else {
                            is((!good).into())
                        },
                        sure: true,
                    },
                )
            }),
            SchemaShape::Scalar("string") => {
                let mut values: Vec<String> = view::listed(document, property.schema)
                    .into_iter()
                    .map(str::to_owned)
                    .collect();
                let is_listed = !values.is_empty();
                if !is_listed && (speaks_of_outcome || judges(name).is_some()) {
                    values = codes::texts_of(examples, name);
                }
                two_values(&values).map(|(good, bad, sure)| {
                    let score = 4
                        + i32::from(sure) * 3
                        + i32::from(speaks_of_outcome) * 2
                        + i32::from(is_listed)
                        - i32::from(of_item) * 4;
                    (
                        score,
                        VerdictGuess {
                            field,
                            accepted: is(good.into()),
                            rejected: is(bad.into()),
                            sure,
                        },
                    )
                })
            }
            SchemaShape::Scalar("integer" | "number")
                if has(name, &["status", "statuscode", "httpstatus", "httpcode"]) =>
            {
                let [accepted, rejected] = [true, false].map(VerdictValue::Success);
                Some((6, VerdictGuess { field, accepted, rejected, sure: true }))
            }
            _ => None,
        };
        // An error that is there or not.
        let found = found.or_else(|| {
            let says =
                has(name, &["error", "errors", "failure", "problem"]) && words(name).len() == 1;
            let shape = view::shape(document, property.schema);
            (says && !property.required && shape != SchemaShape::Scalar("boolean")).then(|| {
                let (accepted, rejected) = (VerdictValue::Absent, VerdictValue::Present);
                (3, VerdictGuess { field: name.to_owned(), accepted, rejected, sure: true })
            })
        });
        if let Some((score, guess)) = found.filter(|(score, _)| *score > 0)
            && best.as_ref().is_none_or(|(least, _)| score > *least)
        {
            best = Some((score, guess));
        }
    }
    best.map(|(_, guess)| guess)
}

/// Which of the values says accepted, and which rejected; whether the words leave no doubt.
fn two_values(values: &[String]) -> Option<(String, String, bool)> {
    let of = |wanted: bool| {
        let mut all = values.iter().filter(|value| judges(value) == Some(wanted));
        all.next().map(|first| (first.clone(), all.next().is_none()))
    };
    match (of(true), of(false)) {
        (Some((good, one)), Some((bad, other))) => Some((good, bad, one && other)),
        (Some((good, _)), None) => {
            let bad = values.iter().find(|value| **value != good)?;
            Some((good, bad.clone(), values.len() == 2))
        }
        (None, Some((bad, _))) => {
            let good = values.iter().find(|value| **value != bad)?;
            Some((good.clone(), bad, values.len() == 2))
        }
        (None, None) => match values {
            [first, second] => Some((first.clone(), second.clone(), false)),
            _ => None,
        },
    }
}

/// The fields of a result with the code of an error and with its description, as pointers.
pub fn error_fields(
    document: &SchemaDocument,
    own: &[ViewedProperty<'_>],
) -> (Option<String>, Option<String>) {
    let mut all: Vec<(String, String, &Value)> = Vec::new();
    for property in own {
        let scalar = matches!(
            view::shape(document, property.schema),
            SchemaShape::Scalar("string" | "integer")
        );
        if scalar {
            all.push((property.name.to_owned(), format!("/{}", property.name), property.schema));
        } else if has(
            property.name,
            &["error", "errors", "failure", "fault", "problem", "reason", "rejection"],
        ) {
            let (holder, step) = match view::shape(document, property.schema) {
                SchemaShape::List(inner) => (inner, "/0"),
                _ => (property.schema, ""),
            };
            for inner in view::properties(document, holder) {
                if matches!(
                    view::shape(document, inner.schema),
                    SchemaShape::Scalar("string" | "integer")
                ) {
                    let pointer = format!("/{}{step}/{}", property.name, inner.name);
                    all.push((format!("{} {}", property.name, inner.name), pointer, inner.schema));
                }
            }
        }
    }
    let words_of = [
        "description",
        "message",
        "detail",
        "details",
        "text",
        "title",
        "explanation",
        "msg",
        "desc",
    ];
    let describes = |name: &str| has(name, &words_of) || name.to_lowercase().ends_with("text");
    let code_score = |name: &str, schema: &Value| {
        let about_errors = has(name, &["error", "reason", "failure", "reject", "rejection"]);
        let mut score = 0;
        if describes(name) {
            return 0;
        }
        if has(name, &["code", "errno"]) {
            score += 4 + i32::from(about_errors) * 3;
        } else if has(name, &["reason", "cause", "scim", "error"]) {
            score += 3;
        } else if has(name, &["type"]) && about_errors {
            score += 2;
        }
        score + i32::from(score > 0 && !view::listed(document, schema).is_empty())
    };
    let best = |score: &dyn Fn(&str, &Value) -> i32, but: Option<&str>| {
        let all = all.iter().filter(|(_, pointer, _)| Some(pointer.as_str()) != but);
        let scored = all.map(|(name, pointer, schema)| (score(name, schema), pointer));
        // Of equal ones the first.
        let best = scored.filter(|(score, _)| *score > 0).rev().max_by_key(|(score, _)| *score);
        best.map(|(_, pointer)| pointer.clone())
    };
    let code = best(&code_score, None);
    let description_score = |name: &str, _: &Value| {
        let about_errors = has(name, &["error", "reason", "failure", "rejection"]);
        i32::from(describes(name)) * 3 + i32::from(about_errors)
    };
    let description = best(&description_score, code.as_deref());
    (code, description)
}
