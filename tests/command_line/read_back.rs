//! What was stored is read back where the contract names a request for that: after a while, with its values, and only what
//! was accepted.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Heard, Said};
use crate::harness::{Desk, Ended};

const CONTRACT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/contracts/read-back");
const CASES: [&str; 4] =
    ["store/accepted", "store/used-key", "store/twice-in-one-batch", "store/not-accepted"];

/// A parcel that was stored, and how often it was read.
struct Parcel {
    value: Value,
    reads: usize,
}

/// A server of parcels; `show` says what a read of one is answered, from what was stored and how often it was read before.
fn parcels(show: impl Fn(Option<&Value>, usize) -> Said + Send + Sync + 'static) -> Hand {
    let stored: Mutex<HashMap<String, Parcel>> = Mutex::default();
    Hand::start(move |heard: &Heard| {
        let mut stored = stored.lock().unwrap();
        if heard.method == "GET" {
            let key = heard.path.rsplit('/').next().unwrap().to_owned();
            return match stored.get_mut(&key) {
                Some(parcel) => {
                    parcel.reads += 1;
                    show(Some(&parcel.value), parcel.reads - 1)
                }
                None => show(None, 0),
            };
        }
        let body: Value = serde_json::from_slice(&heard.body).unwrap_or_default();
        let parcels = body["parcels"].as_array().cloned().unwrap_or_default();
        let is_text = |value: &Value, most: usize| {
            value.as_str().is_some_and(|text| text.chars().count() <= most)
        };
        let is_moment = |value: &Value| value.as_str().is_some_and(|t| t.contains('T'));
        let is_good = |parcel: &Value| {
            is_text(&parcel["reference"], 100)
                && is_text(&parcel["recipient"], 80)
                && parcel["weight"].is_number()
                && parcel.get("dueAt").is_none_or(is_moment)
                && parcel.get("note").is_none_or(Value::is_string)
        };
        if let Some(bad) = parcels.iter().find(|parcel| !is_good(parcel)) {
            let is_missing =
                ["reference", "recipient", "weight"].iter().any(|name| bad[*name].is_null());
            let code = if is_missing { "MISSING" } else { "INVALID" };
            return Said::json(400, &json!({ "code": code, "message": "a parcel is not valid" }));
        }
        let results: Vec<Value> = parcels
            .iter()
            .map(|parcel| {
                let key = parcel["reference"].as_str().unwrap();
                if stored.contains_key(key) {
                    let why = "The reference was used before";
                    return json!({ "status": "rejected", "reference": key, "code": "USED", "message": why });
                }
                stored.insert(key.to_owned(), Parcel { value: parcel.clone(), reads: 0 });
                json!({ "status": "stored", "reference": key })
            })
            .collect();
        Said::json(200, &json!({ "results": results }))
    })
}

fn not_found() -> Said {
    Said::json(404, &json!({}))
}

/// How a careful server shows a parcel: a decimal as text, and more than was sent.
fn shown(parcel: &Value) -> Said {
    let mut data = parcel.clone();
    data["to"] = data["recipient"].clone();
    data["weight"] = Value::from(data["weight"].to_string());
    data["createdAt"] = Value::from("2026-01-01T00:00:00Z");
    Said::json(200, &json!({ "data": data }))
}

fn rules(desk: &Desk) -> BTreeSet<String> {
    desk.found().into_iter().collect()
}

fn of(rules: &[&str]) -> BTreeSet<String> {
    rules.iter().map(ToString::to_string).collect()
}

fn run(desk: &Desk, cases: &[&str], hand: &Hand) -> Ended {
    let options = ["--contract", CONTRACT, "--runs", "2", "--seed", "5", "--target", &hand.url];
    desk.with_token(&[&["run"][..], cases, &options].concat(), Some("t"))
}

#[test]
fn what_can_be_read_after_a_while_in_another_notation_is_no_finding() {
    let desk = Desk::new();
    let hand = parcels(|parcel, reads| match parcel {
        Some(parcel) if reads >= 2 => shown(parcel),
        _ => not_found(),
    });
    run(&desk, &CASES, &hand).ends(0);
    let report = desk.report();
    let rules = report["rules"].as_array().unwrap();
    let of_store = rules.iter().filter(|rule| rule["id"].as_str().unwrap().starts_with("STORE"));
    for rule in of_store {
        assert_eq!(rule["outcome"], "passed", "{rule}");
    }
}

#[test]
fn an_accepted_item_that_is_never_there_is_found_and_shown_with_its_read() {
    let desk = Desk::new();
    let hand = parcels(|_, _| not_found());
    run(&desk, &CASES, &hand).ends(1).says(&[
        "STORE-001",
        "found (200): item 0 of",
        "still not found (404) after 0.5 s",
        "GET /parcels/",
    ]);
    assert_eq!(rules(&desk), of(&["STORE-001"]));
}

#[test]
fn an_item_with_values_of_another_one_is_found_at_its_field() {
    let desk = Desk::new();
    let hand = parcels(|parcel, _| match parcel {
        Some(parcel) => {
            let mut said = parcel.clone();
            said["recipient"] = Value::from("somebody else");
            shown(&said)
        }
        None => not_found(),
    });
    run(&desk, &CASES, &hand).ends(1).says(&["STORE-001", "/data/to", "somebody else"]);
    assert_eq!(rules(&desk), of(&["STORE-001"]));
}

#[test]
fn an_item_of_a_refused_request_that_is_there_is_found() {
    let desk = Desk::new();
    let hand = parcels(|parcel, _| {
        let nothing = json!({ "reference": "x", "recipient": "x", "weight": 1 });
        shown(parcel.unwrap_or(&nothing))
    });
    run(&desk, &["store/not-accepted"], &hand).ends(1).says(&["STORE-002", "was answered 400"]);
    assert_eq!(rules(&desk), of(&["STORE-002"]));
}

#[test]
fn reads_that_are_answered_otherwise_say_nothing() {
    for status in [401, 403, 500] {
        let desk = Desk::new();
        let hand = parcels(move |_, _| Said::json(status, &json!({})));
        let ended = run(&desk, &CASES, &hand);
        assert_ne!(ended.code, 1, "{status}: {}", ended.text());
        assert!(desk.found().is_empty(), "{status}: {:?}", desk.found());
    }
}

#[test]
fn a_read_in_a_case_of_ones_own_is_judged_too() {
    let case = "title: the parcel is there\nsteps:\n  - batch: [{ as: first }]\n  \
                - { method: GET, path: \"/parcels/${first.reference}\", expect: { status: 200 } }\n";
    for (hand, code, wanted) in [
        (parcels(|parcel, _| parcel.map_or_else(not_found, shown)), 0, &[][..]),
        (parcels(|_, _| not_found()), 1, &["STORE-001"][..]),
    ] {
        let desk = Desk::new();
        desk.file("mine.yaml", case);
        run(&desk, &["mine.yaml"], &hand).ends(code);
        assert_eq!(rules(&desk), of(wanted));
    }
}

#[test]
fn a_read_with_other_credentials_says_nothing() {
    let case = "title: somebody else looks\nsteps:\n  - batch: [{ as: first }]\n  \
                - { method: GET, path: \"/parcels/${first.reference}\", headers: { Authorization: Bearer x } }\n";
    let desk = Desk::new();
    desk.file("mine.yaml", case);
    let ended = run(&desk, &["mine.yaml"], &parcels(|_, _| not_found()));
    assert_ne!(ended.code, 1, "{}", ended.text());
    assert!(desk.found().is_empty(), "{:?}", desk.found());
}
