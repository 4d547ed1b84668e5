//! Draws text that a regular expression matches.
//!
//! JSON Schema patterns are unanchored searches, so the drawn text is one whole match and anchors at its
//! ends hold by themselves; anchors elsewhere are left to the validator of the text.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::push_ascii;
use crate::contract::validity::is_plain;
use crate::generate::random::Random;

/// How much longer than needed an unbounded repetition gets.
const SLACK: usize = 8;
/// Repetitions beyond this are cut: the text would only get longer.
const MOST: usize = 4096;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(in crate::generate) enum Pattern {
    /// This text.
    Literal(String),
    /// One character of these ranges, and how many there are.
    Class(Vec<(char, char)>, u64),
    /// Repeated between these numbers of times.
    Repeat(Box<Pattern>, usize, usize),
    /// One after the other.
    Sequence(Vec<Pattern>),
    /// One of these.
    Either(Vec<Pattern>),
}

impl Pattern {
    /// Compiles `pattern`; none where it uses what a plain regular expression can't say.
    pub fn compile(pattern: &str) -> Option<Pattern> {
        let hir = ParserBuilder::new().nest_limit(64).build().parse(pattern).ok()?;
        from_hir(&hir)
    }

    /// Draws a text and appends it.
    pub fn push(&self, random: &mut Random, out: &mut String) {
        match self {
            Pattern::Literal(text) => out.push_str(text),
            Pattern::Class(ranges, total) => {
                let mut left = random.below(*total);
                for (first, last) in ranges {
                    let size = width(*first, *last);
                    if left < size {
                        out.push(nth(*first, *last, left));
                        return;
                    }
                    left -= size;
                }
            }
            Pattern::Repeat(inner, low, high) => {
                let mut left = random.between(*low, *high);
                // Digits and the like: what almost every pattern is made of.
                if let Pattern::Class(ranges, total) = &**inner
                    && let [(first @ '\0'..='\x7f', '\0'..='\x7f')] = ranges.as_slice()
                {
                    let mut piece = [0_u8; 16];
                    while left > 0 {
                        let size = left.min(piece.len());
                        for byte in &mut piece[..size] {
                            *byte = *first as u8 + u8::try_from(random.below(*total)).unwrap_or(0);
                        }
                        push_ascii(&piece[..size], out);
                        left -= size;
                    }
                }
                for _ in 0..left {
                    inner.push(random, out);
                }
            }
            Pattern::Sequence(parts) => parts.iter().for_each(|p| p.push(random, out)),
            Pattern::Either(branches) => {
                if let Some(branch) = random.pick(branches) {
                    branch.push(random, out);
                }
            }
        }
    }

    /// Keeps its texts between two lengths, as far as one repetition of single characters can.
    pub fn stretch(&mut self, min: usize, max: usize) {
        let (low, high) = self.lengths();
        if low >= min && high <= max {
            return;
        }
        if let Some((least, most)) = self.repetition() {
            let (others_low, others_high) = (low - *least, high - *most);
            *least = (*least).max(min.saturating_sub(others_low));
            *most = (*most).max(*least + SLACK).min(max.saturating_sub(others_high));
            *most = (*most).max(*least);
        }
    }

    /// Shortest and longest text, in code points.
    fn lengths(&self) -> (usize, usize) {
        match self {
            Pattern::Literal(text) => (text.chars().count(), text.chars().count()),
            Pattern::Class(..) => (1, 1),
            Pattern::Repeat(inner, low, high) => {
                let (least, most) = inner.lengths();
                (least.saturating_mul(*low), most.saturating_mul(*high))
            }
            Pattern::Sequence(parts) => parts
                .iter()
                .map(Pattern::lengths)
                .fold((0, 0), |all, one| (all.0 + one.0, usize::saturating_add(all.1, one.1))),
            Pattern::Either(branches) => {
                let all: Vec<_> = branches.iter().map(Pattern::lengths).collect();
                let least = all.iter().map(|l| l.0).min().unwrap_or(0);
                (least, all.iter().map(|l| l.1).max().unwrap_or(0))
            }
        }
    }

    /// The bounds of the last repetition of single characters that every text has.
    fn repetition(&mut self) -> Option<(&mut usize, &mut usize)> {
        match self {
            Pattern::Repeat(inner, low, high) => {
                matches!(**inner, Pattern::Class(..)).then_some((low, high))
            }
            Pattern::Sequence(parts) => parts.iter_mut().rev().find_map(Pattern::repetition),
            _ => None,
        }
    }

    /// Whether every text is plain, whatever is drawn (INTERPRETATION-18); no space is, which may not stand everywhere.
    pub fn is_plain(&self) -> bool {
        let fine = |c: char| c != ' ' && is_plain(c.encode_utf8(&mut [0; 4]));
        match self {
            Pattern::Literal(text) => !text.is_empty() && text.chars().all(fine),
            Pattern::Class(ranges, total) => {
                *total <= 128 && ranges.iter().all(|(first, last)| (*first..=*last).all(fine))
            }
            Pattern::Repeat(inner, low, _) => *low > 0 && inner.is_plain(),
            Pattern::Sequence(parts) => !parts.is_empty() && parts.iter().all(Pattern::is_plain),
            Pattern::Either(branches) => branches.iter().all(Pattern::is_plain),
        }
    }

