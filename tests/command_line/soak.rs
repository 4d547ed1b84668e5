//! Soaks: very many runs of a case, each judged; found, shrunk, cut short or killed as any other run.

use std::collections::HashSet;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Heard, Said, verdicts};
use crate::harness::{Desk, Serving};

/// The counts of a rule in the last report.
fn counts(desk: &Desk, rule: &str) -> Value {
    let report = desk.report();
    let rules = report["rules"].as_array().unwrap();
    rules.iter().find(|r| r["id"] == rule).unwrap()["counts"].clone()
}

/// Runs of the only case in the last report, and how many results were compared with their items.
fn judged(desk: &Desk) -> (u64, u64) {
    let runs = desk.report()["cases"][0]["runs"].as_u64().unwrap();
    (runs, counts(desk, "ECHO-001")["passed"].as_u64().unwrap())
}

#[test]
fn a_soak_counts_every_run_and_judges_each_of_them() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    desk.batchproof(&["run", "soak/ten-items", "--runs", "3000", "--target", &serving.url]).ends(0);
    let report = desk.report();
    assert!(report["stats"]["requests"].as_u64().unwrap() >= 3_000);
    assert!(report["stats"]["items"].as_u64().unwrap() >= 30_000);
    for rule in ["ECHO-001", "CODE-002", "SCHEMA-004", "UNIQUE-003"] {
        assert_eq!(counts(&desk, rule)["passed"], 30_000, "{rule}");
    }
    for rule in ["SCHEMA-001", "ORDER-002", "TIME-003", "HTTP-001"] {
        assert_eq!(counts(&desk, rule)["passed"], 3_000, "{rule}");
    }
    // As a rule, and as what the case expects.
    assert_eq!(counts(&desk, "ACCEPT-001")["passed"], 2 * 3_000);
}

#[test]
fn a_rare_fault_is_found_in_a_soak_as_anywhere_else() {
    let desk = Desk::new();
    let seen = AtomicUsize::new(0);
    let hand = Hand::start(move |heard| {
        let mut said = verdicts(heard, "REQUEST_ACCEPTED", &Value::Null);
        if seen.fetch_add(1, Ordering::SeqCst) == 700 {
            let mut answer: Value = serde_json::from_str(&said.body).unwrap();
            answer["results"][4]["accountExtId"] = json!("ANOTHER");
            said.body = answer.to_string();
        }
        said
    });
    desk.batchproof(&["run", "soak/ten-items", "--runs", "1000", "--target", &hand.url]).ends(1);
    assert_eq!(desk.found(), ["ECHO-002"]);
    let finding = &desk.report()["findings"][0];
    assert_eq!((&finding["position"]["item"], &finding["count"]), (&json!(4), &json!(1)));
    assert!(finding["evidence"][0]["answer"].to_string().contains("ANOTHER"));
    assert_eq!(counts(&desk, "ECHO-002")["passed"], 9_999);
}

#[test]
fn a_fault_deep_in_a_soak_is_found_and_shrunk() {
    let desk = Desk::new();
    // About one batch in a thousand holds such an account.
    let hand = Hand::start(|heard| {
        let mut said = verdicts(heard, "REQUEST_ACCEPTED", &Value::Null);
        let odd =
            |item: &Value| item["accountExtId"].as_str().is_some_and(|id| id.ends_with("0007"));
        if let Some(at) = heard.items().iter().position(odd) {
            let mut answer: Value = serde_json::from_str(&said.body).unwrap();
            answer["results"][at]["accountExtId"] = json!("ANOTHER");
            said.body = answer.to_string();
        }
        said
    });
    let arguments =
        ["run", "soak/ten-items", "--runs", "4000", "--seed", "5", "--target", &hand.url];
    desk.batchproof(&arguments).ends(1);
    assert_eq!(desk.found(), ["ECHO-002"]);
    let report = desk.report();
    let finding = &report["findings"][0];
    assert!(finding["run"].as_u64() > Some(1_000), "{finding}");
    let minimal = &finding["minimal"]["evidence"][0]["request"]["body"];
    let minimal: Value = serde_json::from_str(minimal["text"].as_str().unwrap()).unwrap();
    let items = minimal["accountBalances"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{minimal}");
    assert!(items[0]["accountExtId"].as_str().unwrap().ends_with("0007"));
}

#[test]
fn a_soak_that_the_clock_ends_counts_what_was_judged() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    let limits = ["--runs", "1000000000", "--max-time", "1s", "--target", &serving.url];
    desk.batchproof(&[&["run", "soak/ten-items"][..], &limits].concat()).ends(3);
    let (runs, results) = judged(&desk);
    assert!(runs > 0);
    assert_eq!(results, runs * 10);
    assert_eq!(desk.found(), [""; 0]);
}

