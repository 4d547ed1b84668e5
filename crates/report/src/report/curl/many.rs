//! Bodies of many items that differ only in their keys, as a few `printf` of bash.
//!
//! Between two keys such a body repeats the same text, whatever its fields are called. Keys are renumbered in their
//! order of appearance, so that a range of bash can replace them. Equal keys stay equal in all requests of a paste,
//! and keep their length. It must not know what a key is.

use std::collections::HashMap;

use super::quote::{ShellPiece, word};
use crate::generate::{FoundKey, KeyPrefixes};

/// This many keys in a row with the same text after them are written as a range.
const RUN: usize = 8;

/// The keys of a paste, renumbered.
pub(super) struct CountedKeys {
    prefixes: KeyPrefixes,
    /// By prefix and counter.
    places: HashMap<(usize, Vec<u8>), usize>,
    /// Digits of a counter.
    width: usize,
}

impl CountedKeys {
    /// The keys of all bodies of a paste; nothing if no body has many similar items, or a key was changed or cut.
    pub(super) fn of(run_id: &str, bodies: &[&[u8]]) -> Option<CountedKeys> {
        let prefixes = KeyPrefixes::of_run(run_id, bodies.iter().copied());
        let mut counted = CountedKeys { prefixes, places: HashMap::new(), width: 0 };
        let mut longest = 0;
        for body in bodies {
            let found = counted.prefixes.find(body);
            longest = longest.max(stretches(body, &found).map(|s| s.len()).max().unwrap_or(0));
            for minted in found {
                let width = minted.counter.len();
                if minted.upper || width == 0 || (counted.width != 0 && counted.width != width) {
                    return None;
                }
                counted.width = width;
                let place = counted.places.len() + 1;
                counted.places.entry(key(body, &minted)).or_insert(place);
            }
        }
        let fits = counted.places.len().to_string().len() <= counted.width;
        (longest >= RUN && fits).then_some(counted)
    }

    /// A body with its keys renumbered.
    pub(super) fn renumbered(&self, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(body.len());
        let mut from = 0;
        for minted in self.prefixes.find(body) {
            out.extend_from_slice(&body[from..minted.counter.start]);
            let place = self.places.get(&key(body, &minted)).copied().unwrap_or(0);
            out.extend_from_slice(format!("{place:0width$}", width = self.width).as_bytes());
            from = minted.counter.end;
        }
        out.extend_from_slice(&body[from..]);
        out
    }

    /// The commands that print a body; nothing if it does not have many similar items. `nonce` gives the shell's name
    /// of a nonce.
    pub(super) fn printed(
        &self,
        body: &[u8],
        mut nonce: impl FnMut(&[u8]) -> String,
    ) -> Option<String> {
        let found = self.prefixes.find(body);
        if !stretches(body, &found).any(|s| s.len() >= RUN) {
            return None;
        }
        let place = |m: &FoundKey| self.places.get(&key(body, m)).copied().unwrap_or(0);
        let width = self.width;
        let mut commands: Vec<String> = Vec::new();
        let mut pieces: Vec<ShellPiece> = Vec::new();
        literal(&mut pieces, found.first().map_or(body, |first| &body[..first.nonce.start]));
        for stretch in stretches(body, &found) {
            let in_a_row = |a: &Followed<'_>, b: &Followed<'_>| place(b.0) == place(a.0) + 1;
            for row in stretch.chunk_by(in_a_row) {
                let (Some((first, behind)), Some((last, _))) = (row.first(), row.last()) else {
                    continue;
                };
                let number = nonce(&body[first.nonce.clone()]);
                if row.len() < RUN {
                    for (minted, behind) in row {
                        pieces.push(ShellPiece::Expansion(number.clone()));
                        literal(&mut pieces, format!("-{:0width$}", place(minted)).as_bytes());
                        literal(&mut pieces, behind);
                    }
                    continue;
                }
                end(&mut commands, &mut pieces, "");
                pieces.push(ShellPiece::Expansion(number));
                pieces.push(ShellPiece::Bytes(format!("-%0{width}d").into_bytes()));
                literal(&mut pieces, behind);
                end(&mut commands, &mut pieces, &format!(" {{{}..{}}}", place(first), place(last)));
            }
        }
        end(&mut commands, &mut pieces, "");
        Some(commands.join("; "))
    }
}

/// A key, and the text up to the nonce of the next one.
type Followed<'a> = (&'a FoundKey, &'a [u8]);

/// The keys of a body, those with the same nonce and the same text after them together.
fn stretches<'a>(body: &'a [u8], found: &'a [FoundKey]) -> impl Iterator<Item = Vec<Followed<'a>>> {
    let ends = found.iter().skip(1).map(|m| m.nonce.start).chain([body.len()]);
    let followed: Vec<Followed<'a>> =
        found.iter().zip(ends).map(|(m, end)| (m, &body[m.counter.end..end])).collect();
    let alike = |a: &Followed<'a>, b: &Followed<'a>| a.1 == b.1 && a.0.prefix == b.0.prefix;
    followed.chunk_by(alike).map(<[_]>::to_vec).collect::<Vec<_>>().into_iter()
}

fn key(body: &[u8], minted: &FoundKey) -> (usize, Vec<u8>) {
    (minted.prefix, body[minted.counter.clone()].to_vec())
}

/// Text as a format of `printf` has it.
fn literal(pieces: &mut Vec<ShellPiece>, text: &[u8]) {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        if matches!(byte, b'%' | b'\\') {
            escaped.push(*byte);
        }
        escaped.push(*byte);
    }
    match pieces.last_mut() {
        Some(ShellPiece::Bytes(before)) => before.append(&mut escaped),
        _ => pieces.push(ShellPiece::Bytes(escaped)),
    }
}

/// Makes a command of what has come together, with these arguments.
fn end(commands: &mut Vec<String>, pieces: &mut Vec<ShellPiece>, arguments: &str) {
    if !pieces.is_empty() {
        // A format that begins with a dash would be read as an option.
        commands.push(format!("printf -- {}{arguments}", word(pieces)));
        pieces.clear();
    }
}