    /// The simplest text: first branches, fewest repetitions, first characters.
    pub fn simplest(&self, out: &mut String) {
        match self {
            Pattern::Literal(text) => out.push_str(text),
            Pattern::Class(ranges, _) => out.extend(ranges.first().map(|r| r.0)),
            Pattern::Repeat(inner, low, _) => (0..*low).for_each(|_| inner.simplest(out)),
            Pattern::Sequence(parts) => parts.iter().for_each(|p| p.simplest(out)),
            Pattern::Either(branches) => {
                if let Some(branch) = branches.first() {
                    branch.simplest(out);
                }
            }
        }
    }
}

fn from_hir(hir: &Hir) -> Option<Pattern> {
    Some(match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Pattern::Literal(String::new()),
        HirKind::Literal(literal) => {
            Pattern::Literal(std::str::from_utf8(&literal.0).ok()?.to_owned())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let all: Vec<(char, char)> = class.iter().map(|r| (r.start(), r.end())).collect();
            let ranges = friendliest(&all);
            let total = ranges.iter().map(|(a, b)| width(*a, *b)).sum();
            if total == 0 {
                return None;
            }
            Pattern::Class(ranges, total)
        }
        HirKind::Class(Class::Bytes(class)) => {
            let ranges: Vec<(char, char)> = class
                .iter()
                .filter(|r| r.end() < 128)
                .map(|r| (char::from(r.start()), char::from(r.end())))
                .collect();
            let total = ranges.iter().map(|(a, b)| width(*a, *b)).sum();
            if total == 0 {
                return None;
            }
            Pattern::Class(ranges, total)
        }
        HirKind::Repetition(repetition) => {
            let low = usize::try_from(repetition.min).ok()?.min(MOST);
            let most = low + SLACK;
            let high = repetition.max.and_then(|m| usize::try_from(m).ok());
            let high = high.map_or(most, |h| h.min(most.max(64)));
            Pattern::Repeat(Box::new(from_hir(&repetition.sub)?), low, high.max(low))
        }
        HirKind::Capture(capture) => from_hir(&capture.sub)?,
        HirKind::Concat(parts) => {
            Pattern::Sequence(parts.iter().map(from_hir).collect::<Option<_>>()?)
        }
        HirKind::Alternation(branches) => {
            // A branch that can't be drawn is no loss while another can.
            let drawable: Vec<Pattern> = branches.iter().filter_map(from_hir).collect();
            if drawable.is_empty() {
                return None;
            }
            Pattern::Either(drawable)
        }
    })
}

/// Letters and digits where the class has some, else printable ASCII, else all of it: a class such as `\d`
/// or `[^x]` means far more in Unicode than a service expects.
fn friendliest(all: &[(char, char)]) -> Vec<(char, char)> {
    let alphanumeric = [('0', '9'), ('A', 'Z'), ('a', 'z')];
    for wanted in [&alphanumeric[..], &[(' ', '~')]] {
        let common: Vec<(char, char)> = all
            .iter()
            .flat_map(|(a, b)| wanted.iter().map(move |(from, to)| (*a.max(from), *b.min(to))))
            .filter(|(a, b)| a <= b)
            .collect();
        if !common.is_empty() {
            return common;
        }
    }
    all.iter().copied().filter(|(a, _)| *a != '\0').collect()
}

fn width(first: char, last: char) -> u64 {
    u64::from(u32::from(last)).saturating_sub(u64::from(u32::from(first))) + 1
}

/// The `n`th character from `first`; those in the surrogate gap become `first`.
fn nth(first: char, last: char, n: u64) -> char {
    let code = u64::from(u32::from(first)) + n;
    let drawn = u32::try_from(code).ok().and_then(char::from_u32);
    drawn.filter(|c| *c <= last).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_text_matches_its_pattern() {
        for pattern in [
            "(ORG|ACC)[0-9]{8,11}",
            "^[A-Z]{3}$",
            r"^\d{4}-\w+$",
            "^(?:a|b+)?x*[^xyz]{2}$",
            r"^[\p{Lu}]{2}é\s$",
            "^$",
        ] {
            let compiled = Pattern::compile(pattern).unwrap();
            let schema = serde_json::json!({ "pattern": format!("^(?:{pattern})$") });
            let validator = jsonschema::validator_for(&schema).unwrap();
            let mut random = Random::new(1);
            let mut simplest = String::new();
            compiled.simplest(&mut simplest);
            let mut draw = || {
                let mut text = String::new();
                compiled.push(&mut random, &mut text);
                text
            };
            for text in (0..200).map(|_| draw()).chain([simplest]) {
                assert!(validator.is_valid(&text.clone().into()), "{pattern}: {text:?}");
            }
        }
        assert!(Pattern::compile("(?=a)b").is_none());
        assert!(Pattern::compile("[").is_none());
    }
}
