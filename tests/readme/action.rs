//! The scripts that CI servers start do what their files say: the GitHub action's and the GitLab template's.

use std::path::Path;

use crate::harness::{Desk, Serving, closed_port};
use crate::text::root;

/// What a step of the action left.
struct Step {
    code: i32,
    said: String,
    outputs: String,
    summary: String,
}

/// Runs the script as a runner does, with these inputs.
fn step(desk: &Desk, inputs: &[(&str, &str)]) -> Step {
    let binary = Path::new(env!("CARGO_BIN_EXE_batchproof")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let (outputs, summary) = (desk.file("outputs", ""), desk.file("summary", ""));
    let output = std::process::Command::new("bash")
        .arg(root().join(".github/action/run"))
        .current_dir(desk.path())
        .env("PATH", format!("{}:{path}", binary.display()))
        .env("GITHUB_OUTPUT", &outputs)
        .env("GITHUB_STEP_SUMMARY", &summary)
        // An input that is left out is an empty variable.
        .env("BATCHPROOF_TARGET", "")
        .env("BATCHPROOF_TOKEN", "")
        .env("INPUT_CASES", "order/sizes")
        .env("INPUT_ARGUMENTS", "--seed 7")
        .envs(inputs.iter().copied())
        .output()
        .unwrap();
    Step {
        code: output.status.code().unwrap(),
        said: String::from_utf8(output.stdout).unwrap(),
        outputs: std::fs::read_to_string(outputs).unwrap(),
        summary: std::fs::read_to_string(summary).unwrap(),
    }
}

#[test]
fn a_conformant_run_passes_and_fills_the_summary() {
    let step = step(&Desk::new(), &[]);
    assert_eq!(step.code, 0, "{}", step.said);
    assert_eq!(step.outputs, "exit-code=0\nconclusion=conformant\n");
    assert!(step.summary.contains("seed 7"), "{}", step.summary);
}

#[test]
fn a_nonconformant_run_fails_and_fills_the_summary() {
    let server = Serving::start(&["--fault", "results-reversed"], Some("secret-of-the-job"));
    let inputs = [("BATCHPROOF_TARGET", &*server.url), ("BATCHPROOF_TOKEN", "secret-of-the-job")];
    let step = step(&Desk::new(), &inputs);
    assert_eq!(step.code, 1, "{}", step.said);
    assert_eq!(step.outputs, "exit-code=1\nconclusion=nonconformant\n");
    assert!(step.summary.contains("ORDER-002"), "{}", step.summary);
    assert!(!step.summary.contains("secret-of-the-job"));
}

#[test]
fn an_inconclusive_run_fails_unless_it_only_warns() {
    let url = format!("http://127.0.0.1:{}", closed_port());
    let refused = step(&Desk::new(), &[("BATCHPROOF_TARGET", &url)]);
    assert_eq!(refused.code, 3, "{}", refused.said);
    let inputs = [("BATCHPROOF_TARGET", &*url), ("INPUT_INCONCLUSIVE", "warn")];
    let warned = step(&Desk::new(), &inputs);
    assert_eq!(warned.code, 0, "{}", warned.said);
    assert!(warned.said.contains("::warning "), "{}", warned.said);
    assert_eq!(warned.outputs, "exit-code=3\nconclusion=inconclusive\n");
}

#[test]
fn wrong_usage_fails_without_a_conclusion() {
    let step = step(&Desk::new(), &[("INPUT_ARGUMENTS", "--no-such-option")]);
    assert_eq!(step.code, 2, "{}", step.said);
    assert_eq!(step.outputs, "exit-code=2\nconclusion=\n");
    assert_eq!(step.summary, "");
}

#[test]
fn the_script_of_the_gitlab_template_leaves_its_artifacts() {
    let text = std::fs::read_to_string(root().join("examples/ci/gitlab.yaml")).unwrap();
    let template: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    let job = &template[".batchproof"];
    let script: Vec<&str> =
        job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let desk = Desk::new();
    let binary = Path::new(env!("CARGO_BIN_EXE_batchproof")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = std::process::Command::new("bash")
        .args(["-e", "-c", &script.join("\n")])
        .current_dir(desk.path())
        .env("PATH", format!("{}:{path}", binary.display()))
        .env("BATCHPROOF_OPTIONS", "order/sizes --seed 7")
        .env_remove("BATCHPROOF_TARGET")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let artifacts = &job["artifacts"];
    let kept = artifacts["paths"][0].as_str().unwrap();
    let junit = artifacts["reports"]["junit"].as_str().unwrap();
    assert!(desk.path().join(kept).is_dir() && desk.path().join(junit).is_file());
}

#[test]
fn problems_are_annotated_where_asked_with_the_pages_beside_the_action() {
    let server = Serving::start(&["--fault", "results-reversed"], None);
    let inputs = [("BATCHPROOF_TARGET", &*server.url), ("INPUT_ANNOTATIONS", "true")];
    let place = [("ACTION_REPOSITORY", "acme/batchproof"), ("ACTION_REF", "v0.1.0")];
    let annotated = step(&Desk::new(), &[inputs, place].concat());
    assert_eq!(annotated.code, 1, "{}", annotated.said);
    let page =
        "https://github.com/acme/batchproof/blob/v0.1.0/docs/src/reference/rules/ORDER-002.md";
    let lines: Vec<&str> = annotated.said.lines().filter(|l| l.starts_with("::error ")).collect();
    assert!(lines.len() == 1 && lines[0].contains(page), "{}", annotated.said);
    let plain = step(&Desk::new(), &inputs[..1]);
    assert!(!plain.said.contains("::error "), "{}", plain.said);
}
