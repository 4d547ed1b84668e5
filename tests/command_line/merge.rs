//! The parts of a divided run: merged, they say what the undivided run says, and nothing else is merged.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Heard, verdicts};
use crate::harness::{Desk, Ended, Serving};

/// Faults that depend on the request alone, so that parts see what the whole run sees.
const FAULTS: &[&str] =
    &["accepted-with-code", "negative-refused", "content-type-missing-on-error"];

fn run(desk: &Desk, url: &str, dir: &str, further: &[&str]) -> Ended {
    let mut arguments = vec!["run", "--depth", "quick", "--seed", "7", "--target", url];
    arguments.extend(["--report-dir", dir]);
    arguments.extend(further);
    desk.with_token(&arguments, Some("demo"))
}

fn part(desk: &Desk, url: &str, number: usize, of: usize, further: &[&str]) -> Ended {
    let partition = format!("{number}/{of}");
    let mut arguments = vec!["--run-id", "parts", "--partition", &partition];
    arguments.extend(further);
    run(desk, url, &format!("part-{number}"), &arguments)
}

fn report(desk: &Desk, dir: &str) -> Value {
    let text = std::fs::read_to_string(desk.path().join(dir).join("report.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What must not depend on how a run was divided.
fn substance(report: &Value) -> Value {
    let pick = |list: &str, keys: &[&str]| -> Vec<Value> {
        let mut rows: Vec<Value> = report[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| keys.iter().map(|key| row[*key].clone()).collect())
            .collect();
        rows.sort_by_key(ToString::to_string);
        rows
    };
    json!({
        "conclusion": report["conclusion"],
        "findings": pick("findings", &["id", "rule", "case", "place", "kind", "count", "confirmed"]),
        "rules": pick("rules", &["id", "outcome", "counts"]),
        "cases": pick("cases", &["id", "ended", "runs", "requests", "items"]),
        "statuses": report["coverage"]["statuses"],
        "suite": report["suite"],
    })
}

#[test]
fn merged_parts_say_what_the_undivided_run_says() {
    for faults in [&[], FAULTS] {
        let desk = Desk::new();
        let arguments: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", *fault]).collect();
        let serving = Serving::start(&arguments, Some("demo"));
        let code = i32::from(!faults.is_empty());
        for number in 1..=3 {
            // A part is never taken for the whole.
            let alone = format!("part {number} of 3 only");
            part(&desk, &serving.url, number, 3, &[]).says(&[&alone]);
            for page in ["report.html", "report.md"] {
                let dir = desk.path().join(format!("part-{number}"));
                let text = std::fs::read_to_string(dir.join(page)).unwrap();
                assert!(text.contains(&alone), "{page}");
            }
        }
        run(&desk, &serving.url, "whole", &["--run-id", "whole"]).ends(code);
        // The order in which they are named does not matter.
        desk.batchproof(&["report", "part-3", "part-1", "part-2", "--report-dir", "merged"])
            .ends(code)
            .says(&["merged from the 3 parts"]);
        let (merged, whole) = (report(&desk, "merged"), report(&desk, "whole"));
        assert_eq!(substance(&merged), substance(&whole));
        // Each part shrinks its own findings, and what that leaves behind is counted too.
        let left = |report: &Value| report["stats"]["left_behind"].as_u64().unwrap();
        assert!(if code == 0 { left(&merged) == left(&whole) } else { left(&merged) > 0 });
        assert!(merged["findings"].as_array().unwrap().len() >= 3 * faults.len());
        assert_eq!(merged["partition"], Value::Null);

        // The merged record is a record like any other.
        let files = ["record.jsonl", "report.json", "report.html", "junit.xml", "report.md"];
        assert!(files.iter().all(|name| desk.path().join("merged").join(name).exists()));
        desk.batchproof(&["report", "merged"]).ends(code);
        assert_eq!(report(&desk, "merged"), merged);
    }
}

#[test]
fn no_number_is_sent_by_two_parts() {
    let desk = Desk::new();
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    for number in 1..=3 {
        part(&desk, &hand.url, number, 3, &["accept/generated", "--runs", "9"]).ends(0);
    }
    let mut numbers = BTreeSet::new();
    for item in hand.heard().iter().flat_map(Heard::items) {
        let number = item["communicationNumber"].to_string();
        assert!(number.contains("parts-"), "{number}");
        assert!(numbers.insert(number.clone()), "{number} was sent twice");
    }
    assert!(numbers.len() > 100, "{}", numbers.len());
}

#[test]
fn what_is_judged_over_a_whole_run_is_judged_again_on_the_sum() {
    // Each part meets one refusal mode throughout, all parts together two.
    let desk = Desk::new();
    let case = ["refuse/mandatory-field-missing", "--runs", "40"];
    let refusal_modes = ["request", "item"].map(|r| Serving::start(&["--refusal-mode", r], None));
    for (number, serving) in [(1, &refusal_modes[0]), (2, &refusal_modes[1])] {
        part(&desk, &serving.url, number, 2, &case).ends(0);
        assert_eq!(report(&desk, &format!("part-{number}"))["findings"], json!([]));
    }
    // To the parts it is one target.
    let record = desk.path().join("part-2/record.jsonl");
    let text = std::fs::read_to_string(&record).unwrap();
    let host = |at: usize| refusal_modes[at].url.split('/').nth(2).unwrap();
    std::fs::write(&record, text.replace(host(1), host(0))).unwrap();
    desk.batchproof(&["report", "part-1", "part-2", "--report-dir", "merged"]).ends(0);
    let merged = report(&desk, "merged");
    let found: Vec<&Value> =
        merged["findings"].as_array().unwrap().iter().map(|f| &f["rule"]).collect();
    assert!(!found.is_empty() && found.iter().all(|rule| *rule == "REFUSE-011"), "{found:?}");
}

#[test]
fn what_is_no_whole_run_is_refused() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    let case = ["order/shuffled", "--runs", "6"];
    for number in 1..=3 {
        part(&desk, &serving.url, number, 3, &case).ends(0);
    }
    let refused = |dirs: &[&str], words: &[&str]| {
        let arguments: Vec<&str> = ["report"].iter().chain(dirs).copied().collect();
        desk.batchproof(&arguments).ends(2).says(words);
        assert!(!desk.reports().exists());
    };
    refused(
        &["part-1", "part-3"],
        &[
            "part 2 of 3 missing",
            "batchproof run --partition 2/3 --seed 7 --run-id parts --depth quick --runs 6 --target",
            "its cases",
        ],
    );
    refused(
        &["part-1", "part-2", "part-2"],
        &["part-2: it is part 2 of 3, and so is part-2", "each part once"],
    );
    refused(
        &["part-1", "part-2", "part-3", "--report-dir", "part-3"],
        &["part-3: it holds one of the parts", "--report-dir"],
    );
    run(&desk, &serving.url, "whole", &case).ends(0);
    refused(&["part-1", "whole"], &["part-1: it is part 1 of 3, and whole is a whole run"]);

    let other = |further: &[&str], words: &[&str]| {
        let mut arguments = vec!["--partition", "2/3"];
        arguments.extend(further);
        desk.batchproof(
            &["run", "--depth", "quick", "--report-dir", "other"]
                .iter()
                .copied()
                .chain(arguments)
                .collect::<Vec<_>>(),
        )
        .ends(0);
        refused(&["part-1", "other", "part-3"], words);
    };
    let url = serving.url.as_str();
    let base = |seed, id, runs, case| {
        vec![case, "--seed", seed, "--run-id", id, "--runs", runs, "--target", url]
    };
    other(&base("8", "parts", "6", "order/shuffled"), &["other: its seed is 8", "is 7"]);
    other(&base("7", "others", "6", "order/shuffled"), &["other: its run id is others"]);
    other(&base("7", "parts", "7", "order/shuffled"), &["its runs of each case is 7"]);
    other(&base("7", "parts", "6", "order/sizes"), &["its suite of cases (SHA-256) is"]);
    let mut elsewhere = base("7", "parts", "6", "order/shuffled");
    elsewhere.truncate(7);
    other(&elsewhere, &["its target is embedded reference server"]);
}

#[test]
fn a_part_that_was_killed_leaves_the_whole_inconclusive() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    for number in 1..=2 {
        part(&desk, &serving.url, number, 2, &["order"]).ends(0);
    }
    let record = desk.path().join("part-2/record.jsonl");
    let text = std::fs::read_to_string(&record).unwrap();
    let cut: Vec<&str> = text.lines().filter(|line| !line.contains("run-finished")).collect();
    std::fs::write(&record, cut.join("\n") + "\n").unwrap();
    desk.batchproof(&["report", "part-1", "part-2"]).ends(3).says(&["killed before its end"]);
}

#[test]
fn kubernetes_counts_its_jobs_from_zero() {
    let desk = Desk::new();
    let plan = |partition: &str, index: Option<&str>| {
        let mut command = desk.command();
        command.args(["run", "--plan", "--seed", "7", "--run-id", "k", "--partition", partition]);
        match index {
            Some(index) => command.env("JOB_COMPLETION_INDEX", index),
            None => command.env_remove("JOB_COMPLETION_INDEX"),
        };
        let output = command.output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), text)
    };
    for (index, part) in [("0", "1/3"), ("2", "3/3")] {
        let told = plan("index/3", Some(index));
        assert_eq!(told.0, Some(0));
        assert_eq!(told, plan(part, None));
    }
    for (index, words) in [
        (None, "needs the variable JOB_COMPLETION_INDEX"),
        (Some("3"), "JOB_COMPLETION_INDEX is 3"),
        (Some("x"), "JOB_COMPLETION_INDEX is `x`"),
    ] {
        let (code, text) = plan("index/3", index);
        assert_eq!(code, Some(2));
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn the_examples_to_copy_use_options_that_exist() {
    let desk = Desk::new();
    let help =
        ["run", "report"].map(|command| desk.batchproof(&[command, "--help"]).ends(0).out).concat();
    for name in ["kubernetes-job.yaml", "github-matrix.yaml"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(name);
        let text = std::fs::read_to_string(path).unwrap();
        serde_saphyr::from_str::<Value>(&text).unwrap();
        let mut options = 0;
        let others = ["cargo install", "kubectl"];
        for line in text.lines().filter(|line| !others.iter().any(|other| line.contains(other))) {
            for word in line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
                if word.starts_with("--") {
                    assert!(help.contains(&format!("{word} ")), "{name}: {word}");
                    options += 1;
                }
            }
        }
        assert!(options > 6, "{name}");
    }
}
