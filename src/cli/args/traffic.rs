//! The options of `judge` and `proxy`: traffic that others made.

use std::path::PathBuf;

use clap::Args;

use super::{OutputArgs, REPORT_DIR, TlsArgs};

/// What `judge --help` says behind the options.
const JUDGE_EXAMPLE: &str = "\
Example:
  batchproof judge traffic.har
  batchproof run --target https://staging.example.com --har run.har; batchproof judge run.har

Exit codes: 0 conformant, 1 nonconformant, 2 usage or an unusable file, 3 nothing could be judged.";

#[derive(Args)]
#[command(after_help = JUDGE_EXAMPLE)]
pub struct JudgeArgs {
    /// HAR files of browsers, of mitmproxy, or of `run --har`.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Judge the exchanges with this target alone, where the files hold several: base URL, or full URL of the endpoint.
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// How the exchanges are judged.
    #[command(flatten)]
    pub judging: JudgingArgs,
    /// What to print on standard output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How exchanges are judged that others made.
#[derive(Args)]
pub struct JudgingArgs {
    /// Contract of another endpoint: a directory with openapi.yaml and batch.yaml.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
    /// Profile of the target (YAML): the values that it knows, further error codes, rules to skip.
    #[arg(long, value_name = "F")]
    pub profile: Option<PathBuf>,
    /// Known findings (YAML): rule, case, pointer, reason, owner, expiry date. The case is the name of the file.
    #[arg(long, value_name = "F")]
    pub waivers: Option<PathBuf>,
    /// The target held no key before the first exchange: one that is rejected as used at its first appearance is a
    /// finding. Otherwise it may have been used before.
    #[arg(long)]
    pub fresh_store: bool,
    /// Exit 1 for SHOULD findings too.
    #[arg(long)]
    pub strict: bool,
    /// Directory for the record and the reports; the previous run moves to earlier/ there.
    #[arg(long, value_name = "DIR", default_value = REPORT_DIR)]
    pub report_dir: PathBuf,
}

/// What `proxy --help` says behind the options.
const PROXY_EXAMPLE: &str = "\
Example:
  batchproof proxy --target https://staging.example.com --port 8081
  curl http://127.0.0.1:8081/…

Ctrl-C ends it. Exit codes: 0 conformant, 1 nonconformant, 2 usage or an unusable file, 3 nothing could be judged.";

#[derive(Args)]
#[command(after_help = PROXY_EXAMPLE)]
pub struct ProxyArgs {
    /// Where requests are handed on to: base URL, or full URL of the endpoint.
    #[arg(long, value_name = "URL", env = "BATCHPROOF_TARGET")]
    pub target: String,
    /// Port on the loopback interface; 0 takes a free one.
    #[arg(long, value_name = "P", default_value_t = 8081)]
    pub port: u16,
    /// End after this time, such as 10m, and write the reports [default: at Ctrl-C].
    #[arg(id = "for", long = "for", value_name = "TIME", value_parser = super::duration)]
    pub duration: Option<std::time::Duration>,
    /// How the target is trusted.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// How the exchanges are judged.
    #[command(flatten)]
    pub judging: JudgingArgs,
    /// What to print on standard output.
    #[command(flatten)]
    pub output: OutputArgs,
}
