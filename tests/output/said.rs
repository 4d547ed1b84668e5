//! What a command is given, and what it says to that, as one text for a snapshot.

use std::fmt::Write as _;
use std::time::Duration;

use crate::harness::{Desk, Ended, shown};

/// A command that goes on for so long was not refused.
const LONGEST: Duration = Duration::from_mins(1);

/// What a command says, where anybody reads it.
pub fn said(ended: &Ended) -> String {
    let mut text = format!("exit {}\n", ended.code);
    for stream in [&ended.out, &ended.err] {
        text.push_str(stream);
        if !stream.is_empty() && !stream.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}

/// Runs each of `commands` and shows what it says.
#[track_caller]
pub fn commands(name: &str, desk: &Desk, commands: &[&[&str]]) {
    let mut text = String::new();
    for arguments in commands {
        let ended = desk
            .command()
            .env("COLUMNS", "100")
            .timeout(LONGEST)
            .args(*arguments)
            .output()
            .unwrap();
        let ended = Ended {
            code: ended.status.code().unwrap_or(-1),
            out: String::from_utf8(ended.stdout).unwrap(),
            err: String::from_utf8(ended.stderr).unwrap(),
        };
        let _ = writeln!(text, "$ batchproof {}\n{}", arguments.join(" "), said(&ended));
    }
    shown(name, &text);
}

/// Writes each of `texts` as `file` and shows what `batchproof ARGUMENTS` says to it.
#[track_caller]
pub fn texts(name: &str, desk: &Desk, arguments: &[&str], file: &str, texts: &[&str]) {
    let mut text = format!("$ batchproof {}\n", arguments.join(" "));
    for given in texts {
        desk.file(file, given);
        let _ =
            writeln!(text, "\n{}{}", quoted(given), said(&desk.batchproof(arguments)).trim_end());
    }
    shown(name, &text);
}

/// Changes one place of a file at a time, and shows what `batchproof ARGUMENTS` says to it.
#[track_caller]
pub fn changes(name: &str, desk: &Desk, arguments: &[&str], file: &str, changes: &[(&str, &str)]) {
    let sound = std::fs::read_to_string(desk.path().join(file)).unwrap();
    let mut text = format!("$ batchproof {}\n", arguments.join(" "));
    for (from, to) in changes {
        assert!(sound.contains(from), "`{from}` is not in {file}");
        desk.file(file, sound.replacen(from, to, 1));
        let said = said(&desk.batchproof(arguments));
        let _ = writeln!(text, "\n- {from}\n+ {to}\n{}", said.trim_end());
    }
    desk.file(file, sound);
    shown(name, &text);
}

fn quoted(text: &str) -> String {
    text.lines().fold(String::new(), |mut quoted, line| {
        let _ = writeln!(quoted, "| {line}");
        quoted
    })
}
