//! Schemas of OpenAPI 3.0 and Swagger 2.0 as JSON Schema 2020-12 has them.
//!
//! Knows one schema object at a time, and changes nothing that is JSON Schema already.

use serde_json::{Map, Value, json};

/// Keywords that say nothing of a value, and may stand beside a `$ref`.
const ANNOTATIONS: [&str; 8] =
    ["$ref", "deprecated", "description", "example", "examples", "readOnly", "title", "writeOnly"];

/// Rewrites one schema; what is nested inside it is left alone.
pub fn convert_schema(schema: &mut Map<String, Value>) {
    let nullable = take_flag(schema, "nullable") | take_flag(schema, "x-nullable");
    if schema.contains_key("$ref") {
        // Of the other members OpenAPI 3.0.3 says that they are ignored (section 4.7.23.1).
        schema.retain(|keyword, _| {
            ANNOTATIONS.contains(&keyword.as_str()) || keyword.starts_with("x-")
        });
    }
    bound(schema, "minimum", "exclusiveMinimum");
    bound(schema, "maximum", "exclusiveMaximum");
    if schema.get("items").is_some_and(Value::is_array)
        && let Some(items) = schema.shift_remove("items")
    {
        // A list of positions, as JSON Schema had it before 2020-12.
        schema.insert("prefixItems".to_owned(), items);
        if let Some(rest) = schema.shift_remove("additionalItems") {
            schema.insert("items".to_owned(), rest);
        }
    }
    if let Some(Value::String(property)) = schema.get("discriminator") {
        // Swagger 2.0.
        let property = json!({ "propertyName": property });
        schema.insert("discriminator".to_owned(), property);
    }
    if schema.get("type").and_then(Value::as_str) == Some("file") {
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("format".to_owned(), json!("binary"));
    }
    if nullable {
        allow_null(schema);
    }
}

/// Whether a flag is set; takes it away.
fn take_flag(schema: &mut Map<String, Value>, keyword: &str) -> bool {
    match schema.get(keyword) {
        Some(Value::Bool(set)) => {
            let set = *set;
            schema.shift_remove(keyword);
            set
        }
        _ => false,
    }
}

/// A bound that is excluded is a keyword of its own, no longer a flag beside it.
fn bound(schema: &mut Map<String, Value>, keyword: &str, exclusive: &str) {
    let Some(Value::Bool(excluded)) = schema.get(exclusive) else { return };
    let excluded = *excluded;
    if !excluded || !schema.contains_key(keyword) {
        schema.shift_remove(exclusive);
        return;
    }
    if let Some(bound) = schema.shift_remove(keyword) {
        schema.insert(exclusive.to_owned(), bound);
    }
}

/// Null becomes one of the values. An `enum` beside the flag allows it too: an author who writes `nullable` means it, though
/// OpenAPI 3.0.3 wants null in the list.
fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    if let Some(Value::String(named)) = schema.get("type") {
        let both = json!([named, "null"]);
        schema.insert("type".to_owned(), both);
    }
    if ["$ref", "allOf", "anyOf", "oneOf"].iter().all(|keyword| !schema.contains_key(*keyword)) {
        return;
    }
    let beside = |keyword: &str| {
        keyword != "$ref" && ANNOTATIONS.contains(&keyword) || keyword.starts_with("x-")
    };
    let mut outside = Map::new();
    let mut inside = Map::new();
    for (keyword, value) in std::mem::take(schema) {
        if beside(&keyword) {
            outside.insert(keyword, value)
        } else {
            inside.insert(keyword, value)
        };
    }
    *schema = outside;
    schema.insert("anyOf".to_owned(), json!([inside, { "type": "null" }]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(schema: Value) -> Value {
        let Value::Object(mut map) = schema else { panic!() };
        convert_schema(&mut map);
        let once = Value::Object(map.clone());
        convert_schema(&mut map);
        assert_eq!(Value::Object(map), once, "a second conversion changes nothing");
        once
    }

    #[test]
    fn flags_become_keywords() {
        for (old, new) in [
            (json!({ "type": "string", "nullable": true }), json!({ "type": ["string", "null"] })),
            (
                json!({ "type": "string", "x-nullable": true }),
                json!({ "type": ["string", "null"] }),
            ),
            (json!({ "type": "string", "nullable": false }), json!({ "type": "string" })),
            (
                json!({ "type": "string", "enum": ["a"], "nullable": true }),
                json!({ "type": ["string", "null"], "enum": ["a", null] }),
            ),
            (json!({ "minimum": 1, "exclusiveMinimum": true }), json!({ "exclusiveMinimum": 1 })),
            (json!({ "maximum": 1, "exclusiveMaximum": false }), json!({ "maximum": 1 })),
            (json!({ "exclusiveMaximum": 7 }), json!({ "exclusiveMaximum": 7 })),
            (
                json!({ "$ref": "#/a", "minLength": 3, "description": "x" }),
                json!({ "$ref": "#/a", "description": "x" }),
            ),
            (
                json!({ "$ref": "#/a", "nullable": true, "readOnly": true }),
                json!({ "readOnly": true, "anyOf": [{ "$ref": "#/a" }, { "type": "null" }] }),
            ),
            (
                json!({ "items": [{}, true], "additionalItems": false }),
                json!({ "prefixItems": [{}, true], "items": false }),
            ),
            (json!({ "type": "file" }), json!({ "type": "string", "format": "binary" })),
            (
                json!({ "discriminator": "kind" }),
                json!({ "discriminator": { "propertyName": "kind" } }),
            ),
        ] {
            assert_eq!(converted(old.clone()), new, "{old}");
        }
    }
}
