//! `batchproof.toml`: finds it, reads it, and says where what is wrong in it stands.
//!
//! It must not know what the options mean: the command line's own parser reads their values.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, Table, Value};

use crate::contract::FileError;
use crate::contract::file_error::nearest;

/// The name of the file.
pub const NAME: &str = "batchproof.toml";
/// The table of sections that `--config-profile` chooses from.
const PROFILES: &str = "profiles";

/// One setting of the file.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The name of an option, without dashes before it.
    pub key: String,
    /// Its values as the command line would have them.
    pub values: Vec<String>,
    /// The section it stands in; none for the file itself.
    pub section: Option<String>,
    /// Line and column, from 1.
    pub at: (u64, u64),
}

/// A file that was read.
#[derive(Debug)]
pub struct ConfigFile {
    /// As errors name it.
    pub shown: String,
    /// What relative paths in it start from; none where that is the working directory.
    pub dir: Option<PathBuf>,
    /// All settings, in their order.
    pub settings: Vec<Setting>,
    /// Names of all sections.
    pub sections: Vec<String>,
}

/// The nearest file at or above `start` that its owner also owns, as a stranger's file could name a command to run.
pub fn find(start: &Path) -> Result<Option<PathBuf>, FileError> {
    let Some(path) = start.ancestors().map(|dir| dir.join(NAME)).find(|path| path.is_file()) else {
        return Ok(None);
    };
    if is_foreign(&path, start) {
        return Err(FileError::new(path.display().to_string(), "it belongs to another user")
            .expected("a file of your own; --config names any other"));
    }
    Ok(Some(path))
}

#[cfg(unix)]
fn is_foreign(path: &Path, start: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let owner = |path: &Path| std::fs::metadata(path).ok().map(|data| data.uid());
    let file = owner(path);
    file != Some(0) && file != owner(start)
}

#[cfg(not(unix))]
fn is_foreign(_: &Path, _: &Path) -> bool {
    false
}

/// Reads a file.
pub fn read(path: &Path, working: &Path) -> Result<ConfigFile, FileError> {
    let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let here = parent.is_none_or(|dir| dir == working || dir == Path::new("."));
    let shown = if here {
        path.file_name().map_or_else(|| NAME.to_owned(), |n| n.to_string_lossy().into_owned())
    } else {
        path.display().to_string()
    };
    let text = std::fs::read_to_string(path)
        .map_err(|e| FileError::new(&*shown, e.to_string()).expected("a readable TOML file"))?;
    let document = Document::parse(text.as_str()).map_err(|error| {
        let (line, column) = position(&text, error.span());
        FileError::new(&*shown, error.message().lines().next().unwrap_or_default().to_owned())
            .at(line, column)
            .expected("TOML, such as target = \"https://staging.example\"")
    })?;
    let mut file = ConfigFile {
        shown: shown.clone(),
        dir: if here { None } else { parent.map(Path::to_path_buf) },
        settings: Vec::new(),
        sections: Vec::new(),
    };
    let source = ConfigText { file: &shown, text: &text };
    for (key, item) in document.iter() {
        if let Some(table) = item.as_table().filter(|_| key != PROFILES) {
            return Err(source.section(document.as_table(), key, table));
        }
        if key != PROFILES {
            file.settings.push(source.setting(document.as_table(), key, item, None)?);
            continue;
        }
        let wrong = || {
            let (line, column) = position(&text, item.span());
            FileError::new(&*shown, format!("`{PROFILES}` is not a table"))
                .at(line, column)
                .expected("sections such as [profiles.ci]")
        };
        for (name, section) in item.as_table().ok_or_else(wrong)? {
            let table = section.as_table().ok_or_else(wrong)?;
            file.sections.push(name.to_owned());
            for (key, item) in table {
                file.settings.push(source.setting(table, key, item, Some(name))?);
            }
        }
    }
    Ok(file)
}

struct ConfigText<'a> {
    file: &'a str,
    text: &'a str,
}

impl ConfigText<'_> {
    /// A section where none is meant.
    fn section(&self, root: &Table, name: &str, table: &Table) -> FileError {
        let span = root.key(name).and_then(toml_edit::Key::span).or_else(|| table.span());
        let (line, column) = position(self.text, span);
        let error = FileError::new(self.file, format!("unknown section [{name}]"))
            .at(line, column)
            .expected("options at the top of the file, or in a section such as [profiles.ci]");
        if nearest(name, [PROFILES]).is_some() {
            return error.hint("did you mean `profiles`?");
        }
        match name {
            "run" | "batchproof" => error
                .hint(format!("options stand at the top of the file: take the line [{name}] away")),
            _ => error.hint(format!("for a choice of --config-profile, write [profiles.{name}]")),
        }
    }

    fn setting(
        &self,
        table: &Table,
        key: &str,
        item: &Item,
        section: Option<&str>,
    ) -> Result<Setting, FileError> {
        let span = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
        let at = position(self.text, span);
        let values = match item.as_value() {
            Some(Value::Array(list)) => list.iter().map(plain).collect(),
            Some(value) => plain(value).map(|value| vec![value]),
            None => None,
        };
        let values = values.ok_or_else(|| {
            FileError::new(self.file, format!("`{key}` has a value of the wrong kind"))
                .at(at.0, at.1)
                .expected("a text, a number, true, false, or a list of these")
        })?;
        Ok(Setting { key: key.to_owned(), values, section: section.map(str::to_owned), at })
    }
}

/// A value as the command line would have it.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.value().clone()),
        Value::Integer(number) => Some(number.value().to_string()),
        Value::Float(number) => Some(number.value().to_string()),
        Value::Boolean(flag) => Some(flag.value().to_string()),
        Value::Datetime(date) => Some(date.value().to_string()),
        Value::Array(_) | Value::InlineTable(_) => None,
    }
}

/// Line and column of a range of bytes, from 1.
fn position(text: &str, span: Option<Range<usize>>) -> (u64, u64) {
    let start = span.map_or(0, |span| span.start).min(text.len());
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
    (line, column)
}
