//! Reads a waivers file, and checks in each entry all that needs no run.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Day, Waiver};
use crate::contract::file_error::{FileError, read_yaml};
use crate::rules;

/// One known finding.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Waiver")]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The rule, such as `ORDER-002`.
    #[schemars(with = "String")]
    rule: Spanned<String>,
    /// The case that shows it, `*` standing for any characters; none: every case.
    #[serde(default)]
    case: Option<String>,
    /// Where it shows, as the finding's `place` has it; none: everywhere.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pointer: Option<Spanned<String>>,
    /// Why it is accepted for now.
    #[schemars(with = "String")]
    reason: Spanned<String>,
    /// Who answers for it.
    #[schemars(with = "String")]
    owner: Spanned<String>,
    /// The last day on which it holds.
    #[schemars(with = "Day")]
    expires: Spanned<String>,
    /// The finding is flaky: where it does not show, the waiver is not called stale.
    #[serde(default)]
    flaky: bool,
}

/// The waivers of a file, in its order; a file of comments holds none.
///
/// # Errors
/// A [`FileError`] with line and column: what was found and what was expected.
pub fn load(path: &Path) -> Result<Vec<Waiver>, FileError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|e| FileError::new(&*file, e.to_string()).expected("a readable waivers file"))?;
    let bare = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(|line| bare(line) || line.trim_end() == "---") {
        return Ok(Vec::new());
    }
    let entries: Vec<Entry> = read_yaml(&file, &text).map_err(|problem| no_list(problem, &text))?;
    entries.into_iter().map(|entry| check(&file, entry)).collect()
}

/// The JSON Schema of waivers files, for editors.
#[must_use]
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(Vec<Entry>);
    schema.insert("title".to_owned(), "batchproof waivers".into());
    crate::contract::published(schema)
}

fn check(file: &str, entry: Entry) -> Result<Waiver, FileError> {
    let rule = &entry.rule.value;
    if rules::find(rule).is_none() {
        return Err(problem(file, &entry.rule, format!("there is no rule `{rule}`"))
            .expected("a rule of `batchproof list --rules`")
            .nearest(rule, rules::all().iter().map(|r| r.id)));
    }
    if let Some(pointer) = &entry.pointer
        && !pointer.value.is_empty()
        && !pointer.value.starts_with('/')
    {
        return Err(problem(file, pointer, format!("`{}` is no JSON pointer", pointer.value))
            .expected("a place such as /results/*/errorCode, or no `pointer` at all"));
    }
    for (name, value, expected) in [
        ("reason", &entry.reason, "why the finding is accepted for now; every report shows it"),
        ("owner", &entry.owner, "who answers for it; every report shows it"),
    ] {
        // The snippet of a report leaves both to the person who pastes it.
        if matches!(value.value.trim(), "" | "…" | "...") {
            return Err(
                problem(file, value, format!("`{name}` is not filled in")).expected(expected)
            );
        }
    }
    let expires = entry.expires.value.parse().map_err(|found: String| {
        problem(file, &entry.expires, found)
            .expected("the last day on which the waiver holds, such as 2027-01-31")
    })?;
    Ok(Waiver {
        at: format!("{file}:{}", entry.rule.referenced.line()),
        rule: entry.rule.value,
        case: entry.case,
        pointer: entry.pointer.map(|p| p.value),
        reason: entry.reason.value,
        owner: entry.owner.value,
        expires,
        flaky: entry.flaky,
    })
}

/// Says it plainly where the whole file is something else.
fn no_list(problem: FileError, text: &str) -> FileError {
    match read_yaml::<serde_json::Value>(&problem.file, text) {
        Ok(value) if !value.is_array() => FileError { found: "no list".to_owned(), ..problem }
            .expected("a list of waivers, each beginning with `- rule: …`"),
        _ => problem,
    }
}

fn problem(file: &str, at: &Spanned<String>, found: String) -> FileError {
    FileError::new(file, found).at(at.referenced.line(), at.referenced.column())
}
