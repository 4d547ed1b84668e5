//! The command line from a directory of its own: what it is given, what it came to, what it left.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

/// What the machine that runs the tests may have set.
pub(super) const FOREIGN: &[&str] = &[
    "BATCHPROOF_MANUAL",
    "BATCHPROOF_TARGET",
    "BATCHPROOF_TOKEN",
    "BATCHPROOF_TOKEN_COMMAND",
    "COLUMNS",
    "NO_COLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
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
        // Every option can be set by one.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BATCHPROOF_") {
                command.env_remove(name);
            }
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
