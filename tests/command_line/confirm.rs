//! What repeats make of findings: load and chance confirm nothing, and take nothing back.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::harness::Desk;
use crate::harness::hand::{Hand, Said, verdicts};

const MARKED: &str = "
title: a marked batch
steps:
  - batch: [{ set: { accountExtId: MARKED } }]
";

fn findings(desk: &Desk) -> Vec<Value> {
    desk.report()["findings"].as_array().unwrap().clone()
}

#[test]
fn load_during_repeats_takes_no_finding_back() {
    let desk = Desk::new();
    desk.file("case.yaml", MARKED);
    let seen = AtomicUsize::new(0);
    let hand = Hand::start(move |heard| {
        if !heard.items().iter().any(|item| item["accountExtId"] == "MARKED") {
            return verdicts(heard, "REQUEST_ACCEPTED", &Value::Null);
        }
        // The first two repeats meet load, and each is made again.
        match seen.fetch_add(1, Ordering::SeqCst) {
            1 | 2 => {
                let mut said = Said::json(429, &json!({}));
                said.headers.push(("Retry-After".to_owned(), "0".to_owned()));
                said
            }
            _ => Said::json(502, &json!({})),
        }
    });
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url]).ends(1);
    let findings = findings(&desk);
    let gateway = findings.iter().find(|f| f["rule"].as_str().unwrap().starts_with("STATUS-"));
    assert_eq!(gateway.unwrap()["confirmed"], true, "{findings:#?}");
}

#[test]
fn a_gateway_error_now_and_then_is_not_confirmed() {
    let desk = Desk::new();
    let mut case = "title: many plain batches\nsteps:\n".to_owned();
    for _ in 1..=40 {
        let _ = writeln!(case, "  - batch: 1");
    }
    desk.file("case.yaml", case);
    let seen = AtomicUsize::new(0);
    // Each execution meets it, and every repeat in another step.
    let hand = Hand::start(move |heard| match (seen.fetch_add(1, Ordering::SeqCst) + 1) % 25 {
        0 => Said::json(502, &json!({})),
        _ => verdicts(heard, "REQUEST_ACCEPTED", &Value::Null),
    });
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url, "--jobs", "1"]);
    let findings = findings(&desk);
    assert!(!findings.is_empty());
    assert!(findings.iter().all(|f| f["confirmed"] == false), "{findings:#?}");
}

#[test]
fn no_run_sends_more_items_than_the_profile_allows() {
    let desk = Desk::new();
    desk.file(
        "case.yaml",
        "title: plain batches\ngenerate: { items: 10..10, runs: { quick: 2, standard: 2, deep: 2 } }\n",
    );
    desk.file("p.yaml", "limits: { items: 25 }\n");
    let hand = Hand::start(|heard| {
        verdicts(heard, "REQUEST_ACCEPTED", &json!({ "accountExtId": "another" }))
    });
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url, "--profile", "p.yaml"]).ends(1);
    let items: usize = hand.heard().iter().map(|heard| heard.items().len()).sum();
    assert!((20..=25).contains(&items), "{items} items");
}
