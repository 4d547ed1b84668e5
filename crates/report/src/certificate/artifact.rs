//! An artifact that the target runs, named by its digest.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An artifact that is certified, by its digest: `NAME@sha256:HEX`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// Its name, such as that of an image.
    pub name: String,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

impl FromStr for Artifact {
    type Err = String;

    fn from_str(text: &str) -> Result<Artifact, String> {
        let parts = text.rsplit_once("@sha256:").filter(|(name, hex)| {
            !name.is_empty() && hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
        });
        let (name, hex) = parts.ok_or_else(|| {
            "expected NAME@sha256: and 64 hexadecimal digits, as `docker image inspect` prints it"
                .to_owned()
        })?;
        Ok(Artifact { name: name.to_owned(), sha256: hex.to_ascii_lowercase() })
    }
}
