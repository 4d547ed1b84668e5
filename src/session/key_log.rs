//! The keys that a run sent, in a file: what a clean-up removes, also after a run that was killed.
//!
//! One key a line. A key that begins with a quotation mark or holds a control character is written as a JSON string.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::locked;
use crate::record::KEYS_FILE;

/// Takes down keys before they are sent.
pub struct KeyLog {
    path: PathBuf,
    file: Mutex<BufWriter<File>>,
}

impl KeyLog {
    /// Begins the file in a report directory.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn create(dir: &Path) -> io::Result<KeyLog> {
        let path = dir.join(KEYS_FILE);
        let file = Mutex::new(BufWriter::new(File::create(&path)?));
        Ok(KeyLog { path, file })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds keys, and hands them to the operating system.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn add<'a>(&self, keys: impl Iterator<Item = &'a str>) -> io::Result<()> {
        let mut file = locked(&self.file);
        write_keys(&mut *file, keys)?;
        file.flush()
    }
}

fn write_keys<'a>(file: &mut impl Write, keys: impl Iterator<Item = &'a str>) -> io::Result<()> {
    for key in keys {
        if key.starts_with('"') || key.chars().any(char::is_control) {
            serde_json::to_writer(&mut *file, key)?;
        } else {
            file.write_all(key.as_bytes())?;
        }
        file.write_all(b"\n")?;
    }
    Ok(())
}

/// The keys of a report directory, each once; so are they in the file from then on.
///
/// # Errors
/// Where the file is there and can't be read, or be written.
pub fn read_keys(dir: &Path) -> io::Result<Vec<String>> {
    let bytes = match std::fs::read(dir.join(KEYS_FILE)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut seen = HashSet::new();
    let keys = text.split('\n').filter(|line| !line.is_empty()).map(|line| match line {
        // A kill may have cut the last line.
        quoted if quoted.starts_with('"') => serde_json::from_str(quoted).unwrap_or_default(),
        plain => plain.to_owned(),
    });
    let mut lines = 0;
    let keys: Vec<String> = keys
        .inspect(|_| lines += 1)
        .filter(|key| !key.is_empty() && seen.insert(key.clone()))
        .collect();
    if keys.len() < lines {
        // Each key stands there once, so that its lines can be counted.
        let path = dir.join(KEYS_FILE);
        let beside = path.with_extension("new");
        let mut file = BufWriter::new(File::create(&beside)?);
        write_keys(&mut file, keys.iter().map(String::as_str))?;
        file.flush()?;
        std::fs::rename(beside, path)?;
    }
    Ok(keys)
}
