//! `batchproof serve`, as long as a test needs it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use super::desk::FOREIGN;

/// A running `batchproof serve`, which ends with the test.
pub struct Serving {
    child: Child,
    pub url: String,
    /// The lines that it began with.
    pub said: String,
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
        let mut said = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..2 {
            lines.read_line(&mut said).unwrap();
        }
        let line = said.lines().next().unwrap_or_default();
        let url = line.strip_prefix("listening on ").expect("the URL").to_owned();
        Serving { child, url, said }
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
