//! The options of `serve` and `prove`: the reference server and its faults.

use std::path::PathBuf;

use clap::Args;

use crate::case::Depth;

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
    /// File with the token of a second tenant, which has keys of its own.
    #[arg(long, value_name = "F")]
    pub other_token_file: Option<PathBuf>,
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
    /// Prove the suite for another contract: a directory with openapi.yaml and batch.yaml. Each fault is tried at depth
    /// quick first; what that misses at --depth.
    #[arg(long, value_name = "DIR")]
    pub contract: Option<PathBuf>,
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
