//! Certificates: issued for what was seen whole and held, and for nothing else; found out when anything changed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use batchproof::certificate::{self, CertificateSubject, FILE, PAGE, PrivateKey};
use batchproof::record::{self, Summary};
use serde_json::Value;

use crate::harness::{Desk, Ended, Serving, closed_port};

pub fn keys(desk: &Desk) -> PathBuf {
    let key = desk.path().join("key");
    desk.batchproof(&["certify", "--new-key", "key"]).ends(0).says(&["key.pub", "fingerprint"]);
    key
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// A quick run whose record says that it was a deep one: what takes a minute is tried in one test alone.
fn as_if_deep(desk: &Desk, further: &[&str]) -> Summary {
    let mut arguments = vec!["run", "--depth", "quick", "--seed", "7"];
    arguments.extend(further);
    desk.batchproof(&arguments);
    let record = desk.reports().join("record.jsonl");
    let text = read(&record).replacen("\"depth\":\"quick\"", "\"depth\":\"deep\"", 1);
    std::fs::write(&record, text).unwrap();
    desk.batchproof(&["report", "reports"]);
    Summary::from_events(&record::read(&record).unwrap()).unwrap()
}

fn refusals(summary: &Summary) -> Vec<String> {
    certificate::refusals(summary).into_iter().map(|r| r.why).collect()
}

/// A profile that says why each rule was not judged which a quick run does not reach.
fn agreed(desk: &Desk) -> Vec<&'static str> {
    let silent = refusals(&as_if_deep(desk, &[]));
    let mut text = "skip:\n".to_owned();
    for why in &silent {
        let (rule, rest) = why.split_once(' ').unwrap();
        assert!(rest.starts_with("was not tested: "), "{rest}");
        let _ = writeln!(text, "  {rule}: agreed with operations");
    }
    if silent.is_empty() {
        "{}\n".clone_into(&mut text);
    }
    desk.file("profile.yaml", text);
    vec!["--profile", "profile.yaml"]
}

/// A certificate in the report directory, without a run of a minute.
pub fn certified(desk: &Desk, key: &Path) -> Value {
    let summary = as_if_deep(desk, &agreed(desk));
    assert_eq!(refusals(&summary), [""; 0]);
    let about = CertificateSubject {
        subject: Some("the reference".to_owned()),
        ..CertificateSubject::default()
    };
    let key = PrivateKey::load(key).unwrap();
    let certificate = certificate::sign(&summary, &desk.reports(), about, &key).unwrap();
    let statement = certificate.attestation().unwrap().statement();
    let page = certificate::page(&certificate, &statement);
    std::fs::write(desk.reports().join(PAGE), page).unwrap();
    std::fs::write(desk.reports().join(FILE), certificate.text().unwrap()).unwrap();
    serde_json::to_value(&statement).unwrap()
}

