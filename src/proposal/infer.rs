//! What an operation's document lets us guess of its batch contract: where results are, how they say what became of
//! an item, which field is the unique key.
//!
//! It must not know how a batch contract is written; what it finds is for a person to look at.

use serde_json::Value;

use super::codes::{self, DocumentedCode};
use super::survey::{BatchOperation, SUCCESS, json_schema, lists_of};
use super::view::{self, SchemaShape, ViewedProperty};
use super::words::{has, judges, speaks, words};
use crate::contract::SchemaDocument;
use crate::contract::validity::escape;

/// What was guessed.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The operation.
    pub operation: BatchOperation,
    /// A title for people.
    pub title: String,
    /// Places of results, by pointer.
    pub results: Vec<ResultsPlace>,
    /// Other properties of the answer that hold lists.
    pub other_lists: Vec<String>,
    /// How a result says what became of its item.
    pub verdict: Option<VerdictGuess>,
    /// Pointers into a result: the code, and its description.
    pub code: Option<String>,
    /// The same of the description.
    pub description: Option<String>,
    /// The unique key: a field of the item.
    pub unique: Option<UniqueGuess>,
    /// Fields of the item that its result repeats.
    pub echo: Vec<String>,
    /// The field of a result with the milliseconds, and that of the answer.
    pub elapsed: (Option<String>, Option<String>),
    /// Fields that name something that the target may have to know.
    pub references: Vec<String>,
    /// Codes that the document shows.
    pub codes: Vec<DocumentedCode>,
    /// Values from the examples of the document, of fields whose schema leaves room.
    pub samples: Vec<(String, Vec<Value>)>,
    /// `maxItems` of the list.
    pub most_items: Option<u64>,
    /// Where an item and its result have the same value, in two lists of results.
    pub matching: Option<(String, String)>,
    /// Required properties of the request beside the items.
    pub beside: Vec<String>,
}

/// A list of results.
#[derive(Debug, Clone)]
pub struct ResultsPlace {
    /// Where in the answer; empty: it is nothing else.
    pub at: String,
    /// What being in it says of an item.
    pub says: Option<bool>,
    /// Whether it is a map.
    pub is_map: bool,
    /// The statuses under which it is there.
    pub under: Vec<u16>,
}

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
    /// Any value.
    Present,
    /// None.
    Absent,
    /// A status from 200 to 299, or any other.
    Success(bool),
}

/// The guess of a unique key.
#[derive(Debug, Clone)]
pub struct UniqueGuess {
    /// The field of the item.
    pub field: String,
    /// Whether its schema requires it.
    pub required: bool,
    /// Fields that may be meant as well, the likeliest first.
    pub others: Vec<String>,
}

/// What the document says of an operation.
#[must_use]
pub fn infer(document: &SchemaDocument, operation: &BatchOperation) -> Proposal {
    let value = document.value().pointer(&operation.pointer).unwrap_or(&Value::Null);
    let body = value.get("requestBody").map(|body| document.resolve(body));
    let request = body.and_then(|body| json_schema(document, body)).unwrap_or(&Value::Null);
    let answers = success(document, value);
    let item = item_schema(document, request, &operation.items);
    let (answer, (results, other_lists)) = best_results(document, &answers, &operation.items);
    let result = results
        .iter()
        .find(|place| place.says != Some(false))
        .or(results.first())
        .and_then(|place| item_schema(document, answer, &place.at));
    let fields: Vec<ViewedProperty<'_>> = item
        .map(|item| view::properties(document, item))
        .unwrap_or_default()
        .into_iter()
        .filter(|field| !view::is_read_only(field.schema))
        .collect();
    let in_result = result.map(|r| view::properties(document, r)).unwrap_or_default();
    let examples = codes::examples(document, value);
    let verdict = if results.iter().any(|place| place.says.is_some()) {
        None
    } else {
        verdict(document, &in_result, &fields, &examples)
    };
    let repeats = |name: &str| in_result.iter().any(|p| p.name == name);
    let is_verdict = |name: &str| verdict.as_ref().is_some_and(|v| v.field == name);
    let echo: Vec<String> = fields
        .iter()
        .filter(|f| repeats(f.name) && !is_verdict(f.name))
        .filter(|f| {
            matches!(view::shape(document, f.schema), SchemaShape::Scalar(_) | SchemaShape::Unknown)
        })
        .map(|f| f.name.to_owned())
        .collect();
    // Where an answer shows the item as a whole, only its key is sure to be the same.
    let is_whole = item.zip(result).is_some_and(|(item, result)| {
        std::ptr::eq(document.resolve(item), document.resolve(result))
    });
    let own: Vec<ViewedProperty<'_>> = in_result
        .iter()
        .filter(|p| !echo.iter().any(|name| name == p.name) && !is_verdict(p.name))
        .copied()
        .collect();
    let (code, description) = error_fields(document, &own);
    let codes = codes::find(document, value, code.as_deref(), description.as_deref());
    let unique = unique(document, &fields, &in_result, &codes);
    let whole = view::properties(document, answer);
    let elapsed = (elapsed(document, &own), elapsed(document, &whole));
    let is_key = |name: &str| unique.as_ref().is_some_and(|u| u.field == name);
    let echo = echo.into_iter().filter(|name| !is_whole || is_key(name)).collect();
    let references: Vec<String> = fields
        .iter()
        .filter(|f| !is_key(f.name) && is_reference(document, f))
        .map(|f| f.name.to_owned())
        .collect();
    let samples = samples(document, value, operation, &fields, &is_key);
    let list = schema_at(document, request, &operation.items).unwrap_or(request);
    let beside = view::properties(document, request)
        .into_iter()
        .filter(|p| p.required && !operation.items.is_empty())
        .filter(|p| operation.items.split('/').nth(1) != Some(&*escape(p.name)))
        .map(|p| p.name.to_owned())
        .collect();
    let matching = matching(document, answer, &results, &fields, unique.as_ref());
    let title = value
        .get("summary")
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty())
        .or(operation.id.as_deref())
        .map_or_else(|| operation.path.clone(), |text| one_line(text).to_owned());
    Proposal {
        operation: operation.clone(),
        title,
        results,
        other_lists,
        verdict,
        code,
        description,
        unique,
        echo,
        elapsed,
        references,
        codes,
        samples,
        most_items: document.resolve(list).get("maxItems").and_then(Value::as_u64),
        matching,
        beside,
    }
}

