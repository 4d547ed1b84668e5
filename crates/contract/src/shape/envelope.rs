//! What stands around the items of a request, and in its path, query and headers.
//!
//! It must not know what an item is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::documented::ContractSource;
use super::file::BatchFile;
use super::pointer::Pointer;
use super::specimen::specimen;
use crate::file_error::FileError;
use crate::openapi::Parameter;
use crate::{Operation, SchemaDocument};

/// What the schema requires around the items, without them.
pub(super) fn required_envelope(
    document: &SchemaDocument,
    request: &Value,
    items: &Pointer,
) -> Value {
    if items.steps().is_empty() {
        return Value::Null;
    }
    let mut envelope = specimen(document, request);
    if !envelope.is_object() {
        envelope = Value::Object(Map::new());
    }
    items.take(&mut envelope);
    envelope
}

/// Whether the envelope with one item in it may be sent.
pub(super) fn check_envelope(
    source: &ContractSource<'_>,
    operation: &Operation,
    envelope: &Value,
    (items, is_map): (&Pointer, bool),
    item: &Value,
    file: &BatchFile,
) -> Result<(), FileError> {
    let mut body = envelope.clone();
    let item = specimen(&operation.document, item);
    let listed =
        if is_map { serde_json::json!({ "item": item }) } else { Value::Array(vec![item]) };
    items.set(&mut body, listed);
    let inside = items.to_string();
    let outside = |error: &jsonschema::ValidationError<'_>| {
        !error.instance_path().to_string().starts_with(&format!("{inside}/"))
    };
    let Some(error) = operation.request.validator.iter_errors(&body).find(outside) else {
        return Ok(());
    };
    let at = error.instance_path().to_string();
    let name = at.split('/').nth(1).unwrap_or_default();
    let word = if file.around.contains_key(name) { name } else { "around" };
    Err(source
        .problem(format!("what stands around the items breaks the request schema: {error}"), word)
        .expected(format!("`around` with what the schema wants at `{at}`")))
}

/// Query and headers of the documented request, its path filled in.
pub(super) fn parameters(
    file: &BatchFile,
    source: &ContractSource<'_>,
    operation: &mut Operation,
) -> Result<(String, Vec<(String, String)>), FileError> {
    let mut given: BTreeMap<&str, String> = file
        .operation
        .parameters
        .iter()
        .map(|(name, value)| {
            (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect();
    let mut query = String::new();
    let mut headers = Vec::new();
    let declared = operation.parameters.clone();
    let is_declared = |name: &&&str| declared.iter().any(|parameter| parameter.name == ***name);
    if let Some(unknown) = given.keys().find(|name| !is_declared(name)) {
        return Err(source
            .problem(format!("the operation has no parameter `{unknown}`"), unknown)
            .expected("a parameter that the OpenAPI document declares for it")
            .nearest(unknown, declared.iter().map(|parameter| &parameter.name)));
    }
    let is_missing = |parameter: &&Parameter| {
        let ignored = parameter.place == "header"
            && ["accept", "content-type", "authorization"]
                .iter()
                .any(|name| parameter.name.eq_ignore_ascii_case(name));
        parameter.required
            && !ignored
            && parameter.place != "cookie"
            && !given.contains_key(parameter.name.as_str())
    };
    let missing: Vec<&Parameter> = declared.iter().filter(is_missing).collect();
    if !missing.is_empty() {
        let named: Vec<String> =
            missing.iter().map(|p| format!("the {} parameter `{}`", p.place, p.name)).collect();
        let wanted: Vec<String> = missing.iter().map(|p| format!("{}: …", p.name)).collect();
        let verb = if missing.len() == 1 { "has" } else { "have" };
        return Err(source
            .problem(format!("{} {verb} no value", named.join(" and ")), "operation")
            .expected(format!("operation: {{ …, parameters: {{ {} }} }}", wanted.join(", "))));
    }
    for parameter in &declared {
        let Some(value) = given.remove(parameter.name.as_str()) else { continue };
        match parameter.place.as_str() {
            "path" => {
                let name = format!("{{{}}}", parameter.name);
                operation.path = operation.path.replace(&name, &encoded(&value));
            }
            "query" => {
                query.push(if query.is_empty() { '?' } else { '&' });
                let _ = write!(query, "{}={}", encoded(&parameter.name), encoded(&value));
            }
            "header" => headers.push((parameter.name.clone(), value)),
            _ => {}
        }
    }
    Ok((query, headers))
}

/// A text as it stands in a URL (RFC 3986 section 2.3).
pub(super) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
