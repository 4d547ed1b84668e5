//! The smallest trial of a finding, in a sentence: what all reports say of it.

use super::text::counted;
use crate::record::{FindingRecord, Minimal, Size, Summary};

/// What shrinking a finding came to; nothing where it was not tried.
pub(super) fn minimal_line(summary: &Summary, finding: &FindingRecord) -> Option<String> {
    let minimal = summary.minimals.get(&finding.id)?;
    let sent = counted(minimal.requests, "request");
    Some(match (minimal.is_smaller(), &minimal.note) {
        (true, note) => {
            let mut note = note.as_ref().map(|n| format!("; {n}")).unwrap_or_default();
            if minimal.of > 1 {
                note = format!(
                    "; sent at last, it showed in {} of {}{note}",
                    minimal.shown, minimal.of
                );
            }
            format!("{} (found with {sent}{note})", sizes(minimal))
        }
        (false, Some(note)) => format!("as it is: {note}"),
        (false, None) => format!("as it is: none of {sent} with less in it showed it"),
    })
}

/// `1 request with 2 items instead of 1 request with 17 items`.
fn sizes(minimal: &Minimal) -> String {
    let (to, from) = (size(minimal.to), size(minimal.from));
    if to == from {
        format!("{to}, {} bytes instead of {}", minimal.to.bytes, minimal.from.bytes)
    } else {
        format!("{to} instead of {from}")
    }
}

/// `1 request with 2 items`.
pub(super) fn size(size: Size) -> String {
    format!("{} with {}", counted(size.requests, "request"), counted(size.items, "item"))
}

/// The finding as its smallest trial shows it; nothing where that is the first one.
pub(super) fn as_finding(summary: &Summary, finding: &FindingRecord) -> Option<FindingRecord> {
    let minimal = summary.smaller(finding)?.clone();
    Some(FindingRecord {
        position: minimal.position,
        expected: minimal.expected,
        actual: minimal.actual,
        message: minimal.message,
        evidence: minimal.evidence,
        ..finding.clone()
    })
}
