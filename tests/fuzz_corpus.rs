//! The corpus of the fuzz targets, and some thousand mutations of it, through every reader: none panics, none takes
//! long.

#[path = "../fuzz/entry.rs"]
mod entry;

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// No reader takes longer with anything of this size, on however slow a machine.
const LONGEST: Duration = Duration::from_secs(20);

/// Text that readers know.
const WORDS: [&[u8]; 16] = [
    b"{", b"}", b"[", b"]", b"\"", b":", b",", b"\n", b"- ", b"*a", b"&a ", b"1e999", b"null",
    b"${", b"\xff", b"\r\n",
];

fn files(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no corpus");
    files
}

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % bound.max(1)
    }
}

fn mutated(bytes: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        let to = (at + numbers.below(40)).min(bytes.len());
        match numbers.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let word = WORDS[numbers.below(WORDS.len())];
                bytes.splice(at..at, word.iter().copied());
            }
            3 => {
                let word = WORDS[numbers.below(WORDS.len())];
                bytes.splice(at..to, word.repeat(1 + numbers.below(300)));
            }
            4 => {
                let part = bytes[at..to].to_vec();
                let at = numbers.below(bytes.len() + 1);
                bytes.splice(at..at, part);
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn holds(target: &str, read: fn(&[u8]), mutations: usize) {
    let corpus = files(target);
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let check = |bytes: &[u8], what: &str| {
        let started = Instant::now();
        let read = std::panic::catch_unwind(|| read(bytes));
        assert!(read.is_ok(), "{what} panics: {:?}", String::from_utf8_lossy(bytes));
        assert!(started.elapsed() < LONGEST, "{what}: {:?}", String::from_utf8_lossy(bytes));
    };
    for (path, bytes) in &corpus {
        check(bytes, &path.display().to_string());
    }
    for number in 0..mutations {
        let (path, bytes) = &corpus[number % corpus.len()];
        check(&mutated(bytes, &mut numbers), &format!("mutation {number} of {}", path.display()));
    }
}

#[test]
fn no_case_file_makes_its_reader_panic() {
    holds("case", entry::case, 3000);
}

#[test]
fn no_contract_makes_its_reader_panic() {
    holds("contract", entry::contract, 1000);
}

#[test]
fn no_profile_makes_its_reader_panic() {
    holds("profile", entry::profile, 3000);
}

#[test]
fn no_file_of_waivers_makes_its_reader_panic() {
    holds("waiver", entry::waiver, 3000);
}

#[test]
fn no_record_makes_its_reader_panic() {
    holds("record", entry::record, 1500);
}

#[test]
fn no_answer_makes_its_parsers_panic() {
    holds("answer", entry::answer, 3000);
}
