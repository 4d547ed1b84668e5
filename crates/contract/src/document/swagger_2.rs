//! The objects of Swagger 2.0 as OpenAPI 3 has them; schemas are converted before.

use serde_json::{Map, Value, json};

/// Where OpenAPI 3 has what Swagger 2.0 has at the top.
const MOVED: [(&str, &str); 4] = [
    ("definitions", "schemas"),
    ("parameters", "parameters"),
    ("responses", "responses"),
    ("securityDefinitions", "securitySchemes"),
];
/// Keywords of a parameter that are those of its schema.
const OF_SCHEMA: [&str; 16] = [
    "type",
    "format",
    "items",
    "default",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "enum",
    "multipleOf",
];

/// Where a reference leads once everything has moved.
pub fn moved(reference: &str) -> Option<String> {
    MOVED.iter().find_map(|(old, new)| {
        let rest = reference.strip_prefix("#/")?.strip_prefix(old)?;
        rest.starts_with('/').then(|| format!("#/components/{new}{rest}"))
    })
}

/// Rewrites a whole document.
pub fn convert(document: &mut Value) {
    let Some(root) = document.as_object_mut() else { return };
    root.shift_remove("swagger");
    root.insert("openapi".to_owned(), json!("3.1.0"));
    let servers = servers(root);
    root.insert("servers".to_owned(), servers);
    let consumes = media(root.shift_remove("consumes").as_ref());
    let produces = media(root.shift_remove("produces").as_ref());
    let shared = root.get("parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    let paths = root.get_mut("paths").and_then(Value::as_object_mut);
    for item in
        paths.into_iter().flat_map(|paths| paths.values_mut()).filter_map(Value::as_object_mut)
    {
        path_item(item, &shared, &consumes, &produces);
    }
    let mut components = Map::new();
    for (old, new) in MOVED {
        let Some(Value::Object(mut named)) = root.shift_remove(old) else { continue };
        match old {
            "parameters" => {
                named.retain(|_, p| !matches!(place_of(p), "body" | "formData"));
                named.values_mut().for_each(parameter);
            }
            "responses" => named.values_mut().for_each(|r| response(r, &produces)),
            "securityDefinitions" => named.values_mut().for_each(security_scheme),
            _ => {}
        }
        components.insert(new.to_owned(), Value::Object(named));
    }
    root.insert("components".to_owned(), Value::Object(components));
}

fn servers(root: &mut Map<String, Value>) -> Value {
    let mut text = |name: &str| match root.shift_remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let (host, path) = (text("host"), text("basePath"));
    let schemes = match root.shift_remove("schemes") {
        Some(Value::Array(list)) => list,
        _ => vec![json!("https")],
    };
    if host.is_empty() {
        return json!([{ "url": if path.is_empty() { "/" } else { path.as_str() } }]);
    }
    let url = |scheme: &Value| json!({ "url": format!("{}://{host}{path}", scheme.as_str().unwrap_or("https")) });
    Value::Array(schemes.iter().map(url).collect())
}

/// Media types; JSON where none is named.
fn media(list: Option<&Value>) -> Vec<String> {
    let named: Vec<String> = list
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if named.is_empty() { vec!["application/json".to_owned()] } else { named }
}

fn path_item(
    item: &mut Map<String, Value>,
    shared: &Map<String, Value>,
    consumes: &[String],
    produces: &[String],
) {
    let common = item.shift_remove("parameters");
    let mut common = common.and_then(|p| p.as_array().cloned()).unwrap_or_default();
    for method in ["get", "put", "post", "delete", "options", "head", "patch"] {
        let Some(Value::Object(operation)) = item.get_mut(method) else { continue };
        let consumes = operation
            .shift_remove("consumes")
            .map_or_else(|| consumes.to_vec(), |own| media(Some(&own)));
        let produces = operation
            .shift_remove("produces")
            .map_or_else(|| produces.to_vec(), |own| media(Some(&own)));
        operation.shift_remove("schemes");
        let own = operation.shift_remove("parameters");
        let mut parameters = own.and_then(|p| p.as_array().cloned()).unwrap_or_default();
        let body = common.iter().chain(&parameters).map(|p| target(p, shared));
        if let Some(body) = request_body(&body.collect::<Vec<_>>(), &consumes) {
            operation.insert("requestBody".to_owned(), body);
        }
        parameters.retain(|p| !matches!(place_of(target(p, shared)), "body" | "formData"));
        parameters.iter_mut().for_each(parameter);
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), Value::Array(parameters));
        }
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        responses.into_iter().flat_map(|r| r.values_mut()).for_each(|r| response(r, &produces));
    }
    common.retain(|p| !matches!(place_of(target(p, shared)), "body" | "formData"));
    common.iter_mut().for_each(parameter);
    if !common.is_empty() {
        item.insert("parameters".to_owned(), Value::Array(common));
    }
}

/// What a parameter is, its reference followed.
fn target<'a>(parameter: &'a Value, shared: &'a Map<String, Value>) -> &'a Value {
    let reference = parameter.get("$ref").and_then(Value::as_str);
    let name = reference.and_then(|r| r.rsplit_once("/parameters/")).map(|(_, name)| name);
    name.and_then(|name| shared.get(&name.replace("~1", "/").replace("~0", "~")))
        .unwrap_or(parameter)
}

fn place_of(parameter: &Value) -> &str {
    parameter.get("in").and_then(Value::as_str).unwrap_or_default()
}

