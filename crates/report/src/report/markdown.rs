//! `report.md`: the summary of a run for a pull request or a CI job's page.
//!
//! Whatever a target answered stays text: in tables and sentences each mark of Markdown or HTML is written as
//! an entity, and evidence is in fences longer than any run of backticks in it. It must stay below what
//! such pages take.

mod against;

use std::fmt::Write as _;

use super::bytes::readable;
use super::curl::CommandContext;
use super::facts::facts;
use super::json::{Coverage, histogram, thresholds};
use super::minimal::{as_finding, reproduction};
use super::pair::{elements, pair};
use super::text::{
    counted, excerpt, millis, number, seconds, visible, visible_block, visible_body, visible_lines,
    visible_value,
};
use super::waiver::{covering, status};
use super::wording::{
    cases_at_depth, cases_not_run, exchange_line, found_line, headline, left_on_target, notes,
    nothing_tested, other_reasons, shown, state_mark, tested_line, traffic,
};
use crate::record::{AnswerRecord, BodyRecord, Conclusion, NotTested, Summary};
use crate::triage::{Problem, ProblemState, problems};

/// Bytes of the whole report: GitHub cuts a comment at 65,536 characters.
const LIMIT: usize = 60_000;
/// Cases whose response times are shown.
const TIMED: usize = 5;
/// Bytes kept for what follows the findings.
const END: usize = 4_000;
/// Rows of the table of problems.
const ROWS: usize = 40;
/// More problems than these have a table above them.
const WITHOUT_TABLE: usize = 3;
/// Characters of a value.
const VALUE: usize = 300;
/// Characters of a body or a command.
const BLOCK: usize = 2_000;

/// `report.md`.
#[must_use]
pub fn markdown(summary: &Summary) -> String {
    let head = &summary.head;
    let mark = match summary.conclusion {
        Conclusion::Conformant => "✅",
        Conclusion::NonConformant => "❌",
        Conclusion::Inconclusive => "❔",
    };
    let groups = problems(summary);
    let conclusion = summary.conclusion.to_string().to_uppercase();
    let found = found_line(summary, &groups);
    let mut out = String::new();
    against::differences(&mut out, summary);
    let _ = writeln!(out, "## {mark} {conclusion}: {found}\n");
    let stats = summary.stats();
    let _ = writeln!(
        out,
        "{} against {}: **{}**, {}, {}, {}.\n",
        code(&head.specification.endpoint),
        code(&head.target),
        tested_line(summary),
        counted(stats.requests, "request"),
        counted(stats.items, "item"),
        seconds(stats.seconds)
    );
    let reasons = other_reasons(summary);
    if !reasons.is_empty() {
        let inconclusive = summary.conclusion == Conclusion::Inconclusive;
        out.push_str(if inconclusive { "Inconclusive because:\n\n" } else { "Also:\n\n" });
        list(&mut out, reasons.iter().map(String::as_str));
    }
    if groups.len() > WITHOUT_TABLE {
        table(&mut out, summary, &groups);
    }
    let how = CommandContext::from_summary(summary);
    let mut left = 0;
    for (at, group) in groups.iter().enumerate() {
        let problem = problem(summary, group, at + 1, &how);
        if left == 0 && out.len() + problem.len() < LIMIT - END {
            out.push_str(&problem);
        } else {
            left += 1;
        }
    }
    if left > 0 {
        let _ = writeln!(out, "_{} in report.html._\n", counted(left, "more problem"));
    }
    let mut end = String::new();
    times(&mut end, summary);
    if out.len() + end.len() + END > LIMIT {
        end.clear();
    }
    ending(&mut end, summary);
    // A profile may skip hundreds of rules with long reasons; the limit holds all the same.
    let room = LIMIT.saturating_sub(out.len());
    if end.len() > room {
        end.clear();
    }
    out.push_str(&end);
    out
}

