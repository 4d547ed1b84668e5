//! JSON written by hand: a small tree for answers, in any of the styles that JSON allows.

use super::choices::{Choice, Choices};
use std::fmt::Write as _;

/// What an answer says.
#[derive(Clone, Debug)]
pub enum Json {
    Object(Vec<(&'static str, Json)>),
    Array(Vec<Json>),
    Text(String),
    Number(u64),
    /// Apart from other numbers, as it may be written with a fraction.
    Elapsed(u64),
}

impl Json {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn write(&self, choices: Choices) -> String {
        let mut out = String::new();
        self.put(&mut out, choices, 0);
        out
    }

    fn put(&self, out: &mut String, choices: Choices, depth: usize) {
        match self {
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                let extra = ("traceId", Self::text("7f3a"));
                if choices.has(Choice::ExtraMembers) {
                    members.push(&extra);
                }
                if choices.has(Choice::SortedMembers) {
                    members.sort_by_key(|(name, _)| *name);
                }
                list(out, ['{', '}'], choices, depth, &members, |out, (name, value)| {
                    put_text(out, name, choices);
                    out.push_str(if choices.has(Choice::Pretty) { " : " } else { ":" });
                    value.put(out, choices, depth + 1);
                });
            }
            Self::Array(items) => {
                list(out, ['[', ']'], choices, depth, items, |out, item| {
                    item.put(out, choices, depth + 1);
                });
            }
            Self::Text(text) => put_text(out, text, choices),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Elapsed(number) => {
                out.push_str(&number.to_string());
                if choices.has(Choice::ElapsedPointZero) {
                    out.push_str(".0");
                }
            }
        }
    }
}

fn list<T>(
    out: &mut String,
    brackets: [char; 2],
    choices: Choices,
    depth: usize,
    items: &[T],
    put: impl Fn(&mut String, &T),
) {
    let line = |out: &mut String, depth: usize| {
        if choices.has(Choice::Pretty) && !items.is_empty() {
            out.push('\n');
            (0..depth).for_each(|_| out.push_str("  "));
        }
    };
    out.push(brackets[0]);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        line(out, depth + 1);
        put(out, item);
    }
    line(out, depth);
    out.push(brackets[1]);
}

fn put_text(out: &mut String, text: &str, choices: Choices) {
    let ascii = choices.has(Choice::Escaped);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '/' if ascii => out.push_str("\\/"),
            '\0'..='\u{1f}' => put_unit(out, u16::try_from(character).unwrap_or(0)),
            _ if ascii && !character.is_ascii() => {
                character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| put_unit(out, *unit));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

fn put_unit(out: &mut String, unit: u16) {
    // Writing to a string can't fail.
    let _ = write!(out, "\\u{unit:04X}");
}
