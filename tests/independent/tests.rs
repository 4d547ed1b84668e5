//! Over real sockets.

use super::client::*;
use super::*;
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

#[test]
fn a_plain_batch_is_accepted_in_order_and_only_once() {
    let server = server(&[]);
    let items = [
        but("b", "businessUnit", json!("u")),
        item("a"),
        item("b"),
        but("A", "equivalentValue", json!(1)),
        item("é"),
        item("e\u{301}"),
    ];
    let got = post(&server, batch(&items));
    assert_eq!(got.outcomes(), ["OK", "OK", "O005", "OK", "OK", "OK"]);
    let body = got.json();
    let first = r#"{"results":[{"resultType":"REQUEST_ACCEPTED","communicationNumber":"b","accountExtId":"a","businessUnit":"u","timeElapsedMs":"#;
    assert!(got.body.starts_with(first.as_bytes()));
    assert_eq!(
        body["results"][2]["errorDescription"],
        "CommunicationNumber already used in AMLYZE"
    );
    assert!(body["results"][1].get("businessUnit").is_none() && body["timeElapsedMs"].is_u64());
    assert_eq!(got.header("content-type"), Some("application/json"));
    assert_eq!(post(&server, batch(&items)).outcomes(), ["O005"; 6]);
    assert_eq!(server.accepted(), 5);
    assert!(server.is_used("é") && !server.is_used("B"));
    assert_eq!(
        post(&server, r#"{"accountBalances":[]}"#).json(),
        json!({"results": [], "timeElapsedMs": 0})
    );
}

#[test]
fn a_broken_item_refuses_the_request_and_uses_no_number() {
    let server = server(&[]);
    for field in ["requester", "accountExtId", "balanceAt", "communicationNumber", "value"] {
        for broken in [without("y", field), but("y", field, Value::Null)] {
            let got = post(&server, batch(&[item("x"), broken, item("z")]));
            let expected = json!({"resultType": "REQUEST_REJECTED", "errorCode": "O001", "errorDescription": format!("{field} is mandatory")});
            assert_eq!((got.status, got.json()), (400, expected));
        }
        for wrong in [json!([]), json!({}), json!(true)] {
            let got = post(&server, batch(&[item("x"), but("y", field, wrong)]));
            assert!(got.status == 400 && is_framework(&got));
        }
    }
    for broken in [
        but("y", "requester", json!("r".repeat(101))),
        but("y", "communicationNumber", json!("🙂".repeat(256))),
        but("y", "balanceAt", json!("2023-09-05")),
    ] {
        let got = post(&server, batch(&[item("x"), broken]));
        assert_eq!((got.status, got.json()["errorCode"].as_str()), (400, Some("O001")));
    }
    assert_eq!(server.accepted(), 0);
    let long = [
        item(&"🙂".repeat(255)),
        but("y", "requester", json!("🙂".repeat(100))),
        but("z", "accountExtId", json!("a".repeat(9999))),
    ];
    assert_eq!(post(&server, batch(&long)).outcomes(), ["OK"; 3]);
}

#[test]
fn item_by_item_exactly_the_broken_are_rejected() {
    let server = server(&["refusal-mode-item"]);
    let long = "n".repeat(256);
    let items = [
        item("a"),
        without("b", "value"),
        but("c", "requester", json!(7)),
        item(&long),
        Value::Null,
        json!([]),
        json!({}),
        but("d", "balanceAt", json!("x")),
        but("e", "communicationNumber", json!(5)),
        item("b"),
        item("a"),
        but("b", "requester", Value::Null),
    ];
    let got = post(&server, batch(&items));
    assert_eq!(
        got.outcomes(),
        [
            "OK", "O001", "O001", "O001", "O001", "O001", "O001", "O001", "O001", "OK", "O005",
            "O001"
        ]
    );
    let results = got.json()["results"].clone();
    for left_out in [3, 4, 5, 6, 8] {
        assert!(results[left_out].get("communicationNumber").is_none());
    }
    assert_eq!(
        (&results[1]["communicationNumber"], &results[3]["accountExtId"]),
        (&json!("b"), &json!("a"))
    );
    assert_eq!(server.accepted(), 2);
}

#[test]
fn envelopes() {
    let server = server(&["refusal-mode-item"]);
    for body in [
        "",
        " ",
        "nul",
        "null",
        "[]",
        "7",
        "\"x\"",
        "{",
        "{]",
        r#"{"accountBalances":{}}"#,
        r#"{"accountBalances":"[]"}"#,
        r#"{"accountBalances":[]} x"#,
        r#"{"accountBalances":[]}{}"#,
        r#"{"accountBalances":[],}"#,
        r#"{"accountBalances":[{},]}"#,
        "{'accountBalances':[]}",
        r#"{"accountBalances":[NaN]}"#,
        r#"{"accountBalances":[01]}"#,
        r#"{"a":"\ud800","accountBalances":[]}"#,
        r#"{"a":"\ud800\ud800","accountBalances":[]}"#,
        r#"{"a":"\u00g0","accountBalances":[]}"#,
        "{\"a\":\"\t\",\"accountBalances\":[]}",
        "{\"accountBalances\":[]}\0",
    ] {
        let got = post(&server, body);
        assert!(got.status == 400 && is_framework(&got), "{body}: {}", got.status);
    }
    for body in ["{}", r#"{"accountBalances":null}"#] {
        assert_eq!(post(&server, body).json()["errorDescription"], "accountBalances is mandatory");
    }
    for body in [
        " {\"x\":[{\"y\":[1e999,-0.0E+1,true,false,null,\"\\ud83d\\ude42\\/\"]}],\"accountBalances\":[]}\r\n\t",
        "\u{feff}{\"accountBalances\":[]}",
        r#"{"accountBalances":[7],"accountBalances":[]}"#,
    ] {
        assert_eq!(post(&server, body).status, 200, "{body}");
    }
    for bytes in [
        &b"{\"accountBalances\":[],\"a\":\"\xff\"}"[..],
        b"\xff\xfe{\0}\0",
        b"{\"a\":\"\xc0\x80\"}",
        b"{\"a\":\"\xed\xa0\x80\"}",
    ] {
        assert_eq!(post(&server, bytes).status, 400);
    }
    for (depth, status) in [(999, 200), (1000, 400), (3_000_000, 400)] {
        let nested =
            format!("{{\"accountBalances\":[],\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(post(&server, nested).status, status, "{depth}");
    }
}

#[test]
fn odd_values() {
    let server = server(&[]);
    for (number, value) in [
        "0",
        "-0",
        "1e13",
        "-99999999999999.9999",
        "1E-4",
        "0e400",
        "1.10000000000000000000",
        "1e308",
        "1e-400",
        "123456789012345678901234567890",
    ]
    .iter()
    .enumerate()
    {
        let body = batch(&[item(&number.to_string())]).replace("1.5", value);
        assert_eq!(post(&server, body).outcomes(), ["OK"], "{value}");
    }
    for value in [
        "1e400",
        "-1e400",
        "1e99999999999999999999",
        "\"12\"",
        "true",
        "1.",
        ".5",
        "+1",
        "0x1",
        "Infinity",
    ] {
        assert_eq!(post(&server, batch(&[item("n")]).replace("1.5", value)).status, 400, "{value}");
    }
    for text in [
        "\u{1}",
        "\u{7f}\u{85}",
        "",
        " ",
        "🙂",
        "<b>&\"'\\/",
        "\u{202e}\u{feff}",
        "\u{fffe}\u{10ffff}",
        "a\r\nb",
    ] {
        let got = post(&server, batch(&[item(text)]));
        assert_eq!(
            (got.outcomes().len(), got.json()["results"][0]["communicationNumber"].as_str()),
            (1, Some(text))
        );
    }
    assert_eq!(post(&server, batch(&[item("nul\0")])).status, 400);
    let many = batch(&[
        but("opt", "businessUnit", Value::Null),
        but("more", "unknown", json!({"requester": 7})),
    ]);
    let got = post(&server, many);
    assert_eq!(got.outcomes(), ["OK"; 2]);
    assert!(got.json()["results"][0].get("businessUnit").is_none());
    assert_eq!(
        post(
            &server,
            batch(&[item("twice")]).replace("\"requester\"", "\"requester\":null,\"requester\"")
        )
        .outcomes(),
        ["OK"]
    );
}

#[test]
fn a_client_that_hangs_up_halfway_stores_nothing() {
    let server = server(&[]);
    let whole =
        request(&format!("POST {ENDPOINT} HTTP/1.1"), GOOD, batch(&[item("half")]).as_bytes());
    for cut in [1, 20, whole.len() / 2, whole.len() - 1] {
        let mut stream = connect(&server);
        stream.write_all(&whole[..cut]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(receive(&mut stream, false).status, 400);
        connect(&server).write_all(&whole[..cut]).unwrap();
    }
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.accepted(), 0);
    let mut stream = connect(&server);
    stream.write_all(&whole).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(receive(&mut stream, false).outcomes(), ["OK"]);
}

#[test]
fn of_simultaneous_claims_one_wins() {
    let server = server(&["jitter"]);
    let numbers: Vec<Value> = (0..50).map(|number| item(&format!("race-{number}"))).collect();
    let body = batch(&numbers);
    let accepted: usize = std::thread::scope(|scope| {
        let claims: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    post(&server, &body)
                        .outcomes()
                        .iter()
                        .filter(|outcome| *outcome == "OK")
                        .count()
                })
            })
            .collect();
        claims.into_iter().map(|claim| claim.join().unwrap()).sum()
    });
    assert_eq!((accepted, server.accepted()), (50, 50));
}

