//! Mistakes in case files are errors before anything is sent, and each message shows the right spelling.

use serde_json::Value;

use crate::harness::hand::{Hand, verdicts};
use crate::harness::{Desk, closed_port};

/// A case with these steps can't be run: exit 2 with these words, and nothing was sent.
#[track_caller]
fn refused(steps: &str, words: &[&str]) {
    let desk = Desk::new();
    desk.file("case.yaml", format!("title: x\nsteps:\n{steps}"));
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url]).ends(2).says(words);
    assert!(hand.heard().is_empty(), "something was sent");
}

#[test]
fn the_items_of_a_step_have_names_of_their_own() {
    let several = "  - { as: one, batch: 3 }\n  - batch: [{ set: { communicationNumber: \"${one.communicationNumber}\" } }]\n";
    refused(
        several,
        &[
            "case.yaml:4:",
            "the step `one` sends 3 items",
            "`batch: [{ as: ITEM }]`",
            "`${ITEM.communicationNumber}`",
        ],
    );
    let body = "  - { as: one, body: '{}' }\n  - body: '{\"x\":\"${one.value}\"}'\n";
    refused(body, &["the step `one` does not say which items it sends"]);
    let never = "  - batch: [{ set: { communicationNumber: \"${never.communicationNumber}\" } }]\n";
    refused(never, &["nothing earlier is called `never`"]);
    let later = "  - body: '{\"x\":\"${b.status}\"}'\n  - { as: b, batch: 1 }\n";
    refused(later, &["nothing earlier is called `b`"]);
    let together = "  - simultaneously:\n      - { as: a, batch: 1 }\n      - { body: '{\"x\":\"${a.status}\"}' }\n";
    refused(together, &["`a` is sent at the same time: it is not answered yet"]);
    let item = "  - batch: [{ as: a }]\n  - body: '{\"x\":\"${a.status}\"}'\n";
    refused(item, &["`a` is an item", "only a step has an answer", "${STEP.status}"]);
}

#[test]
fn the_name_of_a_step_with_one_item_stands_for_that_item() {
    let desk = Desk::new();
    desk.file(
        "case.yaml",
        "title: x\nsteps:\n  - { as: one, batch: 1 }\n  - batch: [{ set: { communicationNumber: \"${one.communicationNumber}\" } }]\n    expect: { rejected: O005 }\n  - body: '{\"x\":${one.status}}'\n",
    );
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url]);
    let heard = hand.heard();
    let key = |at: usize| heard[at].items()[0]["communicationNumber"].clone();
    assert_eq!(key(0), key(1));
    assert!(heard.iter().any(|h| h.body == b"{\"x\":200}"), "the step's own status");
    desk.batchproof(&["run", "case.yaml"]).ends(0);
}

#[test]
fn a_step_is_not_an_item_and_an_item_not_a_step() {
    let like = "  - { as: one, batch: 1 }\n  - batch: [{ like: one }]\n";
    refused(like, &["case.yaml:4:", "`one` is a step, not an item", "batch: [{ as: one }]"]);
    let resend = "  - batch: [{ as: a }]\n  - { resend: a }\n";
    refused(resend, &["`a` is an item, not a step", "- { as: a, batch: … }"]);
}

#[test]
fn an_outcome_with_its_code_is_shown_as_it_is_written() {
    let words = ["`{ rejected: O005 }`"];
    refused("  - { batch: 1, expect: { results: rejected O005 } }\n", &words);
    refused("  - { batch: 1, expect: rejected O005 }\n", &words);
    refused("  - { batch: 1, expect: { results: [rejected O005] } }\n", &words);
    refused("  - { batch: 1, expect: { refused O001 } }\n", &["`refused: O001`"]);
}

#[test]
fn a_key_in_the_wrong_place_is_told_where_it_belongs() {
    refused(
        "  - { batch: 1, mutate: drop-required }\n",
        &["unknown key `mutate`", "`batch: [{ mutate: NAME }]`"],
    );
    refused(
        "  - { batch: 1, set: { value: 1 } }\n",
        &["unknown key `set`", "`batch: [{ set: { … } }]`"],
    );
    refused(
        "  - batch: [{ mutate: drop-requird }]\n",
        &["there is no mutation `drop-requird`", "did you mean `drop-required`?"],
    );
}

#[test]
fn a_misspelt_field_is_sent_with_a_warning() {
    let desk = Desk::new();
    desk.file("case.yaml", "title: x\nsteps:\n  - batch:\n      - set: { valeu: 3, extra: 1 }\n");
    let ended = desk.batchproof(&["run", "case.yaml"]).ends(0);
    let words = ["warning: ", "case.yaml:4:16", "no field `valeu`", "did you mean `value`?"];
    for word in words {
        assert!(ended.err.contains(word), "{}", ended.err);
    }
    // The schema is open; a field that is like no other may be meant.
    assert!(ended.err.contains("no field `extra`: it is sent"), "{}", ended.err);
}