fn table(out: &mut String, summary: &Summary, groups: &[Problem<'_>]) {
    out.push_str("| # | level | rule | where | cases | seen |\n|--:|---|---|---|--:|--:|\n");
    for (at, group) in groups.iter().take(ROWS).enumerate() {
        let title = headline(summary, group);
        let _ = writeln!(
            out,
            "| {} | {}{} | {} {} | {} | {} | {} |",
            at + 1,
            group.level,
            state_mark(group.state),
            escaped(group.rule()),
            escaped(&title),
            code(&excerpt(&group.lead.0.place, 80)),
            number(group.cases().len() as u64),
            counted(group.count(), "time"),
        );
    }
    if groups.len() > ROWS {
        let _ = writeln!(out, "| | | {} more | | | |", groups.len() - ROWS);
    }
    out.push('\n');
}

/// A problem: its requirement, what happened, and, folded, what shows it and covers it.
fn problem(summary: &Summary, group: &Problem<'_>, at: usize, how: &CommandContext) -> String {
    let title = headline(summary, group);
    let mut out = format!(
        "### {at}. {}{} {}: {}\n\n",
        group.level,
        state_mark(group.state),
        escaped(group.rule()),
        escaped(&title)
    );
    let mut text = String::new();
    for fact in facts(summary, group) {
        let _ = writeln!(text, "{:<11}{}", fact.label, fact.text);
    }
    fence(&mut out, "text", &text);
    let id = code(&group.lead.0.id);
    let _ = writeln!(out, "<details><summary>Reproduce, evidence (finding {id})</summary>\n");
    let lines = reproduction(summary, &group.lead.0, how);
    if !lines.is_empty() && lines.iter().map(String::len).sum::<usize>() <= BLOCK {
        fence(&mut out, "bash", &lines.join("\n"));
    }
    evidence(&mut out, summary, group);
    if group.state != ProblemState::Waived {
        out.push_str("A waiver, to fill in:\n\n");
        fence(&mut out, "yaml", &covering(group));
    }
    out.push_str("</details>\n\n");
    out
}

/// The exchange that shows a problem.
fn evidence(out: &mut String, summary: &Summary, group: &Problem<'_>) {
    let smallest = as_finding(summary, &group.lead.0);
    let finding = smallest.as_ref().unwrap_or(&group.lead.0);
    let Some((_, exchange)) = shown(finding) else { return };
    let mut text = exchange_line(exchange);
    let beside = pair(finding).map(|p| (p.index, elements(exchange, p.index)));
    if let Some((index, (Some(item), Some(result)))) = beside {
        // One item beside its result says more than two whole batches.
        let item = visible_value(&excerpt(item, BLOCK));
        let result = visible_value(&excerpt(result, BLOCK));
        let _ = write!(text, "\nitem {index}:   {item}\nresult {index}: {result}");
    } else {
        // An item without a result stands beside the whole answer: its result may be missing, or elsewhere.
        let _ = match beside {
            Some((index, (Some(item), None))) => {
                write!(text, "\nitem {index}: {}", visible_value(&excerpt(item, BLOCK)))
            }
            _ => write!(text, "\n{}", body(&exchange.request.body)),
        };
        if let AnswerRecord::Received { status, body: answer, .. } = &exchange.answer {
            let _ = write!(text, "\n{status}\n{}", body(answer));
        }
    }
    fence(out, "text", &text);
}

fn ending(out: &mut String, summary: &Summary) {
    let head = &summary.head;
    let not_tested: Vec<String> = summary
        .rules_shown()
        .filter(|r| r.not_tested().is_some_and(|why| !matches!(why, NotTested::Skipped(_))))
        .map(|r| escaped(&r.rule.id))
        .collect();
    if !not_tested.is_empty() && !nothing_tested(summary) {
        let rules = counted(not_tested.len() as u64, "rule");
        let _ = writeln!(out, "{rules} not tested: {}\n", not_tested.join(", "));
    }
    let skipped: Vec<String> =
        head.skipped.iter().map(|(what, why)| format!("{what}: {why}")).collect();
    if !skipped.is_empty() {
        out.push_str("Skipped\n\n");
        list(out, skipped.iter().map(String::as_str));
    }
    let not_run: Vec<String> = cases_not_run(summary)
        .into_iter()
        .map(|(why, cases)| format!("{}: {why}", cases.join(", ")))
        .collect();
    if !not_run.is_empty() {
        out.push_str("Cases not run\n\n");
        list(out, not_run.iter().map(String::as_str));
    }
    let remarks: Vec<String> = notes(summary)
        .into_iter()
        .map(|(what, cases)| format!("{}: {what}", cases.join(", ")))
        .collect();
    if !remarks.is_empty() {
        out.push_str("Notes\n\n");
        list(out, remarks.iter().map(String::as_str));
    }
    if !summary.waivers.is_empty() {
        out.push_str("Waivers\n\n");
        let lines: Vec<String> = summary
            .waivers
            .iter()
            .map(|w| format!("{}: {}. {}", w.waiver.scope(), status(w), w.waiver.told()))
            .collect();
        list(out, lines.iter().map(String::as_str));
    }
    covered(out, summary);
    if let Some(traffic) = traffic(head) {
        let _ = writeln!(
            out,
            "<sub>{}. Nothing was sent. Specification {}, batchproof {}.</sub>",
            escaped(&traffic),
            code(&short(&head.specification.hash)),
            escaped(&head.tool),
        );
        return;
    }
    let left = escaped(&left_on_target(summary));
    let _ = writeln!(
        out,
        "<sub>Depth {}, {}, seed {}, run {}. Left: {left}. Specification {}, cases {}, batchproof {}. \
         What a target stores is invisible through this endpoint; only its keys reveal it.</sub>",
        head.depth,
        cases_at_depth(summary),
        head.seed,
        code(&head.run_id),
        code(&short(&head.specification.hash)),
        code(&short(&head.suite)),
        escaped(&head.tool),
    );
}

/// Coverage in numbers.
fn covered(out: &mut String, summary: &Summary) {
    if !summary.head.whole_suite || summary.head.cells.is_empty() {
        return;
    }
    let Coverage { schema, documented_codes: codes, refusal_modes: kinds, .. } =
        Coverage::from_summary(summary);
    let _ = writeln!(
        out,
        "Covered: {} of {} coverage points of the request schema ({} %), {} of {} documented error codes. \
         Invalid items were refused with a 400 for the request ({}), item by item ({}), both ways ({}).\n",
        number(schema.covered),
        number(schema.of),
        schema.percent(),
        codes.covered,
        codes.of,
        counted(kinds.request, "kind"),
        counted(kinds.item, "kind"),
        counted(kinds.both, "kind"),
    );
}

/// Thresholds beside what was measured, and how long the answers of each such case took.
fn times(out: &mut String, summary: &Summary) {
    for case in summary.cases.iter().filter(|c| c.record.is_some()).take(TIMED) {
        let Some(record) = &case.record else { continue };
        let bars = histogram(summary, &case.id, record);
        let thresholds = thresholds(summary, &case.id, record);
        if bars.is_empty() && thresholds.is_empty() {
            continue;
        }
        let _ = writeln!(out, "<details><summary>Response times of {}</summary>\n", code(&case.id));
        if !thresholds.is_empty() {
            out.push_str("| threshold | at most | measured | |\n|---|--:|--:|---|\n");
            for threshold in &thresholds {
                let result = if threshold.crossed { "**crossed**" } else { "held" };
                let _ = writeln!(
                    out,
                    "| {} | {} | {} | {result} |",
                    escaped(&threshold.name),
                    escaped(&threshold.limit),
                    escaped(&threshold.shown)
                );
            }
            out.push('\n');
        }
        let most = bars.iter().map(|bar| bar.count).max().unwrap_or(1).max(1);
        let mut text = String::new();
        for bar in &bars {
            let length = usize::try_from((bar.count * 40).div_ceil(most)).unwrap_or(40);
            let _ = writeln!(
                text,
                "{:>10} to {:>10} {:<40} {}",
                millis(bar.from_ms),
                millis(bar.to_ms),
                "█".repeat(length),
                number(bar.count)
            );
        }
        fence(out, "text", &text);
        out.push_str("</details>\n\n");
    }
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

fn list<'a>(out: &mut String, lines: impl Iterator<Item = &'a str>) {
    for line in lines {
        let lines = visible_lines(&excerpt(line, VALUE));
        let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
        let _ = writeln!(out, "- {}", lines.join("<br>"));
    }
    out.push('\n');
}

fn body(record: &BodyRecord) -> String {
    match record {
        BodyRecord::None => String::new(),
        BodyRecord::Text(text) => visible_body(&excerpt(text, BLOCK)),
        BodyRecord::Hex(hex) => excerpt(&readable(hex), BLOCK),
        BodyRecord::Excerpt { bytes, begins, .. } => {
            format!("{}\n({bytes} bytes)", excerpt(begins, BLOCK))
        }
    }
}

/// A block of code whose fence is longer than any run of backticks in it.
fn fence(out: &mut String, language: &str, text: &str) {
    let text = visible_block(text.trim_end_matches('\n'));
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    let _ = writeln!(out, "{fence}{language}\n{text}\n{fence}\n");
}

/// A value of the target's: nothing in it is a mark, a link or somebody's name.
fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<code>{}</code>", escaped(text)) }
}

