//! The profile's `setup` and `cleanup`: what a run needs is put there before it, and what it left is removed after it,
//! however it ends.

use std::collections::HashSet;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Heard, Said, verdicts};
use crate::harness::{Desk, Serving, closed_port, files, tls};

const CASE: &str = "title: x\ngenerate: { items: 1..4, runs: 10 }\nexpect: accepted\n";

fn accept(heard: &Heard) -> Said {
    if heard.method == "DELETE" {
        return Said::json(200, &json!({}));
    }
    verdicts(heard, "REQUEST_ACCEPTED", &Value::Null)
}

fn keys(hand: &Hand) -> HashSet<String> {
    let heard = hand.heard();
    let items = heard.iter().flat_map(Heard::items);
    items.map(|item| item["communicationNumber"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn commands_run_before_and_after_with_the_keys_of_the_run() {
    let desk = Desk::new();
    let hand = tls::start(false, accept);
    desk.file("case.yaml", CASE);
    desk.file(
        "profile.yaml",
        "setup: { command: 'echo ${run-id} $BATCHPROOF_TARGET >> setup.txt' }\n\
         cleanup: { command: 'cp $BATCHPROOF_KEYS_FILE removed-${run-id}.txt; echo $BATCHPROOF_KEYS >> count.txt' }\n",
    );
    let run =
        ["run", "case.yaml", "--run-id", "night-7", "--profile", "profile.yaml", "--insecure"];
    desk.batchproof(&[&run[..], &["--target", &hand.url]].concat())
        .ends(0)
        .says(&["the clean-up ran, for"]);
    let read = |name: &str| std::fs::read_to_string(desk.path().join(name)).unwrap();
    assert_eq!(read("setup.txt").trim(), format!("night-7 {}", hand.url));
    let removed: HashSet<String> = read("removed-night-7.txt").lines().map(str::to_owned).collect();
    assert_eq!(removed, keys(&hand));

    // Once more, by hand.
    let again = ["cleanup", "reports", "--insecure", "--profile", "profile.yaml"];
    desk.batchproof(&again).ends(0).says(&["The clean-up ran, for"]);
    let count = removed.len().to_string();
    assert_eq!(read("count.txt").lines().collect::<Vec<_>>(), [count.as_str(), count.as_str()]);

    // Nobody's record makes another machine run commands.
    for (path, bytes) in files(&desk.reports()) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("$BATCHPROOF_KEYS_FILE"), "{}", path.display());
    }
    desk.batchproof(&["cleanup", "reports", "--insecure"]).ends(2).says(&["--profile FILE"]);
}

#[test]
fn a_soak_takes_down_its_keys_too() {
    let desk = Desk::new();
    let serving = Serving::start(&[], None);
    desk.file(
        "profile.yaml",
        "cleanup: { command: 'sort -u $BATCHPROOF_KEYS_FILE | wc -l > count.txt' }\n",
    );
    let run = ["run", "soak/ten-items", "--runs", "1200", "--profile", "profile.yaml"];
    desk.batchproof(&[&run[..], &["--target", &serving.url]].concat()).ends(0);
    let count = std::fs::read_to_string(desk.path().join("count.txt")).unwrap();
    let sent = desk.report()["stats"]["items"].to_string();
    assert_eq!(count.trim(), sent);
}

#[test]
fn requests_remove_keys_one_by_one_or_in_batches() {
    for (requests, wanted) in [
        ("{ method: DELETE, path: '/keys/${key}' }", None),
        ("{ method: DELETE, path: /keys, body: '{\"keys\":${keys}}', keys: 7 }", Some(7)),
    ] {
        let desk = Desk::new();
        let hand = Hand::start(accept);
        desk.file("case.yaml", CASE);
        desk.file(
            "profile.yaml",
            format!(
                "setup: {{ requests: [{{ method: PUT, path: '/accounts/${{run-id}}', status: [400] }}] }}\n\
                 cleanup: {{ requests: [{requests}] }}\n"
            ),
        );
        let refusing = "setup: { requests: [{ path: /accounts, body: '{}' }] }\n";
        let run = ["run", "case.yaml", "--profile", "profile.yaml", "--target", &hand.url];
        // The server of this test answers 200 to everything, which that setup does not expect.
        desk.batchproof(&run).ends(3).says(&["The setup failed: PUT /accounts/${run-id}", "200"]);
        let text = std::fs::read_to_string(desk.path().join("profile.yaml")).unwrap();
        let text = text.lines().last().unwrap().to_owned();
        desk.file("profile.yaml", format!("{refusing}{text}\n"));
        desk.batchproof(&run).ends(0);
        let sent = keys(&hand);
        let deleted: Vec<Heard> =
            hand.heard().into_iter().filter(|heard| heard.method == "DELETE").collect();
        match wanted {
            None => assert_eq!(deleted.len(), sent.len()),
            Some(most) => {
                let lists: Vec<Vec<String>> = deleted
                    .iter()
                    .map(|heard| {
                        let body: Value = serde_json::from_slice(&heard.body).unwrap();
                        serde_json::from_value(body["keys"].clone()).unwrap()
                    })
                    .collect();
                assert!(lists.iter().all(|list| list.len() <= most));
                assert_eq!(lists.concat().into_iter().collect::<HashSet<_>>(), sent);
            }
        }
    }
}

#[test]
fn a_failing_setup_ends_the_run_with_what_it_printed() {
    let desk = Desk::new();
    let hand = Hand::start(accept);
    desk.file("profile.yaml", "setup: { command: 'echo no such account >&2; exit 7' }\n");
    desk.batchproof(&["run", "--profile", "profile.yaml", "--target", &hand.url]).ends(3).says(&[
        "INCONCLUSIVE",
        "The setup failed",
        "7",
        "no such account",
    ]);
    assert!(hand.heard().is_empty(), "nothing was sent");
    // Nor is there anything to clean up.
    desk.file(
        "profile.yaml",
        "setup: { command: 'exit 7' }\ncleanup: { command: 'touch cleaned' }\n",
    );
    let ended = desk.batchproof(&["run", "--profile", "profile.yaml", "--target", &hand.url]);
    assert!(!ended.ends(3).text().contains("clean-up"));
    assert!(!desk.path().join("cleaned").exists());
    // One that hangs ends as well, with all that it started.
    desk.file("profile.yaml", "setup: { command: 'sleep 600 & wait', timeout: 1 }\n");
    desk.batchproof(&["run", "--profile", "profile.yaml", "--target", &hand.url])
        .ends(3)
        .says(&["The setup failed", "longer than 1 s"]);
}

#[test]
fn a_failing_cleanup_is_told_and_can_be_run_again() {
    let desk = Desk::new();
    let hand = Hand::start(accept);
    desk.file("case.yaml", CASE);
    let mut command = desk.command();
    command.env("SECRET", "s3cr3t-value").args(["run", "case.yaml", "--target", &hand.url]);
    // The variable is named, so that its value is redacted.
    desk.file(
        "profile.yaml",
        "cleanup: { command: 'echo ${env:SECRET} is locked; test -e unlocked' }\n",
    );
    let output = command.args(["--profile", "profile.yaml"]).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    // It changes no verdict.
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("the clean-up failed") && text.contains("is locked"), "{text}");
    assert!(text.contains("batchproof cleanup reports"), "{text}");
    let report = desk.report();
    assert!(report["notes"].to_string().contains("the clean-up failed"), "{}", report["notes"]);
    for (path, bytes) in files(&desk.reports()) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("s3cr3t-value"), "{}", path.display());
    }
    let again = |desk: &Desk| {
        let mut command = desk.command();
        command.env("SECRET", "s3cr3t-value").args(["cleanup", "reports"]);
        command.args(["--profile", "profile.yaml"]).output().unwrap()
    };
    let output = again(&desk);
    assert_eq!(output.status.code(), Some(3));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("s3cr3t-value"));
    desk.file("unlocked", "");
    assert_eq!(again(&desk).status.code(), Some(0));
}

