//! What the tests of the binary share: the command, servers to point it at, and the redactor.
#![allow(dead_code, reason = "each test binary takes what it needs")]

pub mod hand;
pub mod tls;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What the machine of whoever runs the tests may have set.
const FOREIGN: &[&str] = &[
    "BATCHPROOF_TARGET",
    "BATCHPROOF_TOKEN",
    "COLUMNS",
    "NO_COLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "http_proxy",
    "HTTP_PROXY",
    "ALL_PROXY",
    "all_proxy",
];

/// A directory to work in, which goes when the test ends.
pub struct Desk {
    dir: TempDir,
}

/// What a command came to.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Desk {
    pub fn new() -> Desk {
        Desk { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Where runs leave their reports.
    pub fn reports(&self) -> PathBuf {
        self.path().join("reports")
    }

    /// Writes a file, and its directories.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The binary, in this directory and with nothing of the machine's own settings.
    pub fn command(&self) -> assert_cmd::Command {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("batchproof");
        command.current_dir(self.path());
        for name in FOREIGN {
            command.env_remove(name);
        }
        command
    }

    /// Runs `batchproof ARGUMENTS`.
    pub fn batchproof(&self, arguments: &[&str]) -> Ended {
        self.with_token(arguments, None)
    }

    /// Runs `batchproof ARGUMENTS` with a token in the environment.
    pub fn with_token(&self, arguments: &[&str], token: Option<&str>) -> Ended {
        let mut command = self.command();
        command.args(arguments);
        if let Some(token) = token {
            command.env("BATCHPROOF_TOKEN", token);
        }
        let output = command.output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// `report.json` of the last run.
    pub fn report(&self) -> Value {
        let text = std::fs::read_to_string(self.reports().join("report.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The rules of the last run's findings.
    pub fn found(&self) -> Vec<String> {
        let report = self.report();
        let findings = report["findings"].as_array().unwrap();
        findings.iter().map(|f| f["rule"].as_str().unwrap().to_owned()).collect()
    }
}

impl Ended {
    /// All that was printed.
    pub fn text(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// Fails unless the command ended so.
    #[track_caller]
    pub fn ends(self, code: i32) -> Ended {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Fails unless all of these were printed, wherever lines are wrapped.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Ended {
        let flat = self.text().split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(flat.contains(word), "`{word}` is missing in:\n{}", self.text());
        }
        self
    }
}

/// A running `batchproof serve`, which ends with the test.
pub struct Serving {
    child: Child,
    pub url: String,
}

impl Serving {
    /// Starts `batchproof serve --port 0 ARGUMENTS` and waits for the line that names its URL.
    pub fn start(arguments: &[&str], token: Option<&str>) -> Serving {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_batchproof"));
        command.args(["serve", "--port", "0"]).args(arguments).stdout(Stdio::piped());
        for name in FOREIGN {
            command.env_remove(name);
        }
        if let Some(token) = token {
            command.env("BATCHPROOF_TOKEN", token);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("the URL").to_owned();
        Serving { child, url }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of this machine where nothing listens.
pub fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Every file below a directory with its text.
pub fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let text = std::fs::read(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// The one redactor: what differs from run to run becomes a word in brackets.
pub fn redacting(settings: &mut insta::Settings) {
    settings.add_filter(r"bptest-\d{6}-[a-z0-9]{6}(-[a-z0-9]+)*(-[0-9A-Z]{6})?", "[RUN]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]");
    settings.add_filter(r"\b\d+(\.\d+)? (s|ms|min)\b", "[TIME]");
    settings.add_filter(r"seed \d+", "seed [SEED]");
    settings.add_filter(r"batchproof \d+\.\d+\.\d+", "batchproof [VERSION]");
    settings.add_filter(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "[WHEN]");
}

/// Holds text against its snapshot, through the redactor.
#[track_caller]
pub fn shown(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    redacting(&mut settings);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots");
    settings.bind(|| insta::assert_snapshot!(name, text.trim_end()));
}
