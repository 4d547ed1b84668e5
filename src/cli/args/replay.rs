//! The options of `replay` and `cleanup`: what is sent for a run that took place.

use std::path::PathBuf;

use clap::Args;

use super::values::variable;
use super::{ConfigArgs, SendingArgs};

#[derive(Args)]
pub struct ReplayArgs {
    /// A report directory, or its record.jsonl.
    pub dir: PathBuf,
    /// A value for `${variable:NAME}` in case files of the run (repeatable).
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub variable: Vec<(String, String)>,
    /// Id of a finding or the beginning of it, or of a rule [default: all findings].
    pub id: Option<String>,
    /// URL of another target [default: that of the run].
    #[arg(long, value_name = "URL", env = "BATCHPROOF_TARGET")]
    pub target: Option<String>,
    /// Contract of another endpoint: a directory with openapi.yaml and batch.yaml.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
    /// Profile of the target (YAML) [default: that of the run].
    #[arg(long, value_name = "F")]
    pub profile: Option<PathBuf>,
    /// Where options are set beside the command line.
    #[command(flatten)]
    pub configuration: ConfigArgs,
    /// How requests are sent.
    #[command(flatten)]
    pub sending: SendingArgs,
}

#[derive(Args)]
pub struct CleanupArgs {
    /// A report directory: with the record and the keys of a run.
    pub dir: PathBuf,
    /// URL of another target [default: that of the run].
    #[arg(long, value_name = "URL", env = "BATCHPROOF_TARGET")]
    pub target: Option<String>,
    /// Contract of another endpoint: a directory with openapi.yaml and batch.yaml.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
    /// Profile of the target (YAML) [default: that of the run].
    #[arg(long, value_name = "F")]
    pub profile: Option<PathBuf>,
    /// Where options are set beside the command line.
    #[command(flatten)]
    pub configuration: ConfigArgs,
    /// How requests are sent.
    #[command(flatten)]
    pub sending: SendingArgs,
}
