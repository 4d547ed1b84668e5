//! Tokens that come from commands, endpoints and files of every kind, and that expire during a run.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use crate::harness::hand::{Hand, Heard, Said, verdicts};
use crate::harness::{Desk, Serving, files, tls};

/// Requests that a rotating server takes with one token.
const USES: u64 = 25;

/// A gate that takes each token for a number of requests, and wants the next one then.
#[derive(Default)]
struct Gate {
    /// The newest token, and how often it was used.
    state: Mutex<(u64, u64)>,
    refused: AtomicU64,
}

impl Gate {
    /// Whether the token `canary-token-N` of a request is good.
    fn takes(&self, heard: &Heard) -> bool {
        let number = heard
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer canary-token-")?.parse().ok());
        let mut state = self.state.lock().unwrap();
        let good = match number {
            Some(number) if number > state.0 => {
                *state = (number, 1);
                true
            }
            Some(number) if number == state.0 && state.1 < USES => {
                state.1 += 1;
                true
            }
            _ => false,
        };
        if !good {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        good
    }

    /// What a correct server answers behind it.
    fn answer(&self, heard: &Heard) -> Said {
        if !self.takes(heard) {
            let mut said = Said::json(401, &json!({ "error": "expired" }));
            said.headers.push(("WWW-Authenticate".to_owned(), "Bearer".to_owned()));
            return said;
        }
        if heard.method != "POST" {
            let mut said = Said::json(405, &json!({}));
            said.headers.push(("Allow".to_owned(), "POST".to_owned()));
            return said;
        }
        verdicts(heard, "REQUEST_ACCEPTED", &json!({}))
    }
}

/// A command that prints a new token each time, and counts how often it ran in the file `count`.
fn token_command(desk: &Desk) -> String {
    let count = desk.file("count", "0");
    desk.file(
        "token.sh",
        format!(
            "n=$(($(cat '{0}') + 1)); echo $n > '{0}'; printf '\\357\\273\\277Bearer canary-token-%s\\r\\n' $n\n",
            count.display()
        ),
    );
    "sh token.sh".to_owned()
}

fn times_run(desk: &Desk) -> u64 {
    std::fs::read_to_string(desk.path().join("count")).unwrap().trim().parse().unwrap()
}

/// Cases of every way to send: pooled, raw, at once, with another method, and one worker's own connection.
fn cases(desk: &Desk) -> String {
    let raw = "title: raw\nruns: 30\nsteps:\n  - raw: |\n      POST ${path} HTTP/1.1\n      Host: ${host}\n      \
               Authorization: Bearer ${token}\n      Content-Type: application/json\n      Accept: application/json\n      \
               Content-Length: ${length}\n\n      {\"accountBalances\":[${item}]}\n    expect: accepted\n";
    desk.file("cases/raw.yaml", raw);
    desk.file(
        "cases/many.yaml",
        "title: many\ngenerate: { items: 1..2, runs: 1500 }\nexpect: accepted\n",
    );
    desk.file(
        "cases/steps.yaml",
        "title: steps\nruns: 4\nsteps:\n  - { times: 30, batch: 1, expect: accepted }\n  - { times: 10, method: PUT, batch: 1, \
         expect: { status: 405 } }\n  - { simultaneously: [{ times: 8, batch: 1 }], expect: accepted }\n",
    );
    "cases".to_owned()
}

fn no_token_is_kept(desk: &Desk, printed: &str) {
    let mut texts: Vec<String> = files(&desk.reports())
        .into_iter()
        .map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    texts.push(printed.to_owned());
    for text in texts {
        assert!(!text.contains("canary-token-"), "a token is in: {text:.300}");
    }
}

/// A run through a rotating server, which may be reached by further arguments.
#[track_caller]
fn rotates(desk: &Desk, hand: &Hand, gate: &Gate, further: &[&str]) {
    let (command, cases) = (token_command(desk), cases(desk));
    let mut arguments = vec!["run", &cases, "--target", &hand.url, "--token-command", &command];
    arguments.extend(further);
    let ended = desk.batchproof(&arguments).ends(0);
    let heard = hand.heard().len() as u64;
    assert!(heard > 1700, "{heard} requests");
    let (refused, run) = (gate.refused.load(Ordering::Relaxed), times_run(desk));
    assert!(run >= heard / USES / 2, "the command ran {run} times for {heard} requests");
    assert!(run <= refused + 1, "it ran {run} times for {refused} refusals");
    no_token_is_kept(desk, &ended.text());
}

#[test]
fn a_token_that_expires_again_and_again_costs_no_finding() {
    let gate: &'static Gate = Box::leak(Box::default());
    let hand = Hand::start(move |heard| gate.answer(heard));
    rotates(&Desk::new(), &hand, gate, &[]);
}

#[test]
fn the_same_over_tls() {
    let gate: &'static Gate = Box::leak(Box::default());
    let hand = tls::start(false, move |heard| gate.answer(heard));
    rotates(&Desk::new(), &hand, gate, &["--ca", &tls::file("ca.pem")]);
}

#[test]
fn an_old_token_is_replaced_by_the_clock() {
    // A server that says nothing of old tokens, and a case that waits.
    let hand = Hand::start(move |heard| verdicts(heard, "REQUEST_ACCEPTED", &json!({})));
    let desk = Desk::new();
    let command = token_command(&desk);
    desk.file(
        "case.yaml",
        "title: t\nsteps:\n  - { batch: 1 }\n  - { pause: 1200, batch: 1, expect: accepted }\n",
    );
    let arguments = ["run", "case.yaml", "--target", &hand.url, "--token-interval", "300ms"];
    let mut all = arguments.to_vec();
    all.extend(["--token-command", &command]);
    desk.batchproof(&all).ends(0);
    let tokens: Vec<_> =
        hand.heard().iter().map(|h| h.header("authorization").unwrap().to_owned()).collect();
    assert_ne!(tokens.first(), tokens.last(), "{tokens:?}");
}

#[test]
fn a_request_that_is_always_refused_is_a_finding_all_the_same() {
    // Refuses whatever has three items, and takes each token.
    let hand = Hand::start(move |heard| {
        if heard.items().len() == 3 {
            return Said::json(401, &json!({}));
        }
        verdicts(heard, "REQUEST_ACCEPTED", &json!({}))
    });
    let desk = Desk::new();
    let command = token_command(&desk);
    desk.file(
        "case.yaml",
        "title: t\nasserts: ACCEPT-001\nsteps: [{ batch: 3, expect: accepted }]\n",
    );
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url, "--token-command", &command])
        .ends(1);
    assert!(!desk.found().is_empty());
}

