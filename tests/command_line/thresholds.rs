//! Thresholds: what all answers of a case together must stay within fails the run where it is crossed, with what was
//! measured.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::Desk;
use crate::harness::hand::{Hand, Said, verdicts};

/// One answer of ten takes a second.
fn slow_now_and_then() -> Hand {
    let seen = AtomicUsize::new(0);
    Hand::start(move |heard| {
        if seen.fetch_add(1, Ordering::SeqCst) % 10 == 9 {
            std::thread::sleep(Duration::from_secs(1));
        }
        verdicts(heard, "REQUEST_ACCEPTED", &Value::Null)
    })
}

fn soak(desk: &Desk, thresholds: &str) {
    desk.file(
        "soak.yaml",
        format!("title: a soak\ngenerate: {{ items: 2, runs: 60 }}\nthresholds: {thresholds}\n"),
    );
}

#[test]
fn a_crossed_threshold_fails_the_run_with_what_was_measured() {
    let desk = Desk::new();
    soak(&desk, "{ p50: 30s, p99: 500ms, max: 900ms, error-rate: 0% }");
    let hand = slow_now_and_then();
    desk.batchproof(&["run", "soak.yaml", "--target", &hand.url]).ends(1).says(&[
        "p99 at most 500ms",
        "over 60 answers, from sending the request to the last byte",
        "max at most 900ms",
    ]);
    let report = desk.report();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings.iter().all(|f| f["rule"] == "CASE-001" && f["confirmed"] == true));
    let thresholds = report["cases"][0]["thresholds"].as_array().unwrap();
    let crossed: Vec<(&str, bool)> = thresholds
        .iter()
        .map(|t| (t["name"].as_str().unwrap(), t["crossed"].as_bool().unwrap()))
        .collect();
    assert_eq!(crossed, [("p50", false), ("p99", true), ("max", true), ("error-rate", false)]);
    assert!(thresholds[1]["measured"].as_f64().unwrap() >= 900.0, "{thresholds:?}");
    // The distribution is in every report.
    let bars = report["cases"][0]["histogram"].as_array().unwrap();
    assert_eq!(bars.iter().map(|bar| bar["count"].as_u64().unwrap()).sum::<u64>(), 60);
    let read = |name: &str| std::fs::read_to_string(desk.reports().join(name)).unwrap();
    assert!(read("report.md").contains("p99"), "{}", read("report.md"));
    assert!(read("report.html").contains("p99"));
    // A replay repeats requests, and says that it can't tell.
    desk.batchproof(&["replay", "reports", "--target", &hand.url]).ends(3).says(&["all runs"]);
}

#[test]
fn thresholds_that_hold_are_shown_and_fail_nothing() {
    let desk = Desk::new();
    soak(&desk, "{ p95: 1m, p99.9: 1m, mean: 1m, error-rate: 1% }");
    desk.batchproof(&["run", "soak.yaml"]).ends(0);
    let thresholds = desk.report()["cases"][0]["thresholds"].clone();
    assert_eq!(thresholds.as_array().unwrap().len(), 4);
    assert_eq!(thresholds[3]["measured"], json!(0.0));
    assert_eq!(thresholds[3]["shown"], "0% (0 of 60)");
}

#[test]
fn requests_that_a_target_sends_back_count_as_errors_though_they_are_sent_again() {
    let desk = Desk::new();
    soak(&desk, "{ error-rate: 5% }");
    let seen = AtomicUsize::new(0);
    let hand = Hand::start(move |heard| {
        if seen.fetch_add(1, Ordering::SeqCst) % 10 == 9 {
            let mut said = Said::json(503, &json!({}));
            said.headers.push(("Retry-After".to_owned(), "0".to_owned()));
            return said;
        }
        verdicts(heard, "REQUEST_ACCEPTED", &Value::Null)
    });
    desk.batchproof(&["run", "soak.yaml", "--jobs", "1", "--target", &hand.url])
        .ends(1)
        .says(&["error-rate at most 5%", "6 of 66"]);
}

#[test]
fn parts_of_a_run_are_measured_together() {
    let desk = Desk::new();
    soak(&desk, "{ p95: 1m, max: 500ms }");
    let hand = slow_now_and_then();
    for part in ["1", "2"] {
        let (partition, dir) = (format!("{part}/2"), format!("part-{part}"));
        desk.batchproof(&[
            "run",
            "soak.yaml",
            "--target",
            &hand.url,
            "--seed",
            "1",
            "--run-id",
            "r",
            "--partition",
            &partition,
            "--report-dir",
            &dir,
        ])
        .ends(1);
    }
    desk.batchproof(&["report", "part-1", "part-2", "--report-dir", "reports"]).ends(1);
    let report = desk.report();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert!(report["findings"][0]["message"].to_string().contains("over 60 answers"), "{report}");
}

#[test]
fn slips_are_found_before_anything_is_sent() {
    let refused = |thresholds: &str, words: &[&str]| {
        let desk = Desk::new();
        soak(&desk, thresholds);
        desk.batchproof(&["run", "soak.yaml"]).ends(2).says(words);
    };
    refused("{ p59: 1s }", &["soak.yaml:3:", "unknown key `p59`", "did you mean `p"]);
    refused("{ p95: 800 }", &["soak.yaml:3:", "800 is not a time (a number needs its unit)"]);
    refused("{ error-rate: 0.01 }", &["soak.yaml:3:", "0.01 is not a share", "such as 1%"]);
    refused("{ error-rate: 101% }", &["is not a share"]);
    refused("{}", &["`thresholds` without any", "p95"]);
}
