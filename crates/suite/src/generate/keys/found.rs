//! Finds keys in what was sent, so that it can be sent again with fresh ones.
//!
//! Exchanging the nonce alone keeps all that keys have in common: equal ones stay equal, look-alikes stay
//! look-alikes, and no length changes. It must not know where in a body a key is.

use std::ops::Range;

use super::generator::{COUNTER, NONCE};

/// A shorter end of a run id would be found where it isn't one.
const SHORTEST: usize = 4;

/// The beginnings of keys: run id, dash, nonce, dash, in lower case but for the run id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPrefixes(Vec<String>);

/// A key found in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundKey {
    /// Which of the prefixes it begins with.
    pub prefix: usize,
    /// Whether it is written in upper case.
    pub upper: bool,
    /// Where it is: prefix and counter.
    pub place: Range<usize>,
    /// Where its nonce is.
    pub nonce: Range<usize>,
    /// Where its counter is; shorter than usual where the key was cut.
    pub counter: Range<usize>,
}

impl KeyPrefixes {
    /// The one prefix of a keys.
    #[must_use]
    pub fn of_generator(prefix: &str) -> KeyPrefixes {
        KeyPrefixes(vec![prefix.to_owned()])
    }

    /// The prefixes in `texts` that processes with this run id made: with all of it, or with its end where
    /// a bounded field cut it short.
    #[must_use]
    pub fn of_run<'a>(run_id: &str, texts: impl Iterator<Item = &'a [u8]>) -> KeyPrefixes {
        let mut found: Vec<String> = Vec::new();
        for text in texts {
            let Some(stem) = stem(run_id, text) else { continue };
            for at in 0..text.len() {
                let Some(nonce) = nonce_at(text, at, &stem) else { continue };
                let nonce = String::from_utf8_lossy(&text[nonce]).to_ascii_lowercase();
                let prefix = format!("{stem}{nonce}-");
                if !found.contains(&prefix) {
                    found.push(prefix);
                }
            }
        }
        KeyPrefixes(found)
    }

    /// Takes in further ones.
    pub fn add(&mut self, prefixes: &[String]) {
        self.0.extend_from_slice(prefixes);
    }

    /// In the order in which they were found.
    #[must_use]
    pub fn list(&self) -> &[String] {
        &self.0
    }

    /// The keys in `bytes`, in order.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Vec<FoundKey> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let here = self.0.iter().position(|p| {
                bytes.get(at..at + p.len()).is_some_and(|b| b.eq_ignore_ascii_case(p.as_bytes()))
            });
            let Some(prefix) = here else {
                at += 1;
                continue;
            };
            let text = &self.0[prefix];
            let end = at + text.len();
            let upper = bytes[at..end] != *text.as_bytes();
            let digits =
                bytes[end..].iter().take(COUNTER).take_while(|b| b.is_ascii_alphanumeric()).count();
            found.push(FoundKey {
                prefix,
                upper,
                place: at..end + digits,
                nonce: end - 1 - NONCE..end - 1,
                counter: end..end + digits,
            });
            at = end + digits;
        }
        found
    }
}

/// What tells a key from all others: the nonce of its process, and its counter there.
#[derive(Debug, Clone, Copy)]
pub struct KeyParts<'a> {
    /// The nonce.
    pub nonce: &'a str,
    /// The counter.
    pub counter: &'a str,
}

impl<'a> KeyParts<'a> {
    /// The parts of the last key that `text` holds, whatever its run id.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<KeyParts<'a>> {
        let bytes = text.as_bytes();
        let is_part = |from: usize, length: usize| {
            bytes.get(from..from + length).is_some_and(|p| p.iter().all(u8::is_ascii_alphanumeric))
        };
        let dash = (0..bytes.len()).rev().find(|at| {
            bytes[*at] == b'-'
                && is_part(at + 1, NONCE)
                && bytes.get(at + 1 + NONCE) == Some(&b'-')
                && is_part(at + 2 + NONCE, COUNTER)
        })?;
        let counter = dash + 2 + NONCE;
        Some(KeyParts {
            nonce: text.get(dash + 1..dash + 1 + NONCE)?,
            counter: text.get(counter..counter + COUNTER)?,
        })
    }

    /// The same for every spelling of the key, in whatever letter case.
    #[must_use]
    pub fn folded(&self) -> String {
        let mut key = format!("{}-{}", self.nonce, self.counter);
        key.make_ascii_lowercase();
        key
    }
}

/// The run id with a dash, or the longest end of it that keys in `text` begin with.
fn stem(run_id: &str, text: &[u8]) -> Option<String> {
    run_id
        .char_indices()
        .map(|(at, _)| &run_id[at..])
        .take_while(|rest| rest.len() >= SHORTEST)
        .map(|rest| format!("{rest}-"))
        .find(|stem| (0..text.len()).any(|at| nonce_at(text, at, stem).is_some()))
}

/// The nonce of a key that begins at `at` with `stem`.
fn nonce_at(text: &[u8], at: usize, stem: &str) -> Option<Range<usize>> {
    let start = at + stem.len();
    let end = start + NONCE;
    let fits = text.get(at..start)?.eq_ignore_ascii_case(stem.as_bytes())
        && text.get(start..end)?.iter().all(u8::is_ascii_alphanumeric)
        && text.get(end) == Some(&b'-');
    fits.then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::KeyGenerator;

    #[test]
    fn numbers_are_found_however_they_are_dressed() {
        let keys = KeyGenerator::new("bptest-261122-k3x9qz");
        let number = keys.fresh();
        let cut = &number[..number.len() - 1];
        let text = format!("[\"{number}xxx\",\"é{}\",\"{cut}\"]", number.to_ascii_uppercase());
        for prefixes in [
            KeyPrefixes::of_generator(keys.prefix()),
            KeyPrefixes::of_run("bptest-261122-k3x9qz", [text.as_bytes()].into_iter()),
            KeyPrefixes::of_run("longer-bptest-261122-k3x9qz", [text.as_bytes()].into_iter()),
        ] {
            let found = prefixes.find(text.as_bytes());
            let shown: Vec<(&str, bool)> =
                found.iter().map(|m| (&text[m.place.clone()], m.upper)).collect();
            let upper = number.to_ascii_uppercase();
            assert_eq!(shown, [(number.as_str(), false), (upper.as_str(), true), (cut, false)]);
            assert!(found.iter().all(|m| m.nonce.len() == NONCE));
        }
        let none = KeyPrefixes::of_run("other", [text.as_bytes()].into_iter());
        assert!(none.list().is_empty() && none.find(text.as_bytes()).is_empty());
    }

    #[test]
    fn another_nonce_makes_fresh_numbers_of_the_same_length() {
        let keys = KeyGenerator::new("bptest-261122-k3x9qz");
        let other = KeyGenerator::prefix_like(keys.prefix());
        assert_eq!(other.len(), keys.prefix().len());
        assert!(other.starts_with("bptest-261122-k3x9qz-") && other.ends_with('-'));
        assert_ne!(other, keys.prefix());
    }
}
