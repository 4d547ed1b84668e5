//! Reads the OpenAPI 3.1 document: finds the operation, resolves references offline, compiles schemas.
//!
//! Knows OpenAPI and JSON Schema 2020-12; must not know what a batch is.

use std::collections::BTreeMap;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::file_error::FileError;
use super::media_type::MediaType;
use super::security::{DeclaredSecurity, declared_security};
use super::validity::escape;

/// One operation of an OpenAPI document, its schemas compiled.
pub struct Operation {
    /// Path as the document has it.
    pub path: String,
    /// Upper-case method.
    pub method: String,
    /// The request body's schema and examples.
    pub request: Body,
    /// Documented answers by status.
    pub responses: BTreeMap<u16, Body>,
    /// What it demands of credentials.
    pub security: DeclaredSecurity,
    /// The whole document, `int64` rewritten as bounds.
    pub document: Value,
    file: String,
}

/// A JSON body of the operation.
pub struct Body {
    /// Position of the schema in the document.
    pub pointer: String,
    /// The schema, its own `$ref` followed.
    pub schema: Value,
    /// The compiled schema.
    pub validator: Validator,
    /// Examples that the document shows: name and value.
    pub examples: Vec<(String, Value)>,
}

impl Operation {
    /// Reads `text` (YAML or JSON) and compiles the operation at `path`, `method`.
    ///
    /// # Errors
    /// A [`FileError`] naming the pointer where the document is not as needed.
    pub fn read(file: &str, text: &str, path: &str, method: &str) -> Result<Operation, FileError> {
        let mut document: Value = super::file_error::read_yaml(file, text)?;
        let version = document.get("openapi").and_then(Value::as_str).unwrap_or("missing");
        if !version.starts_with("3.1") {
            return Err(FileError::new(file, format!("the OpenAPI version is {version}"))
                .pointer("/openapi")
                .expected("3.1.x (its schemas are JSON Schema 2020-12)"));
        }
        bound_integers(&mut document);
        let escaped = path.replace('~', "~0").replace('/', "~1");
        let at = format!("/paths/{escaped}/{method}");
        if document.pointer(&at).is_none() {
            let paths = document.get("paths").and_then(Value::as_object);
            let known = paths.map(|p| p.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
            return Err(FileError::new(file, format!("there is no {method} {path}"))
                .pointer(at)
                .expected(format!(
                    "the operation that batch.yaml names, among {}",
                    known.join(", ")
                ))
                .nearest(path, known));
        }
        let mut operation = Operation {
            path: path.to_owned(),
            method: method.to_uppercase(),
            request: Body::anything(),
            responses: BTreeMap::new(),
            security: declared_security(&document, document.pointer(&at).unwrap_or(&Value::Null)),
            document,
            file: file.to_owned(),
        };
        let request = operation.follow(&format!("{at}/requestBody"))?;
        operation.request = operation.body(&request)?;
        let responses = operation.follow(&format!("{at}/responses"))?;
        let statuses: Vec<String> = operation
            .document
            .pointer(&responses)
            .and_then(Value::as_object)
            .map(|m| m.keys().cloned().collect())
            .unwrap_or_default();
        for status in statuses {
            if let Ok(number) = status.parse::<u16>() {
                let pointer = operation.follow(&format!("{responses}/{status}"))?;
                let has_json = operation.json_of(&pointer).is_some();
                if has_json {
                    let body = operation.body(&pointer)?;
                    operation.responses.insert(number, body);
                }
            }
        }
        if !operation.responses.contains_key(&200) {
            return Err(FileError::new(file, "the operation documents no JSON answer for 200")
                .pointer(responses)
                .expected("content with application/json and a schema"));
        }
        Ok(operation)
    }

    /// The schema that `schema` stands for, its `$ref`s followed.
    #[must_use]
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut current = schema;
        for _ in 0..32 {
            let Some(pointer) = current.get("$ref").and_then(Value::as_str) else { break };
            let Some(target) = pointer.strip_prefix('#').and_then(|p| self.document.pointer(p))
            else {
                break;
            };
            current = target;
        }
        current
    }

    /// Compiles a schema that stands in this document.
    ///
    /// # Errors
    /// A [`FileError`] where the schema itself is wrong or refers to something outside the document.
    pub fn compile(&self, schema: &Value) -> Result<Validator, FileError> {
        let mut root = match schema {
            Value::Object(map) => map.clone(),
            other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
        };
        if let Some(components) = self.components_of(schema) {
            root.insert("components".to_owned(), components);
        }
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .offline()
            .build(&Value::Object(root))
            .map_err(|e| {
                let place = e.instance_path().to_string();
                // A reference that leads nowhere is reported without its place.
                if let Some((pointer, reference)) =
                    dangling(&self.document, &self.document, "").filter(|_| place.is_empty())
                {
                    return FileError::new(
                        &*self.file,
                        format!("`$ref: {reference}` leads nowhere"),
                    )
                    .pointer(pointer)
                    .expected("a reference to something in this document");
                }
                FileError::new(&*self.file, e.to_string())
                    .pointer(if place.is_empty() { "/".to_owned() } else { place })
                    .expected("a JSON Schema 2020-12 whose references stay inside the document")
            })
    }

