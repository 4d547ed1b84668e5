//! Where options come from: command line, environment, file, default, in this order; and what is said to mistakes.

use crate::harness::{Desk, Ended, Serving};

/// The line of `--print-config` about an option.
#[track_caller]
fn line(ended: &Ended, key: &str) -> String {
    let found = ended.out.lines().find(|line| line.starts_with(&format!("{key} = ")));
    found.unwrap_or_else(|| panic!("no {key} in\n{}", ended.text())).to_owned()
}

fn printed(desk: &Desk, further: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = desk.command();
    command.args(["run", "--print-config"]).args(further).envs(variables.iter().copied());
    let output = command.output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

const FILE: &str = "\
# of the team
jobs = 3
rate = \"7/s\"
depth = \"quick\"
strict = true
seed = 5

[profiles.ci]
jobs = 2
max-time = \"10m\"
";

#[test]
fn the_command_line_comes_before_the_environment_the_file_and_the_default() {
    let desk = Desk::new();
    desk.file("batchproof.toml", FILE);
    let none = printed(&desk, &[], &[]).ends(0);
    assert!(line(&none, "jobs").ends_with("# batchproof.toml:2"), "{}", none.out);
    assert!(line(&none, "jobs").starts_with("jobs = \"3\" "));
    assert!(line(&none, "strict").starts_with("strict = true "));
    assert!(line(&none, "timeout").ends_with("# default"));
    assert!(line(&none, "max-time").starts_with("max-time = (not set)"));
    let section = printed(&desk, &["--config-profile", "ci"], &[]).ends(0);
    assert!(line(&section, "jobs").ends_with("# batchproof.toml:9, [profiles.ci]"));
    assert!(line(&section, "seed").ends_with("# batchproof.toml:6"));
    let variables = [
        ("BATCHPROOF_JOBS", "8"),
        ("BATCHPROOF_STRICT", "no"),
        ("BATCHPROOF_SEED", ""),
        ("BATCHPROOF_CONFIG_PROFILE", "ci"),
    ];
    let environment = printed(&desk, &[], &variables).ends(0);
    assert!(line(&environment, "jobs").ends_with("# BATCHPROOF_JOBS"));
    assert!(line(&environment, "strict").starts_with("strict = false "), "{}", environment.out);
    assert!(line(&environment, "seed").ends_with("# batchproof.toml:6"));
    assert!(line(&environment, "max-time").contains("[profiles.ci]"));
    let all = printed(&desk, &["--jobs", "1"], &variables).ends(0);
    assert!(line(&all, "jobs").ends_with("# command line"));
}

#[test]
fn the_file_is_found_upwards_and_its_paths_start_from_it() {
    let desk = Desk::new();
    desk.file(
        "batchproof.toml",
        "profile = \"targets/one.yaml\"\ncases = [\"mine\", \"order/sizes\"]\nseed = 7\n",
    );
    desk.file("targets/one.yaml", "limits: { jobs: 2 }\n");
    desk.file("mine/own.yaml", "title: mine\nsteps: [{ batch: 1 }]\n");
    desk.file("deep/below/x", "");
    let mut command = desk.command();
    command.current_dir(desk.path().join("deep/below")).args(["run", "--report-dir", "out"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = std::fs::read_to_string(desk.path().join("deep/below/out/report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let cases: Vec<&str> =
        report["cases"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(cases, ["own", "order/sizes"]);
    assert_eq!(report["seed"], 7);
}

#[test]
fn a_mistake_is_exit_2_with_its_place() {
    let desk = Desk::new();
    for (text, words) in [
        (
            "seed = 1\njbos = 2\n",
            ["batchproof.toml:2:1: unknown key `jbos`", "did you mean `jobs`?"],
        ),
        (
            "[profiles.ci]\ntoken = \"x\"\n",
            ["batchproof.toml:2:1", "tokens are not allowed in this file"],
        ),
        (
            "jobs = \"many\"\n",
            ["batchproof.toml:1:1: `jobs` is `many`", "expected: a whole number"],
        ),
        ("strict = 1\n", ["batchproof.toml:1:1", "neither true nor false"]),
        ("depth = \"deeep\"\n", ["batchproof.toml:1:1", "quick, standard, deep"]),
        ("jobs = [1, 2]\n", ["batchproof.toml:1:1", "one value, not a list"]),
        ("jobs = \n", ["batchproof.toml:1:", "expected: TOML"]),
        (
            "token-file = \"a\"\ntoken-command = \"b\"\n",
            ["batchproof.toml:1", "exclude each other"],
        ),
    ] {
        desk.file("batchproof.toml", text);
        desk.batchproof(&["run", "order/sizes"]).ends(2).says(&words);
    }
    desk.file("batchproof.toml", FILE);
    desk.batchproof(&["run", "--config-profile", "cj"])
        .ends(2)
        .says(&["it has no section [profiles.cj]", "did you mean `ci`?"]);
    printed(&desk, &[], &[("BATCHPROOF_JOBS", "x")]).ends(2).says(&["BATCHPROOF_JOBS: `jobs`"]);
    desk.batchproof(&["run", "--config", "nowhere.toml"]).ends(2).says(&["nowhere.toml"]);
    // Commands that send nothing do not need it.
    desk.file("batchproof.toml", "wrong = 1\n");
    desk.batchproof(&["list", "--rules"]).ends(0);
}

#[test]
fn what_excludes_an_option_of_a_later_layer_replaces_it() {
    let desk = Desk::new();
    desk.file("batchproof.toml", "token-command = \"echo secret-of-the-file\"\n");
    desk.file("token", "t\n");
    let ended = printed(&desk, &["--token-file", "token"], &[]).ends(0);
    assert!(line(&ended, "token-command").starts_with("token-command = (not set)"));
    let alone = printed(&desk, &[], &[]).ends(0);
    assert!(!alone.text().contains("secret-of-the-file"), "{}", alone.text());
}

#[test]
fn headers_are_sent_with_every_request_and_shown_nowhere() {
    let desk = Desk::new();
    let serving = Serving::start(&["--fault", "results-reversed"], None);
    let header = "X-Tenant: tenant-value-7f3a";
    let run = ["run", "order/sizes", "--seed", "7", "--target", &serving.url, "--header", header];
    let ended = desk.batchproof(&run).ends(1);
    assert!(!ended.text().contains("tenant-value-7f3a"), "{}", ended.text());
    for (path, text) in crate::harness::files(&desk.reports()) {
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!text.contains("tenant-value-7f3a"), "{}", path.display());
    }
    let record = std::fs::read_to_string(desk.reports().join("record.jsonl")).unwrap();
    assert!(record.to_lowercase().contains("x-tenant"));
    let shown = printed(&desk, &["--header", header], &[]).ends(0);
    assert!(line(&shown, "header").contains("X-Tenant: …"), "{}", shown.out);
    for (wrong, word) in [
        ("Authorization: Bearer x", "BATCHPROOF_TOKEN"),
        ("Content-Length: 1", "set by batchproof itself"),
        ("nothing", "expected `Name: value`"),
    ] {
        desk.batchproof(&["run", "--header", wrong]).ends(2).says(&[word]);
    }
}

fn cases_of(desk: &Desk) -> Vec<String> {
    let report = desk.report();
    let cases = report["cases"].as_array().unwrap();
    cases.iter().map(|case| case["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn filters_choose_cases_by_id_family_rule_and_level() {
    let desk = Desk::new();
    let run = |further: &[&str]| {
        let base = ["run", "--depth", "quick", "--seed", "7", "order", "time"];
        desk.batchproof(&[&base[..], further].concat())
    };
    run(&[]).ends(0);
    let all = cases_of(&desk);
    run(&["--include", "case:order/*"]).ends(0);
    let order = cases_of(&desk);
    assert!(order.iter().all(|id| id.starts_with("order/")) && order.len() < all.len());
    run(&["--exclude", "order"]).ends(0);
    assert_eq!(cases_of(&desk).len() + order.len(), all.len());
    run(&["--include", "rule:ORDER-002 or family:time", "--exclude", "not level:must"]).ends(0);
    let chosen = cases_of(&desk);
    assert!(!chosen.is_empty() && chosen.len() < all.len(), "{chosen:?}");
    run(&["--include", "nothing-like-it"]).ends(2).says(&["leave no case"]);
    run(&["--include", "colour:red"]).ends(2).says(&["expected case, family, rule or level"]);
}

#[test]
fn variables_of_the_command_line_stand_in_case_files() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    let text = "title: one account\nsteps: [{ batch: [{ set: { accountExtId: \"${variable:account}\" } }] }]\n";
    desk.file("mine.yaml", text);
    let run = |variable: &str| {
        let base = ["run", "mine.yaml", "--seed", "7", "--target", &serving.url];
        desk.batchproof(&[&base[..], &["--variable", variable]].concat())
    };
    run("account=ACC-77").ends(0);
    let record = std::fs::read_to_string(desk.reports().join("record.jsonl")).unwrap();
    assert!(record.contains("ACC-77"));
    run("acount=ACC-77").ends(2).says(&[
        "mine.yaml:2:",
        "the variable `account` has no value",
        "did you mean `acount`?",
    ]);
    // It is a text between quotes, whatever it holds.
    run("account=a\"b: ${fresh}").ends(0);
    let record = std::fs::read_to_string(desk.reports().join("record.jsonl")).unwrap();
    assert!(record.contains("a\\\\\\\"b: ${fresh}"), "{record}");
}

#[test]
fn quiet_prints_the_conclusion_and_verbose_every_case() {
    let desk = Desk::new();
    let quiet = desk.batchproof(&["run", "order", "--depth", "quick", "--seed", "7", "-q"]).ends(0);
    assert_eq!((quiet.out.lines().count(), quiet.err.as_str()), (1, ""), "{}", quiet.text());
    assert!(quiet.out.starts_with("CONFORMANT "));
    let run = ["run", "order", "--depth", "quick", "--seed", "7", "--verbose"];
    let verbose = desk.batchproof(&run).ends(0);
    for id in cases_of(&desk) {
        let named = verbose.out.lines().any(|line| line.split(' ').any(|word| word == id));
        assert!(named, "{id} in {}", verbose.out);
    }
    assert!(verbose.out.contains("Slowest cases"), "{}", verbose.out);
    let plain = desk.batchproof(&["run", "order/sizes", "--seed", "7"]).ends(0);
    assert!(!plain.out.contains('\u{1b}'));
    desk.batchproof(&["run", "order/sizes", "--seed", "7", "--color", "always"])
        .ends(0)
        .says(&["\u{1b}["]);
}

#[test]
fn a_section_where_none_is_meant_and_a_wrong_value_say_what_belongs_there() {
    let desk = Desk::new();
    let refused = |text: &str, words: &[&str]| {
        desk.file("batchproof.toml", text);
        desk.batchproof(&["run", "order/sizes"]).ends(2).says(words);
    };
    refused(
        "[run]\ndepth = \"quick\"\n",
        &["batchproof.toml:1:", "unknown section [run]", "take the line [run] away"],
    );
    refused("[ci]\njobs = 1\n", &["unknown section [ci]", "write [profiles.ci]"]);
    refused("[profile.ci]\njobs = 1\n", &["unknown section [profile]", "did you mean `profiles`?"]);
    refused(
        "seed = 1\njobs = \"x\"\n",
        &["batchproof.toml:2:1: `jobs` is `x`", "expected: a whole number"],
    );
    refused("jobs = 0\n", &["`jobs` is `0`", "`jobs` is `0`: 0 is not in 1..=1024"]);
    refused("depth = \"quik\"\n", &["`depth` is `quik`", "expected: one of quick, standard, deep"]);
    refused("max-time = \"soon\"\n", &["`max-time` is `soon`", "such as 30s, 10m or 1h30m"]);
}

#[test]
fn other_commands_take_what_they_share_with_run() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    desk.file("batchproof.toml", format!("target = \"{}\"\ndepth = \"quick\"\n", serving.url));
    desk.batchproof(&["doctor"]).ends(0);
    desk.file("batchproof.toml", "contract = \"nowhere\"\n");
    for command in [&["doctor", "--target", &serving.url][..], &["sample", "order/sizes"]] {
        desk.batchproof(command).ends(2).says(&["nowhere"]);
    }
    desk.file("batchproof.toml", "targett = \"x\"\n");
    desk.batchproof(&["doctor"]).ends(2).says(&["unknown key `targett`", "did you mean `target`?"]);
    // A file alone never makes `init` send anything.
    desk.file("batchproof.toml", "target = \"http://127.0.0.1:1\"\nprofile = \"none.yaml\"\n");
    let document = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/openapi.yaml");
    let ended = desk.batchproof(&["init", &document.display().to_string(), "--output", "c"]);
    assert!(ended.code < 2, "{}", ended.text());
    // Without the file, what is required is missed as ever.
    std::fs::remove_file(desk.path().join("batchproof.toml")).unwrap();
    desk.batchproof(&["doctor"]).ends(2).says(&["--target"]);
}

#[test]
fn no_variable_that_the_manual_names_is_called_misspelt() {
    let manual = include_str!("../../docs/src/reference/environment.md");
    let words = manual.split(|c: char| !c.is_ascii_uppercase() && c != '_');
    for name in
        words.filter(|word| word.len() > "BATCHPROOF_".len() && word.starts_with("BATCHPROOF_"))
    {
        let desk = Desk::new();
        let output = desk.command().args(["list"]).env(name, "2").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("nothing reads"), "{name}: {said}");
    }
}
