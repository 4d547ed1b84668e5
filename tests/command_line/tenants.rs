//! Two tenants of one target, and an API key that stands beside the credentials.

use std::path::Path;

use crate::harness::{Desk, Serving};

const PROFILE: &str = "tenants:\n  second: { token: { file: other.txt } }\n";

/// A directory with a server's second token and a profile that names it.
fn two_tenants() -> Desk {
    let desk = Desk::new();
    desk.file("other.txt", "second-token\n");
    desk.file("profile.yaml", PROFILE);
    desk
}

/// A file of the shipped contract.
fn shipped(name: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    std::fs::read_to_string(dir.join(name)).unwrap()
}

fn serving(desk: &Desk, further: &[&str]) -> Serving {
    let other = desk.path().join("other.txt").display().to_string();
    let mut arguments = vec!["--other-token-file", &other];
    arguments.extend(further);
    Serving::start(&arguments, Some("first-token"))
}

fn run<'a>(url: &'a str, further: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["run", "tenant", "--profile", "profile.yaml", "--target", url];
    arguments.extend(further);
    arguments
}

#[test]
fn a_key_that_another_tenant_used_is_free() {
    let desk = two_tenants();
    let correct = serving(&desk, &[]);
    let ended = desk.with_token(&run(&correct.url, &[]), Some("first-token")).ends(0);
    assert!(!ended.text().contains("second-token"), "{}", ended.text());
    let report = desk.report();
    let rules = report["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["id"] == "TENANT-001").unwrap();
    assert_eq!(rule["outcome"], "passed", "{rule}");
    for fault in ["tenants-share-numbers", "tenant-of-the-batch-before"] {
        let faulty = serving(&desk, &["--fault", fault]);
        desk.with_token(&run(&faulty.url, &[]), Some("first-token")).ends(1);
        assert!(desk.found().contains(&"TENANT-001".to_owned()), "{fault}: {:?}", desk.found());
        let text = std::fs::read_to_string(desk.reports().join("record.jsonl")).unwrap();
        assert!(!text.contains("second-token") && !text.contains("first-token"), "{fault}");
    }
}

#[test]
fn what_no_profile_names_is_not_tested_and_says_so() {
    let desk = two_tenants();
    let correct = serving(&desk, &[]);
    let arguments = ["run", "order/sizes", "tenant", "--target", &correct.url];
    desk.with_token(&arguments, Some("first-token"))
        .ends(0)
        .says(&["the profile names no other tenant"]);
}

#[test]
fn a_second_token_that_is_refused_is_no_finding() {
    let desk = two_tenants();
    let correct = serving(&desk, &[]);
    desk.file("other.txt", "mistyped\n");
    desk.with_token(&run(&correct.url, &[]), Some("first-token")).ends(3).says(&[
        "refused the credentials of the tenant `second`",
        "Check `tenants` in the profile",
    ]);
    desk.file("profile.yaml", "tenants: { second: {} }\n");
    desk.with_token(&run(&correct.url, &[]), Some("first-token"))
        .ends(2)
        .says(&["tenant `second`: it has no credentials of its own"]);
}

#[test]
fn where_the_contract_says_so_a_key_is_used_for_all_tenants() {
    let desk = two_tenants();
    desk.file("shared/openapi.yaml", shipped("openapi.yaml"));
    let contract = format!("{}\nunique-across-tenants: true\n", shipped("batch.yaml"));
    desk.file("shared/batch.yaml", contract);
    let dir = desk.path().join("shared").display().to_string();
    let shared = serving(&desk, &["--contract", &dir]);
    desk.with_token(&run(&shared.url, &["--contract", &dir]), Some("first-token")).ends(0);
    // The same target, for a contract that says otherwise.
    desk.with_token(&run(&shared.url, &[]), Some("first-token")).ends(1);
}

#[test]
fn an_api_key_that_is_demanded_beside_the_token_and_ignored_is_a_finding() {
    let desk = Desk::new();
    let document = shipped("openapi.yaml");
    let (schemes, demand) = ("  securitySchemes:\n", "  - bearerAuth: []\n");
    assert!(document.contains(schemes) && document.contains(demand));
    let key = "    application: { type: apiKey, in: header, name: X-Application-Key }\n";
    let document = document.replacen(schemes, &format!("{schemes}{key}"), 1).replacen(
        demand,
        "  - { application: [], bearerAuth: [] }\n",
        1,
    );
    desk.file("both/openapi.yaml", document);
    desk.file("both/batch.yaml", shipped("batch.yaml"));
    desk.file("profile.yaml", "headers: { X-Application-Key: \"k-1234567\" }\n");
    let dir = desk.path().join("both").display().to_string();
    let run = |url: &str, profile: bool| {
        let mut arguments = vec!["run", "auth", "--contract", &dir, "--target", url];
        if profile {
            arguments.extend(["--profile", "profile.yaml"]);
        }
        desk.with_token(&arguments, Some("first-token"))
    };
    let correct = Serving::start(&["--contract", &dir], Some("first-token"));
    run(&correct.url, true).ends(0);
    // Without it, every request is refused.
    run(&correct.url, false).ends(3).says(&["refused the credentials"]);
    let faulty = Serving::start(
        &["--contract", &dir, "--fault", "further-key-unchecked"],
        Some("first-token"),
    );
    run(&faulty.url, true).ends(1).says(&["AUTH-001"]);
    assert!(desk.found().iter().all(|rule| rule.starts_with("AUTH-")), "{:?}", desk.found());
}
