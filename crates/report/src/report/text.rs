//! Text for people: hostile characters made visible, figures, wrapping.
//!
//! Whatever a target answers ends up on somebody's screen. It must not know what it is shown in.

use std::fmt::Write as _;

pub use crate::contract::text::counted;
pub use crate::contract::text::thousands as number;
use crate::exchange::TOKEN_MARK;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether a character would move the cursor, turn the reading direction, hide, or pass for a blank.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' // blanks of other widths
            | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e0000}'..='\u{e007f}')
}

/// `text` on one line, with hidden characters spelled out.
#[must_use]
pub fn visible(text: &str) -> String {
    spelled(text, false)
}

/// `text` with its line breaks and tabs, other hidden characters spelled out.
#[must_use]
pub fn visible_block(text: &str) -> String {
    spelled(text, true)
}

/// The lines of `text`, hidden characters spelled out: what a command printed has several.
pub(super) fn visible_lines(text: &str) -> Vec<String> {
    text.trim_end().lines().map(visible).collect()
}

fn spelled(text: &str, lines: bool) -> String {
    if !text.chars().any(is_hidden) {
        return text.to_owned();
    }
    let text = text.replace(TOKEN_MARK, "$BATCHPROOF_TOKEN");
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' | '\t' if lines => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// A value as its own bytes: on one line, and blanks at its end are seen.
pub(super) fn visible_value(text: &str) -> String {
    blanks_at_end(&visible(text))
}

/// A body with its line breaks, and the blanks at the ends of its lines are seen.
pub(super) fn visible_body(text: &str) -> String {
    visible_block(text).split('\n').map(blanks_at_end).collect::<Vec<_>>().join("\n")
}

/// Blanks after the text as `␠`; those before it are seen by themselves.
fn blanks_at_end(line: &str) -> String {
    let kept = line.trim_end_matches(' ');
    let blanks = "␠".repeat(line.len() - kept.len());
    format!("{kept}{blanks}")
}

/// At most `limit` characters of `text`, with a word on what was left out.
pub(super) fn excerpt(text: &str, limit: usize) -> String {
    let Some((at, _)) = text.char_indices().nth(limit) else { return text.to_owned() };
    let more = text[at..].chars().count();
    format!("{}… ({} more characters)", &text[..at], number(more as u64))
}

/// Seconds as people say them.
pub(super) fn seconds(value: f64) -> String {
    if !value.is_finite() || value < 0.0 {
        return "–".to_owned();
    }
    if value < 60.0 {
        return format!("{value:.1} s");
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // finite, positive, whole
    let whole = value.round() as u64;
    if whole < 3600 {
        format!("{} min {} s", whole / 60, whole % 60)
    } else {
        format!("{} h {} min", whole / 3600, whole % 3600 / 60)
    }
}

/// Milliseconds as people say them.
pub(super) fn millis(value: f64) -> String {
    if value >= 10_000.0 {
        seconds(value / 1e3)
    } else if value >= 10.0 {
        format!("{value:.0} ms")
    } else {
        format!("{value:.1} ms")
    }
}

/// Columns that `text` takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Columns at the end of a line that a long word does not leave empty.
const ROOM: usize = 20;

/// `text` in lines of at most `columns`, broken at spaces where that can be.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let mut word = word;
        let mut wide = width(word);
        if used > 0 && used + 1 + wide <= columns {
            line.push(' ');
            line.push_str(word);
            used += 1 + wide;
            continue;
        }
        if used > 0 && wide > columns && columns.saturating_sub(used) > ROOM {
            // A long word begins where there is room, instead of leaving the line nearly empty.
            let (head, rest) = split_at_width(word, columns - used - 1);
            line.push(' ');
            line.push_str(head);
            word = rest;
            wide = width(word);
        }
        if used > 0 {
            lines.push(std::mem::take(&mut line));
        }
        while wide > columns {
            let (head, rest) = split_at_width(word, columns);
            lines.push(head.to_owned());
            word = rest;
            wide = width(word);
        }
        line.push_str(word);
        used = wide;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

fn split_at_width(text: &str, columns: usize) -> (&str, &str) {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns && at > 0 {
            return text.split_at(at);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_spelled_out() {
        assert_eq!(visible("a\u{1b}[31m\u{202e}b\n"), "a\\u{1b}[31m\\u{202e}b\\n");
        assert_eq!(visible_block("a\n\u{0}"), "a\n\\u{0}");
        assert_eq!(visible("čž 漢字"), "čž 漢字");
        assert_eq!(visible("1\u{a0}000"), "1\\u{a0}000");
        assert_eq!(visible_value("a b  "), "a b␠␠");
        assert_eq!(visible_body("a \r\nb"), "a \\r\nb");
    }

    #[test]
    fn wrapping_keeps_every_word_and_every_limit() {
        for columns in [0, 8, 13, 40] {
            let text =
                "short words and onewordthatislongerthananyline 漢字漢字漢字漢字漢字漢字 end";
            let lines = wrap(text, columns);
            assert!(lines.iter().all(|l| width(l) <= columns.max(8)), "{lines:?}");
            assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(seconds(75.2), "1 min 15 s");
        assert_eq!(seconds(f64::NAN), "–");
        assert_eq!(excerpt("ééé", 2), "éé… (1 more characters)");
    }
}
