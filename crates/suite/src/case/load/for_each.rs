//! `for-each` in case files: a case, or a step of one, for each row of a data file.
//!
//! Works on the text: what it makes of a case file is a case file again, each step written out. It must not know what
//! steps mean.

use std::ops::Range;
use std::path::Path;

use serde::Deserialize;

use super::fill::{Meaning, Unfilled, Why, fill, readable};
use super::rows::{Row, Rows, is_taken};
use crate::case::Named;
use crate::contract::file_error::{FileError, nearest, read_yaml};

/// A case file, written out.
pub(super) struct Expanded {
    /// What belongs behind the id: the row of a case that runs for each; empty for others.
    pub suffix: String,
    /// The row, for readers: `row 3 of accounts.csv`; empty for others.
    pub row: String,
    /// The text of the case.
    pub text: String,
    /// The line of the file that each line comes from, where they differ.
    pub lines: Option<Vec<u64>>,
    /// What each step is called, where that is not its number.
    pub labels: Vec<String>,
}

/// As much of a case file as says what it runs for.
#[derive(Deserialize)]
struct CaseOutline {
    #[serde(default, rename = "for-each")]
    for_each: Option<Named>,
    #[serde(default)]
    steps: Option<Vec<StepOutline>>,
}

#[derive(Deserialize)]
struct StepOutline {
    #[serde(default, rename = "for-each")]
    for_each: Option<Named>,
}

/// Writes out what a case file says once; nothing where it has no `for-each`.
///
/// # Errors
/// A [`FileError`] where a data file can't be read, or a name in the case is no column.
pub(super) fn expand(
    file: &str,
    dir: Option<&Path>,
    text: &str,
) -> Result<Option<Vec<Expanded>>, FileError> {
    if !text.contains("for-each") {
        return Ok(None);
    }
    // What can't be read is explained where all of it is read.
    let Ok(outline) = read_yaml::<CaseOutline>(file, &readable(text)) else { return Ok(None) };
    let steps = outline.steps.unwrap_or_default();
    let of_steps = steps.iter().any(|step| step.for_each.is_some());
    if !of_steps && outline.for_each.is_none() {
        return Ok(None);
    }
    let source = CaseSource { file, dir };
    let Some(named) = outline.for_each else {
        return source.steps(text, &steps).map(|one| Some(vec![one]));
    };
    let rows = source.rows(&named)?;
    let all = 0..text.lines().count();
    let mut cases = Vec::with_capacity(rows.list.len());
    for (at, row) in rows.list.iter().enumerate() {
        let filled = source.fill(text, &all, &rows, row, !of_steps)?;
        let mut one = source.steps(&filled, &steps)?;
        one.suffix = format!("-row-{}", at + 1);
        one.row = format!("row {} of {} (line {})", at + 1, named.name, row.line);
        cases.push(one);
    }
    Ok(Some(cases))
}

struct CaseSource<'a> {
    file: &'a str,
    dir: Option<&'a Path>,
}

