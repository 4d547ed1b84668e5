//! Signs what a report directory shows.

use std::path::Path;

use super::attestation::Attestation;
use super::envelope::SignedCertificate;
use super::evidence::Evidence;
use super::key::PrivateKey;
use super::statement::{CertificateSubject, Statement};
use crate::record::Summary;

/// The certificate of the run whose record and report lie in `dir`. Whether one may be issued at all,
/// [`refusals`](super::refusals) says.
///
/// # Errors
/// Where the evidence can't be read.
pub fn sign(
    summary: &Summary,
    dir: &Path,
    about: CertificateSubject,
    key: &PrivateKey,
) -> std::io::Result<SignedCertificate> {
    let statement = Statement::from_summary(summary, about, Evidence::hash_all(dir)?);
    Ok(SignedCertificate::new(&Attestation::new(statement), key)?)
}
