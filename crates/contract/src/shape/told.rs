//! How results tell which item they are of, and what became of it, as a contract file says it.
//!
//! It must not know how answers are read.

use serde_json::Value;

use super::documented::ContractSource;
use super::file::{BatchFile, MatchFile, PlaceFile, UniqueKeyFile};
use super::item_form::{ItemForm, MapKey};
use super::matcher::Matcher;
use super::place::{FoundSchema, find_schema};
use super::pointer::Pointer;
use super::{Matching, ResultMark, name};
use crate::Operation;
use crate::file_error::FileError;

/// Positions whose marks are tried out.
const POSITIONS: [usize; 3] = [0, 9, 999];

/// What accepted and rejected results hold.
pub(super) type Verdicts = (Option<Matcher>, Option<Matcher>);

pub(super) fn verdict(
    file: &BatchFile,
    source: &ContractSource<'_>,
    places: &[PlaceFile],
) -> Result<Verdicts, FileError> {
    let read = |value: &Option<Value>, word: &str| -> Result<Option<Matcher>, FileError> {
        match (value, &file.verdict.field) {
            (None, _) => Ok(None),
            (Some(value @ (Value::String(_) | Value::Bool(_) | Value::Number(_))), Some(field)) => {
                Ok(Some(Matcher::equal(Pointer::parse(field), value.clone())))
            }
            (Some(Value::Object(conditions)), None) => match Matcher::read(conditions) {
                Ok(matcher) => Ok(Some(matcher)),
                Err(part) => Err(source
                    .problem(format!("`{part}` is not a condition"), word)
                    .expected("pointers, each with a value, `present`, `absent`, `2xx` or a list")),
            },
            (Some(other), Some(_)) => Err(source
                .problem(format!("found {other} as a value of the verdict"), word)
                .expected("a text, a number or a boolean; or conditions, without `field`")),
            (Some(other), None) => Err(source
                .problem(format!("found {other} as conditions"), word)
                .expected("pointers with what stands there, such as { /ok: true }; or a value beside `field`")),
        }
    };
    let verdict =
        (read(&file.verdict.accepted, "accepted")?, read(&file.verdict.rejected, "rejected")?);
    if verdict == (None, None) && places.iter().any(|place| place.says.is_none()) {
        return Err(source.problem("nothing says which results are accepted", "verdict").expected(
            "`verdict`, or `says: accepted` and `says: rejected` at the places of results",
        ));
    }
    Ok(verdict)
}

/// The field of an item that is its key in a map.
fn item_key(form: &ItemForm) -> Option<String> {
    Some(match form.map_key()? {
        MapKey::Mark => name::KEY.to_owned(),
        MapKey::Field(name) => name.clone(),
    })
}

pub(super) fn matching<'k>(
    file: &BatchFile,
    source: &ContractSource<'_>,
    form: &mut ItemForm,
    mut keys: impl Iterator<Item = &'k UniqueKeyFile>,
    operation: &Operation,
    item_at: &str,
) -> Result<Matching, FileError> {
    let results_keyed = file.places().iter().all(|place| place.keyed);
    let by = match &file.matching {
        MatchFile::Order | MatchFile::Word(_) => {
            match (item_key(form), results_keyed) {
                (Some(field), true) => return Ok(Matching::Field(field, ResultMark::Key)),
                (Some(_), false) => {
                    return Err(source
                        .problem("the items of a map have no order to match results by", "keyed")
                        .expected("results: { at: …, keyed: true }, or match: { result: /… }"));
                }
                (None, true) => {
                    return Err(source
                        .problem("the results of a map have no order to match them by", "keyed")
                        .expected("match: { item: /… }, or items: { at: …, keyed: … }"));
                }
                (None, false) => {}
            }
            let several = file.places().len() > 1;
            if several || file.silent.is_some() {
                let why = if several { "several places" } else { "`silent`" };
                return Err(source
                    .problem(format!("results in {why} have no order to match them by"), "results")
                    .expected("match: { item: /…, result: /… } or match: { index: /… }"));
            }
            return Ok(Matching::Order);
        }
        MatchFile::By(by) => by,
    };
    let by_result = match (&by.result, results_keyed) {
        (Some(result), _) => Some(ResultMark::At(Pointer::parse(result))),
        (None, true) => Some(ResultMark::Key),
        (None, false) => None,
    };
    if let (None, Some(field)) = (&by.item, item_key(form))
        && let Some(result) = by_result
    {
        return Ok(Matching::Field(field, result));
    }
    match (&by.item, by_result, &by.index) {
        (None, None, Some(index)) => Ok(Matching::Index(Pointer::parse(index))),
        (Some(item), Some(result), None) => {
            let at = Pointer::parse(item);
            if keys.any(|key| Pointer::parse(&key.at) == at) {
                let field = form.name(&at).unwrap_or_default();
                return Ok(Matching::Field(field, result));
            }
            let (Some(name), FoundSchema::At(schema_at)) =
                (at.name(), find_schema(&operation.document, item_at, &at))
            else {
                let known = match find_schema(&operation.document, item_at, &at) {
                    FoundSchema::Unknown(_, known) => known,
                    _ => Vec::new(),
                };
                return Err(source
                    .problem(format!("the items have no field `{item}` to match by"), item)
                    .expected("a member of the item, or the unique key")
                    .nearest(at.name().unwrap_or(item), known));
            };
            let schema =
                operation.document.value().pointer(&schema_at).cloned().unwrap_or_default();
            *form = form.clone().marked(name, &schema);
            let validator = operation.compile(&schema)?;
            for position in POSITIONS {
                let mark = form.mark_of(position).unwrap_or_default();
                if !validator.is_valid(&mark) {
                    return Err(source
                        .problem(
                            format!("`{item}` can't tell items apart: its schema refuses {mark}"),
                            item,
                        )
                        .expected(
                            "a text, an integer or a uuid that takes any value; or the unique key",
                        ));
                }
            }
            Ok(Matching::Field(name.to_owned(), result))
        }
        _ => Err(source
            .problem("`match` names neither a field of both nor a position", "match")
            .expected("{ item: /…, result: /… } or { index: /… }")),
    }
}
