//! One page for each rule, and their index.

use std::fmt::Write as _;

use super::{Page, links};
use crate::case::Case;
use crate::check::{Rule, Scope, rules};
use crate::cli::asserting::asserts;
use crate::contract::Contract;
use crate::server::faults;

/// From a rule's page to the manual's source directory.
const UP: &str = "../../";

pub(super) fn pages(contract: &Contract, cases: &[Case]) -> Vec<Page> {
    rules::all().iter().map(|rule| page(rule, contract, cases)).collect()
}

pub(super) fn index() -> Page {
    let mut text = "# Rules\n\nA rule has a permanent id, a level and a source. `batchproof explain ID` prints its page. A confirmed \
                    finding of a MUST rule makes a run nonconformant; one of a SHOULD rule is shown, and fails `--strict`.\n"
        .to_owned();
    for (family, about) in rules::FAMILIES {
        let _ = writeln!(text, "\n## {family}\n\n{}.\n", links::capital(about));
        text.push_str("| id | level | requirement |\n|---|---|---|\n");
        for rule in rules::all().iter().filter(|rule| rule.family() == *family) {
            let title = links::cell(rule.title, "../");
            let _ =
                writeln!(text, "| {} | {} | {title} |", links::rule(rule.id, "../"), rule.level);
        }
    }
    Page { path: "reference/rules.md".to_owned(), text }
}

fn page(rule: &Rule, contract: &Contract, cases: &[Case]) -> Page {
    let mut text = format!("# {}: {}\n\n", rule.id, rule.title);
    let family = rule.family();
    let anchor = family.to_lowercase();
    let _ = writeln!(
        text,
        "Level {} · family [{family}](../rules.md#{anchor}) · judged on {}\n\n{}\n",
        rule.level,
        scope(rule.scope()),
        links::prose(rule.doc, UP)
    );
    if !rule.example.is_empty() {
        let _ = writeln!(text, "## Example\n\n```text\n{}\n```\n", rule.example.trim_end());
    }
    let _ = writeln!(text, "## Source\n\n{}\n", links::prose(rule.cite, UP));
    for interpretation in contract.interpretations.iter().filter(|i| rule.cite.contains(&i.id)) {
        let _ = writeln!(
            text,
            "> **{}.** {} *Why:* {}\n",
            links::capital(&links::prose(&interpretation.question, UP)),
            links::prose(&interpretation.interpretation, UP),
            links::prose(&interpretation.reason, UP)
        );
    }
    relations(rule, &mut text);
    proofs(rule, cases, &mut text);
    Page { path: super::rule_page(rule.id), text: text.trim_end().to_owned() + "\n" }
}

/// What masks the rule, and what it masks.
fn relations(rule: &Rule, text: &mut String) {
    text.push_str("## What masks it\n\n");
    if rule.needs.is_empty() {
        text.push_str("No other rule: it is judged wherever it applies.\n\n");
    } else {
        let needs = links::rule_list(rule.needs.iter().copied(), UP);
        let _ = writeln!(
            text,
            "It is not judged on an item or exchange on which one of these failed: {needs}.\n"
        );
    }
    let masked = rules::all().iter().filter(|other| other.needs.contains(&rule.id));
    let masked = links::rule_list(masked.map(|other| other.id), UP);
    if !masked.is_empty() {
        let _ = writeln!(text, "Where it fails, these are not judged: {masked}.\n");
    }
}

/// The cases that test the rule, and the faults that prove it.
fn proofs(rule: &Rule, cases: &[Case], text: &mut String) {
    text.push_str("## What tests it\n\n");
    let about = |case: &&Case| asserts(case, rule.id);
    let by: Vec<String> = cases.iter().filter(about).map(|case| format!("`{}`", case.id)).collect();
    let by_all = !matches!(rule.check, crate::check::Check::Asserted);
    if by_all {
        text.push_str("Every case whose requests it applies to.");
    } else {
        text.push_str("What cases expect under its name.");
    }
    if !by.is_empty() {
        let _ = write!(text, " These [cases](../cases.md) are about it: {}.", by.join(", "));
    }
    text.push_str("\n\n## Which faults prove it\n\n");
    let listed = |of: fn(&crate::server::Fault) -> &'static [&'static str]| {
        let faults = faults::all().into_iter().filter(|fault| of(fault).contains(&rule.id));
        faults.map(|fault| format!("`{}`", fault.name)).collect::<Vec<_>>().join(", ")
    };
    let must = listed(|fault| fault.must);
    if must.is_empty() {
        text.push_str("None: it is about what a case file says.\n");
    } else {
        let _ = writeln!(
            text,
            "`batchproof prove` fails unless it finds these [faults](../faults.md): {must}."
        );
    }
    let may = listed(|fault| fault.may);
    if !may.is_empty() {
        let _ = writeln!(text, "\nIt may fire for these too: {may}.");
    }
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Item => "an item with its result",
        Scope::Exchange => "an exchange",
        Scope::Execution => "an execution of a case",
        Scope::Run => "the whole run",
    }
}
