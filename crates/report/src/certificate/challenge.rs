//! Challenges: a text of the issuer's from which the seed of a run is derived, so that nobody can choose a lucky one.

use sha2::{Digest, Sha256};

/// What stands before the text, so that the hash is of nothing else.
const DOMAIN: &[u8] = b"batchproof challenge\n";

/// The seed of a run that answers a challenge: the first 48 bits of SHA-256 over `batchproof challenge`, a line feed, and
/// the text in UTF-8, most significant byte first.
#[must_use]
pub fn challenge_seed(text: &str) -> u64 {
    let digest = Sha256::new().chain_update(DOMAIN).chain_update(text).finalize();
    digest.iter().take(6).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}
