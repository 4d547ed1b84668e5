//! A document with schemas, whatever it was written in: OpenAPI 3.0 to 3.2, Swagger 2.0, or JSON Schema alone, in one
//! file or several. Once it is read, its schemas are JSON Schema 2020-12 and its references are pointers into it.
//!
//! It must not know operations, batches or items.

mod discriminator;
mod openapi_3_0;
mod references;
mod request_side;
mod swagger_2;
mod walk;

use std::borrow::Cow;
use std::collections::BTreeMap;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::file_error::{self, FileError};
use super::json::Document;
use references::{OTHER_FILES, Resolved};
use walk::{Position, walk};

/// Where a document that is nothing but a schema stands: its own keywords must not be those of the whole.
const ALONE: &str = "schema";
/// The meta-schema that a schema may name.
const META_SCHEMA: &str = "https://json-schema.org/draft/2020-12/schema";
/// References in a row that are followed.
const REFERENCES: usize = 32;

/// A document whose schemas can be compiled and drawn from.
pub struct SchemaDocument {
    value: Value,
    file: String,
    /// The texts of all further files that it consists of, for a hash over them.
    others: Vec<String>,
    /// A schema alone, as it was written.
    original: Option<Value>,
    /// What no walk from the root comes by.
    beside: Vec<(String, Position)>,
    /// References that lead nowhere.
    broken: BTreeMap<String, FileError>,
    dynamic: Option<FileError>,
}

impl SchemaDocument {
    /// Reads an OpenAPI or Swagger document; files that it refers to are read from beside `file`.
    ///
    /// # Errors
    /// A [`FileError`] where it is neither, or a reference leads nowhere.
    pub fn read(file: &str, text: &str) -> Result<SchemaDocument, FileError> {
        let document = SchemaDocument::read_any(file, text)?;
        if document.original.is_some() {
            return Err(FileError::new(file, "the OpenAPI version is missing")
                .pointer("/openapi")
                .expected("openapi: 3.0, 3.1 or 3.2, or swagger: 2.0"));
        }
        Ok(document)
    }

    /// Reads a document of any kind, a schema alone too.
    ///
    /// # Errors
    /// A [`FileError`] as [`SchemaDocument::read`] does.
    pub fn read_any(file: &str, text: &str) -> Result<SchemaDocument, FileError> {
        let others = std::cell::RefCell::new(Vec::new());
        let read = |name: &str| -> Result<Value, FileError> {
            let text = std::fs::read_to_string(name)
                .map_err(|e| FileError::new(name, e.to_string()).expected("a readable file"))?;
            let value = read_value(name, &text);
            others.borrow_mut().push(text);
            value
        };
        let mut value = read_value(file, text)?;
        let dialect = Dialect::of(file, &value)?;
        let (position, prefix) = match dialect {
            Dialect::JsonSchema => (Position::Schema, format!("/{ALONE}")),
            _ => (Position::Api, String::new()),
        };
        let original = matches!(dialect, Dialect::JsonSchema).then(|| value.clone());
        let Resolved { others: parts, beside, broken, dynamic } =
            references::resolve_all(file, &mut value, position, &prefix, &read)?;
        if matches!(dialect, Dialect::JsonSchema) {
            value = json!({ ALONE: value });
        }
        if let Some(map) = value.as_object_mut().filter(|_| !parts.is_empty()) {
            map.insert(OTHER_FILES.to_owned(), Value::Object(parts));
        }
        dialect.convert(&mut value, position, &prefix, &beside);
        let (file, others) = (file.to_owned(), others.into_inner());
        Ok(SchemaDocument { value, file, others, original, beside, broken, dynamic })
    }

    /// Adds a schema that the file does not have, to the others of a section.
    pub(crate) fn add(&mut self, section: &str, name: &str, schema: Value) {
        if let Some(root) = self.value.as_object_mut() {
            let section = root.entry(section).or_insert_with(|| Value::Object(Map::new()));
            section[name] = schema;
        }
    }

