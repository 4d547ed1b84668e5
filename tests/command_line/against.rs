//! Two versions in lockstep: what differs is found, grouped, repeated and decided; what does not differ is not claimed.

use serde_json::Value;

use crate::harness::hand::{Hand, verdicts};
use crate::harness::{Desk, Ended, Serving, closed_port, tls};

/// Cases that meet most of what a server does, in few requests.
const CASES: [&str; 5] = [
    "accept/generated",
    "order/mixed-verdicts",
    "refuse/mandatory-field-missing",
    "code/used-key",
    "http/methods",
];

fn compare(desk: &Desk, new: &str, old: &str, cases: &[&str], further: &[&str]) -> Ended {
    let run = ["run", "--target", new, "--against", old, "--depth", "quick", "--seed", "7"];
    desk.batchproof(&[&run[..], cases, further].concat())
}

/// The differences of the last run: verdict, kind, place, old, new and rule.
fn differences(desk: &Desk) -> Vec<String> {
    let report = desk.report();
    let list = report["against"]["differences"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    list.iter()
        .map(|d| {
            let parts =
                ["verdict", "kind", "place", "old", "new", "rule"].map(|name| text(&d[name]));
            parts.join(" ")
        })
        .collect()
}

#[test]
fn two_clean_servers_do_not_differ_in_either_refusal_mode() {
    let desk = Desk::new();
    for mode in ["request", "item"] {
        let [new, old] = [(); 2].map(|()| Serving::start(&["--refusal-mode", mode], None));
        compare(&desk, &new.url, &old.url, &CASES, &[]).ends(0).says(&["SAME", "no differences"]);
        let against = &desk.report()["against"];
        assert_eq!(against["conclusion"], "same");
        assert!(against["requests"].as_u64().unwrap() > 10, "{against}");
        assert_eq!(against["distinct_keys"], false);
    }
}

#[test]
fn each_fault_of_the_new_version_is_a_regression_of_its_own_kind() {
    let old = Serving::start(&[], None);
    for (fault, case, expected) in FAULTS {
        let (desk, new) = (Desk::new(), Serving::start(&["--fault", fault], None));
        let ended = compare(&desk, &new.url, &old.url, &[case], &[]).ends(1);
        let found = differences(&desk);
        assert!(
            found.iter().any(|one| one.starts_with(expected)),
            "{fault}: {expected} is not in {found:#?}\n{}",
            ended.text()
        );
    }
}

/// A fault, a case that shows it, and how its difference begins.
const FAULTS: [(&str, &str, &str); 16] = [
    ("results-reversed", "order/sizes", "regression order /results"),
    ("last-result-dropped", "order/sizes", "regression count /results"),
    ("drops-half-answer", "code/used-key", "regression answer"),
    ("codes-swapped", "code/used-key", "regression code /results/*/errorCode O005 O001"),
    ("uniqueness-unchecked", "code/used-key", "regression verdict /results/*/resultType"),
    ("server-error-for-used", "code/used-key", "regression status  200 500"),
    ("total-elapsed-missing", "accept/generated", "regression missing /timeElapsedMs"),
    ("elapsed-as-text", "accept/generated", "regression type /timeElapsedMs number string"),
    ("content-type-text", "accept/generated", "regression header content-type"),
    ("created-instead-of-ok", "accept/generated", "regression status  200 201"),
    ("cacheable-answer", "accept/generated", "regression rule"),
    (
        "optional-default-filled-in",
        "accept/optional-fields",
        "regression additional /results/*/businessUnit",
    ),
    ("identity-from-neighbour", "order/sizes", "regression value /results/*/accountExtId as sent"),
    ("allow-missing", "http/methods", "regression header allow OPTIONS, POST absent"),
    ("length-unchecked", "refuse/too-long", "regression status  400 200"),
    ("error-body-plain-text", "refuse/mandatory-field-missing", "regression json"),
];

#[test]
fn every_format_lists_the_differences() {
    let (desk, old) = (Desk::new(), Serving::start(&[], None));
    let new = Serving::start(&["--fault", "results-reversed"], None);
    for (format, shown) in [
        ("github", "::error title=regression%3A"),
        ("tap", "- regression: "),
        ("sarif", "\"ruleId\": \"difference\""),
        ("human", "regression"),
    ] {
        let case = ["order/sizes"];
        let ended = compare(&desk, &new.url, &old.url, &case, &["--format", format]).ends(1);
        assert!(ended.out.contains(shown), "{format}:\n{}", ended.out);
    }
    let log: Value = {
        let text = std::fs::read_to_string(desk.reports().join("report.sarif")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let result = results.iter().find(|r| r["ruleId"] == "difference").unwrap();
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "difference");
    assert_eq!(result["level"], "error");
    assert!(result["webResponse"]["body"]["text"].is_string(), "{result}");
}

#[test]
fn what_the_old_version_violates_is_fixed_and_another_refusal_mode_is_allowed() {
    let (desk, clean) = (Desk::new(), Serving::start(&[], None));
    let faulty = Serving::start(&["--fault", "results-reversed"], None);
    compare(&desk, &clean.url, &faulty.url, &["order/sizes"], &[])
        .ends(1)
        .says(&["FIXED", "the older target violates it, the newer one does not"]);
    let item = Serving::start(&["--refusal-mode", "item"], None);
    compare(&desk, &item.url, &clean.url, &["refuse/mandatory-field-missing"], &[]).ends(1).says(
        &[
            "DIFFERENT",
            "ALLOWED status: 400 → 200",
            "no rule decides: the specification allows both answers",
        ],
    );
    let found = differences(&desk);
    assert!(found.iter().all(|one| one.starts_with("allowed ")), "{found:#?}");
    let report = desk.report();
    assert_eq!((&report["exit"], &report["conclusion"]), (&1.into(), &"conformant".into()));
    let example = &report["against"]["differences"][0]["example"]["evidence"][0];
    assert_eq!(example["old"]["request"]["body"], example["new"]["request"]["body"]);
    for file in ["report.md", "report.html", "junit.xml"] {
        let text = std::fs::read_to_string(desk.reports().join(file)).unwrap();
        assert!(text.contains("allowed"), "{file}");
    }
}

#[test]
fn a_place_is_ignored_on_request_and_a_misspelt_one_is_an_error() {
    let old = Serving::start(&[], None);
    let (desk, new) = (Desk::new(), Serving::start(&["--fault", "total-elapsed-missing"], None));
    let case = ["accept/generated"];
    compare(&desk, &new.url, &old.url, &case, &[])
        .ends(1)
        .says(&["missing member at /timeElapsedMs"]);
    let ignore = ["--ignore", "/timeElapsedMs"];
    compare(&desk, &new.url, &old.url, &case, &ignore)
        .ends(0)
        .says(&["ignored on request: /timeElapsedMs"]);
    compare(&desk, &new.url, &old.url, &case, &["--ignore", "timeElapsedMs"])
        .ends(2)
        .says(&["a JSON pointer such as"]);
}

#[test]
fn targets_with_one_database_get_keys_of_their_own() {
    let (desk, old) = (Desk::new(), Serving::start(&[], None));
    // Another address of the same server.
    let new = old.url.replace("127.0.0.1", "localhost");
    compare(&desk, &new, &old.url, &["accept/generated", "code/used-key"], &[])
        .ends(0)
        .says(&["SAME", "share what they store"]);
    assert_eq!(desk.report()["against"]["distinct_keys"], true);
}

#[test]
fn values_that_change_from_answer_to_answer_are_not_a_difference() {
    let answering = || {
        let count = std::sync::atomic::AtomicU64::new(0);
        Hand::start(move |heard| {
            let mut said = verdicts(heard, "REQUEST_ACCEPTED", &Value::Null);
            let mut body: Value = serde_json::from_str(&said.body).unwrap();
            let id = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            body["requestId"] = format!("{id}-{}", std::process::id()).into();
            said.body = body.to_string();
            said
        })
    };
    let (desk, new, old) = (Desk::new(), answering(), answering());
    compare(&desk, &new.url, &old.url, &["accept/generated"], &[]).ends(0).says(&["/requestId"]);
    assert_eq!(desk.report()["against"]["volatile"], serde_json::json!(["/requestId"]));
}

#[test]
fn a_target_that_is_down_is_not_compared() {
    let (desk, serving) = (Desk::new(), Serving::start(&[], None));
    let down = format!("http://127.0.0.1:{}", closed_port());
    compare(&desk, &serving.url, &down, &["accept/generated"], &[]).ends(3).says(&[
        "NOT COMPARED",
        "the older target",
        "can't be reached",
    ]);
    compare(&desk, &down, &serving.url, &["accept/generated"], &[]).ends(3);
    desk.batchproof(&["run", "--against", &serving.url])
        .ends(2)
        .says(&["--against needs --target"]);
}

#[test]
fn a_comparison_over_tls_is_like_one_without() {
    let (chain, key) = (tls::file("server.pem"), tls::file("server.key"));
    let options = ["--tls-cert", &chain, "--tls-key", &key];
    let (desk, plain) = (Desk::new(), Serving::start(&[], None));
    let encrypted = Serving::start(&options, None);
    let ca = ["--ca", &tls::file("ca.pem")];
    compare(&desk, &encrypted.url, &plain.url, &CASES, &ca).ends(0).says(&["SAME"]);
    let faulty = [&options[..], &["--fault", "results-reversed"]].concat();
    let faulty = Serving::start(&faulty, None);
    compare(&desk, &faulty.url, &encrypted.url, &["order/sizes"], &ca)
        .ends(1)
        .says(&["REGRESSION order of results"]);
}
