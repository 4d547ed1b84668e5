//! A comparison of two runs of one target on a terminal: what is new first.

use super::paint::{Colour, Paint};
use super::{TerminalPage, TerminalStyle, columns};
use crate::compare::Diff;
use crate::contract::Level;
use crate::record::{RecordedFinding, RuleOutcome, Summary};
use crate::report::minimal::as_finding;
use crate::report::text::{counted, excerpt, visible};
use crate::report::wording::{cases_shown, outcome_word, rule_of, state_mark, totals_line};
use crate::triage::{Problem, ProblemTotals, problems, problems_among};

/// Causes of a kind that are shown.
const CAUSES: usize = 20;
/// Characters of a value.
const VALUE: usize = 240;

/// What `report BEFORE AFTER` prints; `names` are those of the two runs.
#[must_use]
pub fn diff(diff: &Diff<'_>, names: (&str, &str), style: TerminalStyle) -> String {
    let mut page =
        TerminalPage { out: String::new(), columns: columns(style), paint: Paint(style.colour) };
    let unknown: Vec<&RecordedFinding> = diff.unknown.iter().map(|u| u.found).collect();
    super::concluded(&mut page, diff.after.conclusion, &format!("  {}", counts(diff)));
    for (label, name, summary) in [("before", names.0, diff.before), ("after", names.1, diff.after)]
    {
        page.entry(2, label, Colour::Plain, &run_line(name, summary));
    }
    for caveat in &diff.caveats {
        page.text(2, Colour::Plain, &format!("note: {}", visible(caveat)));
    }
    causes(&mut page, "new", Colour::Red, diff.after, &diff.new);
    causes(&mut page, "fixed", Colour::Green, diff.before, &diff.fixed);
    causes(&mut page, "still there", Colour::Yellow, diff.after, &diff.still);
    causes(&mut page, "gone, but not shown to be fixed", Colour::Plain, diff.before, &unknown);
    let mut reasons: Vec<&str> = diff.unknown.iter().map(|u| u.why).collect();
    reasons.dedup();
    reasons.sort_unstable();
    reasons.dedup();
    for why in reasons {
        let count = diff.unknown.iter().filter(|u| u.why == why).count();
        page.text(2, Colour::Dim, &format!("{}: {why}", counted(count as u64, "finding")));
    }
    rules(&mut page, diff);
    page.out
}

fn counts(diff: &Diff<'_>) -> String {
    let mut parts = vec![
        format!("{} new", diff.new.len()),
        format!("{} fixed", diff.fixed.len()),
        format!("{} still there", diff.still.len()),
    ];
    if !diff.unknown.is_empty() {
        parts.push(format!("{} gone, but not shown to be fixed", diff.unknown.len()));
    }
    format!("{} (it was {})", parts.join(", "), diff.before.conclusion)
}

fn run_line(name: &str, summary: &Summary) -> String {
    format!(
        "{}: {}, {}; {}, {}",
        visible(name),
        summary.conclusion,
        totals_line(ProblemTotals::from_problems(&problems(summary))),
        visible(&summary.head.target),
        visible(&summary.head.started)
    )
}

fn causes(
    page: &mut TerminalPage,
    what: &str,
    colour: Colour,
    of: &Summary,
    found: &[&RecordedFinding],
) {
    if found.is_empty() {
        return;
    }
    let groups = problems_among(of, found.iter().copied());
    let problems = counted(groups.len() as u64, "problem");
    let findings = counted(found.len() as u64, "finding");
    page.heading(&format!("{problems} {what} ({findings})"));
    for group in groups.iter().take(CAUSES) {
        cause(page, of, group, colour);
    }
    if groups.len() > CAUSES {
        page.text(2, Colour::Plain, &counted((groups.len() - CAUSES) as u64, "more problem"));
    }
}

fn cause(page: &mut TerminalPage, of: &Summary, group: &Problem<'_>, colour: Colour) {
    let finding = &group.lead.0;
    let state = state_mark(group.state);
    let title = rule_of(of, &finding.rule).map_or("", |r| r.rule.title.as_str());
    let head = format!("{}{state} {}  {}", group.level, visible(&finding.rule), visible(title));
    page.text(2, colour, &head);
    let smallest = as_finding(of, finding);
    let message = &smallest.as_ref().unwrap_or(finding).message;
    page.text(6, Colour::Plain, &visible(&excerpt(message, VALUE)));
    let label = if group.cases().len() == 1 { "case" } else { "cases" };
    page.entry(6, label, Colour::Plain, &cases_shown(group, 5));
    page.entry(6, "seen", Colour::Plain, &counted(group.count(), "time"));
}

/// Rules with another outcome, MUST first.
fn rules(page: &mut TerminalPage, diff: &Diff<'_>) {
    if diff.rules.is_empty() {
        return;
    }
    page.heading(&format!("{} changed", counted(diff.rules.len() as u64, "rule outcome")));
    for level in [Level::Must, Level::Should] {
        for change in diff.rules.iter().filter(|c| c.rule.level == level) {
            let word = |outcome: Option<RuleOutcome>| outcome.map_or("unknown", outcome_word);
            let colour = match change.after {
                Some(RuleOutcome::Passed) => Colour::Green,
                Some(RuleOutcome::Failed | RuleOutcome::Errored) => Colour::Red,
                _ => Colour::Yellow,
            };
            let line = format!(
                "{} {level}: {} → {}",
                visible(&change.rule.id),
                word(change.before),
                word(change.after)
            );
            page.text(2, colour, &line);
        }
    }
}
