//! Every relative link resolves, every page of the manual stands in its table of contents, and the README is short.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::text::{Page, pages, root};

const SUMMARY: &str = "docs/src/SUMMARY.md";

#[test]
fn every_relative_link_resolves() {
    let pages = pages();
    let mut broken = Vec::new();
    for page in &pages {
        for to in links(&page.prose()).into_iter().filter(|to| !to.contains("://")) {
            let (path, anchor) = to.split_once('#').unwrap_or((&to, ""));
            let file = if path.is_empty() { page.file.clone() } else { beside(&page.file, path) };
            if page.is_of_manual() && !file.starts_with("docs/src/") {
                broken.push(format!("{}: {to} leaves the manual", page.file));
            } else if !root().join(&file).exists() {
                broken.push(format!("{}: {to}", page.file));
            } else if !anchor.is_empty() {
                let target = pages.iter().find(|other| other.file == file);
                if !target.is_some_and(|target| anchors(target).contains(anchor)) {
                    broken.push(format!("{}: {to}: no such heading", page.file));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_page_of_the_manual_stands_in_its_contents_once() {
    let pages = pages();
    let summary = pages.iter().find(|page| page.file == SUMMARY).unwrap();
    let mut listed: Vec<String> =
        links(&summary.prose()).iter().map(|to| beside(SUMMARY, to)).collect();
    listed.sort();
    let mut there: Vec<String> = pages
        .iter()
        .filter(|page| page.is_of_manual() && page.file != SUMMARY)
        .map(|page| page.file.clone())
        .collect();
    there.sort();
    assert_eq!(listed, there);
}

/// Directories of this repository whose files pages name as code.
const NAMED: &[&str] = &[
    ".ci/",
    ".github/",
    "benches/",
    "cases/",
    "crates/",
    "docs/",
    "examples/",
    "packaging/",
    "schemas/",
    "src/",
    "tests/",
];

#[test]
fn every_file_of_the_repository_that_a_page_names_exists() {
    let mut missing = Vec::new();
    let mut seen = 0;
    for page in pages() {
        let prose = page.prose();
        for name in prose.split('`').skip(1).step_by(2) {
            let is_path = |c: char| c.is_ascii_alphanumeric() || "./-_".contains(c);
            if NAMED.iter().any(|dir| name.starts_with(dir)) && name.chars().all(is_path) {
                seen += 1;
                if !root().join(name).exists() {
                    missing.push(format!("{}: {name}", page.file));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(seen > 20, "only {seen} names were found");
}

#[test]
fn the_readme_has_at_most_150_lines() {
    let pages = pages();
    let readme = pages.iter().find(|page| page.file == "README.md").unwrap();
    let lines = readme.text.lines().count();
    assert!(
        lines <= 150,
        "{lines} lines; what is not for the first five minutes belongs in docs/src"
    );
}

/// Where the links of a text lead.
fn links(prose: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in prose.match_indices("](") {
        let rest = &prose[at + 2..];
        found.push(rest.split(')').next().unwrap_or_default().to_owned());
    }
    found
}

/// A relative path from the file that it stands in, as a path below the root.
fn beside(file: &str, to: &str) -> String {
    let mut path = PathBuf::new();
    for part in Path::new(file).parent().unwrap().join(to).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{file}: {to} leaves the repository"),
            other => path.push(other),
        }
    }
    path.display().to_string()
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(page: &Page) -> BTreeSet<String> {
    let headings = page.prose();
    let headings = headings.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.chars().filter(kept).collect::<String>().to_lowercase().replace(' ', "-")
}
