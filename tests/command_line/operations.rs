//! What operations ask of a run: to wait for a target, to keep a pace, to stay within a budget, to claim nothing of what
//! was cut off.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Heard, Said, verdicts};
use crate::harness::{Desk, Serving, closed_port, tls};

const ACCEPTED: &str = "title: x\ngenerate: { items: 1..3, runs: 60 }\nexpect: accepted\n";
const TWO_STEPS: &str = "title: x
runs: 30
steps:
  - batch: [{ as: first }]
    expect: accepted
  - batch: [{}, { like: first }]
    expect: accepted
";

const RAW: &str = "title: x
runs: 20
steps:
  - raw: |
      POST ${path} HTTP/1.1
      host: ${host}
      content-type: application/json
      accept: application/json
      content-length: ${length}

      {\"accountBalances\":[${item}]}
";

fn accept(heard: &Heard) -> Said {
    verdicts(heard, "REQUEST_ACCEPTED", &Value::Null)
}

fn refused(status: u16, headers: &[(&str, &str)]) -> Said {
    let mut said = Said::json(status, &json!({}));
    said.headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    said
}

#[test]
fn wait_waits_for_a_target_that_is_still_starting() {
    let desk = Desk::new();
    desk.file("case.yaml", ACCEPTED);
    let port = closed_port().to_string();
    let url = format!("http://127.0.0.1:{port}");
    let mut child = Command::new(env!("CARGO_BIN_EXE_batchproof"))
        .args(["run", "case.yaml", "--wait", "60s", "--target", &url])
        .current_dir(desk.path())
        .env_remove("BATCHPROOF_TOKEN")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    // What is going to be sent comes first.
    errors.read_line(&mut said).unwrap();
    errors.read_line(&mut said).unwrap();
    assert!(said.contains("waiting for") && said.contains("refused"), "{said}");
    let mut serving = Command::new(env!("CARGO_BIN_EXE_batchproof"))
        .args(["serve", "--port", &port])
        .env_remove("BATCHPROOF_TOKEN")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
    let code = child.wait().unwrap().code();
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert_eq!(code, Some(0));
    assert_eq!(desk.report()["conclusion"], "conformant");
}

#[test]
fn wait_waits_while_a_gateway_has_nobody_to_ask() {
    for status in [502, 503, 504] {
        let desk = Desk::new();
        desk.file("case.yaml", ACCEPTED);
        let seen = AtomicUsize::new(0);
        let hand = tls::start(false, move |heard| {
            if seen.fetch_add(1, Ordering::SeqCst) < 3 {
                refused(status, &[])
            } else {
                accept(heard)
            }
        });
        let run = ["run", "case.yaml", "--insecure", "--wait", "60s", "--target", &hand.url];
        desk.batchproof(&run).ends(0);
        // What asks whether it is up stores nothing.
        assert!(hand.heard()[..4].iter().all(|heard| heard.method == "GET"));
    }
}

#[test]
fn a_target_that_never_comes_up_is_told_with_the_reason() {
    let desk = Desk::new();
    let url = format!("http://127.0.0.1:{}", closed_port());
    desk.batchproof(&["run", "--wait", "1s", "--target", &url])
        .ends(3)
        .says(&["was not up within 1s (--wait)", "refused"]);
    let hand = Hand::start(|_| refused(503, &[]));
    desk.batchproof(&["run", "--wait", "1s", "--target", &hand.url])
        .ends(3)
        .says(&["was not up within 1s (--wait)", "it answers 503"]);
    assert_eq!(desk.report()["findings"], json!([]));
}

#[test]
fn a_rate_is_strict_whatever_is_sent() {
    let times = Arc::new(Mutex::new(Vec::new()));
    let (seen, count) = (Arc::clone(&times), AtomicUsize::new(0));
    let hand = Hand::start(move |heard| {
        seen.lock().unwrap().push(Instant::now());
        // Some are refused, and sent again.
        if count.fetch_add(1, Ordering::SeqCst) % 40 == 39 {
            refused(429, &[("Retry-After", "0")])
        } else {
            accept(heard)
        }
    });
    let desk = Desk::new();
    // Races, raw requests, and findings that are repeated and shrunk.
    desk.file("raw.yaml", RAW);
    let cases = ["race/same-key", "raw.yaml", "auth/none"];
    let rate = ["--depth", "quick", "--rate", "30/s", "--jobs", "16", "--max-time", "8s"];
    desk.batchproof(&[&["run"][..], &cases, &rate, &["--target", &hand.url]].concat());
    let mut times = times.lock().unwrap().clone();
    times.sort_unstable();
    assert!(times.len() > 60, "{} requests", times.len());
    for (at, first) in times.iter().enumerate() {
        let second = times[at..].iter().take_while(|t| **t - *first < Duration::from_secs(1));
        assert!(second.count() <= 30, "request {at}");
    }
}

/// Runs cases against a server that refuses some requests; how many it heard, and how many it refused.
fn paced(hand: &Hand, refusals: &AtomicUsize, runs: &str) -> (usize, usize) {
    let desk = Desk::new();
    desk.file("one.yaml", ACCEPTED);
    desk.file("two.yaml", TWO_STEPS);
    let run = ["run", "one.yaml", "two.yaml", "--runs", runs, "--target", &hand.url];
    desk.batchproof(&run).ends(0);
    assert_eq!(desk.found(), [""; 0]);
    for case in desk.report()["cases"].as_array().unwrap() {
        assert_eq!(case["runs"].to_string(), runs, "{case}");
    }
    (hand.heard().len(), refusals.load(Ordering::SeqCst))
}

#[test]
fn a_pace_that_a_target_refuses_is_remembered() {
    let (times, refusals) = (Mutex::new(Vec::new()), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&refusals);
    let hand = Hand::start(move |heard| {
        let now = Instant::now();
        let mut times = times.lock().unwrap();
        times.retain(|t| now - *t < Duration::from_secs(1));
        if times.len() >= 20 {
            counted.fetch_add(1, Ordering::SeqCst);
            return refused(429, &[]);
        }
        times.push(now);
        accept(heard)
    });
    let (heard, refused) = paced(&hand, &refusals, "40");
    // The first second's burst, and a few tries on the way down.
    assert!(refused <= 60 && heard < 120 + 80, "{refused} of {heard} refused");
}

#[test]
fn a_target_that_takes_only_so_many_at_once_is_sent_no_more() {
    let (under_way, refusals) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&refusals);
    let hand = Hand::start(move |heard| {
        let now = under_way.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        under_way.fetch_sub(1, Ordering::SeqCst);
        if now < 5 {
            return accept(heard);
        }
        counted.fetch_add(1, Ordering::SeqCst);
        refused(429, &[("Retry-After", "0")])
    });
    let (heard, refused) = paced(&hand, &refusals, "80");
    assert!(refused <= 60, "{refused} of {heard} refused");
}