#[test]
fn a_command_that_fails_says_so_and_accuses_nobody() {
    let desk = Desk::new();
    let gate: &'static Gate = Box::leak(Box::default());
    let hand = Hand::start(move |heard| gate.answer(heard));
    // At the start, nothing was sent.
    let failing = "echo the vault is sealed >&2; exit 7";
    let run = |command: &str| {
        desk.batchproof(&["run", "--target", &hand.url, "--token-command", command])
    };
    run(failing).ends(2).says(&["--token-command", "exit code 7", "the vault is sealed"]);
    run("printf '  '").ends(2).says(&["--token-command", "it is empty"]);
    let json = r#"echo '{"access_token":"canary-token-77"}'; echo; echo x"#;
    let ended = run(json).ends(2).says(&["jq -r .access_token"]);
    assert!(!ended.text().contains("canary"), "{}", ended.text());
    assert!(hand.heard().is_empty());
    // Later, the run is inconclusive, and what the command printed is shown without the token.
    desk.file("once.sh", "if [ -e used ]; then echo canary-token-1 is used up >&2; exit 3; fi\ntouch used; echo canary-token-1\n");
    let cases = cases(&desk);
    let ended = desk
        .batchproof(&["run", &cases, "--target", &hand.url, "--token-command", "sh once.sh"])
        .ends(3)
        .says(&["--token-command", "exit code 3", "[redacted] is used up"]);
    assert_eq!(desk.report()["findings"], json!([]));
    no_token_is_kept(&desk, &ended.text());
}

#[test]
fn a_token_file_is_read_as_it_was_saved() {
    let desk = Desk::new();
    let utf_16: Vec<u8> =
        "\u{feff}the-token\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    desk.file("windows.txt", &utf_16);
    desk.file("bearer.txt", "\u{feff}Bearer the-token\r\n");
    desk.file("blank.txt", "\u{feff} \r\n");
    desk.file("case.yaml", "title: t\nsteps: [{ batch: 1, expect: accepted }]\n");
    let serving = Serving::start(
        &["--token-file", &desk.path().join("bearer.txt").display().to_string()],
        None,
    );
    for file in ["windows.txt", "bearer.txt"] {
        desk.batchproof(&["run", "case.yaml", "--target", &serving.url, "--token-file", file])
            .ends(0);
    }
    desk.with_token(&["run", "case.yaml", "--target", &serving.url], Some("bearer the-token\n"))
        .ends(0);
    for command in ["run", "serve"] {
        desk.batchproof(
            &[command, "--token-file", "blank.txt", "--target", &serving.url]
                [..if command == "run" { 5 } else { 3 }],
        )
        .ends(2)
        .says(&["--token-file blank.txt", "it is empty"]);
    }
}

