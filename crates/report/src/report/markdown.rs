//! `report.md`: the summary of a run for a pull request or a CI job's page.
//!
//! Whatever a target answered stays text: in tables and sentences each mark of Markdown or HTML is written as
//! an entity, and evidence stands in fences longer than any run of backticks in it. It must stay below what
//! such pages take.

use std::fmt::Write as _;

use super::curl::How;
use super::groups::{
    Group, State, exchange_line, groups, headline, proof, rule_of, shown, unjudged,
};
use super::json::Coverage;
use super::minimal::{again, as_finding, chance, minimal_line};
use super::pair::{elements, pair};
use super::text::{counted, excerpt, number, seconds, visible, visible_block};
use super::waiver::{covering, fate};
use crate::record::{AnswerRecord, BodyRecord, Conclusion, Summary};

/// Bytes of the whole report: GitHub cuts a comment at 65,536 characters.
const LIMIT: usize = 60_000;
/// Bytes kept for what follows the findings.
const END: usize = 4_000;
/// Rows of the table of findings.
const ROWS: usize = 40;
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
    let mut out = format!("## {mark} batchproof: {}\n\n", summary.conclusion);
    let _ = writeln!(out, "**{}**\n", headline(summary));
    let stats = summary.stats();
    let _ = writeln!(
        out,
        "{} against {}: {}, {}, {}.\n",
        code(&head.specification.endpoint),
        code(&head.target),
        counted(stats.requests, "request"),
        counted(stats.items, "item"),
        seconds(stats.seconds)
    );
    if summary.conclusion == Conclusion::Inconclusive {
        out.push_str("Why it is inconclusive:\n\n");
        list(&mut out, summary.reasons.iter().map(String::as_str));
    }
    let is_cut = summary.tail.as_ref().is_none_or(|tail| tail.cut_short);
    if is_cut && summary.conclusion == Conclusion::NonConformant {
        out.push_str("The run did not come to its end; what it did not reach is not judged:\n\n");
        list(&mut out, summary.reasons.iter().map(String::as_str));
    }
    let groups = groups(summary);
    if !groups.is_empty() {
        table(&mut out, summary, &groups);
    }
    let how = How::of(summary);
    let mut untold = 0;
    for (at, group) in groups.iter().enumerate() {
        let details = details(summary, group, at + 1, &how);
        if untold == 0 && out.len() + details.len() < LIMIT - END {
            out.push_str(&details);
        } else {
            untold += 1;
        }
    }
    if untold > 0 {
        let _ = writeln!(out, "_{} in report.html._\n", counted(untold, "more cause"));
    }
    let mut end = String::new();
    ending(&mut end, summary);
    // A profile may skip hundreds of rules with long reasons; the limit holds all the same.
    let room = LIMIT.saturating_sub(out.len());
    if end.len() > room {
        end.clear();
    }
    out.push_str(&end);
    out
}

