//! `run --har` and `judge`: recorded traffic is judged as sent traffic is, and what nobody knows is not claimed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::harness::{Desk, Ended, Serving};

const TOKEN: &str = "a-very-secret-token";
const PATH: &str = "/amlyze-ws-rest/batch-account-balances";

/// What became of an item.
#[derive(Clone, Copy)]
enum Outcome {
    Accepted,
    Used,
    Unknown,
}

use Outcome::{Accepted, Unknown, Used};

/// An entry: when it began, its milliseconds, its keys with what became of each.
fn entry(second: f64, millis: f64, items: &[(&str, Outcome)]) -> Value {
    let sent: Vec<Value> = items.iter().map(|(key, _)| item(key)).collect();
    let results: Vec<Value> = items
        .iter()
        .map(|(key, outcome)| {
            let mut result = json!({
                "communicationNumber": key, "accountExtId": "ACC-1", "timeElapsedMs": 0,
                "resultType": if matches!(outcome, Accepted) { "REQUEST_ACCEPTED" } else { "REQUEST_REJECTED" },
            });
            if let Used | Unknown = outcome {
                let code = if matches!(outcome, Used) { "O005" } else { "O009" };
                result["errorCode"] = code.into();
                result["errorDescription"] = "refused".into();
            }
            result
        })
        .collect();
    let answer = json!({ "results": results, "timeElapsedMs": 0 }).to_string();
    exchange(second, millis, &json!({ "accountBalances": sent }).to_string(), 200, &answer)
}

fn item(key: &str) -> Value {
    json!({
        "communicationNumber": key, "requester": "core", "accountExtId": "ACC-1",
        "balanceAt": "2023-09-05T08:07:34.605Z", "value": 10,
    })
}

fn exchange(second: f64, millis: f64, body: &str, status: u16, answer: &str) -> Value {
    let started = format!("2026-11-27T10:00:{second:09.6}Z");
    json!({
        "startedDateTime": started, "time": millis,
        "request": {
            "method": "POST", "url": format!("https://api.example{PATH}"), "httpVersion": "h2",
            "headers": [
                { "name": ":authority", "value": "api.example" },
                { "name": "content-type", "value": "application/json" },
                { "name": "authorization", "value": format!("Bearer {TOKEN}") },
                { "name": "accept-encoding", "value": "gzip, br" },
            ],
            "postData": { "mimeType": "application/json", "text": body }, "bodySize": body.len(),
        },
        "response": {
            "status": status, "httpVersion": "h2",
            "headers": [
                { "name": "content-type", "value": "application/json" },
                { "name": "content-encoding", "value": "br" },
            ],
            "content": { "size": answer.len(), "mimeType": "application/json", "text": answer },
        },
    })
}

fn har(entries: &[Value]) -> String {
    json!({ "log": { "version": "1.2", "creator": { "name": "a browser" }, "entries": entries } })
        .to_string()
}

fn judged(desk: &Desk, entries: &[Value], options: &[&str]) -> Ended {
    desk.file("traffic.har", har(entries));
    let ended = desk.batchproof(&[&["judge", "traffic.har"], options].concat());
    for (path, text) in crate::harness::files(desk.path()) {
        let is_input = path.ends_with("traffic.har");
        let text = String::from_utf8_lossy(&text);
        assert!(is_input || !text.contains(TOKEN), "the token is in {}", path.display());
    }
    ended
}

#[test]
fn keys_of_a_body_that_parsers_differ_on_are_not_called_new() {
    let desk = Desk::new();
    let mut first = entry(1.0, 5.0, &[("K-1", Accepted), ("K-2", Accepted)]);
    let sent = first["request"]["postData"]["text"].as_str().unwrap();
    let halves = sent.replacen("\"value\":10", "\"value\":10,\"x\":\"\\ud800\"", 1);
    assert_ne!(halves, sent);
    first["request"]["postData"]["text"] = halves.into();
    let again = entry(2.0, 5.0, &[("K-2", Used)]);
    judged(&desk, &[first, again], &["--fresh-store"]).ends(0);
}