#[test]
fn the_counts_of_a_clean_up_agree() {
    let desk = Desk::new();
    let used: Mutex<HashSet<Vec<u8>>> = Mutex::default();
    let hand = Hand::start(move |heard| {
        let is_new = used.lock().unwrap().insert(heard.body.clone());
        if heard.method == "DELETE" || is_new {
            return accept(heard);
        }
        let used = json!({ "errorCode": "O005", "errorDescription": "used" });
        verdicts(heard, "REQUEST_REJECTED", &used)
    });
    // The second request repeats the keys of the first.
    desk.file("case.yaml", "title: x\nsteps:\n  - { as: a, batch: 3 }\n  - { resend: a }\n");
    desk.file(
        "profile.yaml",
        "cleanup: { command: 'echo $BATCHPROOF_KEYS; wc -l < $BATCHPROOF_KEYS_FILE; exit 1' }\n",
    );
    let run = ["run", "case.yaml", "--profile", "profile.yaml", "--target", &hand.url];
    let ended = desk.batchproof(&run);
    // Lines that a command printed are lines.
    assert!(!ended.out.contains("\\n"), "{}", ended.out);
    let ended = ended.says(&["it printed: 3 3"]);
    assert_eq!(ended.text().matches("the clean-up failed").count(), 1, "{}", ended.text());
    let lines = std::fs::read_to_string(desk.reports().join("keys.txt")).unwrap();
    assert_eq!(lines.lines().count(), 3);

    desk.file(
        "profile.yaml",
        "cleanup: { requests: [{ method: DELETE, path: '/keys/${key}' }] }\n",
    );
    let before = hand.heard().len();
    let ended = desk.batchproof(&run).says(&["nothing, if the clean-up did its work"]);
    assert_eq!(ended.text().matches("the clean-up ran, for 3 keys").count(), 1, "{}", ended.text());
    let stats = &desk.report()["stats"];
    let deleted = hand.heard().iter().filter(|heard| heard.method == "DELETE").count();
    assert_eq!(stats["left_behind"], 0);
    assert_eq!(stats["cleaned_up"], json!({ "keys": 3, "requests": deleted }));
    // What the clean-up sent is not the run's.
    let sent = hand.heard().len() - before - deleted;
    assert_eq!(stats["requests"], sent);
}

