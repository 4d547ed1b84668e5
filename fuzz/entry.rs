//! Bytes on their way into each reader: fuzz targets and `tests/fuzz_corpus.rs` share it. A reader may refuse
//! whatever it is given; it must not panic.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use batchproof::case::{Credential, Framing};
use batchproof::check::evaluate;
use batchproof::contract::{Contract, Profile};
use batchproof::exchange::{
    Answer, BodyIntent, Exchange, Intent, Outliner, Redactor, Request, Response, Situation,
};
use bytes::Bytes;

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::shipped().expect("it is ours"));

/// A case file.
pub fn case(bytes: &[u8]) {
    let _ = batchproof::case::load("fuzzed", "fuzzed.yaml", None, &String::from_utf8_lossy(bytes));
}

/// Three files: `openapi.yaml`, `batch.yaml` and `interpretations.yaml`, a line of dashes and dots between them.
pub fn contract(bytes: &[u8]) {
    let dir = directory();
    let text = String::from_utf8_lossy(bytes);
    let names = ["openapi.yaml", "batch.yaml", "interpretations.yaml"];
    for (name, part) in names.iter().zip(text.split("\n-.-.-\n")) {
        let _ = std::fs::write(dir.path().join(name), part);
    }
    let _ = Contract::load(dir.path());
}

/// A profile.
pub fn profile(bytes: &[u8]) {
    in_file("profile.yaml", bytes, |path| {
        let _ = Profile::load(path, &CONTRACT);
    });
}

/// A file of waivers.
pub fn waiver(bytes: &[u8]) {
    in_file("waivers.yaml", bytes, |path| {
        let _ = batchproof::waiver::load(path);
    });
}

/// A record, and the reports that are made from it.
pub fn record(bytes: &[u8]) {
    in_file("record.jsonl", bytes, |path| {
        let Ok(events) = batchproof::record::read(path) else { return };
        if let Some(summary) = batchproof::record::Summary::from_events(&events) {
            let style = batchproof::report::TerminalStyle { colour: false, width: 80 };
            let _ = batchproof::report::terminal(&summary, style, path);
        }
    });
}

/// An answer as it comes over a connection: its framing, its outline, its redaction, and what the rules say of it.
pub fn answer(bytes: &[u8]) {
    for size in [1, 7, usize::MAX] {
        let _ = batchproof::send::read_answer(bytes, size);
    }
    let body = bytes.windows(4).position(|w| w == b"\r\n\r\n").map_or(bytes, |at| &bytes[at + 4..]);
    let mut outliner = Outliner::default();
    body.chunks(5).for_each(|piece| outliner.take(piece));
    let outline = outliner.finish();
    // Where a parser finds a list, the outline has counted it.
    let list = &CONTRACT.batch.results;
    if let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(body)
        && let Some(elements) = object.get(list).and_then(serde_json::Value::as_array)
        && object.len() < 10
        && !body.contains(&b'\\')
    {
        assert_eq!(outline.elements(list), Some(elements.len() as u64));
    }
    let redactor = Redactor::default();
    redactor.add("fuzzed-Token+1");
    let _ = redactor.clean_bytes(bytes);
    let exchange = exchange(Bytes::copy_from_slice(body));
    let _ = evaluate(&CONTRACT, &Profile::default(), &[exchange], &[], None);
}

fn exchange(body: Bytes) -> Exchange {
    let sent = br#"{"accountBalances":[{"communicationNumber":"a-1","accountExtId":"A","balanceAt":"2023-09-05T08:07:34Z"},
        {"communicationNumber":"a-2","accountExtId":"B","businessUnit":"u","balanceAt":"2023-09-05T08:07:34Z"}]}"#;
    let request = Request {
        method: "POST".to_owned(),
        path: CONTRACT.operation.path.clone(),
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        credential: Credential::Good,
        body: Some(Bytes::from_static(sent)),
        framing: Framing::Sized,
        hang_up: None,
        new_connection: false,
        trace: None,
        raw: None,
    };
    let response = Response {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body,
        elapsed: Duration::from_millis(1),
        framing: None,
        outline: None,
    };
    Exchange {
        index: 0,
        step: "fuzzed".to_owned(),
        group: None,
        request,
        intent: Intent {
            situation: Situation::Ordinary,
            body: BodyIntent::of(CONTRACT.body_validity(sent), &CONTRACT.batch.unique),
        },
        answer: Answer::Received(response),
        always_busy: false,
    }
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn in_file(name: &str, bytes: &[u8], read: impl FnOnce(&Path)) {
    let dir = directory();
    let path = dir.path().join(name);
    if std::fs::write(&path, bytes).is_ok() {
        read(&path);
    }
}
