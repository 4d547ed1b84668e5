//! The arguments of every command. Names and exit codes are a promise.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

mod against;
mod certificate;
mod config;
mod information;
mod output;
mod replay;
mod run;
mod sending;
mod server;
mod start;
mod traffic;
mod values;

pub use against::AgainstArgs;
pub use certificate::{CertifyArgs, VerifyArgs};
pub use config::ConfigArgs;
pub use information::{DocsArgs, ExplainArgs, ListArgs, ReportArgs, SampleArgs};
pub use output::{ColorName, FormatName, OutputArgs};
pub use replay::{CleanupArgs, ReplayArgs};
pub use run::RunArgs;
pub use sending::{SendingArgs, TlsArgs};
pub use server::{ProveArgs, ServeArgs};
pub use start::{DoctorArgs, ImportArgs, InitArgs, NewArgs, NewKind};
pub use traffic::{JudgeArgs, JudgingArgs, ProxyArgs};
pub use values::duration;

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
    /// Propose a contract for a batch operation of an OpenAPI document.
    Init(Box<InitArgs>),
    /// Say in at most ten requests what a target looks like, and what to do before a run.
    Doctor(Box<DoctorArgs>),
    /// Write a commented file to start from: a case, a profile, waivers or a contract.
    New(NewArgs),
    /// Make a case file of a HAR, a curl command, a Postman collection or a report.
    Import(ImportArgs),
    /// Judge recorded traffic (HAR) by all rules that need no sending.
    Judge(Box<JudgeArgs>),
    /// Stand between a client and a target, and judge what goes through.
    Proxy(Box<ProxyArgs>),
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
