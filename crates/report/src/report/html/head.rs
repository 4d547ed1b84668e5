//! The first screen, what was run, and the end of the page.

use maud::{Markup, html};

use crate::contract::Level;
use crate::record::{Conclusion, Summary};
use crate::report::groups::{Group, State, figures, part};
use crate::report::text::{counted, number, seconds, visible};

pub(super) fn verdict(summary: &Summary, groups: &[Group<'_>]) -> Markup {
    let causes =
        |level| groups.iter().filter(|g| g.state == State::Standing && g.level == level).count();
    let (musts, shoulds) = figures(summary);
    let judged = summary.rules.iter().filter(|r| r.counts.judged() > 0).count();
    let of = |state| summary.findings.iter().filter(|(_, u)| State::of(u) == state).count();
    let stats = summary.stats();
    let word = match summary.conclusion {
        Conclusion::Conformant => "Conformant",
        Conclusion::NonConformant => "Nonconformant",
        Conclusion::Inconclusive => "Inconclusive",
    };
    let class = format!("verdict {}", summary.conclusion);
    html! {
        section class=(class) aria-label="Conclusion" {
            h1 { (mark(summary.conclusion)) (word) @if let Some(part) = part(summary) { span.part { (part) " alone" } } }
            p.target {
                (visible(&summary.head.specification.endpoint)) " against "
                span { (visible(&summary.head.target)) }
            }
            @if !summary.reasons.is_empty() {
                ul.reasons { @for reason in &summary.reasons { li { (visible(reason)) } } }
            }
            div.figures {
                (figure(musts, "MUST", causes(Level::Must), if musts > 0 { "bad" } else { "" }))
                (figure(shoulds, "SHOULD", causes(Level::Should), if shoulds > 0 { "warn" } else { "" }))
                @for (state, word) in [(State::SeenOnce, "seen once"), (State::Waived, "waived")] {
                    @if of(state) > 0 { div.figure { b { (of(state)) } span { (word) } } }
                }
                div.figure {
                    b { (judged) span.muted { " of " (summary.rules.len()) } }
                    span { "rules judged" }
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
            div.notes { ul { @for note in &summary.notes { li { (visible(note)) } } } }
        }
    }
}

fn figure(count: usize, level: &str, causes: usize, class: &str) -> Markup {
    let class = format!("figure {class}");
    let word = if count == 1 { "finding" } else { "findings" };
    html! { div class=(class.trim_end()) { b { (count) } span { (level) " " (word) @if causes > 0 { " of " (counted(causes as u64, "cause")) } } } }
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

/// What was run, against what.
pub(super) fn facts(summary: &Summary) -> Markup {
    let head = &summary.head;
    let planned = format!("{} requests, {} items", number(head.planned.0), number(head.planned.1));
    let depth = format!("{}{}", head.depth, if head.strict { ", strict" } else { "" });
    let left = summary.tail.as_ref().map_or("unknown".to_owned(), |t| number(t.left_behind));
    let finished = summary.tail.as_ref().map_or("never: it was killed", |t| t.finished.as_str());
    let plain = [
        ("Run", visible(&head.run_id)),
        ("Seed", head.seed.to_string()),
        ("Depth", depth),
        ("Started", visible(&head.started)),
        ("Finished", visible(finished)),
        ("Planned", planned),
        ("batchproof", visible(&head.tool)),
    ];
    html! {
        h2 #run { "What was run" }
        dl.facts {
            @for (name, value) in &plain { div { dt { (name) } dd { (value) } } }
            @if let Some((part, of)) = head.partition { div { dt { "Part" } dd { (part) " of " (of) } } }
            div {
                dt { "Cases" }
                dd { (head.cases.len()) @if head.whole_suite { ", the whole suite" } @else { ", not the whole suite" } }
            }
            div.wide {
                dt { "Numbers left behind" }
                dd { (left) "; they begin with " code { (visible(&head.run_id)) "-" } }
            }
            div.wide { dt { "Specification, SHA-256" } dd { code.hash { (visible(&head.specification.hash)) } } }
            div.wide { dt { "Cases, SHA-256" } dd { code.hash { (visible(&head.suite)) } } }
            @for (what, why) in &head.skipped {
                div.wide { dt { "The profile skips " (visible(what)) } dd { (visible(why)) } }
            }
            @if let Some(profile) = &head.profile {
                div.wide {
                    dt { "Profile" }
                    dd {
                        details.fold {
                            summary { "what it says" }
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
    let silent = summary
        .rules
        .iter()
        .filter(|r| r.rule.level == Level::Must && r.counts.judged() == 0)
        .count();
    html! {
        footer {
            p {
                "What a target stores can't be seen through this endpoint: only the numbers that it calls used betray it. "
                "A rule that was never judged says nothing of the target"
                @if silent > 0 { "; that holds for " (silent) " MUST " (if silent == 1 { "rule" } else { "rules" }) " here" }
                "."
            }
            p { "Made by batchproof " (visible(&summary.head.tool)) " from " code { "record.jsonl" } " and nothing else. The page loads nothing." }
        }
    }
}
