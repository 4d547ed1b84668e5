//! Very many requests and very large batches: counted, judged to the last item, and polite.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Said, verdicts};
use crate::harness::{Desk, Serving};

/// One more than is held in memory.
const GIANT: &str = "title: x\ngenerate: { items: 20001, values: plain }\nexpect: accepted\n";
const CHUNKED: &str =
    "title: x\ngenerate: { items: 20001, values: plain, framing: chunked }\nexpect: accepted\n";

/// The counts of a rule in the last report.
fn counts(desk: &Desk, rule: &str) -> Value {
    let report = desk.report();
    let rules = report["rules"].as_array().unwrap();
    rules.iter().find(|r| r["id"] == rule).unwrap()["counts"].clone()
}

#[test]
fn soaks_and_giants_run_only_when_named() {
    let desk = Desk::new();
    let named = |ended: crate::harness::Ended| ["soak/", "giant/"].map(|g| ended.out.contains(g));
    assert_eq!(named(desk.batchproof(&["run", "--plan"]).ends(0)), [false, false]);
    assert_eq!(named(desk.batchproof(&["run", "--plan", "soak", "giant"]).ends(0)), [true, true]);
}

#[test]
fn a_giant_batch_is_judged_to_its_last_item_sized_and_chunked() {
    let desk = Desk::new();
    let (sized, chunked) = (desk.file("sized.yaml", GIANT), desk.file("chunked.yaml", CHUNKED));
    let serving = Serving::start(&[], None);
    for file in [sized, chunked] {
        desk.batchproof(&["run", file.to_str().unwrap(), "--target", &serving.url]).ends(0);
        assert_eq!(desk.report()["stats"]["items"], 20_001);
        assert_eq!(counts(&desk, "ECHO-001")["passed"], 20_001);
        assert_eq!(counts(&desk, "ORDER-002")["passed"], 1);
    }
    // The embedded server takes it too.
    desk.batchproof(&["run", "chunked.yaml"]).ends(0);
}

