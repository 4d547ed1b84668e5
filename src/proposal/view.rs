//! A schema as its reader sees it: whether it is a list, a map or an object, and which properties it has, through
//! references and parts.
//!
//! It must not know batches.

use serde_json::Value;

use crate::contract::SchemaDocument;

/// Parts inside a schema that are looked through.
const DEPTH: usize = 8;

/// A property of an object.
#[derive(Debug, Clone, Copy)]
pub struct ViewedProperty<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its schema, references followed.
    pub schema: &'a Value,
    /// Whether every object must have it.
    pub required: bool,
}

/// What a schema describes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SchemaShape<'a> {
    /// A list, with the schema of its items.
    List(&'a Value),
    /// A map from any key to values of one schema.
    Map(&'a Value),
    /// An object with properties.
    Object,
    /// A text, a number, a truth value.
    Scalar(&'a str),
    /// Anything.
    Unknown,
}

/// What a schema describes; where alternatives are given, the first that says something.
pub fn shape<'a>(document: &'a SchemaDocument, schema: &'a Value) -> SchemaShape<'a> {
    shape_within(document, schema, DEPTH)
}

fn shape_within<'a>(
    document: &'a SchemaDocument,
    schema: &'a Value,
    depth: usize,
) -> SchemaShape<'a> {
    let schema = document.resolve(schema);
    let named = match schema.get("type") {
        Some(Value::String(name)) => Some(name.as_str()),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null")
        }
        _ => None,
    };
    let has_properties =
        schema.get("properties").is_some_and(|p| p.as_object().is_some_and(|p| !p.is_empty()));
    match (named, schema.get("items")) {
        (Some("array") | None, Some(items)) => return SchemaShape::List(items),
        (Some("array"), None) => return SchemaShape::List(&Value::Bool(true)),
        _ => {}
    }
    if has_properties {
        return SchemaShape::Object;
    }
    if let Some(scalar) = named.filter(|name| !matches!(*name, "object" | "array")) {
        return SchemaShape::Scalar(scalar);
    }
    let parts = ["allOf", "oneOf", "anyOf"].iter().filter(|_| depth > 0);
    let parts = parts.filter_map(|keyword| schema.get(*keyword)?.as_array()).flatten();
    let part = parts
        .map(|part| shape_within(document, part, depth - 1))
        .find(|shape| !matches!(shape, SchemaShape::Unknown | SchemaShape::Scalar("null")));
    if let Some(part) = part {
        return part;
    }
    match schema.get("additionalProperties") {
        Some(values @ Value::Object(map)) if !map.is_empty() => SchemaShape::Map(values),
        _ if named == Some("object") => SchemaShape::Object,
        _ => match schema.get("const").or(schema.get("enum").and_then(|list| list.get(0))) {
            Some(Value::String(_)) => SchemaShape::Scalar("string"),
            Some(Value::Bool(_)) => SchemaShape::Scalar("boolean"),
            _ => SchemaShape::Unknown,
        },
    }
}

/// Whether a schema describes objects.
pub fn is_object(document: &SchemaDocument, schema: &Value) -> bool {
    matches!(shape(document, schema), SchemaShape::Object | SchemaShape::Map(_))
}

/// The properties of an object, in the document's order; those of its alternatives are not required.
pub fn properties<'a>(document: &'a SchemaDocument, schema: &'a Value) -> Vec<ViewedProperty<'a>> {
    let mut found = Vec::new();
    gather(document, schema, true, DEPTH, &mut found);
    found
}

fn gather<'a>(
    document: &'a SchemaDocument,
    schema: &'a Value,
    always: bool,
    depth: usize,
    found: &mut Vec<ViewedProperty<'a>>,
) {
    let schema = document.resolve(schema);
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let here = always && required.contains(&name.as_str());
        match found.iter_mut().find(|known| known.name == name) {
            Some(known) => known.required |= here,
            None => {
                found.push(ViewedProperty {
                    name,
                    schema: document.resolve(inner),
                    required: here,
                });
            }
        }
    }
    // `required` may stand beside the part that has the properties.
    for keyword in ["allOf", "oneOf", "anyOf"] {
        let parts = schema.get(keyword).and_then(Value::as_array).filter(|_| depth > 0);
        for part in parts.into_iter().flatten() {
            gather(document, part, always && keyword == "allOf", depth - 1, found);
        }
    }
    for known in found.iter_mut() {
        known.required |= always && required.contains(&known.name);
    }
}

/// Whether answers have it and requests do not.
pub fn is_read_only(schema: &Value) -> bool {
    schema.get("readOnly") == Some(&Value::Bool(true))
}

/// What a schema says of itself in words.
pub fn description(schema: &Value) -> &str {
    schema.get("description").and_then(Value::as_str).unwrap_or_default()
}

/// The texts that it allows, where it lists them.
pub fn listed<'a>(document: &'a SchemaDocument, schema: &'a Value) -> Vec<&'a str> {
    let schema = document.resolve(schema);
    if let Some(only) = schema.get("const").and_then(Value::as_str) {
        return vec![only];
    }
    let list = schema.get("enum").and_then(Value::as_array);
    let own: Vec<&str> = list.into_iter().flatten().filter_map(Value::as_str).collect();
    if !own.is_empty() {
        return own;
    }
    let parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|k| schema.get(*k)?.as_array());
    let parts = parts.flatten().map(|part| document.resolve(part));
    parts
        .filter_map(|part| part.get("enum").and_then(Value::as_array))
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}
