//! Each cause of findings once.

use super::Page;
use super::paint::Colour;
use crate::contract::Level;
use crate::record::{BodyRecord, ExchangeRecord, FindingRecord, Summary};
use crate::report::curl::How;
use crate::report::groups::{Group, State, exchange_line, groups, proof, rule_of, shown};
use crate::report::minimal::{again, as_finding, chance, minimal_line};
use crate::report::pair::{elements, index_in, rows};
use crate::report::text::{counted, excerpt, visible};

/// Groups shown in full.
const FULL: usize = 20;
/// A longer command is left to the reports.
const PASTED: usize = 2_000;
/// Characters of a value.
const VALUE: usize = 400;

pub(super) fn findings(page: &mut Page, summary: &Summary, dir: &str) {
    let groups = groups(summary);
    if groups.is_empty() {
        return;
    }
    let causes = counted(groups.len() as u64, "cause");
    let findings = counted(summary.findings.len() as u64, "finding");
    page.heading(&format!("{findings} of {causes}"));
    let how = How::of(summary);
    let pasted = |group: &Group<'_>| {
        let lines = again(summary, &group.lead.0, &how);
        group.state != State::Waived
            && is_pasted(&lines)
            && lines.iter().any(|l| !l.starts_with('#'))
    };
    if groups.iter().take(FULL).any(pasted) {
        intro(page, &how);
    }
    for (at, group) in groups.iter().take(FULL).enumerate() {
        if at > 0 {
            page.blank();
        }
        one(page, summary, group, at + 1, &how, dir);
    }
    let rest = groups.get(FULL..).unwrap_or(&[]);
    if rest.is_empty() {
        return;
    }
    page.blank();
    let mut by_rule: Vec<(&str, usize)> = Vec::new();
    for group in rest {
        match by_rule.iter_mut().find(|(rule, _)| *rule == group.rule()) {
            Some((_, n)) => *n += 1,
            None => by_rule.push((group.rule(), 1)),
        }
    }
    let list: Vec<String> =
        by_rule.iter().map(|(rule, n)| format!("{} ({n})", visible(rule))).collect();
    let causes = counted(rest.len() as u64, "more cause");
    page.text(
        2,
        Colour::Plain,
        &format!("{causes}, all in {dir}/report.html: {}", list.join(", ")),
    );
}

/// What the commands need.
fn intro(page: &mut Page, how: &How) {
    let needed = how.variables();
    let be = match needed.len() {
        0 => return,
        1 => "is",
        _ => "are",
    };
    let text = format!(
        "Commands under \u{201c}again\u{201d} work as pasted, once {} {be} exported.",
        needed.join(" and ")
    );
    page.text(2, Colour::Dim, &visible(&text));
    page.blank();
}

fn one(page: &mut Page, summary: &Summary, group: &Group<'_>, at: usize, how: &How, dir: &str) {
    let (finding, update) = group.lead;
    let rule = rule_of(summary, &finding.rule);
    let colour = match (group.state, group.level) {
        (State::Standing, Level::Must) => Colour::Red,
        _ => Colour::Yellow,
    };
    let mark = match group.state {
        State::Standing => String::new(),
        state => format!(" ({})", state.word()),
    };
    let title = rule.map_or("", |r| r.rule.title.as_str());
    let head = format!("{}{mark} {}", group.level, visible(&finding.rule));
    let lead = format!("{at:>2}  ");
    let wide = page.columns.saturating_sub(lead.len());
    for (n, line) in super::wrap(&format!("{head}  {}", visible(title)), wide).iter().enumerate() {
        match line.strip_prefix(head.as_str()) {
            Some(rest) if n == 0 => {
                let painted = page.paint.of(colour, &head);
                let rest = page.paint.of(Colour::Bold, rest);
                page.line(&format!("{lead}{painted}{rest}"));
            }
            _ => {
                let painted = page.paint.of(Colour::Bold, line);
                page.line(&format!("    {painted}"));
            }
        }
    }
    said(page, group, colour, summary);
    page.entry(
        4,
        if group.cases().len() == 1 { "case" } else { "cases" },
        Colour::Plain,
        &group.cases_shown(5),
    );
    let seen = format!("{}, {}", counted(group.count(), "time"), proof(group.lead));
    page.entry(4, "seen", Colour::Plain, &seen);
    if let Some(also) = group.also() {
        page.entry(4, "also", Colour::Plain, &also);
    }
    if let Some(reason) = &update.waived {
        page.entry(4, "waived", Colour::Yellow, &visible(reason));
    }
    if let Some(rule) = rule {
        page.entry(4, "by", Colour::Plain, &visible(&rule.rule.cite));
    }
    if let Some(line) = minimal_line(summary, finding) {
        page.entry(4, "minimal", Colour::Plain, &visible(&line));
    }
    if group.state != State::Waived {
        let lines = again(summary, finding, how);
        if let Some(chance) = chance(summary, group.lead).filter(|_| !lines.is_empty()) {
            page.entry(4, "chance", Colour::Plain, &chance);
        }
        paste(page, &lines, &finding.id, dir);
    }
}

