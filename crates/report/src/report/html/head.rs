//! The first screen, what was run, and the end of the page.

use maud::{Markup, html};

use crate::contract::Level;
use crate::record::{AgainstConclusion, Conclusion, Summary};
use crate::report::text::{number, seconds, visible, visible_lines};
use crate::report::wording::{cases_at_depth, left_on_target, other_reasons, part, traffic};
use crate::triage::{Problem, ProblemTotals};

pub(super) fn verdict(summary: &Summary, groups: &[Problem<'_>]) -> Markup {
    let totals = ProblemTotals::from_problems(groups);
    let (tested, rules) = summary.rules_tested();
    let reasons = other_reasons(summary);
    let stats = summary.stats();
    let (conclusion, word) = headline(summary);
    let class = format!("verdict {conclusion}");
    html! {
        section class=(class) aria-label="Conclusion" {
            h1 { (mark(conclusion)) (word) @if let Some(part) = part(summary) { span.part { (part) " only" } } }
            p.target {
                (visible(&summary.head.specification.endpoint)) " against "
                span { (visible(&summary.head.target)) }
            }
            @if let Some(against) = &summary.against {
                p.target {
                    "compared with " span { (visible(&against.head.target)) }
                    "; by itself it is " (summary.conclusion)
                }
            }
            @if !reasons.is_empty() {
                ul.reasons { @for reason in &reasons { li { (lines(reason)) } } }
            }
            div.figures {
                (figure(totals.must, "MUST", if totals.must > 0 { "bad" } else { "" }))
                (figure(totals.should, "SHOULD", if totals.should > 0 { "warn" } else { "" }))
                @for (count, word) in [(totals.unconfirmed, "unconfirmed"), (totals.waived, "waived")] {
                    @if count > 0 { div.figure { b { (count) } span { (word) } } }
                }
                div.figure {
                    b { (tested) span.muted { " of " (rules) } }
                    span { "rules tested" }
                }
                div.figure {
                    b { (number(stats.requests)) }
                    span {
                        "requests, " (number(stats.items)) " items"
                        @if stats.seconds > 0.0 { " in " span.unbroken { (seconds(stats.seconds)) } }
                    }
                }
            }
        }
        @if !summary.notes.is_empty() {
            div.notes { ul { @for note in &summary.notes { li { (lines(note)) } } } }
        }
    }
}

/// What the exit status follows from, and its word: of a comparison, whether the targets differ.
pub(super) fn headline(summary: &Summary) -> (Conclusion, &'static str) {
    match summary.against.as_ref().map(|against| against.conclusion) {
        Some(AgainstConclusion::Same) => (Conclusion::Conformant, "Same answers"),
        Some(AgainstConclusion::Different) => (Conclusion::NonConformant, "Different answers"),
        Some(AgainstConclusion::NotCompared) => (Conclusion::Inconclusive, "Not compared"),
        None => match summary.conclusion {
            Conclusion::Conformant => (Conclusion::Conformant, "Conformant"),
            Conclusion::NonConformant => (Conclusion::NonConformant, "Nonconformant"),
            Conclusion::Inconclusive => (Conclusion::Inconclusive, "Inconclusive"),
        },
    }
}

/// Text of several lines.
fn lines(text: &str) -> Markup {
    html! {
        @for (at, line) in visible_lines(text).iter().enumerate() { @if at > 0 { br; } (line) }
    }
}

fn figure(count: usize, level: &str, class: &str) -> Markup {
    let class = format!("figure {class}");
    let word = if count == 1 { "problem" } else { "problems" };
    html! { div class=(class.trim_end()) { b { (count) } span { (level) " " (word) } } }
}

fn mark(conclusion: Conclusion) -> Markup {
    let path = match conclusion {
        Conclusion::Conformant => "M8 16.5 14 22 24.5 10.5",
        Conclusion::NonConformant => "M10.5 10.5 21.5 21.5 M21.5 10.5 10.5 21.5",
        Conclusion::Inconclusive => {
            "M11.5 12.5 a4.5 4 0 1 1 6.5 3.6 c-1.5.9 -2 1.6 -2 3 M16 23.4 v.2"
        }
    };
    html! {
        svg width="30" height="30" viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2.6"
            stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" {
            circle cx="16" cy="16" r="14" {}
            path d=(path) {}
        }
    }
}

/// Run, against what.
pub(super) fn facts(summary: &Summary) -> Markup {
    let head = &summary.head;
    let planned = format!("{} requests, {} items", number(head.planned.0), number(head.planned.1));
    let depth = format!("{}{}", head.depth, if head.strict { ", strict" } else { "" });
    let judged = traffic(head);
    let finished =
        summary.tail.as_ref().map_or("never: the run was killed", |t| t.finished.as_str());
    let mut plain = vec![
        ("Run", visible(&head.run_id)),
        ("Seed", head.seed.to_string()),
        ("Depth", depth),
        ("Started", visible(&head.started)),
        ("Finished", visible(finished)),
        ("Planned", planned),
        ("batchproof", visible(&head.tool)),
    ];
    // Nothing was planned or drawn where nothing was sent.
    plain.retain(|(name, _)| judged.is_none() || !["Seed", "Depth", "Planned"].contains(name));
    html! {
        h2 #run { "Run" }
        dl.facts {
            @if let Some(judged) = &judged { div.wide { dt { "Judged" } dd { (judged) "; nothing was sent" } } }
            @for (name, value) in &plain { div { dt { (name) } dd { (value) } } }
            @if let Some((part, of)) = head.partition { div { dt { "Part" } dd { (part) " of " (of) } } }
            @if judged.is_none() {
                div {
                    dt { "Cases" }
                    dd {
                        (cases_at_depth(summary))
                        @if head.whole_suite { ", the whole suite" } @else { ", not the whole suite" }
                    }
                }
                div.wide {
                    dt { "Left on the target" }
                    dd { (left_on_target(summary)) "; keys start with " code { (visible(&head.run_id)) "-" } }
                }
            }
            div.wide { dt { "Specification, SHA-256" } dd { code.hash { (visible(&head.specification.hash)) } } }
            @if judged.is_none() {
                div.wide { dt { "Cases, SHA-256" } dd { code.hash { (visible(&head.suite)) } } }
            }
            @for (what, why) in &head.skipped {
                div.wide { dt { "Not judged: " (visible(what)) } dd { (visible(why)) } }
            }
            @if let Some(profile) = &head.profile {
                div.wide {
                    dt { "Profile" }
                    dd {
                        details.fold {
                            summary { "Show" }
                            div.paste { pre { (visible_json(profile)) } }
                        }
                    }
                }
            }
        }
    }
}

fn visible_json(value: &serde_json::Value) -> String {
    crate::report::text::visible_block(&serde_json::to_string_pretty(value).unwrap_or_default())
}

pub(super) fn footer(summary: &Summary) -> Markup {
    let not_tested = summary
        .rules_shown()
        .filter(|r| r.rule.level == Level::Must && r.counts.judged() == 0)
        .count();
    html! {
        footer {
            p {
                "What a target stores is invisible through this endpoint: only the keys that it calls used reveal it. "
                "A rule that was not tested says nothing about the target"
                @if not_tested > 0 { "; here, " (not_tested) " MUST " (if not_tested == 1 { "rule was" } else { "rules were" }) " not tested" }
                "."
            }
            p { "Made by batchproof " (visible(&summary.head.tool)) " from " code { "record.jsonl" } ". The page loads nothing." }
        }
    }
}
