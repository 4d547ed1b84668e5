//! What a run says on standard output, in the form that its reader wants: people, programs, CI servers.
//!
//! Each form is made from a [`Summary`] alone, like every report. It must not know who asked for it.

mod github;
mod jsonl;
mod sarif;
mod source;
mod tap;
mod wfc;

use std::path::Path;

use super::terminal::{TerminalStyle, terminal};
use crate::record::Summary;

pub use sarif::sarif;
pub(super) use source::file_of_case;

/// A form of standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputFormat {
    /// The summary for people.
    #[default]
    Human,
    /// What `report.json` holds.
    Json,
    /// The same in JSON lines: the run, each problem, finding, rule and case, the conclusion.
    Jsonl,
    /// Workflow commands of GitHub Actions: an annotation for each problem.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Test Anything Protocol 14.
    Tap,
    /// A report of Web Fuzzing Commons.
    Wfc,
}

/// A run in this form; its reports are in `dir`.
///
/// # Errors
/// Where it can't be written as JSON, which no run brings about.
pub fn formatted(
    summary: &Summary,
    format: OutputFormat,
    style: TerminalStyle,
    dir: &Path,
) -> std::io::Result<String> {
    Ok(match format {
        OutputFormat::Human => terminal(summary, style, dir),
        OutputFormat::Json => super::json::json(summary)?,
        OutputFormat::Jsonl => jsonl::jsonl(summary)?,
        OutputFormat::Github => github::annotations(summary, dir),
        OutputFormat::Sarif => sarif(summary)?,
        OutputFormat::Tap => tap::tap(summary, dir),
        OutputFormat::Wfc => wfc::wfc(summary)?,
    })
}

#[cfg(test)]
mod tests;
