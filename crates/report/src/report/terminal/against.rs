//! The comparison with an older target: its conclusion, and each difference with both answers.

use super::TerminalPage;
use super::paint::Colour;
use crate::record::{AgainstConclusion, AgainstSummary, DifferenceVerdict, Summary};
use crate::report::against::{
    compared_line, difference_facts, differences_line, remarks, targets, title,
};
use crate::report::text::{counted, visible};
use crate::triage::difference_groups;

/// Differences shown in full.
const FULL: usize = 20;
/// Columns before the lines about a difference.
const INDENT: usize = 3;

/// `DIFFERENT  http://new against http://old  2 differences (1 regression, 1 allowed)    1,234 requests compared`.
pub(super) fn headline(page: &mut TerminalPage, summary: &Summary, against: &AgainstSummary) {
    let colour = match against.conclusion {
        AgainstConclusion::Same => Colour::Green,
        AgainstConclusion::Different => Colour::Red,
        AgainstConclusion::NotCompared => Colour::Yellow,
    };
    let groups = difference_groups(against);
    let word = page.paint.of(colour, &against.conclusion.to_string().to_uppercase());
    let line = format!("{}  {}", targets(summary, against), differences_line(&groups));
    page.line(&format!("{word}  {line}    {}", compared_line(against)));
    for (at, reason) in against.reasons.iter().enumerate() {
        page.entries(2, if at == 0 { "because" } else { "" }, Colour::Yellow, reason);
    }
}

/// The differences, and what was not compared.
pub(super) fn differences(page: &mut TerminalPage, summary: &Summary, dir: &str) {
    let Some(against) = &summary.against else { return };
    let groups = difference_groups(against);
    page.heading(&format!("Differences from {}", visible(&against.head.target)));
    if groups.is_empty() {
        page.text(2, Colour::Plain, &differences_line(&groups));
    }
    for (at, group) in groups.iter().take(FULL).enumerate() {
        if at > 0 {
            page.blank();
        }
        let colour = match group.lead.verdict {
            _ if !group.counts() => Colour::Yellow,
            DifferenceVerdict::Regression | DifferenceVerdict::BothViolate => Colour::Red,
            DifferenceVerdict::Allowed => Colour::Yellow,
            DifferenceVerdict::Fixed => Colour::Green,
        };
        let mut word = group.lead.verdict.words().to_uppercase();
        if !group.counts() {
            word = format!("{word} ({})", group.state().words());
        }
        let word = page.paint.of(colour, &word);
        let bold = page.paint.of(Colour::Bold, &title(group));
        page.line(&format!("{:<2} {word}  {bold}", at + 1));
        for fact in difference_facts(summary, group) {
            page.entry(INDENT, &fact.label, Colour::Plain, &fact.text);
        }
    }
    if groups.len() > FULL {
        page.blank();
        let more = counted((groups.len() - FULL) as u64, "more difference");
        page.text(0, Colour::Plain, &format!("{more} in {dir}/report.html"));
    }
    let remarks = remarks(against);
    if !remarks.is_empty() {
        page.blank();
    }
    for remark in remarks {
        page.entry(2, "note", Colour::Plain, &visible(&remark));
    }
    if !summary.findings.is_empty() {
        page.heading(&format!("Problems of {}", visible(&summary.head.target)));
    }
}
