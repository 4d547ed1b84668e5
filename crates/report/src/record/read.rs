//! Reads a record, also one whose last line was cut off by a kill.

use std::path::Path;

use super::event::{Event, VERSION};
use crate::contract::Problem;

/// Reads `DIR/record.jsonl`, or the file itself.
///
/// # Errors
/// A [`Problem`] where there is no record, its version is newer, or a line other than the last is broken.
pub fn read(path: &Path) -> Result<Vec<Event>, Problem> {
    let file = if path.is_dir() { path.join("record.jsonl") } else { path.to_path_buf() };
    let name = file.display().to_string();
    let bytes = std::fs::read(&file).map_err(|e| {
        Problem::new(&*name, e.to_string())
            .expected("a report directory with a record.jsonl, or the record itself")
    })?;
    // A kill may cut the last line in the middle of a character.
    let text = String::from_utf8_lossy(&bytes);
    let mut events = Vec::new();
    let count = text.lines().count();
    for (number, line) in text.lines().enumerate() {
        match serde_json::from_str::<Event>(line) {
            Ok(event) => events.push(event),
            Err(_) if number + 1 == count && !text.ends_with('\n') => {}
            Err(error) => {
                return Err(Problem::new(&*name, error.to_string())
                    .at(number as u64 + 1, error.column() as u64)
                    .expected("an event of a batchproof record"));
            }
        }
    }
    match events.first() {
        Some(Event::RunStarted(head)) if head.version <= VERSION => Ok(events),
        Some(Event::RunStarted(head)) => {
            Err(Problem::new(&*name, format!("its format has version {}", head.version))
                .expected(format!("at most {VERSION}: a newer batchproof wrote it")))
        }
        _ => Err(Problem::new(&*name, "it does not begin with a run").expected("a record.jsonl")),
    }
}
