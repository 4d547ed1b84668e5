//! The comparison with an older target, before the problems.

use std::fmt::Write as _;

use super::{code, escaped, fence, list};
use crate::record::{AgainstConclusion, Summary};
use crate::report::against::{compared_line, difference_facts, differences_line, remarks, title};
use crate::report::text::{counted, visible};
use crate::triage::difference_groups;

/// Bytes that the comparison takes at most: what follows must fit too.
const LIMIT: usize = 25_000;

/// Heading, differences and remarks; nothing where there was no comparison.
pub(super) fn differences(out: &mut String, summary: &Summary) {
    let Some(against) = &summary.against else { return };
    let groups = difference_groups(against);
    let mark = match against.conclusion {
        AgainstConclusion::Same => "✅",
        AgainstConclusion::Different => "❌",
        AgainstConclusion::NotCompared => "❔",
    };
    let word = against.conclusion.to_string().to_uppercase();
    let _ = writeln!(out, "## {mark} {word}: {}\n", escaped(&differences_line(&groups)));
    let _ = writeln!(
        out,
        "{} with {} as the older target.\n",
        compared_line(against),
        code(&against.head.target)
    );
    let mut notes: Vec<String> = against.reasons.clone();
    notes.extend(remarks(against));
    if !notes.is_empty() {
        list(out, notes.iter().map(String::as_str));
    }
    let from = out.len();
    for (at, group) in groups.iter().enumerate() {
        let mut text = String::new();
        let state =
            if group.counts() { String::new() } else { format!(" ({})", group.state().words()) };
        let _ = writeln!(
            text,
            "### {}. {}{state}: {}\n",
            at + 1,
            group.lead.verdict.words(),
            escaped(&title(group))
        );
        let mut block = String::new();
        for fact in difference_facts(summary, group) {
            let _ = writeln!(block, "{:<11}{}", fact.label, visible(&fact.text));
        }
        fence(&mut text, "text", &block);
        if out.len() - from + text.len() > LIMIT {
            let left = counted((groups.len() - at) as u64, "more difference");
            let _ = writeln!(out, "_{left} in report.html._\n");
            break;
        }
        out.push_str(&text);
    }
}