/// What the certificate in the report directory states.
pub fn payload(desk: &Desk) -> Value {
    let certificate: Value = serde_json::from_str(&read(&desk.reports().join(FILE))).unwrap();
    let payload = STANDARD.decode(certificate["payload"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// Writes the certificate with another payload, under the same signature.
pub fn with_payload(desk: &Desk, payload: &str) {
    let file = desk.reports().join(FILE);
    let mut certificate: certificate::SignedCertificate =
        serde_json::from_str(&read(&file)).unwrap();
    certificate.payload = STANDARD.encode(payload);
    std::fs::write(file, certificate.text().unwrap()).unwrap();
}

pub fn verify(desk: &Desk) -> Ended {
    desk.batchproof(&["verify", "reports/certificate.json", "--key", "key.pub"])
}

#[test]
fn a_whole_run_is_certified_and_verified() {
    let desk = Desk::new();
    keys(&desk);
    desk.file("waivers.yaml", "- rule: ATOM-002\n  reason: r\n  owner: o\n  expires: 2020-01-31\n");
    let certify = ["certify", "--key", "key", "--waivers", "waivers.yaml", "--subject", "Core 4.2"];
    desk.batchproof(&certify).ends(0).says(&[
        "CONFORMANT",
        "Certificate: reports/certificate.json",
        "batchproof verify reports/certificate.json --key key.pub",
    ]);
    verify(&desk).ends(0).says(&["Core 4.2, conformant", "record.jsonl and report.json match"]);
    let stated = payload(&desk)["predicate"]["batchproof"].clone();
    assert_eq!(stated["conclusion"], "conformant");
    assert_eq!(stated["configuration"]["depth"], "deep");
    assert_eq!(stated["waivers"][0]["status"], "expired");
    assert!(!stated["rules"].as_object().unwrap().contains_key("CASE-001"));
    assert!(read(&desk.reports().join(PAGE)).contains("Core 4.2"));
    // Making the reports again changes nothing of it, and the next run takes it out of the way.
    desk.batchproof(&["report", "reports"]).ends(0);
    verify(&desk).ends(0);
    desk.batchproof(&["run", "order/shuffled"]).ends(0);
    assert!(!desk.reports().join(FILE).exists() && !desk.reports().join(PAGE).exists());
}

/// Signs what the report directory holds.
pub fn signed(desk: &Desk, key: &Path, challenge: &str) {
    let record = desk.reports().join("record.jsonl");
    let summary = Summary::from_events(&record::read(&record).unwrap()).unwrap();
    let about = CertificateSubject {
        challenge: Some(challenge.to_owned()),
        ..CertificateSubject::default()
    };
    let key = PrivateKey::load(key).unwrap();
    let certificate = certificate::sign(&summary, &desk.reports(), about, &key).unwrap();
    let statement = certificate.attestation().unwrap().statement();
    let page = certificate::page(&certificate, &statement);
    std::fs::write(desk.reports().join(PAGE), page).unwrap();
    std::fs::write(desk.reports().join(FILE), certificate.text().unwrap()).unwrap();
}

#[test]
fn a_challenge_is_answered_by_its_own_seed_alone() {
    let desk = Desk::new();
    let key = keys(&desk);
    certified(&desk, &key);
    let check = |text: &str| {
        desk.batchproof(&["verify", "reports", "--key", "key.pub", "--challenge", text])
    };
    check("dice 4 6 1").ends(1).says(&["answers no challenge"]);
    // The vendor chose the seed, and says that it was not so.
    signed(&desk, &key, "dice 4 6 1");
    let lucky = ["the seed 7", "the challenge that it states gives"];
    verify(&desk).ends(1).says(&lucky);
    check("dice 4 6 1").ends(1).says(&lucky);
    let record = desk.reports().join("record.jsonl");
    let seed = format!("\"seed\":{},", certificate::challenge_seed("dice 4 6 1"));
    let text = read(&record);
    assert!(text.contains("\"seed\":7,"));
    std::fs::write(&record, text.replacen("\"seed\":7,", &seed, 1)).unwrap();
    desk.batchproof(&["report", "reports"]);
    signed(&desk, &key, "dice 4 6 1");
    verify(&desk).ends(0).says(&["answers the challenge \"dice 4 6 1\""]);
    check("dice 4 6 1").ends(0);
    check("dice 1 1 1").ends(1).says(&["answers the challenge `dice 4 6 1`"]);
}

#[test]
fn a_challenge_and_a_seed_exclude_each_other() {
    let desk = Desk::new();
    keys(&desk);
    desk.batchproof(&["certify", "--key", "key", "--challenge", "x", "--seed", "7"]).ends(2);
    desk.batchproof(&["certify", "--key", "key", "--challenge", ""]).ends(2);
    let seed = certificate::challenge_seed("x").to_string();
    desk.batchproof(&["certify", "--key", "key", "--challenge", "x", "--plan"])
        .ends(0)
        .says(&[&seed]);
}

#[test]
fn one_changed_byte_is_named() {
    let desk = Desk::new();
    let key = keys(&desk);
    let stated = certified(&desk, &key);
    verify(&desk).ends(0).says(&["the reference, conformant"]);
    let tampered = |name: &str, from: &str, to: &str, words: &[&str]| {
        let path = desk.reports().join(name);
        let before = read(&path);
        assert!(before.contains(from), "{name}: {from}");
        std::fs::write(&path, before.replacen(from, to, 1)).unwrap();
        verify(&desk).ends(1).says(words);
        std::fs::write(&path, before).unwrap();
    };
    let hash = |file: usize| stated["evidence"][file]["sha256"].as_str().unwrap();
    let whole = read(&desk.reports().join(FILE));
    let text = payload(&desk).to_string();
    let restated = |from: &str, to: &str, words: &[&str]| {
        assert!(text.contains(from), "{from}");
        with_payload(&desk, &text.replacen(from, to, 1));
        verify(&desk).ends(1).says(words);
        std::fs::write(desk.reports().join(FILE), &whole).unwrap();
    };
    let changed = "the signature does not match";
    restated(
        "\"seed\":7",
        "\"seed\":8",
        &[changed, "/configuration/seed: the certificate states 8, the record gives 7"],
    );
    let first = if hash(0).starts_with('0') { "1" } else { "0" };
    let other = format!("{first}{}", &hash(0)[1..]);
    restated(
        hash(0),
        &other,
        &[changed, "/subject/0/digest/sha256: the certificate states", "its statement gives"],
    );
    restated("\"PASSED\"", "\"FAILED\"", &[changed, "/predicate/result"]);
    tampered("certificate.json", "\n}", "\n }", &["the certificate was changed, from byte"]);
    tampered("certificate.json", "in-toto+json", "in-toto+text", &["the payload type is `"]);
    tampered("certificate.json", "\"sig\": \"", "\"sig\": \"A", &[changed]);
    tampered("certificate.json", "\"keyid\": \"", "\"keyid\": \"0", &["the name was changed"]);
    desk.file(
        "reports/certificate.json",
        r#"{"payload":"{}","algorithm":"Ed25519","signature":"","public_key":""}"#,
    );
    verify(&desk).ends(1).says(&["certificates are DSSE envelopes now", "batchproof certify"]);
    std::fs::write(desk.reports().join(FILE), &whole).unwrap();
    tampered("certificate.json", "{", "[", &["the certificate cannot be read"]);
    tampered(
        "record.jsonl",
        "\"run-started\"",
        "\"run-starte\"",
        &["record.jsonl is another", hash(0)],
    );
    tampered("record.jsonl", "\"seed\":7", "\"seed\":8", &["record.jsonl is another", hash(0)]);
    tampered("report.json", "\"exit\": 0", "\"exit\": 1", &["report.json is another", hash(1)]);
    tampered(
        "certificate.html",
        "the reference",
        "The reference",
        &["certificate.html is not the page"],
    );
    std::fs::remove_file(desk.reports().join("report.json")).unwrap();
    verify(&desk)
        .ends(1)
        .says(&["report.json cannot be read", "in the directory of the certificate"]);
    desk.batchproof(&["report", "reports"]).ends(0);
    verify(&desk).ends(0);
}

#[test]
fn every_changed_byte_of_a_certificate_is_noticed() {
    let desk = Desk::new();
    let key = keys(&desk);
    certified(&desk, &key);
    let public = certificate::PublicKey::load(&desk.path().join("key.pub")).unwrap();
    // Away from the record, so that the signature has to notice it.
    let bytes = std::fs::read(desk.reports().join(FILE)).unwrap();
    let elsewhere = desk.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    for name in certificate::EVIDENCE {
        std::fs::copy(desk.reports().join(name), elsewhere.join(name)).unwrap();
    }
    assert!(certificate::verify(&bytes, &elsewhere, &public).mismatches.is_empty());
    for name in certificate::EVIDENCE {
        std::fs::remove_file(elsewhere.join(name)).unwrap();
    }
    let missing = certificate::verify(&bytes, &elsewhere, &public).mismatches;
    assert_eq!(missing.len(), 2);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let mismatches = certificate::verify(&changed, &elsewhere, &public).mismatches;
        assert!(
            mismatches.iter().any(|m| !missing.contains(m)),
            "byte {at} of {} is not noticed",
            String::from_utf8_lossy(&bytes)
        );
    }
}

#[test]
fn another_key_does_not_verify() {
    let desk = Desk::new();
    let key = keys(&desk);
    certified(&desk, &key);
    desk.batchproof(&["certify", "--new-key", "other"]).ends(0);
    desk.batchproof(&["verify", "reports", "--key", "other.pub"])
        .ends(1)
        .says(&["it was not signed with the given key", "it names the key"]);
    desk.batchproof(&["verify", "reports", "--key", "key"]).ends(2).says(&["it is a private key"]);
    desk.batchproof(&["verify", "nowhere.json", "--key", "key.pub"])
        .ends(2)
        .says(&["nowhere.json"]);
    desk.file("not-a-key", "hello\n");
    desk.batchproof(&["verify", "reports", "--key", "not-a-key"])
        .ends(2)
        .says(&["not-a-key: it is not a PEM key", "key.pub".replace("key", "FILE").as_str()]);
}

#[test]
fn a_new_key_is_its_owners_alone_and_overwrites_nothing() {
    let desk = Desk::new();
    let key = keys(&desk);
    let before = read(&key);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    desk.batchproof(&["certify", "--new-key", "key"]).ends(2).says(&["not overwritten"]);
    std::fs::remove_file(desk.path().join("key.pub")).unwrap();
    desk.batchproof(&["certify", "--new-key", "key"]).ends(2).says(&["not overwritten"]);
    assert_eq!(read(&key), before);
}

#[test]
fn what_was_not_seen_whole_is_not_certified() {
    let desk = Desk::new();
    let quick = |further: &[&str]| {
        let mut arguments = vec!["run", "--depth", "quick", "--seed", "7"];
        arguments.extend(further);
        desk.batchproof(&arguments);
        refusals(&Summary::from_events(&record::read(&desk.reports()).unwrap()).unwrap())
    };
    let has = |found: Vec<String>, words: &str| {
        assert!(found.iter().any(|why| why.contains(words)), "`{words}` is missing in {found:#?}");
    };
    has(quick(&[]), "the depth was quick; a certificate needs deep");
    has(quick(&["order"]), "the run was not exactly the shipped cases");
    has(quick(&["--runs", "1"]), "--runs set the executions of each case to 1");
    has(quick(&["--run-id", "p", "--partition", "1/2"]), "part 1 of 2");
    desk.file("own.yaml", "title: mine\nsteps: [{ batch: 1 }]\n");
    has(quick(&["own.yaml"]), "the run was not exactly the shipped cases");
    desk.file(
        "waivers.yaml",
        "- rule: ORDER-002\n  case: order/sizes\n  reason: r\n  owner: o\n  expires: 2099-01-31\n",
    );
    has(quick(&["--waivers", "waivers.yaml"]), "is stale");

    let faulty = Serving::start(&["--fault", "results-reversed"], None);
    desk.file(
        "waivers.yaml",
        "- rule: ORDER-002\n  reason: r\n  owner: o\n  expires: 2099-01-31\n",
    );
    let found = quick(&["--target", &faulty.url, "--waivers", "waivers.yaml"]);
    has(found.clone(), "ORDER-002 failed");
    has(found.clone(), "of them waived");
    has(found, "was not tested: masked");
    assert!(!desk.reports().join(FILE).exists());
}

#[test]
fn a_profile_that_says_why_is_enough() {
    let desk = Desk::new();
    let key = keys(&desk);
    let stated = certified(&desk, &key);
    for (rule, why) in stated["skipped"].as_object().unwrap() {
        assert_eq!(why, "agreed with operations", "{rule}");
        let unjudged = stated["not_tested"][rule]["why"].as_str().unwrap();
        assert!(unjudged.contains("agreed with operations"), "{unjudged}");
        assert!(read(&desk.reports().join(PAGE)).contains(rule.as_str()));
    }
}

#[test]
fn a_refused_certificate_says_why_and_exits_like_the_run() {
    let desk = Desk::new();
    keys(&desk);
    let url = format!("http://127.0.0.1:{}", closed_port());
    desk.batchproof(&["certify", "--key", "key", "--target", &url])
        .ends(3)
        .says(&["No certificate:", "can't be reached"]);
    let faulty = Serving::start(&["--fault", "results-reversed"], None);
    // A slow machine gets more time, until the fault was seen when the time was over.
    let seen = ["1s", "4s", "16s"].iter().any(|time| {
        let cut = ["certify", "--key", "key", "--target", &faulty.url, "--max-time", time];
        let ran = desk.batchproof(&cut).says(&["No certificate:", "the run was cut short"]);
        let flat = ran.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let seen = flat.contains("ORDER-002 failed");
        ran.ends(if seen { 1 } else { 3 });
        seen
    });
    assert!(seen, "the fault was never seen in time");
    assert!(!desk.reports().join(FILE).exists() && !desk.reports().join(PAGE).exists());
    for (further, what) in [
        (vec!["order"], "cases named on the command line"),
        (vec!["--depth", "quick"], "--depth other than deep"),
        (vec!["--runs", "3"], "--runs"),
        (vec!["--partition", "1/2"], "--partition"),
        (vec!["--max-findings", "3"], "--max-findings"),
    ] {
        let arguments: Vec<&str> = ["certify", "--key", "key"].into_iter().chain(further).collect();
        desk.batchproof(&arguments).ends(2).says(&["certify does not accept", what]);
    }
    desk.batchproof(&["certify", "--key", "nowhere"])
        .ends(2)
        .says(&["nowhere", "a private Ed25519 key"]);
    desk.batchproof(&["certify"]).ends(2).says(&["--key"]);
}
