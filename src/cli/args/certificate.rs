//! The options of `certify` and `verify`.

use std::path::PathBuf;

use clap::Args;

use super::RunArgs;
use crate::certificate::Artifact;

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
    /// What the target runs, by its digest, such as an image (repeatable): policy engines look a certificate up by it.
    #[arg(long, value_name = "NAME@sha256:HEX")]
    pub artifact: Vec<Artifact>,
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