/// A batch with everything that reading and writing JSON would change.
const FILE: &str = "{ \"accountBalances\" : [\n\t{\"communicationNumber\":\"k-1\",\"accountExtId\":\"k-2\",\"balanceAt\":\"2024-01-01T00:00:00Z\",\"requester\":\"r\",\"value\":1.10},\r\n  {\"value\":2e1, \"requester\":\"\\u0072\",\"communicationNumber\" : \"k-2\",\"accountExtId\":\"A\",\"balanceAt\":\"2024-01-01T00:00:00Z\"},\n{\"communicationNumber\":\"\\u006b-1\",\"accountExtId\":\"A\",\"balanceAt\":\"2024-01-01T00:00:00Z\",\"requester\":\"r\",\"value\":3}]}\n";

#[test]
fn fresh_keys_change_the_keys_and_no_other_byte() {
    let desk = Desk::new();
    desk.file("three.json", FILE);
    desk.file("case.yaml", "title: x\nsteps: [{ batch-from: three.json, fresh-keys: true }]\n");
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url]);
    let heard = hand.heard();
    let items = heard[0].items();
    let key = |at: usize| items[at]["communicationNumber"].as_str().unwrap().to_owned();
    assert_eq!(key(0), key(2), "equal keys stay equal, however they are written");
    let sent = String::from_utf8(heard[0].body.clone()).unwrap();
    let (first, second) = (format!("\"{}\"", key(0)), format!("\"{}\"", key(1)));
    let expected = FILE
        .replace("\"communicationNumber\":\"k-1\"", &format!("\"communicationNumber\":{first}"))
        .replace(
            "\"communicationNumber\" : \"k-2\"",
            &format!("\"communicationNumber\" : {second}"),
        )
        .replace("\"\\u006b-1\"", &first);
    assert_eq!(sent, expected);
}

#[test]
fn equal_keys_of_a_file_stay_equal_in_all_steps() {
    let desk = Desk::new();
    desk.file(
        "three.json",
        "{\"accountBalances\":[{\"communicationNumber\":\"a\",\"accountExtId\":\"A\",\"balanceAt\":\"2024-01-01T00:00:00Z\",\"requester\":\"r\",\"value\":1},{\"communicationNumber\":\"b\",\"accountExtId\":\"A\",\"balanceAt\":\"2024-01-01T00:00:00Z\",\"requester\":\"r\",\"value\":1}]}",
    );
    desk.file(
        "case.yaml",
        "title: the same batch again is rejected\nsteps:\n  - { batch-from: three.json, fresh-keys: true, expect: accepted }\n  - { batch-from: three.json, fresh-keys: true, expect: { rejected: O005 } }\n",
    );
    desk.batchproof(&["run", "case.yaml"]).ends(0);
    let faulty = crate::harness::Serving::start(&["--fault", "unique-within-batch-only"], None);
    desk.batchproof(&["run", "case.yaml", "--target", &faulty.url]).ends(1).says(&["UNIQUE-001"]);
}

#[test]
fn a_file_of_a_batch_reaches_captures() {
    let desk = Desk::new();
    let item = |key: &str| {
        format!(
            "{{\"communicationNumber\":\"{key}\",\"accountExtId\":\"$${{x}}\",\"balanceAt\":\"2024-01-01T00:00:00Z\",\"requester\":\"r\",\"value\":1}}"
        )
    };
    desk.file(
        "again.json",
        format!(
            "{{\"accountBalances\":[{},{}]}}",
            item("${first.communicationNumber}"),
            item("${fresh}")
        ),
    );
    desk.file(
        "case.yaml",
        "title: x\nsteps:\n  - batch: [{ as: first }]\n  - { batch-from: again.json, expect: { results: [{ rejected: O005 }, accepted] } }\n",
    );
    desk.batchproof(&["run", "case.yaml"]).ends(0);
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url]);
    assert_eq!(hand.heard()[1].items()[0]["accountExtId"], "${x}");
    desk.file(
        "again.json",
        "{\"accountBalances\":[\n  {\"communicationNumber\":\"${frist.communicationNumber}\"}]}",
    );
    let words = ["again.json:2:27", "nothing earlier is called `frist`", "did you mean `first`?"];
    desk.batchproof(&["run", "case.yaml"]).ends(2).says(&words);
    desk.file(
        "again.json",
        "{\"accountBalances\":[\n  {\"communicationNumber\":\"${first.comunicationNumber}\"}]}",
    );
    let words =
        ["again.json:2:27", "no field `comunicationNumber`", "did you mean `communicationNumber`?"];
    desk.batchproof(&["run", "case.yaml"]).ends(2).says(&words);
}

