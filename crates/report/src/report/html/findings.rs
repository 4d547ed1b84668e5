//! The problems, each with its findings.
//!
//! A page of a thousand findings must still open at once: those that come first are shown whole, the rest in
//! brief, and an exchange that is shown above is linked to instead of repeated.

use std::collections::HashMap;

use maud::{Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::diff::marked;
use super::evidence;
use super::minimal::{case_file, minimal};
use super::parts::{level, paste, prose};
use super::rules::interpretations;
use crate::contract::Level;
use crate::record::{ExchangeRecord, FindingRecord, Summary};
use crate::report::cause_line::cause_line;
use crate::report::curl::CommandContext;
use crate::report::facts::comparisons;
use crate::report::good_request::good_request;
use crate::report::minimal::{as_finding, flakiness, minimal_line, reproduction, size};
use crate::report::pair::{index_in, pair};
use crate::report::text::{counted, excerpt, visible};
use crate::report::waiver::covering;
use crate::report::wording::{
    also, answer_line, cases_shown, confirmation, exchange_line, family, headline, rule_of, seen,
    shown, state_word, totals_line,
};
use crate::triage::{Problem, ProblemState, ProblemTotals};

/// Bytes of entries that are shown whole.
const WHOLE: usize = 800_000;
/// Bytes of one entry; a larger one is shown in brief.
const ENTRY: usize = 120_000;
/// Entries at all; the rest is counted.
pub(super) const ENTRIES: usize = 1_200;
/// Exchanges of an entry.
const EXCHANGES: usize = 6;
/// Bytes of commands.
const COMMANDS: usize = 12_000;

pub(super) fn section(summary: &Summary, groups: &[Problem<'_>], how: &CommandContext) -> Markup {
    let mut page = ProblemPage { summary, how, met: HashMap::new(), left: WHOLE };
    html! {
        h2 #findings { "Problems" }
        @if groups.is_empty() {
            p.lede { "None." }
        } @else {
            p.lede {
                (totals_line(ProblemTotals::from_problems(groups))) ": " (counted(summary.findings.len() as u64, "finding"))
                ", grouped by root cause."
            }
            (bar(groups))
            div.cards {
                @for group in groups.iter().take(ENTRIES) { (page.entry(group, groups.len() == 1)) }
            }
            @if groups.len() > ENTRIES {
                p { (counted((groups.len() - ENTRIES) as u64, "more problem")) ", in " code { "report.json" } "." }
            }
        }
    }
}

fn bar(groups: &[Problem<'_>]) -> Markup {
    let mut families: Vec<&str> = groups.iter().map(|g| family(g.rule())).collect();
    families.sort_unstable();
    families.dedup();
    html! {
        @if groups.len() > 1 {
            div.bar data-js hidden role="search" {
                input #filter-text type="search" placeholder="Filter problems ( / )" aria-label="Filter problems by text";
                select #filter-level aria-label="Level" {
                    option value="" { "MUST and SHOULD" }
                    @for level in [Level::Must, Level::Should] { option value=(level) { (level) } }
                }
                select #filter-family aria-label="Family" {
                    option value="" { "All families" }
                    @for family in families { option value=(visible(family)) { (visible(family)) } }
                }
                button #open-all type="button" { "Open all" }
                span #filter-shown .muted.small role="status" {}
            }
        }
    }
}

struct ProblemPage<'a> {
    summary: &'a Summary,
    how: &'a CommandContext,
    /// Exchanges that are shown already, with the anchor of the entry that shows them.
    met: HashMap<String, String>,
    left: usize,
}

