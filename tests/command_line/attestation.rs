//! A certificate as an attestation: an in-toto statement in a DSSE envelope, which others read and verify.

use batchproof::certificate::{self, CertificateSubject, FILE, PAGE, PrivateKey};
use batchproof::record::{self, Summary};

use super::certify::{certified, keys, payload, verify, with_payload};
use crate::harness::Desk;

#[test]
fn a_certificate_is_an_attestation_that_policy_engines_read() {
    let desk = Desk::new();
    let key = keys(&desk);
    let stated = certified(&desk, &key);
    let payload = payload(&desk);
    assert_eq!(payload["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(payload["predicateType"], "https://in-toto.io/attestation/test-result/v0.1");
    let predicate = &payload["predicate"];
    assert_eq!(predicate["result"], "PASSED");
    assert_eq!(predicate["failedTests"], serde_json::json!([]));
    let passed = predicate["passedTests"].as_array().unwrap();
    assert!(passed.contains(&"ORDER-002".into()) && passed.len() > 30, "{passed:?}");
    assert_eq!(payload["subject"][0]["name"], "record.jsonl");
    assert_eq!(payload["subject"][0]["digest"]["sha256"], stated["evidence"][0]["sha256"]);
    let hash = &predicate["configuration"][0]["digest"]["sha256"];
    assert_eq!(*hash, stated["specification"]["hash"]);
}

#[test]
fn an_artifact_is_the_first_subject() {
    let desk = Desk::new();
    let key = keys(&desk);
    certified(&desk, &key);
    let summary = Summary::from_events(&record::read(&desk.reports()).unwrap()).unwrap();
    let digest = "ab".repeat(32);
    let artifact = format!("registry.example/core@sha256:{digest}");
    let about = CertificateSubject {
        artifacts: vec![artifact.parse().unwrap()],
        ..CertificateSubject::default()
    };
    let key = PrivateKey::load(&key).unwrap();
    let certificate = certificate::sign(&summary, &desk.reports(), about, &key).unwrap();
    std::fs::remove_file(desk.reports().join(PAGE)).unwrap();
    std::fs::write(desk.reports().join(FILE), certificate.text().unwrap()).unwrap();
    verify(&desk).ends(0);
    let subject = &payload(&desk)["subject"][0];
    assert_eq!(subject["name"], "registry.example/core");
    assert_eq!(subject["digest"]["sha256"], digest);
    for wrong in ["core", "core@sha256:12", "@sha256:"] {
        desk.batchproof(&["certify", "--key", "key", "--artifact", wrong])
            .ends(2)
            .says(&["expected NAME@sha256:"]);
    }
}

/// Runs the verifier that is not batchproof's; none where its library is missing.
fn independently(desk: &Desk, file: &str) -> Option<i32> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates/verify.py");
    let output = std::process::Command::new("python3")
        .args([script, file, "key.pub"])
        .current_dir(desk.path())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(77) | None => {
            println!("{said}");
            None
        }
        code => code,
    }
}

#[test]
fn an_independent_library_verifies_it_and_rejects_a_changed_byte() {
    let desk = Desk::new();
    let key = keys(&desk);
    certified(&desk, &key);
    let Some(code) = independently(&desk, "reports/certificate.json") else {
        println!("left out: python3 with securesystemslib is not installed");
        return;
    };
    assert_eq!(code, 0);
    let text = payload(&desk).to_string();
    with_payload(&desk, &text.replacen("PASSED", "PASSER", 1));
    assert_eq!(independently(&desk, "reports/certificate.json"), Some(1));
    verify(&desk).ends(1);
}
