//! `doctor`: what it says of a target that is ready, of one that is not, and of one that is not there.

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Heard, Said, verdicts};
use crate::harness::{Desk, Ended, Serving, closed_port, tls};

const TOKEN: &str = "a-token-for-doctor";

fn doctor(desk: &Desk, url: &str, further: &[&str]) -> Ended {
    desk.with_token(&[&["doctor", "--target", url], further].concat(), Some(TOKEN))
}

/// The lines of a topic: how it is, and what was seen.
fn said<'a>(ended: &'a Ended, topic: &str) -> Vec<(&'a str, &'a str)> {
    let lines = ended.out.lines().filter_map(|line| line.split_once("  "));
    lines
        .filter(|(_, rest)| rest.trim_start().starts_with(topic))
        .map(|(word, rest)| (word.trim(), rest))
        .collect()
}

#[track_caller]
fn says_once(ended: &Ended, topic: &str, word: &str, part: &str) {
    let lines = said(ended, topic);
    let fits = |(found, rest): &(&str, &str)| *found == word && rest.contains(part);
    assert!(
        lines.iter().any(fits),
        "{topic}: {word} {part} is missing in\n{}{}",
        ended.out,
        ended.err
    );
}

#[test]
fn a_ready_target_is_ready_over_tls_too() {
    let desk = Desk::new();
    let (chain, key, ca) = (tls::file("server.pem"), tls::file("server.key"), tls::file("ca.pem"));
    let encrypted = Serving::start(&["--tls-cert", &chain, "--tls-key", &key], Some(TOKEN));
    let plain = Serving::start(&["--refusal-mode", "item"], Some(TOKEN));
    for (serving, further, mode) in
        [(&encrypted, &["--ca", ca.as_str()][..], "`request`"), (&plain, &[], "`item`")]
    {
        let ended = doctor(&desk, &serving.url, further).ends(0).says(&["ready for a run"]);
        assert!(!ended.out.lines().any(|line| line.starts_with("wrong")), "{}", ended.out);
        says_once(&ended, "batch", "ok", "200, all accepted");
        says_once(&ended, "credentials", "ok", "a wrong token is refused with 401");
        says_once(&ended, "credentials", "ok", "no token is refused with 401");
        says_once(&ended, "used keys", "ok", "200, all rejected with O005");
        says_once(&ended, "refusal", "ok", mode);
        assert!(!ended.text().contains(TOKEN), "{}", ended.text());
        let last = ended.out.lines().last().unwrap();
        let requests: u32 = last
            .split("; ")
            .nth(1)
            .and_then(|part| part.split(' ').next())
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=10).contains(&requests), "{last}");
    }
    let ended = doctor(&desk, &encrypted.url, &["--ca", &ca]);
    says_once(&ended, "encryption", "ok", "TLS 1.3");
    let (_, certificate) = said(&ended, "certificate")[0];
    assert!(certificate.contains("issued by") && certificate.contains("ends 2"), "{certificate}");
}

#[test]
fn a_certificate_that_is_not_trusted_is_shown_and_nothing_is_sent() {
    let desk = Desk::new();
    let expired = tls::file("expired.pem");
    let hand = tls::start_with(&expired, &expired, None, |heard| {
        verdicts(heard, "REQUEST_ACCEPTED", &Value::Null)
    });
    let ended = doctor(&desk, &hand.url, &["--ca", &tls::file("further-ca.pem")]).ends(3);
    says_once(&ended, "encryption", "wrong", "has expired");
    says_once(&ended, "certificate", "wrong", "not trusted");
    assert!(hand.heard().is_empty(), "no request may be sent");
}

#[test]
fn what_cannot_be_reached_exits_with_3() {
    let desk = Desk::new();
    let closed = format!("http://127.0.0.1:{}", closed_port());
    says_once(&doctor(&desk, &closed, &[]).ends(3), "connection", "wrong", "");
    says_once(
        &doctor(&desk, "http://no-such-host.invalid", &[]).ends(3),
        "address",
        "wrong",
        "no-such-host.invalid",
    );
    doctor(&desk, "ftp://x", &[]).ends(2);
    doctor(&desk, &closed, &["--wait", "1"]).ends(3).says(&["was not up within 1s"]);
}

