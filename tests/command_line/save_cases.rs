//! `run --export-cases DIR` leaves case files that fail the same way until the fault is gone.

use std::path::PathBuf;

use crate::harness::{Desk, Serving, files};

const TOKEN: &str = "saved-token-9f3c";

/// Runs cases against a faulty server; the case files that it leaves.
fn saved(desk: &Desk, serving: &Serving, cases: &[&str]) -> Vec<(PathBuf, String)> {
    let run =
        ["run", "--target", &serving.url, "--seed", "5", "--strict", "--export-cases", "saved"];
    desk.with_token(&[&run[..], cases].concat(), Some(TOKEN)).ends(1);
    let read = files(&desk.path().join("saved")).into_iter();
    read.map(|(path, text)| (path, String::from_utf8(text).unwrap())).collect()
}

#[test]
fn a_saved_case_fails_the_same_way_until_the_fault_is_gone() {
    for (fault, refusal_mode, cases) in [
        ("results-reversed", "item", ["order", "accept"]),
        ("unique-within-batch-only", "request", ["unique", "race"]),
        ("mandatory-2-unchecked", "item", ["refuse", "atom"]),
        ("identity-outside-bmp-replaced", "request", ["echo", "accept"]),
        ("numbers-case-folded", "item", ["unique", "echo"]),
        ("lenient-json", "request", ["refuse", "robust"]),
        ("get-processed", "request", ["http", "auth"]),
        ("any-token-accepted", "request", ["http", "auth"]),
        ("stored-though-refused", "request", ["atom", "refuse"]),
        ("next-item-rejected-too", "item", ["atom", "accept"]),
        ("header-names-case-sensitive", "request", ["http", "accept"]),
        ("loser-server-error", "request", ["race", "accept"]),
    ] {
        let desk = Desk::new();
        let faulty =
            Serving::start(&["--fault", fault, "--refusal-mode", refusal_mode], Some(TOKEN));
        let clean = Serving::start(&["--refusal-mode", refusal_mode], Some(TOKEN));
        let files = saved(&desk, &faulty, &cases);
        assert!(!files.is_empty(), "{fault}");
        for (path, text) in files {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let (rule, short) = name.rsplit_once('-').unwrap();
            assert_eq!(short.len(), 6, "{name}");
            let run = ["run", path.to_str().unwrap(), "--report-dir", "again", "--target"];
            let ended = desk.with_token(&[&run[..], &[&faulty.url]].concat(), Some(TOKEN));
            assert!(
                ended.text().contains(rule) && ended.text().contains("NONCONFORMANT")
                    || ended.text().contains(&format!("SHOULD  {rule}")),
                "{fault}: {name}\n{text}\n{}",
                ended.text()
            );
            // Not only once: whatever it sends is fresh.
            let ended = desk.with_token(&[&run[..], &[&faulty.url]].concat(), Some(TOKEN));
            assert!(ended.text().contains(rule), "{fault}: {name}\n{text}\n{}", ended.text());
            desk.with_token(&[&run[..], &[&clean.url]].concat(), Some(TOKEN)).ends(0);
        }
    }
}

#[test]
fn a_saved_case_says_where_it_came_from_and_holds_no_secret_and_no_number() {
    let desk = Desk::new();
    let faulty = Serving::start(&["--fault", "unique-within-batch-only"], Some(TOKEN));
    let files = saved(&desk, &faulty, &["unique", "http/header-case"]);
    let report = desk.report();
    let run_id = report["run_id"].as_str().unwrap();
    for (path, text) in &files {
        let short = path.file_stem().unwrap().to_str().unwrap().rsplit_once('-').unwrap().1;
        let findings = report["findings"].as_array().unwrap();
        let finding = findings.iter().find(|f| f["id"].as_str().unwrap().starts_with(short));
        let finding = finding.expect("a finding of that id");
        for word in ["id", "rule", "case"] {
            assert!(text.contains(finding[word].as_str().unwrap()), "{word}:\n{text}");
        }
        assert!(!text.contains(TOKEN) && !text.contains(run_id), "{text}");
        assert!(text.contains("${fresh}") || text.contains("${key:"), "{text}");
    }
    // Each finding is found again: in its own file, or among those of the same cause.
    let all: String = files.iter().map(|(_, text)| text.as_str()).collect();
    for finding in report["findings"].as_array().unwrap() {
        assert!(all.contains(finding["id"].as_str().unwrap()), "{finding:#?}\n{all}");
    }
}

#[test]
fn a_run_without_findings_saves_nothing() {
    let desk = Desk::new();
    desk.batchproof(&["run", "time", "--export-cases", "saved"]).ends(0);
    assert_eq!(files(&desk.path().join("saved")).len(), 0);
}

#[test]
fn a_run_that_is_cut_short_saves_what_it_found() {
    let desk = Desk::new();
    let faulty = Serving::start(&["--fault", "results-reversed"], Some(TOKEN));
    let files = saved(&desk, &faulty, &["order", "--max-findings", "1"]);
    assert_eq!(files.len(), 1, "{files:?}");
}
