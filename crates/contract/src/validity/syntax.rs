//! Why a parser refused a body: a legitimate limit of parsers, or text that is not JSON.
//!
//! Decided from the bytes and from where the parser stopped, never from its messages.

use serde_json::error::Category;

/// How deep `serde_json` nests; deeper documents are refused by parsers, not by JSON.
const MAX_DEPTH: usize = 128;

/// The first thing in a document that a parser refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SyntaxFault {
    /// A number that no double can hold.
    HugeNumber,
    /// More than 127 levels.
    DeepNesting,
    /// `\ud800` without its other half.
    LoneSurrogate,
    /// The document ends too early.
    Truncated,
    /// Any other fault.
    NotJson,
}

/// Why `serde_json` stopped with `error` in `body`.
pub(super) fn first_fault(body: &[u8], error: &serde_json::Error) -> SyntaxFault {
    // What begins behind the place where the parser stopped is not why it stopped.
    let end = offset_of(body, error).min(body.len());
    let mut scan = Scanner { bytes: body, at: 0, depth: 0 };
    if let Some(limit) = scan.parser_limit(end) {
        return limit;
    }
    match error.classify() {
        Category::Eof => SyntaxFault::Truncated,
        Category::Io | Category::Syntax | Category::Data => SyntaxFault::NotJson,
    }
}

/// The offset of an error in bytes: lines count from 1, and columns are bytes after the last line end.
fn offset_of(body: &[u8], error: &serde_json::Error) -> usize {
    let line_ends = body.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
    let start = std::iter::once(0).chain(line_ends).nth(error.line().saturating_sub(1));
    start.unwrap_or(body.len()).saturating_add(error.column())
}

