//! The picture of a run in the README is what a run prints.

use std::fmt::Write as _;

use crate::harness::{Desk, Serving};
use crate::text::root;

const BEGIN: &str = "```text\n";
const BEFORE: &str = "<!-- picture: ";
const END: &str = "```\n<!-- /picture -->";
/// Columns of a line; what is longer ends with `…`.
const WIDTH: usize = 100;
/// The key of every item begins so.
const RUN_ID: &str = "nightly-7";

#[test]
fn the_picture_in_the_readme_is_what_a_run_prints() {
    let picture = picture();
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEFORE).expect(BEFORE);
    let (comment, rest) = rest.split_once(BEGIN).expect(BEGIN);
    let (shown, after) = rest.split_once(END).expect(END);
    if std::env::var_os("BATCHPROOF_BLESS").is_some() {
        let text = format!("{before}{BEFORE}{comment}{BEGIN}{picture}{END}{after}");
        std::fs::write(&path, text).unwrap();
        return;
    }
    assert_eq!(shown, picture, "BATCHPROOF_BLESS=1 cargo test --test readme writes it again");
}

#[test]
fn the_first_command_of_the_readme_begins_as_it_says() {
    const BEGINS: &str = "CONFORMANT  embedded reference server";
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(BEGINS));
    let ended = Desk::new().batchproof(&["run", "--depth", "quick"]).ends(0);
    assert!(ended.out.starts_with(BEGINS), "{}", ended.out);
}

/// The commands and what they print, up to the table of rules.
fn picture() -> String {
    let server = Serving::start(&["--fault", "results-reversed"], Some("demo"));
    let desk = Desk::new();
    let options = ["--depth", "quick", "--seed", "7", "--run-id", RUN_ID];
    let ended = desk
        .with_token(
            &[&["run", "order", "--target", &server.url, "--jobs", "1"], &options[..]].concat(),
            Some("demo"),
        )
        .ends(1);
    let mut text = format!(
        "$ export BATCHPROOF_TOKEN=demo\n\
         $ batchproof serve --port 8080 --fault results-reversed &\n\
         $ batchproof run order --target http://127.0.0.1:8080 {}\n",
        options.join(" ")
    );
    let problems = ended.out.split("\n── ").next().unwrap().trim_end();
    let host = server.url.split('/').nth(2).expect("a host");
    let steady = steady(problems).replace(host, "127.0.0.1:8080");
    for line in steady.lines() {
        if line.chars().count() > WIDTH {
            let cut: String = line.chars().take(WIDTH - 1).collect();
            let _ = writeln!(text, "{cut}…");
        } else {
            let _ = writeln!(text, "{line}");
        }
    }
    text.push_str("…\n$ echo $?\n1\n");
    text
}

/// The text with the same nonce, time and trace each time.
fn steady(text: &str) -> String {
    let nonce = format!("{RUN_ID}-");
    let key = text.split(&nonce).nth(1).expect("a key");
    let text = text.replace(&key[..6], "x7k2mq");
    let (before, rest) = text.split_once("→ 200 in ").expect("the request line");
    let (_, after) = rest.split_once("(trace ").expect("its trace");
    let (_, after) = after.split_once(')').expect("the end of its trace");
    format!("{before}→ 200 in 0.2 ms  (trace 4bf92f35){after}")
}
