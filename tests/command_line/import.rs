//! `import`: recorded requests become a case that loads, runs again and holds no secret.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::hand::{Hand, verdicts};
use crate::harness::{Desk, Serving};

const SECRET: &str = "a-very-secret-token";
const PATH: &str = "/amlyze-ws-rest/batch-account-balances";

fn item(key: &str) -> Value {
    json!({
        "communicationNumber": key, "requester": "core", "accountExtId": "ACC-1",
        "balanceAt": "2023-09-05T08:07:34.605Z", "value": 10,
    })
}

fn body(keys: &[&str]) -> String {
    json!({ "accountBalances": keys.iter().map(|key| item(key)).collect::<Vec<_>>() }).to_string()
}

/// Imports a file, and gives the case; it runs twice in a row, so that its keys are fresh.
fn imported(desk: &Desk, arguments: &[&str]) -> String {
    desk.batchproof(&[&["import"], arguments, &["--output", "case.yaml", "--force"]].concat())
        .ends(0);
    let case = std::fs::read_to_string(desk.path().join("case.yaml")).unwrap();
    assert!(!case.contains(SECRET), "{case}");
    let serving = Serving::start(&[], Some("another-token"));
    for _ in 0..2 {
        desk.with_token(&["run", "case.yaml", "--target", &serving.url], Some("another-token"))
            .ends(0)
            .says(&["CONFORMANT"]);
    }
    case
}

#[test]
fn a_curl_command_becomes_a_case() {
    let desk = Desk::new();
    desk.file("body.json", body(&["K-2"]));
    for (name, command) in [
        (
            "data",
            format!(
                "curl -sS -X POST https://api.example{PATH} -H 'Authorization: Bearer {SECRET}' -H 'Content-Type: application/json' --data-raw '{}'",
                body(&["K-1", "K-2"])
            ),
        ),
        (
            "user",
            format!(
                "$ curl \\\n  --url \"https://api.example{PATH}\" -u user:{SECRET} \\\n  --json '{}' | jq .",
                body(&["K-1"])
            ),
        ),
        (
            "file",
            format!(
                "curl https://api.example/prefix{PATH} -H'Cookie: session={SECRET}; b=2' -d @body.json"
            ),
        ),
        (
            "chrome",
            format!(
                "curl 'https://api.example{PATH}?api_key={SECRET}' \\\n  -H 'sec-ch-ua: x' -H 'x-api-key: {SECRET}' \\\n  --data-raw $'{}' --compressed",
                body(&["it's"]).replace('\'', "\\'")
            ),
        ),
    ] {
        desk.file(name, command);
        let case = imported(&desk, &[name]);
        assert!(
            case.contains("${fresh}") && !case.contains("K-1") && !case.contains("K-2"),
            "{name}: {case}"
        );
        assert!(!case.contains("headers:") && !case.contains("path:"), "{name}: {case}");
    }
    desk.file("own", format!("curl -X PUT 'https://h{PATH}/x?dry=1' -H 'X-Tenant: t-{SECRET}' -H 'Authorization: Bearer {SECRET}' -d 'no json ${{x}} {SECRET}'"));
    let case = desk.batchproof(&["import", "own"]).ends(0).out;
    for line in [
        "method: PUT",
        "path: '",
        "/x?dry=1'",
        "X-Tenant: 't-[redacted]'",
        "body: 'no json $${x} [redacted]'",
    ] {
        assert!(case.contains(line), "{line} is missing in\n{case}");
    }
}

#[test]
fn standard_input_is_read_too() {
    let desk = Desk::new();
    let command = format!("curl https://api.example{PATH} -d '{}'", body(&["K-1"]));
    let output = desk.command().args(["import", "-"]).write_stdin(command).output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("${fresh}"));
}

#[test]
fn a_har_gives_its_requests_to_the_endpoint_and_no_others() {
    let desk = Desk::new();
    let entry = |method: &str, path: &str, text: &str, answer: &Value| {
        json!({
            "request": {
                "method": method, "url": format!("https://api.example{path}"),
                "headers": [{ "name": "Authorization", "value": format!("Bearer {SECRET}") }, { "name": "X-Batch", "value": "7" }],
                "postData": { "mimeType": "application/json", "text": text },
            },
            "response": { "status": 200, "content": { "text": answer.to_string() } },
        })
    };
    let answer = json!({ "results": [
        { "resultType": "REQUEST_ACCEPTED" },
        { "resultType": "REQUEST_REJECTED", "errorCode": "O005" },
    ] });
    let archive = json!({ "log": { "version": "1.2", "entries": [
        entry("GET", "/style.css", "", &Value::Null),
        entry("POST", PATH, &body(&["K-1", "K-1"]), &answer),
        entry("POST", PATH, &body(&["K-1", "K-2"]), &answer),
    ] } });
    desk.file("session.har", archive.to_string());
    let case = imported(&desk, &["session.har"]);
    // A key that is met again is the same one again, in all requests.
    assert_eq!(case.matches("${key:a}").count(), 3, "{case}");
    assert_eq!(case.matches("${fresh}").count(), 1, "{case}");
    assert!(case.contains("answered 200 then: 1 accepted, 1 rejected (O005)"), "{case}");
    assert!(case.contains("X-Batch: '7'") && !case.contains("style.css"), "{case}");
    let other = json!({ "log": { "entries": [entry("GET", "/a", "", &Value::Null), entry("GET", "/b", "", &Value::Null)] } });
    desk.file("other.har", other.to_string());
    desk.batchproof(&["import", "other.har"]).ends(2).says(&[
        "none of its requests is POST",
        "GET /a, GET /b",
        "--contract",
    ]);
}

