//! `new`: every file that it writes loads as it is.

use std::path::Path;

use crate::harness::{Desk, files};

#[test]
fn every_new_file_loads_and_runs_as_it_is() {
    let desk = Desk::new();
    desk.batchproof(&["new", "case"]).ends(0).says(&["wrote case.yaml"]);
    desk.batchproof(&["new", "profile", "mine/profile.yaml"]).ends(0);
    desk.batchproof(&["new", "waivers"]).ends(0);
    let run = ["run", "case.yaml", "--profile", "mine/profile.yaml", "--waivers", "waivers.yaml"];
    desk.batchproof(&run).ends(0).says(&["CONFORMANT"]);
    desk.batchproof(&["new", "contract"])
        .ends(0)
        .says(&["contract/openapi.yaml", "contract/batch.yaml"]);
    desk.batchproof(&["run", "--contract", "contract", "--depth", "quick", "--seed", "3"])
        .ends(0)
        .says(&["CONFORMANT"]);
    desk.batchproof(&["new", "profile", "other.yaml", "--contract", "contract"]).ends(0);
    assert!(
        std::fs::read_to_string(desk.path().join("other.yaml"))
            .unwrap()
            .contains("depot: [VALUE-1, VALUE-2]")
    );
    desk.batchproof(&["run", "case.yaml", "--contract", "contract", "--profile", "other.yaml"])
        .ends(0);
}

/// A person takes away the `# ` of what they want.
#[test]
fn what_is_commented_out_loads_too() {
    let desk = Desk::new();
    let uncommented = |name: &str, keep: &dyn Fn(&str) -> bool| {
        desk.batchproof(&["new", name, &format!("{name}.yaml")]).ends(0);
        let text = std::fs::read_to_string(desk.path().join(format!("{name}.yaml"))).unwrap();
        let lines: Vec<String> = text
            .lines()
            .map(|line| match line.find("# ").filter(|at| line[..*at].trim().is_empty()) {
                Some(at) if keep(&line[at + 2..]) => format!("{}{}", &line[..at], &line[at + 2..]),
                _ => line.to_owned(),
            })
            .collect();
        desk.file(&format!("{name}.yaml"), lines.join("\n").replace("\n[]\n", "\n"))
    };
    uncommented("waivers", &|line| {
        line.starts_with("- rule") || (line.starts_with("  ") && line.contains(": "))
    });
    uncommented("case", &|line| {
        ["asserts:", "runs:", "- { "].iter().any(|start| line.starts_with(start))
    });
    uncommented("profile", &|line| {
        ["values:", "  accountExtId", "  businessUnit", "omit:", "skip:", "error-codes:"]
            .iter()
            .any(|start| line.starts_with(start))
    });
    let case = std::fs::read_to_string(desk.path().join("case.yaml")).unwrap();
    assert!(case.contains("\n      - { mutate: drop-required }"), "{case}");
    desk.file(
        "case.yaml",
        case.replace(
            "set: { FIELD: value }, unset: [FIELD]",
            "set: { requester: x }, unset: [value]",
        ),
    );
    desk.batchproof(&[
        "run",
        "case.yaml",
        "--plan",
        "--waivers",
        "waivers.yaml",
        "--profile",
        "profile.yaml",
    ])
    .ends(0);
}

#[test]
fn files_that_exist_stay() {
    let desk = Desk::new();
    desk.file("case.yaml", "mine");
    desk.file("c/batch.yaml", "mine");
    let before = files(desk.path());
    desk.batchproof(&["new", "case"]).ends(2).says(&["case.yaml: it exists already", "--force"]);
    desk.batchproof(&["new", "contract", "c"]).ends(2).says(&["it exists already"]);
    assert_eq!(files(desk.path()), before);
    assert!(!Path::new(&desk.path().join("c/openapi.yaml")).exists());
    desk.batchproof(&["new", "case", "--force"]).ends(0);
    let shown = desk.batchproof(&["new", "case", "-"]).ends(0);
    assert_eq!(shown.out, std::fs::read_to_string(desk.path().join("case.yaml")).unwrap());
}
