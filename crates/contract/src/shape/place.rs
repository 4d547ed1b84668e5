//! Where the schema of what a pointer leads to stands in a document.
//!
//! It must not know what the pointer is for.

use serde_json::Value;

use super::pointer::Pointer;
use crate::document::SchemaDocument;
use crate::property_place;

/// Schemas inside a schema that are looked through.
const DEPTH: usize = 16;

/// Where a pointer leads to in a schema.
pub(super) enum FoundSchema {
    /// To the schema at this pointer of the document.
    At(String),
    /// To something that the schema allows and does not speak of.
    Open,
    /// Nowhere: this step is none of these names.
    Unknown(String, Vec<String>),
}

/// Follows `pointer` from the schema at `at`.
pub(super) fn find_schema(document: &SchemaDocument, at: &str, pointer: &Pointer) -> FoundSchema {
    let mut at = at.to_owned();
    for step in pointer.steps() {
        let Ok(here) = document.follow(&at) else { return FoundSchema::Open };
        let mut names = Vec::new();
        collect_names(document, &here, DEPTH, &mut names);
        if let Some(found) = property_place(document, &here, step, DEPTH) {
            at = found;
            continue;
        }
        let schema = document.value().pointer(&here).unwrap_or(&Value::Null);
        if schema.get("additionalProperties").is_some_and(Value::is_object) {
            at = format!("{here}/additionalProperties");
        } else if step == "*" {
            let first = names.first().and_then(|n| property_place(document, &here, n, DEPTH));
            match first {
                Some(first) => at = first,
                None => return FoundSchema::Open,
            }
        } else if step.parse::<usize>().is_ok() && schema.get("items").is_some() {
            at = format!("{here}/items");
        } else if names.is_empty() {
            return FoundSchema::Open;
        } else {
            return FoundSchema::Unknown(step.clone(), names);
        }
    }
    match document.follow(&at) {
        Ok(at) => FoundSchema::At(at),
        Err(_) => FoundSchema::Open,
    }
}

/// The names of all properties of a schema and of what it is made of.
fn collect_names(document: &SchemaDocument, at: &str, depth: usize, names: &mut Vec<String>) {
    let Ok(at) = document.follow(at) else { return };
    let Some(schema) = document.value().pointer(&at) else { return };
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        names.extend(properties.keys().cloned());
    }
    for keyword in ["allOf", "oneOf", "anyOf"].iter().filter(|_| depth > 0) {
        let parts = schema.get(*keyword).and_then(Value::as_array).map_or(0, Vec::len);
        for part in 0..parts {
            collect_names(document, &format!("{at}/{keyword}/{part}"), depth - 1, names);
        }
    }
}
