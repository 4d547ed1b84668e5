//! Writes `record.jsonl`, one whole line at a time.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::event::Event;

/// The keys that a run sent, where its profile has a clean-up.
pub const KEYS_FILE: &str = "keys.txt";

/// What a run leaves in its directory, and the next one moves away.
const REPORTS: [&str; 9] = [
    "record.jsonl",
    KEYS_FILE,
    "report.json",
    "report.html",
    "junit.xml",
    "report.md",
    "report.sarif",
    "certificate.json",
    "certificate.html",
];

/// Appends events to a record.
pub struct Recorder {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Recorder {
    /// Begins `DIR/record.jsonl`; the file is made with the first event, so that a run which never begins
    /// leaves nothing behind.
    #[must_use]
    pub fn new(dir: &Path) -> Recorder {
        Recorder { path: dir.join("record.jsonl"), file: None }
    }

    /// Appends one event and hands it to the operating system, so that a killed run leaves it.
    ///
    /// # Errors
    /// Where the directory or the file can't be written.
    pub fn write(&mut self, event: &Event) -> std::io::Result<()> {
        if self.file.is_none() {
            if let Some(dir) = self.path.parent() {
                fs::create_dir_all(dir)?;
                move_earlier(dir)?;
            }
            self.file = Some(BufWriter::new(File::create(&self.path)?));
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        serde_json::to_writer(&mut *file, event)?;
        file.write_all(b"\n")?;
        file.flush()
    }
}

/// Moves the report of the run before into `earlier/RUN-ID`.
///
/// # Errors
/// Where a file can't be moved.
pub fn move_earlier(dir: &Path) -> std::io::Result<()> {
    let record = dir.join("record.jsonl");
    if !record.exists() {
        return Ok(());
    }
    let first = File::open(&record)
        .ok()
        .and_then(|file| BufReader::new(file).lines().next())
        .and_then(Result::ok)
        .and_then(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
    let run_id = first
        .as_ref()
        .and_then(|v| v.get("run_id"))
        .and_then(serde_json::Value::as_str)
        .filter(|id| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
        .unwrap_or("unknown")
        .to_owned();
    let mut place = dir.join("earlier").join(&run_id);
    let mut number = 1;
    while place.exists() {
        number += 1;
        place = dir.join("earlier").join(format!("{run_id}.{number}"));
    }
    fs::create_dir_all(&place)?;
    for name in REPORTS {
        let from = dir.join(name);
        if from.exists() {
            fs::rename(from, place.join(name))?;
        }
    }
    Ok(())
}
