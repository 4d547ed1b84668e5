//! What a case expects of single values: each predicate holds or fails as its words say, and a slip is found before
//! anything is sent.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Heard, Said, verdicts};
use crate::harness::{Desk, Ended};

fn good(heard: &Heard) -> Said {
    let mut said = verdicts(heard, "REQUEST_ACCEPTED", &Value::Null);
    said.headers.push(("X-Shard".to_owned(), "Shard-12".to_owned()));
    said.headers.push(("X-Left".to_owned(), "12".to_owned()));
    said
}

/// Runs one step with this expectation against a target that answers well.
fn expecting(desk: &Desk, expect: &str) -> Ended {
    let case = format!(
        "title: x\nsteps:\n  - batch: [{{ set: {{ value: 10.5 }} }}, {{}}]\n    expect: {expect}\n"
    );
    desk.file("case.yaml", case);
    let hand = Hand::start(good);
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url])
}

#[track_caller]
fn passes(expect: &str) {
    expecting(&Desk::new(), expect).ends(0);
}

/// Fails under CASE-001 alone, with these words.
#[track_caller]
fn fails(expect: &str, words: &[&str]) {
    let desk = Desk::new();
    expecting(&desk, expect).ends(1).says(words).says(&["case.yaml:4"]);
    assert!(desk.found().iter().all(|rule| rule == "CASE-001"), "{:?}", desk.found());
}

#[test]
fn texts_are_searched_for_a_regular_expression() {
    passes("{ body: { /results/0/resultType: { matches: \"ACC.PT\" } } }");
    passes("{ body: { /timeElapsedMs: { matches: \"^0$\" } } }");
    passes("{ body: { \"\": { matches: '\"results\"', contains: REQUEST } } }");
    fails(
        "{ body: { /results/0/resultType: { matches: \"^ACC\" } } }",
        &["what matches ^ACC", "REQUEST_ACCEPTED", "/results/0/resultType"],
    );
    fails("{ body: { /results/0/errorCode: { matches: \"O\" } } }", &["what matches O", "nothing"]);
    // Letter case matters in a body, and not in a header.
    fails(
        "{ body: { /results/0/resultType: { contains: accepted } } }",
        &["a text containing accepted"],
    );
}

#[test]
fn headers_take_predicates_too() {
    passes(
        "{ headers: { X-Shard: { matches: \"^Shard-[0-9]+$\", contains: sHARD }, X-Left: { min: 1, max: 12 } } }",
    );
    fails(
        "{ headers: { X-Shard: { matches: \"^[0-9]\" } } }",
        &["X-Shard matching ^[0-9]", "Shard-12"],
    );
    fails("{ headers: { X-Left: { max: 11 } } }", &["X-Left a number, at most 11", "12"]);
    fails("{ headers: { X-None: { contains: a } } }", &["X-None containing a", "absent"]);
}

#[test]
fn numbers_have_bounds_that_include_themselves() {
    passes("{ body: { /results/1/timeElapsedMs: { min: 0, max: 0.0 } } }");
    fails("{ body: { /results/1/timeElapsedMs: { min: 0.5 } } }", &["a number, at least 0.5", "0"]);
    fails(
        "{ body: { /results/1/resultType: { max: 7 } } }",
        &["a number, at most 7", "REQUEST_ACCEPTED"],
    );
    let desk = Desk::new();
    desk.file(
        "case.yaml",
        "title: x\nsteps:\n  - { as: first, batch: 1 }\n  - batch: 1\n    expect: { body: { /timeElapsedMs: { min: \"${first.status}\" } } }\n",
    );
    let hand = Hand::start(good);
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url]).ends(1).says(&["at least 200"]);
}

#[test]
fn elements_are_counted() {
    passes(
        "{ count: 1..2, body: { /results: { count: 2 }, /results/0/resultType: { count: 16 } } }",
    );
    fails("{ count: 3..5 }", &["3..5 results", "2 results"]);
    fails("{ body: { /results: { count: 3 } } }", &["3 elements", "2 elements"]);
    fails("{ body: { /results/0: { count: 99 } } }", &["99 members"]);
}

#[test]
fn values_fit_a_schema_of_the_document_or_of_the_case() {
    let of_document = "\"#/components/schemas/BatchAccountBalancesResponseApi\"";
    passes(&format!("{{ schema: {of_document} }}"));
    passes("{ body: { /results: { schema: { type: array, minItems: 2 } } } }");
    fails(
        "{ body: { /results: { schema: { items: { properties: { timeElapsedMs: { maximum: -1 } } } } } } }",
        &["-1 at most", "/results/0/timeElapsedMs"],
    );
    fails(
        "{ schema: { required: [total] } }",
        &["an object with \"total\"", "the schema of the case"],
    );
}

