//! How requests reach a server of the tests, and what its answers look like beside those of another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use batchproof_contract::{Contract, RefusalMode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{JSON, PATH, batch, item, post, request};
use crate::{Fault, RunningServer, ServerConfig, start};

pub(super) async fn raw(server: &RunningServer, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = stream.write_all(request).await;
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    bytes
}

/// An answer without what differs from run to run.
pub(super) fn print(bytes: &[u8]) -> String {
    let text: String = bytes.iter().copied().map(char::from).collect();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut out = String::new();
    for line in head.lines().filter(|l| !l.starts_with("Date: ")) {
        match line.strip_prefix("Content-Length: ") {
            Some(length) => out.push_str(if length == body.chars().count().to_string() {
                "sized"
            } else {
                "off"
            }),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    let mut rest = body;
    for (mark, end) in [("\"timestamp\":\"", '"'), ("timeElapsedMs\":", '}')] {
        let mut cleaned = String::new();
        while let Some((before, after)) = rest.split_once(mark) {
            cleaned.push_str(before);
            cleaned.push_str(mark);
            let stop = after.find(end).unwrap_or(after.len());
            let fine = end == '"' || after[..stop].parse::<u64>().is_ok_and(|ms| ms < 100);
            cleaned.push_str(if fine { "?" } else { &after[..stop] });
            rest = &after[stop..];
        }
        cleaned.push_str(rest);
        rest = Box::leak(cleaned.into_boxed_str());
    }
    out + rest
}

/// What the server does in the whole series; `late` waits before the last request.
pub(super) async fn series(
    server: &RunningServer,
    requests: &[Vec<u8>],
    late: bool,
) -> Vec<String> {
    let mut seen = Vec::new();
    for request in requests {
        let before = Instant::now();
        let slow = |since: Instant| since.elapsed() > Duration::from_secs(2);
        let answer = print(&raw(server, request).await);
        seen.push(format!("{answer} slow:{}", slow(before)));
    }
    seen.push(expecting(server).await);
    seen.push(hanging_up(server).await);
    seen.push(staying(server).await);
    for round in 0..6 {
        seen.push(racing(server, round).await);
    }
    if late {
        sleep(Duration::from_millis(1100)).await;
    }
    seen.push(print(&raw(server, &post(&batch(&[item("first", json!({}))]))).await));
    seen
}

pub(super) async fn expecting(server: &RunningServer) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let body = batch(&[item("expects", json!({}))]);
    let length = body.len();
    let head = format!("POST {PATH} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{JSON}");
    let head = format!("{head}Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 1024];
    let read = stream.read(&mut buffer).await.unwrap_or(0);
    let _ = stream.write_all(&body).await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    format!("{} {}", String::from_utf8_lossy(&buffer[..read]), print(&rest))
}

/// The statuses on a connection that shows good credentials, and then none.
pub(super) async fn staying(server: &RunningServer) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let stays =
        |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replacen("Connection: close\r\n", "", 1);
    let good = stays(post(&batch(&[item("stays", json!({}))])));
    stream.write_all(good.as_bytes()).await.unwrap();
    let plain = "Content-Type: application/json\r\n";
    let without = request("POST", PATH, plain, &batch(&[item("stays on", json!({}))]));
    stream.write_all(&without).await.unwrap();
    let mut both = Vec::new();
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut both)).await;
    let both = String::from_utf8_lossy(&both);
    both.split("HTTP/1.1 ").filter_map(|answer| answer.get(..4)).collect()
}

pub(super) async fn hanging_up(server: &RunningServer) -> String {
    let body = batch(&[item("h1", json!({})), item("h2", json!({}))]);
    let sent = request("POST", PATH, JSON, &body);
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(&sent[..sent.len() - 20]).await.unwrap();
    drop(stream);
    sleep(Duration::from_millis(100)).await;
    print(&raw(server, &post(&body)).await)
}

pub(super) async fn racing(server: &RunningServer, round: usize) -> String {
    let mut tasks = JoinSet::new();
    let address = server.address();
    for at in 0..6 {
        let account = format!("RACER-{at}");
        let body = batch(&[item(&format!("race-{round}"), json!({ "accountExtId": account }))]);
        tasks.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let mut bytes = Vec::new();
            let _ = stream.write_all(&post(&body)).await;
            let _ = stream.read_to_end(&mut bytes).await;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let own = text.contains(&account);
            format!(
                "{} {} {own}",
                text.get(9..12).unwrap_or("-"),
                text.contains("REQUEST_ACCEPTED")
            )
        });
    }
    let mut all = tasks.join_all().await;
    all.sort();
    all.join(", ")
}

pub(super) async fn serve(refusal_mode: RefusalMode, faults: Vec<&'static Fault>) -> RunningServer {
    let contract = Arc::new(Contract::shipped().unwrap());
    let token = Some("secret".to_owned());
    let config = ServerConfig {
        contract,
        refusal_mode,
        token,
        other_token: Some("other".to_owned()),
        further_keys: Vec::new(),
        faults,
        port: 0,
    };
    start(config).await.unwrap()
}
