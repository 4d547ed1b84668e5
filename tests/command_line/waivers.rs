//! Known findings: waived until their day is over, told everywhere, and never for longer than they are true.

use serde_json::{Value, json};

use crate::harness::{Desk, Ended, Serving};

/// Answers that are right but for their label: one finding of HTTP-001.
const LABEL: &str = "content-type-text";

fn label_waiver(rest: &str) -> String {
    format!(
        "- rule: HTTP-001\n  case: accept/generated\n  reason: wrong label, BAL-17\n  owner: imports team\n{rest}"
    )
}

fn run(desk: &Desk, url: &str, further: &[&str]) -> Ended {
    let mut arguments = vec![
        "run",
        "accept/generated",
        "--depth",
        "quick",
        "--seed",
        "7",
        "--target",
        url,
        "--waivers",
        "waivers.yaml",
    ];
    arguments.extend(further);
    desk.batchproof(&arguments)
}

fn fates(desk: &Desk) -> Vec<String> {
    let report = desk.report();
    let waivers = report["waivers"].as_array().unwrap();
    waivers.iter().map(|w| w["status"].as_str().unwrap().to_owned()).collect()
}

fn text(desk: &Desk, name: &str) -> String {
    std::fs::read_to_string(desk.reports().join(name)).unwrap()
}

#[test]
fn a_waived_finding_fails_nothing_and_is_told_in_every_report() {
    let desk = Desk::new();
    let serving = Serving::start(&["--fault", LABEL], None);
    desk.file("waivers.yaml", "# known\n");
    run(&desk, &serving.url, &[]).ends(1);
    desk.file("waivers.yaml", label_waiver("  expires: 2099-12-31\n"));
    let told = "wrong label, BAL-17 (owner imports team, until 2099-12-31)";
    run(&desk, &serving.url, &["--strict"]).ends(0).says(&[
        "CONFORMANT",
        "no problems",
        "1 waived",
        "MUST (waived) HTTP-001",
        told,
        "covers 1 finding",
        "waivers.yaml:1",
    ]);
    let report = desk.report();
    assert_eq!(report["findings"][0]["waived"], told);
    assert_eq!(report["waivers"][0]["status"], "used");
    assert_eq!(report["waivers"][0]["findings"], json!([report["findings"][0]["id"]]));
    let rule = report["rules"].as_array().unwrap().iter().find(|r| r["id"] == "HTTP-001").unwrap();
    assert_eq!(rule["outcome"], "waived");
    for name in ["report.html", "report.md", "junit.xml"] {
        let text = text(&desk, name);
        for word in ["BAL-17", "imports team", "2099-12-31"] {
            assert!(text.contains(word), "{name} lacks {word}");
        }
    }
    assert!(!text(&desk, "junit.xml").contains("<failure"));

    // The record alone makes the same reports, also where the run was killed outright.
    let before = text(&desk, "report.json");
    desk.batchproof(&["report", "reports"]).ends(0);
    assert_eq!(text(&desk, "report.json"), before);
    let record = text(&desk, "record.jsonl");
    let killed: Vec<&str> = record.lines().take_while(|l| !l.contains("case-finished")).collect();
    desk.file("killed/record.jsonl", killed.join("\n") + "\n");
    desk.batchproof(&["report", "killed"]).ends(3).says(&["killed", "1 waived"]);
}

#[test]
fn an_expired_waiver_waives_nothing_and_is_told() {
    let desk = Desk::new();
    let serving = Serving::start(&["--fault", LABEL], None);
    desk.file("waivers.yaml", label_waiver("  expires: 2020-02-29\n"));
    run(&desk, &serving.url, &[])
        .ends(1)
        .says(&["expired after 2020-02-29", "its finding counts again"]);
    assert_eq!(fates(&desk), ["expired"]);
    assert_eq!(desk.report()["findings"][0]["waived"], Value::Null);
}

#[test]
fn a_stale_waiver_is_shown_and_fails_a_strict_run() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    desk.file("waivers.yaml", label_waiver("  expires: 2099-12-31\n"));
    run(&desk, &serving.url, &[]).ends(0).says(&["stale: its rule and case ran"]);
    assert_eq!(fates(&desk), ["stale"]);
    run(&desk, &serving.url, &["--strict"]).ends(1).says(&["NONCONFORMANT", "1 stale waiver"]);
    assert_eq!(desk.report()["reasons"], json!(["1 stale waiver (strict)"]));
    assert!(text(&desk, "junit.xml").contains("<failure"));

    desk.file("waivers.yaml", label_waiver("  expires: 2099-12-31\n  flaky: true\n"));
    run(&desk, &serving.url, &["--strict"]).ends(0);
    assert_eq!(fates(&desk), ["unmatched-flaky"]);
}

#[test]
fn a_waiver_is_not_stale_where_what_it_speaks_of_did_not_run() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    let rest = "  reason: r\n  owner: o\n  expires: 2099-12-31\n";
    desk.file(
        "waivers.yaml",
        format!(
            "- rule: HTTP-001\n  case: race/own-answers\n{rest}- rule: RACE-001\n  case: accept/generated\n{rest}\
             - rule: HTTP-001\n{rest}- rule: HTTP-001\n  case: \"*\"\n{rest}"
        ),
    );
    run(&desk, &serving.url, &["--strict"]).ends(0);
    assert_eq!(fates(&desk), ["not-run"; 4]);
    // A part of a run can't know what the other parts see.
    desk.file("waivers.yaml", label_waiver("  expires: 2099-12-31\n"));
    run(&desk, &serving.url, &["--strict", "--partition", "1/2", "--run-id", "parts"]).ends(0);
    assert_eq!(fates(&desk), ["not-run"]);
}

