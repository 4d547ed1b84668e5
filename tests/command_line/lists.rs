//! `list` and `explain`.

use crate::harness::{Desk, shown};

fn listed(what: &[&str]) -> Vec<(String, String)> {
    let ended = Desk::new().batchproof(&[&["list"], what].concat()).ends(0);
    ended
        .out
        .lines()
        .map(|line| {
            let (name, about) = line.split_once(' ').expect("a name, then what it is");
            (name.to_owned(), about.trim().to_owned())
        })
        .collect()
}

#[test]
fn lists_print_one_thing_a_line_with_the_name_first() {
    for (what, least, example) in [
        (&[][..], 60, "unique/replayed"),
        (&["--cases"], 60, "unique/replayed"),
        (&["--rules"], 70, "UNIQUE-001"),
        (&["--mutations"], 25, "drop-required"),
        (&["--faults"], 40, "results-reversed"),
    ] {
        let lines = listed(what);
        assert!(lines.len() >= least, "{what:?}: {} lines", lines.len());
        assert!(lines.iter().any(|(name, _)| name == example), "{what:?}: {example}");
        assert!(
            lines.iter().all(|(name, about)| !name.is_empty() && !about.is_empty()),
            "{what:?}"
        );
        let mut names: Vec<&String> = lines.iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), lines.len(), "{what:?}: a name stands twice");
    }
}

#[test]
fn listed_names_are_explained() {
    let desk = Desk::new();
    for (what, every) in [(&["--cases"], 8), (&["--rules"], 8), (&["--mutations"], 5)] {
        for (name, _) in listed(what).iter().step_by(every) {
            desk.batchproof(&["explain", name]).ends(0).says(&[name]);
        }
    }
    for (name, _) in listed(&["--faults"]).iter().step_by(50) {
        desk.batchproof(&["explain", name]).ends(0).says(&[name, "Must be detected by"]);
    }
}

#[test]
fn a_rule_is_explained_with_its_source_its_cases_and_its_proofs() {
    let ended = Desk::new().batchproof(&["explain", "UNIQUE-001"]).ends(0);
    let text = ended
        .says(&[
            "UNIQUE-001 (MUST)",
            "Source: ",
            "Cases that test it: ",
            "unique/replayed",
            "Faults that it must detect: ",
        ])
        .out;
    let head: Vec<&str> = text.lines().take_while(|line| !line.starts_with("Source")).collect();
    shown("explain_rule", &head.join("\n"));
    Desk::new().batchproof(&["explain", "unique-001"]).ends(0).says(&["UNIQUE-001"]);
}

#[test]
fn an_interpretation_is_explained_with_its_reason_and_its_rules() {
    let ended = Desk::new().batchproof(&["explain", "INTERPRETATION-03"]).ends(0);
    shown("explain_interpretation", &ended.out);
}

#[test]
fn a_family_is_explained_by_its_rules() {
    let ended = Desk::new().batchproof(&["explain", "UNIQUE"]).ends(0);
    shown("explain_family", &ended.out);
}

#[test]
fn a_misspelt_id_has_a_hint() {
    let desk = Desk::new();
    for (word, meant) in [
        ("UNIQEU-001", "UNIQUE-001"),
        ("INTERPRETAITON-03", "INTERPRETATION-03"),
        ("drop-requierd", "drop-required"),
        ("results-revresed", "results-reversed"),
        ("unique/replyed", "unique/replayed"),
        ("UNIQEU", "UNIQUE"),
    ] {
        let hint = format!("did you mean `{meant}`?");
        desk.batchproof(&["explain", word]).ends(2).says(&[&format!("`{word}`"), &hint]);
    }
    desk.batchproof(&["explain", "zzzzzzzzzzzz"]).ends(2).says(&["batchproof list"]);
}
