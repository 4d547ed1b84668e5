//! What the shipped cases send as raw bytes is valid HTTP, to the last byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::harness::Desk;
use crate::harness::hand::{Hand, verdicts};

type Connections = Arc<Mutex<Vec<Vec<u8>>>>;

/// A connection whose bytes are kept.
struct Tapped {
    stream: TcpStream,
    index: usize,
    kept: Connections,
}

impl Read for Tapped {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.kept.lock().unwrap()[self.index].extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

impl Write for Tapped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

/// The shipped cases that send raw bytes.
fn raw_cases() -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut found = Vec::new();
    for family in std::fs::read_dir(&root).unwrap().flatten() {
        for file in std::fs::read_dir(family.path()).unwrap().flatten() {
            let text = std::fs::read_to_string(file.path()).unwrap();
            if text.contains("raw: |") {
                let id = file.path().strip_prefix(&root).unwrap().with_extension("");
                found.push(id.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn raw_requests_of_the_shipped_cases_are_valid_http() {
    let desk = Desk::new();
    let cases = raw_cases();
    assert!(cases.len() > 5, "{cases:?}");
    for case in &cases {
        let kept = Connections::default();
        let keep = Arc::clone(&kept);
        let tap = move |stream| {
            let mut all = keep.lock().unwrap();
            all.push(Vec::new());
            Some(Tapped { stream, index: all.len() - 1, kept: Arc::clone(&keep) })
        };
        let hand =
            Hand::speaking("http", tap, |heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
        desk.batchproof(&["run", case, "--runs", "1", "--target", &hand.url]);
        let kept = kept.lock().unwrap();
        assert!(kept.len() > 1, "{case} sent nothing raw");
        for bytes in kept.iter().filter(|bytes| !bytes.is_empty()) {
            if let Err(why) = strictly(bytes) {
                panic!("{case}: {why}\n{}", String::from_utf8_lossy(bytes).escape_debug());
            }
        }
    }
}

/// Reads requests as strictly as RFC 9112 allows, to the end of the connection.
fn strictly(mut bytes: &[u8]) -> Result<(), String> {
    while !bytes.is_empty() {
        let end = find(bytes, b"\r\n\r\n").ok_or("the head has no end")?;
        let head = std::str::from_utf8(&bytes[..end]).map_err(|e| e.to_string())?;
        bytes = &bytes[end + 4..];
        let mut lines = head.split("\r\n");
        let words: Vec<&str> = lines.next().unwrap_or("").split(' ').collect();
        let [method, target, version] = words[..] else {
            return Err(format!("request line {words:?}"));
        };
        if !is_token(method) || !(target.starts_with('/') || target == "*") {
            return Err(format!("request line {words:?}"));
        }
        if !matches!(version, "HTTP/1.0" | "HTTP/1.1") {
            return Err(format!("version {version}"));
        }
        let mut fields = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(':').ok_or(format!("header line `{line}`"))?;
            if !is_token(name) || value.chars().any(char::is_control) {
                return Err(format!("header line `{line}`"));
            }
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let values = |name: &str| -> Vec<&str> {
            fields.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
        };
        if version == "HTTP/1.1" && values("host").len() != 1 {
            return Err("not exactly one Host".to_owned());
        }
        bytes = match (&values("content-length")[..], &values("transfer-encoding")[..]) {
            ([], []) => bytes,
            ([length], []) if length.bytes().all(|b| b.is_ascii_digit()) => {
                let length: usize = length.parse().map_err(|_| "Content-Length".to_owned())?;
                bytes.get(length..).ok_or("the body is shorter than its length")?
            }
            ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => chunks(bytes)?,
            other => return Err(format!("framing {other:?}")),
        };
    }
    Ok(())
}

/// What follows a chunked body.
fn chunks(mut bytes: &[u8]) -> Result<&[u8], String> {
    loop {
        let end = find(bytes, b"\r\n").ok_or("a chunk size has no end")?;
        let line = std::str::from_utf8(&bytes[..end]).map_err(|e| e.to_string())?;
        let digits = line.split(';').next().unwrap_or("").trim_end();
        let size = usize::from_str_radix(digits, 16).map_err(|_| format!("chunk size `{line}`"))?;
        bytes = &bytes[end + 2..];
        if size == 0 {
            loop {
                let end = find(bytes, b"\r\n").ok_or("the trailers have no end")?;
                let line = &bytes[..end];
                bytes = &bytes[end + 2..];
                if line.is_empty() {
                    return Ok(bytes);
                }
            }
        }
        if bytes.get(size..size + 2) != Some(b"\r\n") {
            return Err(format!("a chunk is not {size} bytes long"));
        }
        bytes = &bytes[size + 2..];
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
