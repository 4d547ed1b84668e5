//! Each fault shows somewhere in one fixed series of requests: none is idle, none needs luck.

mod sending;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::super::{Fault, FaultDepth};
use batchproof_contract::RefusalMode;
use sending::{series, serve};

const PATH: &str = "/amlyze-ws-rest/batch-account-balances";
const JSON: &str = "Content-Type: application/json\r\nAuthorization: Bearer secret\r\n";

fn item(number: &str, change: impl Into<Value>) -> Value {
    let mut item = json!({
        "communicationNumber": number, "requester": "core", "accountExtId": format!("ACC-{}", number.bytes().map(u32::from).sum::<u32>()),
        "businessUnit": "sandbox", "balanceAt": "2023-09-05T08:07:34.605Z", "value": 12.5,
    });
    for (name, value) in change.into().as_object().unwrap() {
        item[name] = value.clone();
    }
    item
}

fn without(number: &str, field: &str) -> Value {
    let mut item = item(number, json!({}));
    item.as_object_mut().unwrap().shift_remove(field);
    item
}

fn batch(items: &[Value]) -> Vec<u8> {
    json!({ "accountBalances": items }).to_string().into_bytes()
}

fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let line = format!("{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n");
    let mut all = format!("{line}Content-Length: {length}\r\n{headers}\r\n").into_bytes();
    all.extend_from_slice(body);
    all
}

fn post(body: &[u8]) -> Vec<u8> {
    request("POST", PATH, JSON, body)
}

/// One batch for each way in which an item can be odd.
#[expect(clippy::too_many_lines, reason = "a list is read in one piece")]
fn items() -> Vec<Vec<Value>> {
    let plain = |n: &str| item(n, json!({}));
    let long = "x".repeat(255);
    let mut batches = vec![
        vec![],
        vec![plain("first")],
        vec![
            plain("first"),
            plain("pair"),
            plain("other"),
            plain("pair"),
            plain("behind"),
            plain("first"),
        ],
        vec![
            plain("first"),
            plain("PAIR"),
            plain(" pair"),
            plain("pair "),
            plain("pa-ir"),
            plain("pair"),
        ],
        vec![
            plain("\u{e9}"),
            plain("e\u{301}"),
            plain("e"),
            plain("<b>\"'\\&+%20"),
            plain("tab\t"),
        ],
        vec![
            plain(&long),
            plain(&format!("{}y", "x".repeat(254))),
            plain(&"x".repeat(129)),
            plain(&"x".repeat(60)),
        ],
        vec![plain(&"z".repeat(256))],
        vec![plain(&"z".repeat(2000))],
        vec![without("only", "businessUnit"), plain("full"), without("only2", "businessUnit")],
        vec![plain("full2"), without("only3", "businessUnit")],
        vec![
            json!({ "communicationNumber": "least", "requester": "r", "accountExtId": "A", "balanceAt":
            "2024-01-01T00:00:00Z", "value": 1 }),
        ],
        vec![
            plain("mixed1"),
            without("mixed2", "value"),
            plain("mixed3"),
            plain("mixed1"),
            plain("mixed4"),
        ],
        vec![plain("mixed1"), without("mixed2", "value"), plain("mixed3"), plain("mixed4")],
        vec![item("mixed2", json!({})), plain("mixed3")],
        vec![
            plain("r1"),
            plain("r2"),
            plain("r3"),
            plain("r4"),
            plain("r5"),
            plain("r6"),
            without("r7", "value"),
        ],
        vec![plain("r7"), plain("r6"), plain("r5"), plain("r1")],
        vec![plain("s1"), plain("r7"), plain("r7")],
        vec![plain("s2"), plain("r7")],
        vec![
            item("spelt1", json!({ "accountExtId": "Twin" })),
            item("spelt2", json!({ "accountExtId": "TWIN" })),
        ],
        vec![plain("lone"), without("tail", "requester")],
        vec![json!(7), plain("after-seven")],
    ];
    for (at, change) in [
        json!({ "requester": null }),
        json!({ "requester": "r".repeat(101) }),
        json!({ "requester": format!("{} ", "r".repeat(100)) }),
        json!({ "requester": "r".repeat(100) }),
        json!({ "requester": "ž".repeat(60) }),
        json!({ "requester": "\u{1F600}".repeat(60) }),
        json!({ "requester": [] }),
        json!({ "requester": 12 }),
        json!({ "accountExtId": "a\u{0}b" }),
        json!({ "accountExtId": " <\u{1F600}>\"\\e\u{301} " }),
        json!({ "accountExtId": "0012" }),
        json!({ "accountExtId": "a".repeat(200) }),
        json!({ "accountExtId": "b".repeat(2000) }),
        json!({ "businessUnit": null }),
        json!({ "businessUnit": {} }),
        json!({ "value": "12" }),
        json!({ "value": {} }),
        json!({ "value": -1 }),
        json!({ "value": 0 }),
        json!({ "value": 3_000_000_000_u64 }),
        json!({ "value": 1.2345 }),
        json!({ "value": 1e15 }),
        json!({ "balanceAt": "yesterday" }),
        json!({ "balanceAt": "2023-09-05" }),
        json!({ "balanceAt": 1_693_901_254 }),
        json!({ "balanceAt": "2023-02-30T00:00:00Z" }),
        json!({ "balanceAt": "2024-02-29T00:00:00Z" }),
        json!({ "balanceAt": "2023-09-05T08:07:34" }),
        json!({ "balanceAt": "2023-09-05T08:07:34.123456-05:00" }),
        json!({ "balanceAt": "1999-09-05T08:07:34Z" }),
        json!({ "extra": 1 }),
    ]
    .into_iter()
    .enumerate()
    {
        batches.push(vec![item(&format!("c{at}"), change)]);
    }
    for field in [
        "accountExtId",
        "balanceAt",
        "communicationNumber",
        "requester",
        "value",
        "equivalentValue",
    ] {
        batches.push(vec![without(&format!("w-{field}"), field)]);
    }
    batches.push(
        (0..12)
            .map(|i| if i == 7 { without("n7", "value") } else { plain(&format!("n{i}")) })
            .collect(),
    );
    batches.push((0..12).map(|i| plain(&format!("t{i}"))).collect());
    for round in 0..55 {
        batches.push(vec![plain(&format!("u{round}")), plain(&format!("v{round}"))]);
    }
    batches.push((0..1200).map(|i| plain(&format!("m{i}"))).collect());
    batches.push((0..60).map(|i| plain(&format!("m{i}"))).collect());
    batches.push(vec![plain("first"), plain("m1")]);
    batches.push(vec![plain("q'"), plain("q''"), plain("a-b"), plain("a\u{2013}b")]);
    batches.push((0..24).map(|i| without(&format!("e{i}"), "value")).collect());
    batches.push((0..99).map(|i| plain(&format!("hundred {i}"))).collect());
    if let Some(hundred) = batches.last_mut() {
        hundred.push(without("hundredth", "value"));
    }
    batches.push(vec![plain("thrice"), plain("thrice"), plain("thrice")]);
    batches.push(vec![item("first", json!({ "value": 77 }))]);
    batches.push(vec![item("first", json!({ "accountExtId": "ANOTHER" }))]);
    batches.push(vec![item("first", json!({ "businessUnit": "another" }))]);
    batches
}

