//! Signed requests, and the trace context that names each of them in the logs of the target.

use std::collections::HashSet;
use std::sync::Mutex;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::hand::{Hand, Heard, Said, verdicts};
use crate::harness::{Desk, Serving, files};

fn sha256(text: impl AsRef<[u8]>) -> String {
    Sha256::digest(text).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// What this server wants: a hash over secret, time, method, URL and body.
fn signature(url: &str, heard: &Heard) -> String {
    let time = heard.header("x-time").unwrap_or_default();
    sha256(format!("canary-secret {time} {} {url} {}", heard.method, sha256(&heard.body)))
}

/// A server that verifies signatures, and puts the one that it was sent into its answer.
fn verifying() -> Hand {
    let url: &'static Mutex<String> = Box::leak(Box::default());
    let hand = Hand::start(move |heard| {
        let path = "/amlyze-ws-rest/batch-account-balances";
        let url = format!("{}{path}", url.lock().unwrap());
        if heard.header("x-signature") != Some(&signature(&url, heard)) {
            let mut said = Said::json(401, &json!({}));
            said.headers.push(("WWW-Authenticate".to_owned(), "Signature".to_owned()));
            return said;
        }
        let mut said = verdicts(heard, "REQUEST_ACCEPTED", &json!({}));
        said.headers.push(("X-Seen".to_owned(), heard.header("x-signature").unwrap().to_owned()));
        said
    });
    url.lock().unwrap().clone_from(&hand.url);
    hand
}

const ONCE: &str = "\
s=$(printf '%s' \"canary-secret 17 $BATCHPROOF_METHOD $BATCHPROOF_URL $BATCHPROOF_BODY_SHA256\" | sha256sum | cut -d' ' -f1)
printf 'X-Time: 17\\nX-Signature: %s\\n' \"$s\"
";

const LINES: &str = "\
while IFS= read -r line; do
  get() { printf '%s' \"$line\" | sed \"s/.*\\\"$1\\\":\\\"\\([^\\\"]*\\)\\\".*/\\1/\"; }
  text=\"canary-secret 17 $(get method) $(get url) $(get body-sha256)\"
  s=$(printf '%s' \"$text\" | sha256sum | cut -d' ' -f1)
  printf '{\"X-Time\":\"17\",\"X-Signature\":\"%s\"}\\n' \"$s\"
done
";

fn case(desk: &Desk) {
    desk.file(
        "cases/batches.yaml",
        "title: t\ngenerate: { items: 1..3, runs: 20 }\nexpect: accepted\n",
    );
    desk.file(
        "cases/raw.yaml",
        "title: raw\nsteps:\n  - raw: |\n      POST ${path} HTTP/1.1\n      Host: ${host}\n      Authorization: Bearer ${token}\n      \
         Content-Type: application/json\n      Accept: application/json\n      Content-Length: ${length}\n\n      \
         {\"accountBalances\":[${item}]}\n    expect: accepted\n",
    );
    desk.file(
        "cases/bad.yaml",
        "title: bad\nsteps:\n  - { credential: none, batch: 1, expect: { status: 401 } }\n  \
         - { credential: wrong, batch: 1, expect: { status: 401 } }\n  - { credential: other-case, batch: 1, expect: { status: 401 } }\n  \
         - { credential: scheme-only, batch: 1, expect: { status: 401 } }\n",
    );
    // A finding, so that the record keeps exchanges whole.
    desk.file("cases/found.yaml", "title: found\nsteps: [{ batch: 1, expect: { status: 418 } }]\n");
}

#[test]
fn a_command_signs_each_request() {
    for (mode, script) in [("once", ONCE), ("lines", LINES)] {
        let (desk, hand) = (Desk::new(), verifying());
        desk.file("sign.sh", script);
        desk.file("profile.yaml", format!("auth: {{ command: sh sign.sh, mode: {mode} }}\n"));
        case(&desk);
        for (name, code) in [("batches", 0), ("raw", 0), ("bad", 0), ("found", 1)] {
            let case = format!("cases/{name}.yaml");
            let arguments = ["run", &case, "--target", &hand.url, "--profile", "profile.yaml"];
            let ended = desk.batchproof(&arguments).ends(code);
            let mut texts = vec![ended.text()];
            texts.extend(
                files(&desk.reports())
                    .into_iter()
                    .map(|(_, t)| String::from_utf8_lossy(&t).into_owned()),
            );
            for heard in hand.heard() {
                if let Some(signature) = heard.header("x-signature").filter(|s| s.len() == 64) {
                    assert!(texts.iter().all(|text| !text.contains(signature)), "{mode}, {name}");
                }
            }
        }
        // The record says how to send it again, and runs no command of its own.
        desk.batchproof(&["replay", "reports"]).ends(2).says(&["--profile FILE"]);
        desk.batchproof(&["replay", "reports", "--profile", "profile.yaml"]).ends(1);
    }
}

#[test]
fn a_signing_command_that_fails_accuses_nobody() {
    let (desk, hand) = (Desk::new(), verifying());
    desk.file("case.yaml", "title: t\nsteps: [{ batch: 1 }]\n");
    for (command, why) in [
        ("echo no key in the HSM >&2; exit 4", "no key in the HSM"),
        ("echo nonsense", "expected one JSON object"),
        ("exec cat >/dev/null", "gave no header"),
    ] {
        let mode = "once";
        desk.file(
            "profile.yaml",
            json!({ "auth": { "command": command, "mode": mode } }).to_string(),
        );
        desk.batchproof(&["run", "case.yaml", "--target", &hand.url, "--profile", "profile.yaml"])
            .ends(3)
            .says(&["no request can be signed", why]);
        assert_eq!(desk.report()["findings"], json!([]));
    }
    desk.file(
        "profile.yaml",
        "auth: { command: 'read line; echo the key has gone >&2', mode: lines }\n",
    );
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url, "--profile", "profile.yaml"])
        .ends(3)
        .says(&["the key has gone"]);
    assert!(hand.heard().is_empty());
}

/// The spans of all requests, which must be of one trace.
fn spans(heard: &[Heard]) -> Vec<String> {
    let mut traces = HashSet::new();
    let spans = heard.iter().map(|heard| {
        let value = heard.header("traceparent").unwrap_or_else(|| panic!("none in {heard:?}"));
        let parts: Vec<&str> = value.split('-').collect();
        let [version, trace, span, flags] = parts[..] else { panic!("{value}") };
        assert_eq!((version, trace.len(), span.len(), flags), ("00", 32, 16, "01"));
        assert!(
            value.bytes().all(|b| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        );
        traces.insert(trace.to_owned());
        span.to_owned()
    });
    let spans: Vec<String> = spans.collect();
    assert_eq!(traces.len(), 1);
    spans
}

#[test]
fn every_request_carries_a_trace_context_that_each_finding_shows() {
    let desk = Desk::new();
    let hand = Hand::start(move |heard| match heard.items().len() {
        2 => Said::json(500, &json!({})),
        _ => verdicts(heard, "REQUEST_ACCEPTED", &json!({})),
    });
    case(&desk);
    desk.file(
        "cases/many.yaml",
        "title: many\ngenerate: { items: 1, runs: 1200 }\nexpect: accepted\n",
    );
    desk.batchproof(&["run", "cases/raw.yaml", "cases/many.yaml", "--target", &hand.url]).ends(0);
    let all = spans(&hand.heard());
    assert!(all.len() > 1200, "raw requests, and those of one worker's own connection");
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "a span names one request");

    desk.file("two.yaml", "title: two\nsteps: [{ batch: 2 }]\n");
    let ended = desk
        .batchproof(&["run", "two.yaml", "--target", &hand.url, "--run-id", "traced-1"])
        .ends(1);
    let heard = hand.heard();
    let failed: Vec<String> = heard
        .iter()
        .filter(|h| h.items().len() == 2)
        .map(|h| h.header("traceparent").unwrap().to_owned())
        .collect();
    let report = desk.report();
    let finding = &report["findings"][0];
    let shown = finding["evidence"][0]["request"]["trace"].as_str().unwrap();
    assert!(failed.iter().any(|sent| sent == shown), "{shown} in {failed:?}");
    for file in ["report.html", "report.md"] {
        let text = std::fs::read_to_string(desk.reports().join(file)).unwrap();
        assert!(failed.iter().any(|sent| text.contains(sent)), "{file}");
    }
    let short = |sent: &String| format!("(trace {})", &sent.split('-').nth(2).unwrap()[..8]);
    assert!(failed.iter().any(|sent| ended.out.contains(&short(sent))), "{}", ended.out);
}

#[test]
fn a_trace_context_can_be_left_out() {
    for (arguments, profile) in
        [(&["--no-traceparent"][..], "{}\n"), (&[][..], "traceparent: false\n")]
    {
        let desk = Desk::new();
        let hand = Hand::start(move |heard| verdicts(heard, "REQUEST_ACCEPTED", &json!({})));
        case(&desk);
        desk.file("profile.yaml", profile);
        let mut all = vec![
            "run",
            "cases/raw.yaml",
            "cases/batches.yaml",
            "--target",
            &hand.url,
            "--profile",
            "profile.yaml",
        ];
        all.extend(arguments);
        desk.batchproof(&all).ends(0);
        assert!(hand.heard().iter().all(|heard| heard.header("traceparent").is_none()));
    }
    // One's own stays as it is.
    let desk = Desk::new();
    let hand = Hand::start(move |heard| verdicts(heard, "REQUEST_ACCEPTED", &json!({})));
    desk.file("case.yaml", "title: t\nsteps: [{ headers: { traceparent: own }, batch: 1 }]\n");
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url]).ends(0);
    let own = |heard: &&Heard| {
        heard.headers.iter().filter(|(n, v)| n == "traceparent" && v == "own").count() == 1
    };
    assert!(hand.heard().iter().any(|heard| own(&heard)));
}

#[test]
fn cases_about_the_bytes_of_heads_pass_with_and_without_it() {
    let serving = Serving::start(&[], Some("canary-token-1"));
    for further in [None, Some("--no-traceparent")] {
        let desk = Desk::new();
        let mut arguments = vec!["run", "http", "robust", "--target", &serving.url];
        arguments.extend(further);
        desk.with_token(&arguments, Some("canary-token-1")).ends(0);
        let findings: Value = desk.report()["findings"].clone();
        assert_eq!(findings, json!([]));
    }
}
