//! The clean server over real sockets, and what every fault must say of itself.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

struct ReceivedReply {
    status: u16,
    head: String,
    json: Value,
}

async fn raw(server: &RunningServer, request: &[u8]) -> ReceivedReply {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut bytes = Vec::new();
    let reading = stream.read_to_end(&mut bytes);
    tokio::time::timeout(Duration::from_secs(20), reading).await.unwrap().unwrap();
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let body = &bytes[end + 4..];
    let length = format!("content-length: {}", body.len());
    assert!(head.to_lowercase().contains(&length) || head.contains(" 204 "), "{head}");
    let status = head[9..12].parse().unwrap();
    ReceivedReply { status, head, json: serde_json::from_slice(body).unwrap_or(Value::Null) }
}

const PATH: &str = "/amlyze-ws-rest/batch-account-balances";

async fn send(
    server: &RunningServer,
    method: &str,
    path: &str,
    extra: &str,
    body: &[u8],
) -> ReceivedReply {
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n{extra}\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    raw(server, &request).await
}

const JSON: &str = "Content-Type: application/json\r\nAuthorization: Bearer secret\r\n";

async fn post(server: &RunningServer, body: &[u8]) -> ReceivedReply {
    send(server, "POST", PATH, JSON, body).await
}

async fn serve(refusal_mode: RefusalMode, faults: &[&str]) -> RunningServer {
    start(ServerConfig {
        contract: Arc::new(Contract::shipped().unwrap()),
        refusal_mode,
        token: Some("secret".to_owned()),
        other_token: None,
        further_keys: Vec::new(),
        faults: faults.iter().map(|n| faults::find(n).unwrap()).collect(),
        port: 0,
    })
    .await
    .unwrap()
}

fn item(number: &str) -> Value {
    json!({
        "communicationNumber": number, "requester": "core", "accountExtId": "ACC-1",
        "businessUnit": "sandbox", "balanceAt": "2023-09-05T08:07:34.605Z", "value": 12.5,
    })
}

fn batch(items: &[Value]) -> Vec<u8> {
    json!({ "accountBalances": items }).to_string().into_bytes()
}

fn verdicts(reply: &ReceivedReply) -> Vec<String> {
    let results = reply.json["results"].as_array().cloned().unwrap_or_default();
    results
        .iter()
        .map(|r| match r["resultType"].as_str().unwrap() {
            "REQUEST_ACCEPTED" => "ok".to_owned(),
            _ => r["errorCode"].as_str().unwrap().to_owned(),
        })
        .collect()
}

#[tokio::test]
async fn numbers_live_once() {
    for refusal_mode in [RefusalMode::Request, RefusalMode::Item] {
        let server = serve(refusal_mode, &[]).await;
        let reply = post(&server, &batch(&[item("a"), item("b"), item("a"), item("A")])).await;
        assert_eq!(reply.status, 200);
        assert_eq!(verdicts(&reply), ["ok", "ok", "O005", "ok"]);
        let rejected = &reply.json["results"][2];
        assert_eq!(rejected["communicationNumber"], "a");
        assert_eq!(rejected["accountExtId"], "ACC-1");
        assert_eq!(rejected["businessUnit"], "sandbox");
        assert!(rejected["timeElapsedMs"].is_u64() && reply.json["timeElapsedMs"].is_u64());
        assert!(reply.json["results"][0].get("errorCode").is_none());
        assert_eq!(verdicts(&post(&server, &batch(&[item("b")])).await), ["O005"]);
        let empty = post(&server, &batch(&[])).await;
        assert_eq!((empty.status, &empty.json["results"]), (200, &json!([])));
    }
}

