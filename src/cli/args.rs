//! The arguments of every command. Names and exit codes are a promise.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::case::Depth;
use crate::contract::profile::Rate;
use crate::send::SendOptions;

/// What `--help` says before the commands.
const ABOUT: &str = "\
Contract testing and conformance certification for batch-import HTTP endpoints.

Test the embedded reference server, or a server of yours:

  batchproof run
  batchproof run --target https://staging.example.com --token-file token.txt

Exit codes of `run`: 0 conformant, 1 nonconformant, 2 usage or an unusable file, 3 inconclusive.";

/// Where the record and the reports go, unless told otherwise.
pub const REPORT_DIR: &str = "reports";

#[derive(Parser)]
#[command(
    name = "batchproof",
    version,
    max_term_width = 100,
    about = "Contract testing and conformance certification for batch-import HTTP endpoints",
    long_about = ABOUT
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Test a target with all shipped cases, or with the cases named.
    Run(Box<RunArgs>),
    /// List cases, rules, mutations or faults: one per line, the name first.
    List(ListArgs),
    /// Explain a rule, an interpretation, a mutation, a case or a fault.
    Explain(ExplainArgs),
    /// Print what is generated, as JSON lines: values of a schema, or requests of a case.
    Sample(SampleArgs),
    /// Serve the reference implementation, with faults if you name them.
    Serve(ServeArgs),
    /// Self-test: check that the rules detect every built-in fault. Exit 0 or 1.
    Prove(ProveArgs),
    /// Send the failures of a run again. Exit 1 still failing, 0 fixed, 3 unknown.
    Replay(Box<ReplayArgs>),
    /// Run the clean-up of a run's profile again. Exit 0 done, 3 not.
    Cleanup(Box<CleanupArgs>),
    /// Write the reports of a run again from its record; merge the parts of a run; compare runs.
    Report(ReportArgs),
    /// Run the full suite at depth deep and sign a certificate if it passes; or make a key.
    Certify(Box<CertifyArgs>),
    /// Check a certificate offline. Exit 0 or 1.
    Verify(VerifyArgs),
    /// Write the generated pages of the manual.
    #[command(hide = true)]
    Docs(DocsArgs),
    /// Write the man pages, one for each command.
    #[command(hide = true)]
    Man {
        /// Directory for the pages.
        dir: PathBuf,
    },
    /// Print a completion script for a shell.
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

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
    /// Known findings (YAML): rule, case, pointer, reason, owner, expiry date.
    #[arg(long, value_name = "F")]
    pub waivers: Option<PathBuf>,
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
        conflicts_with = "runs",
        requires = "cases"
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
    /// Print what would be sent for each case, and send nothing.
    #[arg(long)]
    pub plan: bool,
    /// Write each finding as a case file that fails the same way, into this directory.
    #[arg(long, value_name = "DIR")]
    pub export_cases: Option<PathBuf>,
    /// The name of --export-cases in earlier versions.
    #[arg(long, hide = true, value_name = "DIR", value_parser = renamed_to_export_cases)]
    pub save_cases: Option<PathBuf>,
    /// Directory for the record and the reports; the previous run moves to earlier/ there.
    #[arg(long, value_name = "DIR", default_value = REPORT_DIR)]
    pub report_dir: PathBuf,
    /// How requests are sent.
    #[command(flatten)]
    pub sending: SendingArgs,
}

/// How requests are sent, for every command that sends some.
#[derive(Args)]
#[command(next_help_heading = "Sending")]
pub struct SendingArgs {
    /// File with the token, instead of the variable `BATCHPROOF_TOKEN`. A token is never an argument.
    #[arg(long, value_name = "F")]
    pub token_file: Option<PathBuf>,
    /// Command that prints the token, for a shell; run again when the target refuses the token with
    /// 401 [default: the variable `BATCHPROOF_TOKEN_COMMAND`].
    #[arg(long, value_name = "CMD", conflicts_with = "token_file")]
    pub token_command: Option<String>,
    /// Fetch the token again after each such time too, such as 10m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub token_interval: Option<Duration>,
    /// Send no `traceparent`, by which the logs of the target name each request of a report.
    #[arg(long)]
    pub no_traceparent: bool,
    /// Most requests per second, such as 20/s [default: unlimited on loopback, 20/s elsewhere].
    #[arg(long, value_name = "N/s")]
    pub rate: Option<Rate>,
    /// Wait up to this time for a target that is still starting: refused connections, 502, 503, 504.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub wait: Option<Duration>,
    /// Time limit of a response; every item adds a quarter of a second.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
    /// Largest body of a response, such as 1GiB; a larger one is a finding [default: 64MiB, or what the batch can need]. All jobs
    /// together hold at most 64 MiB: of larger responses, only the status and the number of results are judged.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub max_body: Option<u64>,
    /// End the run when the target has given no good response for this time. What `Retry-After` asks for does not count.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub patience: Duration,
    /// Additional trusted certificates (PEM).
    #[arg(long, value_name = "F")]
    pub ca: Option<PathBuf>,
    /// Client certificate with its key (PEM).
    #[arg(long, value_name = "F")]
    pub cert: Option<PathBuf>,
    /// Do not verify TLS certificates.
    #[arg(long)]
    pub insecure: bool,
}

