//! Bytes as words of a bash command line.
//!
//! Knows bash's quoting and nothing of requests.

use std::fmt::Write as _;

use crate::report::text::is_hidden;

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ShellPiece {
    /// Taken literally.
    Bytes(Vec<u8>),
    /// Expanded by the shell: `$NAME` or `${NAME}`.
    Expansion(String),
}

/// One word, quoted so that bash reads exactly these bytes. Zero bytes are left out: no word holds them.
pub(super) fn word(pieces: &[ShellPiece]) -> String {
    let mut out = String::new();
    let mut run: Vec<u8> = Vec::new();
    let end = |run: &mut Vec<u8>, out: &mut String| {
        if !run.is_empty() {
            out.push_str(&quoted(run));
            run.clear();
        }
    };
    for piece in pieces {
        match piece {
            ShellPiece::Bytes(bytes) => run.extend_from_slice(bytes),
            ShellPiece::Expansion(text) => {
                end(&mut run, &mut out);
                let _ = write!(out, "\"{text}\"");
            }
        }
    }
    end(&mut run, &mut out);
    if out.is_empty() { "''".to_owned() } else { out }
}

fn quoted(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).ok();
    if let Some(text) = text {
        if text.chars().all(|c| c.is_ascii_alphanumeric() || "/:.,_-+@%=".contains(c)) {
            return text.to_owned();
        }
        if !text.chars().any(|c| c == '\'' || is_hidden(c)) {
            return format!("'{text}'");
        }
    }
    let mut out = String::from("$'");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\0' => {}
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\\' => out.push_str("\\\\"),
                // Not `\'`: an interactive shell looks for `!` before it reads quotes, and would be misled.
                '\'' | '!' => hex(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes()),
                c if is_hidden(c) => hex(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes()),
                c => out.push(c),
            }
        }
        hex(&mut out, chunk.invalid());
    }
    out.push('\'');
    out
}

fn hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Always two digits, so that a digit after them is not swallowed.
        let _ = write!(out, "\\x{byte:02x}");
    }
}

/// A `printf` that writes exactly these bytes, zero bytes too.
pub(super) fn printf(pieces: &[ShellPiece]) -> String {
    let mut format = String::new();
    let mut arguments = String::new();
    for piece in pieces {
        match piece {
            ShellPiece::Bytes(bytes) => {
                for byte in bytes {
                    match byte {
                        b'\n' => format.push_str("\\n"),
                        b'\r' => format.push_str("\\r"),
                        b'\t' => format.push_str("\\t"),
                        b'\\' => format.push_str("\\\\"),
                        b'%' => format.push_str("%%"),
                        b'\'' | 0..=31 | 127..=255 => {
                            // Always three digits, so that a digit after them is not swallowed.
                            let _ = write!(format, "\\{byte:03o}");
                        }
                        byte => format.push(char::from(*byte)),
                    }
                }
            }
            ShellPiece::Expansion(text) => {
                format.push_str("%s");
                let _ = write!(arguments, " \"{text}\"");
            }
        }
    }
    // A format that begins with a dash would be read as an option.
    format!("printf -- '{format}'{arguments}")
}