/// The field by which results in two lists belong to their items.
fn matching(
    document: &SchemaDocument,
    answer: &Value,
    results: &[ResultsPlace],
    fields: &[ViewedProperty<'_>],
    unique: Option<&UniqueGuess>,
) -> Option<(String, String)> {
    let [first, _] = results else { return None };
    let result = view::properties(document, item_schema(document, answer, &first.at)?);
    let in_both = |name: &str| result.iter().any(|p| p.name == name);
    let key = unique.map(|unique| unique.field.as_str()).filter(|name| in_both(name));
    let named = || {
        let mut names = fields.iter().map(|f| f.name).filter(|name| in_both(name));
        names.find(|name| {
            has(name, &["id", "index", "trace", "reference", "correlation", "key", "bulkid"])
        })
    };
    key.or_else(named).map(|name| (name.to_owned(), name.to_owned()))
}

/// The first line of a text.
fn one_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default().trim_end_matches('.')
}

/// The statuses of success that have JSON, and their schemas.
fn success<'a>(
    document: &'a SchemaDocument,
    operation: &'a Value,
) -> Vec<(&'static str, &'a Value)> {
    let responses = operation.get("responses").map(|r| document.resolve(r));
    let schema = |status: &str| json_schema(document, document.resolve(responses?.get(status)?));
    SUCCESS.into_iter().filter_map(|status| Some((status, schema(status)?))).collect()
}

/// Places of results, and other lists of the answer.
type FoundResults = (Vec<ResultsPlace>, Vec<String>);

