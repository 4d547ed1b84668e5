use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;

use super::*;

fn exchange(method: &str, credential: &str, framing: &str, body: &[u8]) -> ExchangeRecord {
    ExchangeRecord {
        first: 0,
        step: "1".to_owned(),
        group: None,
        broken: Vec::new(),
        request: RequestRecord {
            method: method.to_owned(),
            url: "http://127.0.0.1:9/api/batch".to_owned(),
            headers: vec![("content-TYPE".to_owned(), "application/json".to_owned())],
            credential: credential.to_owned(),
            framing: framing.to_owned(),
            hang_up: None,
            new_connection: false,
            trace: None,
            body: BodyRecord::from_bytes(body, &crate::exchange::Redactor::default()),
        },
        answer: AnswerRecord::Lost {
            kind: "reset".to_owned(),
            message: String::new(),
            millis: 1.0,
        },
    }
}

/// Runs the lines in bash, `curl` and `openssl` being stubs; answers the arguments of each call, in
/// order, with what stood in its standard input.
fn run(lines: &[String]) -> Vec<(Vec<Vec<u8>>, Vec<u8>)> {
    let dir = tempfile::tempdir().unwrap();
    let stub = r#"set -u
stub() { i=$(ls "$DIR" | wc -l); printf '%s\0' "$@" > "$DIR/$i.args"
  if [ "$PIPED" = 1 ]; then cat > "$DIR/$i.in"; else : > "$DIR/$i.in"; fi
  for a in "$@"; do case $a in @/dev/fd/*) cat "${a#@}" > "$DIR/$i.in";; esac; done; }
curl() { case " $* " in *" @- "*) PIPED=1;; *) PIPED=0;; esac; stub curl "$@"; }
openssl() { PIPED=1; stub openssl "$@"; }
"#;
    let script = format!("{stub}{}\n", lines.join("\n"));
    // As a file, because no argument holds what a paste may.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &script).unwrap();
    let output = Command::new("bash")
        .arg(file.path())
        .env("DIR", dir.path())
        .env("BATCHPROOF_TOKEN", "tOk-9z'$ \"x")
        .env("AUTHORIZATION", "own")
        .env("HEADER_X_TENANT", "a b")
        .output()
        .unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    let read = |path: &Path| std::fs::read(path).unwrap();
    let mut calls = Vec::new();
    while dir.path().join(format!("{}.args", calls.len() * 2)).exists() {
        let name = |end: &str| dir.path().join(format!("{}.{end}", calls.len() * 2));
        let mut arguments: Vec<Vec<u8>> =
            read(&name("args")).split(|b| *b == 0).map(<[u8]>::to_vec).collect();
        arguments.pop();
        calls.push((arguments, read(&name("in"))));
    }
    calls
}

fn argument_after(arguments: &[Vec<u8>], flag: &str) -> Vec<u8> {
    let at = arguments.iter().position(|a| a == flag.as_bytes()).unwrap();
    arguments[at + 1].clone()
}

fn headers(arguments: &[Vec<u8>]) -> Vec<String> {
    (0..arguments.len())
        .filter(|i| arguments[*i] == b"-H")
        .map(|i| String::from_utf8(arguments[i + 1].clone()).unwrap())
        .collect()
}

#[test]
fn any_bytes_arrive_as_they_were_sent() {
    let every: Vec<u8> = (1..=255).collect();
    let bodies: [&[u8]; 12] = [
        b"{}",
        b"it's \"quoted\" $HOME `id` \\ ! !! * ~ # ; & | < > ( )",
        b"line\nline\r\n\ttab",
        "čž 漢字 \u{202e}rtl\u{1f600}".as_bytes(),
        b"\xff\xfe1\xc3(2",
        &every,
        b"@/etc/passwd",
        b"-x",
        b"'\x0177\\x41'",
        b"\\",
        b"%s %d %%",
        b"\x1b[31mred1",
    ];
    for body in bodies {
        let lines = curl(&exchange("POST", "good", "sized", body), "bptest-x");
        assert_eq!(lines.len(), 1);
        assert!(!lines[0].contains(char::is_control), "{}", lines[0]);
        let calls = run(&lines);
        let flag = if body.starts_with(b"@") { "--data-raw" } else { "--data-binary" };
        assert_eq!(argument_after(&calls[0].0, flag), body, "{}", lines[0]);
    }
    // A zero byte can stand in no argument, so it goes through a pipe.
    let every: Vec<u8> = (0..=255).chain(*b"000 %s \\n' bptest-x-abc123-0").collect();
    let lines = curl(&exchange("POST", "good", "chunked", &every), "bptest-x");
    let calls = run(&lines);
    let fresh = calls[0].1.clone();
    assert_eq!(fresh.len(), every.len());
    assert_eq!(fresh[..every.len() - 8], every[..every.len() - 8]);
    assert!(headers(&calls[0].0).contains(&"Transfer-Encoding: chunked".to_owned()));
}

#[test]
fn numbers_are_fresh_and_as_long_as_before() {
    let body = br#"{"a":["bptest-x-k3x9ab-1","bptest-x-k3x9ab-1","BPTEST-X-K3X9AB-1","bptest-x-000000-2"]}"#;
    let records =
        [exchange("POST", "good", "sized", body), exchange("POST", "good", "sized", body)];
    let lines = commands(
        &records,
        &CommandContext { run_id: "bptest-x".to_owned(), ..CommandContext::default() },
    );
    assert_eq!(lines.len(), 4, "{lines:#?}");
    let calls = run(&lines);
    let sent: Vec<String> = calls
        .iter()
        .map(|(a, _)| String::from_utf8(argument_after(a, "--data-binary")).unwrap())
        .collect();
    assert_eq!(sent[0], sent[1], "lines of one paste share their numbers");
    assert_eq!(sent[0].len(), body.len());
    let value: serde_json::Value = serde_json::from_str(&sent[0]).unwrap();
    let at = |i: usize| value["a"][i].as_str().unwrap().to_owned();
    assert_eq!(at(0), at(1));
    assert_eq!(at(0).to_ascii_uppercase(), at(2));
    assert_ne!(at(0), "bptest-x-k3x9ab-1");
    assert_ne!(at(3)[..15], at(0)[..15]);
    assert_ne!(run(&lines)[0], calls[0], "and differ from paste to paste");
    // A run id that a bounded field cut short.
    let lines = curl(&exchange("POST", "good", "sized", b"\"test-x-k3x9ab-1\""), "bptest-x");
    assert_eq!(lines.len(), 2, "{lines:#?}");
}

#[test]
fn credentials_are_imitated_and_never_held() {
    let token = "tOk-9z'$ \"x";
    let expected = [
        ("good", Some(format!("Authorization: Bearer {token}"))),
        ("none", None),
        ("empty", Some("Authorization;".to_owned())),
        ("scheme-only", Some("Authorization: Bearer".to_owned())),
        ("wrong", Some("Authorization: Bearer uPl-0a'$ \"y".to_owned())),
        ("longer", Some(format!("Authorization: Bearer {token}x"))),
        ("shorter", Some("Authorization: Bearer tOk-9z'$ \"".to_owned())),
        ("other-case", Some("Authorization: Bearer ToK-9Z'$ \"X".to_owned())),
        ("no-scheme", Some(format!("Authorization: {token}"))),
        ("wrong-scheme", Some(format!("Authorization: Token {token}"))),
        ("basic", Some("Authorization: Basic dXNlcjp0T2stOXonJCAieA==".to_owned())),
    ];
    for (credential, header) in expected {
        let lines = curl(&exchange("POST", credential, "sized", b"{}"), "r");
        let calls = run(&lines);
        let found = headers(&calls[0].0).into_iter().find(|h| h.starts_with("Authorization"));
        assert_eq!(found, header, "{}", lines[0]);
    }
    let lines = curl(&exchange("POST", "in-query", "sized", b"{}"), "r");
    let calls = run(&lines);
    let url = format!("http://127.0.0.1:9/api/batch?access_token={token}");
    assert!(calls[0].0.contains(&url.into_bytes()));
    let how = CommandContext {
        scheme: Scheme::Basic,
        headers: vec!["X-Tenant".to_owned()],
        ..CommandContext::default()
    };
    let calls = run(&commands(&[exchange("POST", "shorter", "sized", b"{}")], &how));
    let shorter = "Authorization: Basic dE9rLTl6JyQgIg==".to_owned();
    assert!(headers(&calls[0].0).contains(&shorter), "the token less its last character, encoded");
    assert!(headers(&calls[0].0).contains(&"X-Tenant: a b".to_owned()));
    let key = Scheme::ApiKey("X-Key".to_owned());
    let how = CommandContext { scheme: key, ..CommandContext::default() };
    for (credential, header) in [
        ("good", format!("X-Key: {token}")),
        ("scheme-only", "X-Key: Bearer".to_owned()),
        ("no-scheme", "X-Key: x\" $'z9-kOt".to_owned()),
    ] {
        let calls = run(&commands(&[exchange("POST", credential, "sized", b"{}")], &how));
        assert!(headers(&calls[0].0).contains(&header), "{credential}: {:?}", headers(&calls[0].0));
    }
}

#[test]
fn methods_headers_and_large_bodies() {
    let mut record = exchange("DELETE", "none", "sized", b"");
    record.request.headers = vec![("X-Empty".to_owned(), String::new())];
    let calls = run(&curl(&record, "r"));
    assert_eq!(argument_after(&calls[0].0, "-X"), b"DELETE");
    assert_eq!(headers(&calls[0].0), ["X-Empty;"]);
    assert!(!calls[0].0.contains(&b"--data-binary".to_vec()));
    record.request.method = "POST".to_owned();
    let calls = run(&curl(&record, "r"));
    assert_eq!(argument_after(&calls[0].0, "--data-binary"), b"");
    assert!(headers(&calls[0].0).contains(&"Content-Type:".to_owned()));
    record.request.headers = vec![("authorization".to_owned(), "[redacted]".to_owned())];
    assert_eq!(headers(&run(&curl(&record, "r"))[0].0)[0], "authorization: own");
    let lines = curl(&exchange("POST", "good", "sized", &vec![b'x'; 100_000]), "r");
    assert!(lines[0].starts_with("# the body of 100000 bytes"));
    // What was kept whole arrives, though no argument could hold it.
    record.request.body = BodyRecord::Text("'%x\\".repeat(40_000));
    let calls = run(&curl(&record, "r"));
    assert_eq!(calls[0].1, "'%x\\".repeat(40_000).into_bytes());
}

/// A batch of items that are alike but for their numbers, these counters.
fn batch(nonce: &str, counters: &[&str]) -> String {
    let item = |c: &&str| format!(r#"{{"n":"bptest-x-{nonce}-{c}","v":"it's 100 %d \\n"}}"#);
    format!(r#"{{"items":[{}]}}"#, counters.iter().map(item).collect::<Vec<_>>().join(","))
}

#[test]
fn many_items_alike_are_a_short_command() {
    let counters: Vec<String> = (0..600).map(|n| format!("{:06X}", 0xabc_def ^ (n * 7))).collect();
    let counters: Vec<&str> = counters.iter().map(String::as_str).collect();
    let bodies = [
        batch("k3x9ab", &counters[300..301]),
        batch("k3x9ab", &counters),
        batch("k3x9ab", &[counters[4], counters[300], counters[5]]),
    ];
    let records = bodies.clone().map(|b| {
        let mut record = exchange("POST", "good", "sized", b"");
        record.request.body = BodyRecord::Text(b);
        record
    });
    let how = CommandContext { run_id: "bptest-x".to_owned(), ..CommandContext::default() };
    let lines = commands(&records, &how);
    assert!(lines.concat().len() < 2_500, "{lines:#?}");
    let calls = run(&lines);
    let inline = |at: usize| argument_after(&calls[at].0, "--data-binary");
    let sent = [inline(0), calls[1].1.clone(), inline(2)].map(|s| String::from_utf8(s).unwrap());
    let numbers = |text: &str| -> Vec<String> {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let items = value["items"].as_array().unwrap().clone();
        items.iter().map(|i| i["n"].as_str().unwrap().to_owned()).collect()
    };
    let [first, all, last] = sent.clone().map(|text| numbers(&text));
    for (sent, body) in sent.iter().zip(&bodies) {
        assert_eq!(sent.len(), body.len());
        assert_eq!(sent.matches("it's 100 %d \\\\n").count(), body.matches("it's 100").count());
    }
    // Equal ones stay equal, and all others differ.
    assert_eq!(first, all[300..301]);
    assert_eq!(last, [all[4].clone(), all[300].clone(), all[5].clone()]);
    let different: std::collections::HashSet<&String> = all.iter().collect();
    assert_eq!(different.len(), 600);
    assert_ne!(run(&lines)[1].1, calls[1].1, "and fresh on every paste");
}

#[test]
fn numbers_that_were_changed_are_not_counted_anew() {
    let counters: Vec<String> = (0..20).map(|n| format!("{n:06X}")).collect();
    let counters: Vec<&str> = counters.iter().map(String::as_str).collect();
    let plain = batch("k3x9ab", &counters);
    for changed in [plain.to_uppercase(), plain.replace("-00000A", "-00000")] {
        let body = format!("{plain}{changed}");
        let lines = curl(&exchange("POST", "good", "sized", body.as_bytes()), "bptest-x");
        let sent = argument_after(&run(&lines)[0].0, "--data-binary");
        let sent = String::from_utf8(sent).unwrap();
        assert!(sent.contains("-00000B\"") && sent.len() == body.len(), "{sent}");
    }
}

#[test]
fn requests_that_overlap_are_one_curl() {
    let mut records =
        ["1", "2", "3"].map(|body| exchange("POST", "good", "sized", body.as_bytes()));
    records[1].group = Some(1);
    records[2].group = Some(1);
    let lines = commands(&records, &CommandContext::default());
    assert_eq!(lines.len(), 2, "{lines:#?}");
    let calls = run(&lines);
    assert_eq!(calls.len(), 2);
    let words: Vec<String> =
        calls[1].0.iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
    assert_eq!(words[1..4], ["-Z", "--parallel-immediate", "--no-progress-meter"]);
    let parts: Vec<&[String]> = words.split(|word| word == "--next").collect();
    assert_eq!(parts.len(), 2);
    for (part, body) in parts.iter().zip(["2", "3"]) {
        let at = part.iter().position(|word| word == "--data-binary").unwrap();
        assert_eq!(part[at + 1], body);
        assert_eq!(part.iter().filter(|word| *word == "-H").count(), 2, "{part:?}");
    }
}

#[test]
fn raw_requests_go_byte_by_byte_and_the_answer_is_shown() {
    let raw = b"POST /api/batch HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \x01batchproof-token\x01\r\n\
        Content-Length: 21\r\n\r\n\"bptest-x-abcdef-1\"%\\\0";
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut record = exchange("POST", "good", "raw", raw);
    record.request.url = format!("http://{}/api/batch", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut sent, mut byte) = (Vec::new(), [0]);
        while !sent.ends_with(b"%\\\0") {
            stream.read_exact(&mut byte).unwrap();
            sent.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n{}").unwrap();
        String::from_utf8(sent).unwrap()
    });
    let output = Command::new("bash")
        .args(["-c", &curl(&record, "bptest-x").join("\n")])
        .env("BATCHPROOF_TOKEN", "tOk-9z'$ \"x")
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let sent = server.join().unwrap();
    let head = "Bearer tOk-9z'$ \"x\r\nContent-Length: 21\r\n\r\n\"bptest-x-";
    assert!(sent.contains(head) && !sent.contains("abcdef"), "{sent}");
    assert_eq!(output.stdout, b"HTTP/1.1 400 Bad Request\r\n\r\n{}\n");
}

#[test]
fn simultaneous_requests_that_no_curl_can_send_run_together() {
    let mut first = exchange("POST", "good", "sized", b"a\0");
    first.group = Some(1);
    let second = first.clone();
    let third = exchange("POST", "good", "sized", b"3");
    let lines = commands(&[first, second, third], &CommandContext::default());
    let ends: Vec<bool> = lines.iter().map(|l| l.ends_with(" &")).collect();
    assert_eq!(ends, [true, true, false, false]);
    assert_eq!(lines[2], "wait");
}
