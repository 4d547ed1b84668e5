//! Several runs: parts of a run are merged, two runs of a target are compared, and runs of several targets become
//! a matrix.
//!
//! Made from records and nothing else. It must not know how any of it is shown.

mod diff;
mod matrix;
mod merge;

use chrono::DateTime;

use crate::contract::FileError;
use crate::record::{Event, RunHead, Summary};

pub use diff::{Diff, RuleChange, UnresolvedFinding};
pub use matrix::{Matrix, MatrixCell, MatrixColumn, MatrixRow};
pub use merge::merge;

/// A run as it was recorded.
pub struct Recorded {
    /// What the user called it: a directory, or a record.
    pub name: String,
    /// Its events.
    pub events: Vec<Event>,
    /// What they add up to.
    pub summary: Summary,
}

impl Recorded {
    /// A run of these events.
    ///
    /// # Errors
    /// A [`FileError`] where they don't begin with a run.
    pub fn new(name: String, events: Vec<Event>) -> Result<Recorded, FileError> {
        let summary = Summary::from_events(&events).ok_or_else(|| {
            FileError::new(&*name, "the record is empty").expected("a record of a run")
        })?;
        Ok(Recorded { name, events, summary })
    }

    fn head(&self) -> &RunHead {
        &self.summary.head
    }
}

/// How several runs are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparisonMode {
    /// Parts of one run.
    Parts,
    /// Two runs of one target.
    SameTarget,
    /// Runs of several targets, or more than two runs.
    Several,
}

/// Two runs, the earlier first.
#[must_use]
pub fn in_time<'a>(one: &'a Recorded, other: &'a Recorded) -> (&'a Recorded, &'a Recorded) {
    let began = |run: &Recorded| DateTime::parse_from_rfc3339(&run.head().started).ok();
    match (began(one), began(other)) {
        (Some(a), Some(b)) if b < a => (other, one),
        _ => (one, other),
    }
}

/// How to compare `runs`.
///
/// # Errors
/// A [`FileError`] where only some of them are parts of a divided run.
pub fn comparison_mode(runs: &[Recorded]) -> Result<ComparisonMode, FileError> {
    let part = runs.iter().find(|r| r.head().partition.is_some());
    let whole = runs.iter().find(|r| r.head().partition.is_none());
    match (part, whole) {
        (Some(part), Some(whole)) => {
            let (index, of) = part.head().partition.unwrap_or_default();
            Err(FileError::new(
                &*part.name,
                format!("it is part {index} of {of}, and {} is a whole run", whole.name),
            )
            .expected("all parts of one run, or whole runs")
            .hint("merge the parts first: batchproof report PART... --report-dir DIR"))
        }
        (Some(_), None) => Ok(ComparisonMode::Parts),
        _ if runs.len() == 2 && runs[0].head().target == runs[1].head().target => {
            Ok(ComparisonMode::SameTarget)
        }
        _ => Ok(ComparisonMode::Several),
    }
}
