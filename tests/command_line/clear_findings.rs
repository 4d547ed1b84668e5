//! A finding says what is wrong with the server: asked of the terminal report of servers with one fault.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Said, verdicts};
use crate::harness::{Desk, Ended, Serving};

const TOKEN: &str = "clear-token-1";

/// What a run of these cases prints about a server with these faults.
fn told(faults: &[&str], cases: &[&str]) -> (Desk, Ended) {
    let desk = Desk::new();
    let named: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
    let serving = Serving::start(&named, Some(TOKEN));
    let words = [&["run", "--target", &serving.url, "--seed", "5"][..], cases].concat();
    let ended = desk.with_token(&words, Some(TOKEN));
    (desk, ended)
}

/// Problems of the last run by state.
fn problems(desk: &Desk, state: &str) -> Vec<Value> {
    let report = desk.report();
    let all = report["problems"].as_array().unwrap();
    all.iter().filter(|p| p["state"] == state).cloned().collect()
}

#[test]
fn the_header_that_decided_is_shown() {
    let (_desk, ended) = told(&["charset-refused"], &["http/charset"]);
    ended.ends(1).says(&[
        "expected 200, as without `charset` in Content-Type",
        "with Content-Type: application/json",
    ]);
    let (_desk, ended) = told(&["any-token-accepted"], &["auth"]);
    let with = ended.out.lines().find(|line| line.trim_start().starts_with("with ")).unwrap();
    assert!(with.contains("token"), "{}", ended.out);
    let (_desk, ended) = told(&["missing-credentials-accepted"], &["auth"]);
    let with = ended.out.lines().find(|line| line.trim_start().starts_with("with ")).unwrap();
    assert!(with.contains("Authorization header"), "{}", ended.out);
    let (_desk, ended) = told(&["content-type-text"], &["unique/replayed"]);
    ended.ends(1).says(&["got Content-Type: text/plain"]);
}

#[test]
fn bodies_of_bytes_are_shown_as_text_with_escapes() {
    let (desk, ended) = told(&["overlong-utf-8-server-error"], &["robust"]);
    let ended = ended.ends(1).says(&["overlong UTF-8"]);
    let sent = ended.out.lines().find(|line| line.trim_start().starts_with("sent"));
    assert!(sent.is_some_and(|line| line.contains("{\"")), "{}", ended.out);
    let unwrapped: String = ended.out.split_whitespace().collect();
    assert!(unwrapped.contains("\\xc0") || unwrapped.contains("\\xed"), "{}", ended.out);
    let page = std::fs::read_to_string(desk.reports().join("report.html")).unwrap();
    assert!(page.contains("\\xc0") || page.contains("\\xed"));
}

#[test]
fn what_is_not_json_is_shown_with_its_content_type_and_text() {
    let (_desk, ended) = told(&["answer-in-latin-1"], &["accept/instants"]);
    let ended = ended.says(&["SCHEMA-001", "application/json", "not JSON from byte", "\\x"]);
    assert!(!ended.out.contains("line 1 column"), "{}", ended.out);
}

#[test]
fn an_answer_that_is_lost_is_told_without_the_words_of_a_library() {
    let (_desk, ended) = told(&["nul-drops-connection"], &["robust/odd-values"]);
    let ended = ended.ends(1).says(&["got none: the connection was closed after", "U+0000"]);
    assert!(!ended.text().contains("SendRequest"), "{}", ended.text());
}

#[test]
fn unusual_input_is_a_problem_for_each_kind_of_input() {
    let faults = ["nul-server-error", "huge-number-server-error"];
    let (desk, ended) = told(&faults, &["robust"]);
    ended.ends(1).says(&["the input: U+0000 in a text", "the input: a number beyond every range"]);
    assert_eq!(problems(&desk, "confirmed").len(), 2);
    let (desk, _) = told(&["nul-server-error"], &["robust"]);
    assert_eq!(problems(&desk, "confirmed").len(), 1);
}

