//! Waivers as text: an entry to paste into a waivers file, and what became of those that hold.
//!
//! Decides nothing; the reader of waivers, and what adds up their fates, stand elsewhere.

use std::fmt::Write as _;

use super::groups::Group;
use super::text::{counted, is_hidden};
use crate::record::{Fate, FindingRecord, WaiverSummary};

/// One entry of a waivers file that covers `finding`; reason, owner and date are left to fill in.
#[must_use]
pub fn waiver(finding: &FindingRecord) -> String {
    entry(&finding.rule, Some(&finding.case), &finding.place)
}

/// Entries that cover all findings of a group, one a rule and place: of every case, where several show it.
pub(super) fn covering(group: &Group<'_>) -> String {
    let mut covered: Vec<(&str, &str)> = Vec::new();
    let mut text = String::new();
    for (finding, _) in std::iter::once(group.lead).chain(group.others()) {
        let here = (finding.rule.as_str(), finding.place.as_str());
        if covered.contains(&here) {
            continue;
        }
        covered.push(here);
        let same = |f: &FindingRecord| (f.rule.as_str(), f.place.as_str()) == here;
        let mut others = group.all.iter().map(|(f, _)| f).filter(|f| same(f));
        let one_case = others.all(|f| f.case == finding.case);
        text.push_str(&entry(&finding.rule, one_case.then_some(&finding.case), &finding.place));
    }
    text
}

fn entry(rule: &str, case: Option<&str>, place: &str) -> String {
    let mut text = format!("- rule: {}\n", scalar(rule));
    if let Some(case) = case {
        let _ = writeln!(text, "  case: {}", scalar(case));
    }
    let _ = writeln!(text, "  pointer: {}", scalar(place));
    text.push_str("  reason: …\n  owner: …\n  expires: YYYY-MM-DD\n");
    text
}

/// What became of a waiver, in a few words.
pub(super) fn fate_word(fate: Fate) -> &'static str {
    match fate {
        Fate::Used => "used",
        Fate::Expired => "expired",
        Fate::Stale => "stale",
        Fate::Quiet => "quiet",
        Fate::NotRun => "not run",
    }
}

/// What became of a waiver, in a sentence.
pub(super) fn fate(waiver: &WaiverSummary) -> String {
    let count = waiver.findings.len() as u64;
    match waiver.fate {
        Fate::Used => format!("covers {}", counted(count, "finding")),
        Fate::Expired => {
            let until = waiver.waiver.expires;
            let again = match count {
                0 => String::new(),
                _ => format!("; {} that it covered count again", counted(count, "finding")),
            };
            format!("expired after {until}, so it waives nothing{again}")
        }
        Fate::Stale => {
            "stale: its rule and case ran, and nothing matched; take it out of the file".to_owned()
        }
        Fate::Quiet => "nothing matched this time; it says that its finding is flaky".to_owned(),
        Fate::NotRun => "its rule was not judged there in this run, or not to the end".to_owned(),
    }
}

/// A YAML string: plain where nothing else could be read into it, else in double quotes.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/_.*-".contains(c))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_ascii_lowercase().as_str());
    if plain {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if is_hidden(c) => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_string_survives_yaml() {
        for text in [
            "/results/*/x",
            "",
            "no",
            "a: b",
            "*x",
            "\"\\\u{202e}\u{1}\n",
            "#",
            "12",
            "é",
            "- a",
            "/a #b",
        ] {
            let yaml = format!("key: {}\n", scalar(text));
            let back: std::collections::BTreeMap<String, String> =
                serde_saphyr::from_str(&yaml).unwrap();
            assert_eq!(back["key"], text, "{yaml}");
        }
    }
}
