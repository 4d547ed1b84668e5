//! The direction of the code: a module imports only what stands to its left, and its own children.
//!
//! The table is the promise of ARCHITECTURE.md; `crate::` paths of all sources are checked against it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::sources::{code, files};

/// Each module with everything that it may reach.
const ALLOWED: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("case", &["contract"]),
    ("generate", &["contract", "case"]),
    // A request's intent names the mutations that it carries, which stand left of it.
    ("exchange", &["contract", "case", "generate"]),
    ("send", &["contract", "case", "generate", "exchange"]),
    // Rules never send.
    ("check", &["contract", "case", "generate", "exchange"]),
    ("waiver", &["contract", "check"]),
    ("record", &["contract", "case", "generate", "exchange", "send", "check", "waiver"]),
    ("triage", &["contract", "check", "record"]),
    ("compare", &["contract", "check", "record", "triage"]),
    (
        "report",
        &[
            "contract", "case", "generate", "exchange", "send", "check", "waiver", "record",
            "triage", "compare",
        ],
    ),
    ("certificate", &["contract", "case", "check", "waiver", "record", "report"]),
    ("session", &["contract", "case", "generate", "exchange", "send", "check", "waiver", "record"]),
    ("compose", &["contract", "case", "generate", "exchange", "send", "session"]),
    (
        "execution",
        &[
            "contract", "case", "generate", "exchange", "send", "check", "record", "session",
            "compose",
        ],
    ),
    (
        "scenario",
        &[
            "contract",
            "case",
            "generate",
            "exchange",
            "check",
            "record",
            "session",
            "compose",
            "execution",
        ],
    ),
    ("hooks", &["contract", "case", "exchange", "session"]),
    ("proposal", &["contract"]),
    ("probe", &["contract", "generate", "exchange", "send", "session", "compose", "execution"]),
    ("attempt", &["contract", "check", "send", "session", "execution", "scenario"]),
    ("collect", &["case", "exchange", "check", "record", "triage", "session", "execution"]),
    (
        "export",
        &[
            "contract",
            "case",
            "generate",
            "exchange",
            "send",
            "check",
            "record",
            "triage",
            "session",
            "compose",
            "execution",
            "scenario",
            "collect",
        ],
    ),
    (
        "shrink",
        &[
            "attempt",
            "contract",
            "case",
            "generate",
            "exchange",
            "send",
            "check",
            "record",
            "triage",
            "session",
            "compose",
            "execution",
            "scenario",
            "collect",
            "export",
        ],
    ),
    (
        "lockstep",
        &[
            "attempt",
            "contract",
            "exchange",
            "send",
            "check",
            "record",
            "session",
            "generate",
            "execution",
            "scenario",
        ],
    ),
    (
        "run",
        &[
            "attempt",
            "contract",
            "case",
            "generate",
            "exchange",
            "send",
            "check",
            "record",
            "triage",
            "session",
            "compose",
            "execution",
            "collect",
            "export",
            "hooks",
            "lockstep",
            "shrink",
        ],
    ),
    ("har", &["contract", "case", "exchange", "send"]),
    ("import", &["contract", "exchange", "record"]),
    (
        "judge",
        &[
            "contract",
            "case",
            "generate",
            "exchange",
            "check",
            "waiver",
            "record",
            "session",
            "execution",
            "collect",
            "har",
            "import",
        ],
    ),
    ("proxy", &["contract", "exchange", "record", "send", "session", "har", "judge"]),
    (
        "doctor",
        &[
            "contract",
            "case",
            "generate",
            "exchange",
            "send",
            "session",
            "compose",
            "execution",
            "probe",
            "run",
        ],
    ),
    (
        "replay",
        &[
            "attempt",
            "contract",
            "case",
            "generate",
            "exchange",
            "send",
            "check",
            "record",
            "triage",
            "session",
            "compose",
            "execution",
            "scenario",
            "collect",
        ],
    ),
    // The reference server shares nothing with the harness but the contract.
    ("server", &["contract"]),
    ("embedded", &["contract", "case", "generate", "send", "session", "server"]),
    (
        "prove",
        &[
            "contract",
            "case",
            "generate",
            "check",
            "record",
            "send",
            "session",
            "execution",
            "run",
            "server",
            "embedded",
        ],
    ),
    (
        "cli",
        &[
            "contract",
            "case",
            "generate",
            "exchange",
            "send",
            "check",
            "waiver",
            "record",
            "compare",
            "report",
            "certificate",
            "session",
            "execution",
            "har",
            "lockstep",
            "hooks",
            "doctor",
            "import",
            "judge",
            "probe",
            "proposal",
            "proxy",
            "run",
            "replay",
            "server",
            "embedded",
            "prove",
        ],
    ),
];

#[test]
fn modules_import_only_what_stands_to_their_left() {
    let mut wrong = Vec::new();
    for (module, file, text) in sources() {
        let allowed = allowed(&module);
        for (line, reached) in reached(&text) {
            if reached != module && !allowed.contains(&reached.as_str()) {
                wrong.push(format!("{file}:{line}: {module} reaches for {reached}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_stands_in_the_table() {
    let found: BTreeSet<String> = sources().into_iter().map(|(module, ..)| module).collect();
    let crates = ["contract", "check", "waiver", "server"];
    let table: BTreeSet<String> = ALLOWED
        .iter()
        .map(|(module, _)| (*module).to_owned())
        .filter(|module| !crates.contains(&module.as_str()))
        .collect();
    assert_eq!(found, table);
}

#[test]
fn the_reader_of_paths_sees_every_spelling() {
    let text = "use crate::case::Depth;\nuse crate::{contract, send::Pace};\n// crate::report\n\
                let x = crate::run::run();\n    pub(crate) fn f() {}\n";
    let found: Vec<String> = reached(&code(text)).into_iter().map(|(_, module)| module).collect();
    assert_eq!(found, ["case", "contract", "send", "run"]);
}

fn allowed(module: &str) -> &'static [&'static str] {
    ALLOWED.iter().find(|(name, _)| *name == module).map_or(&[], |(_, allowed)| allowed)
}

/// The source directories whose top modules are layers; between crates, Cargo holds the direction.
const ROOTS: &[&str] = &["src", "crates/suite/src", "crates/report/src"];

/// Every source file with the module that it belongs to, and its text; `lib.rs` and `main.rs` belong to none.
fn sources() -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for root in ROOTS {
        for (path, text) in files(root) {
            let first = Path::new(path.components().next().unwrap().as_os_str());
            let module = first.with_extension("").display().to_string();
            if module != "lib" && module != "main" {
                found.push((module, format!("{root}/{}", path.display()), text));
            }
        }
    }
    found
}

/// The top modules that `crate::` paths reach, with their lines.
fn reached(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            found.extend(heads(list).into_iter().map(|name| (line, name)));
        } else {
            found.push((line, word(rest)));
        }
    }
    found
}

/// The first words of a braced list, its own lists left aside.
fn heads(list: &str) -> Vec<String> {
    let (mut depth, mut start, mut names) = (0, true, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if start && !c.is_whitespace() => {
                names.push(word(&list[at..]));
                start = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}
