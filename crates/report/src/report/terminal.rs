//! The summary that a run ends with on a terminal: the conclusion first, then where it comes from, then what
//! to do next.
//!
//! It must not know whether anybody watches: colour and width are told.

mod diff;
mod findings;
mod matrix;
mod paint;
mod table;

use std::path::Path;

use crate::contract::Level;
use crate::record::{Conclusion, Fate, Outcome, RUN, Summary};

use super::groups::{self, headline, nothing_judged, unjudged};
use super::json::Coverage;
use super::text::{counted, number, seconds, visible, visible_block, wrap};
use super::waiver::fate;
use paint::{Colour, Paint};

/// How the summary is shown.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether colour is welcome.
    pub colour: bool,
    /// Columns of the terminal; 0 where nobody knows.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Style {
        Style { colour: false, width: 100 }
    }
}

/// Rules named in a list of those that were never judged.
const FEW: usize = 6;

/// The summary of a run whose reports lie in `reports`.
#[must_use]
pub fn terminal(summary: &Summary, style: Style, reports: &Path) -> String {
    let columns = columns(style);
    let mut page = Page { out: String::new(), columns, paint: Paint(style.colour) };
    let dir = visible(&reports.display().to_string());
    conclusion(&mut page, summary);
    if nothing_judged(summary) {
        nothing(&mut page, summary, &dir);
        return page.out;
    }
    page.blank();
    page.out.push_str(&table::rules(summary, columns, page.paint));
    findings::findings(&mut page, summary, &dir);
    waivers(&mut page, summary);
    if summary.head.whole_suite {
        never_judged(&mut page, summary);
    }
    run(&mut page, summary, &dir);
    page.out
}

fn columns(style: Style) -> usize {
    if style.width == 0 { 100 } else { style.width.clamp(40, 140) }
}

/// What is written so far, with how it is written.
struct Page {
    out: String,
    columns: usize,
    paint: Paint,
}

