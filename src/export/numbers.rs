//! What was sent as text of a case file: numbers become `${fresh}` or, where they are met again,
//! `${key:NAME}`; everything else stays what it is.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::generate::{FoundKey, KeyPrefixes};
use crate::scenario::Scenario;

/// Characters from here stand for single bytes in bodies of case files.
const BYTES: std::ops::RangeInclusive<u32> = 0x10_f700..=0x10_f7ff;
/// A longer run of one character is written as a repetition.
const RUN: usize = 64;

/// The numbers of a scenario, by how often they are met.
pub struct KeyTemplates<'a> {
    prefixes: &'a KeyPrefixes,
    /// Prefix and counter in lower case, in the order in which they are met, with how often they are.
    met: Vec<((usize, Vec<u8>), usize)>,
    longest: HashMap<usize, usize>,
}

impl<'a> KeyTemplates<'a> {
    /// Looks through all that a scenario requests.
    #[must_use]
    pub fn of(scenario: &'a Scenario) -> KeyTemplates<'a> {
        let mut numbers =
            KeyTemplates { prefixes: &scenario.prefixes, met: Vec::new(), longest: HashMap::new() };
        for send in &scenario.requests {
            let request = &send.request;
            if let Some(raw) = &request.raw {
                numbers.meet(raw);
            } else {
                numbers.meet(&send.body().unwrap_or_default());
            }
            numbers.meet(request.path.as_bytes());
            request.headers.iter().for_each(|(_, value)| numbers.meet(value.as_bytes()));
        }
        numbers
    }

    fn meet(&mut self, bytes: &[u8]) {
        for minted in self.prefixes.find(bytes) {
            let key = (minted.prefix, bytes[minted.counter.clone()].to_ascii_lowercase());
            let longest = self.longest.entry(minted.prefix).or_insert(0);
            *longest = (*longest).max(key.1.len());
            match self.met.iter_mut().find(|(k, _)| *k == key) {
                Some((_, count)) => *count += 1,
                None => self.met.push((key, 1)),
            }
        }
    }

    /// The template that stands for a number.
    fn template(&self, bytes: &[u8], minted: &FoundKey) -> String {
        let counter = bytes[minted.counter.clone()].to_ascii_lowercase();
        let longest = self.longest.get(&minted.prefix).copied().unwrap_or(0);
        let place = |wanted: &dyn Fn(&[u8]) -> bool| {
            self.met.iter().position(|((p, c), _)| *p == minted.prefix && wanted(c))
        };
        let cut = counter.len() + 1 == longest;
        let whole =
            cut.then(|| place(&|c: &[u8]| c.len() == longest && c.starts_with(&counter))).flatten();
        let at = whole.or_else(|| place(&|c: &[u8]| c == counter.as_slice())).unwrap_or(0);
        let filter = match (whole.is_some(), minted.upper) {
            (true, _) => "|shorter",
            (false, true) => "|upper",
            (false, false) => "",
        };
        let once = self.met.get(at).is_some_and(|(_, count)| *count == 1);
        if once && filter.is_empty() {
            "${fresh}".to_owned()
        } else {
            format!("${{key:{}{filter}}}", name(at))
        }
    }

    /// Text as a template.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.pieces(text.as_bytes(), |out, bytes| {
            literal(out, &String::from_utf8_lossy(bytes));
        })
    }

    /// A body as a template; what is no text becomes single bytes.
    #[must_use]
    pub fn body(&self, body: &[u8]) -> String {
        self.pieces(body, |out, bytes| {
            for chunk in bytes.utf8_chunks() {
                let mut plain = String::new();
                for c in chunk.valid().chars() {
                    if BYTES.contains(&u32::from(c)) {
                        literal(out, &std::mem::take(&mut plain));
                        c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| byte(out, b));
                    } else {
                        plain.push(c);
                    }
                }
                literal(out, &plain);
                chunk.invalid().iter().for_each(|b| byte(out, *b));
            }
        })
    }

    fn pieces(&self, bytes: &[u8], write: impl Fn(&mut String, &[u8])) -> String {
        let mut out = String::new();
        let mut from = 0;
        for minted in self.prefixes.find(bytes) {
            write(&mut out, &bytes[from..minted.place.start]);
            push_template(&mut out, &self.template(bytes, &minted));
            from = minted.place.end;
        }
        write(&mut out, &bytes[from..]);
        out
    }
}

/// `a`, `b`, … `z`, then with a count behind it.
fn name(at: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(at % 26).unwrap_or(0));
    if at < 26 { letter.to_string() } else { format!("{letter}{}", at / 26) }
}

fn byte(out: &mut String, byte: u8) {
    push_template(out, &format!("${{byte:{byte:02x}}}"));
}

/// A template behind a dollar sign would be read as text.
fn push_template(out: &mut String, template: &str) {
    if out.ends_with('$') {
        out.pop();
        push_template(out, "${repeat:1:$}");
    }
    out.push_str(template);
}

/// Text that holds no template; long runs of a character are counted.
fn literal(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let run = rest.chars().take_while(|other| *other == c).count();
        let (these, after) = rest.split_at(run * c.len_utf8());
        if run >= RUN && !matches!(c, '}' | '$') {
            let mut repeat = String::new();
            let _ = write!(repeat, "${{repeat:{run}:{c}}}");
            push_template(out, &repeat);
        } else {
            if c == '$' && after.starts_with('{') {
                out.push('$');
            }
            out.push_str(these);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Piece, Template};

    fn read(template: &str) -> String {
        let pieces = Template::parse(template).unwrap().0;
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Repeat(count, text) => text.repeat(*count),
            Piece::Fresh(_) => "NUMBER".to_owned(),
            Piece::Byte(byte) => format!("<{byte:02x}>"),
            other => format!("{other:?}"),
        };
        pieces.iter().map(text).collect()
    }

    #[test]
    fn every_text_is_read_as_it_was() {
        let scenario = Scenario {
            requests: Vec::new(),
            expectations: Vec::new(),
            relating: None,
            prefixes: KeyPrefixes::of_generator("run-abc123-"),
        };
        let numbers = KeyTemplates::of(&scenario);
        let long = "[".repeat(1000);
        for text in ["", "a$b", "${x}", "$${x}", "$$", "$", "}${", "${", &long, "é$$${"] {
            assert_eq!(read(&numbers.text(text)), text);
            assert_eq!(read(&numbers.body(text.as_bytes())), text);
        }
        assert!(numbers.text(&long).len() < 40);
        assert_eq!(read(&numbers.body(b"$\xffa\xe2\x82")), "$<ff>a<e2><82>");
        assert_eq!(name(0) + &name(25) + &name(26), "aza1");
    }
}
