//! The fields of an item: what its schema, or each of its alternatives, says of them.

use serde_json::Value;

use crate::batch::BatchContract;
use crate::document::SchemaDocument;
use crate::openapi::Operation;
use crate::schema;
use crate::validity::escape;

/// Schemas inside a schema that are looked through.
pub(crate) const PARTS: usize = 16;

/// A property of an item.
#[derive(Debug, Clone)]
pub struct Field {
    /// Property name.
    pub name: String,
    /// Its schema, `$ref` followed.
    pub schema: Value,
    /// Whether the schema requires it.
    pub required: bool,
    /// Whether results repeat it.
    pub echoed: bool,
    /// Whether it names something that the target must know already.
    pub reference: bool,
    /// `maxLength` of the same field in a result, in code points.
    pub result_max: Option<usize>,
    /// The types that the schema demands; none where it demands none.
    pub types: Vec<String>,
    /// Whether a string must be a date-time.
    instant: bool,
}

impl Field {
    /// The type that the schema demands, where it names exactly one.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.schema.get("type").and_then(Value::as_str)
    }

    /// Whether a string must be a date-time.
    #[must_use]
    pub fn is_instant(&self) -> bool {
        self.instant
    }
}

/// Where a property stands in a schema, or in one of the parts that it is made of.
pub(crate) fn property_place(
    document: &SchemaDocument,
    pointer: &str,
    property: &str,
    depth: usize,
) -> Option<String> {
    let pointer = document.follow(pointer).ok()?;
    let schema = document.value().pointer(&pointer)?;
    if schema.get("properties").and_then(|p| p.get(property)).is_some() {
        return Some(format!("{pointer}/properties/{}", escape(property)));
    }
    ["allOf", "oneOf", "anyOf"].iter().filter(|_| depth > 0).find_map(|keyword| {
        let parts = schema.get(*keyword)?.as_array()?.len();
        (0..parts).find_map(|at| {
            property_place(document, &format!("{pointer}/{keyword}/{at}"), property, depth - 1)
        })
    })
}

/// A schema as one object of keywords.
pub(crate) fn merged(document: &SchemaDocument, schema: &Value) -> Value {
    Value::Object(schema::flatten(document, schema, PARTS).keywords)
}

/// The schemas of an item: one, or its alternatives, each as one object of keywords.
pub(crate) fn alternatives(document: &SchemaDocument, item: &Value) -> Vec<Value> {
    let whole = schema::flatten(document, item, PARTS).keywords;
    for keyword in ["oneOf", "anyOf"] {
        let Some(Value::Array(branches)) = whole.get(keyword) else { continue };
        let mut base = whole.clone();
        base.shift_remove(keyword);
        let of_objects = |schema: &Value| schema.get("properties").is_some_and(Value::is_object);
        let all: Vec<Value> = branches
            .iter()
            .map(|branch| merged(document, &serde_json::json!({ "allOf": [base, branch] })))
            .filter(of_objects)
            .collect();
        if !all.is_empty() {
            return all;
        }
    }
    vec![Value::Object(whole)]
}

/// The fields of an item; not `mark`, which results are matched by: it is made for each request.
pub(crate) fn fields_of(
    operation: &Operation,
    batch: &BatchContract,
    alternatives: &[Value],
    result: &Value,
    mark: Option<&str>,
) -> Vec<Field> {
    let requires = |schema: &Value, name: &str| {
        let list = schema.get("required").and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|required| required == name))
    };
    let mut properties: Vec<(&String, &Value)> = Vec::new();
    for (name, schema) in
        alternatives.iter().filter_map(|a| a.get("properties")?.as_object()).flatten()
    {
        if properties.iter().all(|(known, _)| *known != name) && mark != Some(name) {
            properties.push((name, schema));
        }
    }
    properties
        .into_iter()
        .map(|(name, schema)| {
            let in_result = result.get("properties").and_then(|p| p.get(name));
            let mut schema = operation.resolve(schema);
            let flat = schema
                .get("allOf")
                .map(|_| schema::flatten(&operation.document, schema, PARTS))
                .filter(|flat| !flat.inexact && !flat.never)
                .map(|flat| Value::Object(flat.keywords));
            if let Some(flat) = &flat {
                schema = flat;
            }
            let types = match schema.get("type") {
                Some(Value::String(name)) => vec![name.clone()],
                Some(Value::Array(names)) => {
                    names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
                }
                _ => Vec::new(),
            };
            Field {
                name: name.clone(),
                schema: schema.clone(),
                types,
                instant: schema.get("format").and_then(Value::as_str) == Some("date-time"),
                required: alternatives.iter().all(|a| requires(a, name)),
                echoed: batch.echo.contains(name),
                reference: batch.references.contains(name),
                result_max: in_result
                    .map(|s| operation.resolve(s))
                    .and_then(|s| s.get("maxLength"))
                    .and_then(Value::as_u64)
                    .and_then(|n| usize::try_from(n).ok()),
            }
        })
        .collect()
}