/// The answer that shows most of where results are, and what it shows: failures may be listed under a status of their own.
fn best_results<'a>(
    document: &'a SchemaDocument,
    answers: &[(&'static str, &'a Value)],
    items: &str,
) -> (&'a Value, FoundResults) {
    let mut best: Option<(&'a Value, FoundResults)> = None;
    for (_, schema) in answers {
        let found = results(document, schema, items);
        if best.as_ref().is_none_or(|(_, (places, _))| found.0.len() > places.len()) {
            best = Some((schema, found));
        }
    }
    let (schema, (mut places, others)) = best.unwrap_or((&Value::Null, FoundResults::default()));
    for place in &mut places {
        let has_it = |schema: &Value| {
            matches!(
                schema_at(document, schema, &place.at).map(|list| view::shape(document, list)),
                Some(SchemaShape::List(_) | SchemaShape::Map(_))
            )
        };
        let statuses = answers.iter().filter(|(_, schema)| has_it(schema));
        place.under = statuses.filter_map(|(status, _)| status.parse().ok()).collect();
    }
    (schema, (places, others))
}

/// The schema at a pointer into what a schema describes.
fn schema_at<'a>(document: &'a SchemaDocument, whole: &'a Value, at: &str) -> Option<&'a Value> {
    at.split('/').skip(1).try_fold(whole, |holder, step| {
        let name = step.replace("~1", "/").replace("~0", "~");
        Some(view::properties(document, holder).into_iter().find(|p| p.name == name)?.schema)
    })
}

/// The schema of what the list or map at a pointer holds.
fn item_schema<'a>(document: &'a SchemaDocument, whole: &'a Value, at: &str) -> Option<&'a Value> {
    match view::shape(document, schema_at(document, whole, at)?) {
        SchemaShape::List(inner) | SchemaShape::Map(inner) => Some(inner),
        _ => None,
    }
}

/// Where results are: one list, or one of what was accepted beside one of what was not.
fn results(document: &SchemaDocument, answer: &Value, items: &str) -> FoundResults {
    let lists = lists_of(document, answer);
    let is_map = |name: &str| {
        view::properties(document, answer).into_iter().any(|p| {
            p.name == name && matches!(view::shape(document, p.schema), SchemaShape::Map(_))
        })
    };
    let place = |name: &str, says| ResultsPlace {
        at: if name.is_empty() { String::new() } else { format!("/{}", escape(name)) },
        says,
        is_map: is_map(name),
        under: Vec::new(),
    };
    let usual = |name: &str| {
        let of_items = items.strip_prefix('/').is_some_and(|i| i.eq_ignore_ascii_case(name));
        let words = has(
            name,
            &[
                "results",
                "result",
                "responses",
                "response",
                "outcomes",
                "items",
                "statuses",
                "records",
            ],
        );
        i32::from(of_items) * 2 + i32::from(words) * 3
    };
    let bad: Vec<&str> = lists
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| judges(name) == Some(false) || has(name, &["warnings"]))
        .collect();
    let mut good: Vec<&str> =
        lists.iter().map(|(name, _)| *name).filter(|name| !bad.contains(name)).collect();
    good.sort_by_key(|name| -usual(name));
    let failures = bad.iter().copied().find(|name| judges(name) == Some(false));
    match (good.first(), failures) {
        (Some(list), failures) => {
            let of_list = item_schema(document, answer, &place(list, None).at);
            // A result that judges itself needs no second list.
            let judged = of_list.is_some_and(|r| {
                view::properties(document, r).iter().any(|p| {
                    let is_flag = view::shape(document, p.schema) == SchemaShape::Scalar("boolean");
                    let words = view::listed(document, p.schema);
                    judges(p.name) == Some(false)
                        || (is_flag && judges(p.name).is_some())
                        || words.iter().any(|word| judges(word) == Some(false))
                })
            });
            match failures.filter(|_| !judged || judges(list) == Some(true)) {
                Some(bad) => (
                    vec![place(list, Some(true)), place(bad, Some(false))],
                    good[1..].iter().map(|name| (*name).to_owned()).collect(),
                ),
                None => (
                    vec![place(list, None)],
                    good[1..].iter().chain(&bad).map(|name| (*name).to_owned()).collect(),
                ),
            }
        }
        (None, Some(only)) => (vec![place(only, Some(false))], Vec::new()),
        (None, None) => (Vec::new(), Vec::new()),
    }
}

