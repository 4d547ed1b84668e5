//! Figures that a user counts with: what is announced is what is sent, and what is called sent has left.

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Heard, Said, verdicts};
use crate::harness::{Desk, closed_port};

const CASE: &str = "title: x\nruns: 12\nsteps: [{ batch: 2, expect: accepted }]\n";

fn accept(heard: &Heard) -> Said {
    verdicts(heard, "REQUEST_ACCEPTED", &Value::Null)
}

fn requests(desk: &Desk) -> u64 {
    desk.report()["stats"]["requests"].as_u64().unwrap()
}

#[test]
fn nothing_that_never_left_is_called_sent() {
    let desk = Desk::new();
    let gone = format!("http://127.0.0.1:{}", closed_port());
    let ended = desk.batchproof(&["run", "order/sizes", "--target", &gone]).ends(3);
    ended.says(&["0 requests sent", "can't be reached"]);
    assert_eq!(requests(&desk), 0);
    // A port that speaks no TLS.
    let hand = Hand::start(accept);
    let encrypted = hand.url.replace("http://", "https://");
    desk.batchproof(&["run", "order/sizes", "--target", &encrypted]).ends(3);
    assert_eq!(requests(&desk), 0);
    // Requests that nobody signs.
    let hand = Hand::start(accept);
    desk.file("profile.yaml", "auth: { command: 'exit 1' }\n");
    let run = ["run", "order/sizes", "--profile", "profile.yaml", "--target", &hand.url];
    desk.batchproof(&run).ends(3);
    assert_eq!((requests(&desk), hand.heard().len()), (0, 0));
}

#[test]
fn what_waits_for_its_turn_is_not_called_sent_and_the_wait_is_told() {
    let desk = Desk::new();
    desk.file("case.yaml", CASE);
    let hand = Hand::start(|_| {
        let mut said = Said::json(429, &json!({}));
        said.headers.push(("Retry-After".to_owned(), "40".to_owned()));
        said
    });
    let run = ["run", "case.yaml", "--max-time", "2s", "--jobs", "3", "--target", &hand.url];
    let ended = desk.batchproof(&run).ends(3);
    assert_eq!(requests(&desk), hand.heard().len() as u64);
    let told =
        format!("{} answered 429 and asks to wait: nothing is sent for 40 s, until", hand.url);
    assert_eq!(ended.err.matches(&told).count(), 1, "{}", ended.err);
}

#[test]
fn what_is_announced_is_what_is_sent() {
    let desk = Desk::new();
    let hand = Hand::start(accept);
    // With the preflight.
    let run = ["run", "accept/generated", "order/sizes", "--target", &hand.url, "--seed", "3"];
    let ended = desk.batchproof(&run);
    let stats = &desk.report()["stats"];
    let told = format!("{} requests, {} items", stats["requests"], stats["items"]);
    let bare = |text: &str| text.replace(',', "");
    assert!(bare(&ended.err).contains(&bare(&told)), "{told}: {}", ended.err);
    assert_eq!(requests(&desk), hand.heard().len() as u64);
}

#[test]
fn the_time_is_told_wherever_a_rate_sets_it() {
    let desk = Desk::new();
    desk.file("case.yaml", CASE);
    let hand = Hand::start(accept);
    let run = ["run", "case.yaml", "--target", &hand.url];
    desk.batchproof(&[&run[..], &["--rate", "12/s"]].concat()).ends(0).says(&["about 1 s at 12/s"]);
    let ended = desk.batchproof(&[&run[..], &["--for", "1s"]].concat()).ends(0);
    ended.says(&["each round 1 execution, 1 request, 2 items, round after round for 1s"]);
}

#[test]
fn a_plan_groups_its_figures_as_reports_do() {
    let desk = Desk::new();
    let ended = desk.batchproof(&["run", "--plan"]).ends(0);
    let total = ended.out.lines().find(|line| line.trim_start().starts_with("total")).unwrap();
    assert!(total.split_whitespace().nth(1).unwrap().contains(','), "{total}");
    assert!(ended.out.contains("(preflight)"), "{}", ended.out);
}

#[test]
fn the_output_ends_with_its_last_line() {
    let desk = Desk::new();
    desk.file("case.yaml", CASE);
    let hand = Hand::start(accept);
    let ended = desk.batchproof(&["run", "case.yaml", "--target", &hand.url]).ends(0);
    assert!(ended.out.ends_with('\n') && !ended.out.ends_with("\n\n"), "{:?}", ended.out);
    let ended = desk.batchproof(&["report", "reports"]).ends(0);
    assert!(ended.out.ends_with('\n') && !ended.out.ends_with("\n\n"), "{:?}", ended.out);
}

#[test]
fn cases_that_a_depth_leaves_out_are_counted() {
    let desk = Desk::new();
    desk.batchproof(&["run", "--depth", "quick"]).ends(0).says(&["run at a greater depth)"]);
    let page = std::fs::read_to_string(desk.reports().join("report.html")).unwrap();
    assert!(page.contains("run at a greater depth)"));
    assert!(!page.contains("the run ended before it"));
}

#[test]
fn a_command_for_the_embedded_server_starts_it_first() {
    let desk = Desk::new();
    desk.file("case.yaml", "title: x\nsteps: [{ batch: 1, expect: { status: 201 } }]\n");
    let ended = desk.batchproof(&["run", "case.yaml"]).ends(1);
    let serve = ended.out.find("\nbatchproof serve --port ").expect("how to start the server");
    assert!(serve < ended.out.find("\ncurl ").unwrap(), "{}", ended.out);
}