#[test]
fn what_a_target_says_of_its_limit_is_obeyed() {
    // A burst of 30, then 40 a second.
    let (bucket, refusals) = (Mutex::new((30.0, Instant::now())), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&refusals);
    let hand = Hand::start(move |heard| {
        let mut bucket = bucket.lock().unwrap();
        let now = Instant::now();
        bucket.0 = (bucket.0 + (now - bucket.1).as_secs_f64() * 40.0).min(30.0);
        bucket.1 = now;
        if bucket.0 < 1.0 {
            counted.fetch_add(1, Ordering::SeqCst);
            return refused(429, &[("Retry-After", "1")]);
        }
        bucket.0 -= 1.0;
        let left = format!("\"burst\";r={};t=1", bucket.0.floor());
        let mut said = accept(heard);
        said.headers.push(("RateLimit".to_owned(), left));
        said
    });
    let (heard, refused) = paced(&hand, &refusals, "40");
    assert!(refused <= 3, "{refused} of {heard} refused");
}

#[test]
fn only_the_refused_request_is_sent_again() {
    let seen = AtomicUsize::new(0);
    let hand = Hand::start(move |heard| {
        // Of every execution, the first request goes well.
        let nth = seen.fetch_add(1, Ordering::SeqCst);
        if nth == 1 { refused(429, &[("Retry-After", "0")]) } else { accept(heard) }
    });
    let desk = Desk::new();
    desk.file("two.yaml", "title: x\nsteps: [{ batch: 1 }, { batch: 2, expect: accepted }]\n");
    desk.batchproof(&["run", "two.yaml", "--target", &hand.url]).ends(0);
    let items: Vec<usize> = hand.heard().iter().map(|heard| heard.items().len()).collect();
    assert_eq!(items, [1, 2, 2], "the first step is not sent again");
    let heard: Vec<Value> = hand.heard().iter().flat_map(Heard::items).collect();
    assert_ne!(heard[1]["communicationNumber"], heard[3]["communicationNumber"], "keys are fresh");
}

#[test]
fn the_profiles_items_are_never_exceeded() {
    // Every tenth request loses its answer: it is sent again, and what it shows is repeated.
    let seen = AtomicUsize::new(0);
    let hand = Hand::start(move |heard| {
        let nth = seen.fetch_add(1, Ordering::SeqCst);
        match nth % 10 {
            9 => refused(503, &[]),
            5 => refused(500, &[]),
            _ => accept(heard),
        }
    });
    let desk = Desk::new();
    desk.file("case.yaml", "title: x\ngenerate: { items: 5, runs: 40 }\nexpect: accepted\n");
    desk.file("profile.yaml", "limits: { items: 210, jobs: 4 }\n");
    let run = ["run", "case.yaml", "--profile", "profile.yaml", "--target", &hand.url];
    desk.batchproof(&run).ends(1);
    let items: usize = hand.heard().iter().map(|heard| heard.items().len()).sum();
    assert!(items <= 210, "{items} items");
    assert!(desk.report()["stats"]["items"].as_u64().unwrap() <= 210);
}

