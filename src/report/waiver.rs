//! A waiver as text, to paste into a waivers file.
//!
//! Says nothing about what a waiver does; the reader of waivers stands elsewhere.

use std::fmt::Write as _;

use super::text::is_hidden;
use crate::record::FindingRecord;

/// One entry of a waivers file that covers `finding`; reason, owner and date are left to fill in.
#[must_use]
pub fn waiver(finding: &FindingRecord) -> String {
    format!(
        "- rule: {}\n  case: {}\n  pointer: {}\n  reason: …\n  owner: …\n  expires: YYYY-MM-DD\n",
        scalar(&finding.rule),
        scalar(&finding.case),
        scalar(&finding.place)
    )
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