impl Page {
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
        const LABEL: usize = 10;
        let wide = self.columns.saturating_sub(indent + LABEL);
        for (at, line) in wrap(text, wide).iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            let label = self.paint.of(Colour::Dim, &format!("{label:LABEL$}"));
            let painted = self.paint.of(colour, line);
            self.line(format!("{:indent$}{label}{painted}", "").trim_end());
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

/// The first line: a conclusion, and what it comes from.
fn mark(page: &mut Page, conclusion: Conclusion, rest: &str) {
    let (mark, colour) = match conclusion {
        Conclusion::Conformant => ("✓", Colour::Green),
        Conclusion::NonConformant => ("✗", Colour::Red),
        Conclusion::Inconclusive => ("?", Colour::Yellow),
    };
    let word = format!("{mark} {}", conclusion.to_string().to_uppercase());
    let lines = wrap(&format!("{word}{rest}"), page.columns);
    for (at, line) in lines.iter().enumerate() {
        match line.strip_prefix(word.as_str()) {
            Some(rest) if at == 0 => {
                let painted = page.paint.of(colour, &word);
                page.line(&format!("{painted}{rest}"));
            }
            _ => page.line(&format!("  {line}")),
        }
    }
}

fn conclusion(page: &mut Page, summary: &Summary) {
    mark(page, summary.conclusion, &format!(": {}", headline(summary)));
    let head = &summary.head;
    page.text(
        2,
        Colour::Dim,
        &format!(
            "{}, {} against {}",
            visible(&head.specification.title),
            visible(&head.specification.endpoint),
            visible(&head.target)
        ),
    );
    if !summary.reasons.is_empty() && summary.conclusion == Conclusion::Inconclusive {
        page.blank();
        page.line("  Why it is inconclusive:");
        for reason in &summary.reasons {
            page.text(4, Colour::Plain, &format!("· {}", visible(reason)));
        }
    }
    if summary.conclusion == Conclusion::NonConformant {
        // The first says how many findings stand, as the headline does.
        for reason in summary.reasons.iter().filter(|r| !r.contains(" confirmed ")) {
            page.text(2, Colour::Yellow, &visible(reason));
        }
    }
    for note in &summary.notes {
        page.text(2, Colour::Plain, &format!("note: {}", visible(note)));
    }
}

/// The waivers that hold, and what became of each.
fn waivers(page: &mut Page, summary: &Summary) {
    if summary.waivers.is_empty() {
        return;
    }
    page.heading(&counted(summary.waivers.len() as u64, "waiver"));
    for waiver in &summary.waivers {
        let colour = match waiver.fate {
            Fate::Expired | Fate::Stale => Colour::Yellow,
            Fate::Used | Fate::Quiet | Fate::NotRun => Colour::Plain,
        };
        let entry = &waiver.waiver;
        page.text(2, Colour::Bold, &visible(&entry.scope()));
        page.text(4, colour, &fate(waiver));
        page.text(4, Colour::Dim, &visible(&format!("{}, {}", entry.told(), entry.at)));
    }
}

/// What to do next, where the run came to nothing: no table of dots.
fn nothing(page: &mut Page, summary: &Summary, dir: &str) {
    let stats = summary.stats();
    let text = format!("{} sent; the record is in {dir}", counted(stats.requests, "request"));
    page.blank();
    page.text(2, Colour::Dim, &text);
    let advice = summary.tail.as_ref().and_then(|t| t.advice.as_ref());
    page.blank();
    for line in visible_block(advice.map_or("", String::as_str)).lines() {
        // What is to be pasted keeps its lines, and stands where it can be cut out.
        if line.starts_with([' ', '#']) || line.ends_with(':') || line.is_empty() {
            page.line(line);
        } else {
            page.text(0, Colour::Plain, line);
        }
    }
}

/// Rules that say nothing of this target, and why.
fn never_judged(page: &mut Page, summary: &Summary) {
    let silent: Vec<_> = summary.rules.iter().filter_map(|r| Some((r, unjudged(r)?))).collect();
    if silent.is_empty() {
        return;
    }
    page.heading(&format!("{} never judged", counted(silent.len() as u64, "rule")));
    let mut reasons: Vec<&str> = Vec::new();
    for (rule, why) in &silent {
        // What the profile skips is told once a reason below.
        if rule.skipped.is_none() && !reasons.contains(&why.as_str()) {
            reasons.push(why);
        }
    }
    for reason in reasons {
        let mine: Vec<_> =
            silent.iter().filter(|(r, why)| r.skipped.is_none() && why == reason).collect();
        let mut list: Vec<String> = Vec::new();
        for level in [Level::Must, Level::Should] {
            let ids: Vec<&str> = mine
                .iter()
                .filter(|(r, _)| r.rule.level == level)
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
        let errored = mine.iter().any(|(r, _)| r.outcome == Outcome::Errored);
        let colour = if errored { Colour::Red } else { Colour::Plain };
        page.text(2, colour, &format!("{}: {}", visible(reason), list.join("; ")));
    }
    for (what, why) in &summary.head.skipped {
        let text = format!("the profile skips {}: {}", visible(what), visible(why));
        page.text(2, Colour::Plain, &text);
    }
}

/// Cases that say something of other targets, but were not run against this one.
fn not_run(page: &mut Page, summary: &Summary) {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (case, not) in summary.head.not_run.iter().filter(|(_, not)| !not.by_contract) {
        match reasons.iter_mut().find(|(why, _)| *why == not.why) {
            Some((_, cases)) => cases.push(case),
            None => reasons.push((&not.why, vec![case])),
        }
    }
    for (why, cases) in reasons {
        let text = format!("{} ({})", visible(&cases.join(", ")), visible(why));
        page.entry(2, "not run", Colour::Yellow, &text);
    }
}

/// What was exercised, as figures; of a few cases named by hand they would say nothing.
fn covered(page: &mut Page, summary: &Summary) {
    if !summary.head.whole_suite || summary.head.cells.is_empty() {
        return;
    }
    let coverage = Coverage::of(summary);
    let (schema, codes) = (coverage.schema, coverage.documented_codes);
    let text = format!(
        "{} of {} cells of the request schema ({} %), {} of {} documented codes",
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
            "{} of broken items: {} with a 400 for the request, {} item by item, {} by both",
            counted(kinds.kinds(), "kind"),
            number(kinds.request),
            number(kinds.item),
            number(kinds.both)
        );
        page.entry(2, "refused", Colour::Plain, &text);
    }
}

/// What was run, what it left, what to do next.
fn run(page: &mut Page, summary: &Summary, dir: &str) {
    page.heading("this run");
    let head = &summary.head;
    let stats = summary.stats();
    let mut amount =
        format!("{}, {}", counted(stats.requests, "request"), counted(stats.items, "item"));
    if stats.seconds > 0.0 {
        amount = format!("{amount}, {}", seconds(stats.seconds));
    }
    page.entry(2, "sent", Colour::Plain, &amount);
    let mut how = format!("depth {}, seed {}", head.depth, head.seed);
    if let Some((part, of)) = head.partition {
        how = format!("{how}, part {part} of {of}");
    }
    if head.strict {
        how.push_str(", strict");
    }
    page.entry(2, "how", Colour::Plain, &how);
    if let Some(odds) = summary.odds().told() {
        page.entry(2, "odds", Colour::Plain, &odds);
    }
    not_run(page, summary);
    covered(page, summary);
    let left = match &summary.tail {
        Some(tail) => format!(
            "{} with {}-",
            match tail.left_behind {
                1 => "1 number was accepted and stays behind; it begins".to_owned(),
                n => format!("{} numbers were accepted and stay behind; they begin", number(n)),
            },
            visible(&head.run_id)
        ),
        None => {
            format!("unknown, as the run was killed; numbers begin with {}-", visible(&head.run_id))
        }
    };
    page.entry(2, "left", Colour::Plain, &left);
    page.entry(
        2,
        "reports",
        Colour::Plain,
        &format!("{dir} (report.html, report.json, junit.xml, report.md)"),
    );
    if let Some(group) = groups::groups(summary).first() {
        let finding = &group.lead.0;
        page.blank();
        page.line("  Next:");
        page.line(&format!("    batchproof explain {}", visible(&finding.rule)));
        page.line(&format!("    batchproof replay {dir} {}", visible(&finding.id)));
        if finding.case != RUN {
            let case = head.files.get(&finding.case).unwrap_or(&finding.case);
            let target = if head.target.starts_with("http") {
                format!(" --target {}", visible(&head.target))
            } else {
                String::new()
            };
            page.line(&format!(
                "    batchproof run {} --seed {}{target}",
                visible(case),
                head.seed
            ));
        }
    } else if let Some(rule) = summary.rules.iter().find(|r| {
        r.rule.level == Level::Must
            && matches!(r.outcome, Outcome::Unanswered | Outcome::Errored | Outcome::Masked)
    }) {
        page.blank();
        page.line("  Next:");
        page.line(&format!("    batchproof explain {}", visible(&rule.rule.id)));
    }
}

pub use diff::diff;
pub use matrix::matrix;

#[cfg(test)]
mod tests;
