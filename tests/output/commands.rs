//! `--help`, `list` and `explain`.

use std::fmt::Write as _;

use crate::harness::{Desk, Serving, shown};
use crate::said::commands;

const COMMANDS: &[&str] = &[
    "run", "list", "explain", "sample", "serve", "prove", "replay", "cleanup", "report", "certify",
    "verify",
];

/// Lines of a list that are enough to see how it is written.
const LINES: usize = 15;

#[test]
fn help() {
    let desk = Desk::new();
    commands("help", &desk, &[&["--help"], &["-h"], &[]]);
    for command in COMMANDS {
        commands(&format!("help_{command}"), &desk, &[&[command, "--help"]]);
    }
}

#[test]
fn explain() {
    let desk = Desk::new();
    for (kind, id) in [
        ("rule", "ORDER-002"),
        ("family", "RACE"),
        ("interpretation", "INTERPRETATION-19"),
        ("case", "unique/replayed"),
        ("fault", "results-reversed"),
        ("mutation", "drop-required"),
    ] {
        commands(&format!("explained_{kind}"), &desk, &[&["explain", id]]);
    }
}

#[test]
fn list() {
    let desk = Desk::new();
    let mut text = String::new();
    for kind in ["--cases", "--rules", "--mutations", "--faults"] {
        let ended = desk.batchproof(&["list", kind]).ends(0);
        let head: Vec<&str> = ended.out.lines().take(LINES).collect();
        let _ = write!(text, "$ batchproof list {kind}\n{}\n…\n\n", head.join("\n"));
    }
    shown("list", &text);
}

#[test]
fn serve() {
    let open = Serving::start(&["--refusal-mode", "item"], None);
    let faulty = ["--fault", "results-reversed", "--fault", "cacheable-answer"];
    let faulty = Serving::start(&faulty, Some("token-7f3a"));
    shown("serve", &format!("{}\n{}", open.said, faulty.said));
}
