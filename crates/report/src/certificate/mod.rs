//! Certificates: a signed statement of what a run at depth deep showed, bound to its evidence by hash.
//!
//! Made from records and nothing else: `verify` makes the statement again from `record.jsonl`.
//! A certificate is a DSSE envelope ([`SignedCertificate`]) around an in-toto Statement v1 ([`Attestation`]) of the
//! predicate type `test-result`, so that policy engines read it. What only batchproof knows ([`Statement`]) is the
//! predicate's field `batchproof`. The signature is over the pre-authentication encoding of DSSE:
//!
//! ```sh
//! jq -j .payload certificate.json | base64 -d > payload
//! { printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c < payload)"; cat payload; } > signed
//! jq -r '.signatures[0].sig' certificate.json | base64 -d > signature
//! openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in signed -sigfile signature
//! ```
//!
//! It must not know how a run was scheduled, and sends nothing.

mod artifact;
mod attestation;
mod challenge;
mod envelope;
mod evidence;
mod key;
mod page;
mod refusal;
mod sign;
mod statement;
mod verify;

pub use artifact::Artifact;
pub use attestation::{Attestation, TestResult, schema};
pub use challenge::challenge_seed;
pub use envelope::{DsseSignature, SignedCertificate};
pub use evidence::{EVIDENCE, Evidence};
pub use key::{KeyError, PrivateKey, PublicKey, new_key, public_file};
pub use page::page;
pub use refusal::{CertificateRefusal, refusals};
pub use sign::sign;
pub use statement::{CertificateSubject, Statement};
pub use verify::{Verified, verify};

/// The name of the file in a report directory.
pub const FILE: &str = "certificate.json";
/// The page to print.
pub const PAGE: &str = "certificate.html";
