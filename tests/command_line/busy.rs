//! 503 without a word of when to come back: a target under load is waited for, one that refuses some requests each time
//! is reported.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::Desk;
use crate::harness::hand::{Hand, Heard, Said, verdicts};

const BUSY: Said = Said { status: 503, headers: Vec::new(), body: String::new() };

const CASES: [&str; 2] = [
    "title: small\ngenerate: { items: 1..3, runs: 60 }\nexpect: accepted\n",
    "title: large\ngenerate: { items: 90..99, runs: 12 }\nexpect: accepted\n",
];

fn accept(heard: &Heard) -> Said {
    verdicts(heard, "REQUEST_ACCEPTED", &Value::Null)
}

fn run(hand: &Hand) -> (Desk, i32) {
    let desk = Desk::new();
    desk.file("small.yaml", CASES[0]);
    desk.file("large.yaml", CASES[1]);
    let run = desk.batchproof(&["run", "small.yaml", "large.yaml", "--target", &hand.url]);
    let code = run.code;
    (desk, code)
}

#[test]
fn a_limit_of_the_rate_is_no_finding() {
    let times = Mutex::new(Vec::<Instant>::new());
    let hand = Hand::start(move |heard| {
        let now = Instant::now();
        let mut times = times.lock().unwrap();
        times.retain(|t| now - *t < Duration::from_secs(1));
        if times.len() >= 25 {
            return BUSY;
        }
        times.push(now);
        accept(heard)
    });
    let (desk, code) = run(&hand);
    assert_eq!(desk.found(), [""; 0]);
    assert_ne!(code, 1);
}

#[test]
fn a_limit_of_what_is_under_way_is_no_finding() {
    let under_way = AtomicUsize::new(0);
    let hand = Hand::start(move |heard| {
        let items = heard.items().len();
        let before = under_way.fetch_add(items, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(5));
        under_way.fetch_sub(items, Ordering::SeqCst);
        // One large batch beside some small ones.
        if before > 0 && before + items > 100 { BUSY } else { accept(heard) }
    });
    let (desk, code) = run(&hand);
    assert_eq!(desk.found(), [""; 0]);
    assert_ne!(code, 1);
}

#[test]
fn a_size_that_is_always_called_busy_is_a_finding_and_costs_little() {
    let hand = Hand::start(|heard| if heard.items().len() < 90 { accept(heard) } else { BUSY });
    let (desk, code) = run(&hand);
    assert_eq!(code, 1);
    let report = desk.report();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((&findings[0]["case"], &findings[0]["confirmed"]), (&json!("large"), &json!(true)));
    // Every execution is judged, and only the first of them was tried again.
    assert_eq!(findings[0]["count"], 12);
    let large = hand.heard().iter().filter(|heard| heard.items().len() >= 90).count();
    // Four tries of each, and of each repeat, would be 60.
    assert!(large < 40, "{large} large batches");
}
