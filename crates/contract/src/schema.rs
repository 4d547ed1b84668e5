//! Flattens a schema: references followed, `allOf` merged, so that its reader sees one object of keywords, as a request
//! has to meet them.
//!
//! Knows JSON Schema 2020-12 only; what can't be merged is kept aside, for the validator to hold.

use serde_json::{Map, Value, json};

use crate::document::SchemaDocument;

/// A schema without `$ref` and `allOf` at its top.
#[derive(Debug, Clone)]
pub struct FlatSchema {
    /// Its keywords.
    pub keywords: Map<String, Value>,
    /// Whether values drawn from `keywords` may still break the schema.
    pub inexact: bool,
    /// Whether nothing satisfies it.
    pub never: bool,
    /// The references that were followed to reach it.
    pub references: Vec<String>,
}

/// Keywords that the compiler does not build from; the validator holds them.
const HELD_BY_VALIDATOR: [&str; 15] = [
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "contains",
    "minContains",
    "maxContains",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
];

/// Flattens `schema`; `depth` bounds references that go in a circle.
#[must_use]
pub fn flatten(document: &SchemaDocument, schema: &Value, depth: usize) -> FlatSchema {
    let mut flat =
        FlatSchema { keywords: Map::new(), inexact: false, never: false, references: Vec::new() };
    absorb(document, schema, depth, true, &mut flat);
    document.for_request(&mut flat.keywords);
    if HELD_BY_VALIDATOR.iter().any(|k| flat.keywords.contains_key(*k)) {
        flat.inexact = true;
    }
    flat
}

/// Keywords that look at what stands beside them: merged with another part, they say something else.
const OF_THEIR_PART: [&str; 3] =
    ["additionalProperties", "unevaluatedProperties", "unevaluatedItems"];

/// Keywords that say nothing of a value.
const ANNOTATIONS: [&str; 9] = [
    "$comment",
    "default",
    "deprecated",
    "description",
    "example",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];

fn absorb(
    document: &SchemaDocument,
    schema: &Value,
    depth: usize,
    alone: bool,
    flat: &mut FlatSchema,
) {
    let Value::Object(map) = schema else {
        flat.never |= schema == &Value::Bool(false);
        return;
    };
    if depth == 0 {
        flat.inexact = true;
        return;
    }
    if let Some(Value::String(reference)) = map.get("$ref") {
        flat.references.push(reference.clone());
        let only = json!({ "$ref": reference });
        let target = document.resolve(&only);
        if target == &only {
            flat.inexact = true;
        } else {
            let alone =
                alone && map.keys().all(|k| k == "$ref" || ANNOTATIONS.contains(&k.as_str()));
            absorb(document, &target.clone(), depth - 1, alone, flat);
        }
    }
    if map.contains_key("$dynamicRef") {
        flat.inexact = true;
    }
    let alone = alone && !map.contains_key("allOf");
    flat.inexact |= !alone && OF_THEIR_PART.iter().any(|k| map.contains_key(*k));
    for (keyword, value) in map {
        match (keyword.as_str(), value) {
            ("$ref", _) => {}
            ("allOf", Value::Array(parts)) => {
                for part in parts {
                    absorb(document, part, depth - 1, false, flat);
                }
            }
            _ => merge(keyword, value, flat),
        }
    }
}

