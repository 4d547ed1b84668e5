//! A case, or a step of one, for each row of a data file; and variables from the environment.

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Heard, verdicts};
use crate::harness::{Desk, Ended};

fn accepting() -> Hand {
    Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null))
}

fn run(desk: &Desk, hand: &Hand) -> Ended {
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url])
}

/// A field of the first item of each batch, in order; plain batches of the harness itself are left out.
fn sent(hand: &Hand, field: &str) -> Vec<Value> {
    let first = |heard: &Heard| heard.items().first().map(|item| item[field].clone());
    hand.heard().iter().filter_map(first).collect()
}

#[test]
fn a_case_runs_for_each_row_and_a_cell_keeps_its_type() {
    let desk = Desk::new();
    desk.file("accounts.csv", "account,amount,verdict\nA-1,10.5,accepted\r\n\"O'Brien, \"\"x\"\"\",-3,accepted\n007,4,rejected\n");
    desk.file(
        "case.yaml",
        "title: ${account} is ${verdict}\nfor-each: accounts.csv\nsteps:\n  - batch: [{ set: { accountExtId: \"${account}\", value: ${amount} } }]\n    expect: ${verdict}\n",
    );
    let hand = accepting();
    let ended = run(&desk, &hand).ends(1);
    let mut accounts = sent(&hand, "accountExtId");
    accounts.sort_by_key(ToString::to_string);
    accounts.dedup();
    assert_eq!(accounts, [json!("007"), json!("A-1"), json!("O'Brien, \"x\"")]);
    assert!(sent(&hand, "value").contains(&json!(10.5)));
    // The third row alone is wrong, and is found by its own case.
    let report = desk.report();
    let ids: Vec<&str> =
        report["cases"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["case-row-1", "case-row-2", "case-row-3"]);
    assert_eq!(report["findings"][0]["case"], "case-row-3");
    assert_eq!(report["cases"][2]["title"], "007 is rejected (row 3 of accounts.csv (line 4))");
    ended.says(&["case.yaml:5", "row 3 of accounts.csv"]);
    // Its row is found again, too.
    desk.batchproof(&["replay", "reports", "--target", &hand.url]).ends(1).says(&["still failing"]);
}

#[test]
fn a_step_is_sent_for_each_row_and_positions_stay_those_of_the_file() {
    let desk = Desk::new();
    desk.file("data/rows.jsonl", "{\"account\": \"A-1\", \"amount\": 1, \"status\": 200}\n\n{\"account\": \"A-2\", \"amount\": 2.5, \"status\": 400}\n");
    desk.file(
        "case.yaml",
        "title: x\nsteps:\n  - { as: first, batch: 1 }\n  - for-each: data/rows.jsonl\n    # a row each\n    batch:\n      - set: { accountExtId: \"${account}\", value: ${amount} }\n    expect: { status: ${status} }\n  - { batch: [{ set: { accountExtId: last } }], expect: { status: 4xx } }\n",
    );
    let hand = accepting();
    let ended = run(&desk, &hand).ends(1);
    let accounts = sent(&hand, "accountExtId");
    assert_eq!(accounts[1..4], [json!("A-1"), json!("A-2"), json!("last")]);
    assert_eq!(sent(&hand, "value")[1..3], [json!(1), json!(2.5)]);
    ended.says(&["case.yaml:8", "step 2, row 2 of data/rows.jsonl"]);
    let message = desk.report()["findings"][0]["message"].to_string();
    assert!(message.contains("case.yaml:8, step 2, row 2 of data/rows.jsonl"), "{message}");
}

