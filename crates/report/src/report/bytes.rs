//! Bytes that are not UTF-8 for people: text where they are text, `\xff` where they are not.

use std::fmt::Write as _;

use super::text::visible;
use crate::contract::unhex;

/// Bytes given in hexadecimal, as text with escapes.
pub(super) fn readable(hex: &str) -> String {
    let bytes = unhex(hex);
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&visible(chunk.valid()));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn bytes_that_are_text_are_shown_as_text() {
        assert_eq!(readable("7b22c3a922ff0a7d"), "{\"é\"\\xff\\n}");
    }
}
