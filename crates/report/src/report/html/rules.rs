//! The heat map of rules by outcome, and every rule with its text.

use maud::{Markup, html};

use super::parts::{class, level, outcome, prose};
use crate::check::rules::FAMILIES;
use crate::contract::Level;
use crate::record::{RuleOutcome, RuleSummary, Summary};
use crate::report::text::{number, visible};
use crate::report::wording::{cited, family, not_tested, outcome_word};
use crate::triage::Problem;

const OUTCOMES: [RuleOutcome; 8] = [
    RuleOutcome::Failed,
    RuleOutcome::Unconfirmed,
    RuleOutcome::Waived,
    RuleOutcome::Passed,
    RuleOutcome::Masked,
    RuleOutcome::Unanswered,
    RuleOutcome::NotApplicable,
    RuleOutcome::Errored,
];

fn families(summary: &Summary) -> Vec<(&str, Vec<&RuleSummary>)> {
    let mut out: Vec<(&str, Vec<&RuleSummary>)> = Vec::new();
    for rule in summary.rules_shown() {
        let name = family(&rule.rule.id);
        match out.iter_mut().find(|(f, _)| *f == name) {
            Some((_, list)) => list.push(rule),
            None => out.push((name, vec![rule])),
        }
    }
    out
}

pub(super) fn about(family: &str) -> &'static str {
    FAMILIES.iter().find(|(f, _)| *f == family).map_or("", |(_, about)| about)
}

/// Family rows, one cell a rule.
pub(super) fn heat(summary: &Summary) -> Markup {
    html! {
        h2 #heat { "Rules" }
        div.heat {
            @for (name, list) in families(summary) {
                div.family title=(about(name)) { (visible(name)) span.sr { ": " (about(name)) } }
                ul.cells { @for rule in list { li { (cell(rule)) } } }
            }
        }
        ul.legend {
            @for which in OUTCOMES {
                @let count = summary.rules_shown().filter(|r| r.outcome == which).count();
                @if count > 0 {
                    li {
                        span class=(format!("cell {}", class(which))) aria-hidden="true" { (count) }
                        (outcome_word(which))
                    }
                }
            }
            li { span.cell aria-hidden="true" { "" } "MUST" }
            li { span.cell.should aria-hidden="true" { "" } "SHOULD" }
        }
    }
}

fn cell(rule: &RuleSummary) -> Markup {
    let info = &rule.rule;
    let id = visible(&info.id);
    let short = id.split_once('-').map_or(id.as_str(), |(_, number)| number).to_owned();
    let should = if info.level == Level::Should { " should" } else { "" };
    let css = format!("cell {}{should}", class(rule.outcome));
    let label =
        format!("{id} {} {}: {}", info.level, outcome_word(rule.outcome), visible(&info.title));
    html! { a class=(css) href=(format!("#rule-{id}")) title=(label) aria-label=(label) { (short) } }
}

/// Every rule with its text.
pub(super) fn section(summary: &Summary, groups: &[Problem<'_>]) -> Markup {
    html! {
        h2 #rules { "Requirements" }
        p.lede { "What each rule requires, where that comes from, and how often it was checked." }
        @for (name, list) in families(summary) {
            h3 { (visible(name)) ": " (about(name)) }
            div.cards.rows { @for rule in list { (rule_card(summary, rule, groups)) } }
        }
    }
}

fn rule_card(summary: &Summary, rule: &RuleSummary, groups: &[Problem<'_>]) -> Markup {
    let info = &rule.rule;
    let counts = [
        ("passed", rule.counts.passed),
        ("failed", rule.counts.failed),
        ("masked", rule.counts.masked),
        ("not applicable", rule.counts.not_applicable),
        ("without a response", rule.counts.unanswered),
        ("errored", rule.counts.errored),
    ];
    html! {
        details.card id=(format!("rule-{}", visible(&info.id))) {
            summary {
                (outcome(rule.outcome))
                span.title { (visible(&info.id)) " " (visible(&info.title)) }
                span.count {
                    (info.level) @if rule.counts.judged() > 0 { ", judged " (number(rule.counts.judged())) "×" }
                }
            }
            div.inside {
                p { (prose(&info.doc)) }
                @if let Some(why) = not_tested(rule) { p { "Not tested: " (visible(&why)) "." } }
                p.small { (level(info.level)) " " span.muted { "Why: " } (visible(&info.cite)) }
                (interpretations(summary, &info.cite))
                (example(&info.id))
                ul.meta {
                    @for (word, count) in counts { @if count > 0 { li { b { (number(count)) } " " (word) } } }
                    @if !info.needs.is_empty() {
                        li { "masked where one of these fails: " (visible(&info.needs.join(", "))) }
                    }
                }
                @let mine: Vec<_> = groups.iter().filter_map(|g| Some((g, g.finding_of_rule(&info.id)?))).collect();
                @if !mine.is_empty() {
                    ul.plain {
                        @for (group, found) in mine {
                            li {
                                a href=(format!("#finding-{}", visible(&group.lead.0.id))) {
                                    (visible(&crate::report::text::excerpt(&found.0.message, 160)))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A right and a wrong exchange, and the page of the manual where its address is known.
fn example(id: &str) -> Markup {
    let example = crate::check::rules::find(id).map_or("", |rule| rule.example.trim_end());
    html! {
        @if !example.is_empty() {
            details.fold {
                summary { "A right and a wrong exchange" }
                pre.example { (crate::report::visible_block(example)) }
            }
        }
        @if let Some(page) = crate::report::manual::page(id) {
            p.small { a href=(page) rel="noreferrer" { "The page of " (visible(id)) " in the manual" } }
        }
    }
}

/// The interpretations that a citation names, folded.
pub(super) fn interpretations(summary: &Summary, cite: &str) -> Markup {
    html! {
        @for interpretation in cited(summary, cite) {
            details.fold {
                summary { (visible(&interpretation.id)) ": " (visible(&interpretation.question)) }
                p.small { (visible(&interpretation.interpretation)) }
                p.small.muted { (visible(&interpretation.reason)) }
            }
        }
    }
}
