//! A file that can't be used: where, what was found, what was expected.
//!
//! Every reader of user-written files (contract, profile, case, waivers) fails with this.

use std::fmt;

use serde::de::DeserializeOwned;

/// Why a file can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The file as the user named it.
    pub file: String,
    /// Line and column, from 1.
    pub at: Option<(u64, u64)>,
    /// JSON pointer, where the file has no useful lines.
    pub pointer: Option<String>,
    /// What was found.
    pub found: String,
    /// What was expected instead.
    pub expected: Option<String>,
    /// A guess at what was meant, or what to do next.
    pub hint: Option<String>,
}

impl FileError {
    /// A problem with a whole file.
    #[must_use]
    pub fn new(file: impl Into<String>, found: impl Into<String>) -> FileError {
        FileError {
            file: file.into(),
            at: None,
            pointer: None,
            found: found.into(),
            expected: None,
            hint: None,
        }
    }

    /// Names line and column.
    #[must_use]
    pub fn at(mut self, line: u64, column: u64) -> FileError {
        self.at = (line > 0).then_some((line, column));
        self
    }

    /// Names a position in a document.
    #[must_use]
    pub fn pointer(mut self, pointer: impl Into<String>) -> FileError {
        self.pointer = Some(pointer.into());
        self
    }

    /// Says what was expected.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> FileError {
        self.expected = Some(expected.into());
        self
    }

    /// Says what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> FileError {
        self.hint = Some(hint.into());
        self
    }

    /// Proposes the nearest of `known` for `word`, where one is near.
    #[must_use]
    pub fn nearest<S: AsRef<str>>(
        mut self,
        word: &str,
        known: impl IntoIterator<Item = S>,
    ) -> FileError {
        if let Some(near) = nearest(word, known) {
            self.hint = Some(format!("did you mean `{near}`?"));
        }
        self
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        if let Some(pointer) = &self.pointer {
            write!(f, " at {pointer}")?;
        }
        write!(f, ": {}", self.found)?;
        if let Some(expected) = &self.expected {
            write!(f, "\n  expected: {expected}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for FileError {}

/// The known word nearest to `word`, where one is near enough to be a slip.
pub fn nearest<S: AsRef<str>>(word: &str, known: impl IntoIterator<Item = S>) -> Option<String> {
    known
        .into_iter()
        .map(|k| {
            let k = k.as_ref().to_owned();
            (strsim::damerau_levenshtein(&word.to_lowercase(), &k.to_lowercase()), k)
        })
        .filter(|(distance, k)| *distance <= 1 + k.chars().count() / 4)
        .min()
        .map(|(_, k)| k)
}

/// Reads YAML (of which JSON is a part) into `T`.
///
/// # Errors
/// A [`FileError`] with line, column, what was found and what was expected.
pub fn read_yaml<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, FileError> {
    // The core schema of YAML 1.2: `YES`, `NO`, `on` and `1_000` are texts.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        underscored_numbers_as_strings: true,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|e| explain_yaml(file, &e))
}

fn explain_yaml(file: &str, error: &serde_saphyr::Error) -> FileError {
    use serde_saphyr::Error as E;
    let error = error.without_snippet();
    let problem = match error {
        E::SerdeUnknownField { field, expected, .. } => {
            FileError::new(file, format!("unknown key `{field}`"))
                .expected(one_of(expected))
                .nearest(field, expected)
        }
        E::SerdeUnknownVariant { variant, expected, .. } => {
            FileError::new(file, format!("unknown word `{variant}`"))
                .expected(one_of(expected))
                .nearest(variant, expected)
        }
        E::SerdeMissingField { field, .. } => FileError::new(file, format!("`{field}` is missing"))
            .expected(format!("a key `{field}` here")),
        E::SerdeInvalidType { unexpected, expected, .. }
        | E::SerdeInvalidValue { unexpected, expected, .. } => {
            FileError::new(file, format!("found {unexpected}")).expected(expected.clone())
        }
        E::DuplicateMappingKey { key, .. } => FileError::new(
            file,
            format!("the key `{}` stands twice", key.as_deref().unwrap_or("?")),
        )
        .expected("each key once"),
        E::NullIntoString { .. } => FileError::new(file, "found nothing where a text belongs")
            .expected("a text")
            .hint("quote a text that holds a comma or a colon"),
        other => {
            let text = other.to_string();
            let first = text.lines().next().unwrap_or("not readable as YAML");
            // The position stands before the message already.
            let said = error
                .location()
                .map(|at| format!(" at line {}, column {}", at.line(), at.column()));
            let first = said.and_then(|said| first.strip_suffix(&said)).unwrap_or(first);
            FileError::new(file, first)
        }
    };
    match error.location() {
        Some(at) => problem.at(at.line(), at.column()),
        None => problem,
    }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing here".to_owned(),
        [one] => format!("`{one}`"),
        many => format!(
            "one of {}",
            many.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}
