//! Findings in large batches: shrunk to as few items as show them, with a command and a case file that can be
//! read, and told once.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Said, verdicts};
use crate::harness::{Desk, Serving, files};

const TOKEN: &str = "large-token-1";

/// Items of each request of a finding's smallest trial.
fn counts(finding: &Value) -> Vec<usize> {
    let evidence = finding["minimal"]["evidence"].as_array().unwrap();
    let body = |e: &Value| -> Value {
        serde_json::from_str(e["request"]["body"]["text"].as_str().expect("a whole body")).unwrap()
    };
    evidence.iter().map(|e| body(e)["accountBalances"].as_array().unwrap().len()).collect()
}

fn shrunk(desk: &Desk) -> Value {
    let findings = desk.report()["findings"].as_array().unwrap().clone();
    findings.into_iter().find(|f| !f["minimal"].is_null()).expect("a finding that was shrunk")
}

/// What lines of bash print, pasted as they stand.
fn pasted(finding: &Value) -> String {
    let lines = finding["curl"].as_array().unwrap().iter().map(|l| l.as_str().unwrap());
    let lines = lines.collect::<Vec<_>>().join("\n");
    assert!(lines.len() < 2_500, "{lines}");
    let mut command = Command::new("bash");
    let output = command.args(["-c", &lines]).env("BATCHPROOF_TOKEN", TOKEN).output().unwrap();
    assert!(output.status.success(), "{lines}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a case, then its saved finding against the faulty server and a clean one.
fn found(desk: &Desk, fault: &str, case: &str) -> (Serving, Value) {
    let faulty = Serving::start(&["--fault", fault, "--refusal-mode", "item"], Some(TOKEN));
    desk.file("case.yaml", case);
    let run = ["run", "case.yaml", "--target", &faulty.url, "--export-cases", "saved"];
    desk.with_token(&run, Some(TOKEN)).ends(1);
    let finding = shrunk(desk);
    let saved = files(&desk.path().join("saved"));
    assert_eq!(saved.len(), 1);
    let (path, text) = &saved[0];
    assert!(text.len() < 2_000, "{}", String::from_utf8_lossy(text));
    let clean = Serving::start(&["--refusal-mode", "item"], Some(TOKEN));
    for (url, code) in [(&faulty.url, 1), (&clean.url, 0)] {
        let run = ["run", path.to_str().unwrap(), "--report-dir", "again", "--target", url];
        desk.with_token(&run, Some(TOKEN)).ends(code);
    }
    (faulty, finding)
}

#[test]
fn a_bound_on_the_number_of_items_is_found_and_its_command_shows_it() {
    let desk = Desk::new();
    let case = "title: x\ngenerate: { items: 300..300, runs: 1 }\n";
    let (_faulty, finding) = found(&desk, "accepted-when-large", case);
    assert_eq!(counts(&finding), [101]);
    assert!(pasted(&finding).starts_with("HTTP/1.1 202"));
    assert!(finding["minimal"]["items"].as_u64() < Some(2_000), "{}", finding["minimal"]);
}

#[test]
fn each_request_of_a_sequence_is_cut_down_by_itself() {
    let desk = Desk::new();
    let case = "title: x\nsteps:\n  - batch: [{ as: first }, { times: 60 }]\n  - batch: [{ times: 30 }, { set: { \
                communicationNumber: \"${first.communicationNumber}\" } }, { times: 20 }]\n";
    let (_faulty, finding) = found(&desk, "forgets-after-20", case);
    let counts = counts(&finding);
    assert_eq!(counts.iter().sum::<usize>(), 22, "{counts:?}");
    assert!(counts.contains(&1), "{counts:?}");
    let printed = pasted(&finding);
    assert_eq!(printed.matches("HTTP/1.1 200").count(), counts.len(), "{printed}");
    assert!(!printed.contains("REQUEST_REJECTED"), "a number was accepted twice: {printed}");
}

/// A server that fails on batches of more than thirty items.
fn failing() -> Hand {
    Hand::start(|heard| match heard.items().len() {
        31.. => Said::json(500, &json!({ "status": 500, "error": "Internal Server Error" })),
        _ => verdicts(heard, "REQUEST_ACCEPTED", &Value::Null),
    })
}

#[test]
fn who_checks_nothing_gets_an_entry_a_rule_and_not_one_a_field() {
    let desk = Desk::new();
    let faults = ["--fault", "validation-skipped-when-several", "--refusal-mode", "item"];
    let serving = Serving::start(&faults, Some(TOKEN));
    let run = ["run", "refuse", "--seed", "5", "--target", &serving.url];
    let ended = desk.with_token(&run, Some(TOKEN)).ends(1);
    let findings = desk.report()["findings"].as_array().unwrap().clone();
    let rules: std::collections::BTreeSet<&str> =
        findings.iter().filter_map(|f| f["rule"].as_str()).collect();
    assert!(findings.len() > 3 * rules.len(), "{findings:#?}");
    for rule in rules {
        let told = |level: &str| ended.out.matches(&format!(" {level}  {rule}  ")).count();
        let entries = told("MUST") + told("SHOULD");
        assert!((1..=2).contains(&entries), "{rule}: {entries}\n{}", ended.out);
    }
}

#[test]
fn one_fault_that_several_rules_tell_is_told_once_and_no_rule_is_lost() {
    let desk = Desk::new();
    let hand = failing();
    desk.file("cases/few.yaml", "title: x\ngenerate: { items: 40..40, values: plain, runs: 1 }\n");
    desk.file(
        "cases/many.yaml",
        "title: y\ngenerate: { items: 120..120, values: plain, runs: 1 }\n",
    );
    let ended = desk.batchproof(&["run", "cases", "--target", &hand.url, "--report-dir", "a b"]);
    let ended = ended.ends(1).says(&["1 problem (MUST)", "MUST STATUS-002", "also ROBUST-001"]);
    // A large body is shown by its beginning only where nothing in it is what the finding is about.
    assert!(ended.text().contains("31 items"), "{}", ended.text());
    let text = std::fs::read_to_string(desk.path().join("a b/report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    for rule in ["STATUS-002", "ROBUST-001"] {
        let of_rule = |list: &str, key: &str| {
            report[list].as_array().unwrap().iter().find(|r| r[key] == rule).cloned()
        };
        assert_eq!(of_rule("rules", "id").unwrap()["outcome"], "failed", "{rule}");
        assert!(of_rule("findings", "rule").is_some(), "{rule}");
    }
    // The page names its own directory, as the shell takes it.
    let page = std::fs::read_to_string(desk.path().join("a b/report.html")).unwrap();
    let id = report["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "STATUS-002");
    let id = id.unwrap()["id"].as_str().unwrap();
    let replay = format!("batchproof replay 'a b' {id}");
    assert!(page.contains(&replay) || page.contains(&replay.replace('\'', "&#39;")), "{replay}");
    for rule in ["STATUS-002", "ROBUST-001"] {
        assert!(page.contains(&format!("rule: {rule}")), "the waiver covers {rule}");
    }
}

#[test]
fn a_short_wrong_value_stays_what_was_sent() {
    let desk = Desk::new();
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    desk.file(
        "value.yaml",
        "title: x\nasserts: REFUSE-001\nsteps: [{ batch: [{}, { set: { value: '1,000.00' } }], expect: refused }]\n",
    );
    desk.batchproof(&["run", "value.yaml", "--target", &hand.url]).ends(1);
    let finding = shrunk(&desk);
    let body = finding["minimal"]["evidence"][0]["request"]["body"]["text"].as_str().unwrap();
    assert!(body.contains("\"value\":\"1,000.00\""), "{body}");
    assert_eq!(counts(&finding), [1]);
}

#[test]
fn the_terminal_shows_the_item_that_a_finding_is_about() {
    let desk = Desk::new();
    let hand = Hand::start(|heard| {
        let mut said = verdicts(heard, "REQUEST_ACCEPTED", &Value::Null);
        let mut body: Value = serde_json::from_str(&said.body).unwrap();
        // Only behind the twelfth item, so that no smaller batch shows it.
        if let Some(result) = body["results"].as_array_mut().and_then(|r| r.get_mut(12)) {
            result["resultType"] = Value::Null;
        }
        said.body = body.to_string();
        said
    });
    desk.file("case.yaml", "title: x\ngenerate: { items: 20..20, values: plain, runs: 1 }\n");
    let ended = desk.batchproof(&["run", "case.yaml", "--target", &hand.url]).ends(1);
    let number = shrunk(&desk)["minimal"]["evidence"][0]["request"]["body"]["text"]
        .as_str()
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .and_then(|body| {
            body["accountBalances"][12]["communicationNumber"].as_str().map(str::to_owned)
        })
        .unwrap();
    // Lines are wrapped wherever they end.
    let flat: String = ended.text().split_whitespace().collect();
    assert!(flat.contains("item12of13:{\"accountExtId\""), "{}", ended.text());
    assert!(flat.contains(&number), "{}", ended.text());
    // And says in words what was due in its place.
    ended.says(&["expected a string", "got null"]);
}
