//! Runs that do their job: what is judged, told and written.

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Heard, verdicts};
use crate::harness::{Desk, Serving, files, shown};

const FRIDAY: &str = r#"{"accountBalances":[
    {"communicationNumber":"F-1","requester":"core","accountExtId":"ACC1","balanceAt":"2023-01-01T00:00:00Z","value":1},
    {"communicationNumber":"F-2","requester":"core","accountExtId":"ACC2","balanceAt":"2023-01-01T00:00:00Z","value":2.5},
    {"communicationNumber":"F-1","requester":"core","accountExtId":"ACC3","balanceAt":"2023-01-01T00:00:00Z","value":3}]}"#;

#[test]
fn the_main_job_is_conformant_and_leaves_every_report() {
    let desk = Desk::new();
    desk.batchproof(&["run", "--depth", "quick"])
        .ends(0)
        .says(&["CONFORMANT", "embedded reference server"]);
    for name in ["record.jsonl", "report.json", "report.html", "junit.xml", "report.md"] {
        let text = std::fs::read_to_string(desk.reports().join(name)).unwrap();
        assert!(!text.trim().is_empty(), "{name}");
    }
    let report = desk.report();
    assert_eq!(report["conclusion"], "conformant");
    assert_eq!(report["findings"], json!([]));
    assert!(report["stats"]["requests"].as_u64() > Some(0));
    for key in ["seed", "run_id", "suite", "target", "rules", "stats"] {
        assert!(report.get(key).is_some_and(|v| !v.is_null()), "{key}");
    }
}

#[test]
fn one_shipped_case_by_its_id() {
    let desk = Desk::new();
    let ended = desk.batchproof(&["run", "unique/twice-in-one-batch", "--seed", "3"]).ends(0);
    shown("one_case", &ended.out);
    desk.batchproof(&["run", "cases/unique/twice-in-one-batch.yaml"]).ends(0);
    desk.batchproof(&["run", "unique", "race"]).ends(0);
}

#[test]
fn a_users_own_batch_needs_no_expectation() {
    let desk = Desk::new();
    desk.file("friday.json", FRIDAY);
    desk.file(
        "friday.yaml",
        "title: the batch that failed on Friday\nsteps: [{ batch-from: friday.json, fresh-keys: true }]\n",
    );
    // The rules judge it: the number that stands twice in it is accepted once, again and again.
    let serving = Serving::start(&[], None);
    for _ in 0..2 {
        desk.batchproof(&["run", "friday.yaml", "--target", &serving.url]).ends(0);
        assert_eq!(desk.report()["stats"]["items"], 3);
    }
    let faulty = Serving::start(&["--fault", "results-reversed"], None);
    desk.batchproof(&["run", "friday.yaml", "--target", &faulty.url]).ends(1).says(&["ORDER-002"]);
}

#[test]
fn items_with_fresh_keys_keep_all_but_their_keys() {
    let desk = Desk::new();
    desk.file("friday.json", FRIDAY);
    desk.file("friday.yaml", "title: x\nsteps: [{ batch-from: friday.json, fresh-keys: true }]\n");
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    desk.batchproof(&["run", "friday.yaml", "--target", &hand.url]);
    let items = hand.heard()[0].items();
    assert_eq!(items.len(), 3);
    assert_eq!(items[0]["communicationNumber"], items[2]["communicationNumber"]);
    assert_ne!(items[0]["communicationNumber"], items[1]["communicationNumber"]);
    assert_ne!(items[0]["communicationNumber"], "F-1");
    assert_eq!(items[1]["value"], 2.5);
    // Exactly one of the two was to be accepted.
    let found = desk.found();
    assert!(found.iter().any(|rule| rule.starts_with("UNIQUE-")), "{found:?}");
}

#[test]
fn a_pin_that_does_not_hold_is_a_finding_with_file_and_line() {
    let desk = Desk::new();
    desk.file("friday.json", FRIDAY);
    desk.file(
        "pinned.yaml",
        "title: pinned wrongly\nsteps:\n  - batch-from: friday.json\n    fresh-keys: true\n    expect: rejected\n",
    );
    desk.batchproof(&["run", "pinned.yaml"]).ends(1).says(&["CASE-001", "pinned.yaml"]);
    assert_eq!(desk.found().iter().filter(|rule| *rule != "CASE-001").count(), 0);
    // Reported as CASE-001, with file and line.
    let finding = desk.report()["findings"][0].to_string();
    assert!(finding.contains("pinned.yaml:5"), "the line is missing: {finding}");
}

