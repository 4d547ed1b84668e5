//! Servers of other people, where `tests/third-party/install` has installed them: what is found there is really wrong
//! with them.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::harness::Desk;

struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A place below where the servers are installed; none, with a message, where it is not there.
fn installed(part: &str) -> Option<PathBuf> {
    let home = std::env::var_os("THIRD_PARTY_HOME")
        .map_or_else(|| root().join("target/third-party"), PathBuf::from);
    let place = home.join(part);
    if !place.exists() {
        println!("left out: {} is not there (tests/third-party/install)", place.display());
        return None;
    }
    Some(place)
}

fn start(command: &mut Command) -> Server {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").expect("the URL").to_owned();
    Server { child, url }
}

/// Runs the suite at depth quick; the rules of what it found, and what it printed.
fn judged(contract: &str, server: &Server) -> (BTreeSet<String>, String) {
    let desk = Desk::new();
    let contract = root().join("examples/contracts").join(contract).display().to_string();
    let run = ["run", "--contract", &contract, "--target", &server.url, "--depth", "quick"];
    let ended = desk.batchproof(&[&run[..], &["--seed", "3"]].concat());
    assert!(ended.code < 2, "{}", ended.text());
    let passed = desk.report()["rules"].clone();
    let is_passed = |id: &str| {
        passed.as_array().unwrap().iter().any(|r| r["id"] == id && r["outcome"] == "passed")
    };
    for id in ["UNIQUE-001", "UNIQUE-003", "ORDER-001", "ATOM-001", "ECHO-001", "CODE-001"] {
        assert!(is_passed(id), "{id}: {}", ended.text());
    }
    (desk.found().into_iter().collect(), ended.text())
}

fn only(found: &BTreeSet<String>, known: &[&str], text: &str) {
    let unknown: Vec<&String> = found.iter().filter(|id| !known.contains(&id.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}\n{text}");
}

#[test]
fn pouchdb_is_judged_by_what_is_wrong_with_it() {
    let Some(modules) = installed("node/node_modules") else { return };
    let script = root().join("tests/third-party/serve_pouchdb.js");
    let server = start(Command::new("node").arg(script).arg(modules));
    let (found, text) = judged("pouchdb", &server);
    // JSON is called text/plain where a request has no Accept, null in place of a document is a 500, and broken UTF-8 is
    // taken for something else.
    only(&found, &["HTTP-001", "ROBUST-001", "REFUSE-007"], &text);
}

#[test]
fn kinto_is_judged_by_what_is_wrong_with_it() {
    let Some(python) = installed("venv/bin/python") else { return };
    let script = root().join("tests/third-party/serve_kinto.py");
    let server = start(Command::new(python).arg("-B").arg(script));
    let (found, text) = judged("kinto", &server);
    // A list in place of the body, and deep nesting, are a 500; a 405 doesn't name POST.
    only(&found, &["ROBUST-001", "ROBUST-004", "HTTP-003"], &text);
}