#[test]
fn large_batches_are_fast_and_large_bodies_refused() {
    let server = server(&[]);
    let items: Vec<Value> = (0..20_000).map(|number| item(&number.to_string())).collect();
    let start = Instant::now();
    let got = post(&server, batch(&items));
    assert_eq!(got.outcomes().len(), 20_000);
    let took = start.elapsed().as_millis();
    let total = got.json()["timeElapsedMs"].as_u64().unwrap();
    assert!(took < 10_000 && u128::from(total) <= took, "{took} {total}");
    assert!(
        got.json()["results"]
            .as_array()
            .unwrap()
            .iter()
            .all(|result| result["timeElapsedMs"].as_u64().unwrap() <= total)
    );

    let small = start_in_background(Config { body_limit: 3 << 20, ..Config::default() }).unwrap();
    assert_eq!(post(&small, vec![b' '; 4 << 20]).status, 413);
    assert_eq!(
        post(&small, [vec![b' '; 2 << 20], batch(&[item("x")]).into_bytes()].concat()).outcomes(),
        ["OK"]
    );
}

#[test]
fn dropping_it_ends_it() {
    let server = server(&[]);
    let address = server.address();
    let mut stream = connect(&server);
    drop(server);
    let mut byte = [0];
    let ended = stream.read(&mut byte);
    assert!(
        matches!(&ended, Ok(0))
            || ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
    );
    assert!(TcpStream::connect(address).is_err());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let running = start(Config::default()).await.unwrap();
        assert!(running.url().ends_with(ENDPOINT));
        drop(running);
        tokio::task::yield_now().await;
    });
}
