//! What a command prints, and how.

use clap::{Args, ValueEnum};

use crate::report::OutputFormat;

/// What a run prints on standard output; progress and warnings go to standard error.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// What to print on standard output.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "human")]
    pub format: FormatName,
}

/// The name of a form of standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// Problems, rules and the run, for people.
    Human,
    /// What report.json holds.
    Json,
    /// JSON lines: the run, each problem, finding, rule and case, the conclusion.
    Jsonl,
    /// Annotations of GitHub Actions.
    Github,
    /// SARIF 2.1.0, as report.sarif holds it.
    Sarif,
    /// Test Anything Protocol 14.
    Tap,
}

impl From<FormatName> for OutputFormat {
    fn from(name: FormatName) -> OutputFormat {
        match name {
            FormatName::Human => OutputFormat::Human,
            FormatName::Json => OutputFormat::Json,
            FormatName::Jsonl => OutputFormat::Jsonl,
            FormatName::Github => OutputFormat::Github,
            FormatName::Sarif => OutputFormat::Sarif,
            FormatName::Tap => OutputFormat::Tap,
        }
    }
}
