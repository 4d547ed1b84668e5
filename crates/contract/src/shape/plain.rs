//! Endpoints whose shape is the one that everything knows: they need names, and no translation.
//!
//! It must not know the OpenAPI document.

use super::echoed::EchoedField;
use super::file::PlaceFile;
use super::told::Verdicts;
use super::{BatchFile, Pointer, name};
use crate::BatchContract;
use crate::batch::{ElapsedFields, VerdictField};

/// The names of an endpoint whose shape is the one that everything knows.
pub(super) struct Plain {
    results: String,
    verdict: VerdictField,
    error: (Option<String>, Option<String>),
    elapsed: ElapsedFields,
}

impl Plain {
    pub fn apply(self, batch: &mut BatchContract) {
        batch.results = self.results;
        batch.verdict = self.verdict;
        batch.error.code = self.error.0.unwrap_or_else(|| name::CODE.to_owned());
        batch.error.description = self.error.1.unwrap_or_else(|| name::DESCRIPTION.to_owned());
        batch.elapsed = self.elapsed;
    }
}

/// Those names, where the file says nothing that needs another shape.
pub(super) fn plain(
    file: &BatchFile,
    places: &[PlaceFile],
    verdict: &Verdicts,
    echo: &[EchoedField],
) -> Option<Plain> {
    let [PlaceFile { at, keyed: false, lines: false, says: None, under, zip, .. }] = places else {
        return None;
    };
    let (Some(accepted), Some(rejected)) = verdict else { return None };
    let ((field, accepted), (other, rejected)) = (accepted.plain()?, rejected.plain()?);
    let same = echo.iter().all(|field| field.item == field.result && field.item.name().is_some());
    let name = |text: &Option<String>| match text {
        Some(text) => Pointer::parse(text).name().map(|name| Some(name.to_owned())),
        None => Some(None),
    };
    let error = (name(&file.error.code)?, name(&file.error.description)?);
    let elapsed =
        ElapsedFields { item: name(&file.elapsed.item)?, total: name(&file.elapsed.total)? };
    let results = Pointer::parse(at).name()?.to_owned();
    (under == &[200] && zip.is_empty() && field == other && same).then(|| Plain {
        results,
        verdict: VerdictField {
            field: field.to_owned(),
            accepted: accepted.to_owned(),
            rejected: rejected.to_owned(),
        },
        error,
        elapsed,
    })
}
