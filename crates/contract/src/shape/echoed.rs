//! The fields of items that results repeat, as a contract file names them.
//!
//! It must not know the OpenAPI document.

use super::file::{EchoFile, UniqueKeyFile};
use super::{BatchFile, Pointer};

/// A field of items that results repeat.
pub(super) struct EchoedField {
    pub item: Pointer,
    pub result: Pointer,
    /// As the file has it.
    pub written: String,
}

/// The fields, the unique keys first.
pub(super) fn echoed<'k>(
    file: &BatchFile,
    keys: impl Iterator<Item = &'k UniqueKeyFile>,
) -> Vec<EchoedField> {
    let field = |item: &String, result: &String| EchoedField {
        item: Pointer::parse(item),
        result: Pointer::parse(result),
        written: result.clone(),
    };
    let mut echo: Vec<EchoedField> = match &file.echo {
        EchoFile::Same(list) => list.iter().map(|at| field(at, at)).collect(),
        EchoFile::Renamed(map) => map.iter().map(|(item, result)| field(item, result)).collect(),
    };
    let keys = keys.filter_map(|key| Some(field(&key.at, key.result.as_ref()?)));
    let mut all: Vec<EchoedField> = keys.collect();
    echo.retain(|other| all.iter().all(|key| key.item != other.item));
    all.extend(echo);
    all
}

/// The names of the objects around the deepest unique key, or around the deepest echoed field: their fields stand beside the
/// others.
pub(super) fn around_fields<'k>(
    keys: impl Iterator<Item = &'k UniqueKeyFile>,
    echo: &[EchoedField],
) -> Vec<String> {
    let named = keys.map(|key| Pointer::parse(&key.at));
    let named = named.chain(echo.iter().map(|field| field.item.clone()));
    let way = |pointer: Pointer| match pointer.steps().split_last() {
        Some((_, way)) => way.to_vec(),
        None => Vec::new(),
    };
    named.map(way).max_by_key(Vec::len).unwrap_or_default()
}
