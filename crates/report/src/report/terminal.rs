//! The summary of a run on a terminal: the conclusion, the problems, the rules, the run, and what to do next.
//!
//! It must not know whether anybody watches: colour and width are given.

mod against;
mod cases;
mod diff;
mod findings;
mod matrix;
mod paint;
mod table;

use std::path::Path;

use crate::contract::Level;
use crate::record::{Conclusion, NotTested, RUN, RuleSummary, Summary, WaiverStatus};

use super::json::Coverage;
use super::text::{counted, number, seconds, visible, visible_block, visible_lines, wrap};
use super::waiver::status;
use super::wording::{self, contract_option, nothing_tested};
use crate::triage::{Problem, problems};
use paint::{Colour, Paint};

/// How the summary is shown.
#[derive(Debug, Clone, Copy)]
pub struct TerminalStyle {
    /// Whether to use colour.
    pub colour: bool,
    /// Columns of the terminal; 0 if unknown.
    pub width: usize,
}

impl Default for TerminalStyle {
    fn default() -> TerminalStyle {
        TerminalStyle { colour: false, width: 100 }
    }
}

/// Rules named in a list of those that were not tested.
const FEW: usize = 6;
/// More problems than these push the headline off the screen: it is repeated at the end.
const ON_SCREEN: usize = 2;

/// The summary of a run whose reports are in `reports`: problems first, then rules, then the run.
#[must_use]
pub fn terminal(summary: &Summary, style: TerminalStyle, reports: &Path) -> String {
    let columns = columns(style);
    let mut page = TerminalPage { out: String::new(), columns, paint: Paint(style.colour) };
    let dir = visible(&reports.display().to_string());
    let problems = problems(summary);
    if let Some(against) = &summary.against {
        against::headline(&mut page, summary, against);
    }
    headline(&mut page, summary, &problems);
    reasons(&mut page, summary);
    if nothing_tested(summary) {
        advice(&mut page, summary, &dir);
        return page.out;
    }
    against::differences(&mut page, summary, &dir);
    findings::problems(&mut page, summary, &problems, &dir);
    waivers(&mut page, summary);
    page.heading("Rules");
    page.out.push_str(&table::rules(summary, columns, page.paint));
    if summary.head.whole_suite {
        rules_not_tested(&mut page, summary);
    }
    run(&mut page, summary, &dir);
    next(&mut page, summary, &problems, &dir);
    if problems.len() > ON_SCREEN {
        page.blank();
        headline(&mut page, summary, &problems);
    }
    page.out
}

fn columns(style: TerminalStyle) -> usize {
    if style.width == 0 { 100 } else { style.width.clamp(40, 140) }
}

/// What is written so far, with how it is written.
struct TerminalPage {
    out: String,
    columns: usize,
    paint: Paint,
}

impl TerminalPage {
    fn blank(&mut self) {
        self.out.push('\n');
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Text under an indent, wrapped.
    fn text(&mut self, indent: usize, colour: Colour, text: &str) {
        for line in wrap(text, self.columns.saturating_sub(indent)) {
            let painted = self.paint.of(colour, &line);
            self.line(&format!("{:indent$}{painted}", ""));
        }
    }

    /// `label  text`, wrapped under itself.
    fn entry(&mut self, indent: usize, label: &str, colour: Colour, text: &str) {
        const LABEL: usize = 11;
        let wide = self.columns.saturating_sub(indent + LABEL);
        for (at, line) in wrap(text, wide).iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            let label = self.paint.of(Colour::Dim, &format!("{label:LABEL$}"));
            let painted = self.paint.of(colour, line);
            self.line(format!("{:indent$}{label}{painted}", "").trim_end());
        }
    }

    /// The same for text of several lines.
    fn entries(&mut self, indent: usize, label: &str, colour: Colour, text: &str) {
        for (at, line) in visible_lines(text).iter().enumerate() {
            self.entry(indent, if at == 0 { label } else { "" }, colour, line);
        }
    }

