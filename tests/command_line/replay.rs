//! `replay` says of a run's failures whether they still fail.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::harness::hand::{Hand, Heard, verdicts};
use crate::harness::{Desk, Serving, closed_port, files};

const TOKEN: &str = "replay-token-1";

/// A run against a faulty server; its findings.
fn failed(desk: &Desk, fault: &str, cases: &[&str]) -> (Serving, Vec<Value>) {
    let serving = Serving::start(&["--fault", fault], Some(TOKEN));
    let run = [&["run", "--target", &serving.url, "--seed", "5"][..], cases].concat();
    desk.with_token(&run, Some(TOKEN)).ends(1);
    let findings = desk.report()["findings"].as_array().unwrap().clone();
    (serving, findings)
}

#[test]
fn still_failing_until_it_is_fixed() {
    let desk = Desk::new();
    for (fault, cases) in [
        ("results-reversed", ["order", "race"]),
        ("unique-within-batch-only", ["unique", "race"]),
        ("mandatory-1-unchecked", ["refuse", "atom"]),
        ("number-lower-cased", ["echo", "http"]),
        ("content-type-missing-on-error", ["refuse", "http"]),
    ] {
        let (_faulty, findings) = failed(&desk, fault, &cases);
        let fresh = desk.with_token(&["replay", "reports"], Some(TOKEN)).ends(1);
        let lines = fresh.out.lines().filter(|l| l.starts_with("still failing")).count();
        assert_eq!(lines, findings.len(), "{fault}:\n{}", fresh.out);
        let clean = Serving::start(&[], Some(TOKEN));
        let replay = ["replay", "reports", "--target", &clean.url];
        let fixed = desk.with_token(&replay, Some(TOKEN)).ends(0);
        let lines = fixed.out.lines().filter(|l| l.starts_with("fixed")).count();
        assert_eq!(lines, findings.len(), "{fault}:\n{}", fixed.out);
        for finding in findings {
            assert!(fixed.out.contains(finding["id"].as_str().unwrap()));
        }
    }
}

#[test]
fn what_a_connection_remembers_is_asked_on_one_that_has_shown_good_credentials() {
    let desk = Desk::new();
    // No request of this case shows any.
    let cases = ["auth/every-time"];
    let (_faulty, findings) = failed(&desk, "credentials-remembered-by-connection", &cases);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    for _ in 0..3 {
        desk.with_token(&["replay", "reports"], Some(TOKEN)).ends(1).says(&["1 still failing"]);
    }
    // What is pasted shows it each time, on a connection of its own.
    let curl = findings[0]["curl"].as_array().unwrap();
    let lines: Vec<&str> = curl.iter().filter_map(Value::as_str).collect();
    for _ in 0..3 {
        let pasted = std::process::Command::new("bash")
            .args(["-c", &lines.join("\n")])
            .env("BATCHPROOF_TOKEN", TOKEN)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&pasted.stdout);
        assert!(pasted.status.success(), "{lines:#?}");
        assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2, "{lines:#?}\n{text}");
    }
    let clean = Serving::start(&[], Some(TOKEN));
    let replay = ["replay", "reports", "--target", &clean.url];
    desk.with_token(&replay, Some(TOKEN)).ends(0).says(&["1 fixed"]);
}

#[test]
fn what_only_overlapping_requests_show_is_sent_with_others_beside_it() {
    let desk = Desk::new();
    // None of these cases sends requests at the same time: the run does.
    let (_faulty, findings) = failed(&desk, "answers-share-state", &["accept", "echo", "order"]);
    let found = findings.iter().find(|f| f["rule"] == "RACE-002").expect("another's answer");
    let id = found["id"].as_str().unwrap();
    desk.with_token(&["replay", "reports", id], Some(TOKEN)).ends(1).says(&["1 still failing"]);
    let curl = found["curl"].as_array().unwrap();
    let lines: Vec<&str> = curl.iter().filter_map(Value::as_str).collect();
    assert!(lines.iter().any(|line| line.starts_with("curl -Z ")), "{lines:#?}");
    // Two responses with one key: one of them is another request's.
    let shows = |_| {
        let pasted = std::process::Command::new("bash")
            .args(["-c", &lines.join("\n")])
            .env("BATCHPROOF_TOKEN", TOKEN)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&pasted.stdout).into_owned();
        let mut keys: Vec<&str> = text.split("\"communicationNumber\":").skip(1).collect();
        for key in &mut keys {
            *key = key.split(['"', ',']).nth(1).unwrap_or_default();
        }
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        all > keys.len()
    };
    assert!((0..40).any(shows), "{lines:#?}");
    let clean = Serving::start(&[], Some(TOKEN));
    let replay = ["replay", "reports", id, "--target", &clean.url];
    desk.with_token(&replay, Some(TOKEN)).ends(0).says(&["1 fixed"]);
}