#[test]
fn one_change_of_texts_is_one_problem_with_a_line_that_says_so() {
    let faults = ["number-trimmed", "identity-trimmed"];
    let (desk, ended) = told(&faults, &["echo"]);
    ended.ends(1).says(&[
        "cause white space around texts is lost, in ",
        "difference sent and got differ only in white space",
    ]);
    assert_eq!(problems(&desk, "confirmed").len(), 1, "{:#?}", desk.report()["problems"]);
}

#[test]
fn credentials_that_a_connection_remembers_are_one_problem() {
    let (desk, ended) = told(&["credentials-remembered-by-connection"], &["auth"]);
    ended.ends(1).says(&["cause credentials are remembered per connection"]);
    assert_eq!(problems(&desk, "confirmed").len(), 1, "{:#?}", desk.report()["problems"]);
}

#[test]
fn keys_that_a_connection_remembers_are_told_as_such() {
    let (_desk, ended) = told(&["unique-per-connection"], &["unique"]);
    ended
        .ends(1)
        .says(&["the target remembers something per connection", "with a connection of its own"]);
}

#[test]
fn all_requests_of_a_problem_are_shown_in_order_and_compared() {
    let (_desk, ended) = told(&["no-rollback"], &["atom"]);
    let ended = ended.ends(1).says(&[
        "request 1 POST /amlyze-ws-rest/batch-account-balances → 400",
        "request 2 POST /amlyze-ws-rest/batch-account-balances → 200",
        "of request 1 and item 0 of request 2: the keys are equal",
    ]);
    let at = |words: &str| ended.out.find(words).unwrap();
    assert!(
        at("request 1 ") < at("  answer") && at("  answer") < at("request 2 "),
        "{}",
        ended.out
    );
    let (_desk, ended) = told(&["unique-per-identity"], &["unique/other-fields"]);
    ended.ends(1).says(&["the keys are equal; the items differ in accountExtId ("]);
    let (_desk, ended) = told(&["numbers-case-folded"], &["unique/look-alikes"]);
    ended.ends(1).says(&["the keys differ only in letter case"]);
}

#[test]
fn a_cut_text_is_told_by_its_length() {
    let (desk, ended) = told(&["number-cut-at-64"], &["echo", "accept"]);
    ended.ends(1).says(&["sent and got differ after their first 64 characters: one has"]);
    assert_eq!(problems(&desk, "confirmed").len(), 1, "a cut is not a trim");
}

#[test]
fn the_smallest_request_is_compared_with_a_good_one() {
    let (desk, ended) = told(&["negative-refused"], &["accept"]);
    ended.ends(1).says(&[
        "differs from a good request only in ",
        "alue (-",
        "the good one gets 200",
    ]);
    let page = std::fs::read_to_string(desk.reports().join("report.html")).unwrap();
    assert!(page.contains("This request beside a good one"));
}

#[test]
fn a_target_that_stops_answering_is_reported_as_that() {
    let count = AtomicU64::new(0);
    let hand = Hand::start(move |heard| {
        assert!(count.fetch_add(1, Ordering::SeqCst) < 30, "the server ends this connection");
        verdicts(heard, "REQUEST_ACCEPTED", &Value::Null)
    });
    let desk = Desk::new();
    desk.file("case.yaml", "title: x\ngenerate: { items: 1, runs: 60 }\n");
    let words = ["run", "case.yaml", "--jobs", "1", "--target", &hand.url];
    let ended = desk.batchproof(&words);
    assert!([1, 3].contains(&ended.code), "{}", ended.text());
    let ended = ended.says(&["the target stopped answering after request 30"]);
    assert!(!ended.out.contains("masked by the failure"), "{}", ended.out);
}

