//! The manifests of a run in parts do what they say: their own arguments, started as Kubernetes starts them.

use serde_json::Value;

use crate::harness::{Desk, Ended, Serving};
use crate::text::root;

const TOKEN: &str = "token-of-the-cluster";

/// The one container of a manifest's Job, and how often it is completed.
fn job(name: &str) -> (Vec<String>, u64) {
    let text = std::fs::read_to_string(root().join("examples/ci").join(name)).unwrap();
    let manifest: Value = serde_saphyr::from_str(&text).unwrap();
    let containers = manifest["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    let arguments = containers[0]["args"].as_array().unwrap();
    let arguments = arguments.iter().map(|word| word.as_str().unwrap().to_owned()).collect();
    (arguments, manifest["spec"]["completions"].as_u64().unwrap_or(1))
}

/// Runs a container's arguments, with what differs between a cluster and this test put in its place.
fn start(desk: &Desk, arguments: &[String], places: &[(&str, &str)], index: u64) -> Ended {
    let words: Vec<String> = arguments
        .iter()
        .map(|word| {
            let word = word.replace("$(JOB_COMPLETION_INDEX)", &index.to_string());
            places.iter().fold(word, |word, (from, to)| word.replace(from, to))
        })
        .collect();
    let output = desk
        .command()
        .args(&words)
        .env("JOB_COMPLETION_INDEX", index.to_string())
        .env("BATCHPROOF_TOKEN", TOKEN)
        .output()
        .unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The parts and their merge against a server; how the merge ended.
fn run(faults: &[&str]) -> (Desk, Ended) {
    let server = Serving::start(faults, Some(TOKEN));
    let desk = Desk::new();
    let reports = desk.path().join("reports/").display().to_string();
    let profile = root().join("examples/profile.yaml").display().to_string();
    let places = [
        ("https://staging.example", &*server.url),
        ("/config/profile.yaml", &profile),
        ("/reports/", &reports),
        ("--depth=deep", "--depth=quick"),
        ("--rate=4/s", "--rate=1000/s"),
    ];
    let (part, parts) = job("kubernetes-job.yaml");
    assert!(part.iter().any(|word| *word == format!("--partition=index/{parts}")));
    for index in 0..parts {
        let ended = start(&desk, &part, &places, index);
        assert!([0, 1].contains(&ended.code), "part {index}: {}", ended.text());
    }
    let (merge, _) = job("kubernetes-merge.yaml");
    let merged = start(&desk, &merge, &places, 0);
    (desk, merged)
}

#[test]
fn the_parts_of_a_conformant_run_merge_to_exit_0() {
    let (desk, merged) = run(&[]);
    merged.ends(0);
    assert!(desk.path().join("reports/merged/junit.xml").exists());
}

#[test]
fn the_parts_of_a_nonconformant_run_merge_to_exit_1() {
    let (_, merged) = run(&["--fault", "results-reversed"]);
    merged.ends(1).says(&["ORDER-002"]);
}
