//! For the tests: requests and answers taken apart by hand.

use super::*;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

pub fn server(names: &[&str]) -> Running {
    let choices = Choices::parse(names.iter().copied()).unwrap();
    start_in_background(Config { choices, ..Config::default() }).unwrap()
}

pub fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

pub struct Got {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Each result as its code, or OK.
    pub fn outcomes(&self) -> Vec<String> {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        let body = self.json();
        let results = body["results"].as_array().cloned().unwrap_or_default();
        let outcome = |result: &Value| match result["resultType"].as_str() {
            Some("REQUEST_ACCEPTED") => "OK".to_owned(),
            Some("REQUEST_REJECTED") => result["errorCode"].as_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        };
        results.iter().map(outcome).collect()
    }
}

pub fn until(stream: &mut impl Read, end: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(end) {
        assert_eq!(
            stream.read(&mut byte).unwrap(),
            1,
            "ended after {}",
            String::from_utf8_lossy(&bytes)
        );
        bytes.push(byte[0]);
    }
    bytes
}

/// Reads one answer, skipping interim ones.
pub fn receive(stream: &mut TcpStream, head_only: bool) -> Got {
    let head = String::from_utf8(until(stream, b"\r\n\r\n")).unwrap();
    let status: u16 = head[9..12].parse().unwrap();
    if (100..200).contains(&status) {
        return receive(stream, head_only);
    }
    let mut got = Got { status, head, body: Vec::new() };
    if head_only || status == 204 {
        return got;
    }
    if got.header("transfer-encoding").is_some() {
        loop {
            let line = String::from_utf8(until(stream, b"\r\n")).unwrap();
            let size = usize::from_str_radix(line.split([';', '\r']).next().unwrap(), 16).unwrap();
            if size == 0 {
                while until(stream, b"\r\n") != b"\r\n" {}
                return got;
            }
            let mut piece = vec![0; size];
            stream.read_exact(&mut piece).unwrap();
            got.body.extend(piece);
            assert_eq!(until(stream, b"\r\n"), b"\r\n");
        }
    }
    match got.header("content-length").map(|length| length.parse().unwrap()) {
        Some(length) => {
            got.body.resize(length, 0);
            stream.read_exact(&mut got.body).unwrap();
        }
        None => drop(stream.read_to_end(&mut got.body).unwrap()),
    }
    got
}

pub const GOOD: &str = "Authorization: Bearer test-token\r\nContent-Type: application/json\r\n";

pub fn request(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{line}\r\nHost: here\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub fn raw(server: &Running, bytes: &[u8]) -> Got {
    let mut stream = connect(server);
    stream.write_all(bytes).unwrap();
    receive(&mut stream, false)
}

pub fn post(server: &Running, body: impl AsRef<[u8]>) -> Got {
    raw(server, &request(&format!("POST {ENDPOINT} HTTP/1.1"), GOOD, body.as_ref()))
}

pub fn with(server: &Running, line: &str, headers: &str) -> Got {
    raw(server, &request(line, headers, batch(&[item("x")]).as_bytes()))
}

pub fn item(number: &str) -> Value {
    json!({"communicationNumber": number, "requester": "r", "accountExtId": "a", "balanceAt": "2023-09-05T08:07:34.605Z", "value": 1.5})
}

/// A good item but for one field.
pub fn but(number: &str, field: &str, value: Value) -> Value {
    let mut item = item(number);
    item[field] = value;
    item
}

pub fn without(number: &str, field: &str) -> Value {
    let mut item = item(number);
    item.as_object_mut().unwrap().remove(field);
    item
}

pub fn batch(items: &[Value]) -> String {
    json!({"accountBalances": items}).to_string()
}

pub fn is_framework(got: &Got) -> bool {
    let body = got.json();
    body["status"] == got.status
        && body["path"] == ENDPOINT
        && body["timestamp"].is_string()
        && body["error"].is_string()
}
