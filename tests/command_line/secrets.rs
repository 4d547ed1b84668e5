//! The token is a secret: it goes to the target, and nowhere else.

use serde_json::{Value, json};

use crate::common::hand::{Hand, Said, verdicts};
use crate::common::{Desk, files};

const CANARY: &str = "canary-5f2b9c-Tok3n+with/signs=";
const TENANT: &str = "tenant-canary-771";

/// A token as it stands, as JSON writes it, and in other clothes that a log might give it.
fn guises(secret: &str) -> Vec<String> {
    let percent: String = secret
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c.to_string()
            } else {
                format!("%{:02X}", c as u32)
            }
        })
        .collect();
    vec![secret.to_owned(), secret.replace('/', "\\/"), percent]
}

#[track_caller]
fn kept(desk: &Desk, printed: &str) {
    for secret in guises(CANARY).into_iter().chain(guises(TENANT)) {
        assert!(!printed.contains(&secret), "`{secret}` was printed:\n{printed}");
        for (path, text) in files(&desk.reports()) {
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains(&secret), "`{secret}` stands in {}", path.display());
        }
    }
}

/// A server that tells everybody what it was told, in body, headers and reason.
fn echoing(status: u16) -> Hand {
    Hand::start(move |heard| {
        let told = heard.header("authorization").unwrap_or("nothing").to_owned();
        let tenant = heard.header("x-tenant").unwrap_or("none").to_owned();
        let further =
            json!({ "errorDescription": format!("{told} of {tenant}"), "errorCode": "O001" });
        let mut said = match status {
            200 if heard.items().is_empty() => Said::json(400, &further),
            200 => verdicts(heard, "REQUEST_ACCEPTED", &further),
            status => Said::json(status, &further),
        };
        // As PHP, .NET and Gson write JSON: a reader of the report sees the plain text again.
        said.body = said.body.replace('/', "\\/").replace('+', "\\u002B").replace('=', "\\u003d");
        said.headers = vec![
            ("WWW-Authenticate".to_owned(), told.clone()),
            ("Set-Cookie".to_owned(), format!("session={told}; tenant={tenant}")),
            ("X-Echo".to_owned(), told),
        ];
        said
    })
}

#[test]
fn a_token_that_the_target_echoes_is_in_no_report_and_no_output() {
    let desk = Desk::new();
    desk.file("p.yaml", "headers: { X-Tenant: \"${env:BATCHPROOF_TEST_TENANT}\" }\n");
    for status in [200, 400, 401, 500] {
        let hand = echoing(status);
        let mut command = desk.command();
        let output = command
            .args(["run", "unique", "auth", "echo/unusual-strings", "--depth", "quick"])
            .args(["--profile", "p.yaml", "--target", &hand.url])
            .env("BATCHPROOF_TOKEN", CANARY)
            .env("BATCHPROOF_TEST_TENANT", TENANT)
            .output()
            .unwrap();
        let sent = format!("Bearer {CANARY}");
        assert!(hand.heard().iter().any(|h| h.header("authorization") == Some(&sent)), "{status}");
        assert!(hand.heard().iter().any(|h| h.header("x-tenant") == Some(TENANT)), "{status}");
        assert!(desk.reports().join("record.jsonl").exists(), "{status}");
        let printed =
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        kept(&desk, &printed);
    }
}

#[test]
fn a_token_from_a_file_is_in_no_report_and_no_output() {
    let desk = Desk::new();
    desk.file("secret/token", CANARY);
    let hand = echoing(200);
    let ended = desk.batchproof(&[
        "run",
        "order",
        "auth",
        "http",
        "--depth",
        "quick",
        "--token-file",
        "secret/token",
        "--target",
        &hand.url,
    ]);
    assert_eq!(ended.code, 1, "{}", ended.text());
    kept(&desk, &ended.text());
}

#[test]
fn the_curl_line_names_the_token_and_does_not_hold_it() {
    let desk = Desk::new();
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ODD", &Value::Null));
    desk.file("one.yaml", "title: x\nsteps: [{ batch: 1 }]\n");
    let ended = desk.with_token(&["run", "one.yaml", "--target", &hand.url], Some(CANARY)).ends(1);
    assert!(ended.out.contains("$BATCHPROOF_TOKEN"), "{}", ended.out);
    kept(&desk, &ended.text());
}
