//! What is judged as a stream is judged like a batch that is whole in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::window::exchange;
use super::{StreamContext, StreamEvaluation, StreamEvaluator};
use crate::exchange::{Answer, Loss, LossKind, Response};
use crate::fixture::{FIXTURE, body_of, headers, request, right};
use crate::generate::{BatchShape, KeyBlock, Stream, ValueStyle};
use crate::{Check, Evaluation, evaluate, rules};

const ITEMS: usize = 2_600;
const ELAPSED: Duration = Duration::from_millis(30);

fn stream() -> Stream<'static> {
    FIXTURE.generator.stream(7, &BatchShape { items: ITEMS..=ITEMS, style: ValueStyle::Plain })
}

fn body(numbers: &KeyBlock) -> Vec<u8> {
    body_of(stream(), &mut numbers.clone()).0
}

fn whole(body: &[u8], status: u16, answer: &[u8]) -> Evaluation {
    let answer = Answer::Received(Response {
        status,
        headers: headers(),
        body: Bytes::copy_from_slice(answer),
        elapsed: ELAPSED,
        framing: None,
        outline: None,
    });
    let body = Bytes::copy_from_slice(body);
    let exchange = exchange(&FIXTURE.contract, &request(), "all", body, answer);
    evaluate(&FIXTURE.contract, &FIXTURE.profile, &[exchange], &[], None)
}

fn streamed(
    numbers: &KeyBlock,
    status: u16,
    answer: &[u8],
    piece: usize,
    quick: bool,
) -> StreamEvaluation {
    let about = StreamContext {
        contract: &FIXTURE.contract,
        profile: &FIXTURE.profile,
        quick: quick.then_some(&FIXTURE.fast_path),
        request: request(),
        expectations: Vec::new(),
        rule: rules::find("ROBUST-001").unwrap(),
    };
    let mut judge = StreamEvaluator::new(about, stream(), numbers);
    judge.begin(status, headers());
    answer.chunks(piece).for_each(|piece| judge.take(piece));
    judge.finish(Ok(ELAPSED))
}

type Kinds = BTreeMap<(String, String, String), (Option<usize>, String, String, u64)>;

/// Findings by kind: the first of each, and how many there are.
fn kinds(evaluation: &Evaluation, times: Option<&[u64]>) -> Kinds {
    let mut kinds = Kinds::new();
    for (at, violation) in evaluation.violations.iter().enumerate() {
        let finding = &violation.finding;
        let key = (violation.rule.id.to_owned(), finding.place(), finding.kind.clone());
        let times = times.map_or(1, |t| t[at]);
        kinds
            .entry(key)
            .or_insert_with(|| {
                (
                    finding.item,
                    finding.pointer.clone(),
                    format!("{} {}", finding.expected, finding.actual),
                    0,
                )
            })
            .3 += times;
    }
    kinds
}

/// Holds the evaluation of a stream against that of the whole.
fn hold(numbers: &KeyBlock, body: &[u8], status: u16, answer: &[u8]) -> StreamEvaluation {
    let model = whole(body, status, answer);
    let mut last = None;
    for (piece, quick) in [(1_000_000, true), (333, true), (4_096, false)] {
        let judged = streamed(numbers, status, answer, piece, quick);
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(300)]);
        assert_eq!(
            kinds(&judged.evaluation, Some(&judged.times)),
            kinds(&model, None),
            "{status} {shown}"
        );
        for (at, rule) in rules::all().iter().enumerate() {
            let (mine, theirs) = (judged.evaluation.counts[at], model.counts[at]);
            // Where the order is lost, items before that were judged all the same.
            let item = matches!(rule.check, Check::Item(_));
            if !item || model.violations.iter().all(|h| h.rule.family() != "ORDER") {
                assert_eq!(mine, theirs, "{} {status} {shown}", rule.id);
            }
        }
        last = Some(judged);
    }
    last.unwrap()
}

fn fresh() -> (KeyBlock, Vec<u8>, Value) {
    let numbers = FIXTURE.keys.reserve(ITEMS as u64);
    let body = body(&numbers);
    let answer = right(&body);
    (numbers, body, answer)
}

#[test]
fn right_and_wrong_results_are_found_wherever_they_stand() {
    let (numbers, body, answer) = fresh();
    assert!(whole(&body, 200, answer.to_string().as_bytes()).violations.is_empty());
    hold(&numbers, &body, 200, answer.to_string().as_bytes());
    let pretty = serde_json::to_string_pretty(&answer).unwrap();
    hold(&numbers, &body, 200, pretty.as_bytes());
    let bends: [fn(&mut Value); 9] = [
        |r| r["resultType"] = json!("REQUEST_REJECTED"),
        |r| r["resultType"] = json!("NO"),
        |r| r["accountExtId"] = json!("ANOTHER"),
        |r| r["communicationNumber"] = json!("x"),
        |r| r["timeElapsedMs"] = json!("1"),
        |r| r["timeElapsedMs"] = json!(-1),
        |r| r["timeElapsedMs"] = json!(9),
        |r| r["errorCode"] = json!("O005"),
        |r| drop(r.as_object_mut().unwrap().shift_remove("resultType")),
    ];
    for (at, bend) in
        [0, 5, 1_000, 1_001, 1_002, 1_600, ITEMS - 1].into_iter().zip(bends.iter().cycle())
    {
        let mut bent = answer.clone();
        bend(&mut bent["results"][at]);
        hold(&numbers, &body, 200, bent.to_string().as_bytes());
    }
    for bend in bends {
        let mut bent = answer.clone();
        for at in [3, 1_700, 1_701, 2_400] {
            bend(&mut bent["results"][at]);
        }
        hold(&numbers, &body, 200, bent.to_string().as_bytes());
    }
}

