//! What the OpenAPI document says of the places that a contract names, and where in its file a name stands.
//!
//! It must not know what a shape comes to.

use serde_json::Value;

use super::file::UniqueKeyFile;
use super::place::{FoundSchema, find_schema};
use super::pointer::Pointer;
use crate::file_error::{FileError, nearest};
use crate::{Operation, SchemaDocument};

/// The file that a contract is written in.
pub(super) struct ContractSource<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

impl ContractSource<'_> {
    /// A problem with what stands at `word`.
    pub(super) fn problem(&self, found: impl Into<String>, word: &str) -> FileError {
        let error = FileError::new(self.file, found);
        let is_whole = |line: &str, at: usize| {
            let part = |c: char| c.is_alphanumeric() || c == '_';
            !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part)
        };
        let found = self.text.lines().enumerate().find_map(|(number, line)| {
            let is_comment = line.trim_start().starts_with('#');
            let code = line.split(" #").next().filter(|_| !is_comment)?;
            let at = code.match_indices(word).map(|(at, _)| at).find(|at| is_whole(code, *at))?;
            Some((number as u64 + 1, line[..at].chars().count() as u64 + 1))
        });
        match found.filter(|_| !word.is_empty()) {
            Some((line, column)) => error.at(line, column),
            None => error,
        }
    }
}

/// Where the schema of the items of an array stands.
pub(super) fn array(
    operation: &Operation,
    body: &str,
    pointer: &Pointer,
    written: &str,
    source: &ContractSource<'_>,
) -> Result<String, FileError> {
    let expected =
        "the name of a property whose schema is an array with `items`, or the pointer to one";
    let found = match find_schema(&operation.document, body, pointer) {
        FoundSchema::At(at) => Some(at),
        FoundSchema::Open => None,
        FoundSchema::Unknown(step, known) => {
            return Err(source
                .problem(format!("`{written}` is not an array property of the schema"), written)
                .expected(expected)
                .nearest(&step, known));
        }
    };
    found
        .and_then(|list| operation.follow(&list).ok())
        .and_then(|list| operation.follow(&format!("{list}/items")).ok())
        .filter(|at| operation.document.value().pointer(at).is_some())
        .ok_or_else(|| {
            source
                .problem(format!("`{written}` is not an array property of the schema"), written)
                .expected(expected)
        })
}

/// Where the schema of the items of an array, or of the values of a map, stands.
pub(super) fn list(
    operation: &Operation,
    body: &str,
    (pointer, written, is_map): (&Pointer, &str, bool),
    source: &ContractSource<'_>,
) -> Result<String, FileError> {
    if !is_map {
        return array(operation, body, pointer, written, source);
    }
    let not_map = || {
        source
            .problem(format!("`{written}` is not a map in the schema"), written)
            .expected("the pointer to an object with `additionalProperties` or `patternProperties`")
    };
    let at = match find_schema(&operation.document, body, pointer) {
        FoundSchema::At(at) => at,
        FoundSchema::Open => return Err(not_map()),
        FoundSchema::Unknown(step, known) => return Err(not_map().nearest(&step, known)),
    };
    let map = operation.document.value().pointer(&at).unwrap_or(&Value::Null);
    let pattern = map.get("patternProperties").and_then(Value::as_object);
    let values = match (map.get("additionalProperties"), pattern.and_then(|p| p.keys().next())) {
        (Some(Value::Object(_)), _) => format!("{at}/additionalProperties"),
        (_, Some(pattern)) => {
            format!("{at}/patternProperties/{}", crate::validity::escape(pattern))
        }
        _ => return Err(not_map()),
    };
    operation.follow(&values).map_err(|_| not_map())
}

/// The fields that results with this schema have no place for.
pub(super) fn lacking(
    operation: &Operation,
    schema: &str,
    echo: &[(String, Pointer)],
) -> Vec<String> {
    let lacks = |(_, pointer): &&(String, Pointer)| {
        matches!(find_schema(&operation.document, schema, pointer), FoundSchema::Unknown(..))
    };
    echo.iter().filter(lacks).map(|(name, _)| name.clone()).collect()
}

