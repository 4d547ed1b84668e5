//! Runs side by side: what is new and what is fixed, and one grid of several implementations.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::harness::hand::{Hand, verdicts};
use crate::harness::{Desk, Ended, Serving};

const CASE: &str = "accept/generated";

fn run(desk: &Desk, url: &str, dir: &str, further: &[&str]) -> Ended {
    let mut arguments = vec!["run", CASE, "--depth", "quick", "--seed", "7", "--target", url];
    arguments.extend(["--report-dir", dir]);
    arguments.extend(further);
    desk.batchproof(&arguments)
}

/// One target that changes: it answers in the order of its steps.
struct Changing {
    hand: Hand,
    step: Arc<AtomicUsize>,
}

impl Changing {
    fn start() -> Changing {
        let step = Arc::new(AtomicUsize::new(0));
        let mine = step.clone();
        let hand = Hand::start(move |heard| {
            let step = mine.load(Ordering::SeqCst);
            let further = if step == 1 { json!({ "errorCode": "O000" }) } else { Value::Null };
            let mut said = verdicts(heard, "REQUEST_ACCEPTED", &further);
            if step == 2 {
                said.headers.push(("Cache-Control".to_owned(), "max-age=3600".to_owned()));
            }
            said
        });
        Changing { hand, step }
    }

    fn becomes(&self, step: usize) {
        self.step.store(step, Ordering::SeqCst);
    }
}

#[test]
fn two_runs_of_a_target_tell_what_is_new_and_what_is_fixed() {
    let desk = Desk::new();
    let target = Changing::start();
    run(&desk, &target.hand.url, "clean", &[]).ends(0);
    target.becomes(1);
    run(&desk, &target.hand.url, "coded", &[]).ends(1);
    target.becomes(2);
    run(&desk, &target.hand.url, "cached", &[]).ends(0);

    desk.batchproof(&["report", "clean", "coded"])
        .ends(1)
        .says(&["NONCONFORMANT 1 new, 0 fixed, 0 still there", "CODE-002 MUST: passed → failed"]);
    // The exit is the last run's: SHOULD findings fail nothing.
    desk.batchproof(&["report", "coded", "cached"]).ends(0).says(&[
        "CONFORMANT 1 new, 1 fixed, 0 still there",
        "1 problem new (1 finding)",
        "SHOULD HTTP-011",
        "1 problem fixed (1 finding)",
        "MUST CODE-002",
        "CODE-002 MUST: failed → passed",
    ]);
    desk.batchproof(&["report", "coded", "coded"]).ends(1).says(&["0 new, 0 fixed, 1 still there"]);
    // The times say which is the earlier one, however they are given.
    for order in [["clean", "coded"], ["coded", "clean"]] {
        desk.batchproof(&[&["report"][..], &order].concat()).ends(1).says(&[
            "1 new, 0 fixed",
            "before clean: conformant",
            "after coded: nonconformant",
        ]);
    }
    assert!(!desk.reports().exists(), "a comparison leaves nothing behind");
    desk.batchproof(&["report", "coded", "cached", "--report-dir", "told"])
        .ends(0)
        .says(&["diff.txt"]);
    let text = std::fs::read_to_string(desk.path().join("told/diff.txt")).unwrap();
    assert!(text.contains("1 problem fixed (1 finding)"), "{text}");
}

#[test]
fn a_finding_that_was_not_looked_for_again_is_not_called_fixed() {
    let desk = Desk::new();
    let target = Changing::start();
    target.becomes(1);
    run(&desk, &target.hand.url, "coded", &[]).ends(1);
    target.becomes(0);
    desk.file("profile.yaml", "skip: { CODE-002: known to operations }\n");
    run(&desk, &target.hand.url, "skipped", &["--profile", "profile.yaml"]).ends(0);
    desk.batchproof(&["report", "coded", "skipped"]).ends(0).says(&[
        "0 fixed",
        "1 gone, but not shown to be fixed",
        "its rule was not tested there",
        "note: the profiles differ",
    ]);
    desk.batchproof(&[
        "run",
        "order/shuffled",
        "--depth",
        "quick",
        "--seed",
        "8",
        "--target",
        &target.hand.url,
        "--report-dir",
        "other",
    ]);
    desk.batchproof(&["report", "coded", "other"]).says(&[
        "0 fixed",
        "its case did not run",
        "note: the cases changed between the runs",
        "note: the seeds differ (7 and 8)",
    ]);
}

#[test]
fn several_targets_become_one_grid() {
    let desk = Desk::new();
    let servers = [
        Serving::start(&[], None),
        Serving::start(&["--fault", "content-type-text"], None),
        Serving::start(&["--fault", "results-reversed"], None),
    ];
    for (server, (dir, code)) in servers.iter().zip([("clean", 0), ("coded", 1), ("order", 1)]) {
        run(&desk, &server.url, dir, &[]).ends(code);
    }
    std::fs::remove_file(desk.path().join("order/report.html")).unwrap();
    let ended = desk
        .batchproof(&[
            "report",
            "clean",
            "coded",
            "order/record.jsonl",
            "--report-dir",
            "side by side",
        ])
        .ends(1)
        .says(&["1 of 3 implementations conformant", "matrix.html"]);
    let line = |rule: &str| {
        let line = ended.out.lines().find(|l| l.trim().starts_with(rule)).unwrap_or_default();
        line.split_whitespace().skip(2).take(3).collect::<Vec<_>>().join("")
    };
    assert_eq!(line("HTTP-001"), "✓✗✓");
    assert_eq!(line("ORDER-002"), "✓✓✗");
    assert_eq!(line("ECHO-001"), "✓✓m");

    let page = std::fs::read_to_string(desk.path().join("side by side/matrix.html")).unwrap();
    for server in &servers {
        let host = server.url.split('/').nth(2).unwrap();
        assert!(page.contains(host) && ended.out.contains(host), "{host}");
    }
    for word in ["<script", "src=", "@import", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    // Each link leads to a rule of that run's own report, which is made where it was missing.
    for dir in ["clean", "coded", "order"] {
        assert!(page.contains(&format!("href=\"../{dir}/report.html#rule-HTTP-001\"")), "{dir}");
        let report = std::fs::read_to_string(desk.path().join(dir).join("report.html")).unwrap();
        assert!(report.contains("id=\"rule-HTTP-001\""), "{dir}");
    }
    // Every rule stands on the page, with what became of it in each run.
    assert_eq!(page.matches("report.html#rule-").count() % 3, 0);
    assert!(page.matches("class=\"outcome failed\"").count() >= 2);
}
