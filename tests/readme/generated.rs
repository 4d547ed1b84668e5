//! The generated pages of the manual are fresh, and every rule's page is whole.

use std::collections::BTreeMap;
use std::path::Path;

use batchproof::check::rules;

use crate::harness::Desk;
use crate::text::{pages, root};

const SOURCE: &str = "docs/src";

#[test]
fn the_generated_pages_are_what_the_code_says() {
    let desk = Desk::new();
    let source = root().join(SOURCE);
    let target = if std::env::var_os("BATCHPROOF_BLESS").is_some() {
        source.clone()
    } else {
        let summary = std::fs::read_to_string(source.join("SUMMARY.md")).unwrap();
        desk.file("manual/SUMMARY.md", summary);
        desk.path().join("manual")
    };
    desk.batchproof(&["docs", target.to_str().unwrap()]).ends(0);
    let made = texts(&target);
    let kept = texts(&source);
    let fewer = |text: &BTreeMap<String, String>| -> Vec<String> {
        let rules = text.keys().filter(|name| name.starts_with("reference/rules/"));
        rules.cloned().collect()
    };
    assert_eq!(fewer(&made), fewer(&kept), "a page of a rule is missing or too many");
    let stale: Vec<&String> =
        made.iter().filter(|(name, text)| kept.get(*name) != Some(*text)).map(|(n, _)| n).collect();
    assert!(
        stale.is_empty(),
        "stale: {stale:?}\nBATCHPROOF_BLESS=1 cargo test --test readme writes them again"
    );
}

/// The pages below a directory, by their path.
fn texts(dir: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn every_rule_shows_a_right_and_a_wrong_answer() {
    let mut wrong = Vec::new();
    for rule in rules::all() {
        let headings = rule.example.lines().filter(|line| !line.starts_with(' '));
        if headings.collect::<Vec<_>>() != ["sent", "right", "wrong"] {
            wrong.push(format!("{}: not `sent`, `right` and `wrong`", rule.id));
            continue;
        }
        let (_, answers) = rule.example.split_once("\nright\n").unwrap();
        let (right, bad) = answers.split_once("\nwrong\n").unwrap();
        if right.trim().is_empty() || bad.trim().is_empty() || right.trim() == bad.trim() {
            wrong.push(format!("{}: the right and the wrong answer are the same", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn explain_names_the_page_of_a_rule() {
    let desk = Desk::new();
    let files: Vec<String> = pages().into_iter().map(|page| page.file).collect();
    for rule in [rules::all()[0], rules::of_user_cases()] {
        let ended = desk.batchproof(&["explain", rule.id]).ends(0);
        let page = ended.out.lines().find_map(|line| line.strip_prefix("Manual: ")).unwrap();
        assert!(files.iter().any(|file| file == page), "{page}");
    }
}