#[test]
fn a_name_of_several_items_is_not_one_item() {
    let many =
        "  - batch: [{ as: many, times: 3 }]\n  - batch: [{ set: { value: \"${many.value}\" } }]\n";
    refused(
        many,
        &["case.yaml:4:", "`many` is 3 items: which of them is meant?", "`- { as: many }`"],
    );
}

#[test]
fn a_field_that_the_contract_does_not_name_is_told_near_or_far() {
    let desk = Desk::new();
    desk.file(
        "case.yaml",
        "title: x\nsteps:\n  - batch: [{ set: { whatever: 3, balanceTyp: DAILY_BALANCE } }]\n",
    );
    desk.batchproof(&["run", "case.yaml"]).says(&[
        "warning: case.yaml:3:22: the contract has no field `whatever`: it is sent beside the others",
        "its fields are accountExtId,",
        "no field `balanceTyp`",
        "did you mean `balanceType`?",
    ]);
}

#[test]
fn a_position_is_told_once_and_a_message_says_what_is_right() {
    for (case, says) in [
        ("title: x\nsteps:\n  - batch: [1, 2\n  - x\n", "case.yaml:3:"),
        ("title: \"x\nsteps: 3\n", "case.yaml:2:1: "),
        (
            "title: x\nsteps:\n  - batch: 9..5\n",
            "the range 9..5 ends before it begins; write it as 5..9",
        ),
        (
            "title: x\ngenerate: { items: 9..5 }\n",
            "the range 9..5 ends before it begins; write it as 5..9",
        ),
    ] {
        let desk = Desk::new();
        desk.file("case.yaml", case);
        let ended = desk.batchproof(&["run", "case.yaml"]).ends(2).says(&[says]);
        assert!(!ended.err.contains("at line"), "{}", ended.err);
    }
    let desk = Desk::new();
    let ended = desk.batchproof(&["run", "--rate", "5/m"]).ends(2);
    ended.says(&["a rate is for a second: write it as `0.0833/s`"]);
    desk.batchproof(&["run", "--rate", "fast"]).ends(2).says(&["such as `20/s` or `0.5/s`"]);
}

#[test]
fn a_mistake_in_oauth_settings_is_found_at_its_line() {
    let desk = Desk::new();
    let profile = |more: &str| {
        let text = format!(
            "# where tokens come from\nauth:\n  oauth2:\n    token-url: http://127.0.0.1:9/token\n    client-id: batchproof\n{more}"
        );
        desk.file("profile.yaml", text);
    };
    let run = ["run", "--profile", "profile.yaml", "--target", "http://127.0.0.1:9"];
    profile("    scope: balances\n    client-secret: hunter2\n");
    let ended =
        desk.batchproof(&run).ends(2).says(&["profile.yaml:7:5:", "holds no secret itself"]);
    assert!(!ended.text().contains("hunter2"));
    profile("    client-secret: \"${env:NO_SUCH_SECRET}\"\n    scop: balances\n");
    desk.batchproof(&run).ends(2).says(&["profile.yaml:7:5:", "unknown field `scop`"]);
}

#[test]
fn a_token_endpoint_that_is_down_leaves_the_run_inconclusive() {
    let desk = Desk::new();
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    desk.file(
        "profile.yaml",
        format!(
            "auth:\n  oauth2:\n    token-url: http://127.0.0.1:{}/token\n    client-id: a\n    client-secret: {{ file: secret }}\n",
            closed_port()
        ),
    );
    desk.file("secret", "not-a-secret");
    desk.batchproof(&["run", "--profile", "profile.yaml", "--target", &hand.url]).ends(3).says(&[
        "INCONCLUSIVE",
        "the token endpoint",
        "Connection refused",
    ]);
    assert!(hand.heard().is_empty(), "something was sent");
}

#[test]
fn what_no_memory_holds_and_what_has_no_end_is_refused() {
    refused(
        "  - { method: GET, path: /x }\n  - batch: 99999999999\n",
        &["case.yaml:4:", "a batch of 99999999999 items", "at most 100000", "as a stream"],
    );
    refused(
        "  - batch: [{ times: 60000 }, { times: 60000 }]\n",
        &["case.yaml:3:", "a batch of 120000 items"],
    );
    refused("  - batch-from: /dev/zero\n", &["/dev/zero", "not a regular file"]);
}

#[test]
fn no_control_character_of_a_file_reaches_the_terminal() {
    let desk = Desk::new();
    desk.file("case.yaml", "title: x\nsteps:\n  - \"ba\\e[2Jtch\": 1\n");
    let ended = desk.batchproof(&["run", "case.yaml"]).ends(2).says(&["ba\\u{1b}[2Jtch"]);
    assert!(!ended.text().contains('\u{1b}'));
}
