//! The direction of the code: a module imports only what stands to its left, and its own children.
//!
//! The table is the promise of DESIGN.md; `crate::` paths of all sources are held against it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
    ("compare", &["contract", "check", "record"]),
    (
        "report",
        &[
            "contract", "case", "generate", "exchange", "send", "check", "waiver", "record",
            "compare",
        ],
    ),
    ("certificate", &["contract", "case", "check", "waiver", "record", "report"]),
    (
        "engine",
        &[
            "contract", "case", "generate", "exchange", "send", "check", "waiver", "record",
            "report",
        ],
    ),
    // The reference server shares nothing with the harness but the contract.
    ("server", &["contract"]),
    ("embedded", &["contract", "case", "generate", "send", "engine", "server"]),
    (
        "prove",
        &[
            "contract", "case", "generate", "check", "record", "send", "engine", "server",
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
            "engine",
            "server",
            "embedded",
            "prove",
        ],
    ),
];

#[test]
fn modules_import_only_what_stands_to_their_left() {
    let mut wrong = Vec::new();
    for (module, file) in sources() {
        let allowed = allowed(&module);
        for (line, reached) in reached(&std::fs::read_to_string(&file).unwrap()) {
            if reached != module && !allowed.contains(&reached.as_str()) {
                wrong.push(format!("{}:{line}: {module} reaches for {reached}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_stands_in_the_table() {
    let found: BTreeSet<String> = sources().into_iter().map(|(module, _)| module).collect();
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
                let x = crate::engine::run();\n    pub(crate) fn f() {}\n";
    let found: Vec<String> = reached(text).into_iter().map(|(_, module)| module).collect();
    assert_eq!(found, ["case", "contract", "send", "engine"]);
}

fn allowed(module: &str) -> &'static [&'static str] {
    ALLOWED.iter().find(|(name, _)| *name == module).map_or(&[], |(_, allowed)| allowed)
}

/// The source directories whose top modules are layers; between crates, Cargo holds the direction.
const ROOTS: &[&str] = &["src", "crates/suite/src", "crates/report/src"];

/// Every source file with the module that it belongs to; `lib.rs`, `main.rs` and tests belong to none.
fn sources() -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for root in ROOTS {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
        let mut files = Vec::new();
        collect(&root, &mut files);
        for file in files {
            let relative = file.strip_prefix(&root).unwrap();
            let first = Path::new(relative.components().next().unwrap().as_os_str());
            let module = first.with_extension("").display().to_string();
            let is_test = file.file_name().unwrap() == "tests.rs";
            if !is_test && module != "lib" && module != "main" {
                found.push((module, file));
            }
        }
    }
    found
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// The top modules that `crate::` paths reach, with their lines; comments and inline test modules, which
/// stand at the end of a file, are left out.
fn reached(text: &str) -> Vec<(usize, String)> {
    let mut code = String::new();
    for line in text.lines() {
        if line.trim() == "mod tests {" {
            break;
        }
        if !line.trim_start().starts_with("//") {
            code.push_str(line);
        }
        code.push('\n');
    }
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
