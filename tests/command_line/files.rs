//! Files and arguments that can't be used: exit 2, where and what was expected, nothing sent, nothing written.

use crate::harness::Desk;

/// Runs what can't be run: exit 2, these words, and no report directory behind it.
#[track_caller]
fn refused(desk: &Desk, arguments: &[&str], words: &[&str]) {
    desk.batchproof(&[&["run"], arguments].concat()).ends(2).says(words);
    assert!(!desk.reports().exists(), "a report directory is left behind");
}

#[test]
fn an_unknown_rule_in_a_case_is_told_with_its_place() {
    let desk = Desk::new();
    desk.file("a.yaml", "title: x\nasserts: UNIQEU-001\ngenerate: { items: 2 }\n");
    refused(
        &desk,
        &["a.yaml"],
        &["a.yaml:2:10: there is no rule `UNIQEU-001`", "did you mean `UNIQUE-001`?"],
    );
    desk.file("b.yaml", "title: x\nsteps:\n  - batch: 1\n    expect: { asserts: RACE-991 }\n");
    refused(
        &desk,
        &["b.yaml"],
        &["b.yaml:4:24: there is no rule `RACE-991`", "batchproof list --rules"],
    );
}

#[test]
fn an_unknown_mutation_in_a_case_is_told_with_its_place() {
    let desk = Desk::new();
    desk.file("a.yaml", "title: x\ngenerate: { items: 2 }\nmutate: drop-requierd\n");
    refused(
        &desk,
        &["a.yaml"],
        &["a.yaml:3:9: there is no mutation", "did you mean `drop-required`?"],
    );
}

#[test]
fn a_misspelt_key_is_told_with_its_place() {
    let desk = Desk::new();
    desk.file("a.yaml", "title: x\nsteps:\n  - batch: 2\n    expct: accepted\n");
    refused(&desk, &["a.yaml"], &["a.yaml:4:5: unknown key `expct`", "did you mean `expect`?"]);
    desk.file("b.yaml", "title: x\ngenerate: { items: 2 }\nexpect: acepted\n");
    refused(&desk, &["b.yaml"], &["b.yaml:3:", "`acepted`", "did you mean `accepted`?"]);
    desk.file("c.yaml", "title: x\ngenerate: { items: 9..2 }\n");
    refused(&desk, &["c.yaml"], &["c.yaml:2:", "9..2", "write it as 2..9"]);
    desk.file("d.yaml", "title: [x\n");
    refused(&desk, &["d.yaml"], &["d.yaml:"]);
    desk.file("e.yaml", "generate: { items: 2 }\n");
    refused(&desk, &["e.yaml"], &["e.yaml:", "`title` is missing"]);
}

#[test]
fn a_name_that_nothing_earlier_has_is_told_with_its_place() {
    let desk = Desk::new();
    desk.file(
        "a.yaml",
        "title: x\nsteps:\n  - batch:\n      - as: first\n      - set: { communicationNumber: \"${frist.communicationNumber}\" }\n",
    );
    refused(&desk, &["a.yaml"], &["a.yaml:5:", "`frist`", "did you mean `first`?"]);
}

#[test]
fn files_that_are_not_there_are_told() {
    let desk = Desk::new();
    refused(&desk, &["nowhere.yaml"], &["nowhere.yaml: there is no such file"]);
    refused(
        &desk,
        &["unique/replyed"],
        &["unique/replyed: no case has this id", "did you mean `unique/replayed`?"],
    );
    desk.file("bytes.yaml", b"\xff\xfe");
    refused(&desk, &["bytes.yaml"], &["bytes.yaml: ", "a readable case file"]);
    desk.file("empty/readme.txt", "no case");
    refused(&desk, &["empty"], &["empty: there is no case file", ".yaml"]);
    desk.file("batch.yaml", "title: x\nsteps: [{ batch-from: friday.json }]\n");
    refused(&desk, &["batch.yaml"], &["friday.json"]);
    desk.file("friday.json", "{\"accountBalances\":");
    desk.file("batch.yaml", "title: x\nsteps: [{ batch-from: friday.json, fresh-keys: true }]\n");
    refused(&desk, &["batch.yaml"], &["friday.json"]);
}

#[test]
fn one_bad_file_of_several_stops_all_before_anything_is_sent() {
    let desk = Desk::new();
    desk.file("cases/a.yaml", "title: fine\nsteps: [{ batch: 1 }]\n");
    desk.file("cases/b.yaml", "title: x\nsteps: [{ batsh: 1 }]\n");
    refused(
        &desk,
        &["cases"],
        &["cases/b.yaml:2:11: unknown key `batsh`", "did you mean `batch`?"],
    );
}

