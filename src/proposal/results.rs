//! Where an answer holds its results, and how they belong to their items.
//!
//! It must not know how a batch contract is written.

use serde_json::Value;

use super::survey::{SUCCESS, json_schema, lists_of};
use super::unique_key::UniqueGuess;
use super::view::{self, SchemaShape, ViewedProperty};
use super::words::{has, judges};
use crate::contract::SchemaDocument;
use crate::contract::validity::escape;

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

/// The field by which results in two lists belong to their items.
pub fn matching(
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

/// The statuses of success that have JSON, and their schemas.
pub fn success<'a>(
    document: &'a SchemaDocument,
    operation: &'a Value,
) -> Vec<(&'static str, &'a Value)> {
    let responses = operation.get("responses").map(|r| document.resolve(r));
    let schema = |status: &str| json_schema(document, document.resolve(responses?.get(status)?));
    SUCCESS.into_iter().filter_map(|status| Some((status, schema(status)?))).collect()
}

/// Places of results, and other lists of the answer.
pub type FoundResults = (Vec<ResultsPlace>, Vec<String>);

/// The answer that shows most of where results are, and what it shows: failures may be listed under a status of their own.
pub fn best_results<'a>(
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
pub fn schema_at<'a>(
    document: &'a SchemaDocument,
    whole: &'a Value,
    at: &str,
) -> Option<&'a Value> {
    at.split('/').skip(1).try_fold(whole, |holder, step| {
        let name = step.replace("~1", "/").replace("~0", "~");
        Some(view::properties(document, holder).into_iter().find(|p| p.name == name)?.schema)
    })
}

/// The schema of what the list or map at a pointer holds.
pub fn item_schema<'a>(
    document: &'a SchemaDocument,
    whole: &'a Value,
    at: &str,
) -> Option<&'a Value> {
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
