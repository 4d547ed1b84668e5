//! What is quickly found right, the judge finds right too, and counts alike.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::SentItems;
use crate::contract::Profile;
use crate::exchange::{Answer, BodyIntent, Exchange, Intent, Request, Response, Situation};
use crate::fixture::{FIXTURE, body_of, headers, request, right};
use crate::generate::{BatchShape, TextSpan, ValueStyle};
use crate::{Evaluation, evaluate};

/// A batch beyond doubt: its body and the places of its echoed values.
fn batch(seed: u64, items: usize) -> (Vec<u8>, Vec<TextSpan>) {
    let shape = BatchShape { items: items..=items, style: ValueStyle::Plain };
    let mut numbers = FIXTURE.keys.reserve(items as u64);
    let (body, certain, places) = body_of(FIXTURE.generator.stream(seed, &shape), &mut numbers);
    assert!(certain);
    (body, places)
}

fn judged(body: &[u8], answer: &[u8]) -> Evaluation {
    let contract = &FIXTURE.contract;
    let request = Request { body: Some(Bytes::copy_from_slice(body)), ..request() };
    let exchange = Exchange {
        index: 0,
        step: "the batch".to_owned(),
        group: None,
        request,
        intent: Intent {
            situation: Situation::Ordinary,
            body: BodyIntent::of(contract.body_validity(body), contract.judged_key()),
        },
        answer: Answer::Received(Response {
            status: 200,
            headers: headers(),
            body: Bytes::copy_from_slice(answer),
            elapsed: ELAPSED,
            framing: None,
            outline: None,
        }),
        always_busy: false,
    };
    evaluate(contract, &Profile::default(), &[exchange], &[], None)
}

const ELAPSED: Duration = Duration::from_millis(3);

fn is_quick(body: &[u8], places: &[TextSpan], answer: &[u8]) -> bool {
    let elapsed = FIXTURE.fast_path.body(SentItems { body, places }, answer);
    elapsed.is_some_and(|e| e.agrees(ELAPSED))
}

/// Holds quick evaluation against the judge.
fn hold(body: &[u8], places: &[TextSpan], answer: &[u8]) {
    if is_quick(body, places, answer) {
        let model = judged(body, right(body).to_string().as_bytes());
        let evaluation = judged(body, answer);
        let shown = String::from_utf8_lossy(answer);
        assert!(evaluation.violations.is_empty(), "{:?}: {shown}", evaluation.violations);
        assert_eq!(evaluation.counts, model.counts, "{shown}");
        assert_eq!(evaluation.tally, model.tally, "{shown}");
    }
}

/// Sorts an object's properties by what `key` makes of them.
fn reorder(value: &mut Value, rotate: usize) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = std::mem::take(map).into_iter().collect();
            let count = entries.len().max(1);
            entries.rotate_left(rotate % count);
            *map = entries.into_iter().collect::<Map<_, _>>();
            map.values_mut().for_each(|v| reorder(v, rotate));
        }
        Value::Array(list) => list.iter_mut().for_each(|v| reorder(v, rotate)),
        _ => {}
    }
}

/// What a server could do to a right answer, on the whole or in one result.
fn bend(answer: &mut Value, how: usize, at: usize) {
    let strange = [json!(null), json!(""), json!(-1), json!(1.5), json!("x"), json!([]), json!(9)];
    let value = strange[at % strange.len()].clone();
    let Some(list) = answer["results"].as_array_mut() else { return };
    let count = list.len().max(1);
    match how {
        0 => list.reverse(),
        1 => drop(list.pop()),
        2 => list.push(list.first().cloned().unwrap_or_default()),
        3 => list.rotate_left(at % count),
        4 => answer["timeElapsedMs"] = value,
        5 => answer["more"] = value,
        6 => drop(answer.as_object_mut().map(|map| map.shift_remove("timeElapsedMs"))),
        7 => *answer = json!({ "results": value }),
        _ => {
            let names = [
                "resultType",
                "communicationNumber",
                "accountExtId",
                "businessUnit",
                "timeElapsedMs",
                "errorCode",
                "errorDescription",
                "other",
            ];
            let name = names[how % names.len()];
            let Some(result) = list.get_mut(at % count).and_then(Value::as_object_mut) else {
                return;
            };
            match how / names.len() % 4 {
                0 => drop(result.insert(name.to_owned(), value)),
                1 => drop(result.shift_remove(name)),
                2 => drop(result.insert(name.to_owned(), json!("REQUEST_REJECTED"))),
                _ => {
                    if let Some(Value::String(text)) = result.get_mut(name) {
                        *text = format!("{text} ").to_uppercase();
                    }
                }
            }
        }
    }
}

fn written(answer: &Value, pretty: bool) -> Vec<u8> {
    let text =
        if pretty { serde_json::to_string_pretty(answer) } else { serde_json::to_string(answer) };
    text.unwrap().into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn right_answers_are_quick_however_they_are_written(
        seed in any::<u64>(), items in 0_usize..12, rotate in 0_usize..5, pretty in any::<bool>(),
    ) {
        let (body, places) = batch(seed, items);
        let mut answer = right(&body);
        reorder(&mut answer, rotate);
        let answer = written(&answer, pretty);
        prop_assert!(is_quick(&body, &places, &answer));
        hold(&body, &places, &answer);
    }

    #[test]
    fn bent_answers_are_never_quick_where_the_judge_finds_something(
        seed in any::<u64>(),
        items in 1_usize..6,
        bends in prop::collection::vec((0_usize..64, 0_usize..50), 1..3),
        rotate in 0_usize..5,
    ) {
        let (body, places) = batch(seed, items);
        let mut answer = right(&body);
        for (how, at) in bends {
            bend(&mut answer, how, at);
        }
        reorder(&mut answer, rotate);
        hold(&body, &places, &written(&answer, false));
    }

    #[test]
    fn damaged_answers_are_never_quick_where_the_judge_finds_something(
        seed in any::<u64>(),
        items in 1_usize..3,
        at in any::<prop::sample::Index>(),
        length in 0_usize..3,
        instead in prop::collection::vec(prop::sample::select(b" \"\\{}[],:0129.eE-xA\x00\xc3".to_vec()), 0..3),
    ) {
        let (body, places) = batch(seed, items);
        let mut answer = written(&right(&body), false);
        let from = at.index(answer.len());
        let to = (from + length).min(answer.len());
        answer.splice(from..to, instead);
        hold(&body, &places, &answer);
    }
}

#[test]
fn a_key_twice_a_code_or_another_clock_is_not_quick() {
    let (body, places) = batch(1, 2);
    let answer = right(&body).to_string();
    assert!(is_quick(&body, &places, answer.as_bytes()));
    for (from, to) in [
        ("\"timeElapsedMs\":0", "\"timeElapsedMs\":0,\"timeElapsedMs\":0"),
        ("\"timeElapsedMs\":0", "\"timeElapsedMs\":0,\"errorCode\":\"O005\""),
        ("\"timeElapsedMs\":0", "\"timeElapsedMs\":00"),
        ("\"timeElapsedMs\":1", "\"timeElapsedMs\":4"),
        ("REQUEST_ACCEPTED", "REQUEST_REJECTED"),
        ("{\"results\"", "{\"results\":[],\"results\""),
    ] {
        let bent = answer.replacen(from, to, 1);
        assert_ne!(bent, answer);
        assert!(!is_quick(&body, &places, bent.as_bytes()), "{bent}");
    }
}