/// How a result says what became of its item: the likeliest of its fields.
fn verdict(
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
                        rejected: is((!good).into()),
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
fn error_fields(
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
        } else if has(property.name, &["error", "errors", "failure", "problem", "reason"]) {
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

/// The field that is most likely the unique key.
fn unique(
    document: &SchemaDocument,
    fields: &[ViewedProperty<'_>],
    result: &[ViewedProperty<'_>],
    codes: &[DocumentedCode],
) -> Option<UniqueGuess> {
    let mut scored: Vec<(i32, &ViewedProperty<'_>)> = fields
        .iter()
        .filter_map(|field| Some((key_score(document, field, result, codes)?, field)))
        .filter(|(score, _)| *score >= 3)
        .collect();
    scored.sort_by_key(|(score, _)| -score);
    let (best, field) = *scored.first()?;
    Some(UniqueGuess {
        field: field.name.to_owned(),
        required: field.required,
        others: scored[1..]
            .iter()
            .filter(|(score, _)| best - score < 4)
            .map(|(_, other)| other.name.to_owned())
            .collect(),
    })
}

fn key_score(
    document: &SchemaDocument,
    field: &ViewedProperty<'_>,
    result: &[ViewedProperty<'_>],
    codes: &[DocumentedCode],
) -> Option<i32> {
    let text = view::description(field.schema);
    let SchemaShape::Scalar("string" | "integer") = view::shape(document, field.schema) else {
        return None;
    };
    if !view::listed(document, field.schema).is_empty() {
        return None;
    }
    let format = field.schema.get("format").and_then(Value::as_str).unwrap_or_default();
    if ["date", "date-time", "time", "email", "uri", "float", "double"].contains(&format) {
        return None;
    }
    let name = field.name;
    let mut score = 0;
    score += i32::from(field.required) * 2;
    score += i32::from(result.iter().any(|p| p.name == name)) * 3;
    score += i32::from(format == "uuid") * 3;
    let marked = field.schema.get("x-unique").is_some_and(|mark| mark != &Value::Bool(false));
    score += i32::from(marked) * 8;
    score += i32::from(speaks(text, &["unique", "idempoten"])) * 4;
    score +=
        i32::from(speaks(text, &["already used", "duplicate", "must not be reused", "only once"]))
            * 3;
    score += i32::from(has(
        name,
        &["id", "number", "ref", "reference", "key", "uuid", "guid", "nr", "no"],
    )) * 2;
    score += i32::from(words(name) == ["id"]) * 2;
    let of_the_item = [
        "communication",
        "transaction",
        "correlation",
        "message",
        "request",
        "external",
        "client",
        "idempotency",
        "unique",
        "record",
        "item",
        "trace",
        "batch",
    ];
    score += i32::from(has(name, &of_the_item));
    let named = codes.iter().any(|code| {
        code.cause == Some("used") && code.means.to_lowercase().contains(&name.to_lowercase())
    });
    score += i32::from(named) * 6;
    // What several items can share.
    let shared = [
        "account",
        "customer",
        "branch",
        "unit",
        "parent",
        "owner",
        "group",
        "country",
        "currency",
        "type",
        "status",
        "name",
        "description",
        "amount",
        "date",
        "line",
    ];
    score -= i32::from(has(name, &shared)) * 3;
    score += i32::from(format == "uuid" && field.required);
    Some(score)
}

/// Whether a field names something that the target may have to know already.
fn is_reference(document: &SchemaDocument, field: &ViewedProperty<'_>) -> bool {
    if view::shape(document, field.schema) != SchemaShape::Scalar("string")
        || !view::listed(document, field.schema).is_empty()
        || field.schema.get("format").is_some()
    {
        return false;
    }
    let name = words(field.name);
    let ends = name.last().is_some_and(|last| {
        [
            "id",
            "ref",
            "reference",
            "code",
            "unit",
            "account",
            "customer",
            "branch",
            "site",
            "warehouse",
            "number",
            "iban",
            "key",
        ]
        .contains(&last.as_str())
    });
    ends || speaks(view::description(field.schema), &["identif", "must exist", "existing"])
}

/// The field with the milliseconds that something took.
fn elapsed(document: &SchemaDocument, fields: &[ViewedProperty<'_>]) -> Option<String> {
    let is = |p: &&ViewedProperty<'_>| {
        matches!(view::shape(document, p.schema), SchemaShape::Scalar("integer" | "number"))
            && (has(p.name, &["elapsed", "duration", "took", "millis", "milliseconds"])
                || words(p.name).last().is_some_and(|last| last == "ms"))
    };
    fields.iter().find(is).map(|p| p.name.to_owned())
}

/// Values of the document's own examples, for fields that a target may look up.
fn samples(
    document: &SchemaDocument,
    operation: &Value,
    batch: &BatchOperation,
    fields: &[ViewedProperty<'_>],
    is_key: &dyn Fn(&str) -> bool,
) -> Vec<(String, Vec<Value>)> {
    let body = operation.get("requestBody").map(|body| document.resolve(body));
    let examples = body.map(|body| codes::examples_in(document, body)).unwrap_or_default();
    let mut items: Vec<&Value> = Vec::new();
    for example in &examples {
        match example.pointer(&batch.items) {
            Some(Value::Array(list)) => items.extend(list),
            Some(Value::Object(map)) => items.extend(map.values()),
            _ => {}
        }
    }
    let mut samples = Vec::new();
    for field in fields {
        let open = view::shape(document, field.schema) == SchemaShape::Scalar("string")
            && view::listed(document, field.schema).is_empty()
            && field.schema.get("format").is_none()
            && field.schema.get("pattern").is_none();
        let looked_up = is_reference(document, field)
            || has(
                field.name,
                &["type", "kind", "category", "class", "status", "unit", "requester", "source"],
            );
        if !open || !looked_up || is_key(field.name) {
            continue;
        }
        let own = field.schema.get("example").or_else(|| field.schema.get("examples")?.get(0));
        let mut values: Vec<Value> = Vec::new();
        for value in items.iter().filter_map(|item| item.get(field.name)).chain(own) {
            if value.is_string() && !values.contains(value) {
                values.push(value.clone());
            }
        }
        if !values.is_empty() {
            samples.push((field.name.to_owned(), values));
        }
    }
    samples
}
