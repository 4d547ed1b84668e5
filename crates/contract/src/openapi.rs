//! One operation of an OpenAPI document: its bodies, their schemas compiled.
//!
//! Knows OpenAPI and JSON Schema 2020-12; must not know what a batch is.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::Value;

use super::document::SchemaDocument;
use super::file_error::FileError;
use super::media_type::MediaType;
use super::security::{DeclaredSecurity, declared_security, further_keys};
use super::validity::escape;

const JSON: &str = "application/json";

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
    /// Headers with API keys that it demands beside them.
    pub further_keys: Vec<String>,
    /// Its parameters, those of its path too.
    pub parameters: Vec<Parameter>,
    /// The whole document.
    pub document: SchemaDocument,
}

/// A parameter of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `path`, `query`, `header` or `cookie`.
    pub place: String,
    /// Whether it must have a value.
    pub required: bool,
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
    /// Its media type.
    pub media: String,
    /// Whether the schema is that of one line of it (`itemSchema` of OpenAPI 3.2).
    pub is_of_line: bool,
}

/// Which media types of an operation are meant.
#[derive(Debug, Clone, Default)]
pub struct MediaChoice<'a> {
    /// That of the request, where it is named.
    pub request: Option<&'a str>,
    /// Whether the request is made of lines.
    pub request_in_lines: bool,
    /// The statuses of answers that are made of lines.
    pub answers_in_lines: Vec<u16>,
}

/// A body's media type, as a caller names it.
#[derive(Debug, Clone, Copy)]
enum WantedMedia<'a> {
    Json,
    Lines,
    Named(&'a str),
}

impl Operation {
    /// Reads `text` (YAML or JSON) and compiles the operation at `path`, `method`, which answers with one of `success`.
    ///
    /// # Errors
    /// A [`FileError`] naming the pointer where the document is not as needed.
    pub fn read(
        file: &str,
        text: &str,
        (path, method): (&str, &str),
        success: &[u16],
        media: &MediaChoice<'_>,
    ) -> Result<Operation, FileError> {
        let document = SchemaDocument::read(file, text)?;
        let root = document.value();
        let at = format!("/paths/{}/{method}", escape(path));
        let Ok(at) = document.follow(&at) else {
            let paths = root.get("paths").and_then(Value::as_object);
            let known = paths.map(|p| p.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
            return Err(FileError::new(file, format!("there is no {method} {path}"))
                .pointer(at)
                .expected(format!(
                    "the operation that batch.yaml names, among {}",
                    known.join(", ")
                ))
                .nearest(path, known));
        };
        let mut operation = Operation {
            path: path.to_owned(),
            method: method.to_uppercase(),
            request: Body::anything(),
            responses: BTreeMap::new(),
            security: declared_security(root, root.pointer(&at).unwrap_or(&Value::Null)),
            further_keys: further_keys(root, root.pointer(&at).unwrap_or(&Value::Null)),
            parameters: declared_parameters(&document, &at),
            document,
        };
        let request = operation.follow(&format!("{at}/requestBody"))?;
        let wanted = match media.request {
            Some(named) => WantedMedia::Named(named),
            None if media.request_in_lines => WantedMedia::Lines,
            None => WantedMedia::Json,
        };
        operation.request = operation.body(&request, true, wanted)?;
        let responses = operation.follow(&format!("{at}/responses"))?;
        let statuses: Vec<String> = operation
            .document
            .value()
            .pointer(&responses)
            .and_then(Value::as_object)
            .map(|m| m.keys().cloned().collect())
            .unwrap_or_default();
        for status in statuses {
            if let Ok(number) = status.parse::<u16>() {
                let pointer = operation.follow(&format!("{responses}/{status}"))?;
                let in_lines = media.answers_in_lines.contains(&number);
                let wanted = if in_lines { WantedMedia::Lines } else { WantedMedia::Json };
                if operation.media_of(&pointer, wanted).is_some() {
                    let body = operation.body(&pointer, false, wanted)?;
                    operation.responses.insert(number, body);
                }
            }
        }
        if !success.iter().any(|status| operation.responses.contains_key(status)) {
            let status = success.first().copied().unwrap_or(200);
            let found = format!("the operation documents no JSON answer for {status}");
            return Err(FileError::new(file, found)
                .pointer(responses)
                .expected("content with application/json and a schema"));
        }
        Ok(operation)
    }

    /// The schema that `schema` stands for, its `$ref`s followed.
    #[must_use]
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        self.document.resolve(schema)
    }

    /// Compiles a schema that stands in this document.
    ///
    /// # Errors
    /// A [`FileError`] where the schema itself is wrong or refers to something outside the document.
    pub fn compile(&self, schema: &Value) -> Result<Validator, FileError> {
        self.document.compile(schema)
    }

