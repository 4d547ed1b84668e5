//! Prose as Markdown: rules and interpretations that a sentence names become links.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::check::rules;

static RULES: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| rules::all().iter().map(|rule| rule.id).collect());

/// A link to the page of a rule; `up` leads from the page to the manual's source directory.
pub(super) fn rule(id: &str, up: &str) -> String {
    format!("[{id}]({up}{})", super::rule_page(id))
}

/// Links to the pages of rules, separated by commas.
pub(super) fn rule_list<'a>(ids: impl IntoIterator<Item = &'a str>, up: &str) -> String {
    ids.into_iter().map(|id| rule(id, up)).collect::<Vec<_>>().join(", ")
}

/// A text with its names linked and its angle brackets and underscores as they are; code stays as it is.
pub(super) fn prose(text: &str, up: &str) -> String {
    let mut out = String::new();
    for (part, text) in text.split('`').enumerate() {
        if part % 2 == 1 {
            out.push('`');
            out.push_str(text);
            out.push('`');
        } else {
            named(text, up, &mut out);
        }
    }
    out
}

fn named(text: &str, up: &str, out: &mut String) {
    let is_of_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if RULES.contains(word) {
            out.push_str(&rule(word, up));
        } else if word.strip_prefix("INTERPRETATION-").is_some_and(|number| !number.is_empty()) {
            let anchor = word.to_lowercase();
            let _ = write!(out, "[{word}]({up}concepts/interpretations.md#{anchor})");
        } else {
            out.push_str(word);
        }
        let mut characters = behind.chars();
        match characters.next() {
            Some('<') => out.push_str("&lt;"),
            Some('_') => out.push_str("\\_"),
            Some(other) => out.push(other),
            None => {}
        }
        rest = characters.as_str();
    }
}

/// A text for a cell of a table.
pub(super) fn cell(text: &str, up: &str) -> String {
    prose(text, up).replace('|', "\\|").replace('\n', " ").trim().to_owned()
}

/// The text with its first letter as a capital one.
pub(super) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| {
        first.to_uppercase().collect::<String>() + characters.as_str()
    })
}