fn requests() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = items().iter().map(|items| post(&batch(items))).collect();
    let one = |n: &str| batch(&[item(n, json!({}))]);
    all.push(post(&batch(&items()[2])));
    for headers in [
        "Content-Type: application/json\r\n",
        "Content-Type: application/json\r\nAuthorization: Bearer\r\n",
        "Content-Type: application/json\r\nAuthorization: Bearer wrong\r\n",
        "Content-Type: application/json\r\nAuthorization: Bearer null\r\n",
        "Content-Type: application/json\r\nAuthorization: Bearer secrets\r\n",
        "Content-Type: application/json\r\nAuthorization: Basic c2VjcmV0\r\n",
        "Content-Type: application/json\r\nAuthorization: secret\r\n",
        "Content-Type: text/plain\r\nAuthorization: Bearer secret\r\n",
        "Content-Type: application/json; charset=utf-8\r\nAuthorization: Bearer secret\r\n",
        "CONTENT-TYPE: application/json\r\nAUTHORIZATION: Bearer secret\r\n",
        "Content-Type: application/json\r\nAuthorization: Bearer secret\r\nAccept: text/html\r\n",
    ] {
        all.push(request("POST", PATH, headers, &one(headers.trim())));
        all.push(request("POST", PATH, headers, b"{"));
        all.push(post(&one(headers.trim())));
    }
    for (method, path) in
        [("GET", PATH), ("HEAD", PATH), ("PUT", PATH), ("DELETE", PATH), ("POST", "/x")]
    {
        all.push(request(method, path, JSON, &one(method)));
        all.push(post(&one(method)));
    }
    all.push(request("GET", PATH, JSON, b""));
    all.push(request("POST", &format!("{PATH}/below"), JSON, &one("below")));
    all.push(request("POST", &format!("{PATH}-beside"), JSON, &one("beside")));
    let chunked = format!("POST {PATH} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{JSON}");
    let many: Vec<Value> = (0..20).map(|n| item(&format!("chunked {n}"), json!({}))).collect();
    for body in [one("chunked"), batch(&many)] {
        let (length, body) = (body.len(), String::from_utf8(body).unwrap());
        let chunks = format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n");
        all.push(format!("{chunked}{chunks}").into_bytes());
    }
    let old = String::from_utf8(post(&one("old"))).unwrap();
    let old = old.replacen("HTTP/1.1", "HTTP/1.0", 1);
    all.push(old.replacen("Authorization: Bearer secret\r\n", "", 1).into_bytes());
    all.push(old.into_bytes());
    all.push(post(&batch(&[item("7001", json!({})), item("07001", json!({}))])));
    let uuid = "8a1f0c2e-51a4-4d0f-9a3c-1b2c3d4e5f60";
    all.push(post(&batch(&[item(uuid, json!({})), item(&uuid.to_uppercase(), json!({}))])));
    for size in [4096, 8192, 16_384] {
        let mut body = batch(&[item(&format!("fills {size}"), json!({}))]);
        let blanks = vec![b' '; size - body.len()];
        body.splice(1..1, blanks);
        all.push(post(&body));
    }
    // Within the last minute, and however long the test takes: in what will be.
    let recent = (chrono::Utc::now() + chrono::Duration::seconds(600)).to_rfc3339();
    all.push(post(&batch(&[item("recent", json!({ "balanceAt": recent }))])));
    let number = batch(&[item("not a number", json!({ "equivalentValue": 7 }))]);
    let number = String::from_utf8(number).unwrap();
    all.push(post(number.replace("\"equivalentValue\":7", "\"equivalentValue\":NaN").as_bytes()));
    let large = item("large", json!({ "extra": "x".repeat(1_100_000) }));
    let nested = format!("{{\"accountBalances\":{}", "[".repeat(500));
    let repeated =
        String::from_utf8(one("k")).unwrap().replacen("{\"comm", "{\"value\":1,\"comm", 1);
    for body in [
        &b""[..],
        b"{\"accountBalances\":[{\"a\":1},",
        b"{'accountBalances':[]}",
        b"{\"accountBalances\":null}",
        b"{\"accountBalances\":{}}",
        b"[]",
        b"{\"accountBalances\":[]} x",
        b"{\"accountBalances\":[{\"requester\":\"\xff\"}]}",
        b"{\"accountBalances\":[{\"requester\":\"\\ud800\"}]}",
        b"{\"accountBalances\":[{\"value\":1e400}]}",
        b"{\"accountBalances\":[{\"value\":1e4}]}",
        repeated.as_bytes(),
        nested.as_bytes(),
        &batch(&[large]),
    ] {
        all.push(post(body));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_shows() {
    let requests = Arc::new(requests());
    let mut idle = Vec::new();
    for refusal_mode in [RefusalMode::Request, RefusalMode::Item] {
        let clean = series(&serve(refusal_mode, Vec::new()).await, &requests, false).await;
        assert!(clean.iter().all(|answer| !answer.contains("HTTP/1.1 5")), "{clean:#?}");
        let again = series(&serve(refusal_mode, Vec::new()).await, &requests, false).await;
        for (at, (one, two)) in clean.iter().zip(&again).enumerate() {
            let sent = requests.get(at).map(|r| String::from_utf8_lossy(&r[..r.len().min(900)]));
            assert_eq!(one, two, "{sent:?}");
        }
        let (clean, few) = (Arc::new(clean), Arc::new(Semaphore::new(8)));
        let mut tasks = JoinSet::new();
        // Those of databases need batches of hundreds, and other requests between them: `prove` shows them.
        let lists = [super::parts::FAULTS, super::transactions::FAULTS, super::conversions::FAULTS];
        let of_databases =
            |f: &Fault| lists.iter().any(|list| list.iter().any(|d| d.name == f.name));
        let broken = super::all()
            .into_iter()
            .filter(|f| f.refusal_modes.contains(&refusal_mode) && !of_databases(f))
            // Nobody waits for half a minute here, is another tenant or has a further key.
            .filter(|f| !(f.waits && f.depth == FaultDepth::Deep))
            .filter(|f| f.family != "TENANT" && !f.needs_further_key && !f.needs_read)
            .filter(|f| f.needs_again.is_empty())
            .filter(|f| f.needs_further.is_none())
            // They take hundreds of items, or thousands.
            .filter(|f| f.name != "over-4095-items-server-error")
            .filter(|f| !f.name.contains("-unchecked-behind-"))
            .map(Some);
        // Clean servers among them show that it is the faults that change answers, and not the load.
        for fault in broken.chain([None; 8]) {
            let (clean, requests, few) = (clean.clone(), requests.clone(), few.clone());
            tasks.spawn(async move {
                let _turn = few.acquire().await.unwrap();
                let server = serve(refusal_mode, fault.into_iter().collect()).await;
                let late = fault.is_some_and(|f| f.name.contains("second"));
                let same = series(&server, &requests, late).await == *clean;
                (fault, same)
            });
        }
        for (fault, same) in tasks.join_all().await {
            match fault {
                Some(fault) if same => idle.push(format!("{} ({refusal_mode})", fault.name)),
                Some(_) => {}
                None => assert!(same, "a clean server answered otherwise under load"),
            }
        }
    }
    idle.sort();
    assert!(idle.is_empty(), "these faults change nothing: {idle:#?}");
}