    /// The file that the document came from, as the user named it.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The components that `schema` can reach: a document may have thousands, and each schema that is compiled would
    /// hold them all. Where a reference is of another form, all of them.
    fn components_of(&self, schema: &Value) -> Option<Value> {
        let all = self.document.get("components")?;
        let mut reached: Map<String, Value> = Map::new();
        let mut references = Vec::new();
        collect_references(schema, &mut references);
        while let Some(reference) = references.pop() {
            let path = reference.strip_prefix("#/components/");
            let Some((section, rest)) = path.and_then(|path| path.split_once('/')) else {
                return Some(all.clone());
            };
            let name = rest.split('/').next().unwrap_or(rest).replace("~1", "/").replace("~0", "~");
            let Some(component) = all.get(section).and_then(|s| s.get(&name)) else {
                return Some(all.clone());
            };
            let held = reached.entry(section).or_insert_with(|| json!({}));
            if let Value::Object(held) = held
                && !held.contains_key(&name)
            {
                held.insert(name, component.clone());
                collect_references(component, &mut references);
            }
        }
        Some(Value::Object(reached))
    }

    /// Where the object at a pointer stands, its `$ref`s followed.
    pub(crate) fn follow(&self, pointer: &str) -> Result<String, FileError> {
        let mut pointer = pointer.to_owned();
        for _ in 0..32 {
            let Some(value) = self.document.pointer(&pointer) else {
                return Err(FileError::new(&*self.file, "nothing stands here")
                    .pointer(pointer)
                    .expected("the object that the operation refers to"));
            };
            match value.get("$ref").and_then(Value::as_str) {
                None => return Ok(pointer),
                Some(reference) => match reference.strip_prefix('#') {
                    Some(inside) => inside.clone_into(&mut pointer),
                    None => {
                        return Err(FileError::new(
                            &*self.file,
                            format!("`{reference}` points outside the document"),
                        )
                        .pointer(pointer)
                        .expected("a reference that begins with `#/` (nothing is fetched)"));
                    }
                },
            }
        }
        Err(FileError::new(&*self.file, "references go in a circle").pointer(pointer))
    }

    fn json_of(&self, pointer: &str) -> Option<String> {
        let content = self.document.pointer(pointer)?.get("content")?.as_object()?;
        let (media, _) = content.iter().find(|(k, _)| {
            let media = MediaType::parse(k);
            media.is_json() || media.essence == "*/*"
        })?;
        Some(format!("{pointer}/content/{}", media.replace('~', "~0").replace('/', "~1")))
    }

    fn body(&self, pointer: &str) -> Result<Body, FileError> {
        let media = self.json_of(pointer).ok_or_else(|| {
            FileError::new(&*self.file, "there is no application/json here")
                .pointer(pointer)
                .expected("content: { application/json: { schema: … } }")
        })?;
        let schema_at = self.follow(&format!("{media}/schema"))?;
        let schema = self.document.pointer(&schema_at).cloned().unwrap_or(Value::Bool(true));
        let validator = self.compile(&schema)?;
        let content = self.document.pointer(&media);
        let mut examples = Vec::new();
        if let Some(example) = content.and_then(|c| c.get("example")) {
            examples.push(("example".to_owned(), example.clone()));
        }
        let named = content.and_then(|c| c.get("examples")).and_then(Value::as_object);
        for (name, example) in named.into_iter().flatten() {
            if let Some(value) = self.resolve(example).get("value") {
                examples.push((name.clone(), value.clone()));
            }
        }
        Ok(Body { pointer: schema_at, schema, validator, examples })
    }
}

impl Body {
    fn anything() -> Body {
        Body {
            pointer: String::new(),
            schema: Value::Bool(true),
            validator: jsonschema::validator_for(&Value::Bool(true))
                .unwrap_or_else(|_| unreachable!("the schema `true` compiles")),
            examples: Vec::new(),
        }
    }
}

/// Every reference inside `value`.
fn collect_references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            for (keyword, inner) in map {
                match inner {
                    Value::String(target) if matches!(keyword.as_str(), "$ref" | "$dynamicRef") => {
                        found.push(target);
                    }
                    _ => collect_references(inner, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| collect_references(inner, found)),
        _ => {}
    }
}

/// `int32` and `int64` are OpenAPI formats that JSON Schema does not know: they become bounds.
fn bound_integers(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let bounds = match map.get("format").and_then(Value::as_str) {
                Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
                Some("int32") => Some((json!(i32::MIN), json!(i32::MAX))),
                _ => None,
            };
            if let Some((min, max)) = bounds {
                map.entry("minimum").or_insert(min);
                map.entry("maximum").or_insert(max);
            }
            map.values_mut().for_each(bound_integers);
        }
        Value::Array(list) => list.iter_mut().for_each(bound_integers),
        _ => {}
    }
}

/// The first `$ref` below `value` that names nothing in the document: its pointer, and what it names.
fn dangling(document: &Value, value: &Value, at: &str) -> Option<(String, String)> {
    match value {
        Value::Object(map) => map.iter().find_map(|(name, inside)| {
            let pointer = format!("{at}/{}", escape(name));
            match inside.as_str().filter(|_| name == "$ref") {
                Some(reference) => {
                    let target = reference.strip_prefix('#').map(|p| document.pointer(p));
                    (target == Some(None)).then(|| (pointer, reference.to_owned()))
                }
                None => dangling(document, inside, &pointer),
            }
        }),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .find_map(|(at_index, inside)| dangling(document, inside, &format!("{at}/{at_index}"))),
        _ => None,
    }
}