fn table(out: &mut String, summary: &Summary, groups: &[Group<'_>]) {
    out.push_str("| # | level | rule | where | cases | seen |\n|--:|---|---|---|---|---|\n");
    for (at, group) in groups.iter().take(ROWS).enumerate() {
        let state = match group.state {
            State::Standing => String::new(),
            state => format!(" ({})", state.word()),
        };
        let title = rule_of(summary, group.rule()).map_or("", |r| r.rule.title.as_str());
        let cases = group.cases();
        let first = cases.first().map(|c| code(c)).unwrap_or_default();
        let more =
            if cases.len() > 1 { format!(" and {} more", cases.len() - 1) } else { String::new() };
        let _ = writeln!(
            out,
            "| {} | {}{state} | {} {} | {} | {first}{more} | {} |",
            at + 1,
            group.level,
            escaped(group.rule()),
            escaped(title),
            code(&excerpt(&group.lead.0.place, 80)),
            counted(group.count(), "time"),
        );
    }
    if groups.len() > ROWS {
        let _ = writeln!(out, "| | | {} more | | | |", groups.len() - ROWS);
    }
    out.push('\n');
}

fn details(summary: &Summary, group: &Group<'_>, at: usize, how: &How) -> String {
    let (finding, update) = group.lead;
    let smallest = as_finding(summary, finding);
    let shortest = smallest.as_ref().unwrap_or(finding);
    let mut out = format!(
        "<details><summary>{at}. {} {}: {}</summary>\n\n",
        group.level,
        escaped(group.rule()),
        escaped(&excerpt(&shortest.message, VALUE))
    );
    let mut line = |label: &str, text: String| {
        let _ = writeln!(out, "- {label}: {text}");
    };
    line("where", code(&shortest.position.pointer));
    line("expected", code(&excerpt(&shortest.expected, VALUE)));
    line("actual", code(&excerpt(&shortest.actual, VALUE)));
    line("seen", format!("{}; {}", counted(group.count(), "time"), proof(group.lead)));
    if let Some(also) = group.also() {
        line("shown too by", escaped(&also));
    }
    if let Some(reason) = &update.waived {
        line("waived", escaped(reason));
    }
    if let Some(rule) = rule_of(summary, group.rule()) {
        line("required by", escaped(&rule.rule.cite));
    }
    line("id", code(&finding.id));
    if let Some(line) = minimal_line(summary, finding) {
        let _ = writeln!(out, "- smallest trial: {}", escaped(&line));
    }
    if let Some((_, exchange)) = shown(shortest) {
        let mut text = exchange_line(exchange);
        let beside = pair(shortest).map(|p| (p.index, elements(exchange, p.index)));
        if let Some((index, (Some(item), result))) = beside {
            // One item beside its result says more than two whole batches.
            let _ = write!(text, "\nitem {index}:   {}", excerpt(item, BLOCK));
            let result = result.unwrap_or("(none)");
            let _ = write!(text, "\nresult {index}: {}", excerpt(result, BLOCK));
        } else {
            let _ = write!(text, "\n{}", body(&exchange.request.body));
            if let AnswerRecord::Received { status, body: answer, .. } = &exchange.answer {
                let _ = write!(text, "\n{status}\n{}", body(answer));
            }
        }
        out.push('\n');
        fence(&mut out, "", &text);
    }
    let lines = again(summary, finding, how);
    if !lines.is_empty() && lines.iter().map(String::len).sum::<usize>() <= BLOCK {
        if let Some(chance) = chance(summary, group.lead) {
            let _ = writeln!(out, "{}\n", escaped(&chance));
        }
        fence(&mut out, "bash", &lines.join("\n"));
    }
    if group.state != State::Waived {
        fence(&mut out, "yaml", &covering(group));
    }
    out.push_str("</details>\n\n");
    out
}

fn ending(out: &mut String, summary: &Summary) {
    let head = &summary.head;
    let silent: Vec<String> = summary
        .rules
        .iter()
        .filter(|r| r.skipped.is_none() && unjudged(r).is_some())
        .map(|r| escaped(&r.rule.id))
        .collect();
    if !silent.is_empty() {
        let rules = counted(silent.len() as u64, "rule");
        let _ = writeln!(out, "{rules} never judged: {}\n", silent.join(", "));
    }
    let skipped: Vec<String> =
        head.skipped.iter().map(|(what, why)| format!("{what}: {why}")).collect();
    if !skipped.is_empty() {
        out.push_str("The profile skips\n\n");
        list(out, skipped.iter().map(String::as_str));
    }
    if !summary.waivers.is_empty() {
        out.push_str("Waivers\n\n");
        let lines: Vec<String> = summary
            .waivers
            .iter()
            .map(|w| format!("{}: {}. {}", w.waiver.scope(), fate(w), w.waiver.told()))
            .collect();
        list(out, lines.iter().map(String::as_str));
    }
    covered(out, summary);
    let left = match &summary.tail {
        Some(tail) => number(tail.left_behind),
        None => "an unknown number of".to_owned(),
    };
    let _ = writeln!(
        out,
        "<sub>depth {}, seed {}, run {}; it left {left} numbers behind. Specification {}, cases {}, batchproof {}. \
         What a target stores can't be seen through this endpoint; only its numbers betray it.</sub>",
        head.depth,
        head.seed,
        code(&head.run_id),
        code(&short(&head.specification.hash)),
        code(&short(&head.suite)),
        escaped(&head.tool),
    );
}

/// What was exercised, as figures.
fn covered(out: &mut String, summary: &Summary) {
    if !summary.head.whole_suite || summary.head.cells.is_empty() {
        return;
    }
    let Coverage { schema, documented_codes: codes, rules, refusal_modes: kinds, .. } =
        Coverage::of(summary);
    let _ = writeln!(
        out,
        "Covered: {} of {} cells of the request schema ({} %), {} of {} documented codes, {} of {} rules. \
         Broken items were refused with a 400 for the request ({}), item by item ({}), by both ({}).\n",
        number(schema.covered),
        number(schema.of),
        schema.percent(),
        codes.covered,
        codes.of,
        rules.covered,
        rules.of,
        counted(kinds.request, "kind"),
        counted(kinds.item, "kind"),
        counted(kinds.both, "kind"),
    );
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

fn list<'a>(out: &mut String, lines: impl Iterator<Item = &'a str>) {
    for line in lines {
        let _ = writeln!(out, "- {}", escaped(&excerpt(line, VALUE)));
    }
    out.push('\n');
}

fn body(record: &BodyRecord) -> String {
    match record {
        BodyRecord::None => String::new(),
        BodyRecord::Text(text) => excerpt(text, BLOCK),
        BodyRecord::Hex(hex) => format!("bytes {}", excerpt(hex, BLOCK)),
        BodyRecord::Excerpt { bytes, begins, .. } => {
            format!("{}\n({bytes} bytes)", excerpt(begins, BLOCK))
        }
    }
}

/// A block of code whose fence is longer than any run of backticks in it.
fn fence(out: &mut String, language: &str, text: &str) {
    let text = visible_block(text.trim_end());
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
            // A name after it would be told; a comment parts the two even where entities are resolved early.
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
        assert!(text.starts_with("## ❌ batchproof: nonconformant"));
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
        assert!(text.contains("more causes in report.html"));
        assert!(markdown(&sample::killed()).contains("inconclusive"));
    }
}
