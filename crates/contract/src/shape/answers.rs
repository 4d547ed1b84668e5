//! Whether the names that a contract gives for whole answers, and for samples, are slips of names that the document has.
//!
//! What an answer may hold without a word in its schema is no mistake: only what looks like a documented name is one.

use serde_json::Value;

use super::documented::{ContractSource, ResultSchemas};
use super::file::{BatchFile, PlaceFile};
use super::pointer::Pointer;
use crate::file_error::{FileError, nearest};
use crate::{Operation, SchemaDocument};

/// Checks where a refusal has its code and description, and an answer its elapsed time.
pub(super) fn check_answers(
    file: &BatchFile,
    operation: &Operation,
    source: &ContractSource<'_>,
    places: &[PlaceFile],
) -> Result<(), FileError> {
    let usual = [400];
    let refusals = if file.refusal.status.is_empty() { &usual[..] } else { &file.refusal.status };
    let successes: Vec<u16> = places.iter().flat_map(|place| place.under.iter().copied()).collect();
    let refusal = [&file.refusal.code, &file.refusal.description];
    let named = refusal.into_iter().flatten().map(|written| (refusals, written));
    let total = file.elapsed.total.iter().map(|written| (successes.as_slice(), written));
    for (statuses, written) in named.chain(total) {
        let bodies: Vec<String> = statuses
            .iter()
            .filter_map(|status| Some(operation.responses.get(status)?.pointer.clone()))
            .collect();
        let schemas = ResultSchemas { operation, places: &bodies, source };
        schemas.check_slip(&Pointer::parse(written), written).map_err(|mut error| {
            error.found = error.found.replace("the results have", "the answers have");
            error
        })?;
    }
    Ok(())
}

/// Checks the names of fields that have samples.
pub(super) fn check_samples(
    file: &BatchFile,
    source: &ContractSource<'_>,
    document: &SchemaDocument,
    item: &Value,
) -> Result<(), FileError> {
    let mut known: Vec<String> = Vec::new();
    for alternative in crate::alternatives(document, item) {
        let properties = alternative.get("properties").and_then(Value::as_object);
        known.extend(properties.into_iter().flatten().map(|(name, _)| name.clone()));
    }
    for name in file.samples.keys().filter(|name| !known.contains(*name)) {
        if let Some(near) = nearest(name, &known) {
            return Err(source
                .problem(format!("the items have no field `{name}`"), name)
                .expected("a property of the item schema")
                .nearest(name, Some(near)));
        }
    }
    Ok(())
}