#[test]
fn the_next_commands_of_a_users_own_file_can_be_pasted() {
    let desk = Desk::new();
    desk.file("my/own.yaml", "title: x\nsteps: [{ batch: 1, expect: rejected }]\n");
    let ended = desk.batchproof(&["run", "my/own.yaml", "--seed", "4"]).ends(1);
    let line = ended.out.lines().find(|line| line.trim().starts_with("batchproof run ")).unwrap();
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    desk.batchproof(&words).ends(1);
}

#[test]
fn a_file_beside_the_shipped_cases_answers_without_an_opening() {
    let desk = Desk::new();
    desk.file("one.yaml", "title: x\nsteps: [{ batch: 1, expect: accepted }]\n");
    desk.batchproof(&["run", "one.yaml"]).ends(0);
    assert_eq!(desk.report()["stats"]["requests"], 1);
}

#[test]
fn output_that_is_no_terminals_has_no_escape_codes() {
    let desk = Desk::new();
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "xterm-256color"), ("COLUMNS", "80")] {
        let output = desk.command().args(["run", "order"]).env(name, value).output().unwrap();
        assert!(!output.stdout.contains(&0x1b), "{name}");
        assert!(!output.stderr.contains(&0x1b), "{name}");
    }
    for (path, text) in files(&desk.reports()) {
        assert!(!text.contains(&0x1b), "{}", path.display());
    }
}

#[test]
fn equal_seeds_send_equal_bytes_but_for_numbers() {
    let desk = Desk::new();
    desk.file("case.yaml", "title: x\ngenerate: { items: 1..12, values: unusual, runs: 6 }\n");
    let sent = |seed: &str| {
        let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
        let run = ["run", "case.yaml", "--seed", seed, "--jobs", "1", "--target", &hand.url];
        desk.batchproof(&run).ends(0);
        let heard = hand.heard();
        assert_eq!(heard.len(), 6);
        heard.iter().map(|h| without_numbers(&h.body, &h.items())).collect::<Vec<_>>()
    };
    let (first, second, other) = (sent("7"), sent("7"), sent("8"));
    assert_eq!(first, second);
    assert_ne!(first, other);
}

/// A body whose unique numbers are words.
fn without_numbers(body: &[u8], items: &[Value]) -> String {
    let mut text = String::from_utf8(body.to_vec()).unwrap();
    for (at, item) in items.iter().enumerate() {
        let number = item["communicationNumber"].to_string();
        assert!(number.len() > 20 && text.contains(&number), "{number}");
        text = text.replacen(&number, &format!("\"number {at}\""), 1);
    }
    text
}

#[test]
fn jobs_and_partitions_change_nothing_for_the_rest() {
    let desk = Desk::new();
    desk.file("case.yaml", "title: x\ngenerate: { items: 1..9, runs: 8 }\n");
    let sent = |further: &[&str]| {
        let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
        let run = ["run", "case.yaml", "--seed", "7", "--run-id", "parts", "--target", &hand.url];
        desk.batchproof(&[&run[..], further].concat()).ends(0);
        hand.heard().iter().map(|h| without_numbers(&h.body, &h.items())).collect::<Vec<_>>()
    };
    let mut whole = sent(&["--jobs", "1"]);
    let mut parts = sent(&["--jobs", "8", "--partition", "1/2"]);
    parts.extend(sent(&["--jobs", "3", "--partition", "2/2"]));
    whole.sort();
    parts.sort();
    assert_eq!(whole, parts);
}

#[test]
fn equal_seeds_judge_the_same_whatever_the_jobs() {
    let desk = Desk::new();
    let judged = |jobs: &str| {
        let groups = ["accept", "refuse", "order", "echo", "code", "unique"];
        let run = ["run", "--depth", "quick", "--seed", "9", "--jobs", jobs];
        desk.batchproof(&[&run[..], &groups[..]].concat()).ends(0);
        let report = desk.report();
        let rules = report["rules"].as_array().unwrap();
        rules.iter().map(|r| json!([r["id"], r["outcome"], r["counts"]])).collect::<Vec<_>>()
    };
    assert_eq!(judged("1"), judged("16"));
}

#[test]
fn the_run_before_moves_to_earlier() {
    let desk = Desk::new();
    desk.batchproof(&["run", "time", "--run-id", "first"]).ends(0);
    desk.batchproof(&["run", "time", "--run-id", "second"]).ends(0);
    desk.batchproof(&["run", "time", "--run-id", "third"]).ends(0);
    assert_eq!(desk.report()["run_id"], "third");
    for id in ["first", "second"] {
        let text =
            std::fs::read_to_string(desk.reports().join("earlier").join(id).join("report.json"));
        let report: Value = serde_json::from_str(&text.unwrap()).unwrap();
        assert_eq!(report["run_id"], id);
    }
}

