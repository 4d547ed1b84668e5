//! The arguments of every command. Names and exit codes are a promise.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::case::Depth;
use crate::contract::profile::Rate;
use crate::send::SendOptions;

/// Contract testing and conformance certification for batch-import HTTP endpoints.
///
/// Without --target, an embedded reference server is put on trial, so that you see what comes out:
///
///   batchproof run
///   batchproof run --target <https://staging.example> --token-file token.txt
///
/// Exit codes of `run`: 0 conformant, 1 nonconformant, 2 usage or an unusable file, 3 inconclusive.
#[derive(Parser)]
#[command(name = "batchproof", version, max_term_width = 100, verbatim_doc_comment)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Put a target on trial: all shipped cases, or the cases named.
    Run(Box<RunArgs>),
    /// List cases, rules, mutations or faults, one a line, the name first.
    List(ListArgs),
    /// Explain a rule, an interpretation, a mutation, a case or a fault.
    Explain(ExplainArgs),
    /// Serve the reference implementation, with faults where asked for.
    Serve(ServeArgs),
    /// Hold every fault against every rule: the kill matrix. Exit 0 or 1.
    Prove(ProveArgs),
    /// Send a run's failures again. Exit 1 still failing, 0 fixed, 3 can't tell.
    Replay(Box<ReplayArgs>),
    /// Make the reports of a run again from its record; merge the parts of one run; compare several runs.
    Report(ReportArgs),
    /// Run everything at depth deep and, where nothing stands against it, sign a certificate; or make a key.
    Certify(Box<CertifyArgs>),
    /// Check a certificate offline. Exit 0 or 1.
    Verify(VerifyArgs),
    /// Print a completion script for a shell.
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Args)]
pub struct RunArgs {
    /// Case files, directories of them, or ids and groups of `batchproof list`; none: all shipped cases but soaks and giants.
    #[arg(value_name = "PATH|ID")]
    pub cases: Vec<String>,
    /// Base URL, or the endpoint's full URL; none: the embedded reference server.
    #[arg(long, value_name = "URL", env = "BATCHPROOF_TARGET")]
    pub target: Option<String>,
    /// Directory with openapi.yaml and batch.yaml of another endpoint.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
    /// What is known of the target (YAML): values, omitted fields, further codes, limits.
    #[arg(long, value_name = "F")]
    pub profile: Option<PathBuf>,
    /// Findings that are known (YAML): rule, case, pointer, reason, owner, expiry.
    #[arg(long, value_name = "F")]
    pub waivers: Option<PathBuf>,
    /// How much to spend [default: standard; for a certificate: deep].
    #[arg(long, value_enum)]
    pub depth: Option<Depth>,
    /// Seed of everything that is drawn; printed by every run.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// What unique numbers begin with; none: bptest-YYMMDD- and six characters.
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,
    /// Runs of each case, instead of what it says for the depth.
    #[arg(long, value_name = "N")]
    pub runs: Option<u64>,
    /// Requests under way at once [default: 16 on loopback, 4 elsewhere].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// End the run after this time, with a report of what was seen.
    #[arg(long, value_name = "10m", value_parser = duration)]
    pub max_time: Option<Duration>,
    /// End the run after so many distinct findings.
    #[arg(long, value_name = "N")]
    pub max_findings: Option<usize>,
    /// SHOULD findings fail the run too.
    #[arg(long)]
    pub strict: bool,
    /// Run part I of N only; parts share an explicit --seed and --run-id. `index/N` takes I from
    /// `JOB_COMPLETION_INDEX`, which counts from 0 (Kubernetes).
    #[arg(long, value_name = "I/N", value_parser = partition)]
    pub partition: Option<(u32, u32)>,
    /// Print what would be sent, by case, and send nothing.
    #[arg(long)]
    pub plan: bool,
    /// Write each finding as a case file that fails the same way, into this directory.
    #[arg(long, value_name = "DIR")]
    pub save_cases: Option<PathBuf>,
    /// Where record and reports go; the run before it moves to earlier/ there.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub report_dir: PathBuf,
    /// How requests go out.
    #[command(flatten)]
    pub sending: SendingArgs,
}

/// How requests go out, whichever command sends them.
#[derive(Args)]
#[command(next_help_heading = "Sending")]
pub struct SendingArgs {
    /// File that holds the token; or set `BATCHPROOF_TOKEN`. Never on the command line.
    #[arg(long, value_name = "F")]
    pub token_file: Option<PathBuf>,
    /// Requests a second, such as 20/s [default: none on loopback, 20/s elsewhere].
    #[arg(long, value_name = "N/s")]
    pub rate: Option<Rate>,
    /// Time for an answer, to which every item adds a quarter of a second.
    #[arg(long, value_name = "30s", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
    /// Further trusted certificates (PEM).
    #[arg(long, value_name = "F")]
    pub ca: Option<PathBuf>,
    /// Client certificate with its key (PEM).
    #[arg(long, value_name = "F")]
    pub cert: Option<PathBuf>,
    /// Take any certificate.
    #[arg(long)]
    pub insecure: bool,
}

impl SendingArgs {
    /// Time-outs and certificates.
    pub fn options(&self) -> SendOptions {
        SendOptions {
            timeout: self.timeout,
            ca: self.ca.clone(),
            cert: self.cert.clone(),
            insecure: self.insecure,
            ..SendOptions::default()
        }
    }
}