#[test]
fn a_fault_that_hangs_on_what_was_sent_before_is_not_called_fixed_by_a_restart() {
    let desk = Desk::new();
    let (faulty, findings) = failed(&desk, "session-by-address", &["order", "auth/every-time"]);
    assert!(findings.iter().any(|f| f["rule"] == "AUTH-001"), "{findings:#?}");
    drop(faulty);
    let restarted = Serving::start(&["--fault", "session-by-address"], Some(TOKEN));
    let replay = |target: &Serving| {
        desk.with_token(&["replay", "reports", "--target", &target.url], Some(TOKEN))
    };
    replay(&restarted).ends(1).says(&["further numbers only", " 0 fixed"]);
    let clean = Serving::start(&[], Some(TOKEN));
    replay(&clean).ends(0).says(&["0 still failing"]);
}

#[test]
fn what_comes_and_goes_is_called_fixed_only_where_it_is() {
    for (fault, rule, cases) in [
        ("server-error-now-and-then", "STATUS-002", &["accept", "order"][..]),
        ("one-answer-in-fifty-lost", "STATUS-004", &["accept", "unique", "refuse"]),
        ("refusal-mode-changes-from-request-to-request", "REFUSE-011", &["refuse"]),
    ] {
        let desk = Desk::new();
        let serving = |more: &[&str]| {
            Serving::start(&[&["--refusal-mode", "item"], more].concat(), Some(TOKEN))
        };
        let (faulty, clean) = (serving(&["--fault", fault]), serving(&[]));
        let run = ["run", "--strict", "--export-cases", "saved", "--seed", "5", "--target"];
        let run = |target: &str, what: &[&str]| {
            desk.with_token(&[&run[..], &[target], what].concat(), Some(TOKEN))
        };
        run(&faulty.url, cases).ends(1).says(&[rule]);
        let replay = ["replay", "reports", rule, "--target"];
        for _ in 0..3 {
            let ended =
                desk.with_token(&[&replay[..], &[&faulty.url]].concat(), Some(TOKEN)).ends(1);
            assert!(ended.out.contains(" 0 fixed"), "{fault}:\n{}", ended.out);
        }
        let ended = desk.with_token(&[&replay[..], &[&clean.url]].concat(), Some(TOKEN)).ends(0);
        assert!(!ended.out.contains("can't tell"), "{fault}:\n{}", ended.out);
        // The same for what is saved; what is only added up is not.
        for (path, _) in files(&desk.path().join("saved")) {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let saved = [path.to_str().unwrap(), "--report-dir", "again"];
            run(&faulty.url, &saved).ends(1).says(&[name.rsplit_once('-').unwrap().0]);
            run(&clean.url, &saved).ends(0);
        }
    }
}

#[test]
fn what_chunks_do_over_a_whole_run_is_replayed_with_chunks() {
    let desk = Desk::new();
    let (faulty, _) = failed(&desk, "chunked-first-read-only", &["http"]);
    let replay = |target: &str| {
        desk.with_token(&["replay", "reports", "HTTP-017", "--target", target], Some(TOKEN))
    };
    replay(&faulty.url).ends(1).says(&["batches in chunks: ", " refused"]);
    let clean = Serving::start(&[], Some(TOKEN));
    replay(&clean.url).ends(0).says(&["batches in chunks were read"]);
}

#[test]
fn too_few_tries_leave_a_rare_cause_untold() {
    let desk = Desk::new();
    // It shows in the first run of the case alone: once in some hundred trials.
    desk.file("rare.yaml", "title: x\nsteps: [{ batch: 1, expect: accepted }]\nruns: 400\n");
    let seen = AtomicU64::new(0);
    let hand = Hand::start(move |heard| {
        let first = seen.fetch_add(1, Ordering::SeqCst) == 40;
        let verdict = if first { "REQUEST_REJECTED" } else { "REQUEST_ACCEPTED" };
        verdicts(heard, verdict, &Value::Null)
    });
    desk.batchproof(&["run", "rare.yaml", "--target", &hand.url]).ends(1);
    desk.batchproof(&["replay", "reports"]).ends(3).says(&["is flaky", "too few to tell"]);
}

