//! Schemas as a request has to meet them: what is `readOnly` is sent in answers only, and not required of a request
//! (OpenAPI 3.1.1, section 4.8.24 on annotated schema validation); and a discriminator says which alternative is meant,
//! which an answer may leave open.

use serde_json::{Map, Value};

use super::SchemaDocument;
use super::discriminator::tell_apart;
use super::walk::{Position, walk};

/// Schemas of schemas that are looked through for what is read-only.
const DEPTH: usize = 16;

/// Makes a schema, everything nested in it and beside it, what a request has to meet.
pub fn for_request(document: &SchemaDocument, whole: &mut Value) {
    if document.is_alone() {
        return;
    }
    let roots = [Position::Schema, Position::Api].map(|position| (String::new(), position));
    for (pointer, position) in roots.iter().chain(document.beside()) {
        let Some(place) = whole.pointer_mut(pointer) else { continue };
        walk(place, *position, "", &mut |map, position, _| {
            if position == Position::Schema {
                one_for_request(document, map);
            }
        });
    }
}

/// The same for one schema, without what is nested in it.
pub fn one_for_request(document: &SchemaDocument, schema: &mut Map<String, Value>) {
    if !document.is_alone() {
        take_out(document, schema);
        tell_apart(schema);
    }
}

fn take_out(document: &SchemaDocument, schema: &mut Map<String, Value>) {
    if !["required", "properties"].iter().any(|keyword| schema.contains_key(*keyword)) {
        return;
    }
    let mut names = Vec::new();
    read_only_of(document, schema, DEPTH, &mut names);
    if names.is_empty() {
        return;
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.retain(|name, _| !names.contains(name));
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| !names.iter().any(|known| name == known));
    }
}

/// The names of read-only properties, those of the parts too that a schema is made of.
fn read_only_of(
    document: &SchemaDocument,
    schema: &Map<String, Value>,
    depth: usize,
    names: &mut Vec<String>,
) {
    if depth == 0 {
        return;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if is_read_only(document, property) {
            names.push(name.clone());
        }
    }
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    for part in parts {
        if let Value::Object(part) = document.resolve(part) {
            read_only_of(document, part, depth - 1, names);
        }
    }
    if schema.contains_key("$ref")
        && let Value::Object(target) = document.resolve(&Value::Object(schema.clone()))
        && target != schema
    {
        read_only_of(document, target, depth - 1, names);
    }
}

fn is_read_only(document: &SchemaDocument, schema: &Value) -> bool {
    [schema, document.resolve(schema)].iter().any(|s| s.get("readOnly") == Some(&Value::Bool(true)))
}
