//! What is said to profiles, waivers, tokens, certificates and keys that can't be used.

use crate::harness::{Desk, closed_port};
use crate::said::{commands, texts};

const PROFILES: &[&str] = &[
    "- values\n",
    "valeus: {}\n",
    "auth: kerberos\n",
    "values:\n  accountExtid: [A]\n",
    "values: { value: { min: 9, max: 1 } }\n",
    "values: { value: { from: 1, to: 9 } }\n",
    "values: { accountExtId: [] }\n",
    "values: { accountExtId: A }\n",
    "values: { accountExtId: [7] }\n",
    "values: { accountExtId: { min: 1, max: 2 } }\n",
    "omit: [value]\n",
    "omit: [amount]\n",
    "required: [busnessUnit]\n",
    "headers: { X-Tenant: \"${env:BATCHPROOF_NO_SUCH}\" }\n",
    "error-codes: { B017: { means: x, cause: lost } }\n",
    "error-codes: { B017: { cause: missing } }\n",
    "skip: { RACES: shared staging }\n",
    "skip: { NOTHING-001: shared staging }\n",
    "skip: { RACE: \"\" }\n",
    "limits: { rate: fast }\n",
    "limits: { rate: 0/s }\n",
    "limits: { jobs: many }\n",
    "limits: { item: 3 }\n",
    "limits: { items: 3 }\n",
];

const WAIVERS: &[&str] = &[
    "rule: ORDER-002\n",
    "just text\n",
    "- rule: ORDRE-002\n  reason: x\n  owner: y\n  expires: 2099-01-31\n",
    "- rule: ORDER-002\n  owner: y\n  expires: 2099-01-31\n",
    "- rule: ORDER-002\n  reason: x\n  owner: y\n  untli: 2099-01-31\n",
    "- rule: ORDER-002\n  reason: …\n  owner: y\n  expires: 2099-01-31\n",
    "- rule: ORDER-002\n  reason: x\n  owner: \"\"\n  expires: 2099-01-31\n",
    "- rule: ORDER-002\n  reason: x\n  owner: y\n  expires: next week\n",
    "- rule: ORDER-002\n  reason: x\n  owner: y\n  expires: 2099-02-30\n",
    "- rule: ORDER-002\n  pointer: results\n  reason: x\n  owner: y\n  expires: 2099-01-31\n",
    "- rule: ORDER-002\n  reason: x\n  owner: y\n  expires: 2099-01-31\n  flaky: often\n",
];

#[test]
fn a_profile() {
    let desk = Desk::new();
    texts("reader_profile", &desk, &["run", "time", "--profile", "p.yaml"], "p.yaml", PROFILES);
}

#[test]
fn waivers() {
    let desk = Desk::new();
    texts("reader_waivers", &desk, &["run", "time", "--waivers", "w.yaml"], "w.yaml", WAIVERS);
}

#[test]
fn a_key() {
    let desk = Desk::new();
    desk.batchproof(&["certify", "--new-key", "key"]).ends(0);
    desk.batchproof(&["certify", "--new-key", "other"]).ends(0);
    std::fs::remove_file(desk.path().join("other.pub")).unwrap();
    desk.file("text", "no key\n");
    desk.file("base64", "-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----\n");
    desk.file("rsa", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    desk.file("certificate.json", "{}\n");
    let named: &[&[&str]] = &[
        &["certify"],
        &["certify", "--key", "key", "time"],
        &["certify", "--key", "key", "--depth", "quick"],
        &["certify", "--new-key", "key"],
        &["certify", "--new-key", "other"],
        &["certify", "--key", "nowhere"],
        &["certify", "--key", "key.pub"],
        &["certify", "--key", "text"],
        &["verify", ".", "--key", "nowhere"],
        &["verify", ".", "--key", "key"],
        &["verify", ".", "--key", "text"],
        &["verify", ".", "--key", "base64"],
        &["verify", ".", "--key", "rsa"],
        &["verify", "nowhere", "--key", "key.pub"],
        &["verify", ".", "--key", "key.pub"],
    ];
    commands("reader_keys", &desk, named);
}

#[test]
fn files_of_the_command_line() {
    let desk = Desk::new();
    desk.file("blank", " \n");
    desk.file("text.pem", "no certificate\n");
    desk.file("taken", "a file");
    let url = format!("https://127.0.0.1:{}", closed_port());
    let named: &[&[&str]] = &[
        &["run", "--profile", "none.yaml"],
        &["run", "--waivers", "none.yaml"],
        &["run", "--contract", "nowhere"],
        &["run", "--target", &url, "--token-file", "none"],
        &["run", "--target", &url, "--token-file", "blank"],
        &["run", "--target", &url, "--ca", "none.pem"],
        &["run", "--target", &url, "--ca", "text.pem"],
        &["run", "--target", &url, "--cert", "none.pem"],
        &["run", "--target", &url, "--cert", "text.pem"],
        &["run", "time", "--report-dir", "taken"],
        &["serve", "--token-file", "none"],
    ];
    commands("reader_named_files", &desk, named);
}

#[test]
fn arguments() {
    let desk = Desk::new();
    let named: &[&[&str]] = &[
        &["run", "--target", "staging.example/x"],
        &["run", "--target", "localhost:1"],
        &["run", "--target", "http://a:b@host/"],
        &["run", "--partition", "3/2"],
        &["run", "--partition", "index/2"],
        &["run", "--partition", "1/2"],
        &["run", "--run-id", "a b"],
        &["run", "--rate", "soon"],
        &["run", "--timeout", "soon"],
        &["run", "--timeout", "30 bananas"],
        &["run", "--max-time", "0s"],
        &["run", "--jobs", "0"],
        &["run", "--depth", "shallow"],
        &["run", "--depht", "quick"],
        &["run", "--token", "x"],
        &["explain", "UNIQEU-001"],
        &["explain", "something else"],
        &["serve", "--fault", "results-revresed"],
        &["serve", "--refusal-mode", "both"],
        &["serve", "--reading", "item"],
        &["prove", "nothing-of-that-name"],
    ];
    commands("arguments", &desk, named);
}
