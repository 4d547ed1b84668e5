//! Whether text that is not JSON is what common lenient parsers take for JSON (INTERPRETATION-02).
//!
//! Comments, trailing commas, single quotes, bare names, NaN, `+7`, `\x41`, raw control characters: a parser that
//! takes them reads the same document as everybody else. Decided from the bytes; knows no answers.

/// How a text departs from JSON while a lenient parser can still read it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Leniency {
    /// Whether a departure is in the value of a member that the caller named.
    pub(super) in_named_member: bool,
}

/// Reads `body` leniently; `None` where no common parser would take it.
///
/// `is_named` says of a member's name whether the schema names it.
pub(super) fn read(body: &str, is_named: &dyn Fn(&str) -> bool) -> Option<Leniency> {
    let mut reader = Reader {
        text: body.as_bytes(),
        at: 0,
        depth: 0,
        within: 0,
        found: Leniency::default(),
        is_named,
    };
    reader.space()?;
    reader.value()?;
    reader.space()?;
    (reader.at == reader.text.len()).then_some(reader.found)
}

const MAX_DEPTH: usize = 100;

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    /// How many members that the schema names hold the present position as part of a scalar.
    within: usize,
    found: Leniency,
    is_named: &'a dyn Fn(&str) -> bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn departs(&mut self) {
        self.found.in_named_member |= self.within > 0;
    }

    /// White space and comments.
    fn space(&mut self) -> Option<()> {
        loop {
            let rest = &self.text[self.at..];
            if rest.first().is_some_and(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
                self.at += 1;
            } else if rest.first() == Some(&0x0c) {
                self.at += 1;
                self.departs();
            } else if rest.starts_with("\u{a0}".as_bytes()) {
                self.at += 2;
                self.departs();
            } else if rest.starts_with(b"/*") {
                let end = rest.windows(2).skip(2).position(|pair| pair == b"*/")?;
                self.at += end + 4;
                self.departs();
            } else if rest.starts_with(b"//") || rest.starts_with(b"#") {
                self.at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                self.departs();
            } else {
                return Some(());
            }
        }
    }

    fn value(&mut self) -> Option<()> {
        if self.depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            b'{' => self.list(b'}', true),
            b'[' => self.list(b']', false),
            b'"' | b'\'' => self.string().map(|_| ()),
            _ => self.word(),
        }
    }

    fn list(&mut self, end: u8, members: bool) -> Option<()> {
        self.at += 1;
        self.depth += 1;
        let within = std::mem::take(&mut self.within);
        self.space()?;
        while self.peek()? != end {
            if members {
                let name = match self.peek()? {
                    b'"' | b'\'' => self.string()?,
                    _ => self.bare_name()?,
                };
                self.space()?;
                if self.peek()? != b':' {
                    return None;
                }
                self.at += 1;
                self.within = usize::from((self.is_named)(&name));
                self.space()?;
                self.value()?;
                self.within = 0;
            } else {
                self.value()?;
            }
            self.space()?;
            match self.peek()? {
                b',' => {
                    self.at += 1;
                    self.space()?;
                    if self.peek()? == end {
                        self.departs();
                    }
                }
                next if next == end => {}
                _ => return None,
            }
        }
        self.at += 1;
        self.depth -= 1;
        self.within = within;
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.peek()?;
        if quote == b'\'' {
            self.departs();
        }
        self.at += 1;
        let start = self.at;
        loop {
            match self.peek()? {
                b'\\' => {
                    let escaped = *self.text.get(self.at + 1)?;
                    match escaped {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | b'u' => {}
                        b'\'' | b'x' | b'0' | b'v' => self.departs(),
                        _ => return None,
                    }
                    let digits = match escaped {
                        b'u' => 4,
                        b'x' => 2,
                        _ => 0,
                    };
                    let hex = self.text.get(self.at + 2..self.at + 2 + digits)?;
                    if !hex.iter().all(u8::is_ascii_hexdigit) {
                        return None;
                    }
                    self.at += 2 + digits;
                }
                byte if byte == quote => {
                    let text = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
                    self.at += 1;
                    return Some(text);
                }
                byte => {
                    if byte < 0x20 {
                        self.departs();
                    }
                    self.at += 1;
                }
            }
        }
    }

    fn bare_name(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$');
        let length = rest.iter().take_while(|b| is_part(b)).count();
        if length == 0 || rest[0].is_ascii_digit() {
            return None;
        }
        self.at += length;
        self.departs();
        Some(String::from_utf8_lossy(&rest[..length]).into_owned())
    }

    /// A number or a literal, also as JavaScript or Python writes it.
    fn word(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b'_');
        let length = rest.iter().take_while(|b| is_part(b)).count();
        let word = std::str::from_utf8(&rest[..length]).ok()?;
        self.at += length;
        if serde_json::from_str::<serde_json::Value>(word).is_ok() {
            return Some(());
        }
        self.departs();
        let unsigned = word.trim_start_matches(['+', '-']);
        let literal = matches!(
            word.to_ascii_lowercase().as_str(),
            "null"
                | "true"
                | "false"
                | "nan"
                | "undefined"
                | "none"
                | "infinity"
                | "-infinity"
                | "+infinity"
        );
        let hexadecimal = unsigned.strip_prefix("0x").is_some_and(|digits| {
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit())
        });
        let number = word.len() - unsigned.len() <= 1
            && unsigned.bytes().next().is_some_and(|b| b.is_ascii_digit() || b == b'.')
            && unsigned.replace('_', "").parse::<f64>().is_ok();
        (literal || hexadecimal || number).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lenient_parsers_take_is_told_from_what_none_takes() {
        let named = |name: &str| name == "value";
        for (body, expected) in [
            (r#"{"a":[1,]}"#, Some(false)),
            (r#"{"a":[1],}"#, Some(false)),
            ("{'a':[]}", Some(false)),
            ("{a:[]}", Some(false)),
            ("/* batch */ {\"a\":[]}", Some(false)),
            ("{\"a\":[] # done\n}", Some(false)),
            (r#"{"a":[],"x":007}"#, Some(false)),
            (r#"{"a":[],"x":NaN}"#, Some(false)),
            (r#"{"a":[],"x":"\x41"}"#, Some(false)),
            ("{\"a\":[],\"x\":\"a\nb\"}", Some(false)),
            (r#"{"a":[{"value":NaN}]}"#, Some(true)),
            (r#"{"a":[{"value":+7}]}"#, Some(true)),
            (r#"{"a":[{"value":05}]}"#, Some(true)),
            (r#"{"a":[{"value":1,}]}"#, Some(false)),
            ("text", None),
            ("<a/>", None),
            (r#"{"a":[1 2]}"#, None),
            (r#"{"a":[1,,2]}"#, None),
            (r#"{"a":[,1]}"#, None),
            (r#"{"a":}"#, None),
            (r#"{"a"=[1]}"#, None),
            (r#"{"a":--1}"#, None),
            (r#"{"a":1"#, None),
        ] {
            assert_eq!(read(body, &named).map(|l| l.in_named_member), expected, "{body}");
        }
    }
}
