//! The token is a secret: it goes to the target, and nowhere else.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Said, verdicts};
use crate::harness::{Desk, files};

const CANARY: &str = "canary-5f2b9c-Tok3n+with/signs=";
const TENANT: &str = "tenant-canary-771";
const PASSWORD: &str = "pass-canary/83+k";

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |g, b| g << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = char::from(ALPHABET[(group >> (18 - 6 * at)) as usize & 63]);
            out.push(if at <= chunk.len() { letter } else { '=' });
        }
    }
    out
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        let _ = write!(out, "%{b:02x}");
        out
    })
}

fn entities(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        let _ = write!(out, "&#x{:X};", c as u32);
        out
    })
}

/// As PHP, .NET and Gson write JSON: a reader of the report sees the plain text again.
fn escaped(text: &str) -> String {
    text.replace('/', "\\/").replace('+', "\\u002B").replace('=', "\\u003d")
}

type Dress = fn(&str) -> String;

/// The clothes that a target may give a secret when it sends it back.
const CLOTHES: [(&str, Dress); 7] = [
    ("as it stands", str::to_owned),
    ("in upper case", str::to_uppercase),
    ("in lower case", str::to_lowercase),
    ("percent-encoded", percent),
    ("in base64", base64),
    ("as HTML", entities),
    ("with JSON's escapes", escaped),
];

/// `text` without the escapes of URLs, JSON and HTML, in lower case.
fn undressed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let code = |digits: Option<&str>, skip: usize| {
            let number = u32::from_str_radix(digits?, 16).ok()?;
            Some((char::from_u32(number)?, skip))
        };
        let read = match c {
            '%' => code(rest.get(1..3), 3),
            '\\' if rest[1..].starts_with('u') => code(rest.get(2..6), 6),
            '\\' if rest[1..].starts_with(['/', '"', '\\']) => {
                Some((char::from(rest.as_bytes()[1]), 2))
            }
            '&' if rest[1..].starts_with("#x") => {
                let end = rest.find(';').unwrap_or(0);
                code(rest.get(3..end.max(3)), end + 1)
            }
            _ => None,
        };
        let (c, skip) = read.unwrap_or((c, c.len_utf8()));
        out.extend(c.to_lowercase());
        rest = &rest[skip..];
    }
    out
}

/// What of a secret is in every base64 text that holds it, wherever it begins there.
fn cores(secret: &str) -> Vec<String> {
    (0..3)
        .map(|offset| {
            let whole = base64(&format!("{}{secret}", "x".repeat(offset)));
            let until = (offset + secret.len()) * 8 / 6;
            whole[(offset * 8_usize).div_ceil(6)..until].to_owned()
        })
        .collect()
}

#[track_caller]
fn kept(desk: &Desk, printed: &str) {
    let mut artefacts = files(&desk.reports());
    assert!(artefacts.iter().any(|(path, _)| path.ends_with("record.jsonl")));
    artefacts.push((PathBuf::from("(printed)"), printed.as_bytes().to_vec()));
    for (path, text) in artefacts {
        let text = String::from_utf8_lossy(&text).into_owned();
        let plain = undressed(&text);
        // What stands in a report is escaped once more there.
        let twice = undressed(&plain);
        for secret in [CANARY, TENANT, PASSWORD] {
            let lower = secret.to_lowercase();
            for text in [&plain, &twice] {
                if let Some(at) = text.find(&lower) {
                    let near: String = text[..at].chars().rev().take(60).collect();
                    let near: String = near.chars().rev().collect();
                    panic!("`{secret}` stands in {} after …{near}", path.display());
                }
            }
            for core in cores(secret) {
                assert!(!text.contains(&core), "base64 of `{secret}` stands in {}", path.display());
            }
        }
    }
}

#[test]
fn the_search_finds_a_secret_in_any_clothes() {
    for (name, dress) in CLOTHES {
        let text = format!("before {} after", dress(CANARY));
        let found = undressed(&text).contains(&CANARY.to_lowercase())
            || cores(CANARY).iter().any(|c| text.contains(c));
        assert!(found, "{name}");
    }
}

/// A server that tells everybody what it was told, in body, headers and where it redirects to.
fn echoing(status: u16, dress: Dress) -> Hand {
    Hand::start(move |heard| {
        let told = heard.header("authorization").unwrap_or("nothing");
        let (scheme, token) = told.split_once(' ').unwrap_or(("", told));
        let told = format!("{scheme} {}", dress(token));
        let tenant = dress(heard.header("x-tenant").unwrap_or("none"));
        let further =
            json!({ "errorDescription": format!("{told} of {tenant}"), "errorCode": token });
        let mut said = match status {
            200 if heard.items().is_empty() => Said::json(400, &further),
            200 => verdicts(heard, "REQUEST_ACCEPTED", &further),
            status => Said::json(status, &further),
        };
        said.body = escaped(&said.body);
        said.headers = vec![
            ("WWW-Authenticate".to_owned(), told.clone()),
            ("Location".to_owned(), format!("https://elsewhere.example/?t={told}&u={tenant}")),
            ("Set-Cookie".to_owned(), format!("session={told}; tenant={tenant}")),
            (format!("X-{}", tenant.replace(|c: char| !c.is_alphanumeric() && c != '-', "")), told),
        ];
        said
    })
}