#[test]
fn a_header_of_the_profile_that_cannot_be_sent_is_an_error() {
    let desk = Desk::new();
    for (header, why) in [
        ("\"X Tenant\": a", "cannot be the name of a header"),
        ("\"X-Tenant:\": a", "cannot be the name of a header"),
        ("X-Tenant: \"a\\u0001b\"", "holds control characters"),
        ("Content-Length: \"7\"", "is set by batchproof itself"),
    ] {
        desk.file("profile.yaml", format!("headers: {{ {header} }}\n"));
        desk.batchproof(&["run", "--profile", "profile.yaml"])
            .ends(2)
            .says(&[why, "profile.yaml:1"]);
    }
}

/// A token endpoint that gives tokens for its one client, each living this number of seconds.
fn endpoint(lives: u64, post: bool) -> Hand {
    let count = AtomicU64::new(0);
    Hand::start(move |heard| {
        let form = String::from_utf8_lossy(&heard.body).into_owned();
        let good = if post {
            form.contains("client_id=batch+client")
                && form.contains("client_secret=s%2Fcret-canary")
        } else {
            // batch+client:s%2Fcret-canary
            heard.header("authorization") == Some("Basic YmF0Y2grY2xpZW50OnMlMkZjcmV0LWNhbmFyeQ==")
        };
        if !good || !form.contains("grant_type=client_credentials") || !form.contains("scope=a+b") {
            return Said::json(401, &json!({ "error": "invalid_client", "heard": form }));
        }
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        Said::json(
            200,
            &json!({ "access_token": format!("canary-token-{number}"), "expires_in": lives }),
        )
    })
}

fn oauth_profile(desk: &Desk, url: &str, further: &str) {
    desk.file("secret", "s/cret-canary\n");
    desk.file(
        "profile.yaml",
        format!(
            "auth:\n  oauth2:\n    token-url: {url}/token\n    client-id: batch client\n    client-secret: {{ file: secret }}\n    \
             scope: a b\n{further}"
        ),
    );
}

#[test]
fn client_credentials_are_exchanged_for_tokens() {
    for (post, further) in [(false, ""), (true, "    client-authentication: post\n")] {
        let gate: &'static Gate = Box::leak(Box::default());
        let (hand, tokens) = (Hand::start(move |heard| gate.answer(heard)), endpoint(3600, post));
        let desk = Desk::new();
        oauth_profile(&desk, &tokens.url, further);
        let cases = cases(&desk);
        let ended = desk
            .batchproof(&["run", &cases, "--target", &hand.url, "--profile", "profile.yaml"])
            .ends(0);
        assert!(tokens.heard().len() > 10, "asked again when a token was refused");
        no_token_is_kept(&desk, &ended.text());
        for (path, text) in files(&desk.reports()) {
            assert!(!String::from_utf8_lossy(&text).contains("cret-canary"), "{}", path.display());
        }
    }
}

#[test]
fn tokens_are_fetched_before_they_expire() {
    let hand = Hand::start(move |heard| verdicts(heard, "REQUEST_ACCEPTED", &json!({})));
    let tokens = endpoint(1, false);
    let desk = Desk::new();
    oauth_profile(&desk, &tokens.url, "");
    desk.file(
        "case.yaml",
        "title: t\nsteps:\n  - { batch: 1 }\n  - { pause: 2500, batch: 1, expect: accepted }\n",
    );
    desk.batchproof(&["run", "case.yaml", "--target", &hand.url, "--profile", "profile.yaml"])
        .ends(0);
    assert!(tokens.heard().len() >= 2, "{}", tokens.heard().len());
    assert!(hand.heard().iter().all(|heard| heard.header("authorization").is_some()));
}

#[test]
fn a_token_endpoint_that_refuses_is_named_with_its_answer() {
    let tokens = endpoint(60, true);
    let desk = Desk::new();
    oauth_profile(&desk, &tokens.url, "");
    let url = format!("{}/token", tokens.url);
    let ended = desk
        .batchproof(&["run", "--target", "http://127.0.0.1:9", "--profile", "profile.yaml"])
        .ends(2)
        .says(&[&url, "it answered 401", "invalid_client"]);
    assert!(!ended.text().contains("cret-canary"), "{}", ended.text());
    desk.file(
        "profile.yaml",
        "auth: { oauth2: { token-url: 'http://h/', client-id: a, client-secret: plain } }\n",
    );
    desk.batchproof(&["run", "--profile", "profile.yaml"])
        .ends(2)
        .says(&["a profile holds no secret itself"]);
}