#[test]
fn a_fault_deep_in_a_giant_batch_is_found_at_its_place() {
    let desk = Desk::new();
    let file = desk.file("giant.yaml", GIANT);
    let run = |bend: fn(&mut Vec<Value>), code: i32| {
        let hand = Hand::start(move |heard| {
            let mut said = verdicts(heard, "REQUEST_ACCEPTED", &Value::Null);
            let mut answer: Value = serde_json::from_str(&said.body).unwrap();
            bend(answer["results"].as_array_mut().unwrap());
            said.body = answer.to_string();
            said
        });
        desk.batchproof(&["run", file.to_str().unwrap(), "--target", &hand.url]).ends(code);
        let findings = desk.report()["findings"].as_array().unwrap().clone();
        findings
            .into_iter()
            .map(|f| (f["rule"].as_str().unwrap().to_owned(), f))
            .collect::<Vec<_>>()
    };
    assert!(run(|_| {}, 0).is_empty());
    let found = run(|results| results[17_777]["accountExtId"] = json!("ANOTHER"), 1);
    let [(rule, finding)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((rule.as_str(), &finding["position"]["item"]), ("ECHO-002", &json!(17_777)));
    let evidence = finding["evidence"][0].to_string();
    assert!(evidence.contains("ANOTHER") && evidence.contains("items 17776 to 17778 of 20001"));
    let found = run(|results| results.swap(3, 19_999), 1);
    let [(rule, finding)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((rule.as_str(), &finding["position"]["item"]), ("ORDER-002", &json!(3)));
    let found = run(|results| drop(results.remove(12_345)), 1);
    let [(rule, finding)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(rule, "ORDER-001");
    assert!(finding["message"].as_str().unwrap().contains("20,000 results"), "{finding}");
}

#[test]
fn a_giant_batch_may_be_refused_but_not_with_a_5xx() {
    let desk = Desk::new();
    let file = desk.file("giant.yaml", GIANT.replace("accepted", "answered"));
    for (status, code) in [(413, 0), (400, 0), (500, 1)] {
        let hand = Hand::start(move |_| {
            Said::json(status, &json!({ "resultType": "REQUEST_REJECTED", "errorCode": "O001" }))
        });
        desk.batchproof(&["run", file.to_str().unwrap(), "--target", &hand.url]).ends(code);
    }
}

/// Reads a request's head; its body is left in the reader.
fn head(reader: &mut impl BufRead) {
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 || line == "\r\n" {
            return;
        }
    }
}

/// A server for one kind of behaviour that no ordinary server shows.
fn odd_server(serve: fn(TcpStream)) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    url
}

#[test]
fn an_answer_that_begins_before_the_request_ends_is_judged_as_it_comes() {
    let desk = Desk::new();
    let file = desk.file("giant.yaml", GIANT);
    let url = odd_server(|stream| {
        let mut writer = stream.try_clone().unwrap();
        let mut reader = BufReader::new(stream);
        head(&mut reader);
        let begin = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        writer.write_all(begin.as_bytes()).unwrap();
        let mut send = |text: &str| {
            writer.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).unwrap();
        };
        send("{\"results\":[");
        let mut opening = Vec::new();
        reader.read_until(b'[', &mut opening).unwrap();
        let mut first = true;
        loop {
            // Plain items hold no bracket but their own.
            let mut text = Vec::new();
            reader.read_until(b'}', &mut text).unwrap();
            let item: Value =
                serde_json::from_slice(text.strip_prefix(b",").unwrap_or(&text)).unwrap();
            let mut result = json!({ "resultType": "REQUEST_ACCEPTED", "timeElapsedMs": 0 });
            for name in ["communicationNumber", "accountExtId", "businessUnit"] {
                if let Some(value) = item.get(name) {
                    result[name] = value.clone();
                }
            }
            send(&format!("{}{result}", if first { "" } else { "," }));
            first = false;
            if reader.fill_buf().unwrap().first() == Some(&b']') {
                break;
            }
        }
        send("],\"timeElapsedMs\":0}");
        send("");
    });
    desk.batchproof(&["run", file.to_str().unwrap(), "--target", &url]).ends(0);
    assert_eq!(counts(&desk, "ECHO-001")["passed"], 20_001);
}

#[test]
fn a_refusal_before_the_request_ends_is_read() {
    let desk = Desk::new();
    let file = desk.file("giant.yaml", GIANT.replace("accepted", "answered"));
    let url = odd_server(|mut stream| {
        head(&mut BufReader::with_capacity(1, stream.try_clone().unwrap()));
        let answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
        // As RFC 9112 section 9.6 has it: what still comes is read for a while.
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let _ = std::io::copy(&mut stream.take(1 << 30), &mut std::io::sink());
    });
    desk.batchproof(&["run", file.to_str().unwrap(), "--target", &url]).ends(0);
    assert_eq!(desk.found(), [""; 0]);
}

#[test]
fn what_can_t_be_streamed_is_told_before_anything_is_sent() {
    let desk = Desk::new();
    let file =
        desk.file("giant.yaml", "title: x\ngenerate: { items: 1..20001 }\nmutate: drop-required\n");
    desk.batchproof(&["run", file.to_str().unwrap()]).ends(2).says(&[
        "giant.yaml:3",
        "more than 20000 items",
        "at most 20000 items",
    ]);
}

#[test]
fn a_plan_of_any_size_is_made_at_once_and_sends_nothing() {
    let desk = Desk::new();
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    let begun = Instant::now();
    let runs = "1000000000";
    let ended = desk
        .batchproof(&["run", "soak/ten-items", "--runs", runs, "--plan", "--target", &hand.url])
        .ends(0);
    let row: Vec<&str> = ended.out.lines().nth(1).unwrap().split_whitespace().collect();
    let runs = "1,000,000,000";
    assert_eq!(row[..4], ["soak/ten-items", runs, runs, "10,000,000,000"]);
    // A thousand million runs one by one would take many minutes.
    assert!(begun.elapsed() < Duration::from_mins(1));
    assert!(hand.heard().is_empty());
}
