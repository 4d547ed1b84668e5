//! Every `batchproof` command of a console block is one that the command line takes.

use crate::harness::Desk;
use crate::text::pages;

/// Fewer would mean that the reader of blocks finds none.
const AT_LEAST: usize = 30;

#[test]
fn every_command_is_one_that_the_command_line_takes() {
    let desk = Desk::new();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in pages() {
        for block in page.blocks().into_iter().filter(|block| block.kind == "console") {
            for line in block.text.lines().filter_map(|line| line.strip_prefix("$ ")) {
                let Some(arguments) = arguments(line) else { continue };
                // `--help` at the end: all that stands before it is parsed, and nothing is sent.
                let words: Vec<&str> =
                    arguments.iter().map(String::as_str).chain(["--help"]).collect();
                let mut command = desk.command();
                command.env("JOB_COMPLETION_INDEX", "0").args(&words);
                let output = command.output().unwrap();
                if !output.status.success() {
                    let error = String::from_utf8_lossy(&output.stderr).into_owned();
                    wrong.push(format!("{}: {line}\n{error}", block.place));
                }
                seen += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= AT_LEAST, "only {seen} commands were found");
}

/// The arguments of `batchproof` in a line for a shell; none where it runs something else.
fn arguments(line: &str) -> Option<Vec<String>> {
    let words = shell_words(line);
    let rest = match words.iter().position(|word| word == "batchproof") {
        Some(0) => &words[1..],
        _ if words.starts_with(&["cargo".to_owned(), "run".to_owned()]) => {
            &words[words.iter().position(|word| word == "--")? + 1..]
        }
        _ => return None,
    };
    // `…` stands for what is left out: a value.
    Some(rest.iter().map(|word| word.replace('…', "value")).collect())
}

/// The words of the first command of a line, quotes resolved: up to `#`, `|`, `>`, `&` or `;`.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            (c, Some(mark)) if c == mark => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            ('#', None) if word.is_none() => break,
            ('|' | '>' | '&' | ';', None) => break,
            (' ', None) => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn words_are_read_as_a_shell_reads_them() {
    let line = "batchproof certify --subject \"ACME 4.2\" --key 'a b' x# --plan # not this";
    let words = arguments(line).unwrap();
    assert_eq!(words, ["certify", "--subject", "ACME 4.2", "--key", "a b", "x#", "--plan"]);
    assert_eq!(arguments("cargo run --release -- run > out").unwrap(), ["run"]);
    assert!(arguments("jq -j .payload certificate.json").is_none());
}