/// The shipped contract, with another security scheme.
fn contract(desk: &Desk, scheme: &str) -> String {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let read = |name: &str| std::fs::read_to_string(from.join(name)).unwrap();
    let bearer = "bearerAuth:\n      type: http\n      scheme: bearer\n";
    let openapi = read("openapi.yaml");
    assert!(openapi.contains(bearer));
    desk.file("contract/openapi.yaml", openapi.replace(bearer, &format!("bearerAuth: {scheme}\n")));
    desk.file("contract/batch.yaml", read("batch.yaml"));
    desk.path().join("contract").display().to_string()
}

#[test]
fn the_cases_speak_of_the_scheme_that_the_contract_has() {
    for (scheme, token, shown) in [
        ("{ type: apiKey, in: header, name: X-Api-Key }", "canary-key-12345", "header X-Api-Key"),
        ("{ type: http, scheme: basic }", "import:canary-password", "Basic"),
    ] {
        let desk = Desk::new();
        let dir = contract(&desk, scheme);
        let correct = Serving::start(&["--contract", &dir], Some(token));
        assert!(correct.said.contains(shown), "{}", correct.said);
        let run = |url: &str| {
            desk.with_token(
                &["run", "auth", "http", "accept", "--contract", &dir, "--target", url],
                Some(token),
            )
        };
        let ended = run(&correct.url).ends(0);
        assert!(!ended.text().contains("canary"), "{}", ended.text());
        for rule in desk.report()["rules"].as_array().unwrap() {
            if ["AUTH-001", "AUTH-002", "AUTH-003"].contains(&rule["id"].as_str().unwrap()) {
                assert_eq!(rule["outcome"], "passed", "{scheme}: {rule}");
            }
        }
        let fault = |name: &str, rule: &str| {
            let faulty = Serving::start(&["--contract", &dir, "--fault", name], Some(token));
            run(&faulty.url).ends(1);
            assert!(desk.found().iter().any(|found| found == rule), "{name}: {:?}", desk.found());
        };
        // What is declared, and ignored.
        fault("no-credentials-check", "AUTH-001");
        fault("any-token-accepted", "AUTH-002");
        // The embedded server shows the same.
        desk.batchproof(&["run", "auth", "--contract", &dir]).ends(0);
    }
}

#[test]
fn a_header_of_the_profile_that_is_the_api_key_is_left_out_where_the_key_is_to_be_missing() {
    let desk = Desk::new();
    let dir = contract(&desk, "{ type: apiKey, in: header, name: X-Api-Key }");
    let serving = Serving::start(&["--contract", &dir], Some("canary-key-12345"));
    desk.file("profile.yaml", "headers: { x-api-key: \"${env:KEY}\" }\n");
    let mut command = desk.command();
    command.env("KEY", "canary-key-12345\n");
    command.args([
        "run",
        "auth",
        "--contract",
        &dir,
        "--target",
        &serving.url,
        "--profile",
        "profile.yaml",
    ]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn where_the_document_demands_no_credentials_rules_about_them_do_not_apply() {
    let desk = Desk::new();
    let dir = contract(&desk, "{ type: http, scheme: bearer }");
    let path = desk.path().join("contract/openapi.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    for security in ["security: []\n", "security: [{}, { bearerAuth: [] }]\n"] {
        desk.file(
            "contract/openapi.yaml",
            text.replace("security:\n  - bearerAuth: []\n", security),
        );
        let open = Serving::start(&["--contract", &dir], None);
        desk.batchproof(&["run", "auth", "accept", "--contract", &dir, "--target", &open.url])
            .ends(0);
        assert!(desk.report().to_string().contains("demands no credentials"), "{security}");
    }
}

#[test]
fn odd_credentials_get_a_connection_of_their_own() {
    // Jetty's cache of header fields fails whatever follows the token in another letter case on one connection.
    let desk = Desk::new();
    let hand = Hand::start(move |heard| {
        if heard.header("authorization") == Some("Bearer canary-token-1") {
            return verdicts(heard, "REQUEST_ACCEPTED", &json!({}));
        }
        let mut said = Said::json(401, &json!({}));
        said.headers.push(("WWW-Authenticate".to_owned(), "Bearer".to_owned()));
        said
    });
    desk.with_token(&["run", "auth/wrong", "--target", &hand.url], Some("canary-token-1")).ends(0);
    let heard = hand.heard();
    let odd = |heard: &&Heard| heard.header("authorization") == Some("Bearer CANARY-TOKEN-1");
    assert!(heard.iter().any(|heard| odd(&heard)));
    for odd in heard.iter().filter(odd) {
        let shared = heard.iter().filter(|other| other.connection == odd.connection).count();
        assert_eq!(shared, 1, "{odd:?}");
    }
}