#[test]
fn a_profile_that_cant_be_used_is_told_with_its_place() {
    let desk = Desk::new();
    let profile = |text: &str, words: &[&str]| {
        desk.file("p.yaml", text);
        refused(&desk, &["--profile", "p.yaml"], words);
    };
    profile("valeus: {}\n", &["p.yaml:1:1: unknown key `valeus`", "did you mean `values`?"]);
    profile(
        "auth: bearer\nvalues:\n  accountExtid: [A]\n",
        &["p.yaml:3:", "no field `accountExtid`", "did you mean `accountExtId`?"],
    );
    profile("omit: [value]\n", &["p.yaml:1:", "`value` can't be omitted"]);
    profile("limits: { rate: fast }\n", &["p.yaml:1:", "20/s"]);
    profile("values: { value: { min: 9, max: 1 } }\n", &["p.yaml:1:", "min"]);
    profile(
        "headers: { X-Tenant: \"${env:BATCHPROOF_NO_SUCH}\" }\n",
        &["p.yaml:1:", "BATCHPROOF_NO_SUCH", "export"],
    );
    profile("skip: { RACE: \"\" }\n", &["p.yaml", "no reason"]);
    refused(&desk, &["--profile", "none.yaml"], &["none.yaml", "a readable profile"]);
}

#[test]
fn a_skip_that_names_no_rule_is_told_with_its_place() {
    let desk = Desk::new();
    desk.file("p.yaml", "auth: bearer\nskip:\n  RACES: shared staging\n");
    refused(&desk, &["--profile", "p.yaml"], &["`RACES`", "not a rule", "did you mean `RACE`?"]);
    refused(&desk, &["--profile", "p.yaml"], &["p.yaml:3:"]);
}

#[test]
fn arguments_that_cant_be_used_are_told() {
    let desk = Desk::new();
    refused(&desk, &["--partition", "1/2"], &["--partition needs --seed and --run-id"]);
    refused(&desk, &["--partition", "1/2", "--seed", "1"], &["--run-id"]);
    refused(&desk, &["--partition", "3/2", "--seed", "1", "--run-id", "r"], &["3/2", "I/N"]);
    refused(&desk, &["--run-id", "a b"], &["--run-id a b", "1 to 24 letters"]);
    refused(&desk, &["--run-id", ""], &["--run-id", "1 to 24 letters"]);
    refused(&desk, &["--run-id", "x".repeat(25).as_str()], &["1 to 24 letters"]);
    refused(&desk, &["--rate", "soon"], &["20/s"]);
    refused(&desk, &["--timeout", "30 bananas"], &["bananas", "such as 30s, 10m or 1h30m"]);
    refused(&desk, &["--save-cases", "out"], &["--save-cases is now called --export-cases"]);
    refused(&desk, &["--depht", "quick"], &["--depth"]);
    refused(&desk, &["--token", "x"], &["--token-file"]);
    refused(
        &desk,
        &["--target", "staging.example/x"],
        &["staging.example/x", "it has no scheme", "https://HOST"],
    );
    refused(&desk, &["--target", "localhost:1"], &["localhost:1", "no scheme http or https"]);
    refused(&desk, &["--target", "http://a:b@host/"], &["credentials", "--token-file"]);
    refused(
        &desk,
        &["--target", "http://127.0.0.1:1", "--token-file", "none"],
        &["--token-file none", "a readable file"],
    );
    desk.file("blank", " \n");
    refused(
        &desk,
        &["--target", "http://127.0.0.1:1", "--token-file", "blank"],
        &["blank", "token"],
    );
    refused(&desk, &["--target", "https://127.0.0.1:1", "--ca", "none.pem"], &["none.pem"]);
}

#[test]
fn a_report_directory_that_cant_be_written_is_told() {
    let desk = Desk::new();
    desk.file("taken", "a file");
    refused(
        &desk,
        &["--depth", "quick", "--report-dir", "taken"],
        &["taken", "a directory that can be written to"],
    );
}

#[test]
fn without_a_command_the_help_is_shown() {
    let desk = Desk::new();
    desk.batchproof(&[]).ends(2).says(&["Usage: batchproof", "run", "explain"]);
    desk.batchproof(&["run", "--help"]).ends(0).says(&[
        "--target",
        "BATCHPROOF_TARGET",
        "--report-dir",
    ]);
    // What help shows can be pasted: a shell reads angle brackets as redirections.
    desk.batchproof(&["--help"]).ends(0).says(&["--target https://staging.example.com --token"]);
    desk.batchproof(&["--version"]).ends(0).says(&["batchproof"]);
}

#[test]
fn commands_beside_run_refuse_what_they_cant_use() {
    let desk = Desk::new();
    desk.batchproof(&["serve", "--fault", "results-revresed"])
        .ends(2)
        .says(&["unknown fault `results-revresed`", "did you mean `results-reversed`?"]);
    desk.batchproof(&["serve", "--refusal-mode", "both"]).ends(2).says(&["`request` or `item`"]);
    desk.batchproof(&["serve", "--reading", "item"]).ends(2).says(&["--refusal-mode"]);
    desk.batchproof(&["report", "nowhere"]).ends(2).says(&["nowhere"]);
    desk.file("broken/record.jsonl", "{\"event\":\"nonsense\"}\n");
    desk.batchproof(&["report", "broken"]).ends(2).says(&["record.jsonl"]);
}
