//! Finds and reads case files, and checks in each all that needs no target.

mod check;

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use super::names::Names;
use super::{Case, CaseSpec};
use crate::contract::file_error::{FileError, nearest, read_yaml};
use crate::contract::hex;
use check::Checker;

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../cases");

/// All shipped cases, by id.
///
/// # Errors
/// Only where a shipped file itself is broken.
pub fn shipped() -> Result<Vec<Case>, FileError> {
    let mut cases = Vec::new();
    collect_shipped(&SHIPPED, &mut cases)?;
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(cases)
}

fn collect_shipped(dir: &Dir<'_>, cases: &mut Vec<Case>) -> Result<(), FileError> {
    for file in dir.files() {
        let path = file.path();
        if path.extension().is_some_and(|e| e == "yaml") {
            let text = file.contents_utf8().unwrap_or("");
            let id = path.with_extension("").display().to_string();
            cases.push(load(&id, &format!("cases/{}", path.display()), None, text)?);
        }
    }
    dir.dirs().try_for_each(|d| collect_shipped(d, cases))
}

/// The cases that `words` name: ids of shipped cases (or their groups), files, or directories.
///
/// # Errors
/// A [`FileError`] for a word that names nothing, with the nearest id, and for any unusable file.
pub fn load_paths(
    words: &[String],
    variables: &[(String, String)],
) -> Result<Vec<Case>, FileError> {
    let all = shipped()?;
    let mut cases: Vec<Case> = Vec::new();
    for word in words {
        let path = Path::new(word);
        let found = if path.is_dir() {
            let mut files = Vec::new();
            yaml_files(path, &mut files).map_err(|e| {
                FileError::new(word, e.to_string()).expected("a readable directory")
            })?;
            if files.is_empty() {
                return Err(FileError::new(word, "there is no case file in this directory")
                    .expected("files that end in .yaml or .yml, there or in its directories"));
            }
            files.sort();
            files
                .iter()
                .map(|f| load_file(f, Some(path), variables))
                .collect::<Result<Vec<_>, _>>()?
        } else if path.is_file() {
            vec![load_file(path, None, variables)?]
        } else {
            find(&all, word)?
        };
        for case in found {
            if !cases.iter().any(|c| c.id == case.id) {
                cases.push(case);
            }
        }
    }
    Ok(cases)
}

/// The shipped cases that `word` names: one by its id, or all of a group.
///
/// # Errors
/// A [`FileError`] with the nearest id where it names none.
pub fn find(all: &[Case], word: &str) -> Result<Vec<Case>, FileError> {
    let word_id = word.trim_end_matches(".yaml").trim_start_matches("cases/").trim_end_matches('/');
    let found: Vec<Case> =
        all.iter().filter(|c| c.id == word_id || c.group() == word_id).cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let looks_like_path = word.contains('.') || word.starts_with('/');
    let ids: Vec<&str> = all.iter().flat_map(|c| [c.id.as_str(), c.group()]).collect();
    let mut problem = FileError::new(
        word,
        if looks_like_path { "there is no such file" } else { "no case has this id" },
    )
    .expected("a case file, a directory of case files, or an id or group of `batchproof list`");
    problem.hint = nearest(word_id, ids).map(|near| format!("did you mean `{near}`?"));
    Err(problem)
}

fn yaml_files(dir: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            yaml_files(&path, into)?;
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            into.push(path);
        }
    }
    Ok(())
}

fn load_file(
    path: &Path,
    root: Option<&Path>,
    variables: &[(String, String)],
) -> Result<Case, FileError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|e| FileError::new(&*file, e.to_string()).expected("a readable case file"))?;
    let text = with_variables(&file, &text, variables)?;
    let relative = match root {
        Some(root) => path.strip_prefix(root).unwrap_or(path).to_path_buf(),
        None => path.file_name().map_or_else(|| path.to_path_buf(), PathBuf::from),
    };
    let id = relative.with_extension("").display().to_string();
    load(&id, &file, path.parent().map(Path::to_path_buf), &text)
}

/// How a variable of the command line begins in a file.
const VARIABLE: &str = "${variable:";