/// Walks over the tokens of a document without looking at its grammar.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl Scanner<'_> {
    /// The first token that begins before `end` and is beyond what parsers take.
    fn parser_limit(&mut self, end: usize) -> Option<SyntaxFault> {
        while self.at < end {
            match self.bytes[self.at] {
                b'"' => {
                    if self.string_has_lone_surrogate(end) {
                        return Some(SyntaxFault::LoneSurrogate);
                    }
                }
                b'[' | b'{' => {
                    self.at += 1;
                    self.depth += 1;
                    if self.depth >= MAX_DEPTH {
                        return Some(SyntaxFault::DeepNesting);
                    }
                }
                b']' | b'}' => {
                    self.at += 1;
                    self.depth = self.depth.saturating_sub(1);
                }
                b'-' | b'0'..=b'9' => {
                    if self.number_is_huge() {
                        return Some(SyntaxFault::HugeNumber);
                    }
                }
                _ => self.at += 1,
            }
        }
        None
    }

    /// Moves behind the string that begins here, or to a lone surrogate in it before `end`.
    fn string_has_lone_surrogate(&mut self, end: usize) -> bool {
        self.at += 1;
        while self.at < end {
            match self.bytes[self.at] {
                b'"' => {
                    self.at += 1;
                    return false;
                }
                b'\\' => match self.escaped_unit(self.at) {
                    Some(0xdc00..=0xdfff) => return true,
                    Some(0xd800..=0xdbff) => {
                        self.at += 6;
                        let rest = &self.bytes[self.at..];
                        let cut_short = rest.len() < 6 && !rest.contains(&b'"');
                        match self.escaped_unit(self.at) {
                            Some(0xdc00..=0xdfff) => self.at += 6,
                            // The document ends within the pair: truncated, not alone.
                            _ if cut_short && b"\\u".starts_with(&rest[..rest.len().min(2)]) => {}
                            _ => return true,
                        }
                    }
                    Some(_) => self.at += 6,
                    None => self.at += 2,
                },
                _ => self.at += 1,
            }
        }
        false
    }

    /// The UTF-16 unit of an escape `\uXXXX` at `at`.
    fn escaped_unit(&self, at: usize) -> Option<u16> {
        let digits = self.bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let digits = std::str::from_utf8(digits).ok()?;
        digits
            .bytes()
            .all(|b| b.is_ascii_hexdigit())
            .then(|| u16::from_str_radix(digits, 16).ok())?
    }

    /// Moves behind the number that begins here; says whether it overflows a double.
    fn number_is_huge(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let is_part = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(|b| is_part(b)).count();
        self.at += length;
        let text = std::str::from_utf8(&rest[..length]).unwrap_or_default();
        text.parse::<f64>().is_ok_and(f64::is_infinite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(body: &str) -> SyntaxFault {
        let error = serde_json::from_str::<serde_json::Value>(body).unwrap_err();
        first_fault(body.as_bytes(), &error)
    }

    #[test]
    fn a_refused_document_is_classified_by_its_bytes() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(serde_json::from_str::<serde_json::Value>(&nested(MAX_DEPTH - 1)).is_ok());
        for (body, expected) in [
            (nested(MAX_DEPTH).as_str(), SyntaxFault::DeepNesting),
            (&"{\"a\":".repeat(500), SyntaxFault::DeepNesting),
            (&"[".repeat(100), SyntaxFault::Truncated),
            (r#"{"a": 1e400}"#, SyntaxFault::HugeNumber),
            (r#"{"a": -1e400}"#, SyntaxFault::HugeNumber),
            ("{\n\n  \"a\": [1,\n 2e999999\n]}", SyntaxFault::HugeNumber),
            (&format!("[{}]", "9".repeat(400)), SyntaxFault::HugeNumber),
            (r#"{"a": "\ud800"}"#, SyntaxFault::LoneSurrogate),
            (r#"{"a": "\uDC00"}"#, SyntaxFault::LoneSurrogate),
            (r#"{"a": "x\udbffy"}"#, SyntaxFault::LoneSurrogate),
            (r#"{"a": "\ud800\n"}"#, SyntaxFault::LoneSurrogate),
            (r#"{"a": "\ud800\u0041"}"#, SyntaxFault::LoneSurrogate),
            (r#"{"\ud800": 1}"#, SyntaxFault::LoneSurrogate),
            (r#"{"a": "\ud83d\ude00", "b": "\ud83d"}"#, SyntaxFault::LoneSurrogate),
            (r#"{"a": "\ud83d\ude00"#, SyntaxFault::Truncated),
            (r#"{"a": "\ud83d"#, SyntaxFault::Truncated),
            (r#"{"a": "\ud83d\u"#, SyntaxFault::Truncated),
            (r#"{"a": "\ud8"#, SyntaxFault::Truncated),
            ("{", SyntaxFault::Truncated),
            (r#"{"a": 1"#, SyntaxFault::Truncated),
            (r#"{"a": "text"#, SyntaxFault::Truncated),
            (r#"{"a": tru"#, SyntaxFault::Truncated),
            ("text", SyntaxFault::NotJson),
            (r#"{"a" 1, "b": 1e400}"#, SyntaxFault::NotJson),
            (r#"{"a": 'x', "b": "\ud800"}"#, SyntaxFault::NotJson),
            (r#"{"a": "\x41 \ud800"}"#, SyntaxFault::NotJson),
            (r#"{"a": "\x41", "b": "\ud800"}"#, SyntaxFault::NotJson),
            (r#"{"a": "\uZZZZ"}"#, SyntaxFault::NotJson),
            (r#"{"a": "\\ud800", b: 1}"#, SyntaxFault::NotJson),
            (r#"{"a": 1,}"#, SyntaxFault::NotJson),
            (r#"{"a": 01}"#, SyntaxFault::NotJson),
            (r#"{"a": NaN}"#, SyntaxFault::NotJson),
            ("{\"a\": \"line\nend\"}", SyntaxFault::NotJson),
        ] {
            assert_eq!(fault(body), expected, "{body}");
        }
    }
}
