//! Targets that can't be judged: exit 3, nothing claimed, and what to do next.

use serde_json::json;

use crate::common::hand::{Hand, Said, verdicts};
use crate::common::{Desk, Serving, closed_port};

/// Nothing is claimed of a target that was not judged.
#[track_caller]
fn nothing_is_claimed(desk: &Desk) {
    let report = desk.report();
    assert_eq!(report["conclusion"], "inconclusive");
    assert_eq!(report["findings"], json!([]));
    assert!(!report["reasons"].as_array().unwrap().is_empty());
    for rule in report["rules"].as_array().unwrap() {
        assert_eq!(rule["counts"]["passed"], 0, "{rule}");
    }
}

#[test]
fn a_target_that_refuses_the_connection() {
    let desk = Desk::new();
    let url = format!("http://127.0.0.1:{}", closed_port());
    desk.batchproof(&["run", "--target", &url]).ends(3).says(&[
        "INCONCLUSIVE",
        &url,
        "can't be reached",
        "Is it running, is the address right",
    ]);
    nothing_is_claimed(&desk);
}

#[test]
fn a_wrong_token() {
    let desk = Desk::new();
    let serving = Serving::start(&[], Some("the-right-token"));
    desk.with_token(&["run", "--target", &serving.url], Some("another-token")).ends(3).says(&[
        "refused the credentials: 401",
        "Is the token right",
        "--token-file",
    ]);
    nothing_is_claimed(&desk);
}

#[test]
fn a_missing_token() {
    let desk = Desk::new();
    let serving = Serving::start(&[], Some("the-right-token"));
    desk.batchproof(&["run", "--target", &serving.url]).ends(3).says(&[
        "refused the credentials",
        "No token was given",
        "--token-file",
        "BATCHPROOF_TOKEN",
    ]);
    nothing_is_claimed(&desk);
}

#[test]
fn the_right_token_from_a_file() {
    let desk = Desk::new();
    desk.file("token", "the-right-token\n");
    let serving =
        Serving::start(&["--token-file", desk.path().join("token").to_str().unwrap()], None);
    desk.batchproof(&["run", "auth", "--target", &serving.url, "--token-file", "token"])
        .ends(0)
        .says(&["CONFORMANT"]);
}

#[test]
fn a_target_that_knows_none_of_the_accounts() {
    let desk = Desk::new();
    let hand = Hand::start(|heard| {
        let further = json!({ "errorCode": "B002", "errorDescription": "unknown account" });
        verdicts(heard, "REQUEST_REJECTED", &further)
    });
    let ended = desk.batchproof(&["run", "--target", &hand.url]).ends(3).says(&[
        "INCONCLUSIVE",
        "refused every plain item",
        "unknown account",
        "--profile profile.yaml",
        "values: accountExtId: [",
    ]);
    nothing_is_claimed(&desk);
    assert!(hand.heard().len() < 20, "{} requests", hand.heard().len());

    // What is printed is a profile as it stands.
    let printed = ended.out.split("# profile.yaml").last().unwrap();
    desk.file("profile.yaml", format!("# profile.yaml{printed}"));
    desk.batchproof(&["run", "--plan", "--profile", "profile.yaml"]).ends(0);
}

#[test]
fn a_target_that_answers_400_to_everything() {
    let desk = Desk::new();
    let hand = Hand::start(|_| {
        Said::json(
            400,
            &json!({ "resultType": "REQUEST_REJECTED", "errorCode": "B017",
                                 "errorDescription": "businessUnit is mandatory" }),
        )
    });
    desk.batchproof(&["run", "--target", &hand.url])
        .ends(3)
        .says(&["businessUnit is mandatory", "required: ["]);
    nothing_is_claimed(&desk);
}

#[test]
fn an_endpoint_that_is_not_there() {
    let desk = Desk::new();
    let hand = Hand::start(|_| Said::json(404, &json!({ "status": 404, "error": "Not Found" })));
    desk.batchproof(&["run", "--target", &hand.url])
        .ends(3)
        .says(&["has no POST /amlyze-ws-rest/batch-account-balances", "--target"]);
    nothing_is_claimed(&desk);
}

#[test]
fn a_target_that_redirects() {
    let desk = Desk::new();
    let hand = Hand::start(|_| Said {
        status: 307,
        headers: vec![("Location".to_owned(), "https://elsewhere.example/login".to_owned())],
        body: String::new(),
    });
    desk.batchproof(&["run", "--target", &hand.url])
        .ends(3)
        .says(&["redirects to https://elsewhere.example/login", "not followed"]);
    nothing_is_claimed(&desk);
}

#[test]
fn a_plan_sends_nothing() {
    let desk = Desk::new();
    let hand = Hand::start(|_| Said::json(200, &json!({})));
    desk.batchproof(&["run", "--plan", "--target", &hand.url])
        .ends(0)
        .says(&["unique/replayed", "nothing was sent"]);
    assert_eq!(hand.heard().len(), 0);
    let url = format!("http://127.0.0.1:{}", closed_port());
    desk.batchproof(&["run", "--plan", "--target", &url]).ends(0);
    assert!(!desk.reports().exists());
}

#[test]
fn a_plan_for_another_host_says_how_long_it_takes() {
    Desk::new()
        .batchproof(&["run", "--plan", "--depth", "quick", "--target", "https://staging.example"])
        .ends(0)
        .says(&[
            "https://staging.example",
            "at 20/s",
            "numbers beginning with",
            "nothing was sent",
        ]);
}