#[test]
fn a_token_that_the_target_echoes_is_in_no_report_and_no_output() {
    for (at, (name, dress)) in CLOTHES.into_iter().enumerate() {
        // Every status meets every part of a run, and every dress every kind of answer that findings keep.
        for status in [200, [302, 400, 401, 500][at % 4]] {
            let desk = Desk::new();
            desk.file("p.yaml", "headers: { X-Tenant: \"${env:BATCHPROOF_TEST_TENANT}\" }\n");
            let hand = echoing(status, dress);
            let mut command = desk.command();
            let output = command
                .args(["run", "unique/replayed", "auth", "echo/unusual-strings"])
                .args(["--depth", "quick", "--profile", "p.yaml", "--target", &hand.url])
                .env("BATCHPROOF_TOKEN", CANARY)
                .env("BATCHPROOF_TEST_TENANT", TENANT)
                .output()
                .unwrap();
            let sent = format!("Bearer {CANARY}");
            let heard = hand.heard();
            assert!(heard.iter().any(|h| h.header("authorization") == Some(&sent)), "{status}");
            assert!(heard.iter().any(|h| h.header("x-tenant") == Some(TENANT)), "{status}");
            if status == 200 {
                assert!(!desk.found().is_empty(), "{name}: no finding kept any evidence");
            }
            let printed =
                String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            kept(&desk, &printed);
        }
    }
}

#[test]
fn the_password_of_a_basic_credential_is_in_no_report_and_no_output() {
    let desk = Desk::new();
    desk.file("p.yaml", "auth: basic\n");
    let hand = Hand::start(|heard| {
        let told = heard.header("authorization").unwrap_or("nothing");
        let further = json!({ "errorDescription": format!("{told}, that is {PASSWORD}") });
        verdicts(heard, "REQUEST_ACCEPTED", &further)
    });
    let run = ["run", "order", "auth", "--depth", "quick", "--profile", "p.yaml"];
    let token = format!("importer:{PASSWORD}");
    let ended =
        desk.with_token(&[&run[..], &["--target", &hand.url]].concat(), Some(&token)).ends(1);
    kept(&desk, &ended.text());
}

#[test]
fn a_token_from_a_file_is_in_no_report_and_no_output() {
    let desk = Desk::new();
    desk.file("secret/token", CANARY);
    let hand = echoing(200, str::to_owned);
    let run = ["run", "order", "auth", "http", "--depth", "quick", "--target", &hand.url];
    let ended = desk.batchproof(&[&run[..], &["--token-file", "secret/token"]].concat()).ends(1);
    kept(&desk, &ended.text());
}

/// A token that expires in the middle of a run and is read again from its file.
#[test]
fn a_token_that_is_read_again_is_in_no_report_and_no_output() {
    let desk = Desk::new();
    let file = desk.file("token", "the-first-token-of-two");
    let good = Mutex::new(("Bearer the-first-token-of-two".to_owned(), 0));
    let hand = Hand::start(move |heard| {
        let told = heard.header("authorization").unwrap_or("nothing").to_owned();
        let mut good = good.lock().unwrap();
        good.1 += 1;
        if good.1 == 5 {
            std::fs::write(&file, CANARY).unwrap();
            good.0 = format!("Bearer {CANARY}");
        }
        if told != good.0 {
            return Said::json(401, &json!({ "error": told }));
        }
        verdicts(heard, "REQUEST_ACCEPTED", &json!({ "errorDescription": told }))
    });
    desk.file("case.yaml", "title: x\ngenerate: { items: 1..3, runs: 12 }\n");
    let run = ["run", "case.yaml", "--jobs", "1", "--target", &hand.url, "--token-file", "token"];
    let ended = desk.batchproof(&run).ends(1);
    let sent = format!("Bearer {CANARY}");
    assert!(hand.heard().iter().any(|h| h.header("authorization") == Some(&sent)));
    assert!(!ended.text().contains("the-first-token"));
    kept(&desk, &ended.text());
}

#[test]
fn a_header_that_is_no_secret_hides_nothing() {
    let desk = Desk::new();
    // The word stands in every item too: it came from the file, not from the environment.
    desk.file("p.yaml", "headers: { X-Environment: sandbox }\n");
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ODD", &Value::Null));
    desk.file("one.yaml", "title: x\nsteps: [{ batch: [{ set: { businessUnit: sandbox } }] }]\n");
    desk.batchproof(&["run", "one.yaml", "--profile", "p.yaml", "--target", &hand.url]).ends(1);
    assert!(desk.report()["findings"][0].to_string().contains(r#"\"businessUnit\":\"sandbox\""#));
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