#[test]
fn an_empty_key_where_results_must_have_one_is_nobody_elses() {
    let desk = Desk::new();
    let rejected =
        json!({ "reference": "", "status": "rejected", "code": "INVALID", "message": "no object" });
    let answer = json!({ "results": [rejected, rejected, rejected] }).to_string();
    let mut sent = exchange(1.0, 5.0, r#"{"parcels":[[],[{}],7]}"#, 200, &answer);
    sent["request"]["url"] = "https://api.example/parcels/import".into();
    let contract = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/contracts/read-back");
    let ended = judged(&desk, &[sent], &["--contract", contract]);
    assert!(!ended.text().contains("MUST  ORDER-002"), "{}", ended.text());
    ended.ends(0);
}

#[test]
fn the_traffic_of_a_clean_run_is_conformant() {
    let desk = Desk::new();
    let serving = Serving::start(&[], Some(TOKEN));
    let run =
        ["run", "--target", &serving.url, "--depth", "quick", "--seed", "3", "--har", "run.har"];
    desk.with_token(&run, Some(TOKEN)).ends(0);
    let text = std::fs::read_to_string(desk.path().join("run.har")).unwrap();
    assert!(!text.contains(TOKEN));
    let archive: Value = serde_json::from_str(&text).unwrap();
    let entries = archive["log"]["entries"].as_array().unwrap();
    let sent = desk.report()["stats"]["requests"].as_u64().unwrap();
    assert_eq!(entries.len() as u64, sent, "every request is written");
    let coded = entries.iter().filter_map(|e| {
        let data = &e["request"]["postData"];
        (data["_encoding"] == "base64")
            .then(|| BASE64.decode(data["text"].as_str().unwrap()).unwrap())
    });
    assert!(coded.clone().count() > 0 && coded.into_iter().all(|b| String::from_utf8(b).is_err()));
    desk.batchproof(&["judge", "run.har", "--strict"]).ends(0).says(&["CONFORMANT", "left out"]);
    for file in ["report.html", "report.json", "junit.xml", "report.md", "report.sarif"] {
        assert!(desk.reports().join(file).exists(), "{file}");
    }
    // A run tries the documented path below another one, too.
    desk.batchproof(&["run", "http", "--depth", "standard", "--seed", "1", "--har", "run.har"])
        .ends(0);
    assert!(std::fs::read_to_string(desk.path().join("run.har")).unwrap().contains("/before/"));
    desk.batchproof(&["judge", "run.har", "--strict"]).ends(0);
}

#[test]
fn what_a_run_finds_is_found_in_its_traffic() {
    for (fault, rule) in [
        ("results-reversed", "ORDER-002"),
        ("uniqueness-unchecked", "UNIQUE-001"),
        ("stored-though-refused", "ATOM-001"),
    ] {
        let desk = Desk::new();
        let serving = Serving::start(&["--fault", fault], None);
        desk.batchproof(&["run", "--target", &serving.url, "--depth", "quick", "--har", "run.har"])
            .ends(1);
        desk.batchproof(&["judge", "run.har"]).ends(1);
        assert!(desk.found().iter().any(|found| found == rule), "{fault}: {:?}", desk.found());
    }
}

#[test]
fn a_key_that_is_accepted_again_is_found() {
    let desk = Desk::new();
    let again = [entry(1.0, 5.0, &[("K-1", Accepted)]), entry(9.0, 5.0, &[("K-1", Accepted)])];
    judged(&desk, &again, &[]).ends(1).says(&["UNIQUE-001", "(/log/entries/1)"]);
    let evidence = desk.report()["findings"][0]["evidence"].clone();
    let steps: Vec<&str> =
        evidence.as_array().unwrap().iter().map(|e| e["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["/log/entries/0", "/log/entries/1"], "the entries that show it");
    // Which of two simultaneous requests was first, nobody knows; that both were accepted is a fault all the same.
    let beside = [entry(1.0, 5000.0, &[("K-1", Accepted)]), entry(2.0, 5.0, &[("K-1", Accepted)])];
    judged(&desk, &beside, &[]).ends(1).says(&["RACE-001", "simultaneous"]);
    let fine = [entry(1.0, 5000.0, &[("K-1", Used)]), entry(2.0, 5.0, &[("K-1", Accepted)])];
    judged(&desk, &fine, &[]).ends(0);
}

#[test]
fn a_key_that_may_have_been_used_before_is_never_accused() {
    let desk = Desk::new();
    let used = [entry(1.0, 5.0, &[("K-1", Used), ("K-2", Accepted)])];
    judged(&desk, &used, &[]).ends(0).says(&["may have been used before the recording"]);
    judged(&desk, &used, &["--fresh-store"]).ends(1).says(&["UNIQUE-003"]);
    // That it is accepted later shows that it was not used.
    let later = [entry(1.0, 5.0, &[("K-1", Used)]), entry(9.0, 5.0, &[("K-1", Accepted)])];
    judged(&desk, &later, &[]).ends(1).says(&["UNIQUE-003"]);
    // A refused batch may have held keys that were used before.
    let refused = json!({ "accountBalances": [item("K-1"), {}] }).to_string();
    let error = json!({ "resultType": "REQUEST_REJECTED", "errorCode": "O001", "errorDescription": "missing" });
    let retried =
        [exchange(1.0, 5.0, &refused, 400, &error.to_string()), entry(9.0, 5.0, &[("K-1", Used)])];
    judged(&desk, &retried, &[]).ends(0);
    judged(&desk, &retried, &["--fresh-store"]).ends(1).says(&["ATOM-001"]);
}

#[test]
fn what_a_target_may_have_its_own_reason_for_is_not_judged() {
    let desk = Desk::new();
    let unknown = [entry(1.0, 5.0, &[("K-1", Unknown), ("K-2", Accepted)])];
    judged(&desk, &unknown, &[]).ends(0).says(&["may know no such value"]);
    desk.file("profile.yaml", "values: { accountExtId: [ACC-1] }\n");
    judged(&desk, &unknown, &["--profile", "profile.yaml"]).ends(1).says(&["ACCEPT-001"]);
    desk.file("profile.yaml", "values: { accountExtId: [ACC-2] }\n");
    judged(&desk, &unknown, &["--profile", "profile.yaml"]).ends(0);
}

#[test]
fn what_was_not_recorded_is_not_judged() {
    let desk = Desk::new();
    let fine = || entry(1.0, 5.0, &[("K-1", Accepted)]);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut entry = fine();
        change(&mut entry);
        entry
    };
    let cases: Vec<(&str, Value)> = vec![
        (
            "a body that was cut",
            changed(&|e| {
                let text = e["response"]["content"]["text"].as_str().unwrap()[..20].to_owned();
                e["response"]["content"]["text"] = text.into();
            }),
        ),
        (
            "no response body",
            changed(&|e| _ = e["response"]["content"].as_object_mut().unwrap().remove("text")),
        ),
        (
            "an empty response body",
            changed(&|e| e["response"]["content"] = json!({ "size": 0, "text": "" })),
        ),
        (
            "no request body",
            changed(&|e| _ = e["request"].as_object_mut().unwrap().remove("postData")),
        ),
        ("half a request body", changed(&|e| e["request"]["postData"]["text"] = "{\"acc".into())),
        ("a blocked request", changed(&|e| e["response"]["status"] = 0.into())),
        ("refused credentials", changed(&|e| e["response"]["status"] = 401.into())),
        ("a cached response", changed(&|e| e["response"]["status"] = 304.into())),
        ("a redirect", changed(&|e| e["response"]["status"] = 307.into())),
        ("no response headers", changed(&|e| e["response"]["headers"] = json!([]))),
        ("no time", changed(&|e| _ = e.as_object_mut().unwrap().remove("time"))),
        ("no date", changed(&|e| _ = e.as_object_mut().unwrap().remove("startedDateTime"))),
        ("an unknown time", changed(&|e| e["time"] = (-1).into())),
    ];
    for (what, entry) in cases {
        // Beside one that can be judged, and whose total is above no time at all.
        let mut plain = self::entry(5.0, 50.0, &[("K-9", Accepted)]);
        plain["request"]["url"] = format!("https://api.example{PATH}?x=1").into();
        let ended = judged(&desk, &[entry, plain], &["--strict"]);
        let found = desk.report()["findings"].to_string();
        let is_challenge = what == "refused credentials" && found.contains("AUTH-004");
        assert!(ended.code == 0 || is_challenge, "{what}: {found}\n{}", ended.text());
    }
}

#[test]
fn a_broken_file_is_named_with_the_place_in_it() {
    let desk = Desk::new();
    let mut wrong = entry(1.0, 5.0, &[("K-1", Accepted)]);
    wrong["response"]["status"] = "OK".into();
    judged(&desk, &[entry(0.0, 5.0, &[("K-0", Accepted)]), wrong], &[])
        .ends(2)
        .says(&["traffic.har", "/log/entries/1/response/status"]);
    desk.file("traffic.har", "{\"log\": {");
    desk.batchproof(&["judge", "traffic.har"]).ends(2).says(&["traffic.har:1:"]);
    desk.file("traffic.har", "{\"log\": {}}");
    desk.batchproof(&["judge", "traffic.har"]).ends(2).says(&["/log/entries is missing"]);
    desk.batchproof(&["judge", "none.har"]).ends(2).says(&["none.har"]);
    let elsewhere = {
        let mut entry = entry(1.0, 5.0, &[("K-1", Accepted)]);
        entry["request"]["url"] = "https://api.example/health".into();
        entry
    };
    judged(&desk, &[elsewhere], &[]).ends(3).says(&["INCONCLUSIVE", "could be judged", "left out"]);
}

#[test]
fn several_files_are_one_judgement_and_several_targets_are_not() {
    let desk = Desk::new();
    desk.file("one.har", har(&[entry(1.0, 5.0, &[("K-1", Accepted)])]));
    desk.file("two.har", har(&[entry(30.0, 5.0, &[("K-1", Accepted)])]));
    desk.batchproof(&["judge", "one.har", "two.har"]).ends(1).says(&["UNIQUE-001", "two.har"]);
    let other =
        har(&[entry(30.0, 5.0, &[("K-1", Accepted)])]).replace("api.example", "other.example");
    desk.file("two.har", other);
    desk.batchproof(&["judge", "one.har", "two.har"]).ends(2).says(&["--target"]);
    let one = ["judge", "one.har", "two.har", "--target", "https://other.example"];
    desk.batchproof(&one).ends(0);
    // The same exchange, as a client and its proxy recorded it.
    desk.file("one.har", har(&[entry(1.0, 50.0, &[("K-1", Accepted)])]));
    desk.file("two.har", har(&[entry(1.01, 20.0, &[("K-1", Accepted)])]));
    desk.batchproof(&["judge", "one.har", "two.har"]).ends(0).says(&["that two files hold"]);
}