impl SendingArgs {
    /// Time limits and certificates.
    pub fn options(&self) -> SendOptions {
        SendOptions {
            timeout: self.timeout,
            ca: self.ca.clone(),
            cert: self.cert.clone(),
            insecure: self.insecure,
            max_body: self.max_body,
            patience: self.patience,
            ..SendOptions::default()
        }
    }
}

#[derive(Args)]
pub struct CertifyArgs {
    /// Private key that signs. Exits as `run` does; there is no certificate after a failure.
    #[arg(long, value_name = "F", required_unless_present = "new_key")]
    pub key: Option<PathBuf>,
    /// Make a key pair instead: F, and F.pub for those who verify.
    #[arg(long, value_name = "F", conflicts_with = "key")]
    pub new_key: Option<PathBuf>,
    /// What is certified, in one line: product, version, installation.
    #[arg(long, value_name = "TEXT")]
    pub subject: Option<String>,
    /// Who certifies.
    #[arg(long, value_name = "TEXT")]
    pub issuer: Option<String>,
    /// Derive the seed from this text, which the issuer makes up; the certificate states it.
    #[arg(long, value_name = "TEXT", conflicts_with = "seed", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub challenge: Option<String>,
    /// The run.
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Args)]
pub struct VerifyArgs {
    /// A certificate.json with its evidence in the same directory; or that directory.
    pub certificate: PathBuf,
    /// Public key of the issuer that you trust.
    #[arg(long, value_name = "PUBLIC")]
    pub key: PathBuf,
    /// The text that the certificate must answer: its seed is derived from it.
    #[arg(long, value_name = "TEXT")]
    pub challenge: Option<String>,
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
    /// Id of a rule (UNIQUE-001), interpretation, mutation, case or fault, or a family (UNIQUE).
    pub id: String,
    /// Contract of another endpoint: a directory with openapi.yaml and batch.yaml.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
}

#[derive(Args)]
pub struct SampleArgs {
    /// A case file, or an id of `batchproof list`: print the requests that it would send.
    #[arg(value_name = "CASE", required_unless_present = "schema", conflicts_with = "schema")]
    pub case: Option<String>,
    /// A JSON Schema, or a document of OpenAPI 3.0 to 3.2 or Swagger 2.0: print values of a schema in it.
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// JSON pointer to the schema, such as /components/schemas/Item [default: the whole file].
    #[arg(long, value_name = "P", requires = "schema")]
    pub pointer: Option<String>,
    /// Values, or executions of the case [default: 10 values, 1 execution].
    #[arg(short = 'n', value_name = "N")]
    pub count: Option<u64>,
    /// Print also every value that breaks the schema, with the pointer and the keyword that it breaks.
    #[arg(long, requires = "schema")]
    pub mutations: bool,
    /// Seed of all generated values [default: a random one, printed].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Contract of another endpoint: a directory with openapi.yaml and batch.yaml.
    #[arg(long, value_name = "DIR", conflicts_with = "schema")]
    pub contract: Option<PathBuf>,
    /// Profile of the target (YAML).
    #[arg(long, value_name = "F", conflicts_with = "schema")]
    pub profile: Option<PathBuf>,
}

fn renamed_to_refusal_mode(_: &str) -> Result<std::convert::Infallible, String> {
    Err("this option is now called --refusal-mode".to_owned())
}

