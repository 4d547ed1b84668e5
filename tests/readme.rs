//! The README's rule table is the registry's.

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