    fn heading(&mut self, text: &str) {
        self.blank();
        let rule = "─".repeat(self.columns.saturating_sub(super::text::width(text) + 4));
        let line = format!("── {text} {rule}");
        let painted = self.paint.of(Colour::Bold, &line);
        self.line(&painted);
        self.blank();
    }
}

/// The colour of a conclusion.
fn conclusion_colour(conclusion: Conclusion) -> Colour {
    match conclusion {
        Conclusion::Conformant => Colour::Green,
        Conclusion::NonConformant => Colour::Red,
        Conclusion::Inconclusive => Colour::Yellow,
    }
}

/// A line that begins with a conclusion.
fn concluded(page: &mut TerminalPage, conclusion: Conclusion, rest: &str) {
    let word = conclusion.to_string().to_uppercase();
    let lines = wrap(&format!("{word}{rest}"), page.columns);
    for (at, line) in lines.iter().enumerate() {
        match line.strip_prefix(word.as_str()) {
            Some(rest) if at == 0 => {
                let painted = page.paint.of(conclusion_colour(conclusion), &word);
                page.line(&format!("{painted}{rest}"));
            }
            _ => page.line(&format!("  {line}")),
        }
    }
}

/// `NONCONFORMANT  http://127.0.0.1:8080  1 problem (MUST)    70 of 78 rules tested`.
fn headline(page: &mut TerminalPage, summary: &Summary, problems: &[Problem<'_>]) {
    let found = wording::found_line(summary, problems);
    let tested = if nothing_tested(summary) {
        String::new()
    } else {
        format!("    {}", wording::tested_line(summary))
    };
    let target = visible(&wording::host(&summary.head.target));
    let found = format!("  {target}  {found}");
    let conclusion = summary.conclusion.to_string();
    if super::text::width(&format!("{conclusion}{found}{tested}")) <= page.columns {
        concluded(page, summary.conclusion, &format!("{found}{tested}"));
    } else {
        concluded(page, summary.conclusion, &found);
        page.text(2, Colour::Plain, tested.trim_start());
    }
}

/// Why the conclusion is what it is, as far as the problems do not say it, and notes.
fn reasons(page: &mut TerminalPage, summary: &Summary) {
    let reasons = wording::other_reasons(summary);
    if !reasons.is_empty() {
        let inconclusive = summary.conclusion == Conclusion::Inconclusive;
        let label = if inconclusive { "because" } else { "also" };
        for (at, reason) in reasons.iter().enumerate() {
            page.entries(2, if at == 0 { label } else { "" }, Colour::Yellow, reason);
        }
    }
    for note in &summary.notes {
        page.entries(2, "note", Colour::Plain, note);
    }
}

/// The waivers of the run with their status.
fn waivers(page: &mut TerminalPage, summary: &Summary) {
    if summary.waivers.is_empty() {
        return;
    }
    page.heading(&counted(summary.waivers.len() as u64, "waiver"));
    for waiver in &summary.waivers {
        let colour = match waiver.status {
            WaiverStatus::Expired | WaiverStatus::Stale => Colour::Yellow,
            WaiverStatus::Used | WaiverStatus::UnmatchedFlaky | WaiverStatus::NotRun => {
                Colour::Plain
            }
        };
        let entry = &waiver.waiver;
        page.text(2, Colour::Bold, &visible(&entry.scope()));
        page.text(4, colour, &status(waiver));
        page.text(4, Colour::Dim, &visible(&format!("{}, {}", entry.told(), entry.at)));
    }
}

/// What to do next, where nothing was tested: no table of dots.
fn advice(page: &mut TerminalPage, summary: &Summary, dir: &str) {
    let stats = summary.stats();
    let text = format!("{} sent; the record is in {dir}", counted(stats.requests, "request"));
    page.blank();
    page.text(2, Colour::Dim, &text);
    let advice = summary.tail.as_ref().and_then(|t| t.advice.as_ref());
    if advice.is_some() {
        page.blank();
    }
    for line in visible_block(advice.map_or("", String::as_str)).lines() {
        // Lines to paste are not wrapped.
        if line.starts_with([' ', '#']) || line.ends_with(':') || line.is_empty() {
            page.line(line);
        } else {
            page.text(0, Colour::Plain, line);
        }
    }
}

/// Rules that were not tested, and why.
fn rules_not_tested(page: &mut TerminalPage, summary: &Summary) {
    let rules: Vec<(&RuleSummary, NotTested)> =
        summary.rules_shown().filter_map(|r| Some((r, r.not_tested()?))).collect();
    if rules.is_empty() {
        return;
    }
    page.blank();
    page.text(2, Colour::Plain, "Not tested:");
    let mut reasons: Vec<&NotTested> = Vec::new();
    for (_, why) in &rules {
        // What the profile skips is listed once a reason below.
        if !matches!(why, NotTested::Skipped(_)) && !reasons.contains(&why) {
            reasons.push(why);
        }
    }
    for reason in reasons {
        let mut list: Vec<String> = Vec::new();
        for level in [Level::Must, Level::Should] {
            let ids: Vec<&str> = rules
                .iter()
                .filter(|(r, why)| why == reason && r.rule.level == level)
                .map(|(r, _)| r.rule.id.as_str())
                .collect();
            if ids.is_empty() {
                continue;
            }
            let shown = ids.iter().take(FEW).map(|i| visible(i)).collect::<Vec<_>>().join(", ");
            let more = match ids.len().saturating_sub(FEW) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            list.push(format!("{level} {shown}{more}"));
        }
        let colour = if *reason == NotTested::Panicked { Colour::Red } else { Colour::Plain };
        page.text(4, colour, &visible(&format!("{reason}: {}", list.join("; "))));
    }
    for (what, why) in &summary.head.skipped {
        let text = format!("{} is skipped: {}", visible(what), visible(why));
        page.text(4, Colour::Plain, &text);
    }
}

/// Cases that contract, profile or transport exclude.
fn not_run(page: &mut TerminalPage, summary: &Summary) {
    for (why, cases) in wording::cases_not_run(summary) {
        let text = format!("{} ({})", visible(&cases.join(", ")), visible(why));
        page.entry(2, "not run", Colour::Yellow, &text);
    }
    for (what, cases) in wording::notes(summary) {
        let text = format!("{} ({})", visible(&cases.join(", ")), visible(&what));
        page.entry(2, "note", Colour::Plain, &text);
    }
}

/// Coverage in numbers; for a few cases named by hand they would say nothing.
fn covered(page: &mut TerminalPage, summary: &Summary) {
    if !summary.head.whole_suite || summary.head.cells.is_empty() {
        return;
    }
    let coverage = Coverage::from_summary(summary);
    let (schema, codes) = (coverage.schema, coverage.documented_codes);
    let text = format!(
        "{} of {} coverage points of the request schema ({} %), {} of {} documented error codes",
        number(schema.covered),
        number(schema.of),
        schema.percent(),
        codes.covered,
        codes.of
    );
    page.entry(2, "covered", Colour::Plain, &text);
    let kinds = coverage.refusal_modes;
    if kinds.kinds() > 0 {
        let text = format!(
            "{} of invalid items: {} with a 400 for the request, {} item by item, {} both ways",
            counted(kinds.kinds(), "kind"),
            number(kinds.request),
            number(kinds.item),
            number(kinds.both)
        );
        page.entry(2, "refused", Colour::Plain, &text);
    }
}

/// What was sent, how, and what it left on the target.
fn run(page: &mut TerminalPage, summary: &Summary, dir: &str) {
    page.heading("Run");
    let head = &summary.head;
    let stats = summary.stats();
    let mut amount =
        format!("{}, {}", counted(stats.requests, "request"), counted(stats.items, "item"));
    if stats.seconds > 0.0 {
        amount = format!("{amount}, {}", seconds(stats.seconds));
    }
    let sent = if head.traffic.is_empty() { "sent" } else { "judged" };
    page.entry(2, sent, Colour::Plain, &amount);
    let mut how = format!("depth {}, seed {}", head.depth, head.seed);
    if let Some(traffic) = wording::traffic(head) {
        how = traffic;
    } else if !head.deeper.is_empty() {
        how = format!(
            "depth {}, {}, seed {}",
            head.depth,
            wording::cases_at_depth(summary),
            head.seed
        );
    }
    if let Some((part, of)) = head.partition {
        how = format!("{how}, part {part} of {of}");
    }
    if head.strict {
        how.push_str(", strict");
    }
    page.entry(2, "how", Colour::Plain, &how);
    if let Some(limit) = summary.detection_limit().sentence() {
        page.entry(2, "detects", Colour::Plain, &limit);
    }
    not_run(page, summary);
    covered(page, summary);
    if head.traffic.is_empty() {
        let prefix = visible(&head.run_id);
        let left = wording::left_on_target(summary);
        page.entry(2, "left", Colour::Plain, &format!("{left} (keys start with {prefix}-)"));
    }
    let endpoint = format!(
        "{}, {}",
        visible(&head.specification.title),
        visible(&head.specification.endpoint)
    );
    page.entry(2, "contract", Colour::Plain, &endpoint);
    page.entry(2, "target", Colour::Plain, &visible(&head.target));
    page.entry(
        2,
        "reports",
        Colour::Plain,
        &format!("{dir} (report.html, report.json, junit.xml, report.md, report.sarif)"),
    );
}

/// Commands that lead on.
fn next(page: &mut TerminalPage, summary: &Summary, problems: &[Problem<'_>], dir: &str) {
    let head = &summary.head;
    let mut commands: Vec<String> = Vec::new();
    if let Some(group) = problems.first() {
        let finding = &group.lead.0;
        commands.push(format!("batchproof explain {}", visible(&finding.rule)));
        let contract = contract_option(head);
        if !head.traffic.is_empty() {
            let place = format!("{dir}/report.json --finding {}", visible(&finding.id));
            commands.push(format!("batchproof import {place}{contract} --output case.yaml"));
            return print_commands(page, &commands);
        }
        commands.push(format!("batchproof replay {dir} {}{contract}", visible(&finding.id)));
        if finding.case != RUN {
            let case = head.files.get(&finding.case).unwrap_or(&finding.case);
            let target = if head.target.starts_with("http") {
                format!(" --target {}", visible(&head.target))
            } else {
                String::new()
            };
            commands.push(format!(
                "batchproof run {} --seed {}{contract}{target}",
                visible(case),
                head.seed
            ));
        }
    } else if let Some(rule) = summary.rules_shown().find(|r| {
        let counts = matches!(
            r.not_tested(),
            Some(
                NotTested::Unanswered
                    | NotTested::Panicked
                    | NotTested::Masked
                    | NotTested::Stopped
            )
        );
        r.rule.level == Level::Must && counts
    }) {
        commands.push(format!("batchproof explain {}", visible(&rule.rule.id)));
    }
    print_commands(page, &commands);
}

fn print_commands(page: &mut TerminalPage, commands: &[String]) {
    if commands.is_empty() {
        return;
    }
    page.blank();
    for (at, command) in commands.iter().enumerate() {
        // Commands keep their lines, so that they can be pasted.
        let label = page.paint.of(Colour::Dim, if at == 0 { "next       " } else { "           " });
        page.line(&format!("  {label}{command}"));
    }
}

pub use cases::cases;
pub use diff::diff;
pub use matrix::matrix;

#[cfg(test)]
mod tests;
