//! Verifies a certificate without any network: its bytes, its signature, its evidence, and what that says.

use std::path::Path;

use serde_json::Value;

use super::attestation::Attestation;
use super::envelope::{PAYLOAD_TYPE, SignedCertificate};
use super::evidence::{EVIDENCE, Evidence};
use super::key::{PublicKey, fingerprint};
use super::refusal::refusals;
use super::statement::Statement;
use super::{PAGE, page};
use crate::record::{self, Summary};

/// Fields of the statement that are named where they differ from the record.
const NAMED: usize = 12;

/// What a certificate came to.
pub struct Verified {
    /// What it states, where that can be read.
    pub statement: Option<Statement>,
    /// What does not match; nothing where all does.
    pub mismatches: Vec<String>,
}

/// Verifies the certificate in `bytes`, with its evidence in `dir`, against the key that the reader trusts.
#[must_use]
pub fn verify(bytes: &[u8], dir: &Path, key: &PublicKey) -> Verified {
    let certificate: SignedCertificate = match serde_json::from_slice(bytes) {
        Ok(certificate) => certificate,
        Err(error) => {
            let why = if is_of_earlier_form(bytes) {
                "it has the form of an earlier version; certificates are DSSE envelopes now: issue it again with \
                 `batchproof certify`, or verify it with the version that made it"
                    .to_owned()
            } else {
                format!("the certificate cannot be read: {error}")
            };
            return Verified { statement: None, mismatches: vec![why] };
        }
    };
    let mut mismatches = Vec::new();
    if let Some(at) = rewritten(&certificate, bytes) {
        mismatches.push(format!("the certificate was changed, from byte {at} on"));
    }
    signature(&certificate, key, &mut mismatches);
    let statement = match certificate.attestation() {
        Ok(attestation) => {
            let statement = attestation.clone().statement();
            derived(&attestation, &statement, &mut mismatches);
            Some(statement)
        }
        Err(error) => {
            mismatches.push(format!("the statement cannot be read: {error}"));
            None
        }
    };
    if let Some(statement) = &statement {
        if !statement.is_known() {
            mismatches.push(format!(
                "the statement is `{}` in format {}: written by a newer batchproof",
                statement.kind, statement.format
            ));
        }
        mismatches.extend(statement.challenge_mismatch(None));
        let whole = evidence(statement, dir, &mut mismatches);
        recomputed(statement, dir, whole, &mut mismatches);
        printed(&certificate, statement, dir, &mut mismatches);
    }
    Verified { statement, mismatches }
}

/// Where `bytes` differ from the file that the certificate would be written as.
fn rewritten(certificate: &SignedCertificate, bytes: &[u8]) -> Option<usize> {
    let written = certificate.text().ok()?;
    if written.as_bytes() == bytes {
        return None;
    }
    let same = written.as_bytes().iter().zip(bytes).take_while(|(a, b)| a == b).count();
    Some(same + 1)
}

/// Whether it is a certificate as it was before DSSE.
fn is_of_earlier_form(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Value>(bytes)
        .is_ok_and(|old| old.get("algorithm").is_some() && old.get("public_key").is_some())
}

fn signature(certificate: &SignedCertificate, key: &PublicKey, mismatches: &mut Vec<String>) {
    if certificate.payload_type != PAYLOAD_TYPE {
        mismatches.push(format!(
            "the payload type is `{}`; expected {PAYLOAD_TYPE}",
            certificate.payload_type
        ));
    }
    let [signature] = certificate.signatures.as_slice() else {
        let count = certificate.signatures.len();
        mismatches.push(format!("it has {count} signatures; expected one"));
        return;
    };
    let signed = certificate.signed_bytes().is_some_and(|bytes| key.signed(&bytes, &signature.sig));
    match (signature.keyid == key.id(), signed) {
        (true, true) => {}
        (true, false) => mismatches.push(
            "the signature does not match: the statement or the signature was changed".to_owned(),
        ),
        (false, true) => mismatches.push(format!(
            "the signature matches the given key ({key}), but it names another: the name was changed"
        )),
        (false, false) => mismatches.push(format!(
            "it was not signed with the given key ({key}): it names the key {}",
            fingerprint(&signature.keyid)
        )),
    }
}

