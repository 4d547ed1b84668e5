//! Findings come with the smallest trial that shows them, and with lines of bash that send it again.

use std::collections::HashSet;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Heard, Said, verdicts};
use crate::harness::{Desk, Serving};

const TOKEN: &str = "shrink-token-1";
const MANDATORY: [&str; 5] =
    ["accountExtId", "balanceAt", "communicationNumber", "requester", "value"];

/// Runs cases against a server with a fault; the findings of the report.
fn found(desk: &Desk, fault: &str, further: &[&str], cases: &[&str]) -> Vec<Value> {
    let serving = Serving::start(&[&["--fault", fault][..], further].concat(), Some(TOKEN));
    let run = [&["run", "--target", &serving.url, "--seed", "5"][..], cases].concat();
    desk.with_token(&run, Some(TOKEN)).ends(1);
    desk.report()["findings"].as_array().unwrap().clone()
}

/// The smallest trial of a rule's finding: the items of each of its requests.
#[track_caller]
fn minimal(findings: &[Value], rule: &str) -> Vec<Vec<Value>> {
    let of_rule = findings.iter().filter(|f| f["rule"] == rule);
    let finding = of_rule.clone().find(|f| !f["minimal"].is_null());
    let Some(finding) = finding else { panic!("{rule} was not shrunk: {findings:#?}") };
    let minimal = &finding["minimal"];
    let evidence = match minimal["evidence"].as_array().unwrap().as_slice() {
        [] => finding["evidence"].as_array().unwrap(),
        list => list,
    };
    evidence.iter().map(items).collect()
}

fn items(exchange: &Value) -> Vec<Value> {
    let text = exchange["request"]["body"]["text"].as_str().unwrap();
    let body: Value = serde_json::from_str(text).unwrap();
    body["accountBalances"].as_array().unwrap().clone()
}

fn fields(item: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn reversed_results_shrink_to_two_items_with_mandatory_fields() {
    let desk = Desk::new();
    let findings = found(&desk, "results-reversed", &[], &["order", "accept", "http/chunked"]);
    let trial = minimal(&findings, "ORDER-002");
    assert_eq!(trial.len(), 1, "{trial:#?}");
    assert_eq!(trial[0].len(), 2, "{trial:#?}");
    assert!(trial[0].iter().all(|item| fields(item) == MANDATORY), "{trial:#?}");
    // One cause, one smallest trial, and what it cost are reported.
    let shrunk: Vec<&Value> = findings.iter().filter(|f| !f["minimal"].is_null()).collect();
    assert_eq!(shrunk.len(), 1);
    assert!(shrunk[0]["minimal"]["requests"].as_u64() > Some(0));
    for name in ["report.html", "report.md"] {
        let text = std::fs::read_to_string(desk.reports().join(name)).unwrap();
        assert!(text.contains("1 request, 2 items"), "{name}");
    }
}

#[test]
fn a_character_that_is_not_echoed_shrinks_to_one_item_with_that_character() {
    let desk = Desk::new();
    let findings = found(&desk, "identity-outside-bmp-replaced", &[], &["echo"]);
    let kind = |f: &&Value| f["kind"] == "replaced characters" && !f["minimal"].is_null();
    let finding = findings.iter().find(kind).expect("a finding that was shrunk");
    let trial = minimal(std::slice::from_ref(finding), "ECHO-002");
    assert_eq!((trial.len(), trial[0].len()), (1, 1), "{trial:#?}");
    let field = finding["place"].as_str().unwrap().rsplit('/').next().unwrap();
    let text = trial[0][0][field].as_str().unwrap();
    assert_eq!(text.chars().count(), 1, "{text:?}");
    assert!(text.chars().all(|c| u32::from(c) > 0xffff), "{text:?}");
}

#[test]
fn a_length_shrinks_to_one_item_just_as_long() {
    let desk = Desk::new();
    let findings = found(&desk, "number-cut-at-64", &[], &["accept", "echo"]);
    let trial = minimal(&findings, "ECHO-001");
    assert_eq!((trial.len(), trial[0].len()), (1, 1), "{trial:#?}");
    let number = trial[0][0]["communicationNumber"].as_str().unwrap();
    assert_eq!(number.chars().count(), 65, "{number}");
    assert_eq!(fields(&trial[0][0]), MANDATORY);
}

#[test]
fn a_mutation_stays_where_it_is_the_cause() {
    let desk = Desk::new();
    let findings = found(&desk, "length-off-by-one", &["--refusal-mode", "item"], &["refuse"]);
    let trial = minimal(&findings, "REFUSE-003");
    assert_eq!((trial.len(), trial[0].len()), (1, 1), "{trial:#?}");
    // The longest that is allowed, and one more.
    let item = trial[0][0].as_object().unwrap();
    let longest = item.values().filter_map(Value::as_str).map(|t| t.chars().count()).max();
    assert!(matches!(longest, Some(256 | 101)), "{trial:#?}");
}

#[test]
fn sequences_shrink_and_keep_what_their_numbers_have_in_common() {
    let desk = Desk::new();
    let findings = found(&desk, "unique-within-batch-only", &[], &["unique"]);
    let across: Vec<Value> =
        findings.into_iter().filter(|f| f["kind"] == "across batches").collect();
    let trial = minimal(&across, "UNIQUE-001");
    assert_eq!(trial.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1], "{trial:#?}");
    assert_eq!(trial[0][0]["communicationNumber"], trial[1][0]["communicationNumber"]);
    assert_eq!(fields(&trial[1][0]), MANDATORY);
}