/// `text` with the values of variables in their places.
fn with_variables(
    file: &str,
    text: &str,
    variables: &[(String, String)],
) -> Result<String, FileError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(VARIABLE) {
        let from = start + VARIABLE.len();
        let Some(length) =
            rest[from..].find(['}', '\n']).filter(|l| rest[from + l..].starts_with('}'))
        else {
            out.push_str(&rest[..from]);
            rest = &rest[from..];
            continue;
        };
        let name = &rest[from..from + length];
        // The last one holds, as for options.
        let Some((_, value)) = variables.iter().rev().find(|(known, _)| known == name) else {
            let before = &text[..text.len() - rest.len() + start];
            let line = before.matches('\n').count() as u64 + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
            let mut error = FileError::new(file, format!("the variable `{name}` has no value"))
                .at(line, column)
                .expected(format!("--variable {name}=VALUE"))
                .nearest(name, variables.iter().map(|(name, _)| name));
            if error.hint.is_none() && !variables.is_empty() {
                let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
                error.hint = Some(format!("given: {}", names.join(", ")));
            }
            return Err(error);
        };
        out.push_str(&rest[..start]);
        out.push_str(value);
        rest = &rest[from + length + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Reads one case from its text.
///
/// # Errors
/// A [`FileError`] with line and column, what was found and what was expected.
pub fn load(id: &str, file: &str, dir: Option<PathBuf>, text: &str) -> Result<Case, FileError> {
    let spec: CaseSpec = read_yaml(file, text)
        .map_err(|problem| old_spelling(file, text).unwrap_or_else(|| misplaced(problem)))?;
    let mut case = Case {
        id: id.to_owned(),
        file: file.to_owned(),
        dir,
        hash: hex(&Sha256::digest(text.as_bytes())),
        text: text.into(),
        spec,
    };
    if case.dir.is_some() {
        case.read_batches()?;
    }
    Checker { case: &case, names: Names::default() }.check()?;
    Ok(case)
}

/// Keys that belong elsewhere than where a slip puts them, and where.
const ELSEWHERE: [(&str, &str); 7] = [
    ("set", "an item: `batch: [{ set: { … } }]`"),
    ("set-raw", "an item: `batch: [{ set-raw: { … } }]`"),
    ("unset", "an item: `batch: [{ unset: [ … ] }]`"),
    ("like", "an item: `batch: [{ like: NAME }]`"),
    ("mutate", "an item, `batch: [{ mutate: NAME }]`, or the case, beside `generate`"),
    ("relation", "the case, beside `generate`"),
    ("runs", "the case, or `generate: { items: 2, runs: 10 }`"),
];

/// Says where an unknown key belongs.
fn misplaced(problem: FileError) -> FileError {
    let key = problem.found.strip_prefix("unknown key `").and_then(|rest| rest.strip_suffix('`'));
    let place = ELSEWHERE.iter().find(|(known, _)| Some(*known) == key);
    match place {
        Some((key, place)) if problem.hint.is_none() => {
            problem.hint(format!("`{key}` belongs to {place}"))
        }
        _ => problem,
    }
}

/// Keys of steps by their old names, and what they are called now.
const RENAMED: [(&str, &str); 2] = [("renumber", "fresh-keys"), ("hang-up", "disconnect")];

/// The first key of a step that has a new name.
fn old_spelling(file: &str, text: &str) -> Option<FileError> {
    fn find(steps: Option<&serde_json::Value>) -> Option<(&str, &'static str)> {
        steps?.as_array()?.iter().filter_map(|step| step.as_object()).find_map(|step| {
            let old = step.keys().find_map(|key| {
                Some((key.as_str(), RENAMED.iter().find(|(old, _)| old == key)?.1))
            });
            old.or_else(|| find(step.get("simultaneously")))
        })
    }
    let document: serde_json::Value = read_yaml(file, text).ok()?;
    let (old, new) = find(document.get("steps"))?;
    let at = text.lines().enumerate().find_map(|(line, text)| Some((line, text.find(old)?)));
    let (line, column) = at.unwrap_or_default();
    Some(
        FileError::new(file, format!("`{old}` is now called `{new}`"))
            .at(line as u64 + 1, column as u64 + 1)
            .expected(format!("`{new}`")),
    )
}

/// The JSON Schema of case files, for editors.
#[must_use]
pub fn schema() -> String {
    crate::contract::published(schemars::schema_for!(CaseSpec))
}
