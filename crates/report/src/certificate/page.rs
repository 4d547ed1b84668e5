//! `certificate.html`: the certificate as one A4 page to print. It loads nothing and needs no JavaScript.
//!
//! Made from the certificate alone, so that a page that says something else is found out.

use maud::{DOCTYPE, Markup, html};

use super::FILE;
use super::envelope::SignedCertificate;
use super::key::fingerprint;
use super::statement::Statement;
use crate::record::{Conclusion, RuleOutcome};
use crate::report::{number, page, visible};

const STYLE: &str = include_str!("page.css");
/// Entries of a list: the page is one page, and the file beside it holds all of them.
const ENTRIES: usize = 5;

/// The page of a certificate.
#[must_use]
pub fn page(certificate: &SignedCertificate, statement: &Statement) -> String {
    let subject = statement.about.subject.as_deref().unwrap_or(&statement.target);
    let title = format!("Certificate of conformance · {}", visible(subject));
    html! {
        (DOCTYPE)
        html lang="en" {
            (page::head(&title, STYLE, None))
            body {
                main.paper {
                    div.frame {
                        (head(statement))
                        (figures(statement))
                        div.columns {
                            section { (run(statement)) }
                            section { (limits(statement)) }
                        }
                        (listed(statement))
                        (foot(certificate, statement))
                    }
                }
            }
        }
    }
    .into_string()
}

fn head(statement: &Statement) -> Markup {
    let subject = statement.about.subject.as_deref();
    html! {
        header {
            (seal(statement.conclusion))
            p.brand { "batchproof" }
            h1 { "Certificate of conformance" }
        }
        p.lead { "This certifies that" }
        p.subject { (visible(subject.unwrap_or(&statement.target))) }
        p.lead {
            @if subject.is_some() { "at " b { (visible(&statement.target)) } ", " }
            "tested " (period(&statement.started, &statement.finished)) ", was found"
        }
        p.verdict { (statement.conclusion) }
        p.lead {
            "with the specification " b { (visible(&statement.specification.title)) } br;
            code { (visible(&statement.specification.endpoint)) }
        }
    }
}

fn seal(conclusion: Conclusion) -> Markup {
    let path = match conclusion {
        Conclusion::Conformant => "M30 51 45 66 71 37",
        Conclusion::NonConformant | Conclusion::Inconclusive => "M34 34 66 66 M66 34 34 66",
    };
    html! {
        svg.seal viewBox="0 0 100 100" fill="none" stroke="currentColor" aria-hidden="true" {
            circle cx="50" cy="50" r="47" stroke-width="1.2" {}
            circle cx="50" cy="50" r="42" stroke-width="3" {}
            path d=(path) stroke-width="7" stroke-linecap="round" stroke-linejoin="round" {}
        }
    }
}

fn figures(statement: &Statement) -> Markup {
    let passed = statement.rules.values().filter(|o| **o == RuleOutcome::Passed).count();
    let figures = &statement.figures;
    let shown = [
        (format!("{passed} of {}", statement.rules.len()), "rules tested, no failure"),
        (number(figures.judged), "checks"),
        (number(figures.requests), "requests"),
        (number(figures.items), "items"),
    ];
    html! {
        div.figures { @for (figure, word) in &shown { div { b { (figure) } span { (word) } } } }
    }
}

fn run(statement: &Statement) -> Markup {
    let configuration = &statement.configuration;
    let depth = if configuration.strict { ", strict" } else { "" };
    let rows = [
        (
            "Suite",
            format!(
                "batchproof {}, all {} cases",
                visible(&statement.suite.version),
                statement.suite.cases
            ),
        ),
        ("Depth", format!("{}{depth}", configuration.depth)),
        (
            "Seed",
            match &statement.about.challenge {
                Some(text) => {
                    format!("{}, from the challenge “{}”", configuration.seed, visible(text))
                }
                None => configuration.seed.to_string(),
            },
        ),
        ("Run", visible(&configuration.run_id)),
        (
            "Left on target",
            format!(
                "{} accepted items, keys start with {}-",
                number(statement.figures.left_behind),
                visible(&configuration.run_id)
            ),
        ),
        (
            "Detection limit",
            visible(&statement.figures.detection_limit.sentence().unwrap_or_default()),
        ),
    ];
    html! {
        h2 { "Run" }
        dl { @for (name, value) in &rows { dt { (name) } dd { (value) } } }
    }
}

