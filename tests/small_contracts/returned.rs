//! Idempotency keys: a server that refuses another amount under a used key is right, and so is one that gives the first
//! result again; one that pays a second time is not.

use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::harness::Desk;
use crate::harness::hand::{Hand, Said};

/// What becomes of another payment under a used key.
#[derive(Clone, Copy, PartialEq)]
enum Other {
    Refused,
    FirstResult,
    PaidAgain,
}

/// Payments, each with an id of its own; a repeat gets the first result, marked as such.
fn payments(other: Other) -> Hand {
    let made: Mutex<HashMap<String, (Value, u64)>> = Mutex::default();
    Hand::start(move |heard| {
        let body = serde_json::from_slice::<Value>(&heard.body).unwrap_or_default();
        let Some(payments) = body["payments"].as_array() else {
            return Said::json(400, &json!({ "reason": "INVALID" }));
        };
        let mut made = made.lock().unwrap();
        let mut next = made.len() as u64 + 1_000_000 * u64::from(other == Other::PaidAgain);
        let results: Vec<Value> = payments
            .iter()
            .map(|payment| {
                let key = payment["idempotencyKey"].as_str().unwrap_or_default();
                let failed = |text: &str| {
                    json!({ "key": key, "state": "failed", "reason": "INVALID", "text": text })
                };
                let is_valid = !key.is_empty()
                    && key.chars().count() <= 64
                    && payment["amount"].as_f64().is_some_and(|amount| amount >= 1.0);
                if !is_valid {
                    return failed("not valid");
                }
                next += 1;
                let first = made.get(key).cloned();
                let (is_replayed, id) = match first {
                    None => (false, next),
                    Some((first, id)) if first == *payment || other == Other::FirstResult => {
                        (true, id)
                    }
                    Some(_) if other == Other::Refused => return failed("another payment"),
                    Some(_) => (false, next),
                };
                made.entry(key.to_owned()).or_insert_with(|| (payment.clone(), id));
                json!({
                    "key": key, "state": "done", "id": format!("p{id}"), "requestId": next,
                    "outcome": if is_replayed { "replayed" } else { "created" },
                })
            })
            .collect();
        Said::json(200, &json!({ "results": results }))
    })
}

#[test]
fn a_second_payment_for_a_used_key_is_a_must_finding_and_no_other_answer_is() {
    let contract = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/contracts/repeated");
    for (other, code) in [(Other::Refused, 0), (Other::FirstResult, 0), (Other::PaidAgain, 1)] {
        let hand = payments(other);
        let desk = Desk::new();
        let run = ["run", "unique", "race", "--contract", contract, "--target", &hand.url];
        let ended = desk.batchproof(&run).ends(code);
        let is_found = desk.found().iter().any(|rule| rule == "UNIQUE-015");
        assert_eq!(is_found, other == Other::PaidAgain, "{}", ended.text());
    }
}