#[test]
fn a_killed_soak_leaves_what_was_counted_so_far() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    let mut child = Command::new(env!("CARGO_BIN_EXE_batchproof"))
        .args(["run", "soak/ten-items", "--runs", "1000000000", "--target", &serving.url])
        .current_dir(desk.path())
        .env_remove("BATCHPROOF_TOKEN")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let record = desk.reports().join("record.jsonl");
    let is_noted = || {
        let text = std::fs::read_to_string(&record).unwrap_or_default();
        text.lines().filter(|line| line.contains("case-so-far")).count() >= 2
    };
    while !is_noted() {
        assert!(started.elapsed() < Duration::from_mins(1), "nothing was noted");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    desk.batchproof(&["report", "reports"]).ends(3).says(&["killed before its end"]);
    let (runs, results) = judged(&desk);
    assert!(runs > 0);
    assert_eq!(results, runs * 10);
}

#[test]
fn a_rate_holds_and_connections_are_used_again() {
    let desk = Desk::new();
    let connections = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&connections);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    let inner = hand.url.strip_prefix("http://").unwrap().to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let server = TcpStream::connect(&inner).unwrap();
            for (mut from, mut to) in
                [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
            {
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        }
    });
    let url = format!("http://{address}");
    let begun = Instant::now();
    let limits = ["--rate", "800/s", "--jobs", "3", "--runs", "1200", "--target", &url];
    desk.batchproof(&[&["run", "soak/ten-items"][..], &limits].concat()).ends(0);
    // 1,201 requests, the opening's among them, at 1.25 ms from one to the next.
    assert!(begun.elapsed() >= Duration::from_millis(1_500));
    assert!(hand.heard().len() >= 1_200);
    assert!(connections.load(Ordering::SeqCst) <= 3 + 2, "{connections:?}");
}

#[test]
fn a_soak_waits_as_long_as_it_is_asked_to_by_seconds_or_by_date() {
    for status in [429, 503] {
        let desk = Desk::new();
        let seen = AtomicUsize::new(0);
        let hand = Hand::start(move |heard| {
            if seen.fetch_add(1, Ordering::SeqCst) == 700 {
                let mut said = Said::json(status, &json!({}));
                let date = chrono::Utc::now() + Duration::from_secs(2);
                let wait = match status {
                    429 => "1".to_owned(),
                    _ => date.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
                };
                said.headers.push(("Retry-After".to_owned(), wait));
                return said;
            }
            verdicts(heard, "REQUEST_ACCEPTED", &Value::Null)
        });
        let begun = Instant::now();
        let limits = ["--runs", "1000", "--jobs", "1", "--target", &hand.url];
        desk.batchproof(&[&["run", "soak/ten-items"][..], &limits].concat()).ends(0);
        assert!(begun.elapsed() >= Duration::from_secs(1));
        // All runs were judged in the end: the hindered one with fresh numbers.
        assert_eq!(counts(&desk, "ECHO-001")["passed"], 10_000);
        let heard = hand.heard();
        let items: Vec<Value> = heard.iter().flat_map(Heard::items).collect();
        let numbers: HashSet<&str> =
            items.iter().filter_map(|item| item["communicationNumber"].as_str()).collect();
        assert_eq!(numbers.len(), items.len());
    }
}
