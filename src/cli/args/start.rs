//! The options of what one begins with: `init`, `doctor`, `new`, `import`.

use std::path::PathBuf;

use clap::Args;

use super::{ConfigArgs, SendingArgs};

/// What `init --help` says behind the options.
const INIT_EXAMPLE: &str = "\
Example:
  batchproof init api/openapi.yaml --output contract
  batchproof run --contract contract --target https://staging.example.com --depth quick

Exit codes: 0 written and usable, 1 written, but a person must finish it, 2 nothing written.";

#[derive(Args)]
#[command(after_help = INIT_EXAMPLE)]
pub struct InitArgs {
    /// The document: a file or a URL; OpenAPI 3.0 to 3.2 or Swagger 2.0, JSON or YAML.
    #[arg(value_name = "OPENAPI")]
    pub openapi: String,
    /// The operation, by its operationId or as "METHOD PATH" [default: the one that clearly takes batches].
    #[arg(long, value_name = "ID|METHOD PATH")]
    pub operation: Option<String>,
    /// Directory for the contract: batch.yaml, the document, and the files that it refers to.
    #[arg(long, value_name = "DIR", default_value = "contract")]
    pub output: PathBuf,
    /// Overwrite files that exist.
    #[arg(long)]
    pub force: bool,
    /// Send five small batches there, and note in batch.yaml what was observed. What is accepted stays in the target.
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Profile of the target (YAML): values, omitted fields, credentials.
    #[arg(long, value_name = "F", requires = "target")]
    pub profile: Option<PathBuf>,
    /// How requests are sent.
    #[command(flatten)]
    pub sending: SendingArgs,
    /// Where options are set beside the command line.
    #[command(flatten)]
    pub configuration: ConfigArgs,
}

/// What `doctor --help` says behind the options.
const DOCTOR_EXAMPLE: &str = "\
Example:
  batchproof doctor --target https://staging.example.com --token-file token.txt

Each line is `ok`, `look` or `wrong`, with what to do below it.
Exit codes: 0 ready for a run, 1 something is wrong, 2 usage or an unusable file, 3 the target could not be reached.";

#[derive(Args)]
#[command(after_help = DOCTOR_EXAMPLE)]
pub struct DoctorArgs {
    /// Base URL, or full URL of the endpoint. What it accepts stays there.
    #[arg(long, value_name = "URL", env = "BATCHPROOF_TARGET")]
    pub target: String,
    /// Contract of another endpoint: a directory with openapi.yaml and batch.yaml.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
    /// Profile of the target (YAML): values, omitted fields, error codes, limits.
    #[arg(long, value_name = "F")]
    pub profile: Option<PathBuf>,
    /// How requests are sent.
    #[command(flatten)]
    pub sending: SendingArgs,
    /// Where options are set beside the command line.
    #[command(flatten)]
    pub configuration: ConfigArgs,
}

/// What `new --help` says behind the options.
const NEW_EXAMPLE: &str = "\
Example:
  batchproof new case my-cases/replay.yaml
  batchproof run --watch my-cases/replay.yaml";

#[derive(Args)]
#[command(after_help = NEW_EXAMPLE)]
pub struct NewArgs {
    /// What to write.
    #[arg(value_enum)]
    pub kind: NewKind,
    /// The file, `-` for standard output; for a contract, its directory [default: case.yaml, profile.yaml,
    /// waivers.yaml, contract].
    pub file: Option<PathBuf>,
    /// Contract whose fields a profile names: a directory with openapi.yaml and batch.yaml.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
    /// Overwrite files that exist.
    #[arg(long)]
    pub force: bool,
}

/// What `new` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum NewKind {
    /// What is sent, and what must come back.
    Case,
    /// What is known of one target.
    Profile,
    /// Findings that are known.
    Waivers,
    /// What the `OpenAPI` document of an endpoint cannot say, with a small document.
    Contract,
}

/// What `import --help` says behind the options.
const IMPORT_EXAMPLE: &str = "\
Example:
  batchproof import session.har --output my-cases/session.yaml
  pbpaste | batchproof import - > my-cases/from-curl.yaml
  batchproof run my-cases/session.yaml --target https://staging.example.com

Keys become fresh in each run; credentials are left out: the run shows its own.";

#[derive(Args)]
#[command(after_help = IMPORT_EXAMPLE)]
pub struct ImportArgs {
    /// A HAR, a curl command line, a Postman collection (v2.1), or report.json of a run; `-` is standard input.
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
    /// The case file to write [default: standard output].
    #[arg(long, value_name = "F")]
    pub output: Option<PathBuf>,
    /// Of a report: id of a finding or the beginning of it, or a rule [default: the first finding].
    #[arg(long, value_name = "ID")]
    pub finding: Option<String>,
    /// Contract of another endpoint: a directory with openapi.yaml and batch.yaml.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
    /// Overwrite a file that exists.
    #[arg(long)]
    pub force: bool,
}