#[tokio::test]
async fn broken_items_are_refused_in_both_refusal_modes() {
    let mut broken = vec![json!(7), Value::Null];
    for (field, value) in [
        ("requester", Value::Null),
        ("requester", json!("x".repeat(101))),
        ("balanceAt", json!("yesterday")),
        ("balanceAt", json!("2023-02-30T00:00:00Z")),
        ("value", json!("12")),
        ("value", json!({})),
        ("accountExtId", json!([])),
        ("businessUnit", json!(7)),
        ("communicationNumber", json!("n".repeat(256))),
        ("communicationNumber", json!(" ")),
    ] {
        let mut one = item("broken");
        one[field] = value;
        broken.push(one);
    }
    let mut lacking = item("broken");
    lacking.as_object_mut().unwrap().shift_remove("value");
    broken.push(lacking);
    let (whole, single) =
        (serve(RefusalMode::Request, &[]).await, serve(RefusalMode::Item, &[]).await);
    for (at, one) in broken.iter().enumerate() {
        let (before, after) = (format!("b{at}"), format!("a{at}"));
        let body = batch(&[item(&before), one.clone(), item(&after)]);
        let reply = post(&whole, &body).await;
        assert_eq!(reply.status, 400, "{one}");
        assert_eq!(reply.json["resultType"], "REQUEST_REJECTED");
        assert_eq!(reply.json["errorCode"], "O001");
        let retry = post(&whole, &batch(&[item(&before), item(&after)])).await;
        assert_eq!(verdicts(&retry), ["ok", "ok"]);
        assert_eq!(verdicts(&post(&single, &body).await), ["ok", "O001", "ok"], "{one}");
    }
}

#[tokio::test]
async fn odd_bodies_are_answered_400() {
    let server = serve(RefusalMode::Item, &[]).await;
    let trailing = [batch(&[item("t")]), b"x".to_vec()].concat();
    let broken_text = [&b"{\"accountBalances\":[{\"requester\":\"\xff\"}]}"[..]].concat();
    let deep = format!("{{\"accountBalances\":{}", "[".repeat(100_000));
    for body in [
        &b""[..],
        b"{",
        b"null",
        b"[]",
        b"{}",
        b"{\"accountBalances\":null}",
        b"{\"accountBalances\":{}}",
        b"{\"accountBalances\":[1e400]}",
        b"{\"accountBalances\":[\"\\ud800\"]}",
        b"\xef\xbb\xbf{\"accountBalances\":[]}",
        &trailing,
        &broken_text,
        deep.as_bytes(),
    ] {
        let reply = post(&server, body).await;
        assert_eq!(reply.status, 400, "{}", String::from_utf8_lossy(&body[..body.len().min(50)]));
        assert!(reply.json.is_object() && reply.head.contains("application/json"));
    }
    assert_eq!(verdicts(&post(&server, &batch(&[item("t")])).await), ["ok"]);
}

#[tokio::test]
async fn the_head_decides_before_the_body() {
    let server = serve(RefusalMode::Request, &[]).await;
    let body = batch(&[item("h")]);
    let auth = "Authorization: bearer secret\r\n";
    let json = "Content-Type: application/json\r\n";
    for (method, path, extra, status) in [
        ("POST", PATH, json.to_owned(), 401),
        ("POST", PATH, format!("{json}Authorization: Bearer \r\n"), 401),
        ("POST", PATH, format!("{json}Authorization: Basic secret\r\n"), 401),
        ("POST", PATH, format!("{json}Authorization: Bearer secrets\r\n"), 401),
        ("POST", "/other", format!("{json}{auth}"), 404),
        ("POST", "/amlyze-ws-rest/batch-account-balances/1", format!("{json}{auth}"), 404),
        ("GET", PATH, auth.to_owned(), 405),
        ("PUT", PATH, format!("{json}{auth}"), 405),
        ("OPTIONS", PATH, auth.to_owned(), 200),
        ("POST", PATH, format!("{json}{auth}Accept: text/html\r\n"), 406),
        ("POST", PATH, format!("Content-Type: text/plain\r\n{auth}"), 415),
        ("POST", PATH, auth.to_owned(), 415),
        ("POST", PATH, format!("{json}{auth}Expect: tea\r\n"), 417),
        ("POST", PATH, format!("{json}{auth}Transfer-Encoding: chunked\r\n"), 400),
    ] {
        let reply = send(&server, method, path, &extra, &body).await;
        assert_eq!(reply.status, status, "{method} {path} {extra}");
        if status == 401 {
            assert_eq!(reply.json, json!({ "error": { "code": "unauthorized" } }));
            assert!(reply.head.contains("WWW-Authenticate"));
        }
        assert!(status != 405 || reply.head.contains("Allow: POST"));
        assert!(status != 404 || reply.json["path"] == path);
    }
    let extra = "content-TYPE: Application/Json; charset=UTF-8\r\nAUTHORIZATION:Bearer secret\r\nAccept: */*\r\n";
    assert_eq!(verdicts(&send(&server, "POST", PATH, extra, &body).await), ["ok"]);
}