impl ProblemPage<'_> {
    fn entry(&mut self, group: &Problem<'_>, open: bool) -> Markup {
        let mut fresh = Vec::new();
        // Where hardly anything fits any more, it isn't tried.
        let whole = (self.left > 3_000).then(|| self.whole(group, &mut fresh));
        let inside = match whole {
            Some(whole) if whole.0.len() <= ENTRY.min(self.left) => {
                self.left -= whole.0.len();
                for key in fresh {
                    self.met.entry(key).or_insert_with(|| anchor(&group.lead.0));
                }
                whole
            }
            _ => brief(group),
        };
        frame(self.summary, group, &inside, open)
    }

    fn whole(&self, group: &Problem<'_>, fresh: &mut Vec<String>) -> Markup {
        let (finding, update) = group.lead;
        let smallest = as_finding(self.summary, finding);
        html! {
            @if let Some(reason) = &update.waived { p { "Waived: " (visible(reason)) } }
            @if let Some(line) = cause_line(self.summary, group) { p { "Cause: " b { (line) } } }
            @if let Some(smallest) = &smallest {
                (minimal(self.summary, smallest))
                (self.commands(group))
                (requirement(self.summary, finding))
                (meta(group))
                details.fold {
                    summary { (first_seen(self.summary, finding)) }
                    (evidence::versus(finding))
                    @if let Some(pair) = pair(finding) { (evidence::pair(&pair)) }
                    (self.exchanges(finding, fresh))
                }
            } @else {
                (evidence::versus(finding))
                (evidence::in_words(&comparisons(self.summary, finding)))
                @if let Some(line) = minimal_line(self.summary, finding) {
                    p.small.muted { "Minimal example: " (visible(&line)) "." }
                }
                @if let Some(good) = good_request(self.summary, finding) { (evidence::beside_good(&good)) }
                @if let Some(pair) = pair(finding) { (evidence::pair(&pair)) }
                (self.exchanges(finding, fresh))
                (self.commands(group))
                (requirement(self.summary, finding))
                (meta(group))
            }
            (siblings(group))
        }
    }

    /// What to paste: the request, whether it is fixed, the waiver, the case file.
    fn commands(&self, group: &Problem<'_>) -> Markup {
        let finding = &group.lead.0;
        let lines = reproduction(self.summary, finding, self.how);
        let short = lines.iter().map(String::len).sum::<usize>() <= COMMANDS;
        let needed = self.how.variables();
        html! {
            @if !lines.is_empty() && short {
                (paste("Reproduce, with fresh keys", &visible_lines(&lines)))
                p.small.muted {
                    @if let Some(line) = flakiness(self.summary, group.lead) { "Flaky: " (visible(&line)) ". " }
                    "In bash" @if !needed.is_empty() {
                        ", once " (needed.join(" and ")) " " (if needed.len() == 1 { "is" } else { "are" }) " exported"
                    } "."
                }
            } @else if !lines.is_empty() {
                p.small.muted { "The commands are too long to paste here: see " code { "report.json" } "." }
            }
            (paste("Is it fixed?", &visible(&self.how.replay(&finding.id))))
            @if group.state != ProblemState::Waived {
                details.fold {
                    summary { "A waiver, to fill in" }
                    (paste("For the file of --waivers", covering(group).trim_end()))
                }
            }
            (case_file(self.summary, finding))
        }
    }

    fn exchanges(&self, finding: &FindingRecord, fresh: &mut Vec<String>) -> Markup {
        let showing = shown(finding).map_or(0, |(at, _)| at);
        let count = finding.evidence.len();
        let focus = finding.position.item.or_else(|| index_in(&finding.position.pointer));
        // The one that shows it always has a place, and those just before it.
        let from = if showing >= EXCHANGES { showing + 1 - EXCHANGES } else { 0 };
        html! {
            @if from > 0 { p.small.muted { (counted(from as u64, "earlier request")) ", in " code { "report.json" } "." } }
            @for (at, exchange) in finding.evidence.iter().enumerate().skip(from).take(EXCHANGES) {
                @let title = if count == 1 { "Request and answer".to_owned() } else { format!("Request {} of {count}", at + 1) };
                @if at == showing {
                    h3 { (title) @if count > 1 { ", which shows the problem" } }
                    (self.exchange(exchange, focus, fresh))
                } @else {
                    details.fold {
                        summary { (title) ": " (excerpt(&exchange_line(exchange), 200)) }
                        (self.exchange(exchange, None, fresh))
                    }
                }
            }
            @if from + EXCHANGES < count {
                p.small.muted { (counted((count - from - EXCHANGES) as u64, "later request")) ", in " code { "report.json" } "." }
            }
        }
    }

    /// An exchange, or a link to where it is shown already.
    fn exchange(
        &self,
        exchange: &ExchangeRecord,
        focus: Option<usize>,
        fresh: &mut Vec<String>,
    ) -> Markup {
        let key = format!("{focus:?}{}", serde_json::to_string(exchange).unwrap_or_default());
        let key = crate::contract::hex(&Sha256::digest(key.as_bytes()));
        if let Some(anchor) = self.met.get(&key) {
            return html! {
                p.small { (answer_line(&exchange.answer)) ", shown in full under "
                    a href=(format!("#{anchor}")) { "another problem" } "." }
            };
        }
        fresh.push(key);
        evidence::exchange(exchange, focus)
    }
}

fn anchor(finding: &FindingRecord) -> String {
    format!("finding-{}", visible(&finding.id))
}