    /// The whole document.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The file that it came from, as the user named it.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Whether it is nothing but a schema.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.original.is_some()
    }

    /// Why the document can't be compiled in parts: what a `$dynamicRef` means depends on the way to it.
    #[must_use]
    pub fn dynamic(&self) -> Option<&FileError> {
        self.dynamic.as_ref()
    }

    /// The texts of the other files that it refers to.
    #[must_use]
    pub fn other_texts(&self) -> &[String] {
        &self.others
    }

    /// Where the object at `pointer` of the file stands in the document, or none.
    #[must_use]
    pub fn place(&self, pointer: &str) -> Option<String> {
        let place =
            if self.original.is_some() { format!("/{ALONE}{pointer}") } else { pointer.to_owned() };
        let moved = || swagger_2::moved(&format!("#{pointer}")).map(|moved| moved[1..].to_owned());
        let stands = |place: &String| self.value.pointer(place).is_some();
        let referred = || self.follow(&place).ok();
        Some(place.clone()).filter(stands).or_else(|| moved().filter(stands)).or_else(referred)
    }

    /// A problem at a place of the document, named by the file that it stands in.
    #[must_use]
    pub fn problem(&self, pointer: &str, found: impl Into<String>) -> FileError {
        let steps = pointer.strip_prefix('/').and_then(|rest| rest.split_once('/'));
        let (file, inside) = match steps {
            Some((OTHER_FILES, rest)) => {
                let (name, inside) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
                (Cow::Owned(name.replace("~1", "/").replace("~0", "~")), inside)
            }
            Some((ALONE, _)) if self.original.is_some() => {
                (Cow::Borrowed(&*self.file), &pointer[1 + ALONE.len()..])
            }
            None if self.original.is_some() => (Cow::Borrowed(&*self.file), ""),
            _ => (Cow::Borrowed(&*self.file), pointer),
        };
        let inside = if inside.is_empty() { "/" } else { inside };
        FileError::new(file, found).pointer(inside)
    }

    /// The schema that `schema` stands for, its `$ref`s followed.
    #[must_use]
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut current = schema;
        for _ in 0..REFERENCES {
            let Some(reference) = current.get("$ref").and_then(Value::as_str) else { break };
            let Some(target) = self.target(reference) else { break };
            current = target;
        }
        current
    }

    /// What a reference names.
    #[must_use]
    pub fn target(&self, reference: &str) -> Option<&Value> {
        self.value.pointer(&references::decoded(reference.strip_prefix('#')?))
    }

    /// Where the object at a pointer stands: `$ref`s on the way to it, and its own, are followed.
    ///
    /// # Errors
    /// A [`FileError`] where nothing stands there, or references go in a circle.
    pub fn follow(&self, pointer: &str) -> Result<String, FileError> {
        let mut at = String::new();
        for step in pointer.split('/').skip(1) {
            let inside = format!("{at}/{step}");
            at = if self.value.pointer(&inside).is_some() {
                inside
            } else {
                format!("{}/{step}", self.referred(&at)?)
            };
        }
        self.referred(&at)
    }

    /// Where the references of the object at a pointer end.
    fn referred(&self, pointer: &str) -> Result<String, FileError> {
        let mut pointer = pointer.to_owned();
        for _ in 0..REFERENCES {
            let Some(value) = self.value.pointer(&pointer) else {
                return Err(self
                    .problem(&pointer, "nothing stands here")
                    .expected("the object that the operation refers to"));
            };
            match value.get("$ref").and_then(Value::as_str) {
                None => return Ok(pointer),
                Some(reference) if self.broken.contains_key(reference) => {
                    return Err(self.broken[reference].clone());
                }
                Some(reference) => match reference.strip_prefix('#') {
                    Some(inside) => pointer = references::decoded(inside),
                    None => {
                        return Err(self
                            .problem(&pointer, format!("`{reference}` points outside the document"))
                            .expected("a reference to something in this document"));
                    }
                },
            }
        }
        Err(self.problem(&pointer, "references go in a circle"))
    }

    /// Compiles a schema that stands in this document.
    ///
    /// # Errors
    /// A [`FileError`] where the schema itself is wrong.
    pub fn compile(&self, schema: &Value) -> Result<Validator, FileError> {
        self.build(&self.whole(schema)?)
    }

    /// Compiles a schema as a request has to meet it: what is `readOnly` is not required there, nor named;
    /// a discriminator says which alternative is meant.
    ///
    /// # Errors
    /// As [`SchemaDocument::compile`].
    pub fn compile_request(&self, schema: &Value) -> Result<Validator, FileError> {
        let mut whole = self.whole(schema)?;
        request_side::for_request(self, &mut whole);
        self.build(&whole)
    }

    /// Makes one schema object what a request has to meet, without what is nested in it.
    pub fn for_request(&self, schema: &mut Map<String, Value>) {
        request_side::one_for_request(self, schema);
    }

    /// Compiles the schema of the whole file as it was written, where it is nothing but a schema: identifiers and
    /// dynamic anchors mean there what they say.
    #[must_use]
    pub fn compile_original(&self) -> Option<Validator> {
        options().build(self.original.as_ref()?).ok()
    }

    fn beside(&self) -> &[(String, Position)] {
        &self.beside
    }

    fn build(&self, whole: &Value) -> Result<Validator, FileError> {
        options().build(whole).map_err(|e| {
            self.problem(&e.instance_path().to_string(), e.to_string())
                .expected("a JSON Schema 2020-12 whose references stay inside the document")
        })
    }

    /// A schema together with everything that it can reach: a document may have thousands of schemas, and each one that
    /// is compiled would hold them all.
    fn whole(&self, schema: &Value) -> Result<Value, FileError> {
        let mut root = match schema {
            Value::Object(map) => map.clone(),
            other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
        };
        let mut references = Vec::new();
        let mut known = std::collections::HashSet::new();
        collect_references(schema, &mut references);
        while let Some(reference) = references.pop() {
            if let Some(problem) = self.broken.get(reference) {
                return Err(problem.clone());
            }
            let Some(inside) = reference.strip_prefix('#').filter(|_| known.insert(reference))
            else {
                continue;
            };
            if let Some(added) = insert(&mut root, &self.value, &references::decoded(inside)) {
                collect_references(added, &mut references);
            }
        }
        Ok(Value::Object(root))
    }
}

