//! Mutations of a value's JSON type: those that lose its meaning, and scalars that keep it.

use serde_json::{Value, json};

use super::site::SchemaSite;
use super::{Catalogue, Change, KeyShape};
use crate::contract::validity::ValueKind;

pub(super) fn derive(catalogue: &mut Catalogue<'_>) {
    for site in catalogue.sites.clone() {
        let Some(keyword) = type_keyword(&site) else { continue };
        for (class, value) in foreign(&site) {
            catalogue.add("wrong-type", &site, keyword, &class, value);
        }
        if !site.top || keyword != "type" {
            continue;
        }
        if site.unique && site.is_plain_text() {
            let change = Change::Number(KeyShape::FreshInteger);
            catalogue.add_change("coerce-scalar", &site, "type", "number for a string", change);
        } else {
            for (class, value) in kept(&site) {
                catalogue.add("coerce-scalar", &site, "type", class, value);
            }
        }
    }
}

/// The keyword that a value of a foreign type breaks.
fn type_keyword(site: &SchemaSite) -> Option<&'static str> {
    ["type", "oneOf", "anyOf", "const", "enum"]
        .into_iter()
        .find(|k| site.flat.keywords.contains_key(*k))
}

/// Values of every other type, each without the meaning of a valid one.
fn foreign(site: &SchemaSite) -> Vec<(String, Value)> {
    let values = [
        json!([]),
        json!([site.usual]),
        json!({}),
        json!({ "value": site.usual }),
        json!(true),
        json!(12),
        json!(1.5),
        json!(1_693_901_254_000_u64),
        json!([2023, 9, 5, 8, 7, 34]),
        json!("twelve"),
        json!("12abc"),
        json!("1,000.00"),
        json!("NaN"),
        json!(""),
        json!("yes"),
        json!(2),
    ];
    let single =
        !site.flat.keywords.contains_key("oneOf") && !site.flat.keywords.contains_key("anyOf");
    let loses = |value: &Value| match value {
        _ if !single => matches!(value, Value::Array(_) | Value::Object(_) | Value::Bool(_)),
        // Python's validators count true as 1.
        Value::Bool(_) if site.is_number() && site.top => false,
        // A plain string takes every number and boolean: those keep their meaning.
        Value::Bool(_) | Value::Number(_) if site.is_text() && site.top => !site.is_plain_text(),
        // White space where a number belongs is its own class; no number at all is plainly wrong.
        Value::String(text) if site.is_number() => text.parse::<f64>().is_err() || text == "NaN",
        Value::Number(n) if site.allows("boolean") => !matches!(n.as_u64(), Some(0 | 1)),
        Value::Number(_) => !site.is_number(),
        Value::Array(list) if site.unique => list.is_empty(),
        _ => true,
    };
    // What converters take most often comes first: few runs meet no more than the first of each field.
    let is_commonly_taken = |value: &Value| match value {
        Value::Number(number) => site.is_text() && number.as_u64() > Some(1 << 32),
        Value::String(text) => site.is_number() && text == "twelve",
        _ => false,
    };
    let (first, others): (Vec<Value>, Vec<Value>) = values.into_iter().partition(is_commonly_taken);
    first
        .into_iter()
        .chain(others)
        .filter(|v| !site.allows(ValueKind::of(v).name()) || !single)
        .filter(loses)
        .filter(|v| !(site.unique && v.get("value").is_some()))
        // Blank text in an optional field is not judged: widespread parsers take it for null.
        .filter(|v| site.required || !site.top || v.as_str() != Some(""))
        .map(|v| (class_of(&v), v))
        .collect()
}

fn class_of(value: &Value) -> String {
    let name = ValueKind::of(value).name();
    match value {
        Value::Array(list) if list.is_empty() => "empty array".to_owned(),
        Value::Array(list) if list.len() > 1 => "array of numbers".to_owned(),
        Value::Array(_) => "array of one valid value".to_owned(),
        Value::Object(map) if map.is_empty() => "empty object".to_owned(),
        Value::Object(_) => "object around a valid value".to_owned(),
        Value::String(text) => format!("string {text:?}"),
        other => format!("{name} {other}"),
    }
}

/// Scalars that say the same in another type.
fn kept(site: &SchemaSite) -> Vec<(&'static str, Value)> {
    if site.is_plain_text() {
        return vec![
            ("number for a string", json!(12)),
            ("fraction for a string", json!(12.5)),
            ("boolean for a string", json!(true)),
        ];
    }
    if site.is_number() {
        let mut values = vec![
            ("numeric string", Value::String(site.usual.to_string())),
            ("boolean for a number", json!(true)),
        ];
        if site.is_whole() {
            values.push(("fraction for a whole number", json!(12.5)));
        } else {
            values.push(("numeric string with an exponent", json!("1e2")));
        }
        return values;
    }
    if site.flat.types() == ["boolean"] {
        return vec![("string for a boolean", json!("true")), ("number for a boolean", json!(1))];
    }
    Vec::new()
}
