//! The files that a certificate rests on, by hash.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::contract::hex;

/// Names of the files, which lie beside the certificate.
pub const EVIDENCE: [&str; 2] = ["record.jsonl", "report.json"];

/// A file that a certificate rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Its name, beside the certificate.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

impl Evidence {
    /// What `DIR/NAME` is now.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn hash_file(dir: &Path, name: &str) -> std::io::Result<Evidence> {
        let bytes = std::fs::read(dir.join(name))?;
        Ok(Evidence {
            file: name.to_owned(),
            bytes: bytes.len() as u64,
            sha256: hex(&Sha256::digest(&bytes)),
        })
    }

    /// All of [`EVIDENCE`] in `dir`.
    ///
    /// # Errors
    /// Where one of the files can't be read.
    pub fn hash_all(dir: &Path) -> std::io::Result<Vec<Evidence>> {
        EVIDENCE.iter().map(|name| Evidence::hash_file(dir, name)).collect()
    }
}