impl CaseSource<'_> {
    fn problem(&self, named: &Named, found: impl Into<String>) -> FileError {
        FileError::new(self.file, found).at(named.line, named.column)
    }

    fn rows(&self, named: &Named) -> Result<Rows, FileError> {
        let Some(dir) = self.dir else {
            return Err(self
                .problem(named, "`for-each` in a case that is not read from a file")
                .expected("a case file, whose directory has the data file"));
        };
        let path = dir.join(&named.name);
        if !path.is_file() {
            let beside = std::fs::read_dir(directory(&path)).into_iter().flatten();
            let names: Vec<String> =
                beside.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
            return Err(self
                .problem(named, format!("the file {} does not exist", path.display()))
                .expected(
                    "a .csv, .jsonl or .json file; its path starts from the case file's directory",
                )
                .nearest(&named.name, names));
        }
        Rows::read(&path, &path.display().to_string())
    }

    /// Fills in a row; names that are no columns are mistakes where `all` of them have to be.
    fn fill(
        &self,
        text: &str,
        lines: &Range<usize>,
        rows: &Rows,
        row: &Row,
        all: bool,
    ) -> Result<String, FileError> {
        let meaning = |name: &str| match row.cell(name) {
            Some(cell) => Meaning::Is(cell.clone()),
            None if all && is_bare(name) || rows.columns.iter().any(|c| c == name) => {
                Meaning::Unknown
            }
            None => Meaning::Other,
        };
        fill(text, lines, &meaning).map_err(|unfilled| self.unfilled(&unfilled, rows, row))
    }

    fn unfilled(&self, unfilled: &Unfilled, rows: &Rows, row: &Row) -> FileError {
        let Unfilled { line, column, name, why } = unfilled;
        let wrong = |found: String| FileError::new(self.file, found).at(*line, *column);
        let data = format!("{}:{}", rows.file, row.line);
        match why {
            Why::Control => wrong(format!("the value of `{name}` in {data} has a line end"))
                .expected(format!("\"${{{name}}}\" in double quotes, which can hold one")),
            Why::Unknown if rows.columns.contains(name) => {
                wrong(format!("the row {data} has no `{name}`"))
                    .expected("the same keys in each row")
            }
            Why::Unknown => {
                let near = nearest(name, &rows.columns);
                let hint = near.map(|near| format!("did you mean `{near}`?"));
                let mut error = wrong(format!("{} has no column `{name}`", rows.file))
                    .expected(format!("one of {}", rows.columns.join(", ")));
                error.hint = hint;
                error
            }
        }
    }

    /// Writes out the steps that run for each row.
    fn steps(&self, text: &str, steps: &[StepOutline]) -> Result<Expanded, FileError> {
        let mut expanded = Expanded {
            suffix: String::new(),
            row: String::new(),
            text: text.to_owned(),
            lines: None,
            labels: Vec::new(),
        };
        if steps.iter().all(|step| step.for_each.is_none()) {
            return Ok(expanded);
        }
        let written: Vec<&str> = text.split_inclusive('\n').collect();
        let (mut out, mut origins) = (String::with_capacity(text.len() * 2), Vec::new());
        let mut next = 0;
        for (number, step) in steps.iter().enumerate() {
            let number = number + 1;
            let Some(named) = &step.for_each else {
                expanded.labels.push(format!("step {number}"));
                continue;
            };
            let lines = self.lines_of(named, &written, next)?;
            let rows = self.rows(named)?;
            take(&written, next..lines.start, &mut out, &mut origins);
            for (at, row) in rows.list.iter().enumerate() {
                let filled = self.fill(text, &lines, &rows, row, true)?;
                let filled: Vec<&str> = filled.split_inclusive('\n').collect();
                take(&filled, lines.clone(), &mut out, &mut origins);
                expanded.labels.push(format!("step {number}, row {} of {}", at + 1, named.name));
            }
            next = lines.end;
        }
        take(&written, next..written.len(), &mut out, &mut origins);
        (expanded.text, expanded.lines) = (out, Some(origins));
        Ok(expanded)
    }

    /// The lines of the step to which a `for-each` belongs, from 0.
    fn lines_of(
        &self,
        named: &Named,
        written: &[&str],
        from: usize,
    ) -> Result<Range<usize>, FileError> {
        let here =
            usize::try_from(named.line).unwrap_or(1).saturating_sub(1).min(written.len() - 1);
        let indent = |line: &str| line.len() - line.trim_start().len();
        let is_step = |line: &str| line.trim_start().starts_with("- ");
        let own = indent(written[here]);
        let start = (from..=here)
            .rev()
            .find(|at| is_step(written[*at]) && (*at == here || indent(written[*at]) < own));
        let Some(start) = start else {
            return Err(self
                .problem(named, "`for-each` in a step that shares its line with others")
                .expected("a step on lines of its own: `- for-each: rows.csv`"));
        };
        let dash = indent(written[start]);
        let is_outside = |line: &str| {
            let text = line.trim_start();
            !text.trim_end().is_empty() && !text.starts_with('#') && indent(line) <= dash
        };
        let end = (start + 1..written.len()).find(|at| is_outside(written[*at]));
        Ok(start..end.unwrap_or(written.len()))
    }
}

/// Adds lines, each with the number it has in the file.
fn take(lines: &[&str], range: Range<usize>, out: &mut String, origins: &mut Vec<u64>) {
    for at in range {
        let Some(line) = lines.get(at) else { return };
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push('\n');
        }
        origins.push(at as u64 + 1);
    }
}

/// The directory of a file; one that is named alone is in the working directory.
fn directory(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether a name can only be that of a column.
fn is_bare(name: &str) -> bool {
    !is_taken(name)
        && !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '))
}