#[test]
fn a_wrong_token_a_wrong_path_and_a_page_are_told_apart() {
    let desk = Desk::new();
    let serving = Serving::start(&[], Some("another-token"));
    let ended = doctor(&desk, &serving.url, &[]).ends(1).says(&["--token-file", "not ready"]);
    says_once(&ended, "credentials", "wrong", "refused: 401");
    let open = Serving::start(&[], Some(TOKEN));
    let nowhere = format!("{}/beside", open.url);
    says_once(&doctor(&desk, &nowhere, &[]).ends(1), "batch", "wrong", "there is no POST");
    let moved = Hand::start(|_| Said {
        status: 308,
        headers: vec![("Location".to_owned(), "https://elsewhere.example/".to_owned())],
        body: String::new(),
    });
    says_once(
        &doctor(&desk, &moved.url, &[]).ends(1),
        "batch",
        "wrong",
        "it redirects to https://elsewhere.example/",
    );
    let page = Hand::start(|_| Said {
        status: 200,
        headers: Vec::new(),
        body: "<html>Sign in</html>".to_owned(),
    });
    let ended = doctor(&desk, &page.url, &[]).ends(1).says(&["gateway's sign-in page"]);
    says_once(&ended, "batch", "wrong", "Sign in");
}

/// A server that rejects all items but those with this account.
fn knowing(account: &'static str) -> impl Fn(&Heard) -> Said {
    move |heard| {
        let results: Vec<Value> = heard
            .items()
            .iter()
            .map(|item| {
                let mut result = json!({ "communicationNumber": item["communicationNumber"], "accountExtId": item["accountExtId"] });
                let known = item["accountExtId"] == account;
                result["resultType"] = if known { json!("REQUEST_ACCEPTED") } else { json!("REQUEST_REJECTED") };
                if !known {
                    result["errorCode"] = json!("B002");
                }
                result
            })
            .collect();
        Said::json(200, &json!({ "results": results }))
    }
}

#[test]
fn accounts_that_the_target_does_not_know_are_named_with_the_profile_to_write() {
    let desk = Desk::new();
    let hand = Hand::start(knowing("ACC-7"));
    let ended = doctor(&desk, &hand.url, &[]).ends(1).says(&[
        "values:",
        "accountExtId:",
        "--profile profile.yaml",
    ]);
    says_once(&ended, "references", "wrong", "rejected with B002");
    assert!(hand.heard().len() <= 10, "{}", hand.heard().len());
    desk.file("profile.yaml", "values: { accountExtId: [ACC-7] }\n");
    let ended = doctor(&desk, &hand.url, &["--profile", "profile.yaml"]).ends(0);
    says_once(&ended, "batch", "ok", "200, all accepted");
    // It takes any token, and accepts used keys: somebody should look.
    says_once(&ended, "credentials", "look", "a wrong token is accepted");
    says_once(&ended, "used keys", "look", "200, all accepted");
}

#[test]
fn clocks_and_limits_are_read_from_headers() {
    let desk = Desk::new();
    let date = |ahead: i64| {
        (chrono::Utc::now() + chrono::TimeDelta::seconds(ahead))
            .format("%a, %d %b %Y %H:%M:%S GMT")
            .to_string()
    };
    for (ahead, word) in [(0, "ok"), (60, "look"), (-3600, "wrong")] {
        let hand = Hand::start(move |heard| {
            let mut said = verdicts(heard, "REQUEST_ACCEPTED", &Value::Null);
            said.headers.push(("Date".to_owned(), date(ahead)));
            said.headers.push(("RateLimit-Policy".to_owned(), "\"burst\";q=50;w=1".to_owned()));
            said
        });
        let ended = doctor(&desk, &hand.url, &[]);
        says_once(&ended, "clock", word, "");
        says_once(&ended, "limits", "look", "ratelimit-policy");
        assert!(ended.out.contains("limits: { rate: 50/s }"), "{}", ended.out);
        assert_eq!(ended.code, i32::from(word == "wrong"), "{}", ended.out);
    }
}
