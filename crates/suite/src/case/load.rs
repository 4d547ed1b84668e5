//! Finds and reads case files, and checks in each all that needs no target.

mod check;
mod fill;
mod for_each;
mod rows;

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use self::fill::{Meaning, Why};
use self::for_each::Expanded;
use self::rows::Cell;
use super::names::Names;
use super::variables::{VARIABLE_PREFIX, Variables};
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
pub fn load_paths(words: &[String], variables: &Variables) -> Result<Vec<Case>, FileError> {
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
                .concat()
        } else if path.is_file() {
            load_file(path, None, variables)?
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

/// The cases of a file: one, or one for each row of its data.
fn load_file(
    path: &Path,
    root: Option<&Path>,
    variables: &Variables,
) -> Result<Vec<Case>, FileError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|e| FileError::new(&*file, e.to_string()).expected("a readable case file"))?;
    let text = with_variables(&file, &text, variables)?;
    let relative = match root {
        Some(root) => path.strip_prefix(root).unwrap_or(path).to_path_buf(),
        None => path.file_name().map_or_else(|| path.to_path_buf(), PathBuf::from),
    };
    let id = relative.with_extension("").display().to_string();
    let dir = path.parent().map(Path::to_path_buf);
    let Some(expanded) = for_each::expand(&file, dir.as_deref(), &text)? else {
        return Ok(vec![load(&id, &file, dir, &text)?]);
    };
    expanded.into_iter().map(|one| load_expanded(&id, &file, dir.clone(), one)).collect()
}

/// Reads a case that was written out, row by row.
fn load_expanded(
    id: &str,
    file: &str,
    dir: Option<PathBuf>,
    expanded: Expanded,
) -> Result<Case, FileError> {
    let Expanded { suffix, row, text, lines, labels } = expanded;
    let in_file = |problem: FileError| {
        let problem = located(lines.as_deref(), file, problem);
        let found = if row.is_empty() {
            problem.found.clone()
        } else {
            format!("{} (with {row})", problem.found)
        };
        FileError { found, ..problem }
    };
    let mut case = load(&format!("{id}{suffix}"), file, dir, &text).map_err(in_file)?;
    for (step, label) in case.spec.steps.iter_mut().flatten().zip(labels) {
        step.label = Some(label);
    }
    // Reports and JUnit tell cases apart by their titles.
    if !row.is_empty() && !case.spec.title.contains(&row) {
        case.spec.title = format!("{} ({row})", case.spec.title);
    }
    (case.row, case.lines) = (Some(row).filter(|row| !row.is_empty()), lines.map(Into::into));
    Ok(case)
}

/// A problem of a text that was written out, at its line of the file.
pub(super) fn located(lines: Option<&[u64]>, file: &str, problem: FileError) -> FileError {
    let own = problem.file == file;
    let at = problem.at.filter(|_| own).map(|(line, column)| {
        let index = usize::try_from(line).unwrap_or(1).saturating_sub(1);
        (lines.and_then(|lines| lines.get(index)).copied().unwrap_or(line), column)
    });
    FileError { at: at.or(problem.at), ..problem }
}

/// `text` with the values of variables in their places.
fn with_variables(file: &str, text: &str, variables: &Variables) -> Result<String, FileError> {
    let meaning = |name: &str| match name.strip_prefix("variable:") {
        None => Meaning::Other,
        Some(name) => {
            let text = |value: &str| Meaning::Is(Cell::Text(value.to_owned()));
            variables.find(name).map_or(Meaning::Unknown, text)
        }
    };
    fill::fill(text, &(0..usize::MAX), &meaning).map_err(|unfilled| {
        let name = unfilled.name.trim_start_matches("variable:").to_owned();
        let wrong = |found: String| FileError::new(file, found).at(unfilled.line, unfilled.column);
        if matches!(unfilled.why, Why::Control) {
            return wrong(format!("the value of the variable `{name}` has a line end"))
                .expected("double quotes around it, which can hold one");
        }
        let known: Vec<String> = variables.names().collect();
        let of_environment = super::variables::of_environment(&name);
        let mut error = wrong(format!("the variable `{name}` has no value"))
            .expected(format!("--variable {name}=VALUE, or {VARIABLE_PREFIX}{of_environment}"))
            .nearest(&name, &known);
        if error.hint.is_none() && !known.is_empty() {
            error.hint = Some(format!("given: {}", known.join(", ")));
        }
        error
    })
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
        row: None,
        lines: None,
        spec,
    };
    if case.dir.is_some() {
        case.read_batches()?;
    }
    Checker { case: &case, names: Names::default() }.check()?;
    Ok(case)
}

/// Keys that belong elsewhere than where a slip puts them, and where.
const ELSEWHERE: [(&str, &str); 8] = [
    ("set", "an item: `batch: [{ set: { … } }]`"),
    ("set-raw", "an item: `batch: [{ set-raw: { … } }]`"),
    ("unset", "an item: `batch: [{ unset: [ … ] }]`"),
    ("like", "an item: `batch: [{ like: NAME }]`"),
    ("mutate", "an item, `batch: [{ mutate: NAME }]`, or the case, beside `generate`"),
    ("relation", "the case, beside `generate`"),
    ("runs", "the case, or `generate: { items: 2, runs: 10 }`"),
    ("for-each", "the case, or one of its steps"),
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
