//! How requests are sent: options of every command that sends some.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{bytes, duration, header};
use crate::contract::profile::Rate;
use crate::send::SendOptions;

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
    /// A header for every request (repeatable): `Name: value`. Its value is shown nowhere; a token stands in none, but in
    /// the variable `BATCHPROOF_TOKEN` or a file.
    #[arg(long, value_name = "HEADER", value_parser = header)]
    pub header: Vec<(String, String)>,
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
    /// together hold at most 48 MiB: of larger responses, only the status and the number of results are judged.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub max_body: Option<u64>,
    /// End the run when the target has given no good response for this time. What `Retry-After` asks for does not count.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub patience: Duration,
    /// How the target is trusted.
    #[command(flatten)]
    pub tls: TlsArgs,
}

/// How a target is trusted over TLS.
#[derive(Args)]
pub struct TlsArgs {
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
            ca: self.tls.ca.clone(),
            cert: self.tls.cert.clone(),
            insecure: self.tls.insecure,
            max_body: self.max_body,
            patience: self.patience,
            ..SendOptions::default()
        }
    }
}
