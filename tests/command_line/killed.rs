//! Runs that end before their end: by a signal, by the clock, by a kill. What was seen stays.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::Desk;
use crate::harness::hand::{Hand, Said, verdicts};

/// Nothing takes that long; a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Answers some batches, the opening among them, and hangs on all that follow.
fn hanging_after(answers: usize, verdict: &'static str) -> Hand {
    let count = AtomicUsize::new(0);
    Hand::start(move |heard| {
        if count.fetch_add(1, Ordering::SeqCst) >= answers {
            loop {
                std::thread::park();
            }
        }
        verdicts(heard, verdict, &Value::Null)
    })
}

/// A case of one trial of two requests for each run.
const TWO_STEPS: &str = "title: x\nsteps: [{ batch: 1 }, { batch: 1, expect: accepted }]\n";
const ONE_STEP: &str = "title: x\ngenerate: { items: 1..4, runs: 50 }\n";

/// A run of one's own case, whose trials are sent one after the other.
fn running(desk: &Desk, hand: &Hand, further: &[&str]) -> Child {
    let case = if further.contains(&"--runs") { TWO_STEPS } else { ONE_STEP };
    desk.file("case.yaml", case);
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchproof"));
    command
        .args(["run", "case.yaml", "--jobs", "1", "--target", &hand.url])
        .args(further)
        .current_dir(desk.path())
        .env_remove("BATCHPROOF_TOKEN")
        .env_remove("BATCHPROOF_TARGET")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(name: &str, child: &Child) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Its exit code, and what it printed.
fn ended(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code(), text)
}

#[track_caller]
fn every_report_is_whole(desk: &Desk) {
    let read = |name: &str| std::fs::read_to_string(desk.reports().join(name)).unwrap();
    assert!(read("report.html").ends_with("</html>"));
    assert!(read("junit.xml").trim_end().ends_with("</testsuites>"));
    assert!(read("report.md").contains("batchproof"));
    let schema: Value = serde_json::from_str(&batchproof::report::schema()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    assert!(validator.is_valid(&desk.report()));
}

#[test]
fn a_signal_ends_a_run_with_what_was_seen() {
    for (name, says) in [("-INT", "interrupted"), ("-TERM", "terminated"), ("-HUP", "hung up")] {
        let desk = Desk::new();
        // No documented verdict: a MUST finding that the bytes prove.
        let hand = hanging_after(3, "REQUEST_ODD");
        let child = running(&desk, &hand, &[]);
        until("the hanging request", || hand.heard().len() == 4);
        signal(name, &child);
        let (code, text) = ended(child);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(&format!("cut short: {says}")), "{text}");
        every_report_is_whole(&desk);
        let summary = std::fs::read_to_string(desk.path().join("reports/report.md")).unwrap();
        assert!(summary.contains("cut short") && summary.contains(says), "{summary}");
        assert_eq!(desk.report()["conclusion"], "nonconformant");
        assert_eq!(desk.report()["cases"][0]["runs"], 3, "what was under way is no run");
    }
}

#[test]
fn without_a_finding_an_interrupted_run_is_inconclusive() {
    let desk = Desk::new();
    let hand = hanging_after(3, "REQUEST_ACCEPTED");
    let child = running(&desk, &hand, &[]);
    until("the hanging request", || hand.heard().len() == 4);
    signal("-TERM", &child);
    let (code, text) = ended(child);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("INCONCLUSIVE") && text.contains("terminated"), "{text}");
    every_report_is_whole(&desk);
    // A request that was let go of says nothing of the target.
    assert_eq!(desk.report()["findings"], serde_json::json!([]));
}

#[test]
fn the_clock_ends_a_run_whose_target_hangs() {
    for (verdict, exit) in [("REQUEST_ODD", 1), ("REQUEST_ACCEPTED", 3)] {
        // A slow machine gets more time, until the hanging request was under way when the time was over.
        let reached = ["1s", "5s", "25s"].iter().any(|time| {
            let desk = Desk::new();
            let hand = hanging_after(2, verdict);
            let (code, text) = ended(running(&desk, &hand, &["--max-time", time]));
            assert!(text.contains("--max-time is over"), "{text}");
            every_report_is_whole(&desk);
            let reached = hand.heard().len() == 3;
            assert!(!reached || code == Some(exit), "{code:?} {text}");
            reached
        });
        assert!(reached);
    }
}