#[test]
fn a_mistake_names_the_place_in_the_case_or_in_the_data() {
    let case = "title: x\nfor-each: d.csv\nsteps:\n  - batch: [{ set: { accountExtId: \"${acount}\" } }]\n";
    let refused = |case: &str, data: (&str, &str), words: &[&str]| {
        let desk = Desk::new();
        desk.file(data.0, data.1);
        desk.file("case.yaml", case);
        desk.batchproof(&["run", "case.yaml"]).ends(2).says(words);
    };
    let words = ["case.yaml:4:37: d.csv has no column `acount`", "did you mean `account`?"];
    refused(case, ("d.csv", "account,b\n1,2\n"), &words);
    refused(
        case,
        ("e.csv", "account\n1\n"),
        &["case.yaml:2:11", "d.csv does not exist", "did you mean `e.csv`?"],
    );
    refused(
        case,
        ("d.csv", "account,b\n1,2\n3\n"),
        &["d.csv:3:1: this row has 1 cell", "account, b"],
    );
    refused(case, ("d.csv", "account\n"), &["d.csv: it has no row"]);
    refused(case, ("d.csv", "token\n1\n"), &["d.csv:1:1", "${token} means something else"]);
    refused(case, ("d.csv", "a\n\"b\n"), &["d.csv:2:1: a quoted text does not end"]);
    let lines = case.replace("d.csv", "d.jsonl").replace("acount", "account");
    refused(&lines, ("d.jsonl", "{\"account\": 1}\n[2]\n"), &["d.jsonl:2:1: a row is [2]"]);
    refused(
        &lines,
        ("d.jsonl", "{\"account\": \"a\"}\n{}\n"),
        &["the row d.jsonl:2 has no `account`"],
    );
    refused(&lines, ("d.jsonl", "{\"account\": 1\n"), &["d.jsonl:1:", "not JSON"]);
    // What a row makes of the case is a mistake of that row.
    let status = "title: x\nfor-each: d.csv\nsteps:\n  - { batch: 1, expect: { status: ${s} } }\n";
    refused(
        status,
        ("d.csv", "s\n200\nfine\n"),
        &["case.yaml:4:", "is not a status", "row 2 of d.csv (line 3)"],
    );
    // Behind steps that were written out, lines are those of the file.
    let behind = "title: x\nsteps:\n  - for-each: d.csv\n    batch: [{ set: { value: ${v} } }]\n  - { batch: 1, expct: accepted }\n";
    refused(behind, ("d.csv", "v\n1\n2\n3\n"), &["case.yaml:5:", "unknown key `expct`"]);
    let group = "title: x\nsteps:\n  - simultaneously:\n      - { for-each: d.csv, batch: 1 }\n";
    refused(group, ("d.csv", "v\n1\n"), &["case.yaml:4:", "`for-each` inside `simultaneously`"]);
    refused(
        "title: x\nsteps:\n  - { batch: 1 }\n    for-eech: a\n",
        ("d.csv", "v\n1\n"),
        &["case.yaml:"],
    );
    refused(
        "title: x\nsteps:\n  - { batch: 1, expect: { for-each: d.csv } }\n",
        ("d.csv", "v\n1\n"),
        &["`for-each` belongs to the case, or one of its steps"],
    );
}

#[test]
fn cells_are_no_templates() {
    let desk = Desk::new();
    desk.file("d.csv", "account\n${fresh}\n\"a\nb\"\n");
    desk.file("case.yaml", "title: x\nfor-each: d.csv\nsteps:\n  - batch: [{ set: { accountExtId: \"${account}\" } }]\n");
    let hand = accepting();
    run(&desk, &hand).ends(0);
    let accounts = sent(&hand, "accountExtId");
    assert!(accounts.contains(&json!("${fresh}")), "{accounts:?}");
    assert!(accounts.contains(&json!("a\nb")), "{accounts:?}");
}

#[test]
fn variables_come_from_the_command_line_before_the_environment() {
    let desk = Desk::new();
    desk.file(
        "case.yaml",
        "title: x\nsteps:\n  - batch: [{ set: { accountExtId: \"${variable:account-id}\", value: ${variable:amount} } }]\n",
    );
    let hand = accepting();
    let command = |arguments: &[&str]| {
        let mut command = desk.command();
        command.args(["run", "case.yaml", "--target", &hand.url]).args(arguments);
        command
            .env("BATCHPROOF_VARIABLE_ACCOUNT_ID", "from \"outside\"")
            .env("BATCHPROOF_VARIABLE_AMOUNT", "4.5");
        command.output().unwrap()
    };
    assert!(command(&[]).status.success());
    assert!(command(&["--variable", "account-id=given"]).status.success());
    let accounts = sent(&hand, "accountExtId");
    assert!(accounts.contains(&json!("from \"outside\"")), "{accounts:?}");
    assert_eq!(accounts.last(), Some(&json!("given")));
    assert!(sent(&hand, "value").contains(&json!(4.5)));
    run(&desk, &hand).ends(2).says(&[
        "case.yaml:3:37: the variable `account-id` has no value",
        "--variable account-id=VALUE, or BATCHPROOF_VARIABLE_ACCOUNT_ID",
    ]);
}
