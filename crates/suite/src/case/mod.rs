//! Cases: every scenario is a declarative file.
//!
//! Reads `cases/` (embedded in the binary) or the paths on the command line. It knows the shape of a
//! case and checks everything that can be checked without a target; it must not know how anything is
//! generated, sent or judged. Names of rules and mutations keep their position and are resolved later.

mod amount;
mod batch_file;
mod bind;
mod expect;
mod generated;
mod load;
mod named;
mod names;
mod role;
mod step;
mod template;
mod thresholds;
mod time;
mod variables;

pub use amount::{Runs, Span};
pub use batch_file::keys_in_batch;
pub use bind::{Bound, bind};
pub use expect::{
    BodyPin, Expect, HeaderPin, Outcome, Pattern, Predicates, Results, SchemaPin, StatusPin,
};
pub use generated::{Framing, Generate, Mutate, MutatedItems, Relation, ValuesSpec};
pub use load::{find, load, load_paths, schema, shipped};
pub use named::Named;
pub use names::is_of_answer;
pub use role::{FieldRole, Role};
pub use step::{BatchSpec, Credential, Disconnect, ItemSpec, Step};
pub use template::{Filter, Piece, Template};
pub use thresholds::{Share, Thresholds, TimeMeasure};
pub use time::Time;
pub use variables::{VARIABLE_PREFIX, Variables};

use crate::contract::{FileError, RefusalMode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a run spends.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// At most 200 requests and 1,000 items.
    Quick,
    /// At most 3,000 requests and 30,000 items.
    Standard,
    /// As much as it takes.
    Deep,
}

impl std::fmt::Display for Depth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Depth::Quick => "quick",
            Depth::Standard => "standard",
            Depth::Deep => "deep",
        })
    }
}

/// One scenario, as its file says it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file's path without its ending, relative to `cases/`: `unique/twice-in-one-batch`.
    pub id: String,
    /// The file as the user knows it.
    pub file: String,
    /// Directory that `batch-from` is relative to; none for shipped cases.
    pub dir: Option<std::path::PathBuf>,
    /// SHA-256 of the file's text, in hexadecimal.
    pub hash: String,
    /// The file's text, for the positions of what is wrong in it.
    pub text: std::sync::Arc<str>,
    /// The row of data that it runs for, where its file runs for several: `row 3 of accounts.csv (line 4)`.
    pub row: Option<String>,
    /// The line of the file that each line of `text` comes from, where steps were written out.
    pub lines: Option<std::sync::Arc<[u64]>>,
    /// What it says.
    pub spec: CaseSpec,
}

/// SHA-256 over cases, their ids and texts, in hexadecimal: what a run, its reports and `--version` state.
#[must_use]
pub fn hash_of_cases<'a>(cases: impl IntoIterator<Item = &'a Case>) -> String {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    for case in cases {
        hasher.update(case.id.as_bytes());
        hasher.update(case.hash.as_bytes());
    }
    crate::contract::hex(&hasher.finalize())
}

/// What a case file says.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "batchproof case file", rename = "Case")]
pub struct CaseSpec {
    /// What holds where the case passes, as a sentence.
    pub title: String,
    /// Why it matters, for readers of the report.
    #[serde(default)]
    pub about: Option<String>,
    /// The rule under which expectations are judged; without it, `CASE-001`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub asserts: Option<Named>,
    /// A data file (.csv, .jsonl, .json): the case runs for each row, `${COLUMN}` is that row's.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub for_each: Option<Named>,
    /// How often it runs; `1` at every depth where nothing is said.
    #[serde(default)]
    pub runs: Option<Runs>,
    /// The title of the only contract that it runs under.
    #[serde(default)]
    pub contract: Option<String>,
    /// What the answers of all its runs together must stay within.
    #[serde(default)]
    pub thresholds: Option<Thresholds>,
    /// Runs only when it is named on the command line.
    #[serde(default)]
    pub only_when_named: bool,
    /// Runs only in a quick run of the whole suite, against a target that refuses broken items in this way.
    #[serde(default)]
    pub refusal_mode: Option<RefusalMode>,
    /// Runs alone, with nothing else under way.
    #[serde(default)]
    pub alone: bool,
    /// The case is about the values that it sets: where a profile excludes one, the step with it is left out. Otherwise
    /// one of the profile's values takes its place.
    #[serde(default)]
    pub keep_values: bool,
    /// Requests written out one by one.
    #[serde(default)]
    pub steps: Option<Vec<Step>>,
    /// A generated batch.
    #[serde(default)]
    pub generate: Option<Generate>,
    /// Mutations of the generated batch.
    #[serde(default)]
    pub mutate: Option<Mutate>,
    /// A second request that is made from the first, and how the answers must relate.
    #[serde(default)]
    pub relation: Option<Relation>,
    /// What the answer must be.
    #[serde(default)]
    pub expect: Option<Expect>,
    /// Reads back this many of the items that were sent, at most: accepted ones, and ones that were not. Only contracts
    /// with a `read` have that.
    #[serde(default)]
    pub read_back: Option<usize>,
}

impl Case {
    /// A problem with the file, at the first place where `near` is written.
    pub(crate) fn problem(&self, found: impl Into<String>, near: &str) -> FileError {
        self.problem_from(1, found, near)
    }

    /// The same, from a line on.
    pub(crate) fn problem_from(
        &self,
        from: u64,
        found: impl Into<String>,
        near: &str,
    ) -> FileError {
        let from = usize::try_from(from).unwrap_or(1).max(1);
        let lines = || self.text.lines().enumerate().skip(from - 1);
        let at = lines().find_map(|(line, text)| Some((line + 1, text.find(near)? + 1)));
        let (line, column) = at.unwrap_or((from, 1));
        FileError::new(&*self.file, found).at(line as u64, column as u64)
    }

    /// A problem with this case at its line of the file.
    #[must_use]
    pub fn locate(&self, problem: FileError) -> FileError {
        load::located(self.lines.as_deref(), &self.file, problem)
    }

    /// The line of the file that a line of the text comes from.
    #[must_use]
    pub fn line(&self, line: u64) -> u64 {
        let index = usize::try_from(line).unwrap_or(1).saturating_sub(1);
        self.lines.as_ref().and_then(|lines| lines.get(index)).copied().unwrap_or(line)
    }

    /// How often the case runs at `depth`.
    #[must_use]
    pub fn runs(&self, depth: Depth) -> u64 {
        let runs = self.spec.generate.as_ref().and_then(|g| g.runs).or(self.spec.runs);
        runs.map_or(1, |r| r.at(depth))
    }

    /// Milliseconds that a run of the case waits between its steps.
    #[must_use]
    pub fn waits(&self) -> u64 {
        self.spec.steps.iter().flatten().filter_map(|s| s.pause).sum()
    }

    /// The first part of the id, such as `unique`.
    #[must_use]
    pub fn group(&self) -> &str {
        self.id.split('/').next().unwrap_or(&self.id)
    }
}
