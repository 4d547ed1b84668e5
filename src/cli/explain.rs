//! `batchproof explain`: a rule, an interpretation, a mutation, a case or a fault.

use std::fmt::Write as _;

use super::args::ExplainArgs;
use super::asserting::asserts;
use super::{CommandError, say};
use crate::case;
use crate::check::rules;
use crate::contract::Contract;
use crate::contract::file_error::nearest;
use crate::generate::Generator;
use crate::server::faults;

pub fn explain(args: &ExplainArgs) -> Result<u8, CommandError> {
    let contract = match &args.contract {
        Some(dir) => Contract::load(dir)?,
        None => Contract::shipped()?,
    };
    let id = args.id.trim();
    let cases = case::shipped()?;
    let upper = id.to_uppercase();
    let text = rule(&contract, &cases, &upper)
        .or_else(|| family(&upper))
        .or_else(|| interpretation(&contract, &upper))
        .or_else(|| mutation(id))
        .or_else(|| shipped_case(&cases, id))
        .or_else(|| fault(id));
    let Some(text) = text else {
        let all = faults::all();
        let known = rules::all()
            .iter()
            .map(|r| r.id.to_owned())
            .chain(rules::FAMILIES.iter().map(|(name, _)| (*name).to_owned()))
            .chain(contract.interpretations.iter().map(|r| r.id.clone()))
            .chain(Generator::names().iter().map(|(n, _)| (*n).to_owned()))
            .chain(cases.iter().map(|c| c.id.clone()))
            .chain(all.iter().map(|f| f.name.to_owned()));
        let hint = nearest(&upper, known.clone().collect::<Vec<_>>())
            .or_else(|| nearest(id, known.collect::<Vec<_>>()))
            .map_or("batchproof list --rules".to_owned(), |n| format!("did you mean `{n}`?"));
        return Err(format!(
            "unknown id `{id}`\n  expected: a rule, interpretation, mutation, case or fault\n  hint: {hint}"
        )
        .into());
    };
    say(text.trim_end());
    Ok(0)
}

fn rule(contract: &Contract, cases: &[case::Case], id: &str) -> Option<String> {
    let rule = rules::find(id)?;
    let mut text =
        format!("{} ({}): {}\n\n{}\n\n", rule.id, rule.level, rule.title, wrapped(rule.doc));
    if !rule.example.is_empty() {
        let _ = writeln!(text, "{}\n", rule.example.trim_end());
    }
    let _ = writeln!(text, "Source: {}", rule.cite);
    for interpretation in contract.interpretations.iter().filter(|r| rule.cite.contains(&r.id)) {
        let _ = writeln!(
            text,
            "\n{}: {}\n{}",
            interpretation.id,
            interpretation.question,
            wrapped(&interpretation.interpretation)
        );
        let _ = writeln!(text, "Why: {}", interpretation.reason);
    }
    if !rule.needs.is_empty() {
        let _ = writeln!(text, "\nMasked if one of these fails: {}", rule.needs.join(", "));
    }
    let by: Vec<&str> = cases.iter().filter(|c| asserts(c, id)).map(|c| c.id.as_str()).collect();
    if !by.is_empty() {
        let _ = writeln!(text, "Cases that test it: {}", by.join(", "));
    }
    let proofs: Vec<&str> =
        faults::all().iter().filter(|f| f.must.contains(&id)).map(|f| f.name).collect();
    if !proofs.is_empty() {
        let _ = writeln!(text, "Faults that it must detect: {}", proofs.join(", "));
    }
    let _ = writeln!(text, "Manual: docs/src/{}", super::docs::rule_page(rule.id));
    if let Some(page) = crate::report::manual::page(rule.id) {
        let _ = writeln!(text, "Page: {page}");
    }
    Some(text)
}

fn family(id: &str) -> Option<String> {
    let (name, about) = rules::FAMILIES.iter().find(|(name, _)| *name == id)?;
    let mut text = format!("{name}: {about}\n\n");
    for rule in rules::all().iter().filter(|r| r.family() == *name) {
        let _ = writeln!(text, "{:12} {:6}  {}", rule.id, rule.level, rule.title);
    }
    Some(text)
}

fn interpretation(contract: &Contract, id: &str) -> Option<String> {
    let interpretation = contract.interpretation(id)?;
    let mut text = format!(
        "{} ({}): {}\n\n{}\n\nWhy: {}\n",
        interpretation.id,
        interpretation.level,
        interpretation.question,
        wrapped(&interpretation.interpretation),
        interpretation.reason
    );
    let by: Vec<&str> =
        rules::all().iter().filter(|r| r.cite.contains(&interpretation.id)).map(|r| r.id).collect();
    let _ = writeln!(text, "Rules: {}", by.join(", "));
    Some(text)
}

fn mutation(id: &str) -> Option<String> {
    let (name, about) = Generator::names().iter().find(|(name, _)| *name == id)?;
    Some(format!("{name} (mutation): {about}\n\nIn a case file: mutate: {name}\n"))
}

fn shipped_case(cases: &[case::Case], id: &str) -> Option<String> {
    let case =
        cases.iter().find(|c| c.id == id.trim_start_matches("cases/").trim_end_matches(".yaml"))?;
    let mut text = format!("{} (case): {}\n", case.id, case.spec.title);
    if let Some(about) = &case.spec.about {
        let _ = writeln!(text, "\n{}", wrapped(about));
    }
    if let Some(asserts) = &case.spec.asserts {
        let _ = writeln!(text, "\nAsserts: {}", asserts.name);
    }
    let _ = writeln!(
        text,
        "Executions: quick {}, standard {}, deep {}\nFile: {}\n\nbatchproof run {}",
        case.runs(case::Depth::Quick),
        case.runs(case::Depth::Standard),
        case.runs(case::Depth::Deep),
        case.file,
        case.id
    );
    Some(text)
}

fn fault(id: &str) -> Option<String> {
    let fault = faults::find(id)?;
    Some(format!(
        "{} (fault): {}\n\nMust be detected by: {}\nMay be detected by: {}\n\nbatchproof serve --fault {}\n",
        fault.name,
        fault.about,
        fault.must.join(", "),
        fault.may.join(", "),
        fault.name
    ))
}

/// Wrapped at 88 columns.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > 88 {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}
