//! Certificates: a signed statement of what a run at depth deep showed, bound to its evidence by hash.
//!
//! Made from records and nothing else: `verify` makes the statement again from `record.jsonl`.
//! A certificate is the JSON object of [`SignedCertificate`]. Its `payload` is the statement as a JSON text; the
//! signature is over the bytes of that text (UTF-8, with the escapes of the surrounding string resolved), so
//! that any tool can check it:
//!
//! ```sh
//! jq -j .payload certificate.json > payload
//! jq -r .signature certificate.json | base64 -d > signature
//! openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in payload -sigfile signature
//! ```
//!
//! It must not know how a run was scheduled, and sends nothing.

mod challenge;
mod evidence;
mod key;
mod page;
mod refusal;
mod sign;
mod statement;
mod verify;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use challenge::challenge_seed;
pub use evidence::{EVIDENCE, Evidence};
pub use key::{KeyError, PrivateKey, PublicKey, new_key, public_file};
pub use page::page;
pub use refusal::{CertificateRefusal, refusals};
pub use sign::sign;
pub use statement::{CertificateSubject, Statement, schema};
pub use verify::{Verified, verify};

/// The name of the file in a report directory.
pub const FILE: &str = "certificate.json";
/// The page to print.
pub const PAGE: &str = "certificate.html";
/// The algorithm of the signature.
const ALGORITHM: &str = "Ed25519";

/// `certificate.json`: a statement, and who signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedCertificate {
    /// The [`Statement`] as a JSON text; these bytes are signed.
    pub payload: String,
    /// `Ed25519` (RFC 8032), over the bytes of `payload`.
    pub algorithm: String,
    /// The 64 bytes of the signature, in base64.
    pub signature: String,
    /// The 32 bytes of the public key, in base64. The verifier supplies the key that they trust.
    pub public_key: String,
}

impl SignedCertificate {
    /// The file, byte for byte.
    ///
    /// # Errors
    /// Where it can't be written as JSON, which no certificate brings about.
    pub fn text(&self) -> serde_json::Result<String> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }
}
