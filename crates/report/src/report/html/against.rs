//! The comparison with an older target: each difference with both answers side by side.

use maud::{Markup, html};

use super::{evidence, parts};
use crate::record::{AgainstConclusion, AgainstSummary, DifferenceVerdict, Summary};
use crate::report::against::{
    compared_line, decision, difference_facts, differences_line, remarks, title,
};
use crate::report::text::{counted, visible};
use crate::triage::{DifferenceGroup, difference_groups};

/// Differences that are shown.
const ENTRIES: usize = 100;
/// Differences whose example is shown whole.
const WHOLE: usize = 30;

pub(super) fn section(summary: &Summary) -> Markup {
    let Some(against) = &summary.against else { return html! {} };
    let groups = difference_groups(against);
    let word = match against.conclusion {
        AgainstConclusion::Same => "The same",
        AgainstConclusion::Different => "Different",
        AgainstConclusion::NotCompared => "Not compared",
    };
    html! {
        h2 #differences { "Differences from the older target" }
        p.lede {
            b { (word) } ": " (differences_line(&groups)) ". " (compared_line(against)) " with "
            code { (visible(&against.head.target)) } "."
        }
        (notes(against))
        @if !groups.is_empty() {
            div.cards {
                @for (at, group) in groups.iter().take(ENTRIES).enumerate() {
                    (entry(summary, group, groups.len() == 1, at < WHOLE))
                }
            }
        }
        @if groups.len() > ENTRIES {
            p { (counted((groups.len() - ENTRIES) as u64, "more difference")) ", in " code { "report.json" } "." }
        }
    }
}

fn notes(against: &AgainstSummary) -> Markup {
    let remarks = remarks(against);
    html! {
        @if !against.reasons.is_empty() || !remarks.is_empty() {
            div.notes { ul {
                @for reason in &against.reasons { li { (visible(reason)) } }
                @for remark in &remarks { li { (visible(remark)) } }
            } }
        }
    }
}

fn entry(summary: &Summary, group: &DifferenceGroup<'_>, open: bool, whole: bool) -> Markup {
    let lead = group.lead;
    let class = match lead.verdict {
        _ if !group.counts() => "tag quiet",
        DifferenceVerdict::Regression | DifferenceVerdict::BothViolate => "tag failed",
        DifferenceVerdict::Allowed => "tag unconfirmed",
        DifferenceVerdict::Fixed => "tag passed",
    };
    html! {
        details.card #(format!("difference-{}", visible(&lead.id))) open[open] {
            summary {
                span class=(class) { (lead.verdict.words()) }
                span.title { (title(group)) }
                span.count { (counted(group.count(), "time")) }
                span.under {
                    (decision(summary, group))
                    @if !group.counts() { " · " (group.state().words()) }
                }
            }
            div.inside {
                dl.facts {
                    @for fact in difference_facts(summary, group).iter().filter(|f| !f.label.ends_with("answer")) {
                        div.wide { dt { (fact.label) } dd { (fact.text) } }
                    }
                }
                @if whole {
                    @for (at, pair) in lead.evidence.iter().enumerate() {
                        @let item = lead.item.filter(|_| at + 1 == lead.evidence.len());
                        h3 { "Request " (at + 1) " to the older target" }
                        (evidence::exchange(&pair.old, item))
                        h3 { "Request " (at + 1) " to the newer target" }
                        (evidence::exchange(&pair.new, item))
                    }
                }
                @if let Some(rule) = &lead.rule {
                    p.small { "Rule " (parts::prose(rule)) }
                }
            }
        }
    }
}