fn request_body(parameters: &[&Value], consumes: &[String]) -> Option<Value> {
    let is_required = |p: &Value| p.get("required") == Some(&Value::Bool(true));
    if let Some(body) = parameters.iter().find(|p| place_of(p) == "body") {
        let schema = body.get("schema").cloned().unwrap_or(json!({}));
        let mut whole =
            json!({ "required": is_required(body), "content": content(&schema, None, consumes) });
        if let Some(about) = body.get("description") {
            whole["description"] = about.clone();
        }
        return Some(whole);
    }
    let fields: Vec<_> = parameters.iter().filter(|p| place_of(p) == "formData").collect();
    if fields.is_empty() {
        return None;
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in &fields {
        let Some(name) = field.get("name").and_then(Value::as_str) else { continue };
        let of_schema = field
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(k, _)| OF_SCHEMA.contains(&k.as_str()));
        properties.insert(
            name.to_owned(),
            Value::Object(of_schema.map(|(k, v)| (k.clone(), v.clone())).collect()),
        );
        if is_required(field) {
            required.push(json!(name));
        }
    }
    let form = |m: &&String| {
        m.starts_with("multipart/") || m.as_str() == "application/x-www-form-urlencoded"
    };
    let mut media: Vec<String> = consumes.iter().filter(form).cloned().collect();
    if media.is_empty() {
        media.push("application/x-www-form-urlencoded".to_owned());
    }
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    Some(json!({ "required": !required.is_empty(), "content": content(&schema, None, &media) }))
}

fn content(schema: &Value, examples: Option<&Map<String, Value>>, media: &[String]) -> Value {
    let one = |name: &String| {
        let mut one = json!({ "schema": schema });
        if let Some(example) = examples.and_then(|e| e.get(name)) {
            one["example"] = example.clone();
        }
        (name.clone(), one)
    };
    Value::Object(media.iter().map(one).collect())
}

/// A parameter of a path, a query or a header: what it may be moves into a schema.
fn parameter(parameter: &mut Value) {
    let Some(map) = parameter.as_object_mut().filter(|map| !map.contains_key("$ref")) else {
        return;
    };
    let mut schema = Map::new();
    for keyword in OF_SCHEMA {
        if let Some(value) = map.shift_remove(keyword) {
            schema.insert(keyword.to_owned(), value);
        }
    }
    super::openapi_3_0::convert_schema(&mut schema);
    map.shift_remove("collectionFormat");
    map.insert("schema".to_owned(), Value::Object(schema));
}

fn response(response: &mut Value, produces: &[String]) {
    let Some(map) = response.as_object_mut().filter(|map| !map.contains_key("$ref")) else {
        return;
    };
    let examples = map.shift_remove("examples");
    if let Some(schema) = map.shift_remove("schema") {
        let examples = examples.as_ref().and_then(Value::as_object);
        map.insert("content".to_owned(), content(&schema, examples, produces));
    }
    for header in map
        .get_mut("headers")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|h| h.values_mut())
    {
        parameter(header);
    }
}

fn security_scheme(scheme: &mut Value) {
    let Some(map) = scheme.as_object_mut() else { return };
    match map.get("type").and_then(Value::as_str) {
        Some("basic") => {
            map.insert("type".to_owned(), json!("http"));
            map.insert("scheme".to_owned(), json!("basic"));
        }
        Some("oauth2") => {
            let flow = map.shift_remove("flow");
            let name = match flow.as_ref().and_then(Value::as_str) {
                Some("application") => "clientCredentials",
                Some("accessCode") => "authorizationCode",
                Some("password") => "password",
                _ => "implicit",
            };
            let mut parts = Map::new();
            for part in ["authorizationUrl", "tokenUrl", "scopes"] {
                parts.extend(map.shift_remove(part).map(|value| (part.to_owned(), value)));
            }
            map.insert("flows".to_owned(), json!({ name: parts }));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_reads_as_openapi_3_has_it() {
        let mut document = json!({
            "swagger": "2.0",
            "host": "api.example.com", "basePath": "/v1", "schemes": ["https"],
            "consumes": ["application/json"],
            "paths": { "/things": { "post": {
                "parameters": [
                    { "$ref": "#/components/parameters/Body" },
                    { "name": "dry", "in": "query", "type": "boolean" },
                ],
                "produces": ["application/vnd.example+json"],
                "responses": { "200": {
                    "description": "done", "schema": { "type": "object" },
                    "examples": { "application/vnd.example+json": { "a": 1 } },
                } },
            } } },
            "parameters": {
                "Body": { "name": "body", "in": "body", "required": true, "schema": { "type": "array" } },
            },
            "definitions": { "Thing": { "type": "object" } },
            "securityDefinitions": { "login": { "type": "basic" } },
        });
        convert(&mut document);
        assert_eq!(
            document,
            json!({
                "openapi": "3.1.0",
                "servers": [{ "url": "https://api.example.com/v1" }],
                "paths": { "/things": { "post": {
                    "requestBody": {
                        "required": true,
                        "content": { "application/json": { "schema": { "type": "array" } } },
                    },
                    "parameters": [{ "name": "dry", "in": "query", "schema": { "type": "boolean" } }],
                    "responses": { "200": {
                        "description": "done",
                        "content": { "application/vnd.example+json": {
                            "schema": { "type": "object" }, "example": { "a": 1 },
                        } },
                    } },
                } } },
                "components": {
                    "schemas": { "Thing": { "type": "object" } },
                    "parameters": {},
                    "securitySchemes": { "login": { "type": "http", "scheme": "basic" } },
                },
            })
        );
    }

    #[test]
    fn references_follow_what_has_moved() {
        assert_eq!(moved("#/definitions/A").as_deref(), Some("#/components/schemas/A"));
        assert_eq!(moved("#/definitionsOf/A"), None);
        assert_eq!(moved("#/x-files/a.yaml/definitions/A"), None);
    }
}
