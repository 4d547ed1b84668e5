//! Values and texts as reports show them, and what becomes of texts. It knows nothing but text.

use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization as _;

use crate::contract::text::thousands;

/// Characters of a text that is shown.
const LIMIT: usize = 160;

/// A value as a report shows it: short, and never broken in the middle of a character.
#[must_use]
pub fn shown(value: &serde_json::Value) -> String {
    shorten(&value.to_string())
}

/// Text as a report shows it.
#[must_use]
pub fn shorten(text: &str) -> String {
    if text.chars().count() <= LIMIT {
        return text.to_owned();
    }
    let head: String = text.chars().take(LIMIT - 20).collect();
    format!("{head}… ({} characters)", text.chars().count())
}

/// Bytes of an answer as a report shows them: short, and what is not UTF-8 as `\x9c`.
#[must_use]
pub fn shown_bytes(bytes: &[u8]) -> String {
    // Of a huge body only the beginning is looked at.
    const LOOKED_AT: usize = 4096;
    let mut text = String::new();
    for chunk in bytes[..bytes.len().min(LOOKED_AT)].utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    if bytes.len() <= LOOKED_AT {
        return shorten(&text);
    }
    let head: String = text.chars().take(LIMIT - 20).collect();
    format!("{head}… ({} bytes)", thousands(bytes.len() as u64))
}

/// What a service does to texts: whether it answers with another text or takes two for one, the root is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextChange {
    /// White space around it is lost.
    WhiteSpace,
    /// Its letter case is changed.
    LetterCase,
    /// It is brought into a Unicode normalisation form.
    Normalised,
    /// Its end is lost.
    Shortened,
    /// Markup in it is escaped.
    Escaped,
    /// Other characters stand in the place of some.
    Replaced,
}

impl TextChange {
    /// All of them.
    pub const ALL: [TextChange; 6] = [
        TextChange::WhiteSpace,
        TextChange::LetterCase,
        TextChange::Normalised,
        TextChange::Shortened,
        TextChange::Escaped,
        TextChange::Replaced,
    ];

    /// What makes `to` of `from`, where it is one of them.
    #[must_use]
    pub fn between(from: &str, to: &str) -> Option<TextChange> {
        if from == to {
            return None;
        }
        // What was trimmed does not end in white space.
        if from.trim() == to.trim() && (to == to.trim() || !from.starts_with(to)) {
            Some(TextChange::WhiteSpace)
        } else if from.to_lowercase() == to.to_lowercase() {
            Some(TextChange::LetterCase)
        } else if from.nfkc().eq(to.nfkc()) {
            Some(TextChange::Normalised)
        } else if !to.is_empty() && from.starts_with(to) {
            Some(TextChange::Shortened)
        } else if unescaped(to) == unescaped(from) {
            Some(TextChange::Escaped)
        } else if is_replaced(from, to) {
            Some(TextChange::Replaced)
        } else {
            None
        }
    }

    /// Its name, which is part of the kinds of findings.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            TextChange::WhiteSpace => "white space",
            TextChange::LetterCase => "letter case",
            TextChange::Normalised => "Unicode normalisation",
            TextChange::Shortened => "shortened",
            TextChange::Escaped => "escaped",
            TextChange::Replaced => "replaced characters",
        }
    }
}

/// Without the escapes of markup, however often they were applied.
fn unescaped(text: &str) -> String {
    let mut text = text.to_owned();
    for (escape, plain) in [
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
    ] {
        while text.contains(escape) {
            text = text.replace(escape, plain);
        }
    }
    text
}

/// Whether nothing but question marks or U+FFFD stands where other characters stood.
fn is_replaced(from: &str, to: &str) -> bool {
    let stand_in = |c: &char| matches!(c, '?' | '\u{fffd}');
    if to.chars().filter(stand_in).count() <= from.chars().filter(stand_in).count() {
        return false;
    }
    let mut from = from.chars();
    to.chars().filter(|c| !stand_in(c)).all(|c| from.any(|s| s == c))
}

#[cfg(test)]
mod tests {
    use super::TextChange;

    #[test]
    fn what_became_of_a_text_is_recognised() {
        let between = |from, to| TextChange::between(from, to).map(TextChange::word);
        assert_eq!(between("key ", "key"), Some("white space"));
        assert_eq!(
            between("key\t \u{2000}", "key\t "),
            Some("shortened"),
            "a trim takes all of it"
        );
        assert_eq!(between("Key", "kEY"), Some("letter case"));
        assert_eq!(between("key-e\u{301}", "key-\u{e9}"), Some("Unicode normalisation"));
        assert_eq!(between("a<b", "a&amp;lt;b"), Some("escaped"));
        assert_eq!(between("жa", "?a"), Some("replaced characters"));
        assert_eq!(between("a", "b"), None);
    }
}