#[test]
fn a_replay_is_set_up_and_cleaned_up_after() {
    let desk = Desk::new();
    let hand = Hand::start(|heard| match heard.method.as_str() {
        "POST" => verdicts(heard, "REQUEST_ACCEPTED", &json!({ "errorCode": "O001" })),
        _ => Said::json(200, &json!({})),
    });
    desk.file("case.yaml", CASE);
    desk.file(
        "profile.yaml",
        "setup: { requests: [{ method: PUT, path: /accounts }] }\n\
         cleanup: { requests: [{ method: DELETE, path: '/keys/${key}' }] }\n",
    );
    let run = ["run", "case.yaml", "--profile", "profile.yaml", "--target", &hand.url];
    desk.batchproof(&run).ends(1);
    let before = hand.heard().len();
    desk.batchproof(&["replay", "reports", "CODE-002"]).ends(1).says(&["The clean-up ran, for"]);
    let heard: Vec<Heard> = hand.heard().into_iter().skip(before).collect();
    assert_eq!(heard.first().map(|h| h.method.as_str()), Some("PUT"));
    let items = heard.iter().flat_map(Heard::items);
    let sent: HashSet<String> =
        items.map(|item| item["communicationNumber"].as_str().unwrap().to_owned()).collect();
    let deleted = heard.iter().filter(|h| h.method == "DELETE").count();
    assert_eq!(deleted, sent.len());
    assert!(deleted > 0 && heard.last().is_some_and(|h| h.method == "DELETE"));
}

#[cfg(unix)]
#[test]
fn a_run_that_is_ended_is_cleaned_up_after() {
    for (signal, further) in
        [(Some("-INT"), &[][..]), (Some("-TERM"), &[]), (None, &["--max-time", "2s"])]
    {
        let desk = Desk::new();
        let hand = Hand::start(|heard| {
            if heard.method == "DELETE" {
                return Said::json(404, &json!({}));
            }
            // It is never over by itself.
            std::thread::sleep(Duration::from_millis(50));
            verdicts(heard, "REQUEST_ACCEPTED", &Value::Null)
        });
        desk.file("case.yaml", "title: x\nruns: 100000\nsteps: [{ batch: 2 }]\n");
        desk.file(
            "profile.yaml",
            "cleanup: { requests: [{ method: DELETE, path: '/keys/${key}' }] }\n",
        );
        let mut child = Command::new(env!("CARGO_BIN_EXE_batchproof"))
            .args(["run", "case.yaml", "--profile", "profile.yaml", "--target", &hand.url])
            .args(further)
            .current_dir(desk.path())
            .env_remove("BATCHPROOF_TOKEN")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if let Some(signal) = signal {
            let begun = Instant::now();
            while hand.heard().len() < 40 && begun.elapsed() < Duration::from_mins(1) {
                std::thread::sleep(Duration::from_millis(5));
            }
            Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        }
        assert_eq!(child.wait().unwrap().code(), Some(3));
        let sent = keys(&hand);
        let deleted = hand.heard().iter().filter(|heard| heard.method == "DELETE").count();
        assert!(!sent.is_empty());
        assert!(deleted >= sent.len(), "{deleted} of {}", sent.len());
        let notes = desk.report()["notes"].to_string();
        assert!(notes.contains("the clean-up ran, for"), "{notes}");
    }
}

#[test]
fn a_run_that_found_nobody_is_not_cleaned_up_after() {
    let desk = Desk::new();
    desk.file("profile.yaml", "cleanup: { command: 'touch cleaned' }\n");
    let url = format!("http://127.0.0.1:{}", closed_port());
    let run = ["run", "--wait", "1s", "--profile", "profile.yaml", "--target", &url];
    desk.batchproof(&run).ends(3);
    assert!(!desk.path().join("cleaned").exists());
}

#[test]
fn a_hook_that_can_not_be_used_is_a_usage_error() {
    let desk = Desk::new();
    for (profile, says) in [
        ("setup: {}\n", "`setup`: it has neither `command` nor `requests`"),
        ("cleanup: { requests: [{ path: keys }] }\n", "does not begin with `/`"),
        ("setup: { requests: [{ path: '/keys/${key}' }] }\n", "`${key}` is unknown here"),
        ("setup: { command: 'x ${env:NOT_SET_ANYWHERE}' }\n", "has no `NOT_SET_ANYWHERE`"),
        ("setup: { comand: x }\n", "comand"),
    ] {
        desk.file("profile.yaml", profile);
        desk.batchproof(&["run", "--profile", "profile.yaml"]).ends(2).says(&[says]);
    }
    desk.file("case.yaml", CASE);
    desk.batchproof(&["run", "case.yaml"]).ends(0);
    desk.batchproof(&["cleanup", "reports"]).ends(2).says(&["no `cleanup`"]);
}