#[test]
fn an_excerpt_holds_the_item_and_its_result() {
    let (numbers, body, mut answer) = fresh();
    answer["results"][1_777]["accountExtId"] = json!("ANOTHER");
    let judged = hold(&numbers, &body, 200, answer.to_string().as_bytes());
    let violation = &judged.evaluation.violations[0];
    assert_eq!((violation.rule.id, violation.finding.item), ("ECHO-002", Some(1_777)));
    let excerpt = &judged.excerpts[violation.exchange - 1];
    assert_eq!(excerpt.first, 1_776);
    let sent: Value =
        serde_json::from_slice(excerpt.exchange.request.body.as_ref().unwrap()).unwrap();
    let came: Value =
        serde_json::from_slice(&excerpt.exchange.answer.response().unwrap().body).unwrap();
    let number = &sent["accountBalances"][1]["communicationNumber"];
    assert_eq!(*number, json!(numbers.nth(1_777)));
    assert_eq!(came["results"][1]["communicationNumber"], *number);
    assert_eq!(came["results"][1]["accountExtId"], "ANOTHER");
}

#[test]
fn number_and_order_of_results_are_told_over_the_whole_batch() {
    let (numbers, body, answer) = fresh();
    let bends: [fn(&mut Vec<Value>); 8] = [
        |list| list.reverse(),
        |list| list.swap(1_500, 2_500),
        |list| list.swap(3, 4),
        |list| list[2_000] = list[7].clone(),
        |list| drop(list.remove(1_300)),
        |list| drop(list.pop()),
        |list| list.push(list[0].clone()),
        |list| list.clear(),
    ];
    for bend in bends {
        let mut bent = answer.clone();
        bend(bent["results"].as_array_mut().unwrap());
        hold_order(&numbers, &body, bent.to_string().as_bytes());
    }
}

/// Only the words of several answers to one item may differ: how many there are is not counted.
fn hold_order(numbers: &KeyBlock, body: &[u8], answer: &[u8]) {
    let said = |kinds: Kinds| -> Vec<_> {
        kinds
            .into_iter()
            .map(|((rule, place, kind), (item, ..))| (rule, place, kind, item))
            .collect()
    };
    let model = kinds(&whole(body, 200, answer), None);
    for (piece, quick) in [(1_000_000, true), (500, false)] {
        let judged = streamed(numbers, 200, answer, piece, quick);
        let mine = kinds(&judged.evaluation, Some(&judged.times));
        assert_eq!(said(mine), said(model.clone()));
    }
}

fn at_the_last(text: &str, from: &str, to: &str) -> String {
    let at = text.rfind(from).unwrap();
    format!("{}{to}{}", &text[..at], &text[at + from.len()..])
}

#[test]
fn what_is_no_list_of_results_is_judged_like_any_answer() {
    let (numbers, body, answer) = fresh();
    let text = answer.to_string();
    for cut in [1, 30, 50_000, text.len() - 1] {
        let judged = streamed(&numbers, 200, &text.as_bytes()[..cut], 4_000, true);
        let found: Vec<&str> = judged.evaluation.violations.iter().map(|h| h.rule.id).collect();
        assert_eq!(found, ["SCHEMA-001"], "{cut}");
    }
    for (status, answer) in [
        (200, "<html>no</html>".to_owned()),
        (200, "{}".to_owned()),
        (200, r#"{"results":null}"#.to_owned()),
        (200, text.replacen("},{", "}{", 1)),
        (200, at_the_last(&text, "},{", "}{")),
        (200, at_the_last(&text, "},{", "}x,{")),
        (200, text.replacen(']', ",]", 1)),
        (200, text.replacen("\"timeElapsedMs\":3", "\"more\":1", 1)),
        (200, text.replacen("\"timeElapsedMs\":3", "\"timeElapsedMs\":-3", 1)),
        (200, text.replacen("\"timeElapsedMs\":3", "\"timeElapsedMs\":99", 1)),
        (
            400,
            r#"{"resultType":"REQUEST_REJECTED","errorCode":"O001","errorDescription":"too many"}"#
                .to_owned(),
        ),
        (413, String::new()),
        (500, r#"{"status":500}"#.to_owned()),
        (201, text.clone()),
    ] {
        let model = whole(&body, status, answer.as_bytes());
        let judged = streamed(&numbers, status, answer.as_bytes(), 4_000, true);
        let rules = |evaluation: &Evaluation| -> Vec<&str> {
            evaluation.violations.iter().map(|h| h.rule.id).collect()
        };
        assert_eq!(
            rules(&judged.evaluation),
            rules(&model),
            "{status} {} … {}",
            &answer[..answer.len().min(80)],
            &answer[answer.len().saturating_sub(80)..]
        );
    }
}

#[test]
fn a_lost_answer_is_lost() {
    let (numbers, ..) = fresh();
    let about = StreamContext {
        contract: &FIXTURE.contract,
        profile: &FIXTURE.profile,
        quick: Some(&FIXTURE.fast_path),
        request: request(),
        expectations: Vec::new(),
        rule: rules::find("ROBUST-001").unwrap(),
    };
    let judge = StreamEvaluator::new(about, stream(), &numbers);
    let loss = Loss { kind: LossKind::Timeout, message: "no answer".to_owned(), elapsed: ELAPSED };
    let judged = judge.finish(Err(loss));
    let found: Vec<&str> = judged.evaluation.violations.iter().map(|h| h.rule.id).collect();
    assert_eq!(found, ["ROBUST-001"]);
    assert!(!judged.evaluation.violations[0].finding.proven);
}
