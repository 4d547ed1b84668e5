//! A value that a schema allows, with as little in it as may be.
//!
//! It must not know what the value is for. What it can't make, a validator finds.

use serde_json::{Map, Value};

use crate::document::SchemaDocument;
use crate::schema::{FlatSchema, flatten};

/// Schemas inside a schema that are looked through.
const DEPTH: usize = 12;

/// A value that `schema` allows, as far as one can be told without trying.
pub(super) fn specimen(document: &SchemaDocument, schema: &Value) -> Value {
    of(document, schema, DEPTH)
}

fn of(document: &SchemaDocument, schema: &Value, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    let flat = flatten(document, schema, DEPTH);
    let known = ["const", "example", "default"].iter().find_map(|key| flat.keywords.get(*key));
    let first = |key: &str| flat.list(key).and_then(<[Value]>::first);
    if let Some(value) = known.or_else(|| first("enum")).or_else(|| first("examples")) {
        return value.clone();
    }
    for keyword in ["oneOf", "anyOf"] {
        if let Some(branch) = first(keyword) {
            let mut base = flat.keywords.clone();
            base.shift_remove(keyword);
            let both = serde_json::json!({ "allOf": [base, branch] });
            return of(document, &both, depth - 1);
        }
    }
    let types = flat.types();
    match types.iter().find(|kind| *kind != "null").map(String::as_str) {
        Some("object") => {
            let required = flat.list("required").unwrap_or_default().iter();
            let properties = flat.keywords.get("properties");
            let member = |name: &Value| {
                let name = name.as_str()?;
                let schema = properties.and_then(|all| all.get(name)).unwrap_or(&Value::Bool(true));
                Some((name.to_owned(), of(document, schema, depth - 1)))
            };
            Value::Object(required.filter_map(member).collect::<Map<_, _>>())
        }
        Some("array") => {
            let item = flat.keywords.get("items").cloned().unwrap_or(Value::Bool(true));
            let least = flat.count("minItems").unwrap_or(0);
            Value::Array((0..least).map(|_| of(document, &item, depth - 1)).collect())
        }
        Some("boolean") => Value::Bool(false),
        Some("integer") => whole(number(&flat).ceil()),
        Some("number") => {
            let number = number(&flat);
            if number.fract() == 0.0 { whole(number) } else { Value::from(number) }
        }
        Some("string") => Value::from(text(&flat)),
        _ if types.is_empty() => Value::from("x"),
        _ => Value::Null,
    }
}

fn whole(number: f64) -> Value {
    format!("{number:.0}").parse::<i64>().map_or(Value::from(0), Value::from)
}

fn number(flat: &FlatSchema) -> f64 {
    let least = flat.number("minimum").or_else(|| flat.number("exclusiveMinimum").map(|n| n + 1.0));
    let most = flat.number("maximum").or_else(|| flat.number("exclusiveMaximum").map(|n| n - 1.0));
    match (least, most) {
        (Some(least), _) if least > 0.0 => least,
        (_, Some(most)) if most < 0.0 => most,
        _ => 0.0,
    }
}

fn text(flat: &FlatSchema) -> String {
    let known = match flat.text("format") {
        Some("date-time") => "2026-01-02T03:04:05Z",
        Some("date") => "2026-01-02",
        Some("time") => "03:04:05Z",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        Some("email") => "someone@example.org",
        Some("uri" | "url") => "https://example.org/",
        Some("ipv4") => "192.0.2.1",
        _ => "text",
    };
    let least = flat.count("minLength").unwrap_or(0);
    let most = flat.count("maxLength").unwrap_or(usize::MAX);
    let mut text = known.to_owned();
    while text.chars().count() < least {
        text.push('x');
    }
    text.chars().take(most).collect()
}
