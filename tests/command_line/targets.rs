//! Targets that can't be judged: exit 3, nothing claimed, and what to do next.

use serde_json::json;

use crate::harness::hand::{Hand, Said, verdicts};
use crate::harness::{Desk, Serving, closed_port, tls};

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
        .says(&["https://staging.example", "at 20/s", "keys start with", "nothing was sent"]);
}

const ONE: &str = "title: x\nsteps: [{ batch: 2, expect: accepted }]\n";

fn accepting(mutual: bool) -> Hand {
    tls::start(mutual, |heard| verdicts(heard, "REQUEST_ACCEPTED", &serde_json::Value::Null))
}

#[test]
fn a_certificate_of_an_unknown_issuer_is_told_with_what_to_do() {
    let desk = Desk::new();
    let hand = accepting(false);
    desk.batchproof(&["run", "--target", &hand.url]).ends(3).says(&[
        "can't be reached",
        "certificate",
        "--ca F",
        "--insecure",
    ]);
    nothing_is_claimed(&desk);
    assert!(hand.heard().is_empty());
}

#[test]
fn ca_and_insecure_take_a_certificate_of_an_unknown_issuer() {
    let desk = Desk::new();
    let hand = accepting(false);
    desk.file("one.yaml", ONE);
    let ca = tls::file("ca.pem");
    for trust in [&["--ca", ca.as_str()][..], &["--insecure"]] {
        let run = ["run", "one.yaml", "--target", &hand.url];
        desk.batchproof(&[&run[..], trust].concat()).ends(0).says(&["CONFORMANT"]);
    }
}

#[test]
fn cert_is_shown_to_a_target_that_asks_for_one() {
    let desk = Desk::new();
    let hand = accepting(true);
    desk.file("one.yaml", ONE);
    let (ca, client) = (tls::file("ca.pem"), tls::file("client.pem"));
    let run = ["run", "one.yaml", "--target", &hand.url, "--ca", &ca, "--cert", &client];
    desk.batchproof(&run).ends(0).says(&["CONFORMANT"]);
    // Without it, the opening says what may lack.
    desk.batchproof(&["run", "--target", &hand.url, "--ca", &ca])
        .ends(3)
        .says(&["nothing was tested", "--cert F"]);
    nothing_is_claimed(&desk);
}

#[test]
fn files_without_a_certificate_are_usage_errors() {
    let desk = Desk::new();
    let (key, certificate) = (tls::file("server.key"), tls::file("server.pem"));
    let run = ["run", "--target", "https://127.0.0.1:9"];
    for (option, file, says) in [
        ("--ca", key.as_str(), "it holds no certificate"),
        ("--ca", "nowhere.pem", "--ca nowhere.pem"),
        ("--cert", certificate.as_str(), "a certificate, but no private key"),
        ("--cert", "nowhere.pem", "--cert nowhere.pem"),
    ] {
        desk.batchproof(&[&run[..], &[option, file]].concat()).ends(2).says(&[says]);
    }
}

#[test]
fn the_wrong_protocol_is_told() {
    let desk = Desk::new();
    let (plain, secure) = (
        Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &serde_json::Value::Null)),
        accepting(false),
    );
    desk.batchproof(&["run", "--target", &plain.url.replace("http:", "https:")])
        .ends(3)
        .says(&["is it http rather than https?"]);
    desk.batchproof(&["run", "--target", &secure.url.replace("https:", "http:")])
        .ends(3)
        .says(&["is it https rather than http?"]);
}
