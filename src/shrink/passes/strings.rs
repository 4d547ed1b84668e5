//! The passes that shorten strings: what fills them first, then characters away, at the ends or wherever they
//! are not needed. A minted number in a string stays whole.

use serde_json::Value;

use super::cut_text;
use crate::shrink::shrinker::{ItemChoice, Shrinker};

impl Shrinker<'_> {
    /// Shortens a string: where any characters will do, from its ends, else wherever they are not needed. A
    /// minted number in it stays whole.
    pub(super) async fn cut_string(&mut self, which: ItemChoice, field: &str) {
        let Some(string) = self.string(which, field) else { return };
        if self.prefix_of(&string).is_none() && !is_filled(&string) {
            // A length may count bytes: then it takes a character of several.
            let wide = string.chars().find(|c| !c.is_ascii());
            for filler in [Some(FILLER), wide].into_iter().flatten() {
                let filled: String = string.chars().map(|_| filler).collect();
                if self.replace(which, field, &Value::String(filled).to_string()).await {
                    break;
                }
            }
        }
        for part in [StringSide::Before, StringSide::After] {
            let side = |string: &str, number| part.of(string, number).to_owned();
            let now = self.string(which, field).unwrap_or_default();
            let text = side(&now, self.prefix_of(&now));
            if is_filled(&text) {
                self.cut_ends(which, field, part).await;
            } else {
                self.thin_out(which, field, part).await;
            }
        }
    }

    /// Cuts half of a side, a quarter, and so on.
    async fn cut_ends(&mut self, which: ItemChoice, field: &str, part: StringSide) {
        let mut step = 0;
        while let Some(string) = self.string(which, field) {
            let number = self.prefix_of(&string);
            let text = part.of(&string, number);
            // With a number beside it nothing may be left, which no cut of a text leads to.
            let cut = match (number, step) {
                (Some(_), 0) if !text.is_empty() => Some(String::new()),
                (Some(_), step) if step > 0 => cut_text(text, step - 1),
                (None, step) => cut_text(text, step),
                _ => None,
            };
            let Some(cut) = cut else { return };
            let taken = self.put(which, field, part, &cut).await;
            step = if taken { 0 } else { step + 1 };
            if self.attempts.ended.is_some() {
                return;
            }
        }
    }

    /// Takes characters out of a side, many at a time at first, wherever they stand.
    async fn thin_out(&mut self, which: ItemChoice, field: &str, part: StringSide) {
        let side = |this: &Self| -> Vec<char> {
            let string = this.string(which, field).unwrap_or_default();
            part.of(&string, this.prefix_of(&string)).chars().collect()
        };
        let mut tries = 0;
        let mut size = side(self).len();
        while size > 0 && tries < THINNINGS {
            let mut at = 0;
            while at < side(self).len() && tries < THINNINGS && self.attempts.ended.is_none() {
                let now = side(self);
                let end = (at + size).min(now.len());
                let rest: String = now[..at].iter().chain(&now[end..]).collect();
                tries += 1;
                if !self.put(which, field, part, &rest).await {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    /// Puts another text in the place of one side of a string.
    async fn put(&mut self, which: ItemChoice, field: &str, part: StringSide, text: &str) -> bool {
        let Some(string) = self.string(which, field) else { return false };
        let new = part.with(&string, self.prefix_of(&string), text);
        new != string && self.replace(which, field, &Value::String(new).to_string()).await
    }
}

/// What a string is filled with where any character will do.
const FILLER: char = 'x';
/// How often characters are taken out of one string.
const THINNINGS: u32 = 64;

/// A side of the number in a string; where there is no number, all of it is before.
#[derive(Clone, Copy)]
enum StringSide {
    Before,
    After,
}

impl StringSide {
    /// The side's text.
    fn of(self, string: &str, number: Option<(usize, usize)>) -> &str {
        let text = match (self, number) {
            (StringSide::Before, None) => Some(string),
            (StringSide::After, None) => None,
            (StringSide::Before, Some((start, _))) => string.get(..start),
            (StringSide::After, Some((_, end))) => string.get(end..),
        };
        text.unwrap_or_default()
    }

    /// The string with another text on that side.
    fn with(self, string: &str, number: Option<(usize, usize)>, text: &str) -> String {
        match (self, number) {
            (StringSide::Before, None) => text.to_owned(),
            (StringSide::After, None) => string.to_owned(),
            (StringSide::Before, Some((start, _))) => format!("{text}{}", &string[start..]),
            (StringSide::After, Some((_, end))) => format!("{}{text}", &string[..end]),
        }
    }
}

/// Whether one character is all that a text consists of.
fn is_filled(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next();
    chars.all(|c| Some(c) == first)
}

/// Date-times that take one part of the simplest value: date, time, fraction or offset.
pub(super) fn blends(text: &str, simplest: &str) -> Vec<String> {
    let (Some(own), Some(plain)) = (parts(text), parts(simplest)) else { return Vec::new() };
    (0..4)
        .filter(|at| own[*at] != plain[*at])
        .map(|at| (0..4).map(|k| if k == at { plain[k] } else { own[k] }).collect())
        .collect()
}

/// `2023-09-05` `T08:07:34` `.605` `Z`.
fn parts(text: &str) -> Option<[&str; 4]> {
    let time = text.find(['T', 't', ' ']).filter(|at| *at == 10)?;
    let rest = &text[time..];
    let end = rest.find(['Z', 'z', '+', '-', '.']).unwrap_or(rest.len());
    let offset = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    Some([&text[..time], &rest[..end], rest.get(end..offset)?, &rest[offset..]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_blended_part_by_part() {
        let simplest = "2023-09-05T08:07:34.605Z";
        assert_eq!(
            blends("1999-12-31T08:07:34.1+14:00", simplest),
            [
                "2023-09-05T08:07:34.1+14:00",
                "1999-12-31T08:07:34.605+14:00",
                "1999-12-31T08:07:34.1Z"
            ]
        );
        assert!(blends("yesterday", simplest).is_empty());
        assert_eq!(parts("2024-02-29T00:00:00Z"), Some(["2024-02-29", "T00:00:00", "", "Z"]));
    }

    #[test]
    fn a_string_has_sides_where_a_number_stands_in_it() {
        let number = Some((2, 5));
        assert_eq!(StringSide::Before.of("éNUMx", number), "é");
        assert_eq!(StringSide::After.of("éNUMx", number), "x");
        assert_eq!(StringSide::Before.with("éNUMx", number, ""), "NUMx");
        assert_eq!(StringSide::After.with("éNUMx", number, "yy"), "éNUMyy");
        assert_eq!(
            (StringSide::Before.of("abc", None), StringSide::After.of("abc", None)),
            ("abc", "")
        );
        assert_eq!(StringSide::Before.with("abc", None, "b"), "b");
    }
}
