//! Reads a record, also one whose last line was cut off by a kill.

use std::path::Path;

use super::event::{Event, VERSION};
use crate::contract::FileError;

/// Reads `DIR/record.jsonl`, or the file itself.
///
/// # Errors
/// A [`FileError`] where there is no record, its version is newer, or a line other than the last is broken.
pub fn read(path: &Path) -> Result<Vec<Event>, FileError> {
    let file = if path.is_dir() { path.join("record.jsonl") } else { path.to_path_buf() };
    let name = file.display().to_string();
    let bytes = std::fs::read(&file).map_err(|e| {
        FileError::new(&*name, e.to_string())
            .expected("a report directory with a record.jsonl, or the record itself")
    })?;
    // A kill may cut the last line in the middle of a character.
    let text = String::from_utf8_lossy(&bytes);
    check_version(&name, text.lines().next().unwrap_or_default())?;
    let mut events = Vec::new();
    let count = text.lines().count();
    for (number, line) in text.lines().enumerate() {
        match serde_json::from_str::<Event>(line) {
            Ok(event) => events.push(event),
            Err(_) if number + 1 == count && !text.ends_with('\n') => {}
            Err(error) => {
                return Err(FileError::new(&*name, error.to_string())
                    .at(number as u64 + 1, error.column() as u64)
                    .expected("an event of a batchproof record"));
            }
        }
    }
    match events.first() {
        Some(Event::RunStarted(_)) => Ok(events),
        _ => Err(FileError::new(&*name, "it does not begin with a run").expected("a record.jsonl")),
    }
}

/// Refuses a record of another format, whose fields have other names, before anything else is read.
fn check_version(name: &str, first: &str) -> Result<(), FileError> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    let Ok(Versioned { version }) = serde_json::from_str(first) else { return Ok(()) };
    if version == VERSION {
        return Ok(());
    }
    let age = if version < VERSION { "an older" } else { "a newer" };
    Err(FileError::new(
        name,
        format!("its format has version {version}: {age} batchproof wrote it"),
    )
    .expected(format!("version {VERSION}; run again, or use that batchproof")))
}
