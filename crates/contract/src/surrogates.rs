//! Texts with halves of surrogate pairs: JSON by its grammar, though no string type of ours holds them.
//!
//! It must not know what a text means.

use serde_json::Value;

/// A text that is JSON but for halves of surrogate pairs, which RFC 8259 section 8.2 allows and no string
/// of ours can hold: U+FFFD stands for each.
pub(super) fn replaced(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    let unit = |at: usize| -> Option<u32> {
        let escape = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(escape, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match (unit(at), unit(at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => {
                out.push_str(text.get(at..at + 12)?);
                at += 12;
            }
            (Some(0xd800..=0xdfff), _) => {
                out.push_str("\\ufffd");
                at += 6;
            }
            _ => {
                // An escaped backslash is no beginning of another escape.
                let step = if text[at..].starts_with("\\\\") {
                    2
                } else {
                    text[at..].chars().next().map_or(1, char::len_utf8)
                };
                out.push_str(text.get(at..at + step)?);
                at += step;
            }
        }
    }
    serde_json::from_str(&out).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::replaced;

    #[test]
    fn halves_are_replaced_and_pairs_stay() {
        let body = br#"{"a":"\ud800x","b":"\ud83d\ude00","c":"\\ud800","d":"\udc00\ud800"}"#;
        let read = replaced(body);
        let expected =
            json!({"a": "\u{fffd}x", "b": "\u{1f600}", "c": "\\ud800", "d": "\u{fffd}\u{fffd}"});
        assert_eq!(read, Some(expected));
        assert_eq!(replaced(br#"{"a":"\ud800""#), None);
    }
}