#[derive(Args)]
pub struct CertifyArgs {
    /// Private key that signs; exits as `run` does, and writes no certificate where anything stands against it.
    #[arg(long, value_name = "F", required_unless_present = "new_key")]
    pub key: Option<PathBuf>,
    /// Make a pair of keys instead: F, and F.pub for those who verify.
    #[arg(long, value_name = "F", conflicts_with = "key")]
    pub new_key: Option<PathBuf>,
    /// What is certified, in a line: product, version, installation.
    #[arg(long, value_name = "TEXT")]
    pub subject: Option<String>,
    /// Who certifies.
    #[arg(long, value_name = "TEXT")]
    pub issuer: Option<String>,
    /// The run.
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Args)]
pub struct VerifyArgs {
    /// A certificate.json, its evidence beside it; or the directory that holds both.
    pub certificate: PathBuf,
    /// Public key of whom you trust.
    #[arg(long, value_name = "PUBLIC")]
    pub key: PathBuf,
}

#[derive(Args)]
#[group(multiple = false)]
pub struct ListArgs {
    /// Shipped cases (the default).
    #[arg(long)]
    pub cases: bool,
    /// Rules.
    #[arg(long)]
    pub rules: bool,
    /// Mutations that case files can name.
    #[arg(long)]
    pub mutations: bool,
    /// Faults of the reference server.
    #[arg(long)]
    pub faults: bool,
}

#[derive(Args)]
pub struct ExplainArgs {
    /// Id of a rule (UNIQUE-001), interpretation (INTERPRETATION-03), mutation, case, fault, or a family (UNIQUE).
    pub id: String,
    /// Directory of another endpoint's contract.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
}

fn renamed_to_refusal_mode(_: &str) -> Result<std::convert::Infallible, String> {
    Err("this option is now called --refusal-mode".to_owned())
}

#[derive(Args)]
pub struct ServeArgs {
    /// Loopback port; 0 for a free one.
    #[arg(long, value_name = "P", default_value_t = 8080)]
    pub port: u16,
    /// File that holds the token to demand; none: `BATCHPROOF_TOKEN`, else anybody is taken.
    #[arg(long, value_name = "F")]
    pub token_file: Option<PathBuf>,
    /// How broken items are refused: the whole `request`, or the `item`.
    #[arg(long, value_name = "MODE", default_value = "request")]
    pub refusal_mode: crate::contract::RefusalMode,
    /// The old name of --refusal-mode.
    #[arg(long, hide = true, value_parser = renamed_to_refusal_mode)]
    pub reading: Option<std::convert::Infallible>,
    /// A fault to inject (repeatable); `batchproof list --faults` names them.
    #[arg(long, value_name = "NAME")]
    pub fault: Vec<String>,
    /// Directory of another endpoint's contract.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
}

#[derive(Args)]
pub struct ProveArgs {
    /// Only faults whose name or family contains one of these.
    pub faults: Vec<String>,
    /// Seed of everything that is drawn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Print what fired for each fault, not only what is wrong.
    #[arg(long)]
    pub verbose: bool,
}

#[derive(Args)]
pub struct ReplayArgs {
    /// A report directory, or its record.jsonl.
    pub dir: PathBuf,
    /// A finding by its id or the beginning of it, or all findings of a rule; none: all findings.
    pub id: Option<String>,
    /// Another target than the run's.
    #[arg(long, value_name = "URL", env = "BATCHPROOF_TARGET")]
    pub target: Option<String>,
    /// Directory with openapi.yaml and batch.yaml of another endpoint.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
    /// What is known of the target (YAML); none: what the run's profile said.
    #[arg(long, value_name = "F")]
    pub profile: Option<PathBuf>,
    /// How requests go out.
    #[command(flatten)]
    pub sending: SendingArgs,
}

#[derive(Args)]
pub struct ReportArgs {
    /// Report directories, or their record.jsonl: one run, all parts of one, two runs of a target (what is new,
    /// fixed, still there), or runs of several targets (one grid).
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// Where merged reports, the grid, or the text of a comparison go [default: reports; of a single run: where its record lies; of two runs of a target: nothing is kept].
    #[arg(long, value_name = "DIR")]
    pub report_dir: Option<PathBuf>,
}

/// What Kubernetes tells each pod of an indexed Job: its number, from 0.
const INDEX: &str = "JOB_COMPLETION_INDEX";

fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().map_err(|_| format!("`{text}` is no time; write 30s"))?;
    let seconds = match unit.trim() {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        other => return Err(format!("`{other}` is no unit of time: expected ms, s, m or h")),
    };
    if seconds > 0.0 && seconds < 1e6 {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("`{text}` is out of range"))
    }
}

fn partition(text: &str) -> Result<(u32, u32), String> {
    if let Some(parts) = text.strip_prefix("index/") {
        let index = std::env::var(INDEX).map_err(|_| {
            format!(
                "`{text}` needs {INDEX} in the environment, as an indexed Job of Kubernetes sets it"
            )
        })?;
        let index: u32 =
            index.trim().parse().map_err(|_| format!("{INDEX} is `{index}`: expected a number"))?;
        return partition(&format!("{}/{parts}", u64::from(index) + 1))
            .map_err(|_| format!("{INDEX} is {index}, and `{text}` leaves no such part"));
    }
    let parts = text
        .split_once('/')
        .and_then(|(i, n)| Some((i.trim().parse::<u32>().ok()?, n.trim().parse::<u32>().ok()?)));
    match parts {
        Some((i, n)) if i >= 1 && i <= n => Ok((i, n)),
        _ => Err(format!("`{text}` is no part: expected I/N with I from 1 to N, such as 2/5")),
    }
}