/// The entry, around what it opens to.
fn frame(summary: &Summary, group: &Problem<'_>, inside: &Markup, open: bool) -> Markup {
    let finding = &group.lead.0;
    let smallest = as_finding(summary, finding);
    let title = headline(summary, group);
    let mut found: Vec<String> = Vec::new();
    for (finding, _) in group.findings.iter().take(20) {
        let texts = [&finding.id, &finding.rule, &finding.case, &finding.place];
        found.extend(texts.map(|text| visible(text)));
    }
    html! {
        details.card id=(anchor(finding)) data-level=(group.level) data-family=(visible(family(&finding.rule)))
            data-find=(found.join(" ")) open[open] {
            summary {
                @if group.state == ProblemState::Confirmed { (level(group.level)) }
                @else { span.tag.quiet { (group.level) } }
                span.title { (visible(&finding.rule)) " " (visible(&title)) }
                span.count {
                    @if group.state != ProblemState::Confirmed { (state_word(group.state)) ", " }
                    (crate::report::text::number(group.count())) "×"
                }
                span.under {
                    @let message = visible(&excerpt(&smallest.as_ref().unwrap_or(finding).message, 240));
                    (message) " " span.where { "in " (cases_shown(group, 3)) }
                    @if let Some(also) = also(group) { "; also " (also) }
                }
            }
            div.inside { (PreEscaped(&inside.0)) }
        }
    }
}

/// What is required, why, and by whom.
fn requirement(summary: &Summary, finding: &FindingRecord) -> Markup {
    let rule = rule_of(summary, &finding.rule);
    html! {
        div.requirement {
            p {
                a href=(format!("#rule-{}", visible(&finding.rule))) { (visible(&finding.rule)) }
                @if let Some(rule) = rule { " " (visible(&rule.rule.title)) }
            }
            @if let Some(rule) = rule {
                p.small { (prose(&rule.rule.doc)) }
                p.small.muted { "Why: " (visible(&rule.rule.cite)) }
                (interpretations(summary, &rule.rule.cite))
            }
        }
    }
}

fn first_seen(summary: &Summary, finding: &FindingRecord) -> String {
    let size = summary.minimals.get(&finding.id).map(|m| size(m.from)).unwrap_or_default();
    format!("First seen with {size}, in {}", visible(&finding.case))
}

fn meta(group: &Problem<'_>) -> Markup {
    let finding = &group.lead.0;
    html! {
        ul.meta {
            li { b { (state(group)) } "; " (seen(group, 5)) }
            @if let Some(also) = also(group) { li { "also " (also) } }
            @if !finding.position.pointer.is_empty() { li { "at " code { (visible(&excerpt(&finding.position.pointer, 200))) } } }
            li { "case " code { (visible(&finding.case)) } ", execution " (finding.run) ", seed " (finding.seed) }
            li { "kind: " (visible(&excerpt(&finding.kind, 120))) }
            li { "id " code { (visible(&finding.id)) } }
        }
    }
}

/// `confirmed by 3 of 3 repeats`, `unconfirmed`.
fn state(group: &Problem<'_>) -> String {
    match confirmation(group.lead) {
        Some(by) if group.state == ProblemState::Confirmed => format!("confirmed: {by}"),
        _ => state_word(group.state).to_owned(),
    }
}

/// The findings of the same cause in other cases; each keeps its own anchor.
fn siblings(group: &Problem<'_>) -> Markup {
    html! {
        @if group.findings.len() > 1 {
            h3 { "Seen in other cases too" }
            ul.plain.others {
                @for (finding, update) in group.findings.iter().skip(1).take(200) {
                    li id=(anchor(finding)) {
                        @if finding.rule != group.rule() { (visible(&finding.rule)) " in " }
                        code { (visible(&finding.case)) } " " span.muted {
                            @if finding.cause() != group.lead.0.cause() { (visible(&finding.kind)) ", " }
                            @if finding.place != group.lead.0.place { (visible(&finding.place)) ", " }
                             (counted(update.count, "time")) ", id " (visible(&finding.id)) }
                    }
                }
            }
        }
    }
}

/// What is left of an entry where a page has grown large.
fn brief(group: &Problem<'_>) -> Markup {
    let finding = &group.lead.0;
    let (want, got) = marked(&finding.expected, &finding.actual, 160);
    html! {
        div.versus { div.want { code { (want) } } div.got { code { (got) } } }
        p.small {
            (state(group)) "; " (seen(group, 5)) ". Evidence is in " code { "report.json" } "."
        }
        (siblings(group))
    }
}

/// Quoting has spelled out what is hidden; this makes sure of it, line by line.
fn visible_lines(lines: &[String]) -> String {
    lines.iter().map(|l| visible(l)).collect::<Vec<_>>().join("\n")
}
