//! What an operation's document lets us guess of its batch contract: where results are, how they say what became of
//! an item, which field is the unique key.
//!
//! It must not know how a batch contract is written; what it finds is for a person to look at.

use serde_json::Value;

use super::codes::{self, DocumentedCode};
use super::results::{ResultsPlace, best_results, item_schema, matching, schema_at, success};
use super::survey::{BatchOperation, json_schema};
use super::unique_key::{UniqueGuess, is_reference, unique};
use super::verdict::{VerdictGuess, error_fields, verdict};
use super::view::{self, SchemaShape, ViewedProperty};
use super::words::{has, words};
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
    /// Parameters of the operation that must have values.
    pub parameters: Vec<ProposedParameter>,
}

/// A parameter that every request must have.
#[derive(Debug, Clone)]
pub struct ProposedParameter {
    /// Its name.
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    /// A value that the document shows: an example, the default, the only one that is allowed.
    pub value: Option<Value>,
}

/// The required parameters of an operation and of its path.
fn parameters(
    document: &SchemaDocument,
    pointer: &str,
    operation: &Value,
) -> Vec<ProposedParameter> {
    let of_path = pointer.rsplit_once('/').and_then(|(path, _)| document.value().pointer(path));
    let lists = [Some(operation), of_path].into_iter().flatten();
    let mut found: Vec<ProposedParameter> = Vec::new();
    for parameter in lists.filter_map(|holder| holder.get("parameters")?.as_array()).flatten() {
        let parameter = document.resolve(parameter);
        let text = |name: &str| parameter.get(name).and_then(Value::as_str).unwrap_or_default();
        let (name, place) = (text("name"), text("in"));
        let is_usual = place == "header"
            && ["accept", "content-type", "authorization"]
                .iter()
                .any(|usual| name.eq_ignore_ascii_case(usual));
        let is_needed = place == "path" || parameter.get("required") == Some(&Value::Bool(true));
        let is_known = found.iter().any(|known| known.name == name && known.place == place);
        if !is_needed || is_usual || is_known || !["path", "query", "header"].contains(&place) {
            continue;
        }
        let schema = parameter.get("schema").map_or(parameter, |schema| document.resolve(schema));
        let shown = |holder: &Value| {
            let only = |list: &Value| {
                list.as_array().filter(|l| l.len() == 1).and_then(|l| l.first().cloned())
            };
            let first = |list: &Value| list.as_array().and_then(|l| l.first().cloned());
            let of_schema = ["const", "example", "default"].iter().find_map(|key| holder.get(*key));
            of_schema
                .cloned()
                .or_else(|| holder.get("examples").and_then(first))
                .or_else(|| holder.get("enum").and_then(only))
        };
        found.push(ProposedParameter {
            name: name.to_owned(),
            place: place.to_owned(),
            value: shown(parameter)
                .or_else(|| shown(schema))
                .filter(|v| !v.is_object() && !v.is_array()),
        });
    }
    // What the path has and nobody declares.
    let path = pointer.rsplit('/').nth(1).unwrap_or_default();
    for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        if !found.iter().any(|known| known.place == "path" && known.name == name) {
            found.push(ProposedParameter {
                name: name.to_owned(),
                place: "path".into(),
                value: None,
            });
        }
    }
    found
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
        parameters: parameters(document, &operation.pointer, value),
    }
}

/// The first line of a text.
fn one_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default().trim_end_matches('.')
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