fn limits(statement: &Statement) -> Markup {
    html! {
        h2 { "What this does not say" }
        ul { @for line in &statement.does_not_say { li { (visible(line)) } } }
    }
}

/// What does not prevent the certificate, but has to be stated.
fn listed(statement: &Statement) -> Markup {
    let findings: Vec<String> = statement
        .findings
        .iter()
        .map(|f| {
            format!("{} {} ({}, {} ×): {}", f.level, f.rule, f.state, number(f.count), f.title)
        })
        .collect();
    let skipped: Vec<String> =
        statement.skipped.iter().map(|(what, why)| format!("{what}: {why}")).collect();
    let waivers: Vec<String> = statement
        .waivers
        .iter()
        .map(|w| format!("{}: {}", w.waiver.scope(), w.waiver.told()))
        .collect();
    let not_tested: Vec<String> = statement
        .not_tested
        .iter()
        .map(|(id, rule)| format!("{} {id}: {}", rule.level, rule.why))
        .collect();
    html! {
        div.listed {
            (list("Findings that do not prevent it", &findings, "none"))
            (list("Skipped by the profile", &skipped, "nothing"))
            (list("Rules not tested", &not_tested, "none"))
            @if !statement.not_run.is_empty() { (list("Cases that could not run", &[statement.not_run.join(", ")], "none")) }
            @if !waivers.is_empty() { (list("Waivers", &waivers, "none")) }
        }
    }
}

fn list(title: &str, entries: &[String], none: &str) -> Markup {
    html! {
        section {
            h2 { (title) }
            @if entries.is_empty() { p.none { (none) } }
            @else {
                ul {
                    @for entry in entries.iter().take(ENTRIES) { li { (short(entry)) } }
                    @if entries.len() > ENTRIES { li { (entries.len() - ENTRIES) " more, in " (FILE) } }
                }
            }
        }
    }
}

/// At most two lines of the page.
fn short(text: &str) -> String {
    const LONGEST: usize = 190;
    let text = visible(text);
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn foot(certificate: &SignedCertificate, statement: &Statement) -> Markup {
    let mut hashes = vec![
        ("Specification", statement.specification.hash.as_str()),
        ("Cases", statement.suite.hash.as_str()),
        ("Profile", statement.configuration.profile_hash.as_str()),
    ];
    hashes.extend(statement.about.artifacts.iter().map(|a| (a.name.as_str(), a.sha256.as_str())));
    hashes.extend(statement.evidence.iter().map(|e| (e.file.as_str(), e.sha256.as_str())));
    let signature = certificate.signatures.first();
    let sig = signature.map_or("", |s| s.sig.as_str());
    let key = signature.map_or("", |s| s.keyid.as_str());
    html! {
        footer {
            dl.hashes {
                @for (name, hash) in &hashes { dt { (visible(name)) } dd { code { (visible(hash)) } } }
                dt { "Signature" } dd { code { (visible(sig)) } }
            }
            div.signed {
                p {
                    @if let Some(issuer) = &statement.about.issuer { "Issued by " b { (visible(issuer)) } ", " } @else { "Issued " }
                    (day(&statement.finished)) ", signed with the Ed25519 key "
                    code { (visible(&fingerprint(key))) }
                }
                p { "Check it: " code { "batchproof verify " (FILE) " --key KEY.pub" } }
            }
        }
    }
}

/// When the target was tested, to the minute.
fn period(started: &str, finished: &str) -> String {
    let minute = |instant: &str| visible(instant).chars().skip(11).take(5).collect::<String>();
    let (from, to) = (day(started), day(finished));
    if from == to {
        format!("on {from} from {} to {} UTC", minute(started), minute(finished))
    } else {
        format!("from {from} {} to {to} {} UTC", minute(started), minute(finished))
    }
}

fn day(instant: &str) -> String {
    visible(instant).chars().take(10).collect()
}
