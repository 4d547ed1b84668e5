//! JSON read by hand: a pull reader, RFC 8259 to the letter.
//!
//! The reader hands out one token after another, so that what nobody asked for is skipped without
//! being built, and keeps numbers as their text, so that no digit is lost.

use super::choices::{Choice, Choices};
use std::borrow::Cow;

/// What is wrong with a document.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// One token.
#[derive(Debug, PartialEq, Eq)]
pub enum Token<'a> {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Key(Cow<'a, str>),
    Text(Cow<'a, str>),
    Number(&'a str),
    Bool(bool),
    Null,
    /// The document is over.
    End,
}

enum Expect {
    Value,
    FirstItemOrEnd,
    FirstKeyOrEnd,
    CommaOrEnd,
    Nothing,
}

/// Reads one document.
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The open containers, outermost first: whether each is an object.
    open: Vec<bool>,
    expect: Expect,
    choices: Choices,
    depth_limit: usize,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str, choices: Choices) -> Self {
        let depth_limit = if choices.has(Choice::Nesting128) { 128 } else { 1000 };
        Self { text, at: 0, open: Vec::new(), expect: Expect::Value, choices, depth_limit }
    }

    pub fn next(&mut self) -> Result<Token<'a>, Malformed> {
        self.skip_space();
        match self.expect {
            Expect::FirstItemOrEnd if self.peek() == Some(b']') => Ok(self.close()),
            Expect::Value | Expect::FirstItemOrEnd => self.value(),
            Expect::FirstKeyOrEnd if self.peek() == Some(b'}') => Ok(self.close()),
            Expect::FirstKeyOrEnd => self.key(),
            Expect::CommaOrEnd => match (self.open.last(), self.peek()) {
                (Some(true), Some(b'}')) | (Some(false), Some(b']')) => Ok(self.close()),
                (Some(is_object), Some(b',')) => {
                    let is_object = *is_object;
                    self.at += 1;
                    self.skip_space();
                    if is_object { self.key() } else { self.value() }
                }
                _ => Err(Malformed("a comma or the end of the container was expected")),
            },
            Expect::Nothing
                if self.at == self.text.len() || self.choices.has(Choice::TextAfter) =>
            {
                Ok(Token::End)
            }
            Expect::Nothing => Err(Malformed("there is text after the document")),
        }
    }

    /// Skips the rest of the value that this token began.
    pub fn skip(&mut self, first: &Token<'_>) -> Result<(), Malformed> {
        if matches!(first, Token::ObjectStart | Token::ArrayStart) {
            let outside = self.open.len() - 1;
            while self.open.len() > outside {
                self.next()?;
            }
        }
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn close(&mut self) -> Token<'a> {
        self.at += 1;
        let was_object = self.open.pop() == Some(true);
        self.after_value();
        if was_object { Token::ObjectEnd } else { Token::ArrayEnd }
    }

    fn after_value(&mut self) {
        self.expect = if self.open.is_empty() { Expect::Nothing } else { Expect::CommaOrEnd };
    }

    fn enter(&mut self, is_object: bool) -> Result<Token<'a>, Malformed> {
        self.at += 1;
        self.open.push(is_object);
        if self.open.len() > self.depth_limit {
            return Err(Malformed("it is nested too deep"));
        }
        self.expect = if is_object { Expect::FirstKeyOrEnd } else { Expect::FirstItemOrEnd };
        Ok(if is_object { Token::ObjectStart } else { Token::ArrayStart })
    }

    fn key(&mut self) -> Result<Token<'a>, Malformed> {
        if self.peek() != Some(b'"') {
            return Err(Malformed("a key was expected"));
        }
        let key = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(Malformed("a colon was expected"));
        }
        self.at += 1;
        self.expect = Expect::Value;
        Ok(Token::Key(key))
    }

    fn value(&mut self) -> Result<Token<'a>, Malformed> {
        let token = match self.peek() {
            Some(b'{') => return self.enter(true),
            Some(b'[') => return self.enter(false),
            Some(b'"') => Token::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Token::Number(self.number()?),
            Some(b't') => self.word("true", Token::Bool(true))?,
            Some(b'f') => self.word("false", Token::Bool(false))?,
            Some(b'n') => self.word("null", Token::Null)?,
            _ => return Err(Malformed("a value was expected")),
        };
        self.after_value();
        Ok(token)
    }

    fn word(&mut self, word: &str, token: Token<'a>) -> Result<Token<'a>, Malformed> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(Malformed("an unknown word"));
        }
        self.at += word.len();
        Ok(token)
    }

    fn number(&mut self) -> Result<&'a str, Malformed> {
        let rest = &self.text[self.at..];
        let length = number_length(rest.as_bytes()).ok_or(Malformed("not a number"))?;
        self.at += length;
        Ok(&rest[..length])
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.at += 1;
        let mut built: Option<String> = None;
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1F)) {
                self.at += 1;
            }
            let plain = &self.text[start..self.at];
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match built {
                        None => Cow::Borrowed(plain),
                        Some(text) => Cow::Owned(text + plain),
                    });
                }
                Some(b'\\') => {
                    let text = built.get_or_insert_default();
                    text.push_str(plain);
                    self.at += 1;
                    let character = self.escape()?;
                    text.push(character);
                }
                _ => {
                    return Err(Malformed(
                        "a string does not end, or holds a bare control character",
                    ));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        let letter = self.peek().ok_or(Malformed("an escape does not end"))?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(Malformed("an unknown escape")),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, Malformed> {
        let first = self.four_hex()?;
        if (0xD800..0xDC00).contains(&first) && self.text.as_bytes()[self.at..].starts_with(b"\\u")
        {
            let back = self.at;
            self.at += 2;
            let second = self.four_hex()?;
            if (0xDC00..0xE000).contains(&second) {
                let scalar = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return char::from_u32(scalar).ok_or(Malformed("no character"));
            }
            self.at = back;
        }
        match char::from_u32(first) {
            Some(character) => Ok(character),
            None if self.choices.has(Choice::LoneReplaced) => Ok(char::REPLACEMENT_CHARACTER),
            None => Err(Malformed("a surrogate stands alone")),
        }
    }

    fn four_hex(&mut self) -> Result<u32, Malformed> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            value = value * 16 + digit.ok_or(Malformed("four hexadecimal digits were expected"))?;
            self.at += 1;
        }
        Ok(value)
    }
}

