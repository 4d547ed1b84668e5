//! What a run prints for programs: nothing but that on standard output, and the same from the record alone.

use serde_json::Value;

use crate::harness::{Desk, Ended, Serving};

const FAULT: &[&str] = &["--fault", "results-reversed", "--fault", "content-type-text"];

fn run(desk: &Desk, url: &str, further: &[&str]) -> Ended {
    let arguments = ["run", "order/sizes", "accept/generated", "--depth", "quick", "--seed", "7"];
    desk.batchproof(&[&arguments, &["--target", url][..], further].concat())
}

fn text(desk: &Desk, name: &str) -> String {
    std::fs::read_to_string(desk.reports().join(name)).unwrap()
}

#[test]
fn standard_output_holds_the_form_alone_and_the_record_makes_it_again() {
    let desk = Desk::new();
    let serving = Serving::start(FAULT, None);
    for format in ["json", "jsonl", "github", "sarif", "tap"] {
        let ended = run(&desk, &serving.url, &["--format", format]).ends(1);
        let again = desk.batchproof(&["report", "reports", "--format", format]).ends(1);
        assert_eq!(ended.out, again.out, "{format}");
        match format {
            "json" => assert_eq!(ended.out, text(&desk, "report.json")),
            "sarif" => assert_eq!(ended.out, text(&desk, "report.sarif")),
            "jsonl" => {
                for line in ended.out.lines() {
                    let line: Value = serde_json::from_str(line).unwrap();
                    assert!(line["type"].is_string());
                }
            }
            "tap" => assert!(ended.out.starts_with("TAP version 14\n1.."), "{}", ended.out),
            _ => {
                let lines = ended.out.lines().filter(|line| line.starts_with("::error title="));
                assert_eq!(lines.count(), 2, "{}", ended.out);
                assert!(ended.out.contains("title=ORDER-002 MUST%3A "), "{}", ended.out);
            }
        }
    }
}

#[test]
fn an_annotation_stands_at_the_users_own_file() {
    let desk = Desk::new();
    let serving = Serving::start(&["--fault", "results-reversed"], None);
    desk.file("mine.yaml", "title: mine\nsteps: [{ batch: [{}, {}] }]\n");
    let arguments =
        ["run", "mine.yaml", "--seed", "7", "--target", &serving.url, "--format", "github"];
    let ended = desk.batchproof(&arguments).ends(1);
    assert!(ended.out.contains(",file=mine.yaml,line=1::"), "{}", ended.out);
    let log: Value = serde_json::from_str(&text(&desk, "report.sarif")).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "mine.yaml");
}

#[test]
fn rules_link_to_their_pages_where_the_manual_has_an_address() {
    let desk = Desk::new();
    let mut command = desk.command();
    command.args(["run", "order/sizes", "--seed", "7", "--depth", "quick", "--format", "sarif"]);
    let output = command.env("BATCHPROOF_MANUAL", "https://docs.example/batchproof/").output();
    let log: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.len() > 50);
    for rule in rules {
        let page = format!(
            "https://docs.example/batchproof/reference/rules/{}.html",
            rule["id"].as_str().unwrap()
        );
        assert_eq!(rule["helpUri"], page);
        assert!(!rule["help"]["text"].as_str().unwrap().is_empty());
    }
}

#[test]
fn a_baseline_makes_later_runs_accept_what_is_known_and_nothing_else() {
    let desk = Desk::new();
    let serving = Serving::start(&["--fault", "content-type-text"], None);
    let write = ["--write-waivers", "known/baseline.yaml", "--expires", "30d"];
    run(&desk, &serving.url, &write).ends(1).says(&["a later run accepts them"]);
    let baseline = std::fs::read_to_string(desk.path().join("known/baseline.yaml")).unwrap();
    assert!(baseline.contains("- rule: HTTP-001\n"), "{baseline}");
    // Another seed, other cases: the same problem.
    let other = ["run", "order", "unique", "--depth", "quick", "--seed", "8"];
    let known = ["--waivers", "known/baseline.yaml", "--target", &serving.url];
    desk.batchproof(&[&other[..], &known[..]].concat()).ends(0).says(&["1 waived"]);
    // What is new fails, and a baseline of that run keeps what was known.
    let worse = Serving::start(FAULT, None);
    let again = [
        "--waivers",
        "known/baseline.yaml",
        "--write-waivers",
        "all.yaml",
        "--expires",
        "2099-12-31",
    ];
    run(&desk, &worse.url, &again).ends(1);
    let all = std::fs::read_to_string(desk.path().join("all.yaml")).unwrap();
    assert!(all.contains("- rule: HTTP-001\n") && all.contains("- rule: ORDER-002\n"), "{all}");
    assert_eq!(all.matches("expires: 2099-12-31").count(), all.matches("- rule: ").count() - 1);
    let accepted = run(&desk, &worse.url, &["--waivers", "all.yaml"]);
    assert_ne!(accepted.code, 1, "{}", accepted.text());
}

#[test]
fn a_run_that_tested_nothing_writes_no_baseline() {
    let desk = Desk::new();
    let url = format!("http://127.0.0.1:{}", crate::harness::closed_port());
    let write = ["--write-waivers", "baseline.yaml"];
    run(&desk, &url, &write).ends(3).says(&["not written, because nothing was tested"]);
    assert!(!desk.path().join("baseline.yaml").exists());
    let wrong = ["--write-waivers", "baseline.yaml", "--expires", "soon"];
    run(&desk, &url, &wrong).ends(2).says(&["a time such as 30d"]);
}

#[test]
fn explain_and_the_page_of_a_run_link_to_the_manual() {
    let desk = Desk::new();
    let page = "https://docs.example/reference/rules/ORDER-002.html";
    let with_manual = |arguments: &[&str]| {
        let mut command = desk.command();
        command.args(arguments).env("BATCHPROOF_MANUAL", "https://docs.example");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(with_manual(&["explain", "ORDER-002"]).contains(page));
    with_manual(&["run", "order/sizes", "--seed", "7"]);
    let html = text(&desk, "report.html");
    assert!(
        html.contains(&format!("href=\"{page}\"")) && html.contains("A right and a wrong exchange")
    );
}
