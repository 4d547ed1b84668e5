//! What a command prints, and how.

use clap::{Args, ValueEnum};

use crate::report::{JunitOptions, OutputFormat};

/// What a run prints on standard output; progress and warnings go to standard error.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// What to print on standard output.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "human")]
    pub format: FormatName,
    /// Print only the conclusion, and no progress.
    #[arg(long, short, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print a line for each case too, and the slowest cases.
    #[arg(long, short)]
    pub verbose: bool,
    /// Colours on standard output.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub color: ColorName,
    /// Name the case file of each test in junit.xml, which GitLab and CircleCI show; Jenkins' xUnit plugin refuses it.
    #[allow(clippy::doc_markdown)] // The text of `--help`.
    #[arg(long)]
    pub junit_files: bool,
}

impl OutputArgs {
    /// What junit.xml is to hold.
    pub fn junit(&self) -> JunitOptions {
        JunitOptions { files: self.junit_files }
    }
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorName {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
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
    /// A report of Web Fuzzing Commons, schema version 0.6.0.
    Wfc,
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
            FormatName::Wfc => OutputFormat::Wfc,
        }
    }
}