#[derive(Args)]
pub struct ServeArgs {
    /// Port on the loopback interface; 0 takes a free one.
    #[arg(long, value_name = "P", default_value_t = 8080)]
    pub port: u16,
    /// File with the token that clients must send [default: `BATCHPROOF_TOKEN`; without both, no
    /// authentication is required].
    #[arg(long, value_name = "F")]
    pub token_file: Option<PathBuf>,
    /// How invalid items are refused: the whole `request`, or each `item`.
    #[arg(long, value_name = "MODE", default_value = "request")]
    pub refusal_mode: crate::contract::RefusalMode,
    /// The old name of --refusal-mode.
    #[arg(long, hide = true, value_parser = renamed_to_refusal_mode)]
    pub reading: Option<std::convert::Infallible>,
    /// Serve over TLS with this certificate chain (PEM).
    #[arg(long, value_name = "F", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, value_name = "F", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// A fault to inject (repeatable); `batchproof list --faults` names them.
    #[arg(long, value_name = "NAME")]
    pub fault: Vec<String>,
    /// Contract of another endpoint: a directory with openapi.yaml and batch.yaml.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
}

#[derive(Args)]
pub struct ProveArgs {
    /// Only faults whose name or family contains one of these words.
    pub faults: Vec<String>,
    /// How much each run sends. `quick` prints the share that it finds of what `standard` finds, and what it misses:
    /// exit 1 below 95 %.
    #[arg(long, value_enum, value_name = "DEPTH", default_value = "standard")]
    pub depth: Depth,
    /// Seed of all generated values.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Print which rules failed for each fault, not only what is wrong.
    #[arg(long)]
    pub verbose: bool,
}

#[derive(Args)]
pub struct ReplayArgs {
    /// A report directory, or its record.jsonl.
    pub dir: PathBuf,
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
    /// How requests are sent.
    #[command(flatten)]
    pub sending: SendingArgs,
}

#[derive(Args)]
pub struct DocsArgs {
    /// The manual's source directory, such as docs/src.
    pub dir: PathBuf,
}

#[derive(Args)]
pub struct ReportArgs {
    /// Report directories, or their record.jsonl: of one run, to write its reports again; of all
    /// parts of a run, to merge them; of two runs of a target, to see what is new, fixed or still
    /// there; of several targets, for a matrix.
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// Directory for the output [default: for one run, its own directory; for a comparison, only
    /// the terminal; else reports].
    #[arg(long, value_name = "DIR")]
    pub report_dir: Option<PathBuf>,
}

/// The longest time that an option takes.
const LONGEST: Duration = Duration::from_hours(264);

/// The variable in which Kubernetes numbers the pods of an indexed Job, from 0.
const INDEX: &str = "JOB_COMPLETION_INDEX";

/// A time such as `30s`, `10m` or `1h30m`; a number alone is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let time = match text.parse::<u32>() {
        Ok(seconds) => Duration::from_secs(seconds.into()),
        Err(_) => humantime::parse_duration(text)
            .map_err(|_| "expected a time such as 30s, 10m or 1h30m".to_owned())?,
    };
    if time.is_zero() || time > LONGEST {
        return Err("expected more than 0 and at most 11 days".to_owned());
    }
    Ok(time)
}

/// The old name of an option is an error that names the new one.
fn renamed_to_export_cases(_: &str) -> Result<PathBuf, String> {
    Err("--save-cases is now called --export-cases".to_owned())
}

fn bytes(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is not a size: write 64MiB"))?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "k" | "kB" | "KB" => 1000,
        "KiB" | "K" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" | "M" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" | "G" => 1 << 30,
        other => return Err(format!("`{other}` is not a unit of size: expected KiB, MiB or GiB")),
    };
    match number.checked_mul(factor) {
        Some(bytes) if bytes > 0 => Ok(bytes),
        _ => Err(format!("`{text}` is out of range")),
    }
}

fn partition(text: &str) -> Result<(u32, u32), String> {
    if let Some(parts) = text.strip_prefix("index/") {
        let index = std::env::var(INDEX).map_err(|_| {
            format!("`{text}` needs the variable {INDEX}, which Kubernetes sets in an indexed Job")
        })?;
        let index: u32 =
            index.trim().parse().map_err(|_| format!("{INDEX} is `{index}`: expected a number"))?;
        return partition(&format!("{}/{parts}", u64::from(index) + 1))
            .map_err(|_| format!("{INDEX} is {index}, but `{text}` has fewer parts"));
    }
    let parts = text
        .split_once('/')
        .and_then(|(i, n)| Some((i.trim().parse::<u32>().ok()?, n.trim().parse::<u32>().ok()?)));
    match parts {
        Some((i, n)) if i >= 1 && i <= n => Ok((i, n)),
        _ => Err(format!("expected I/N with I from 1 to N, such as 2/5; got `{text}`")),
    }
}
