//! `certificate.json`: a DSSE envelope, as <https://github.com/secure-systems-lab/dsse> defines it.
//!
//! It must not know what is signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::attestation::Attestation;
use super::key::PrivateKey;

/// What the payload is.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// `certificate.json`: a statement, and who signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SignedCertificate {
    /// The [`Attestation`] as JSON, in base64.
    pub payload: String,
    /// `application/vnd.in-toto+json`.
    pub payload_type: String,
    /// One signature.
    pub signatures: Vec<DsseSignature>,
}

/// A signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DsseSignature {
    /// Id of the key, as TUF and in-toto make it: SHA-256 of the key as canonical JSON, in hexadecimal.
    pub keyid: String,
    /// The 64 bytes of the Ed25519 signature over the pre-authentication encoding, in base64.
    pub sig: String,
}

impl SignedCertificate {
    /// Signs an attestation.
    ///
    /// # Errors
    /// Where it can't be written as JSON, which no attestation brings about.
    pub(super) fn new(attestation: &Attestation, key: &PrivateKey) -> serde_json::Result<Self> {
        let payload = attestation.text()?;
        let signed = pre_authentication_encoding(PAYLOAD_TYPE, payload.as_bytes());
        Ok(SignedCertificate {
            payload: STANDARD.encode(payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![DsseSignature { keyid: key.public().id(), sig: key.sign(&signed) }],
        })
    }

    /// The file, byte for byte.
    ///
    /// # Errors
    /// Where it can't be written as JSON, which no certificate brings about.
    pub fn text(&self) -> serde_json::Result<String> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }

    /// What is stated.
    ///
    /// # Errors
    /// What is wrong with it, where it can't be read.
    pub fn attestation(&self) -> Result<Attestation, String> {
        let payload = self.payload_bytes()?;
        serde_json::from_slice(&payload).map_err(|e| e.to_string())
    }

    /// The payload, decoded.
    pub(super) fn payload_bytes(&self) -> Result<Vec<u8>, String> {
        STANDARD.decode(&self.payload).map_err(|e| format!("its base64 is broken: {e}"))
    }

    /// The bytes that are signed.
    pub(super) fn signed_bytes(&self) -> Option<Vec<u8>> {
        let payload = self.payload_bytes().ok()?;
        Some(pre_authentication_encoding(&self.payload_type, &payload))
    }
}

/// DSSE, section "Signature Definition": type and payload, each after its length.
fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn what_is_signed_is_what_the_specification_says() {
        let signed = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(signed, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
