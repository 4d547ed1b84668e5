//! `proxy`: hands every byte on, and judges what goes through.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Said};
use crate::harness::{Desk, Serving};

const PATH: &str = "/amlyze-ws-rest/batch-account-balances";

/// A running proxy.
struct Proxying {
    child: Child,
    address: String,
    log: BufReader<std::process::ChildStderr>,
}

impl Proxying {
    fn start(desk: &Desk, target: &str, options: &[&str]) -> Proxying {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_batchproof"));
        command
            .current_dir(desk.path())
            .args(["proxy", "--port", "0", "--target", target])
            .args(options);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(',').next());
        Proxying { address: address.expect("the address").to_owned(), child, log }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// Sends a batch on a connection: status line and body of what comes back.
    fn send(&self, stream: &mut TcpStream, path: &str, body: &str) -> (String, Vec<u8>) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\ncontent-TYPE: application/json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        answer(stream)
    }

    /// Interrupts it: its exit code, and the rest of what it printed beside its result.
    #[cfg(unix)]
    fn end(mut self) -> (i32, String) {
        let id = self.child.id().to_string();
        std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
        let mut log = String::new();
        self.log.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code().unwrap_or(-1), log)
    }
}

impl Drop for Proxying {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answer(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let mut status = String::new();
    reader.read_line(&mut status).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (status.trim().to_owned(), body)
}

fn batch(keys: &[&str]) -> String {
    let item = |key: &&str| {
        json!({
            "communicationNumber": key, "requester": "core", "accountExtId": "ACC-1",
            "balanceAt": "2023-09-05T08:07:34.605Z", "value": 10,
        })
    };
    json!({ "accountBalances": keys.iter().map(item).collect::<Vec<_>>() }).to_string()
}

#[cfg(unix)]
#[test]
fn a_proxy_before_a_clean_server_finds_nothing() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    let proxying = Proxying::start(&desk, &serving.url, &["--strict"]);
    // Two requests on one connection, and one on another.
    let mut stream = proxying.connect();
    assert!(proxying.send(&mut stream, PATH, &batch(&["K-1", "K-2"])).0.contains("200"));
    assert!(proxying.send(&mut stream, PATH, &batch(&["K-1"])).0.contains("200"));
    assert!(proxying.send(&mut proxying.connect(), "/elsewhere", "{}").0.contains("404"));
    let (code, log) = proxying.end();
    assert_eq!(code, 0, "{log}");
    assert_eq!(desk.report()["stats"]["requests"], 2);
    assert!(
        desk.report()["notes"]
            .to_string()
            .contains("1 exchange of other targets, paths and methods")
    );
}

#[cfg(unix)]
#[test]
fn a_finding_is_printed_when_it_is_seen() {
    let desk = Desk::new();
    let serving = Serving::start(&["--fault", "uniqueness-unchecked"], None);
    let mut proxying = Proxying::start(&desk, &serving.url, &[]);
    let mut stream = proxying.connect();
    for _ in 0..2 {
        proxying.send(&mut stream, PATH, &batch(&["K-1"]));
    }
    let mut line = String::new();
    proxying.log.read_line(&mut line).unwrap();
    assert!(line.starts_with("MUST UNIQUE-001"), "{line}");
    assert_eq!(proxying.end().0, 1);
    assert!(desk.found().contains(&"UNIQUE-001".to_owned()));
}

#[cfg(unix)]
#[test]
fn what_passes_a_proxy_is_not_changed() {
    let desk = Desk::new();
    let hand = Hand::start(|heard| Said {
        status: 207,
        headers: vec![("X-Odd-CASE".to_owned(), "a  b".to_owned())],
        body: format!("{} {}", heard.method, heard.body.len()),
    });
    let proxying = Proxying::start(&desk, &hand.url, &[]);
    let large = "x".repeat(3_000_000);
    let mut stream = proxying.connect();
    let (status, body) = proxying.send(&mut stream, "/any/where?a=%20b", &large);
    assert_eq!(
        (status.as_str(), body.as_slice()),
        ("HTTP/1.1 207 Said", b"POST 3000000".as_slice())
    );
    // A body in chunks, and a method that nobody knows.
    stream.write_all(b"BREW / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntea").unwrap();
    assert_eq!(answer(&mut stream).1, b"BREW 3");
    let heard = hand.heard();
    let host = hand.url.trim_start_matches("http://");
    assert_eq!(heard[0].path, "/any/where?a=%20b");
    assert_eq!(heard[0].header("host"), Some(host), "the target's own name");
    assert_eq!(heard[0].body, large.as_bytes());
    let (code, log) = proxying.end();
    assert_eq!(code, 3, "nothing was judged: {log}");
}

#[cfg(unix)]
#[test]
fn a_target_that_is_not_there_is_a_bad_gateway() {
    let desk = Desk::new();
    let target = format!("http://127.0.0.1:{}", crate::harness::closed_port());
    let proxying = Proxying::start(&desk, &target, &[]);
    let (status, _) = proxying.send(&mut proxying.connect(), PATH, &batch(&["K-1"]));
    assert!(status.contains("502"), "{status}");
    let (code, _) = proxying.end();
    assert_ne!(code, 1);
    let report: Value = desk.report();
    assert_eq!(report["findings"], json!([]));
}
