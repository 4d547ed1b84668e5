//! The terminal, `report.md` and `junit.xml` of runs of each conclusion, and what is made of their records.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Said, verdicts};
use crate::harness::{Desk, Ended, Serving, closed_port, shown};
use crate::said::said;

const TOKEN: &str = "token-7f3a";

/// One plain case, whose requests and findings are the same each time.
const CASE: &str = "title: a plain batch is accepted
about: Nothing is odd about it.
steps: [{ batch: 3, expect: accepted }]
";

/// Faults of three rules: two of level MUST and one of level SHOULD.
const SEVERAL: &[&str] = &["accepted-with-description", "content-type-text", "cacheable-answer"];

/// Runs `words` with seed and jobs that make every run the same.
fn run(desk: &Desk, words: &[&str]) -> Ended {
    let fixed = ["run", "--seed", "1", "--jobs", "1", "--depth", "quick"];
    desk.with_token(&[&fixed[..], words].concat(), Some(TOKEN))
}

/// A run of the plain case against a server with these faults.
fn faulty(faults: &[&str], further: &[&str]) -> (Desk, Serving, Ended) {
    let desk = Desk::new();
    desk.file("plain.yaml", CASE);
    let named: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
    let server = Serving::start(&named, Some(TOKEN));
    let words = [&["plain.yaml", "--target", &server.url], further].concat();
    let ended = run(&desk, &words);
    (desk, server, ended)
}

fn report(desk: &Desk, name: &str) -> String {
    std::fs::read_to_string(desk.reports().join(name)).unwrap()
}

/// The suites of a `junit.xml` that say more than that a rule passed or was not judged.
fn told(junit: &str) -> String {
    let says = |suite: &&str| ["<failure", "<error", "<system-"].iter().any(|w| suite.contains(w));
    junit.split("    <testsuite ").skip(1).filter(says).collect()
}

#[test]
fn conformant() {
    let desk = Desk::new();
    shown("run_conformant", &said(&run(&desk, &["unique/replayed"]).ends(0)));
    shown("run_conformant_md", &report(&desk, "report.md"));
    shown("run_conformant_junit", &told(&report(&desk, "junit.xml")));
}

#[test]
fn nonconformant() {
    let (desk, _server, ended) = faulty(&["results-reversed"], &[]);
    shown("run_nonconformant", &said(&ended.ends(1)));
    shown("run_nonconformant_md", &report(&desk, "report.md"));
    shown("run_nonconformant_junit", &report(&desk, "junit.xml"));
}

#[test]
fn several_problems() {
    let (desk, _server, ended) = faulty(SEVERAL, &[]);
    shown("run_several_problems", &said(&ended.ends(1)));
    shown("run_several_problems_md", &report(&desk, "report.md"));
}

#[test]
fn waived() {
    let desk = Desk::new();
    desk.file("plain.yaml", CASE);
    let waiver = |rule: &str, expires: &str| {
        format!("- rule: {rule}\n  reason: known\n  owner: ledger team\n  expires: {expires}\n")
    };
    let waivers =
        [("HTTP-001", "2099-01-31"), ("CODE-002", "2020-01-31"), ("TIME-001", "2099-01-31")];
    let text: String = waivers.iter().map(|(rule, day)| waiver(rule, day)).collect();
    desk.file("waivers.yaml", text);
    let server = Serving::start(&["--fault", SEVERAL[0], "--fault", SEVERAL[1]], Some(TOKEN));
    let words = ["plain.yaml", "--waivers", "waivers.yaml", "--strict", "--target", &server.url];
    shown("run_waived", &said(&run(&desk, &words).ends(1)));
    shown("run_waived_md", &report(&desk, "report.md"));
    shown("run_waived_junit", &told(&report(&desk, "junit.xml")));
}