#[test]
fn an_execution_that_was_cut_claims_nothing() {
    let desk = Desk::new();
    let hand = hanging_after(1, "REQUEST_ODD");
    let child = running(&desk, &hand, &["--runs", "1"]);
    until("the hanging request", || hand.heard().len() == 2);
    signal("-INT", &child);
    let (code, text) = ended(child);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("cut short"), "{text}");
    // What was answered before the cut may be half of what the case is about.
    assert_eq!(desk.found(), Vec::<String>::new());
}

#[test]
fn a_killed_run_leaves_a_record_that_reports_are_made_from() {
    let desk = Desk::new();
    let hand = hanging_after(3, "REQUEST_ODD");
    let mut child = running(&desk, &hand, &[]);
    until("the hanging request", || hand.heard().len() == 4);
    let record = desk.reports().join("record.jsonl");
    let lines = || std::fs::read_to_string(&record).unwrap_or_default();
    until("a finding in the record", || lines().contains("\"event\":\"finding\""));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!desk.reports().join("report.json").exists());
    // The last line may be torn, in the middle of a character too.
    let mut bytes = std::fs::read(&record).unwrap();
    bytes.extend_from_slice("{\"event\":\"note\",\"text\":\"č".as_bytes());
    bytes.pop();
    std::fs::write(&record, bytes).unwrap();
    desk.batchproof(&["report", "reports"])
        .ends(1)
        .says(&["NONCONFORMANT", "the run was killed before its end"]);
    every_report_is_whole(&desk);
}

#[test]
fn a_case_that_had_ended_is_counted_though_the_run_is_killed_later() {
    let desk = Desk::new();
    let hand = hanging_after(2, "REQUEST_ACCEPTED");
    desk.file("cases/a.yaml", "title: a\nsteps: [{ batch: 2 }]\n");
    desk.file("cases/b.yaml", "title: b\nsteps: [{ batch: 2 }, { batch: 2 }]\n");
    let mut child = {
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchproof"));
        command
            .args(["run", "cases", "--jobs", "1", "--target", &hand.url])
            .current_dir(desk.path())
            .env_remove("BATCHPROOF_TOKEN")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().unwrap()
    };
    until("the hanging request", || hand.heard().len() == 3);
    child.kill().unwrap();
    child.wait().unwrap();
    desk.batchproof(&["report", "reports"]).ends(3).says(&["INCONCLUSIVE", "killed"]);
    let report = desk.report();
    assert_eq!(report["cases"][0]["runs"], 1);
    assert_eq!(report["cases"][0]["items"], 2);
    assert_eq!(report["cases"][1]["ended"], false);
}

/// The record is a pipe that nobody reads, so that the run can't end by itself after the first signal.
#[cfg(target_os = "linux")]
#[test]
fn a_second_signal_ends_the_process_at_once() {
    let desk = Desk::new();
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    desk.file("reports/keep", "");
    let record = desk.reports().join("record.jsonl");
    assert!(Command::new("mkfifo").arg(&record).status().unwrap().success());
    let child = running(&desk, &hand, &[]);
    let status = format!("/proc/{}/status", child.id());
    let caught = || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mask = text.lines().find_map(|l| l.strip_prefix("SigCgt:"));
        let mask = mask.and_then(|m| u64::from_str_radix(m.trim(), 16).ok()).unwrap_or(0);
        // SIGINT is 2, SIGTERM 15, SIGHUP 1: bit n − 1.
        [1, 2, 15].iter().all(|n| mask & (1 << (n - 1)) != 0)
    };
    until("the handlers", caught);
    signal("-INT", &child);
    signal("-TERM", &child);
    let (code, text) = ended(child);
    assert!(matches!(code, Some(130 | 143)), "{code:?} {text}");
}

#[test]
fn a_target_that_never_answers_ends_the_run_at_its_opening() {
    let desk = Desk::new();
    let hand = Hand::start(|_| -> Said { panic!("the connection ends") });
    desk.batchproof(&["run", "--target", &hand.url]).ends(3).says(&[
        "INCONCLUSIVE",
        "nothing was tested",
        "takes connections, but gives no whole answer",
    ]);
    assert!(hand.heard().len() < 20, "{}", hand.heard().len());
}