#[test]
fn no_fault_is_listed_both_as_confirmed_and_as_unconfirmed() {
    let (desk, _) = told(&["last-chunk-missing"], &["refuse", "robust"]);
    let confirmed = problems(&desk, "confirmed");
    for unconfirmed in problems(&desk, "unconfirmed") {
        let same = confirmed.iter().find(|p| p["rule"] == unconfirmed["rule"]);
        assert!(same.is_none(), "{:#?}", desk.report()["problems"]);
    }
    assert!(!confirmed.is_empty());
}

#[test]
fn a_replay_shows_no_old_answer_beside_fixed() {
    let (desk, ended) = told(&["accepted-with-code"], &["unique/replayed"]);
    ended.ends(1);
    let healthy = Serving::start(&[], Some(TOKEN));
    let ended = desk.with_token(&["replay", "reports", "--target", &healthy.url], Some(TOKEN));
    let line = ended.out.lines().find(|line| line.starts_with("fixed")).unwrap_or_default();
    assert!(line.contains("CODE-002"), "{}", ended.text());
    assert!(!line.contains("O000") && !line.contains(", got "), "{line}");
}

#[test]
fn runs_of_two_depths_never_say_fixed() {
    let desk = Desk::new();
    let fixed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_fixed = std::sync::Arc::clone(&fixed);
    let hand = Hand::start(move |heard| {
        let code = json!({ "errorCode": "O000" });
        let further = if is_fixed.load(Ordering::SeqCst) { Value::Null } else { code };
        verdicts(heard, "REQUEST_ACCEPTED", &further)
    });
    desk.file("case.yaml", "title: x\nsteps: [{ batch: 1 }]\n");
    let run = |depth: &str, dir: &str| {
        let words =
            ["run", "case.yaml", "--target", &hand.url, "--depth", depth, "--report-dir", dir];
        desk.batchproof(&words);
    };
    run("standard", "before");
    fixed.store(true, Ordering::SeqCst);
    run("quick", "after");
    run("standard", "again");
    desk.batchproof(&["report", "before", "after"]).says(&["0 fixed", "the depths differ"]);
    desk.batchproof(&["report", "before", "again"]).says(&["1 fixed"]);
}

#[test]
fn blanks_at_the_end_of_a_value_are_seen() {
    let hand = Hand::start(|heard| {
        let Said { status, body, .. } = verdicts(heard, "REQUEST_ACCEPTED", &json!({}));
        let headers = vec![("Cache-Control".to_owned(), "max-age=60".to_owned())];
        Said { status, headers, body: format!("{body}  x  ") }
    });
    let desk = Desk::new();
    desk.file("case.yaml", "title: x\nsteps: [{ batch: 1 }]\n");
    let ended = desk.batchproof(&["run", "case.yaml", "--target", &hand.url]).ends(1);
    assert!(ended.out.contains("x␠␠"), "{}", ended.out);
}

#[test]
fn bytes_behind_an_answer_are_shown() {
    let (_, ended) = told(&["bytes-after-body"], &["http"]);
    ended.ends(1).says(&["4 bytes follow the answer: \\r\\n"]);
}

#[test]
fn a_fault_of_comparison_or_of_length_is_one_problem_with_its_cause() {
    let (desk, ended) = told(&["numbers-composed"], &["unique"]);
    ended.ends(1).says(&["cause keys are compared in a Unicode normalisation form"]);
    assert_eq!(problems(&desk, "confirmed").len(), 1, "{:#?}", problems(&desk, "confirmed"));
    let (desk, ended) = told(&["length-in-characters"], &["http", "echo"]);
    ended
        .ends(1)
        .says(&["the Content-Length counts the characters of the body, and not its bytes"]);
    assert_eq!(problems(&desk, "confirmed").len(), 1, "{:#?}", problems(&desk, "confirmed"));
}

#[test]
fn what_comes_and_goes_says_so_in_its_title() {
    let (_desk, ended) = told(&["server-error-now-and-then"], &["accept", "order", "refuse"]);
    ended.ends(1).says(&["An ordinary request never gets a 5xx (broken now and then)"]);
}