#[test]
fn inconclusive() {
    let desk = Desk::new();
    let nobody = format!("http://127.0.0.1:{}", closed_port());
    let words = ["time", "--target", &nobody];
    shown("run_nobody_listens", &said(&run(&desk, &words).ends(3)));
    shown("run_nobody_listens_md", &report(&desk, "report.md"));
    shown("run_nobody_listens_junit", &told(&report(&desk, "junit.xml")));
    let server = Serving::start(&[], Some("another-token"));
    let words = ["time", "--target", &server.url];
    shown("run_token_refused", &said(&run(&desk, &words).ends(3)));
    let server =
        Hand::start(|heard| verdicts(heard, "REQUEST_REJECTED", &json!({ "errorCode": "B001" })));
    let words = ["time", "--target", &server.url];
    shown("run_all_rejected", &said(&run(&desk, &words).ends(3)));
    let server = Hand::start(|_| Said {
        status: 302,
        headers: vec![("Location".to_owned(), "/login".to_owned())],
        body: String::new(),
    });
    let words = ["time", "--target", &server.url];
    shown("run_redirected", &said(&run(&desk, &words).ends(3)));
}

#[test]
fn cut_short() {
    let (_desk, _server, ended) = faulty(SEVERAL, &["--max-findings", "1"]);
    shown("run_cut_short", &said(&ended.ends(1)));
}

#[test]
fn plan() {
    let desk = Desk::new();
    shown("run_plan", &said(&run(&desk, &["--plan", "time", "race/same-key"]).ends(0)));
}

#[test]
fn reports_of_records() {
    let (desk, server, _) = faulty(&["results-reversed"], &["--report-dir", "reversed"]);
    shown("report_one", &said(&desk.batchproof(&["report", "reversed"]).ends(1)));
    let clean = Serving::start(&[], Some(TOKEN));
    for (dir, url) in [("again", &server.url), ("clean", &clean.url)] {
        run(&desk, &["plain.yaml", "--report-dir", dir, "--target", url]);
    }
    shown("report_two", &said(&desk.batchproof(&["report", "reversed", "again"]).ends(1)));
    let grid = desk.batchproof(&["report", "reversed", "clean", "--report-dir", "grid"]);
    shown("report_grid", &said(&grid.ends(1)));
    let replay = ["replay", "reversed"];
    shown("replay_failing", &said(&desk.with_token(&replay, Some(TOKEN)).ends(1)));
    let replay = ["replay", "reversed", "--target", &clean.url];
    shown("replay_fixed", &said(&desk.with_token(&replay, Some(TOKEN)).ends(0)));
    drop(server);
    let replay = ["replay", "reversed", "ORDER-002"];
    shown("replay_nobody", &said(&desk.with_token(&replay, Some(TOKEN)).ends(3)));
    shown("replay_nothing", &said(&desk.with_token(&["replay", "clean"], Some(TOKEN)).ends(0)));
}

/// What changed on one target, which must answer at one address.
#[test]
fn what_is_new_and_what_is_fixed() {
    let desk = Desk::new();
    desk.file("plain.yaml", CASE);
    let coded = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&coded);
    let server = Hand::start(move |heard| {
        let now = now.load(Ordering::SeqCst);
        let further = if now { json!({ "errorCode": "O000" }) } else { Value::Null };
        verdicts(heard, "REQUEST_ACCEPTED", &further)
    });
    for (dir, is_coded) in [("before", false), ("after", true)] {
        coded.store(is_coded, Ordering::SeqCst);
        run(&desk, &["plain.yaml", "--report-dir", dir, "--target", &server.url]);
    }
    shown("report_new", &said(&desk.batchproof(&["report", "before", "after"]).ends(1)));
    coded.store(false, Ordering::SeqCst);
    run(&desk, &["plain.yaml", "--report-dir", "later", "--target", &server.url]);
    shown("report_fixed", &said(&desk.batchproof(&["report", "after", "later"]).ends(0)));
}

#[test]
fn no_certificate() {
    let desk = Desk::new();
    desk.batchproof(&["certify", "--new-key", "key"]).ends(0);
    let nobody = format!("http://127.0.0.1:{}", closed_port());
    let words = ["certify", "--key", "key", "--seed", "1", "--target", &nobody];
    shown("certify_refused", &desk.batchproof(&words).ends(3).out);
}