#[test]
fn a_plain_object_is_compared_as_a_whole() {
    passes("{ body: { /none: absent, /timeElapsedMs: { equals: 0 } } }");
    fails("{ body: { /results/0: { resultType: OTHER } } }", &["OTHER"]);
    fails("{ body: { /results/0: { equals: { count: 1 } } } }", &["{\"count\":1}"]);
}

#[test]
fn a_slow_answer_is_found_with_what_was_measured_and_confirmed_by_repeats() {
    let desk = Desk::new();
    desk.file("case.yaml", "title: x\nsteps:\n  - { batch: 2, expect: { within: 100ms } }\n");
    let hand = Hand::start(|heard| {
        // Plain batches before repeats have one item.
        if heard.items().len() == 2 {
            std::thread::sleep(Duration::from_millis(300));
        }
        good(heard)
    });
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url]).ends(1).says(&[
        "the whole answer within 100ms",
        "ms from sending the request to the last byte of the answer",
    ]);
    let finding = &desk.report()["findings"][0];
    assert_eq!((&finding["confirmed"], &finding["rule"]), (&json!(true), &json!("CASE-001")));
    passes("{ within: 1h }");
}

#[test]
fn one_slow_answer_fails_no_run_and_is_not_flaky() {
    let desk = Desk::new();
    desk.file("case.yaml", "title: x\nsteps:\n  - { batch: 2, expect: { within: 3s } }\n");
    let seen = std::sync::atomic::AtomicUsize::new(0);
    let hand = Hand::start(move |heard| {
        if heard.items().len() == 2 && seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            std::thread::sleep(Duration::from_millis(3_300));
        }
        good(heard)
    });
    let ended = desk.batchproof(&["run", "case.yaml", "--target", &hand.url]).ends(0);
    assert!(!ended.text().contains("flaky"), "{}", ended.text());
    assert_eq!(desk.report()["findings"][0]["confirmed"], json!(false));
}

#[test]
fn a_soak_measures_every_answer() {
    let desk = Desk::new();
    desk.file(
        "case.yaml",
        "title: x\ngenerate: { items: 3, runs: 1200 }\nexpect: { within: 1s }\n",
    );
    let hand = Hand::start(|heard| {
        // One batch in fifty, and always the same ones.
        let mark = heard.items().first().map_or(0, |item| {
            item["accountExtId"].as_str().unwrap_or("").bytes().map(usize::from).sum::<usize>()
        });
        if heard.items().len() == 3 && mark % 50 == 7 {
            std::thread::sleep(Duration::from_millis(1_200));
        }
        verdicts(heard, "REQUEST_ACCEPTED", &Value::Null)
    });
    desk.batchproof(&["run", "case.yaml", "--seed", "3", "--target", &hand.url]).ends(1);
    assert_eq!(desk.found(), ["CASE-001"]);
}

/// Can't be used: exit 2, with these words.
#[track_caller]
fn refused(expect: &str, words: &[&str]) {
    expecting(&Desk::new(), expect).ends(2).says(words);
}

#[test]
fn slips_are_found_before_anything_is_sent() {
    refused(
        "{ body: { /results: { matchs: a } } }",
        &["case.yaml:4:", "unknown key `matchs`", "did you mean `matches`?"],
    );
    refused("{ body: { /a: { matches: a, other: 1 } } }", &["unknown key `other`", "`equals`"]);
    refused(
        "{ body: { /a: { matches: \"a(\" } } }",
        &["`a(` is not a regular expression", "unclosed group"],
    );
    refused("{ body: { /a: { min: soon } } }", &["`min` is \"soon\": expected a number"]);
    refused("{ body: { /a: { min: 5, max: 2 } } }", &["`min` is 5 and `max` is 2"]);
    refused("{ headers: { A: { count: 2 } } }", &["`count` of a header"]);
    refused("{ within: 500 }", &["500 is not a time (a number needs its unit)", "500ms"]);
    refused("{ withn: 500ms }", &["unknown key `withn`", "did you mean `within`?"]);
    refused(
        "{ schema: \"#/components/schemas/BatchAccountBalancesResponseAp\" }",
        &[
            "case.yaml:4:",
            "has nothing at",
            "did you mean `#/components/schemas/BatchAccountBalancesResponseApi`?",
        ],
    );
    refused("{ schema: 3 }", &["`schema` is 3", "#/components/schemas/NAME"]);
    refused("{ schema: { type: strin } }", &["case.yaml:4:", "a JSON Schema 2020-12"]);
    let desk = Desk::new();
    desk.file(
        "case.yaml",
        "title: x\ngenerate: { items: 30000 }\nexpect: { body: { /results: { count: 30000 } } }\n",
    );
    desk.batchproof(&["run", "case.yaml"])
        .ends(2)
        .says(&["`body` of a batch of more than 20000 items"]);
}
