//! Values and texts as reports show them. It knows nothing but text.

/// A value as a report shows it: short, and never broken in the middle of a character.
#[must_use]
pub fn shown(value: &serde_json::Value) -> String {
    shorten(&value.to_string())
}

/// Text as a report shows it.
#[must_use]
pub fn shorten(text: &str) -> String {
    const LIMIT: usize = 160;
    if text.chars().count() <= LIMIT {
        return text.to_owned();
    }
    let head: String = text.chars().take(LIMIT - 20).collect();
    format!("{head}… ({} characters)", text.chars().count())
}