/// What the finding says, as the smallest trial shows it: where, what was sent, what was expected of the answer
/// and what it says.
fn said(page: &mut Page, group: &Group<'_>, colour: Colour, summary: &Summary) {
    let smallest = as_finding(summary, &group.lead.0);
    let finding = smallest.as_ref().unwrap_or(&group.lead.0);
    let mut place = visible(if finding.position.pointer.is_empty() {
        &finding.place
    } else {
        &finding.position.pointer
    });
    if let Some(item) = finding.position.item {
        place = format!("{place} (item {item}, counted from 0)");
    }
    if !place.is_empty() {
        page.entry(4, "at", Colour::Plain, &place);
    }
    page.entry(4, "expected", Colour::Green, &visible(&excerpt(&finding.expected, VALUE)));
    page.entry(4, "actual", colour, &visible(&excerpt(&finding.actual, VALUE)));
    let Some((position, exchange)) = shown(finding) else { return };
    let several = match finding.evidence.len() {
        1 => String::new(),
        n => format!(" (request {} of {n})", position + 1),
    };
    if let BodyRecord::Text(body) = &exchange.request.body {
        page.entry(4, "sent", Colour::Plain, &visible(&sent(finding, exchange, body)));
    }
    page.entry(4, "request", Colour::Plain, &format!("{}{several}", exchange_line(exchange)));
}

/// What was sent: all of it where that is short, else the item that the finding is about.
fn sent(finding: &FindingRecord, exchange: &ExchangeRecord, body: &str) -> String {
    let about = finding.position.item.or_else(|| index_in(&finding.position.pointer));
    let item = about.and_then(|index| Some((index, elements(exchange, index).0?)));
    if body.chars().nth(VALUE).is_none() {
        return body.to_owned();
    }
    let items = rows(body).unwrap_or_default().iter().filter(|r| r.index.is_some()).count() as u64;
    match item {
        Some((index, item)) if exchange.first > 0 => {
            format!("item {index}: {}", excerpt(item, VALUE))
        }
        Some((index, item)) => format!("item {index} of {items}: {}", excerpt(item, VALUE)),
        None if items > 1 => format!("{}: {}", counted(items, "item"), excerpt(body, VALUE)),
        None => excerpt(body, VALUE),
    }
}

/// Whether a command is short enough to stand here.
fn is_pasted(lines: &[String]) -> bool {
    lines.iter().map(String::len).sum::<usize>() <= PASTED
}

/// Commands stand in lines of their own, whole: a terminal's own wrapping keeps them pasteable.
fn paste(page: &mut Page, lines: &[String], id: &str, dir: &str) {
    if lines.is_empty() {
        return;
    }
    if !is_pasted(lines) {
        let text = format!("the command is long: see {dir}/report.html#finding-{}", visible(id));
        page.entry(4, "again", Colour::Plain, &text);
        return;
    }
    page.entry(4, "again", Colour::Plain, "");
    for line in lines {
        // Quoting has already spelled out whatever is hidden.
        page.line(&visible(line));
    }
}