#[test]
fn what_came_before_stays_where_the_fault_remembers_it() {
    let desk = Desk::new();
    let findings =
        found(&desk, "optional-carried-over", &["--refusal-mode", "item"], &["accept", "order"]);
    let trial = minimal(&findings, "ECHO-003");
    assert_eq!((trial.len(), trial[0].len()), (1, 2), "{trial:#?}");
    assert_eq!(trial[0][0].as_object().unwrap().len(), MANDATORY.len() + 1);
    assert_eq!(fields(&trial[0][1]), MANDATORY);
}

#[test]
fn simultaneous_requests_shrink_in_number() {
    let desk = Desk::new();
    let findings = found(&desk, "loser-server-error", &[], &["race/same-key"]);
    let trial = minimal(&findings, "RACE-003");
    assert_eq!(trial.len(), 2, "{trial:#?}");
    assert_eq!(trial[0][0]["communicationNumber"], trial[1][0]["communicationNumber"]);
}

/// A server that never tells the verdicts of more than two items in their order.
fn reversing() -> Hand {
    Hand::start(|heard| {
        let mut said = verdicts(heard, "REQUEST_ACCEPTED", &Value::Null);
        let mut body: Value = serde_json::from_str(&said.body).unwrap();
        if let Some(results) = body["results"].as_array_mut().filter(|r| r.len() > 2) {
            results.reverse();
        }
        said.body = body.to_string();
        said
    })
}

#[test]
fn everything_that_is_sent_counts_and_no_number_is_sent_twice() {
    let desk = Desk::new();
    desk.file("case.yaml", "title: x\ngenerate: { items: 12..12, runs: 1 }\n");
    let hand = reversing();
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url]).ends(1);
    let report = desk.report();
    assert_eq!(report["stats"]["requests"], hand.heard().len() as u64);
    let sent: Vec<Value> = hand.heard().iter().flat_map(Heard::items).collect();
    assert_eq!(report["stats"]["items"], sent.len() as u64);
    let numbers: HashSet<&str> =
        sent.iter().map(|i| i["communicationNumber"].as_str().unwrap()).collect();
    assert_eq!(numbers.len(), sent.len());
    let trial = minimal(report["findings"].as_array().unwrap(), "ORDER-002");
    assert_eq!(trial[0].len(), 3, "{trial:#?}");
    // A third of the budget at most.
    let minimal = &report["findings"][0]["minimal"];
    assert!(minimal["requests"].as_u64() <= Some(1_000), "{minimal}");
}

#[test]
fn a_smaller_trial_that_a_correct_server_fails_too_is_none() {
    let desk = Desk::new();
    // The pin holds only while the first step is there; the server takes every number as often as it comes.
    desk.file(
        "used.yaml",
        "title: x\nsteps:\n  - batch: [{ as: first }, {}]\n  - batch: [{}, { set: { communicationNumber: \
         \"${first.communicationNumber}\" } }]\n    expect: { results: [accepted, { rejected: O005 }] }\n",
    );
    let hand = Hand::start(|heard| {
        let mut said = verdicts(heard, "REQUEST_ACCEPTED", &Value::Null);
        if heard.items().len() == 2 && heard.items()[1].to_string().contains("never") {
            said.status = 500;
        }
        said
    });
    desk.batchproof(&["run", "used.yaml", "--target", &hand.url]).ends(1);
    for finding in desk.report()["findings"].as_array().unwrap() {
        let trial = minimal(std::slice::from_ref(finding), finding["rule"].as_str().unwrap());
        let count: usize = trial.iter().map(Vec::len).sum();
        assert!(count >= 2, "one item alone is rightly accepted: {trial:#?}");
    }
    // A pin that no correct server can hold is reported as it is.
    desk.file("wrong.yaml", "title: x\nsteps: [{ batch: 5, expect: rejected }]\n");
    desk.batchproof(&["run", "wrong.yaml"])
        .ends(1)
        .says(&["the reference server breaks this rule for the same requests"]);
    let report = desk.report();
    let minimal = &report["findings"][0]["minimal"];
    assert_eq!(minimal["evidence"], json!([]));
    assert!(minimal["note"].as_str().unwrap().contains("the reference server"));
}

