//! Statuses and framing over real sockets.

use super::ENDPOINT;
use super::client::*;
use serde_json::json;
use std::io::{Read, Write};

#[test]
fn statuses() {
    let server = server(&[]);
    let right = format!("POST {ENDPOINT} HTTP/1.1");
    let bearer = "Authorization: Bearer test-token\r\n";
    for headers in [
        "",
        "Authorization: Bearer wrong\r\n",
        "Authorization: Basic dGVzdC10b2tlbg==\r\n",
        "Authorization: test-token\r\n",
        "Authorization: Bearer\r\n",
        "Authorization:\r\n",
        "Authorization: Bearer test-token2\r\n",
    ] {
        let got = with(&server, &right, headers);
        assert_eq!(
            (got.status, got.json(), got.header("www-authenticate")),
            (401, json!({"error": {"code": "unauthorized"}}), Some("Bearer"))
        );
    }
    let got = with(&server, "POST /amlyze-ws-rest/other HTTP/1.1", GOOD);
    assert_eq!(
        (got.status, got.json()["path"].as_str(), got.json()["error"].as_str()),
        (404, Some("/amlyze-ws-rest/other"), Some("Not Found"))
    );
    for path in [
        "/",
        "/amlyze-ws-rest/batch-account-balances/x",
        "/amlyze-ws-rest/batch-account-balances/",
        "/amlyze-ws-rest/batch-account-balancesx",
        "/Amlyze-ws-rest/batch-account-balances",
        "//amlyze-ws-rest/batch-account-balances",
    ] {
        assert_eq!(with(&server, &format!("POST {path} HTTP/1.1"), GOOD).status, 404, "{path}");
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "post", "TRACE", "BREW"] {
        let got = with(&server, &format!("{method} {ENDPOINT} HTTP/1.1"), GOOD);
        assert_eq!(
            (got.status, got.header("allow"), is_framework(&got)),
            (405, Some("POST"), true)
        );
    }
    for headers in [
        String::new(),
        "Content-Type: text/plain\r\n".to_owned(),
        "Content-Type: application/jsonx\r\n".to_owned(),
        "Content-Type: application/json\r\nContent-Encoding: gzip\r\n".to_owned(),
    ] {
        assert_eq!(with(&server, &right, &format!("{bearer}{headers}")).status, 415, "{headers}");
    }
    assert_eq!(with(&server, &right, &format!("{GOOD}Accept: text/html\r\n")).status, 406);
    assert_eq!(with(&server, &right, &format!("{GOOD}Expect: tea\r\n")).status, 417);
    assert_eq!(server.accepted(), 0);
    let allowed = with(&server, &format!("OPTIONS {ENDPOINT} HTTP/1.1"), GOOD);
    assert_eq!(
        (allowed.status, allowed.header("allow"), allowed.body.len()),
        (200, Some("POST, OPTIONS"), 0)
    );
    for headers in [
        "AUTHORIZATION: bearer   test-token \r\ncontent-type:Application/Json;Charset=\"UTF-8\"\r\nAccept: text/html, */*;q=0.1\r\n",
        GOOD,
    ] {
        assert_eq!(
            with(&server, &format!("POST http://here{ENDPOINT}?a=b HTTP/1.1"), headers).status,
            200
        );
    }
    let mut stream = connect(&server);
    stream.write_all(&request(&format!("HEAD {ENDPOINT} HTTP/1.1"), GOOD, b"")).unwrap();
    assert_eq!(receive(&mut stream, true).status, 405);
    stream.write_all(&request(&right, GOOD, batch(&[item("after HEAD")]).as_bytes())).unwrap();
    assert_eq!(receive(&mut stream, false).outcomes(), ["OK"]);
}