/// Text in which nothing is a mark. Entities are read as text and never as structure.
fn escaped(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len());
    let mut previous = ' ';
    for c in text.chars() {
        match c {
            // It would notify a user; a comment separates it from the name even if entities are resolved early.
            '@' => out.push_str("&#64;<!-- -->"),
            // `#12` names an issue, `www.` and `x.y` may become links.
            '#' => out.push_str("&#35;<!-- -->"),
            '.' if previous.is_ascii_alphanumeric() => out.push_str("&#46;"),
            ' ' | '-' | '/' | ',' | ';' | '=' | '+' | '.' | '(' | ')' => out.push(c),
            c if c.is_ascii_punctuation() => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
        previous = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn hostile_strings_stay_text() {
        let text = markdown(&sample::hostile());
        assert!(text.starts_with("## ❌ NONCONFORMANT: "));
        assert!(!text.contains(|c: char| c != '\n' && super::super::text::is_hidden(c)));
        let mut fence: Option<usize> = None;
        for line in text.lines() {
            let ticks = line.chars().take_while(|c| *c == '`').count();
            match fence {
                None if ticks >= 3 => fence = Some(ticks),
                Some(open) if ticks >= open => fence = None,
                Some(_) => {}
                None => {
                    assert!(!line.contains("<img") && !line.contains("@everyone"), "{line}");
                    assert!(!line.contains('`'), "{line}");
                }
            }
        }
        assert!(fence.is_none(), "each fence is closed");
        let rows: Vec<&str> = text.lines().filter(|l| l.starts_with("| ")).collect();
        assert!(rows.iter().all(|r| r.matches('|').count() == 7), "{rows:#?}");
        assert_eq!(
            escaped("a|b `c` <d> [e](f) *g* @h"),
            "a&#124;b &#96;c&#96; &#60;d&#62; &#91;e&#93;(f) &#42;g&#42; &#64;<!-- -->h"
        );
    }

    #[test]
    fn it_stays_short() {
        let text = markdown(&sample::large(1000));
        assert!(text.len() <= LIMIT, "{}", text.len());
        assert!(text.contains("more problems in report.html"));
        assert!(markdown(&sample::killed()).contains("INCONCLUSIVE"));
    }
}
