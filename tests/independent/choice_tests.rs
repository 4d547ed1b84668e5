//! Each choice does what it says, and nothing that no choice may.

use super::client::*;
use super::*;
use serde_json::{Value, json};
use std::io::{Read, Write};

#[test]
fn mixed_refusal_modes() {
    let missing = || [item("m1"), without("m2", "value")];
    let typed = || [item("t1"), but("t2", "value", json!([]))];
    let long = || [item("l1"), but("l2", "requester", json!("r".repeat(101)))];
    let statuses = |names: &[&str]| {
        let server = server(names);
        [missing(), typed(), long(), [without("a", "value"), without("b", "value")]]
            .map(|items| post(&server, batch(&items)).status)
    };
    assert_eq!(statuses(&[]), [400, 400, 400, 400]);
    assert_eq!(statuses(&["refusal-mode-item"]), [200, 200, 200, 200]);
    assert_eq!(statuses(&["both-refusal-modes-by-kind"]), [200, 400, 200, 200]);
    assert_eq!(statuses(&["missing-refuses-the-request"]), [400, 200, 200, 400]);
    assert_eq!(statuses(&["all-broken-refused"]), [200, 200, 200, 400]);
}

#[test]
fn each_choice_still_accepts_what_all_must_accept() {
    let mut items = vec![
        item("plain"),
        but("full", "businessUnit", json!("u")),
        but("now", "balanceAt", json!("1970-01-01T00:00:00.123456789Z")),
    ];
    items.extend([
        but("offset", "balanceAt", json!("2020-02-29T23:59:59-14:00")),
        but("num", "value", json!(-99_999_999_999_999.0_f64)),
        item("🙂\u{1}/\\\""),
    ]);
    items.push(but("more", "additional", json!([null])));
    let body = batch(&items);
    for (name, _) in ALL.iter().chain(SHOULD).chain(UNRELIABLE) {
        let server = server(&[name]);
        let got = post(&server, &body);
        let expected = match *name {
            "controls-refused" => 400,
            "waf-403" => 403,
            _ => 200,
        };
        assert_eq!(got.status, expected, "{name}");
        if expected == 200 {
            assert_eq!(got.outcomes(), ["OK"; 7], "{name}");
            let numbers: Vec<_> = got.json()["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|result| result["communicationNumber"].clone())
                .collect();
            assert_eq!(numbers[5], items[5]["communicationNumber"], "{name}");
            assert_eq!(post(&server, &body).outcomes(), ["O005"; 7], "{name}");
        }
        assert!(post(&server, "{}").status == 400 && server.requests() >= 2, "{name}");
    }
}

#[test]
fn choices_of_statuses_do_what_they_say() {
    let status =
        |name: &str, line: &str, headers: &str| with(&server(&[name]), line, headers).status;
    let right = format!("POST {ENDPOINT} HTTP/1.1");
    let get = format!("GET {ENDPOINT} HTTP/1.1");
    let bearer = "Authorization: Bearer test-token\r\n";
    assert_eq!(
        [status("auth-403", &right, ""), status("path-before-auth", "POST / HTTP/1.1", "")],
        [403, 404]
    );
    assert_eq!(status("case-sensitive-scheme", &right, &GOOD.replace("Bearer", "bearer")), 401);
    assert_eq!(
        ["method-404", "method-501", "method-400"].map(|name| status(name, &get, GOOD)),
        [404, 501, 400]
    );
    assert_eq!(
        ["options-204", "options-405"].map(|name| status(
            name,
            &format!("OPTIONS {ENDPOINT} HTTP/1.1"),
            GOOD
        )),
        [204, 405]
    );
    assert_eq!(
        ["media-400", "missing-content-type-processed"].map(|name| status(name, &right, bearer)),
        [400, 200]
    );
    assert_eq!(status("plus-json-refused", &right, &GOOD.replace("/json", "/x+json")), 415);
    assert_eq!(status("accept-ignored", &right, &format!("{GOOD}Accept: image/png\r\n")), 200);
    assert_eq!(status("expect-417", &right, &format!("{GOOD}Expect: 100-continue\r\n")), 417);
    assert_eq!(
        status("trailing-slash-processed", &format!("POST {ENDPOINT}/ HTTP/1.1"), GOOD),
        200
    );
    assert_eq!(status("any-case-path-processed", &right.replace("batch", "Batch"), GOOD), 200);
    let chunked = format!("{right}\r\nHost: h\r\n{GOOD}Transfer-Encoding: chunked\r\n\r\n");
    assert_eq!(raw(&server(&["no-chunked"]), chunked.as_bytes()).status, 411);

    let empty = with(&server(&["empty-error-bodies"]), &right, "");
    assert_eq!((empty.status, empty.body.len()), (401, 0));
    assert_eq!(
        with(&server(&["html-errors"]), &right, "").header("content-type"),
        Some("text/html;charset=utf-8")
    );

    let server = server(&["close-idle"]);
    let mut stream = connect(&server);
    stream.write_all(&request(&right, GOOD, batch(&[]).as_bytes())).unwrap();
    assert_eq!(receive(&mut stream, false).header("connection"), None);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn choices_of_limits_do_what_they_say() {
    let items: Vec<Value> = (0..1001).map(|number| item(&number.to_string())).collect();
    assert_eq!(
        ["batch-limit-1000", "batch-limit-1000-400"].map(|name| post(
            &server(&[name]),
            batch(&items)
        )
        .status),
        [413, 400]
    );
    assert_eq!(
        ["batch-limit-1000", "batch-limit-1000-400"].map(|name| post(
            &server(&[name]),
            batch(&items[1..])
        )
        .status),
        [200, 200]
    );
    for (name, status) in [("retry-429-now-and-then", 429), ("retry-503-now-and-then", 503)] {
        let server = server(&[name]);
        let statuses: Vec<u16> = (0..80)
            .map(|number| post(&server, batch(&[item(&number.to_string())])).status)
            .collect();
        assert!(
            statuses
                .iter()
                .enumerate()
                .all(|(at, got)| *got == if at % 40 == 39 { status } else { 200 })
        );
        assert_eq!(server.accepted(), 78);
    }
    for (name, status) in [("gateway-502-now-and-then", 502), ("gateway-504-now-and-then", 504)] {
        let server = server(&[name]);
        let statuses: Vec<u16> = (1..=301)
            .map(|number| post(&server, batch(&[item(&number.to_string())])).status)
            .collect();
        assert!((1..).zip(&statuses).all(|(at, got)| *got == if at == 300 { status } else { 200 }));
        assert!(server.accepted() == 301 && server.is_used("300"));
    }
    let burning = server(&["rejected-numbers-stay", "refusal-mode-item"]);
    assert_eq!(post(&burning, batch(&[without("x", "value")])).outcomes(), ["O001"]);
    assert_eq!(post(&burning, batch(&[item("x"), item("y")])).outcomes(), ["O005", "OK"]);
    let kilobytes = |count: usize| {
        let server = server(&["body-limit-100k"]);
        let text = "a".repeat((count << 10) - batch(&[but("x", "more", json!(""))]).len());
        post(&server, batch(&[but("x", "more", json!(text))])).status
    };
    assert_eq!([kilobytes(100), kilobytes(101)], [200, 413]);
}

#[test]
fn choices_of_values_and_bodies_do_what_they_say() {
    let refused = |name: &str, item: Value| post(&server(&[name]), batch(&[item])).status == 400;
    assert!(
        refused("blank-refused", but("x", "requester", json!(" \t")))
            && refused("null-optional-refused", but("x", "balanceType", Value::Null))
    );
    assert!(
        refused("long-plain-refused", but("x", "accountExtId", json!("a".repeat(256))))
            && refused("big-numbers-refused", but("x", "value", json!(1e14)))
    );
    assert!(
        refused("big-numbers-refused", but("x", "value", json!(0.00001)))
            && refused("framework-400", without("x", "value"))
    );
    assert_eq!(
        post(&server(&["nul-stored"]), batch(&[item("\0")])).json()["results"][0]["communicationNumber"],
        "\0"
    );
    assert_eq!(
        post(
            &server(&["nul-is-an-item-fault", "refusal-mode-item"]),
            batch(&[item("\0"), item("b")])
        )
        .outcomes(),
        ["O001", "OK"]
    );
    assert_eq!(
        post(&server(&["any-size-numbers"]), batch(&[item("x")]).replace("1.5", "1e400"))
            .outcomes(),
        ["OK"]
    );
    assert_eq!(
        post(
            &server(&["lone-surrogates-replaced"]),
            batch(&[item("x")]).replace("\"x\"", "\"\\udfff\"")
        )
        .json()["results"][0]["communicationNumber"],
        "\u{fffd}"
    );
    assert_eq!(
        post(
            &server(&["duplicate-keys-refused"]),
            batch(&[item("x")]).replace("\"value\"", "\"value\":1,\"value\"")
        )
        .status,
        400
    );
    assert_eq!(post(&server(&["bom-refused"]), format!("\u{feff}{}", batch(&[]))).status, 400);
    assert_eq!(
        post(&server(&["results-omitted-when-empty"]), batch(&[])).json(),
        json!({"timeElapsedMs": 0})
    );
    assert!(is_framework(&post(
        &server(&["framework-400"]),
        batch(&[but("x", "balanceAt", json!("x"))])
    )));
    assert_eq!(post(&server(&["adapter-400"]), "{").json()["errorCode"], "O001");
    assert_eq!(
        post(&server(&["errors-array"]), batch(&[json!({})])).json()["errors"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    assert_eq!(
        post(
            &server(&["scalars-coerced"]),
            batch(&[but("x", "value", json!("12")), but("x", "communicationNumber", json!(12.50))])
        )
        .json()["results"][1]["communicationNumber"],
        "12.5"
    );
}
