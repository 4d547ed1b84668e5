//! Which field of an item is its unique key, and which name something that the target must know.
//!
//! It must not know how a batch contract is written.

use serde_json::Value;

use super::codes::DocumentedCode;
use super::view::{self, SchemaShape, ViewedProperty};
use super::words::{has, speaks, words};
use crate::contract::SchemaDocument;
use crate::contract::validity::escape;

/// The guess of a unique key.
#[derive(Debug, Clone)]
pub struct UniqueGuess {
    /// The field of the item: its name, or its pointer where it is in an object of the item.
    pub field: String,
    /// Where a result repeats a key that is in an object of its item.
    pub result: Option<String>,
    /// Whether its schema requires it.
    pub required: bool,
    /// Fields that may be meant as well, the likeliest first.
    pub others: Vec<String>,
}

/// The field that is most likely the unique key.
pub fn unique(
    document: &SchemaDocument,
    fields: &[ViewedProperty<'_>],
    result: &[ViewedProperty<'_>],
    codes: &[DocumentedCode],
) -> Option<UniqueGuess> {
    let own = fields.iter().map(|field| (String::new(), *field));
    let mut scored: Vec<(i32, String, ViewedProperty<'_>)> = own
        .chain(fields.iter().flat_map(|field| inner(document, field)))
        .filter_map(|(way, field)| Some((key_score(document, &field, result, codes)?, way, field)))
        .filter(|(score, ..)| *score >= 3)
        .collect();
    scored.sort_by_key(|(score, ..)| -score);
    let named = |way: &str, field: &ViewedProperty<'_>| {
        if way.is_empty() { field.name.to_owned() } else { format!("{way}/{}", escape(field.name)) }
    };
    let (best, way, field) = scored.first()?;
    let repeated = result.iter().any(|p| p.name == field.name);
    let within = way.get(1..).and_then(|holder| result.iter().find(|p| escape(p.name) == holder));
    let within = within.is_some_and(|holder| {
        view::properties(document, holder.schema).iter().any(|p| p.name == field.name)
    });
    Some(UniqueGuess {
        field: named(way, field),
        result: match way.as_str() {
            // The same name, spelt in another way.
            "" if repeated => None,
            "" => {
                let same = |p: &&ViewedProperty<'_>| words(p.name) == words(field.name);
                result.iter().find(same).map(|p| format!("/{}", escape(p.name)))
            }
            way if within => Some(named(way, field)),
            _ => repeated.then(|| format!("/{}", escape(field.name))),
        },
        required: field.required,
        others: scored[1..]
            .iter()
            .filter(|(score, ..)| best - score < 4)
            .map(|(_, way, other)| named(way, other))
            .collect(),
    })
}

/// The fields of an object that is a field, each with the pointer to the object.
fn inner<'a>(
    document: &'a SchemaDocument,
    field: &ViewedProperty<'a>,
) -> Vec<(String, ViewedProperty<'a>)> {
    if view::shape(document, field.schema) != SchemaShape::Object {
        return Vec::new();
    }
    let way = format!("/{}", escape(field.name));
    let all = view::properties(document, field.schema).into_iter();
    all.map(|inner| {
        let required = inner.required && field.required;
        (way.clone(), ViewedProperty { required, ..inner })
    })
    .collect()
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
pub fn is_reference(document: &SchemaDocument, field: &ViewedProperty<'_>) -> bool {
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