#[test]
fn a_waiver_of_a_case_that_nobody_knows_is_told_with_the_nearest_name() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    let entry = |case: &str| {
        format!("- {{ rule: HTTP-001, case: {case}, reason: r, owner: o, expires: 2099-12-31 }}\n")
    };
    desk.file("waivers.yaml", entry("accept/genarated"));
    run(&desk, &serving.url, &[]).ends(0).says(&[
        "note waivers.yaml:1: the waiver of HTTP-001 names the case `accept/genarated`",
        "did you mean `accept/generated`?",
    ]);
    desk.file("waivers.yaml", entry("race/*") + &entry("unique/replayed") + &entry("(run)"));
    let ended = run(&desk, &serving.url, &[]).ends(0);
    assert!(!ended.out.contains("names the case"), "{}", ended.out);
}

#[test]
fn the_snippet_of_a_report_works_once_it_is_filled_in() {
    let desk = Desk::new();
    let serving = Serving::start(&["--fault", LABEL], None);
    desk.file("waivers.yaml", "[]\n");
    run(&desk, &serving.url, &[]).ends(1);
    let snippet = desk.report()["findings"][0]["waiver"].as_str().unwrap().to_owned();
    assert!(text(&desk, "report.md").contains(&snippet));
    let fill = [
        ("reason: …", "reason: known", "`reason` is not filled in"),
        ("owner: …", "owner: me", "`owner` is not filled in"),
        ("YYYY-MM-DD", "2099-12-31", "`YYYY-MM-DD` is not a date"),
    ];
    let mut pasted = snippet;
    for (blank, filled, complaint) in fill {
        desk.file("waivers.yaml", &pasted);
        run(&desk, &serving.url, &[]).ends(2).says(&["waivers.yaml:", complaint, "expected:"]);
        pasted = pasted.replace(blank, filled);
    }
    desk.file("waivers.yaml", &pasted);
    run(&desk, &serving.url, &[]).ends(0);
    assert_eq!(fates(&desk), ["used"]);
}

#[test]
fn a_waiver_covers_what_it_names_and_nothing_else() {
    let desk = Desk::new();
    let serving = Serving::start(&["--fault", LABEL], None);
    let rest = "  reason: r\n  owner: o\n  expires: 2099-12-31\n";
    for (entry, code) in [
        ("- rule: HTTP-001\n", 0),
        ("- rule: HTTP-001\n  case: accept/*\n", 0),
        ("- rule: HTTP-001\n  pointer: \"\"\n", 0),
        ("- rule: HTTP-001\n  case: accept\n", 1),
        ("- rule: HTTP-001\n  case: race/*\n", 1),
        ("- rule: HTTP-001\n  pointer: /results\n", 1),
        ("- rule: HTTP-009\n", 1),
    ] {
        desk.file("waivers.yaml", format!("{entry}{rest}"));
        run(&desk, &serving.url, &[]).ends(code);
    }
}

#[test]
fn a_waivers_file_that_cant_be_used_is_told_with_its_place() {
    let desk = Desk::new();
    let refused = |text: &str, words: &[&str]| {
        desk.file("w.yaml", text);
        desk.batchproof(&["run", "order", "--waivers", "w.yaml"]).ends(2).says(words);
        assert!(!desk.reports().exists());
    };
    let rest = "  reason: r\n  owner: o\n  expires: 2099-12-31\n";
    refused(
        &format!("# known\n- rule: ORDER-02\n{rest}"),
        &["w.yaml:2:9: there is no rule `ORDER-02`", "did you mean `ORDER-002`?"],
    );
    refused(
        &format!("- rule: ORDER-002\n  ownr: me\n{rest}"),
        &["w.yaml:2:3: unknown key `ownr`", "did you mean `owner`?"],
    );
    refused("- rule: ORDER-002\n  reason: r\n  owner: o\n", &["w.yaml:", "`expires` is missing"]);
    refused(
        &format!("- rule: ORDER-002\n{}", rest.replace("2099-12-31", "31.12.2099")),
        &["w.yaml:4:12: `31.12.2099` is not a date", "such as 2027-01-31"],
    );
    refused(
        &format!("- rule: ORDER-002\n  pointer: results/0\n{rest}"),
        &["w.yaml:2:12: `results/0` is no JSON pointer", "/results/*/errorCode"],
    );
    refused(
        &format!("- rule: ORDER-002\n{}", rest.replace("reason: r", "reason: \" \"")),
        &["w.yaml:2:11: `reason` is not filled in"],
    );
    refused(
        &format!("waivers:\n- rule: ORDER-002\n{rest}"),
        &["w.yaml:1:1: no list", "`- rule: …`"],
    );
    desk.batchproof(&["run", "order", "--waivers", "nowhere.yaml"])
        .ends(2)
        .says(&["nowhere.yaml: ", "a readable waivers file"]);
}