/// The schemas of results, one for each place.
pub(super) struct ResultSchemas<'a> {
    pub(super) operation: &'a Operation,
    pub(super) places: &'a [String],
    pub(super) source: &'a ContractSource<'a>,
}

impl ResultSchemas<'_> {
    pub(super) fn schema(&self, pointer: &Pointer) -> Option<Value> {
        self.places.iter().find_map(|place| {
            match find_schema(&self.operation.document, place, pointer) {
                FoundSchema::At(at) => self.operation.document.value().pointer(&at).cloned(),
                _ => None,
            }
        })
    }

    /// Whether a result may hold something there.
    pub(super) fn check(&self, pointer: &Pointer, written: &str) -> Result<(), FileError> {
        let mut problem = None;
        for place in self.places {
            match find_schema(&self.operation.document, place, pointer) {
                FoundSchema::At(_) | FoundSchema::Open => return Ok(()),
                FoundSchema::Unknown(step, known) => {
                    problem.get_or_insert((step, known));
                }
            }
        }
        let Some((step, known)) = problem else { return Ok(()) };
        Err(self
            .source
            .problem(format!("the results have no `{step}`"), written.trim_start_matches('/'))
            .expected("a pointer to what the result schema documents")
            .nearest(&step, known))
    }

    /// The same of something that an answer may have without a word in its schema: only what looks like a slip is one.
    pub(super) fn check_slip(&self, pointer: &Pointer, written: &str) -> Result<(), FileError> {
        self.check(pointer, written).or_else(|error| match error.hint {
            Some(_) => Err(error),
            None => Ok(()),
        })
    }

    /// Whether the schema there allows a value.
    pub(super) fn check_value(&self, pointer: &Pointer, value: &Value) -> Result<(), FileError> {
        let schemas = self.places.iter().filter_map(|place| {
            match find_schema(&self.operation.document, place, pointer) {
                FoundSchema::At(at) => self.operation.document.value().pointer(&at),
                _ => None,
            }
        });
        let mut seen = false;
        for schema in schemas {
            seen = true;
            if self.operation.compile(schema)?.is_valid(value) {
                return Ok(());
            }
        }
        if !seen {
            return Ok(());
        }
        let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let place = pointer.steps().last().map_or(&*word, String::as_str);
        let allowed: Vec<String> = self
            .schema(pointer)
            .and_then(|schema| schema.get("enum").and_then(Value::as_array).cloned())
            .into_iter()
            .flatten()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect();
        let expected = if allowed.is_empty() {
            "a value of the documented type".to_owned()
        } else {
            format!("one of {}", allowed.join(", "))
        };
        Err(self
            .source
            .problem(format!("the schema allows no {value} at {pointer} of a result"), place)
            .expected(expected)
            .nearest(&word, allowed))
    }
}

pub(super) fn check_fields(
    source: &ContractSource<'_>,
    item: &Value,
    document: &SchemaDocument,
    (unique, key): (&str, Option<&UniqueKeyFile>),
    echo: &[(String, Pointer)],
    references: &[String],
) -> Result<(), FileError> {
    let mut known: Vec<String> = Vec::new();
    for alternative in crate::alternatives(document, item) {
        if let Some(properties) = alternative.get("properties").and_then(Value::as_object) {
            known.extend(properties.keys().cloned());
        }
    }
    let named = key.iter().map(|_| unique).chain(echo.iter().map(|(name, _)| name.as_str()));
    for name in named.chain(references.iter().map(String::as_str)) {
        if !known.iter().any(|field| field == name) {
            let last = name.rsplit('/').next().unwrap_or(name);
            let shown = if name == last { name.to_owned() } else { format!("/{name}") };
            let error = source
                .problem(format!("the items have no field `{shown}`"), last)
                .expected("a property of the item schema");
            let near = nearest(name, &known)
                .map(|near| if near.contains('/') { format!("/{near}") } else { near });
            return Err(error.nearest(&shown, near));
        }
    }
    Ok(())
}