#[tokio::test]
async fn framing_is_understood() {
    let server = serve(RefusalMode::Request, &[]).await;
    let body = batch(&[item("chunked")]);
    let mut request =
        format!("POST {PATH} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n")
            .into_bytes();
    for part in body.chunks(7) {
        request.extend_from_slice(format!("{:X};x=y\r\n", part.len()).as_bytes());
        request.extend_from_slice(part);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\nTrailer: t\r\n\r\n");
    assert_eq!(verdicts(&raw(&server, &request).await), ["ok"]);

    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let body = batch(&[item("expects")]);
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: h\r\n{JSON}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 4096];
    let read = stream.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..read], b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&body).await.unwrap();
    let read = stream.read(&mut buffer).await.unwrap();
    assert!(buffer[..read].starts_with(b"HTTP/1.1 200 OK\r\n"));
    // The connection stays, and takes two requests at once.
    let mut two = Vec::new();
    for (number, close) in [("p1", "keep-alive"), ("p2", "close")] {
        let body = batch(&[item(number)]);
        let length = body.len();
        two.extend_from_slice(
            format!("POST {PATH} HTTP/1.1\r\nHost: h\r\n{JSON}Connection: {close}\r\nContent-Length: {length}\r\n\r\n")
                .as_bytes(),
        );
        two.extend_from_slice(&body);
    }
    stream.write_all(&two).await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest.matches("HTTP/1.1 200 OK").count(), 2);

    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{JSON}Content-Length: 1200000000\r\n\r\n"
    );
    assert_eq!(raw(&server, head.as_bytes()).await.status, 413);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simultaneous_requests_share_one_number() {
    let server = Arc::new(serve(RefusalMode::Request, &[]).await);
    for round in 0..20 {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let server = Arc::clone(&server);
            tasks.spawn(async move {
                verdicts(&post(&server, &batch(&[item(&format!("r{round}"))])).await)
            });
        }
        let all = tasks.join_all().await;
        assert_eq!(all.iter().filter(|v| **v == ["ok"]).count(), 1, "{all:?}");
    }
}

#[tokio::test]
async fn large_batches_are_linear() {
    let server = serve(RefusalMode::Item, &[]).await;
    let items: Vec<Value> = (0..10_000).map(|i| item(&format!("n{i}"))).collect();
    let reply = post(&server, &batch(&items)).await;
    let seen = verdicts(&reply);
    assert_eq!((seen.len(), seen.iter().filter(|v| *v == "ok").count()), (10_000, 10_000));
    assert_eq!(reply.json["results"][9_999]["communicationNumber"], "n9999");
}