fn options() -> jsonschema::ValidationOptions<'static> {
    jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true).offline()
}

/// Puts what stands at `pointer` of `document` into `root`, at the same place: as a whole from the first array on the
/// way, for an array can't be there in part. What was added.
fn insert<'a>(
    root: &mut Map<String, Value>,
    document: &'a Value,
    pointer: &str,
) -> Option<&'a Value> {
    let steps: Vec<String> =
        pointer.split('/').skip(1).map(|s| s.replace("~1", "/").replace("~0", "~")).collect();
    let (mut into, mut from) = (root, document);
    for (at, name) in steps.iter().enumerate() {
        let inside = from.get(name)?;
        if at + 1 == steps.len() || !inside.is_object() {
            // A part of it may be there already.
            into.insert(name.clone(), inside.clone());
            return Some(inside);
        }
        if into.get(name).is_some_and(|there| there == inside) {
            return None;
        }
        into = into.entry(name.clone()).or_insert_with(|| json!({})).as_object_mut()?;
        from = inside;
    }
    None
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

/// Reads JSON or YAML as it is, references unread.
///
/// # Errors
/// A [`FileError`] where it is neither.
pub fn read_document(file: &str, text: &str) -> Result<Value, FileError> {
    read_value(file, text)
}

/// Reads JSON or YAML; JSON by a reader of its own, which is many times as fast.
fn read_value(file: &str, text: &str) -> Result<Value, FileError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with(['{', '['])
        && let Ok(document) = Document::read(text.as_bytes())
        && document.repeated.is_none()
    {
        return Ok(document.value);
    }
    file_error::read_yaml(file, text)
}

/// What a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// A schema alone.
    JsonSchema,
    /// OpenAPI 3.1 and 3.2: JSON Schema 2020-12.
    OpenApi,
    /// OpenAPI 3.0.
    OpenApi30,
    /// Swagger 2.0.
    Swagger,
}

impl Dialect {
    fn of(file: &str, value: &Value) -> Result<Dialect, FileError> {
        let version = |name: &str| match value.get(name)? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        match (version("openapi"), version("swagger")) {
            (Some(v), _) if v.starts_with("3.0") => Ok(Dialect::OpenApi30),
            (Some(v), _) if v.starts_with("3.1") || v.starts_with("3.2") => Ok(Dialect::OpenApi),
            (Some(v), _) => Err(FileError::new(file, format!("the OpenAPI version is {v}"))
                .pointer("/openapi")
                .expected("3.0, 3.1 or 3.2")),
            (None, Some(v)) if v.starts_with("2.0") || v == "2" => Ok(Dialect::Swagger),
            (None, Some(v)) => Err(FileError::new(file, format!("the Swagger version is {v}"))
                .pointer("/swagger")
                .expected("2.0")),
            (None, None) => match value.get("$schema").and_then(Value::as_str) {
                Some(other)
                    if other.trim_end_matches('#') != META_SCHEMA
                        && !other.contains("json-schema.org/") =>
                {
                    Err(FileError::new(
                        file,
                        format!("`$schema: {other}` is not a known meta-schema"),
                    )
                    .pointer("/$schema")
                    .expected(META_SCHEMA))
                }
                _ => Ok(Dialect::JsonSchema),
            },
        }
    }

    /// Makes all schemas JSON Schema 2020-12.
    fn convert(
        self,
        value: &mut Value,
        position: Position,
        prefix: &str,
        beside: &[(String, Position)],
    ) {
        let mut places = vec![(prefix.to_owned(), position)];
        places.extend(beside.iter().cloned());
        for (pointer, position) in places {
            let Some(place) = value.pointer_mut(&pointer) else { continue };
            walk(place, position, &pointer, &mut |map, position, _| {
                if self == Dialect::Swagger
                    && let Some(Value::String(reference)) = map.get_mut("$ref")
                    && let Some(moved) = swagger_2::moved(reference)
                {
                    *reference = moved;
                }
                if position == Position::Schema && self != Dialect::JsonSchema {
                    if self != Dialect::OpenApi {
                        openapi_3_0::convert_schema(map);
                    }
                    bound_integer(map);
                }
            });
        }
        if self == Dialect::Swagger {
            swagger_2::convert(value);
        }
    }
}

/// `int32` and `int64` are OpenAPI formats that JSON Schema does not know: they become bounds.
fn bound_integer(map: &mut Map<String, Value>) {
    let bounds = match map.get("format").and_then(Value::as_str) {
        Some("int64") => (json!(i64::MIN), json!(i64::MAX)),
        Some("int32") => (json!(i32::MIN), json!(i32::MAX)),
        _ => return,
    };
    map.entry("minimum").or_insert(bounds.0);
    map.entry("maximum").or_insert(bounds.1);
}
