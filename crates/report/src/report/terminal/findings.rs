//! Each problem once, the smallest requests that show it with it.

use super::TerminalPage;
use super::paint::Colour;
use crate::contract::Level;
use crate::record::Summary;
use crate::report::curl::CommandContext;
use crate::report::facts::facts;
use crate::report::minimal::reproduction;
use crate::report::text::{counted, visible};
use crate::report::wording::{headline, state_mark};
use crate::triage::{Problem, ProblemState};

/// Problems shown in full.
const FULL: usize = 20;
/// A longer command is left to the reports.
const PASTED: usize = 2_000;
/// Columns before the lines about a problem.
const INDENT: usize = 3;

pub(super) fn problems(
    page: &mut TerminalPage,
    summary: &Summary,
    groups: &[Problem<'_>],
    dir: &str,
) {
    let how = CommandContext::from_summary(summary);
    for (at, group) in groups.iter().take(FULL).enumerate() {
        page.blank();
        problem(page, summary, group, at + 1, &how, dir);
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
    let more = counted(rest.len() as u64, "more problem");
    page.text(0, Colour::Plain, &format!("{more} in {dir}/report.html: {}", list.join(", ")));
}

fn problem(
    page: &mut TerminalPage,
    summary: &Summary,
    group: &Problem<'_>,
    at: usize,
    how: &CommandContext,
    dir: &str,
) {
    let finding = &group.lead.0;
    let colour = match (group.state, group.level) {
        (ProblemState::Confirmed, Level::Must) => Colour::Red,
        _ => Colour::Yellow,
    };
    title(page, summary, group, at, colour);
    for fact in facts(summary, group) {
        let colour = match &*fact.label {
            "expected" => Colour::Green,
            "got" => colour,
            "waived" => Colour::Yellow,
            _ => Colour::Plain,
        };
        page.entry(INDENT, &fact.label, colour, &fact.text);
    }
    if group.state != ProblemState::Waived {
        commands(page, &reproduction(summary, finding, how), &finding.id, how, dir);
    }
}

/// `1  MUST  ORDER-002  Results are in the order of their items`.
fn title(
    page: &mut TerminalPage,
    summary: &Summary,
    group: &Problem<'_>,
    at: usize,
    colour: Colour,
) {
    let title = headline(summary, group);
    let head = format!("{}{}  {}", group.level, state_mark(group.state), visible(group.rule()));
    let lead = format!("{at:<2} ");
    let wide = page.columns.saturating_sub(lead.len());
    let lines = super::wrap(&format!("{head}  {}", visible(&title)), wide);
    for (n, line) in lines.iter().enumerate() {
        match line.strip_prefix(head.as_str()) {
            Some(rest) if n == 0 => {
                let painted = page.paint.of(colour, &head);
                let rest = page.paint.of(Colour::Bold, rest);
                page.line(&format!("{lead}{painted}{rest}"));
            }
            _ => {
                let painted = page.paint.of(Colour::Bold, line);
                page.line(&format!("{:INDENT$}{painted}", ""));
            }
        }
    }
}

/// Commands have lines of their own, whole: a terminal's own wrapping keeps them pasteable.
fn commands(page: &mut TerminalPage, lines: &[String], id: &str, how: &CommandContext, dir: &str) {
    const LABEL: &str = "reproduce";
    if lines.is_empty() {
        return;
    }
    if lines.iter().map(String::len).sum::<usize>() > PASTED {
        let text = format!("long commands, in {dir}/report.html#finding-{}", visible(id));
        page.entry(INDENT, LABEL, Colour::Plain, &text);
        return;
    }
    if let [note] = lines
        && let Some(note) = note.strip_prefix("# ")
    {
        page.entry(INDENT, LABEL, Colour::Plain, &visible(note));
        return;
    }
    let needed = how.variables();
    let text = if needed.is_empty() {
        "in bash:".to_owned()
    } else {
        format!("in bash, with {} exported:", needed.join(" and "))
    };
    page.entry(INDENT, LABEL, Colour::Plain, &visible(&text));
    for line in lines {
        // Quoting has already spelled out whatever is hidden.
        page.line(&visible(line));
    }
}
