//! How a contract says that items and results are written (lines, maps, arrays side by side, media types), read against
//! the OpenAPI document.
//!
//! It must not know what an item or a result means.

use serde_json::{Map, Value, json};

use super::documented::{ContractSource, array};
use super::file::{BatchFile, ItemsPlace, KeyedFile, PlaceFile};
use super::item_form::MapKey;
use super::lines::LineForm;
use super::pointer::Pointer;
use crate::Operation;
use crate::file_error::FileError;
use crate::openapi::{Body, MediaChoice};

/// Where schemas of results that are zipped stand in a document.
pub(super) const ZIPPED: &str = "x-batchproof-zipped";

/// Which media types of the operation a contract is about.
pub(crate) fn media(file: &BatchFile) -> MediaChoice<'_> {
    let in_lines = file.places().into_iter().filter(|place| place.lines);
    MediaChoice {
        request: file.operation.media.as_deref(),
        request_in_lines: file.items_place().lines.is_some(),
        answers_in_lines: in_lines.flat_map(|place| place.under).collect(),
    }
}

/// What the document says of the media type that a contract names, with the place in the contract's file.
pub(crate) fn about_media(file: &BatchFile, source: (&str, &str), error: FileError) -> FileError {
    let source = ContractSource { file: source.0, text: source.1 };
    match &file.operation.media {
        Some(media) if error.found.contains("media type") => FileError {
            expected: error.expected,
            hint: error.hint,
            ..source.problem(error.found, media)
        },
        _ => error,
    }
}

/// What the key of an item in a map is, where the items are one.
pub(super) fn map_key(
    place: &ItemsPlace,
    source: &ContractSource<'_>,
) -> Result<Option<MapKey>, FileError> {
    let key = match &place.keyed {
        None | Some(KeyedFile::Mark(false)) => return Ok(None),
        Some(_) if place.lines.is_some() => {
            return Err(source
                .problem("`keyed` stands beside `lines`", "keyed")
                .expected("one of them: lines have no keys"));
        }
        Some(KeyedFile::Mark(true)) => MapKey::Mark,
        Some(KeyedFile::Field(written)) => match Pointer::parse(written).name() {
            Some(name) => MapKey::Field(name.to_owned()),
            None => {
                return Err(source
                    .problem(format!("`{written}` is not a member of the item"), written)
                    .expected("keyed: true, or keyed: /field"));
            }
        },
    };
    Ok(Some(key))
}

/// How items are lines, where they are.
pub(super) fn lines(
    place: &ItemsPlace,
    source: &ContractSource<'_>,
) -> Result<Option<LineForm>, FileError> {
    let Some(lines) = &place.lines else {
        if place.at.is_none() {
            return Err(source
                .problem("nothing says where the items are", "items")
                .expected("items: /pointer, or items: { lines: [item] }"));
        }
        return Ok(None);
    };
    if let Some(at) = &place.at {
        return Err(source
            .problem(format!("`at: {at}` stands beside `lines`"), "at")
            .expected("one of them: lines stand in no array"));
    }
    let read = LineForm::read(place, lines).map_err(|(found, word)| {
        source
            .problem(found, &word)
            .expected("a list of the word `item` and of objects, whose texts may be `${/field}`")
            .nearest(&word, ["item"])
    });
    read.map(Some)
}

/// Makes the schema of an answer in lines that of a list of them.
pub(super) fn bind_lines(
    operation: &mut Operation,
    place: &PlaceFile,
    source: &ContractSource<'_>,
) -> Result<(), FileError> {
    for status in &place.under {
        let Some(body) = operation.responses.get(status) else { continue };
        let at = line_schema(operation, body, place.schema.as_deref(), "results", source)?;
        let line = operation.document.value().pointer(&at).cloned().unwrap_or(Value::Bool(true));
        let list = json!({ "type": "array", "items": line });
        let validator = operation.compile(&list)?;
        if let Some(body) = operation.responses.get_mut(status) {
            body.validator = validator;
        }
    }
    Ok(())
}

/// Adds the schema of results that arrays side by side come to.
pub(super) fn bind_zip(
    operation: &mut Operation,
    place: &PlaceFile,
    source: &ContractSource<'_>,
) -> Result<(), FileError> {
    if !place.at.is_empty() || place.keyed || place.lines {
        return Err(source
            .problem("`zip` stands beside `at`, `keyed` or `lines`", "zip")
            .expected("results: { zip: [/one, /other] }"));
    }
    let Some(body) = place.under.iter().find_map(|status| operation.responses.get(status)) else {
        // The places of results are looked up later, and say so.
        return Ok(());
    };
    let mut properties = Map::new();
    for written in &place.zip {
        let element = array(operation, &body.pointer, &Pointer::parse(written), written, source)?;
        let element = operation.document.value().pointer(&element).cloned();
        // An element of null says that the result has no such member.
        let element = json!({ "anyOf": [element, { "type": "null" }] });
        if properties.insert(zip_name(written), element).is_some() {
            return Err(source
                .problem(format!("two arrays of `zip` are called `{}`", zip_name(written)), written)
                .expected("arrays whose pointers end with different names"));
        }
    }
    let schema = json!({ "type": "object", "properties": properties });
    operation.document.add(ZIPPED, &zip_name(&place.zip[0]), schema);
    Ok(())
}

/// Where the schema of a line of a body stands.
pub(super) fn line_schema(
    operation: &Operation,
    body: &Body,
    named: Option<&str>,
    of: &str,
    source: &ContractSource<'_>,
) -> Result<String, FileError> {
    let root = operation.document.value();
    if let Some(named) = named {
        let at = named.strip_prefix('#').and_then(|at| operation.follow(at).ok());
        return at.filter(|at| root.pointer(at).is_some()).ok_or_else(|| {
            let known = root.pointer("/components/schemas").and_then(Value::as_object);
            let known = known.into_iter().flat_map(Map::keys);
            let known: Vec<String> = known.map(|n| format!("#/components/schemas/{n}")).collect();
            source
                .problem(format!("the document has no schema `{named}`"), named)
                .expected("a reference such as `#/components/schemas/NAME`")
                .nearest(named, known)
        });
    }
    if body.is_of_line {
        return Ok(body.pointer.clone());
    }
    if let Ok(items) = operation.follow(&format!("{}/items", body.pointer))
        && root.pointer(&items).is_some()
    {
        return Ok(items);
    }
    let is_text = body.schema.get("type").is_none_or(|kind| kind == "string");
    let is_composed = ["properties", "allOf", "oneOf", "anyOf"];
    if is_text && is_composed.iter().all(|keyword| body.schema.get(*keyword).is_none()) {
        return Err(source
            .problem(format!("the schema of {} says nothing of a line", body.media), of)
            .expected(format!("{of}: {{ …, schema: \"#/components/schemas/NAME\" }}")));
    }
    Ok(body.pointer.clone())
}

/// The name of an array's elements in a result.
pub(super) fn zip_name(written: &str) -> String {
    Pointer::parse(written).steps().last().cloned().unwrap_or_default()
}
