//! The README's rule table is the registry's, and every rule says what it is about.

use batchproof::check::rules;

#[test]
fn the_readme_lists_every_rule() {
    let readme = include_str!("../README.md");
    let table = readme
        .split_once("<!-- rules -->")
        .and_then(|(_, rest)| rest.split_once("<!-- /rules -->"))
        .map(|(table, _)| table)
        .unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter(|l| l.starts_with("| ") && l.contains('-'))
        .skip_while(|l| !l.contains("001"))
        .collect();
    let wanted: Vec<String> =
        rules::all().iter().map(|r| format!("| {} | {} | {} |", r.id, r.level, r.title)).collect();
    assert_eq!(rows, wanted);
}

#[test]
fn every_rule_has_doc_and_citation() {
    for rule in rules::all() {
        assert!(rule.doc.len() > 60, "{} says too little", rule.id);
        assert!(!rule.cite.is_empty(), "{} cites nothing", rule.id);
        for needed in rule.needs {
            assert!(rules::find(needed).is_some(), "{} needs the unknown {needed}", rule.id);
        }
    }
}
