//! What a correct server may do that few do, and what follows from one cause: nobody is accused twice, or wrongly.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Heard, Said, verdicts};
use crate::harness::{Desk, Serving};

/// A server that accepts every item, its answers changed.
fn accepting(change: fn(Said) -> Said) -> Hand {
    Hand::start(move |heard| change(verdicts(heard, "REQUEST_ACCEPTED", &json!({}))))
}

fn rules(desk: &Desk, of: &str) -> Vec<String> {
    let report = desk.report();
    let problems = report["problems"].as_array().unwrap();
    problems.iter().filter(|p| p["level"] == of).map(|p| p["rule"].to_string()).collect()
}

#[test]
fn an_answer_that_is_always_wrong_in_one_way_is_one_problem() {
    type Change = fn(Said) -> Said;
    let changes: [(&str, Change); 4] = [
        ("HTTP-009", |mut said| {
            said.headers.push(("Content-Encoding".to_owned(), "gzip".to_owned()));
            said.body = "\u{1f}\u{8b}\u{8}".to_owned();
            said
        }),
        ("SCHEMA-001", |mut said| {
            said.body = format!("\u{feff}{}", said.body);
            said
        }),
        ("SCHEMA-001", |mut said| {
            said.body = said.body.replacen('{', "{\"share\":NaN,", 1);
            said
        }),
        ("STATUS-001", |mut said| {
            said.status = 201;
            said
        }),
    ];
    for (rule, change) in changes {
        let hand = accepting(change);
        let desk = Desk::new();
        let run = ["run", "http/accept", "accept/spellings", "--target", &hand.url];
        let ended = desk.with_token(&run, Some("t")).ends(1);
        let problems = rules(&desk, "must");
        assert_eq!(problems.len(), 1, "{rule}: {}", ended.text());
        assert!(problems[0].contains(rule), "{rule}: {problems:?}");
    }
}

#[test]
fn json_beyond_our_own_parser_is_judged_as_json() {
    let hand = accepting(|mut said| {
        let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
        let more = format!("{{\"huge\":-1e999,\"deep\":{deep},");
        said.body = said.body.replacen('{', &more, 1);
        said
    });
    let desk = Desk::new();
    let run = ["run", "accept/generated", "order/sizes", "--target", &hand.url];
    desk.with_token(&run, Some("t")).ends(0);
    assert_eq!(desk.report()["findings"], json!([]));
}

#[test]
fn keys_that_an_earlier_run_has_used_are_not_judged() {
    let serving = Serving::start(&[], Some("t"));
    let desk = Desk::new();
    let item = |key: &str| {
        json!({
            "communicationNumber": key, "requester": "r", "accountExtId": "A-1",
            "balanceAt": "2024-02-29T10:00:00Z", "value": 1
        })
    };
    let body = json!({ "accountBalances": [item("friday-1"), item("friday-2"), item("friday-2")] });
    desk.file("friday.json", body.to_string());
    desk.file("friday.yaml", "title: friday\nsteps: [{ batch-from: friday.json }]\n");
    desk.file(
        "expecting.yaml",
        "title: t\nsteps:\n  - batch: [{ set: { \"@key\": friday-9 } }]\n    expect: accepted\n",
    );
    for _ in 0..2 {
        let run = ["run", "friday.yaml", "expecting.yaml", "--target", &serving.url];
        let ended = desk.with_token(&run, Some("t")).ends(0);
        assert_eq!(desk.report()["findings"], json!([]));
        ended.says(&["friday (step 1 sends keys as they are written", "`fresh-keys: true`"]);
    }
    // What one run shows by itself is still judged.
    let hand = accepting(|said| said);
    desk.with_token(&["run", "friday.yaml", "--target", &hand.url], Some("t")).ends(1);
    assert_eq!(desk.found(), ["UNIQUE-001"]);
}

/// A connection that ends behind its first answer, though nothing said so.
struct Once {
    stream: TcpStream,
    answered: bool,
}

impl Read for Once {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.answered { Ok(0) } else { self.stream.read(buffer) }
    }
}

impl Write for Once {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.answered = true;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

#[test]
fn a_fault_that_shows_every_time_is_not_flaky_because_connections_end() {
    let answer = |heard: &Heard| {
        if heard.items().len() == 2 {
            Said::json(500, &json!({ "status": 500 }))
        } else {
            verdicts(heard, "REQUEST_ACCEPTED", &json!({}))
        }
    };
    let wrap = |stream| Some(Once { stream, answered: false });
    let hand = Hand::speaking("http", wrap, answer);
    let desk = Desk::new();
    desk.file("two.yaml", "title: two\nsteps: [{ batch: 1 }, { batch: 1 }, { batch: 2 }]\n");
    let run = ["run", "two.yaml", "--runs", "6", "--jobs", "2", "--target", &hand.url];
    let ended = desk.with_token(&run, Some("t")).ends(1).says(&["confirmed 3 of 3 repeats"]);
    assert_eq!(desk.found(), ["STATUS-002"]);
    assert!(!ended.text().contains("flaky"), "{}", ended.text());
    let findings: Value = desk.report()["findings"].clone();
    assert_eq!(findings[0]["confirmed"], true);
}

/// Writes HTTP/1.0 wherever HTTP/1.1 is written.
struct Old(TcpStream);

impl Read for Old {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Old {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(
            String::from_utf8_lossy(bytes).replacen("HTTP/1.1", "HTTP/1.0", 1).as_bytes(),
        )?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn a_server_that_answers_in_http_1_0_gets_no_broken_requests() {
    let hand = Hand::speaking(
        "http",
        |stream| Some(Old(stream)),
        |heard| {
            let mut said = verdicts(heard, "REQUEST_ACCEPTED", &json!({}));
            said.headers.push(("Connection".to_owned(), "keep-alive".to_owned()));
            said
        },
    );
    let desk = Desk::new();
    let run = ["run", "accept/generated", "http/chunked", "--jobs", "1", "--target", &hand.url];
    desk.with_token(&run, Some("t")).ends(0);
    let heard = hand.heard();
    assert!(heard.iter().any(|h| h.header("transfer-encoding") == Some("chunked")));
    let broken: Vec<&Heard> =
        heard.iter().filter(|h| h.version != "HTTP/1.1" || h.body.is_empty()).collect();
    assert!(broken.is_empty(), "{broken:?}");
}