#[test]
fn a_run_that_could_not_begin_leaves_no_report_of_the_run_before() {
    for arguments in [
        &["run", "no-such-case"][..],
        &["run", "--depth", "no-such-depth"],
        &["run", "time", "--waivers", "no-such-file.yaml"],
        &["certify"],
    ] {
        let desk = Desk::new();
        desk.batchproof(&["run", "time", "--run-id", "before"]).ends(0);
        desk.batchproof(arguments).ends(2);
        for name in ["report.json", "report.html", "junit.xml", "report.md", "record.jsonl"] {
            assert!(!desk.reports().join(name).exists(), "{arguments:?}: {name}");
            assert!(desk.reports().join("earlier").join("before").join(name).exists());
        }
    }
}

#[test]
fn reports_are_made_again_from_the_record_alone() {
    let desk = Desk::new();
    let faulty = Serving::start(&["--fault", "results-reversed"], None);
    desk.batchproof(&["run", "order", "--target", &faulty.url]).ends(1);
    let read = |name: &str| std::fs::read_to_string(desk.reports().join(name)).unwrap();
    let names = ["report.json", "report.html", "junit.xml", "report.md"];
    let before = names.map(read);
    for name in names {
        std::fs::remove_file(desk.reports().join(name)).unwrap();
    }
    desk.batchproof(&["report", "reports"]).ends(1).says(&["NONCONFORMANT", "ORDER-002"]);
    assert_eq!(before, names.map(read));
}

#[test]
fn no_run_at_all_is_inconclusive() {
    let desk = Desk::new();
    desk.batchproof(&["run", "--runs", "0"]).ends(3).says(&["INCONCLUSIVE", "no case ran"]);
    assert_eq!(desk.report()["conclusion"], "inconclusive");
}

#[test]
fn a_run_cut_short_is_inconclusive_and_leaves_reports() {
    let desk = Desk::new();
    desk.file("slow.yaml", "title: x\nsteps: [{ batch: 1 }, { pause: 60000, batch: 1 }]\n");
    desk.batchproof(&["run", "slow.yaml", "--max-time", "50ms"])
        .ends(3)
        .says(&["INCONCLUSIVE", "--max-time"]);
    assert_eq!(desk.report()["conclusion"], "inconclusive");
    let faulty = Serving::start(&["--fault", "results-reversed"], None);
    let run = ["run", "order", "--target", &faulty.url, "--max-findings", "1"];
    desk.batchproof(&run).ends(1).says(&["NONCONFORMANT", "ORDER-002"]);
}

#[test]
fn strict_fails_a_run_for_should_findings() {
    let desk = Desk::new();
    // No elapsed times: a SHOULD finding and nothing else.
    let hand = Hand::start(|heard| {
        let mut said = verdicts(heard, "REQUEST_ACCEPTED", &Value::Null);
        said.body = said.body.replace(",\"timeElapsedMs\":0", "");
        said
    });
    desk.file("one.yaml", "title: x\nsteps: [{ batch: 2, expect: accepted }]\n");
    let run = ["run", "one.yaml", "--target", &hand.url];
    desk.batchproof(&run).ends(0).says(&["CONFORMANT", "SHOULD", "SCHEMA-005"]);
    desk.batchproof(&[&run[..], &["--strict"]].concat())
        .ends(1)
        .says(&["NONCONFORMANT", "SCHEMA-005"]);
}

#[test]
fn what_a_profile_rules_out_is_not_judged_and_says_why() {
    let desk = Desk::new();
    desk.file(
        "p.yaml",
        "skip: { ORDER: agreed with operations }\nomit: [businessUnit]\nvalues: { accountExtId: [ACC-1, ACC-2] }\n",
    );
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    desk.file("case.yaml", "title: x\ngenerate: { items: 3..9, runs: 10 }\n");
    desk.batchproof(&["run", "case.yaml", "--profile", "p.yaml", "--target", &hand.url]).ends(0);
    for item in hand.heard().iter().flat_map(Heard::items) {
        assert!(item.get("businessUnit").is_none());
        assert!(["ACC-1", "ACC-2"].contains(&item["accountExtId"].as_str().unwrap()), "{item}");
    }
    let report = desk.report();
    let rules = report["rules"].as_array().unwrap();
    let order = rules.iter().filter(|r| r["id"].as_str().unwrap().starts_with("ORDER-"));
    for rule in order {
        assert_eq!(rule["outcome"], "not-applicable", "{rule}");
        assert_eq!(rule["skipped"], "agreed with operations", "{rule}");
    }
    desk.file("p.yaml", "limits: { items: 5 }\n");
    desk.batchproof(&["run", "case.yaml", "--profile", "p.yaml", "--report-dir", "other"])
        .ends(2)
        .says(&["items", "the profile allows 5"]);
    assert!(!desk.path().join("other").exists());
}