#[test]
fn a_postman_collection_has_folders_and_variables() {
    let desk = Desk::new();
    let request = json!({
        "method": "POST",
        "header": [{ "key": "Authorization", "value": "Bearer {{secret}}" }, { "key": "X-Off", "value": "1", "disabled": true }],
        "body": { "mode": "raw", "raw": body(&["{{key}}"]) },
        "url": { "raw": format!("{{{{base}}}}{PATH}"), "host": ["{{base}}"] },
    });
    let collection = json!({
        "info": { "name": "c", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" },
        "item": [{ "name": "folder", "item": [{ "name": "batch", "request": request }] }, { "name": "x", "request": "https://h/y" }],
        "variable": [{ "key": "base", "value": "https://h" }, { "key": "key", "value": "K-9" }, { "key": "secret", "value": SECRET }],
    });
    desk.file("collection.json", collection.to_string());
    let case = imported(&desk, &["collection.json"]);
    assert!(
        case.contains("${fresh}") && !case.contains("K-9") && !case.contains("X-Off"),
        "{case}"
    );
}

#[test]
fn what_an_environment_of_postman_fills_in_is_a_variable_of_the_run() {
    let desk = Desk::new();
    let request = json!({
        "method": "POST",
        "header": [{ "key": "X-Client", "value": "{{client}}" }],
        "body": { "mode": "raw", "raw": body(&["K-9"]).replace("\"core\"", "\"{{who}}\"") },
        "url": { "raw": format!("{{{{base}}}}{PATH}") },
    });
    let collection =
        json!({ "info": { "name": "c" }, "item": [{ "name": "batch", "request": request }] });
    desk.file("collection.json", collection.to_string());
    desk.batchproof(&["import", "collection.json", "--output", "case.yaml"]).ends(0);
    let case = std::fs::read_to_string(desk.path().join("case.yaml")).unwrap();
    assert!(case.contains("${variable:who}") && case.contains("${variable:client}"), "{case}");
    assert!(
        case.contains("--variable who=VALUE") && !case.contains("{{") && !case.contains("base"),
        "{case}"
    );
    desk.batchproof(&["run", "case.yaml"]).ends(2).says(&["the variable `"]);
    let values = ["--variable", "who=treasury", "--variable", "client=c-1"];
    desk.batchproof(&[&["run", "case.yaml"], &values[..]].concat()).ends(0);
}

#[test]
fn a_finding_of_a_report_becomes_a_case_that_shows_it_again() {
    let desk = Desk::new();
    let serving = Serving::start(&["--fault", "results-reversed"], None);
    let target = ["--target", &serving.url, "--depth", "quick"];
    desk.file("three.yaml", "title: x\nsteps: [{ batch: 3 }]\n");
    desk.batchproof(&[&["run", "three.yaml"], &target[..]].concat()).ends(1);
    let report = desk.reports().join("report.json").display().to_string();
    desk.batchproof(&["import", &report, "--output", "case.yaml"]).ends(0);
    desk.batchproof(&[&["run", "case.yaml"], &target[..]].concat()).ends(1).says(&["ORDER-002"]);
    desk.batchproof(&["import", &report, "--finding", "no-such-id"])
        .ends(2)
        .says(&["no finding is `no-such-id`", "ORDER-002"]);
}

#[test]
fn what_is_nothing_of_these_says_what_is() {
    let desk = Desk::new();
    for (text, says) in [
        ("hello", "neither a curl command nor JSON"),
        ("{}", "of no kind that is known"),
        ("curl -d x", "no URL"),
        ("curl 'open", "not closed"),
    ] {
        desk.file("in", text);
        desk.batchproof(&["import", "in", "--output", "out.yaml"]).ends(2).says(&[says]);
        assert!(!desk.path().join("out.yaml").exists());
    }
}

/// A run that watches, with what it prints.
#[cfg(unix)]
struct Watching {
    child: std::process::Child,
    lines: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

#[cfg(unix)]
impl Watching {
    fn start(desk: &Desk, arguments: &[&str]) -> Watching {
        use std::io::BufRead as _;
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchproof"));
        command.args(["run", "--watch"]).args(arguments).current_dir(desk.path());
        command.env_remove("BATCHPROOF_TARGET").env_remove("BATCHPROOF_TOKEN");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        Watching { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    fn end(mut self) -> i32 {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        self.child.wait().unwrap().code().unwrap()
    }
}

/// A test that fails leaves nothing running.
#[cfg(unix)]
impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_watched_case_is_run_at_each_save_and_the_last_exit_code_stays() {
    let desk = Desk::new();
    let case = |expect: &str| format!("title: x\nsteps: [{{ batch: 1, expect: {expect} }}]\n");
    desk.file("case.yaml", case("accepted"));
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    let mut watching = Watching::start(&desk, &["case.yaml", "--target", &hand.url]);
    let first = watching.line();
    assert!(first.contains("  CONFORMANT  "), "{first}");
    desk.file("case.yaml", case("{ refused: O001 }"));
    let second = watching.line();
    assert!(second.contains("  NONCONFORMANT  CASE-001 "), "{second}");
    desk.file("case.yaml", "title: x\nsteps: [{ batches: 1 }]\n");
    let third = watching.line();
    assert!(
        third.contains("not run: case.yaml:2:") && third.contains("did you mean `batch`"),
        "{third}"
    );
    desk.file("case.yaml", case("{ refused: O001 } "));
    assert!(watching.line().contains("  NONCONFORMANT  "));
    assert_eq!(watching.end(), 1);
}

#[test]
fn only_files_can_be_watched() {
    let desk = Desk::new();
    desk.batchproof(&["run", "--watch", "unique/replayed"])
        .ends(2)
        .says(&["the file does not exist"]);
    desk.batchproof(&["run", "--watch"]).ends(2);
}
