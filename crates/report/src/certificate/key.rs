//! Ed25519 keys in the files that OpenSSL writes and reads: PKCS #8 for the private one, `SubjectPublicKeyInfo` for
//! the public one, both as PEM (RFC 8410).

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::contract::hex;

/// What stands before the 32 bytes of a private key in its DER form: version 0, the algorithm, two octet strings.
const PRIVATE: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// The same for a public key: the algorithm, a bit string.
const PUBLIC: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const PRIVATE_LABEL: &str = "PRIVATE KEY";
const PUBLIC_LABEL: &str = "PUBLIC KEY";

/// Why a key can't be used or made.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file can't be read or written.
    #[error("{path}: {source}\n  expected: {expected}")]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
        /// What was expected.
        expected: &'static str,
    },
    /// The file holds something else.
    #[error("{path}: {found}\n  expected: {expected}")]
    Content {
        /// Where.
        path: PathBuf,
        /// What was found.
        found: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// The operating system provides no random numbers.
    #[error("no random numbers for a key: {0}")]
    Random(#[from] getrandom::Error),
}

/// A key that signs.
pub struct PrivateKey(SigningKey);

/// A key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Makes a pair of keys: `file`, readable by its owner alone, and `file.pub`.
///
/// # Errors
/// [`KeyError`] where one of the files exists already, or can't be written.
pub fn new_key(file: &Path) -> Result<PublicKey, KeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let key = SigningKey::from_bytes(&seed);
    let public = PublicKey(key.verifying_key());
    let public_file = public_file(file);
    if public_file.exists() {
        return Err(KeyError::Content {
            path: public_file,
            found: "it exists already",
            expected: "a new file: keys are not overwritten",
        });
    }
    let private = pem(PRIVATE_LABEL, &[&PRIVATE[..], &seed].concat());
    write(file, &private, true)?;
    write(&public_file, &public.pem(), false)?;
    Ok(public)
}

/// The file of the public key that belongs to `file`.
#[must_use]
pub fn public_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

fn write(file: &Path, text: &str, private: bool) -> Result<(), KeyError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    options.open(file).and_then(|mut f| f.write_all(text.as_bytes())).map_err(|source| {
        KeyError::File {
            path: file.to_path_buf(),
            source,
            expected: "a new file in a directory that can be written to: keys are not overwritten",
        }
    })
}

impl PrivateKey {
    /// Reads a private key.
    ///
    /// # Errors
    /// [`KeyError`] where the file can't be read, or is not an Ed25519 key.
    pub fn load(path: &Path) -> Result<PrivateKey, KeyError> {
        let expected = "a private Ed25519 key, as `batchproof certify --new-key FILE` or \
                        `openssl genpkey -algorithm ed25519` makes it";
        let seed = load(path, PRIVATE_LABEL, &PRIVATE, expected)?;
        Ok(PrivateKey(SigningKey::from_bytes(&seed)))
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signature over `message`, in base64.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.0.sign(message).to_bytes())
    }
}

impl PublicKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// [`KeyError`] where the file can't be read, or is not an Ed25519 key.
    pub fn load(path: &Path) -> Result<PublicKey, KeyError> {
        let expected = "a public Ed25519 key: the FILE.pub of `batchproof certify --new-key FILE`";
        let bytes = load(path, PUBLIC_LABEL, &PUBLIC, expected)?;
        VerifyingKey::from_bytes(&bytes).map(PublicKey).map_err(|_| KeyError::Content {
            path: path.to_path_buf(),
            found: "its bytes are no point of the curve",
            expected,
        })
    }

    /// Whether the key's owner signed `message`; the signature is in base64.
    #[must_use]
    pub fn signed(&self, message: &[u8], signature: &str) -> bool {
        let bytes: Option<[u8; 64]> =
            STANDARD.decode(signature).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.is_some_and(|bytes| {
            let signature = ed25519_dalek::Signature::from_bytes(&bytes);
            self.0.verify_strict(message, &signature).is_ok()
        })
    }

    /// Its id, as TUF and in-toto make it: SHA-256 of the key as canonical JSON, in hexadecimal.
    #[must_use]
    pub fn id(&self) -> String {
        let public = hex(self.0.as_bytes());
        let text = format!(
            r#"{{"keytype":"ed25519","keyval":{{"public":"{public}"}},"scheme":"ed25519"}}"#
        );
        hex(&Sha256::digest(text.as_bytes()))
    }

    /// The file that others get.
    fn pem(&self) -> String {
        pem(PUBLIC_LABEL, &[&PUBLIC[..], self.0.as_bytes()].concat())
    }
}

/// The fingerprint that people compare.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&fingerprint(&self.id()))
    }
}

/// The first 16 bytes of a key's id, in groups.
pub(super) fn fingerprint(id: &str) -> String {
    let mut groups = String::new();
    for (at, c) in id.chars().take(32).enumerate() {
        if at > 0 && at % 4 == 0 {
            groups.push(':');
        }
        groups.push(c);
    }
    groups
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn load(
    path: &Path,
    label: &str,
    prefix: &[u8],
    expected: &'static str,
) -> Result<[u8; 32], KeyError> {
    let text = std::fs::read_to_string(path).map_err(|source| KeyError::File {
        path: path.to_path_buf(),
        source,
        expected,
    })?;
    let wrong = |found| KeyError::Content { path: path.to_path_buf(), found, expected };
    let other = if label == PRIVATE_LABEL { PUBLIC_LABEL } else { PRIVATE_LABEL };
    if text.contains(&format!("-----BEGIN {other}-----")) {
        return Err(wrong(match label {
            PRIVATE_LABEL => "it is a public key",
            _ => "it is a private key, which is nobody's business but its owner's",
        }));
    }
    let body = text
        .split_once(&format!("-----BEGIN {label}-----"))
        .and_then(|(_, rest)| rest.split_once(&format!("-----END {label}-----")))
        .map(|(body, _)| body.split_whitespace().collect::<String>())
        .ok_or_else(|| wrong("it is not a PEM key"))?;
    let der = STANDARD.decode(body).map_err(|_| wrong("its base64 is broken"))?;
    let bytes = der.strip_prefix(prefix).ok_or_else(|| wrong("it is not an Ed25519 key"))?;
    bytes.try_into().map_err(|_| wrong("it is not an Ed25519 key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let seed: [u8; 32] = [
            0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11,
            0x4e, 0x0f, 0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed,
            0x4f, 0xb8, 0xa6, 0xfb,
        ];
        let key = PrivateKey(SigningKey::from_bytes(&seed));
        let signature = STANDARD.decode(key.sign(&[0x72])).unwrap();
        assert!(hex(&signature).starts_with("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8f"));
        assert!(key.public().signed(&[0x72], &key.sign(&[0x72])));
        assert!(!key.public().signed(&[0x73], &key.sign(&[0x72])));
    }

    #[test]
    fn keys_survive_their_files_and_are_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        let public = new_key(&file).unwrap();
        assert_eq!(PublicKey::load(&public_file(&file)).unwrap(), public);
        assert_eq!(PrivateKey::load(&file).unwrap().public(), public);
        let before = std::fs::read(&file).unwrap();
        assert!(new_key(&file).is_err());
        std::fs::remove_file(public_file(&file)).unwrap();
        assert!(new_key(&file).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
}
