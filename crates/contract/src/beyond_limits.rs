//! Texts that are JSON, but more than our parser reads: numbers beyond a double, very deep nesting.
//!
//! It must not know what a text means.

use serde::de::IgnoredAny;
use serde_json::Value;

/// Levels that are kept; the parser reads 128.
const DEPTH: usize = 100;

/// A text that is JSON by its grammar, cut down to what our parser reads: the largest double stands for a larger
/// number, null for what is nested deeper than [`DEPTH`] levels.
pub(super) fn cut_down(body: &[u8]) -> Option<Value> {
    // Values that are ignored are read to any depth and size.
    serde_json::from_slice::<IgnoredAny>(body).ok()?;
    let mut out = Vec::with_capacity(body.len());
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = body.get(at) {
        let end = match byte {
            b'"' => string_end(body, at),
            b'-' | b'0'..=b'9' => {
                let is_part = |b: &u8| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                at + body[at..].iter().take_while(|b| is_part(b)).count()
            }
            _ => at + 1,
        };
        let token = body.get(at..end).unwrap_or_default();
        at = end;
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth == DEPTH + 1 {
                    out.extend_from_slice(b"null");
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == DEPTH {
                    continue;
                }
            }
            _ => {}
        }
        if depth > DEPTH {
            continue;
        }
        match byte {
            b'-' | b'0'..=b'9' if is_beyond(token) => {
                let largest = if *byte == b'-' { f64::MIN } else { f64::MAX };
                out.extend_from_slice(format!("{largest:e}").as_bytes());
            }
            _ => out.extend_from_slice(token),
        }
    }
    serde_json::from_slice(&out).ok()
}

/// Where the JSON string that begins at `start` ends, its quote included.
#[must_use]
pub fn string_end(body: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = body.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    body.len()
}

/// Whether no double is near the number.
fn is_beyond(number: &[u8]) -> bool {
    let text = std::str::from_utf8(number).unwrap_or_default();
    text.parse::<f64>().is_ok_and(f64::is_infinite)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::cut_down;

    #[test]
    fn what_our_parser_does_not_read_is_cut_down_and_the_rest_stays() {
        let nested = format!("{}1{}", "[".repeat(300), "]".repeat(300));
        let body =
            format!(r#"{{"a":1e999,"b":[-1e999,"1e999","\"]"],"c":{nested},"d":{{"e":0.5}}}}"#);
        let read = cut_down(body.as_bytes()).unwrap();
        assert_eq!(read["a"], json!(f64::MAX));
        assert_eq!(read["b"], json!([f64::MIN, "1e999", "\"]"]));
        assert_eq!(read["d"], json!({"e": 0.5}));
        assert_eq!(cut_down(b"{\"a\":NaN}"), None);
        assert_eq!(cut_down(b"{\"a\":1e999"), None);
    }
}
