//! Web Fuzzing Commons: its report as an output, and its authentication files as input.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::hand::{Hand, verdicts};
use crate::harness::{Desk, Serving};

/// What the published schema (version 0.6.0) demands of a report.
const REQUIRED: [&str; 10] = [
    "schemaVersion",
    "toolName",
    "toolVersion",
    "creationTime",
    "faults",
    "problemDetails",
    "totalTests",
    "testFilePaths",
    "testCases",
    "executionTimeInSeconds",
];

#[test]
fn the_report_has_what_the_published_schema_demands() {
    for (fault, case, code) in [
        ("results-reversed", "order/sizes", 901),
        ("elapsed-as-text", "accept/generated", 101),
        ("server-error-for-used", "code/used-key", 100),
        ("length-unchecked", "refuse/too-long", 102),
    ] {
        let (desk, serving) = (Desk::new(), Serving::start(&["--fault", fault], None));
        let run = ["run", case, "accept/generated", "--depth", "quick", "--seed", "7"];
        let format = ["--target", &serving.url, "--format", "wfc"];
        let ended = desk.batchproof(&[&run[..], &format].concat());
        let again = desk.batchproof(&["report", "reports", "--format", "wfc"]);
        assert_eq!(ended.out, again.out, "{fault}");
        let codes = checked(&serde_json::from_str(&ended.out).unwrap());
        assert!(codes.contains(&code), "{fault}: {codes:?}");
    }
}

/// Fails where a report breaks the published schema, or does not fit itself; gives the codes of its faults.
fn checked(report: &Value) -> Vec<u64> {
    for field in REQUIRED {
        assert!(report.get(field).is_some(), "{field} is missing in {report}");
    }
    chrono::DateTime::parse_from_rfc3339(report["creationTime"].as_str().unwrap()).unwrap();
    let files = report["testFilePaths"].as_array().unwrap();
    assert_eq!(files.iter().map(Value::to_string).collect::<BTreeSet<_>>().len(), files.len());
    let cases = report["testCases"].as_array().unwrap();
    assert_eq!(report["totalTests"], cases.len());
    assert!(cases.iter().all(|case| files.contains(&case["filePath"])), "{report}");
    let ids: Vec<&Value> = cases.iter().map(|case| &case["id"]).collect();
    let rest = &report["problemDetails"]["rest"];
    assert_eq!(
        rest["endpointIds"],
        serde_json::json!(["POST:/amlyze-ws-rest/batch-account-balances"])
    );
    for covered in rest["coveredHttpStatus"].as_array().unwrap() {
        assert!(
            ids.contains(&&covered["testCaseId"]) && covered["httpStatus"].is_array(),
            "{covered}"
        );
    }
    let found = report["faults"]["foundFaults"].as_array().unwrap();
    let mut categories = BTreeSet::new();
    for fault in found {
        // The schema demands the one name, and defines the other.
        assert_eq!(fault["operationId"], fault["endpointId"]);
        assert!(ids.contains(&&fault["testCaseId"]), "{fault}");
        for category in fault["faultCategories"].as_array().unwrap() {
            let code = category["code"].as_u64().unwrap();
            assert!(matches!(code, 100..=104 | 200..=206 | 900..=999), "{category}");
            categories.insert((code, category["context"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(report["faults"]["totalNumber"], categories.len());
    categories.iter().map(|(code, _)| *code).collect()
}

#[test]
fn a_user_of_an_authentication_file_is_who_sends() {
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &Value::Null));
    let desk = Desk::new();
    desk.file("one.yaml", "title: one\nsteps: [{ batch: 1, expect: accepted }]\n");
    desk.file(
        "auth.yaml",
        "authTemplate: { requireMockHandling: false }\nauth:\n  - { name: ann, fixedHeaders: [{ name: Authorization, value: \
         Bearer token-of-ann }] }\n  - name: bob\n    fixedHeaders:\n      - { name: Authorization, value: Bearer token-of-bob }\n      \
         - { name: X-Tenant, value: tenant-of-bob }\n",
    );
    let run = |further: &[&str]| {
        let arguments = ["run", "one.yaml", "--target", &hand.url, "--auth-file", "auth.yaml"];
        desk.batchproof(&[&arguments[..], further].concat())
    };
    run(&[]).ends(0);
    run(&["--auth-user", "bob"]).ends(0);
    let sent = hand.heard();
    let shown = |name: &str| -> BTreeSet<String> {
        sent.iter().filter_map(|heard| heard.header(name)).map(str::to_owned).collect()
    };
    assert!(shown("authorization").contains("Bearer token-of-ann"));
    assert!(shown("authorization").contains("Bearer token-of-bob"));
    assert_eq!(shown("x-tenant"), BTreeSet::from(["tenant-of-bob".to_owned()]));
    for (_, text) in crate::harness::files(&desk.reports()) {
        assert!(!String::from_utf8_lossy(&text).contains("token-of-"), "a secret is in a report");
    }
    run(&["--auth-user", "bop"]).ends(2).says(&["`bop`", "ann, bob", "did you mean `bob`?"]);
    for (entry, says) in [
        ("loginEndpointAuth: { endpoint: /login, verb: POST }", "auth[0].loginEndpointAuth"),
        ("createUsers: { endpoint: /users, verb: POST }", "auth[0].createUsers"),
        ("fixedHeaders: [{ name: Authorization }]", "auth[0].fixedHeaders[0].value"),
        ("fixedHeader: []", "auth[0].fixedHeader"),
        ("requireMockHandling: true", "auth[0].requireMockHandling"),
    ] {
        desk.file("auth.yaml", format!("auth:\n  - name: ann\n    {entry}\n"));
        run(&[]).ends(2).says(&[says, "auth.yaml:"]);
    }
}