/// How many of these bytes are a JSON number, if they begin with one.
pub fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits =
        |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    at += match digits(at) {
        0 => return None,
        _ if bytes[at] == b'0' => 1,
        count => count,
    };
    if bytes.get(at) == Some(&b'.') {
        let count = digits(at + 1);
        if count == 0 {
            return None;
        }
        at += 1 + count;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let count = digits(at + 1 + signed);
        if count == 0 {
            return None;
        }
        at += 1 + signed + count;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::super::tree::Json;
    use super::*;

    fn is_json(text: &str) -> bool {
        let mut reader = Reader::new(text, Choices::default());
        let whole =
            reader.next().and_then(|first| reader.skip(&first)).and_then(|()| reader.next());
        whole == Ok(Token::End)
    }

    #[test]
    fn an_unrelated_reader_agrees_on_what_is_json() {
        let seed = r#" {"a\u00e9\ud83d\ude42":[1,-0.5E+3,true,false,null,"x\n\"\\/é",{}],"b":[[],[{"c":0}]]} "#;
        let alphabet: Vec<char> = r#"{}[]:,"\/0129.-+eEutrfalsn dc8é"#.chars().collect();
        let mut state = 7_u64;
        let mut random = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let mut good = 0;
        for _ in 0..60_000 {
            let mut text: Vec<char> = seed.chars().collect();
            for _ in 0..=random(3) {
                let at = random(text.len());
                match random(3) {
                    0 => drop(text.remove(at)),
                    1 => text.insert(at, alphabet[random(alphabet.len())]),
                    _ => text[at] = alphabet[random(alphabet.len())],
                }
            }
            let text: String = text.into_iter().collect();
            let other = serde_json::from_str::<serde_json::Value>(&text);
            let out_of_range =
                other.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
            assert!(out_of_range || is_json(&text) == other.is_ok(), "{text}: {other:?}");
            good += usize::from(other.is_ok());
        }
        assert!(good > 1000, "{good}");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text: String =
            (0..0x11_0000).step_by(7).filter_map(char::from_u32).chain('\0'..'\u{100}').collect();
        for name in ["escaped-json", "pretty-json", "elapsed-zero"] {
            let written = Json::Array(vec![Json::Text(text.clone()), Json::Array(Vec::new())])
                .write(Choices::parse([name]).unwrap());
            let read: serde_json::Value = serde_json::from_str(&written).unwrap();
            assert_eq!(read, serde_json::json!([text, []]), "{name}");
            let mut reader = Reader::new(&written, Choices::default());
            assert_eq!(reader.next(), Ok(Token::ArrayStart));
            assert_eq!(reader.next(), Ok(Token::Text(Cow::Borrowed(text.as_str()))));
        }
    }
}