#[test]
fn refused_framing_is_answered_and_the_connection_closed() {
    let server = server(&[]);
    let line = format!("POST {ENDPOINT} HTTP/1.1\r\nHost: h\r\n{GOOD}");
    let long = "x".repeat(40_000);
    for (bytes, status) in [
        (format!("{line}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400),
        (format!("{line}Content-Length: two\r\n\r\n{{}}"), 400),
        (format!("{line}Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), 400),
        (format!("{line}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}xx"), 400),
        (format!("{line}Content-Length: 99999999999999999999999\r\n\r\n"), 413),
        (format!("{line}Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n"), 413),
        (format!("{line}X: {long}\r\n\r\n"), 431),
        (format!("{line}{}\r\n", "X: y\r\n".repeat(300)), 431),
        (format!("POST /{long} HTTP/1.1\r\n\r\n"), 414),
        (format!("POST {ENDPOINT} HTTP/1.1\nHost: h\n\n"), 400),
        (format!("POST {ENDPOINT} HTTP/1.1\r\n\r\n"), 400),
        ("garbage\r\n".to_owned(), 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 505),
    ] {
        let mut stream = connect(&server);
        stream.write_all(bytes.as_bytes()).unwrap();
        let got = receive(&mut stream, false);
        assert_eq!(
            (got.status, got.header("connection")),
            (status, Some("close")),
            "{}",
            &bytes[..100.min(bytes.len())]
        );
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn credentials_are_looked_at_before_the_body() {
    let server = server(&[]);
    for framing in [
        "Content-Length: 50000000\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 10\r\nExpect: 100-continue\r\n",
    ] {
        let mut stream = connect(&server);
        stream
            .write_all(format!("POST {ENDPOINT} HTTP/1.1\r\nHost: h\r\n{framing}\r\n").as_bytes())
            .unwrap();
        let head = String::from_utf8(until(&mut stream, b"\r\n\r\n")).unwrap();
        assert!(head.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{head}");
    }
}

#[test]
fn chunks_continue_pipelines_and_slow_clients() {
    let server = server(&[]);
    let line = format!("POST {ENDPOINT} HTTP/1.1\r\nHost: h\r\n{GOOD}");
    let mut stream = connect(&server);
    let body = batch(&[item("chunked")]);
    let (one, two) = body.split_at(10);
    let chunks = format!(
        "{line}Transfer-Encoding: chunked\r\n\r\nA;x=y\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\nTrailer: t\r\n\r\n",
        two.len()
    );
    for byte in chunks.as_bytes() {
        stream.write_all(&[*byte]).unwrap();
    }
    assert_eq!(receive(&mut stream, false).outcomes(), ["OK"]);

    let body = batch(&[item("continue")]);
    stream
        .write_all(
            format!("{line}Content-Length: {}\r\nExpect: 100-Continue\r\n\r\n", body.len())
                .as_bytes(),
        )
        .unwrap();
    assert_eq!(until(&mut stream, b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).unwrap();
    assert_eq!(receive(&mut stream, false).outcomes(), ["OK"]);

    let right = format!("POST {ENDPOINT} HTTP/1.1");
    let pipeline = [
        request(&right, GOOD, batch(&[item("p1")]).as_bytes()),
        request(&right, "", &vec![b'x'; 100_000]),
        b"\r\n".to_vec(),
        request("GET / HTTP/1.1", GOOD, b""),
        request(&right, GOOD, batch(&[item("p1"), item("p2")]).as_bytes()),
    ];
    stream.write_all(&pipeline.concat()).unwrap();
    assert_eq!(receive(&mut stream, false).outcomes(), ["OK"]);
    assert_eq!(
        [receive(&mut stream, false).status, receive(&mut stream, false).status],
        [401, 404]
    );
    assert_eq!(receive(&mut stream, false).outcomes(), ["O005", "OK"]);

    let old = raw(
        &server,
        &request(&format!("POST {ENDPOINT} HTTP/1.0"), GOOD, batch(&[item("old")]).as_bytes()),
    );
    assert_eq!((old.outcomes().len(), old.header("connection")), (1, Some("close")));
}