/// Makes the attestation again from the statement in it: what policy engines read is what batchproof states.
fn derived(attestation: &Attestation, statement: &Statement, mismatches: &mut Vec<String>) {
    let expected = Attestation::new(statement.clone());
    let (Ok(mut stated), Ok(mut expected)) =
        (serde_json::to_value(attestation), serde_json::to_value(expected))
    else {
        return;
    };
    // The statement itself is compared with the record.
    for side in [&mut stated, &mut expected] {
        if let Some(predicate) = side.get_mut("predicate").and_then(Value::as_object_mut) {
            predicate.remove("batchproof");
        }
    }
    let mut differences = Vec::new();
    differ("", "its statement", &stated, &expected, &mut differences);
    mismatches.extend(differences.into_iter().take(NAMED));
}

/// Whether all files that the statement rests on are there, as they were.
fn evidence(statement: &Statement, dir: &Path, mismatches: &mut Vec<String>) -> bool {
    let before = mismatches.len();
    for name in EVIDENCE {
        if !statement.evidence.iter().any(|e| e.file == name) {
            mismatches.push(format!("the statement does not rest on {name}"));
        }
    }
    for stated in &statement.evidence {
        // A name is no way out of the directory.
        if !EVIDENCE.contains(&stated.file.as_str()) {
            mismatches
                .push(format!("the statement names `{}`, which is not evidence", stated.file));
            continue;
        }
        match Evidence::hash_file(dir, &stated.file) {
            Err(error) => mismatches.push(format!(
                "{} cannot be read: {error}; expected in the directory of the certificate",
                dir.join(&stated.file).display()
            )),
            Ok(found) if found != *stated => mismatches.push(format!(
                "{} is another: SHA-256 {}, {} bytes; the certificate rests on {}, {} bytes",
                stated.file, found.sha256, found.bytes, stated.sha256, stated.bytes
            )),
            Ok(_) => {}
        }
    }
    mismatches.len() == before
}

/// Makes the statement again from the record, and names what differs.
fn recomputed(statement: &Statement, dir: &Path, whole: bool, mismatches: &mut Vec<String>) {
    // Another version may state other things about a record, and nothing follows from a changed one.
    if statement.suite.version != env!("CARGO_PKG_VERSION") || !whole {
        return;
    }
    let summary = match record::read(&dir.join(EVIDENCE[0])) {
        Ok(events) => Summary::from_events(&events),
        Err(problem) => {
            mismatches.push(format!("the record can't be read: {problem}"));
            return;
        }
    };
    let Some(summary) = summary else {
        mismatches.push("the record does not begin with a run".to_owned());
        return;
    };
    for refusal in refusals(&summary) {
        mismatches.push(format!("the record does not earn a certificate: {}", refusal.why));
    }
    let expected =
        Statement::from_summary(&summary, statement.about.clone(), statement.evidence.clone());
    let (Ok(stated), Ok(recorded)) =
        (serde_json::to_value(statement), serde_json::to_value(expected))
    else {
        return;
    };
    let mut differences = Vec::new();
    differ("", "the record", &stated, &recorded, &mut differences);
    let more = differences.len().saturating_sub(NAMED);
    mismatches.extend(differences.into_iter().take(NAMED));
    if more > 0 {
        mismatches.push(format!("{more} more fields differ from the record"));
    }
}

fn differ(pointer: &str, by: &str, stated: &Value, recorded: &Value, out: &mut Vec<String>) {
    match (stated, recorded) {
        (Value::Object(a), Value::Object(b)) => {
            let further = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(further) {
                let null = &Value::Null;
                let (x, y) = (a.get(key).unwrap_or(null), b.get(key).unwrap_or(null));
                differ(&format!("{pointer}/{key}"), by, x, y, out);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (x, y)) in a.iter().zip(b).enumerate() {
                differ(&format!("{pointer}/{at}"), by, x, y, out);
            }
        }
        (a, b) if a == b => {}
        (a, b) => out.push(format!("{pointer}: the certificate states {a}, {by} gives {b}")),
    }
}

/// The page of the certificate, if there is one.
fn printed(
    certificate: &SignedCertificate,
    statement: &Statement,
    dir: &Path,
    mismatches: &mut Vec<String>,
) {
    let Ok(found) = std::fs::read_to_string(dir.join(PAGE)) else { return };
    if statement.suite.version == env!("CARGO_PKG_VERSION") && found != page(certificate, statement)
    {
        mismatches.push(format!("{PAGE} is not the page of this certificate"));
    }
}
