//! The options of `run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{duration, last_day, partition, variable};
use super::{AgainstArgs, ConfigArgs, OutputArgs, REPORT_DIR, SendingArgs};
use crate::case::Depth;
use crate::cli::filter::CaseFilter;
use crate::waiver::Day;

#[derive(Args)]
pub struct RunArgs {
    /// Case files, directories of case files, or ids and groups of `batchproof list` [default: all
    /// shipped cases except soak and giant ones].
    #[arg(value_name = "PATH|ID")]
    pub cases: Vec<String>,
    /// Base URL, or full URL of the endpoint [default: the embedded reference server].
    #[arg(long, value_name = "URL", env = "BATCHPROOF_TARGET")]
    pub target: Option<String>,
    /// Contract of another endpoint: a directory with openapi.yaml and batch.yaml.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
    /// Profile of the target (YAML): values, omitted fields, error codes, limits.
    #[arg(long, value_name = "F")]
    pub profile: Option<PathBuf>,
    /// Authentication file of Web Fuzzing Commons: the fixed headers of its first user are sent with every request.
    #[arg(long, value_name = "F")]
    pub auth_file: Option<PathBuf>,
    /// Another user of --auth-file, by name.
    #[arg(long, value_name = "NAME", requires = "auth_file")]
    pub auth_user: Option<String>,
    /// Known findings (YAML): rule, case, pointer, reason, owner, expiry date.
    #[arg(long, value_name = "F")]
    pub waivers: Option<PathBuf>,
    /// Write all problems of the run into a waivers file (a baseline), so that a later run accepts them.
    #[arg(long, value_name = "F")]
    pub write_waivers: Option<PathBuf>,
    /// How long the waivers of --write-waivers hold: a time such as 30d, or the last day.
    #[arg(
        long,
        value_name = "TIME|DATE",
        default_value = "30d",
        value_parser = last_day,
        requires = "write_waivers"
    )]
    pub expires: Day,
    /// How much to test [default: standard; for a certificate: deep].
    #[arg(long, value_enum)]
    pub depth: Option<Depth>,
    /// Seed of all generated values; every run prints its seed.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Prefix of all unique keys [default: bptest-YYMMDD- and six characters].
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,
    /// How the target refuses broken items, request or item: at depth quick the plan depends on it. Parts of one run need
    /// it [default: what the preflight observes; with --partition, request].
    #[arg(long, value_name = "MODE")]
    pub refusal_mode: Option<crate::contract::RefusalMode>,
    /// Executions of each case, instead of the number that it states for the depth.
    #[arg(long, value_name = "N")]
    pub runs: Option<u64>,
    /// Simultaneous requests [default: 16 on loopback, 4 elsewhere].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// End the run after this time, such as 10m or 1h30m, and report what was seen.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub max_time: Option<Duration>,
    /// Run the cases named for this time, such as 10m, again and again, and end with a verdict: for
    /// soak cases.
    #[arg(
        id = "for",
        long = "for",
        value_name = "TIME",
        value_parser = duration,
        conflicts_with = "runs"
    )]
    pub duration: Option<Duration>,
    /// End the run after N distinct findings.
    #[arg(long, value_name = "N")]
    pub max_findings: Option<usize>,
    /// Fail the run for SHOULD findings too.
    #[arg(long)]
    pub strict: bool,
    /// Run only part I of N; all parts share an explicit --seed and --run-id. `index/N` takes I from
    /// `JOB_COMPLETION_INDEX` of Kubernetes, which counts from 0.
    #[arg(long, value_name = "I/N", value_parser = partition)]
    pub partition: Option<(u32, u32)>,
    /// A value for `${variable:NAME}` in case files (repeatable).
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub variable: Vec<(String, String)>,
    /// Run only cases for which this holds: `case:order/* and not level:should`, with `case`, `family`, `rule`, `level`,
    /// `*`, `and`, `or`, `not` and parentheses; a word alone is a case.
    #[arg(long, value_name = "EXPR")]
    pub include: Option<CaseFilter>,
    /// Leave out cases for which this holds.
    #[arg(long, value_name = "EXPR")]
    pub exclude: Option<CaseFilter>,
    /// Print what would be sent for each case, and send nothing.
    #[arg(long, conflicts_with_all = ["format", "write_waivers"])]
    pub plan: bool,
    /// Run the case files named at each save, and print a line for each run. Ctrl-C ends it with the last exit code.
    #[arg(long, requires = "cases", conflicts_with_all = ["plan", "partition", "for", "write_waivers"])]
    pub watch: bool,
    /// Write each finding as a case file that fails the same way, into this directory.
    #[arg(long, value_name = "DIR")]
    pub export_cases: Option<PathBuf>,
    /// The name of --export-cases in earlier versions.
    #[arg(long, hide = true, value_name = "DIR", value_parser = renamed_to_export_cases)]
    pub save_cases: Option<PathBuf>,
    /// Directory for the record and the reports; the previous run moves to earlier/ there.
    #[arg(long, value_name = "DIR", default_value = REPORT_DIR)]
    pub report_dir: PathBuf,
    /// Write every exchange of the run into this file, as HAR 1.2 without secrets; `batchproof judge` reads it.
    #[arg(long, value_name = "F", conflicts_with = "plan")]
    pub har: Option<PathBuf>,
    /// What it is compared with.
    #[command(flatten)]
    pub comparison: AgainstArgs,
    /// What to print on standard output.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Print each option with its value and where that comes from, and send nothing.
    #[arg(long, help_heading = "Configuration")]
    pub print_config: bool,
    /// Where options are set beside the command line.
    #[command(flatten)]
    pub configuration: ConfigArgs,
    /// How requests are sent.
    #[command(flatten)]
    pub sending: SendingArgs,
}

/// The old name of an option is an error that names the new one.
fn renamed_to_export_cases(_: &str) -> Result<PathBuf, String> {
    Err("--save-cases is now called --export-cases".to_owned())
}