#[test]
fn numbers_of_somebodys_own_are_not_sent_again() {
    let desk = Desk::new();
    desk.file(
        "own.yaml",
        "title: x\nsteps: [{ batch: [{ set: { communicationNumber: MINE-1 } }, {}, {}] }]\n",
    );
    let hand = reversing();
    desk.batchproof(&["run", "own.yaml", "--target", &hand.url]).ends(1);
    let finding = desk.report()["findings"][0].clone();
    assert!(finding["minimal"]["note"].as_str().unwrap().contains("its keys are fixed"));
}

/// Runs lines of bash as a user pastes them.
fn pasted(finding: &Value) -> String {
    let lines: Vec<&str> =
        finding["curl"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
    let output = Command::new("bash")
        .arg("-c")
        .arg(lines.join("\n"))
        .env("BATCHPROOF_TOKEN", TOKEN)
        .output()
        .unwrap();
    assert!(output.status.success(), "{lines:#?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The JSON bodies in what curl printed.
fn answers(printed: &str) -> Vec<Value> {
    printed
        .split("HTTP/1.1 ")
        .filter_map(|a| serde_json::from_str(a.split_once("\r\n\r\n")?.1).ok())
        .collect()
}

#[test]
fn the_pasted_lines_show_the_fault_as_often_as_they_are_pasted() {
    let desk = Desk::new();
    let serving = Serving::start(&["--fault", "results-reversed"], Some(TOKEN));
    desk.with_token(&["run", "order", "--target", &serving.url], Some(TOKEN)).ends(1);
    let findings = desk.report()["findings"].as_array().unwrap().clone();
    let finding = findings.iter().find(|f| !f["minimal"].is_null()).unwrap();
    let trial = minimal(std::slice::from_ref(finding), "ORDER-002");
    let sent: Vec<&str> =
        trial[0].iter().map(|i| i["communicationNumber"].as_str().unwrap()).collect();
    let mut seen = HashSet::new();
    for _ in 0..2 {
        let answers = answers(&pasted(finding));
        let results = answers[0]["results"].as_array().unwrap();
        let numbers: Vec<&str> =
            results.iter().map(|r| r["communicationNumber"].as_str().unwrap()).collect();
        assert!(results.iter().all(|r| r["resultType"] == "REQUEST_ACCEPTED"), "{results:#?}");
        // Fresh as they are, their last characters are those of the items, the other way round.
        let ends: Vec<&str> = numbers.iter().map(|n| &n[n.len() - 6..]).collect();
        assert_eq!(ends, sent.iter().rev().map(|n| &n[n.len() - 6..]).collect::<Vec<_>>());
        assert!(numbers.iter().all(|n| seen.insert((*n).to_owned())), "{numbers:?}");
    }
}

#[test]
fn pasted_sequences_keep_their_relations() {
    let desk = Desk::new();
    let serving = Serving::start(&["--fault", "unique-within-batch-only"], Some(TOKEN));
    desk.with_token(&["run", "unique", "--target", &serving.url], Some(TOKEN)).ends(1);
    let findings = desk.report()["findings"].as_array().unwrap().clone();
    let finding =
        findings.iter().find(|f| f["kind"] == "across batches" && !f["minimal"].is_null()).unwrap();
    for _ in 0..2 {
        let answers = answers(&pasted(finding));
        assert_eq!(answers.len(), 2, "{answers:#?}");
        // The same number, accepted twice.
        let [first, second] = [0, 1].map(|at| answers[at]["results"][0].clone());
        assert_eq!(first["communicationNumber"], second["communicationNumber"]);
        assert_eq!(first["resultType"], "REQUEST_ACCEPTED");
        assert_eq!(second["resultType"], "REQUEST_ACCEPTED");
    }
}

#[test]
fn pasted_bytes_that_are_no_text_arrive() {
    let desk = Desk::new();
    let hand = Hand::start(|heard| {
        let broken = std::str::from_utf8(&heard.body).is_err();
        let said = json!({ "errorCode": "O001" });
        if broken { Said::json(500, &said) } else { Said::json(400, &said) }
    });
    desk.file(
        "bytes.yaml",
        "title: x\nasserts: ROBUST-001\nsteps: [{ body: '{\"a\":\"${byte:ff}${byte:fe}''x\"}', expect: answered }]\n",
    );
    desk.batchproof(&["run", "bytes.yaml", "--target", &hand.url]).ends(1);
    let before = hand.heard().len();
    let sent = hand.heard()[before - 1].body.clone();
    pasted(&desk.report()["findings"][0]);
    assert_eq!(hand.heard().len(), before + 1);
    assert_eq!(hand.heard()[before].body, sent);
}