    /// Pointers to the schemas that the document names.
    #[must_use]
    pub fn schema_pointers(&self) -> Vec<String> {
        let named = self.document.value().pointer("/components/schemas").and_then(Value::as_object);
        let names = named.into_iter().flat_map(|named| named.keys());
        names.map(|name| format!("#/components/schemas/{name}")).collect()
    }

    /// The file that the document came from, as the user named it.
    #[must_use]
    pub fn file(&self) -> &str {
        self.document.file()
    }

    /// Where the object at a pointer stands, its `$ref`s followed.
    pub(crate) fn follow(&self, pointer: &str) -> Result<String, FileError> {
        self.document.follow(pointer)
    }

    /// The media types of a request or an answer.
    fn media_types(&self, pointer: &str) -> Vec<String> {
        let content = self.document.value().pointer(pointer).and_then(|body| body.get("content"));
        let content = content.and_then(Value::as_object);
        content.into_iter().flat_map(|content| content.keys().cloned()).collect()
    }

    /// The media type of a body, and where it stands.
    fn media_of(&self, pointer: &str, wanted: WantedMedia<'_>) -> Option<(String, String)> {
        let all = self.media_types(pointer);
        let find =
            |fits: &dyn Fn(&MediaType) -> bool| all.iter().find(|m| fits(&MediaType::parse(m)));
        let json = || {
            find(&|media| media.is_json() || media.essence == "*/*")
                .or_else(|| find(&|media| media.essence.ends_with("+json")))
        };
        let found = match wanted {
            WantedMedia::Json => json(),
            WantedMedia::Named(name) => find(&|media| *media == MediaType::parse(name)),
            WantedMedia::Lines => find(&MediaType::is_lines)
                .or_else(|| all.first().filter(|_| all.len() == 1))
                .or_else(json),
        }?;
        Some((found.clone(), format!("{pointer}/content/{}", escape(found))))
    }

    fn body(
        &self,
        pointer: &str,
        request: bool,
        wanted: WantedMedia<'_>,
    ) -> Result<Body, FileError> {
        let (name, media) = self.media_of(pointer, wanted).ok_or_else(|| match wanted {
            WantedMedia::Named(name) => {
                let known = self.media_types(pointer);
                FileError::new(self.file(), format!("the request has no media type `{name}`"))
                    .pointer(pointer)
                    .expected(format!("one of {}", known.join(", ")))
                    .nearest(name, known)
            }
            _ => FileError::new(self.file(), "there is no application/json here")
                .pointer(pointer)
                .expected("content: { application/json: { schema: … } }"),
        })?;
        let media_object = self.document.value().pointer(&media);
        let is_of_line = media_object.is_some_and(|media| media.get("itemSchema").is_some());
        let keyword = if is_of_line { "itemSchema" } else { "schema" };
        let schema_at = self.follow(&format!("{media}/{keyword}"))?;
        let schema =
            self.document.value().pointer(&schema_at).cloned().unwrap_or(Value::Bool(true));
        let validator =
            if request { self.document.compile_request(&schema)? } else { self.compile(&schema)? };
        let content = self.document.value().pointer(&media);
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
        let is_json = MediaType::parse(&name).is_json() || name == "*/*";
        let media = if is_json { JSON.to_owned() } else { name };
        Ok(Body { pointer: schema_at, schema, validator, examples, media, is_of_line })
    }
}

/// The parameters of the operation at a pointer; its own come before those of its path.
fn declared_parameters(document: &SchemaDocument, at: &str) -> Vec<Parameter> {
    let of_path = at.rsplit_once('/').map_or("", |(path, _)| path);
    let mut all: Vec<Parameter> = Vec::new();
    for place in [at, of_path] {
        let list = format!("{place}/parameters");
        let count = document.value().pointer(&list).and_then(Value::as_array).map_or(0, Vec::len);
        for nth in 0..count {
            let Ok(at) = document.follow(&format!("{list}/{nth}")) else { continue };
            let Some(parameter) = document.value().pointer(&at) else { continue };
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).map(str::to_owned);
            let (Some(name), Some(place)) = (text("name"), text("in")) else { continue };
            let required = parameter.get("required") == Some(&Value::Bool(true));
            if all.iter().all(|known| (&known.name, &known.place) != (&name, &place)) {
                all.push(Parameter { name, place, required });
            }
        }
    }
    all
}

impl Body {
    fn anything() -> Body {
        Body {
            pointer: String::new(),
            schema: Value::Bool(true),
            validator: jsonschema::validator_for(&Value::Bool(true))
                .unwrap_or_else(|_| unreachable!("the schema `true` compiles")),
            examples: Vec::new(),
            media: JSON.to_owned(),
            is_of_line: false,
        }
    }
}