#[test]
fn a_plan_counts_what_files_and_bodies_hold() {
    let desk = Desk::new();
    desk.file(
        "case.yaml",
        "title: x\nsteps:\n  - { as: three, batch-from: three.json, fresh-keys: true }\n  \
         - { body: '{\"accountBalances\":[${item},${item}]}' }\n  - { resend: three }\n",
    );
    let item = json!({ "communicationNumber": "a", "accountExtId": "A" });
    desk.file("three.json", json!({ "accountBalances": [item, item, item] }).to_string());
    let ended = desk.batchproof(&["run", "case.yaml", "--plan"]).ends(0);
    let row: Vec<&str> = ended.out.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..4], ["case", "1", "3", "8"]);
    desk.file("profile.yaml", "limits: { items: 7 }\n");
    desk.batchproof(&["run", "case.yaml", "--profile", "profile.yaml"])
        .ends(2)
        .says(&["would send 8 items", "allows 7"]);
}

#[test]
fn a_plan_rounds_its_time_up_and_warns_of_a_shorter_max_time() {
    let desk = Desk::new();
    desk.file("case.yaml", "title: x\nruns: 2399\nsteps: [{ batch: 1 }]\n");
    let plan = ["run", "case.yaml", "--plan", "--target", "https://staging.example"];
    let ended = desk.batchproof(&plan).ends(0).says(&["about 2 min at 20/s"]);
    assert!(!ended.text().contains("warning"), "{}", ended.text());
    desk.batchproof(&[&plan[..], &["--max-time", "1m"]].concat())
        .ends(0)
        .says(&["--max-time 1m is shorter than the run takes (2 min)"]);
}

#[test]
fn a_soak_for_a_time_ends_with_a_verdict() {
    let desk = Desk::new();
    let soak = ["run", "soak/ten-items", "soak/thousand-items", "--for", "2s"];
    desk.batchproof(&soak).ends(0).says(&["CONFORMANT"]);
    for case in desk.report()["cases"].as_array().unwrap() {
        assert!(case["runs"].as_u64().unwrap() > 0, "{case}");
    }
    let faulty = Serving::start(&["--fault", "results-reversed"], None);
    desk.batchproof(&[&soak[..], &["--target", &faulty.url]].concat()).ends(1);
    desk.batchproof(&["run", "--for", "2s"]).ends(2);
    desk.batchproof(&["run", "soak", "--for", "2s", "--runs", "3"]).ends(2);
}

/// A run that is ended by SIGTERM as soon as the target has heard this number of requests.
#[cfg(unix)]
fn terminated(desk: &Desk, hand: &Hand, requests: usize) -> Option<i32> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_batchproof"))
        .args(["run", "case.yaml", "--jobs", "4", "--target", &hand.url])
        .current_dir(desk.path())
        .env("BATCHPROOF_TOKEN", "some-token")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while hand.heard().len() < requests && begun.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(5));
    }
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    child.wait().unwrap().code()
}

/// Half of this execution says the wrong thing of it: the second step alone is refused.
const HALF: &str = "title: x
runs: 20
steps:
  - { as: first, batch: [{ as: a }, { as: b }] }
  - batch: [{ set: { '@key': '${a.@key}' } }]
    expect: { asserts: UNIQUE-001, results: { rejected: used } }
";

#[cfg(unix)]
#[test]
fn an_execution_that_was_refused_for_its_pace_and_cut_claims_nothing() {
    let desk = Desk::new();
    desk.file("case.yaml", HALF);
    // The first batches of some executions come through; all that follows is refused.
    let seen = AtomicUsize::new(0);
    let hand = Hand::start(move |heard| {
        if seen.fetch_add(1, Ordering::SeqCst) < 3 && heard.items().len() == 2 {
            accept(heard)
        } else {
            refused(429, &[("Retry-After", "1")])
        }
    });
    assert_eq!(terminated(&desk, &hand, 6), Some(3));
    assert_eq!(desk.report()["findings"], json!([]));
    assert_eq!(desk.report()["cases"][0]["runs"].as_u64().unwrap_or(0), 0);
}

#[test]
fn an_execution_whose_token_expired_claims_nothing() {
    let desk = Desk::new();
    desk.file("case.yaml", HALF);
    let seen = AtomicUsize::new(0);
    let hand = Hand::start(move |heard| {
        if seen.fetch_add(1, Ordering::SeqCst) < 3 && heard.items().len() == 2 {
            accept(heard)
        } else {
            refused(401, &[("WWW-Authenticate", "Bearer error=\"invalid_token\"")])
        }
    });
    desk.with_token(&["run", "case.yaml", "--target", &hand.url], Some("some-token")).ends(3);
    assert_eq!(desk.report()["findings"], json!([]));
}