/// Adds one keyword to those gathered so far, as the intersection of both.
fn merge(keyword: &str, value: &Value, flat: &mut FlatSchema) {
    let Some(held) = flat.keywords.get_mut(keyword) else {
        flat.keywords.insert(keyword.to_owned(), value.clone());
        return;
    };
    if held == value {
        return;
    }
    let numbers = held.as_f64().zip(value.as_f64());
    match keyword {
        "properties" => {
            if let (Value::Object(held), Value::Object(more)) = (held, value) {
                for (name, schema) in more {
                    let merged = match held.get(name) {
                        Some(old) if old != schema => json!({ "allOf": [old, schema] }),
                        _ => schema.clone(),
                    };
                    held.insert(name.clone(), merged);
                }
            }
        }
        "required" => {
            if let (Value::Array(held), Value::Array(more)) = (held, value) {
                for name in more {
                    if !held.contains(name) {
                        held.push(name.clone());
                    }
                }
            }
        }
        "items" => *held = json!({ "allOf": [held.clone(), value] }),
        "type" => {
            let (a, b) = (types(held), types(value));
            let both: Vec<&str> = a
                .iter()
                .filter_map(|t| match *t {
                    t if b.contains(&t) => Some(t),
                    "number" if b.contains(&"integer") => Some("integer"),
                    "integer" if b.contains(&"number") => Some("integer"),
                    _ => None,
                })
                .collect();
            flat.never |= both.is_empty();
            *held = json!(both);
        }
        "enum" => {
            if let (Value::Array(held), Value::Array(more)) = (held, value) {
                held.retain(|v| more.contains(v));
                flat.never |= held.is_empty();
            }
        }
        "minLength" | "minItems" | "minProperties" | "minimum" | "exclusiveMinimum" => {
            if numbers.is_some_and(|(a, b)| b > a) {
                *held = value.clone();
            }
        }
        "maxLength" | "maxItems" | "maxProperties" | "maximum" | "exclusiveMaximum" => {
            if numbers.is_some_and(|(a, b)| b < a) {
                *held = value.clone();
            }
        }
        "uniqueItems" => *held = json!(true),
        "additionalProperties" => {
            flat.inexact = true;
            if *held == Value::Bool(true) || *value == Value::Bool(false) {
                *held = value.clone();
            }
        }
        "description" | "title" | "example" | "examples" | "default" | "deprecated"
        | "readOnly" | "writeOnly" | "$comment" | "$defs" | "definitions" => {}
        _ => flat.inexact = true,
    }
}

/// The types that a `type` keyword names.
#[must_use]
pub fn types(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

impl FlatSchema {
    /// A keyword that is a count.
    #[must_use]
    pub fn count(&self, keyword: &str) -> Option<usize> {
        let value = self.keywords.get(keyword)?;
        // A count may be written as 3.0.
        value.as_u64().and_then(|n| usize::try_from(n).ok()).or_else(|| {
            let text = value.as_f64().filter(|f| f.fract() == 0.0)?.to_string();
            text.parse().ok()
        })
    }

    /// A keyword that is a number.
    #[must_use]
    pub fn number(&self, keyword: &str) -> Option<f64> {
        self.keywords.get(keyword).and_then(Value::as_f64)
    }

    /// A keyword that is text.
    #[must_use]
    pub fn text(&self, keyword: &str) -> Option<&str> {
        self.keywords.get(keyword).and_then(Value::as_str)
    }

    /// A keyword that is a list.
    #[must_use]
    pub fn list(&self, keyword: &str) -> Option<&[Value]> {
        self.keywords.get(keyword).and_then(Value::as_array).map(Vec::as_slice)
    }

    /// The types that it allows: those named, else the one that its keywords speak of, else none.
    #[must_use]
    pub fn types(&self) -> Vec<String> {
        if let Some(named) = self.keywords.get("type") {
            return types(named).into_iter().map(str::to_owned).collect();
        }
        let speaks = |words: &[&str]| words.iter().any(|w| self.keywords.contains_key(*w));
        let guess = if speaks(&["properties", "required", "additionalProperties"])
            || speaks(&["patternProperties", "propertyNames", "minProperties", "maxProperties"])
            || speaks(&["dependentRequired", "dependentSchemas", "unevaluatedProperties"])
        {
            "object"
        } else if speaks(&["items", "prefixItems", "minItems", "maxItems", "uniqueItems"])
            || speaks(&["contains", "unevaluatedItems"])
        {
            "array"
        } else if speaks(&["pattern", "minLength", "maxLength", "format"]) {
            "string"
        } else if speaks(&[
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
        ]) {
            "number"
        } else {
            return Vec::new();
        };
        vec![guess.to_owned()]
    }

    /// Whether it asks for a property.
    #[must_use]
    pub fn requires(&self, name: &str) -> bool {
        self.list("required").is_some_and(|l| l.iter().any(|v| v == name))
    }
}
