//! An answer whose head comes at once and whose body takes its time is as good as any other.

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::harness::Desk;
use crate::harness::hand::{read, verdicts};

/// Longer than silence behind a head says anything of its framing.
const PAUSE: Duration = Duration::from_secs(3);

const ORDINARY: &str = "title: x\nsteps: [{ batch: 3, expect: accepted }]\n";
const RAW: &str = "title: x
asserts: HTTP-008
steps:
  - raw: |
      POST ${path} HTTP/1.1
      host: ${host}
      authorization: Bearer ${token}
      content-type: application/json
      accept: application/json
      content-length: ${length}

      {\"accountBalances\":[${item},${item},${item}]}
";

/// Accepts everything: the head with these lines, after a while the body, and then the end of the connection.
fn serving(lines: fn(&str) -> String) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = move |stream: TcpStream| -> Option<()> {
        let mut reader = BufReader::new(stream);
        let heard = read(&mut reader).ok()??;
        let body = verdicts(&heard, "REQUEST_ACCEPTED", &Value::Null).body;
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{}\r\n", lines(&body));
        let stream = reader.get_mut();
        stream.write_all(head.as_bytes()).ok()?;
        std::thread::sleep(PAUSE);
        stream.write_all(body.as_bytes()).ok()
    };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    url
}

fn is_no_finding(lines: fn(&str) -> String) {
    let desk = Desk::new();
    desk.file("ordinary.yaml", ORDINARY);
    desk.file("raw.yaml", RAW);
    let url = serving(lines);
    let run = ["run", "ordinary.yaml", "raw.yaml", "--target", &url];
    desk.with_token(&run, Some("a-token")).ends(0);
    assert_eq!(desk.found(), [""; 0]);
    assert_eq!(desk.report()["stats"]["requests"], 2);
}

#[test]
fn a_slow_body_that_ends_with_its_connection_is_no_finding() {
    is_no_finding(|_| String::new());
}

#[test]
fn a_slow_body_before_a_close_that_was_told_is_no_finding() {
    is_no_finding(|_| "Connection: close\r\n".to_owned());
}

#[test]
fn a_slow_body_of_a_known_length_is_no_finding() {
    is_no_finding(|body| format!("Connection: close\r\nContent-Length: {}\r\n", body.len()));
}