#[test]
fn one_finding_by_its_id_or_its_beginning_or_its_rule() {
    let desk = Desk::new();
    let (_faulty, findings) = failed(&desk, "results-reversed", &["order"]);
    let id = findings[0]["id"].as_str().unwrap();
    for word in [id, &id[..6]] {
        let ended = desk.with_token(&["replay", "reports", word], Some(TOKEN)).ends(1);
        assert!(ended.out.contains(id) && ended.out.contains("1 still failing"), "{}", ended.out);
    }
    let record = desk.reports().join("record.jsonl");
    let all = ["replay", record.to_str().unwrap(), "ORDER-002"];
    desk.with_token(&all, Some(TOKEN))
        .ends(1)
        .says(&[&format!("{} still failing", findings.len())]);
    // One letter wrong: the nearest is named, and what there is.
    let last = if id.ends_with('0') { '1' } else { '0' };
    let near = format!("{}{last}", &id[..11]);
    desk.with_token(&["replay", "reports", &near], Some(TOKEN)).ends(2).says(&[
        &near,
        &format!("did you mean `{id}`?"),
        "ORDER-002",
    ]);
    desk.batchproof(&["replay", "nowhere"]).ends(2).says(&["nowhere", "record.jsonl"]);
}

#[test]
fn every_replay_sends_fresh_numbers() {
    let desk = Desk::new();
    desk.file("one.yaml", "title: x\nsteps: [{ batch: 2, expect: accepted }]\n");
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_REJECTED", &Value::Null));
    desk.batchproof(&["run", "one.yaml", "--target", &hand.url]).ends(1);
    let before = hand.heard().len();
    desk.batchproof(&["replay", "reports"]).ends(1);
    desk.batchproof(&["replay", "reports"]).ends(1);
    let sent: Vec<Value> = hand.heard()[before..].iter().flat_map(Heard::items).collect();
    let mut numbers: Vec<&str> =
        sent.iter().map(|i| i["communicationNumber"].as_str().unwrap()).collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert!(all >= 4 && numbers.len() == all, "{numbers:?}");
}

#[test]
fn a_target_that_does_not_answer_cant_be_told() {
    let desk = Desk::new();
    let (faulty, _) = failed(&desk, "results-reversed", &["order"]);
    drop(faulty);
    let nobody = format!("http://127.0.0.1:{}", closed_port());
    desk.with_token(&["replay", "reports", "--target", &nobody], Some(TOKEN))
        .ends(3)
        .says(&["can't tell", "can't be reached"]);
    let clean = Serving::start(&[], Some("another-token"));
    desk.with_token(&["replay", "reports", "--target", &clean.url], Some(TOKEN))
        .ends(3)
        .says(&["can't tell", "refuses the credentials"]);
}

#[test]
fn a_case_that_is_gone_is_replayed_from_the_record() {
    let desk = Desk::new();
    let case = desk.file("mine.yaml", "title: x\ngenerate: { items: 3..9, runs: 2 }\n");
    let (_faulty, _) = failed(&desk, "results-reversed", &["mine.yaml"]);
    std::fs::remove_file(case).unwrap();
    desk.with_token(&["replay", "reports"], Some(TOKEN)).ends(1).says(&["still failing"]);
    let clean = Serving::start(&[], Some(TOKEN));
    let replay = ["replay", "reports", "--target", &clean.url];
    desk.with_token(&replay, Some(TOKEN)).ends(0).says(&["fixed"]);
}

#[test]
fn a_run_without_findings_has_nothing_to_replay() {
    let desk = Desk::new();
    desk.batchproof(&["run", "time"]).ends(0);
    desk.batchproof(&["replay", "reports"]).ends(0).says(&["Nothing to replay"]);
    // Nothing is known of a run that reached nobody: it must not pass a gate as fixed.
    let nobody = format!("http://127.0.0.1:{}", closed_port());
    desk.batchproof(&["run", "time", "--target", &nobody]).ends(3);
    desk.batchproof(&["replay", "reports"]).ends(3).says(&["inconclusive"]);
}

#[test]
fn the_embedded_server_is_replayed_against_itself() {
    let desk = Desk::new();
    desk.file("pin.yaml", "title: x\nsteps: [{ batch: 1, expect: rejected }]\n");
    desk.batchproof(&["run", "pin.yaml"]).ends(1);
    desk.batchproof(&["replay", "reports"]).ends(1).says(&["still failing", "CASE-001"]);
    desk.file("pin.yaml", "title: x\nsteps: [{ batch: 1, expect: accepted }]\n");
    desk.batchproof(&["replay", "reports"]).ends(0).says(&["fixed"]);
}

#[test]
fn headers_whose_values_are_not_recorded_need_the_profile_again() {
    let desk = Desk::new();
    desk.file("p.yaml", "headers: { X-Tenant: \"tenant-7\" }\n");
    let (_faulty, _) = failed(&desk, "results-reversed", &["order", "--profile", "p.yaml"]);
    desk.with_token(&["replay", "reports"], Some(TOKEN)).ends(2).says(&["--profile FILE"]);
    let replay = ["replay", "reports", "--profile", "p.yaml"];
    desk.with_token(&replay, Some(TOKEN)).ends(1).says(&["still failing"]);
}
