//! Signs what a report directory shows.

use std::path::Path;

use super::evidence::Evidence;
use super::key::PrivateKey;
use super::statement::{CertificateSubject, Statement};
use super::{ALGORITHM, SignedCertificate};
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
    let payload = Statement::from_summary(summary, about, Evidence::hash_all(dir)?).payload()?;
    Ok(SignedCertificate {
        signature: key.sign(payload.as_bytes()),
        algorithm: ALGORITHM.to_owned(),
        public_key: key.public().base64(),
        payload,
    })
}
