//! What is said to records that can't be used, alone or together.

use crate::harness::Desk;
use crate::said::{commands, texts};

const RECORDS: &[&str] = &[
    "",
    "no record\n",
    "{\"event\":\"nonsense\"}\n",
    "{\"event\":\"note\",\"text\":\"x\"}\n",
    "{\"event\":\"run_started\"}\n",
];

#[test]
fn a_record() {
    let desk = Desk::new();
    texts("reader_record", &desk, &["report", "old"], "old/record.jsonl", RECORDS);
}

#[test]
fn a_record_of_another_version() {
    let desk = Desk::new();
    desk.batchproof(&["run", "time", "--runs", "1"]).ends(0);
    let path = desk.reports().join("record.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let version = text.split_once("\"version\":").unwrap().1.split(',').next().unwrap();
    for (name, other) in [("reader_record_newer", 99), ("reader_record_older", 1)] {
        let other = format!("\"version\":{other}");
        let changed = text.replacen(&format!("\"version\":{version}"), &other, 1);
        std::fs::write(&path, changed).unwrap();
        commands(name, &desk, &[&["report", "reports"], &["replay", "reports"]]);
    }
}

#[test]
fn parts_that_do_not_fit() {
    let desk = Desk::new();
    let parts = [
        ("whole", "1", None),
        ("one", "1", Some("1/3")),
        ("two", "1", Some("2/3")),
        ("three", "1", Some("3/3")),
        ("other", "2", Some("2/3")),
    ];
    for (dir, seed, part) in parts {
        let mut run = vec!["run", "time", "--runs", "3", "--run-id", "r", "--depth", "quick"];
        run.extend(["--seed", seed, "--report-dir", dir]);
        run.extend(part.iter().flat_map(|part| ["--partition", part]));
        desk.batchproof(&run);
    }
    let named: &[&[&str]] = &[
        &["report", "one", "whole"],
        &["report", "one", "one"],
        &["report", "one", "other"],
        &["report", "one", "two"],
        &["report", "two/record.jsonl", "one", "three", "--report-dir", "one"],
        &["report", "nowhere"],
        &["replay", "nowhere"],
        &["replay", "whole", "ORDER-002"],
    ];
    commands("reader_records_together", &desk, named);
}