/// The shortcut and the long way give the same answer to whatever both can take.
#[tokio::test]
async fn both_ways_answer_alike() {
    let quick = serve(RefusalMode::Item, &[]).await;
    // A fault that never takes hold keeps a server from the shortcut.
    let long = start(ServerConfig {
        contract: Arc::new(Contract::shipped().unwrap()),
        refusal_mode: RefusalMode::Item,
        token: None,
        other_token: None,
        further_keys: Vec::new(),
        faults: vec![&IDLE],
        port: 0,
    })
    .await
    .unwrap();
    let mut odd = item("odd \u{1F600} \"quoted\\ \u{0} <b>");
    odd["businessUnit"] = Value::Null;
    let mut more = item("more");
    more["extra"] = json!({ "a": [1] });
    more["value"] = json!(-1.5e3);
    let mut bare = item("bare");
    bare.as_object_mut().unwrap().shift_remove("businessUnit");
    let mut wrong = item("wrong");
    wrong["balanceAt"] = json!("2023-09-05");
    let escaped = br#"{"accountBalances":[{"communication\u004eumber":"\u0065\t","requester":"r","accountExtId":"a\/b","balanceAt":"2023-09-05T08:07:34Z","value":1}]}"#;
    for body in [
        batch(&[odd.clone(), item("plain"), item("plain")]),
        batch(&[more, bare.clone(), bare, wrong, odd]),
        batch(&[item("plain"), item("é"), item("e\u{301}"), item("x".repeat(255).as_str())]),
        escaped.to_vec(),
        b" \n{ \"accountBalances\" : [ ] } ".to_vec(),
    ] {
        let (mut a, mut b) = (post(&quick, &body).await.json, post(&long, &body).await.json);
        for answer in [&mut a, &mut b] {
            answer["timeElapsedMs"] = json!(0);
            for result in answer["results"].as_array_mut().unwrap() {
                assert!(result["timeElapsedMs"].is_u64());
                result["timeElapsedMs"] = json!(0);
            }
        }
        assert_eq!(a, b, "{}", String::from_utf8_lossy(&body));
    }
}

/// Another endpoint needs other files and no line of Rust.
#[tokio::test]
async fn another_contract_is_served() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["openapi.yaml", "batch.yaml"] {
        let shipped = format!("{}/../../schemas/{name}", env!("CARGO_MANIFEST_DIR"));
        let mut text = std::fs::read_to_string(shipped).unwrap();
        for (word, other) in [
            ("accountBalances", "rows"),
            ("communicationNumber", "ticket"),
            ("resultType", "outcome"),
            ("REQUEST_", "ROW_"),
            ("timeElapsedMs", "millis"),
            ("/amlyze-ws-rest/batch-account-balances", "/v2/rows"),
            ("O005", "USED"),
        ] {
            text = text.replace(word, other);
        }
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let contract = Arc::new(Contract::load(directory.path()).unwrap());
    for faults in [vec![], vec![&IDLE]] {
        let contract = Arc::clone(&contract);
        let refusal_mode = RefusalMode::Item;
        let config = ServerConfig {
            contract,
            refusal_mode,
            token: None,
            other_token: None,
            further_keys: Vec::new(),
            faults,
            port: 0,
        };
        let server = start(config).await.unwrap();
        assert!(server.url().ends_with("/v2/rows"));
        let mut row = item("-");
        row["ticket"] = json!("t");
        let body = json!({ "rows": [row, row] }).to_string();
        let reply = send(&server, "POST", "/v2/rows", JSON, body.as_bytes()).await;
        let results = &reply.json["results"];
        assert_eq!(results[0]["outcome"], "ROW_ACCEPTED", "{}", reply.json);
        assert_eq!(results[1]["errorCode"], "USED");
        assert!(results[1]["millis"].is_u64() && results[1]["ticket"] == "t");
    }
}

static IDLE: Fault = fault::FaultFamily("HTTP").fault("idle", "does nothing");

#[test]
fn every_fault_says_what_it_breaks() {
    let mut names = HashSet::new();
    for fault in faults::all() {
        assert!(names.insert(fault.name), "{} stands twice", fault.name);
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(fault.name.chars().all(kebab), "{}", fault.name);
        assert!(fault.about.len() > 20 && !fault.about.ends_with('.'), "{}", fault.name);
        assert!(!fault.must.is_empty() && !fault.refusal_modes.is_empty(), "{}", fault.name);
        assert!(fault.must.iter().all(|r| !fault.may.contains(r)), "{}", fault.name);
    }
    assert!(names.len() >= 110, "{} faults", names.len());
}
