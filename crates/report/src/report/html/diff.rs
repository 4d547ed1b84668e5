//! What differs between two texts, marked: word by word, then character by character in what is left.
//!
//! Texts that have little in common are left unmarked: all of them would be.

use maud::{Markup, html};

use crate::report::text::{excerpt, visible_value};

/// More comparisons than that are not made.
const WORK: usize = 60_000;

/// A part of a text, and whether the other text has it too.
type TextPart = (String, bool);

/// Both texts, at most `limit` characters of each, with what differs marked.
pub(super) fn marked(left: &str, right: &str, limit: usize) -> (Markup, Markup) {
    let (left, right) =
        (visible_value(&excerpt(left, limit)), visible_value(&excerpt(right, limit)));
    let plain = |text: &str| html! { (text) };
    if left == right {
        return (plain(&left), plain(&right));
    }
    let (a, b) = parts(&left, &right);
    let common: usize = a.iter().filter(|p| p.1).map(|p| p.0.chars().count()).sum();
    let longer = left.chars().count().max(right.chars().count());
    if common * 5 < longer * 2 {
        return (plain(&left), plain(&right));
    }
    (show(&a), show(&b))
}

fn show(parts: &[TextPart]) -> Markup {
    html! {
        @for (text, same) in parts { @if *same { (text) } @else { mark { (text) } } }
    }
}

fn parts(left: &str, right: &str) -> (Vec<TextPart>, Vec<TextPart>) {
    let (a, b) = (words(left), words(right));
    if a.len() * b.len() > WORK {
        return refined(left, right);
    }
    let (mut out_a, mut out_b) = (Vec::new(), Vec::new());
    let (mut from_a, mut from_b) = (0, 0);
    let mut close = |until_a: usize, until_b: usize, from_a: usize, from_b: usize| {
        let (gone, come) = (a[from_a..until_a].concat(), b[from_b..until_b].concat());
        let (mut x, mut y) = refined(&gone, &come);
        out_a.append(&mut x);
        out_b.append(&mut y);
        if let Some(word) = a.get(until_a) {
            out_a.push(((*word).to_owned(), true));
            out_b.push(((*word).to_owned(), true));
        }
    };
    for (i, j) in common(&a, &b) {
        close(i, j, from_a, from_b);
        (from_a, from_b) = (i + 1, j + 1);
    }
    let (mut x, mut y) = refined(&a[from_a..].concat(), &b[from_b..].concat());
    out_a.append(&mut x);
    out_b.append(&mut y);
    (out_a, out_b)
}

/// Letters together, digits together, everything else by itself.
fn words(text: &str) -> Vec<&str> {
    let kind = |c: char| {
        if c.is_alphabetic() {
            1
        } else if c.is_numeric() {
            2
        } else {
            0
        }
    };
    let mut out = Vec::new();
    let mut start = 0;
    let mut previous = 0;
    for (at, c) in text.char_indices() {
        if at > start && (kind(c) != previous || kind(c) == 0) {
            out.push(&text[start..at]);
            start = at;
        }
        previous = kind(c);
    }
    out.push(&text[start..]);
    out
}

/// Positions of a longest common subsequence.
fn common(a: &[&str], b: &[&str]) -> Vec<(usize, usize)> {
    let wide = b.len() + 1;
    let mut best = vec![0_u32; (a.len() + 1) * wide];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            best[i * wide + j] = if a[i] == b[j] {
                best[(i + 1) * wide + j + 1] + 1
            } else {
                best[(i + 1) * wide + j].max(best[i * wide + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::new();
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            out.push((i, j));
            i += 1;
            j += 1;
        } else if best[(i + 1) * wide + j] >= best[i * wide + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    out
}

/// Two different pieces without the beginning and the end that they share.
fn refined(left: &str, right: &str) -> (Vec<TextPart>, Vec<TextPart>) {
    let (a, b): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let begin = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let most = a.len().min(b.len()) - begin;
    let end = a.iter().rev().zip(b.iter().rev()).take(most).take_while(|(x, y)| x == y).count();
    let cut = |chars: &[char]| {
        let until = chars.len() - end;
        [(&chars[..begin], true), (&chars[begin..until], false), (&chars[until..], true)]
            .into_iter()
            .filter(|(part, _)| !part.is_empty())
            .map(|(part, same)| (part.iter().collect(), same))
            .collect()
    };
    (cut(&a), cut(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(left: &str, right: &str) -> (String, String) {
        let (a, b) = marked(left, right, 1_000);
        (a.0, b.0)
    }

    #[test]
    fn every_difference_is_marked_and_nothing_else() {
        let (a, b) = both("item 1: \"run-1\" is here", "item 4: \"run-4\" is here");
        assert_eq!(a, "item <mark>1</mark>: &quot;run-<mark>1</mark>&quot; is here");
        assert_eq!(b, "item <mark>4</mark>: &quot;run-<mark>4</mark>&quot; is here");
        let (a, b) = both("aaaaaaaaaaaaab", "aaaaaaaaaaaaa");
        assert_eq!((a.as_str(), b.as_str()), ("aaaaaaaaaaaaa<mark>b</mark>", "aaaaaaaaaaaaa"));
        assert_eq!(both("none", "200"), ("none".to_owned(), "200".to_owned()));
        assert_eq!(both("", ""), (String::new(), String::new()));
        let long = "é, ".repeat(900);
        let (a, b) = both(&long, &format!("x{long}"));
        assert!(!a.contains("<mark>") || b.starts_with("<mark>x</mark>"), "{b}");
    }
}
