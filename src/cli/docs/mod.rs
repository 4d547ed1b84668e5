//! `batchproof docs DIR`: the pages of the manual that come from the code, as Markdown.
//!
//! The pages are compared with `docs/src` by a test. It decides nothing; what it says stands in rules, faults,
//! cases, interpretations, arguments and schemas.

mod catalogue;
mod command_line;
mod exit_codes;
mod interpretations;
mod links;
mod report_json;
mod rules;

use std::path::{Path, PathBuf};

use super::args::DocsArgs;
use super::{CommandError, say};
use crate::case;
use crate::contract::Contract;

/// The table of contents, which lists the generated rule pages below their index.
const SUMMARY: &str = "SUMMARY.md";
/// The line of the contents that rule pages stand below.
const RULES: &str = "(reference/rules.md)";
/// What a line of the contents for a rule page has.
const RULE_PAGE: &str = "(reference/rules/";

/// A page: its path below the manual's source directory, and its text.
struct Page {
    path: String,
    text: String,
}

/// Where the page of a rule stands, below the manual's source directory.
pub(super) fn rule_page(id: &str) -> String {
    format!("reference/rules/{id}.md")
}

pub fn docs(args: &DocsArgs) -> Result<u8, CommandError> {
    let contract = Contract::shipped()?;
    let cases = case::shipped()?;
    let mut pages = rules::pages(&contract, &cases);
    pages.push(rules::index());
    pages.push(interpretations::page(&contract));
    pages.push(catalogue::cases(&cases));
    pages.push(catalogue::faults());
    pages.push(catalogue::mutations());
    pages.push(command_line::page());
    pages.push(exit_codes::page());
    pages.push(report_json::page()?);
    remove_rule_pages(&args.dir)?;
    for page in &pages {
        let path = args.dir.join(&page.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|e| named(parent, &e))?;
        }
        std::fs::write(&path, &page.text).map_err(|e| named(&path, &e))?;
    }
    let summary = args.dir.join(SUMMARY);
    if let Ok(text) = std::fs::read_to_string(&summary) {
        std::fs::write(&summary, contents(&text)).map_err(|e| named(&summary, &e))?;
    }
    say(&format!("{} pages in {}", pages.len(), args.dir.display()));
    Ok(0)
}

fn named(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Takes away the pages of rules, so that none outlives its rule.
fn remove_rule_pages(dir: &Path) -> Result<(), String> {
    let dir = dir.join("reference/rules");
    let Ok(entries) = std::fs::read_dir(&dir) else { return Ok(()) };
    let pages: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    for page in pages.iter().filter(|page| page.extension().is_some_and(|e| e == "md")) {
        std::fs::remove_file(page).map_err(|e| named(page, &e))?;
    }
    Ok(())
}

/// The table of contents with a line for each rule below that of their index.
fn contents(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.contains(RULE_PAGE)) {
        lines.push(line.to_owned());
        if line.contains(RULES) {
            lines.extend(
                crate::check::rules::all()
                    .iter()
                    .map(|rule| format!("    - [{}]({})", rule.id, rule_page(rule.id))),
            );
        }
    }
    lines.join("\n") + "\n"
}
