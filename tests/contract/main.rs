//! The contract is data: the document agrees with itself, JSON is as good as YAML, and another endpoint needs
//! another directory and no line of Rust.

mod cases;
#[path = "../harness/mod.rs"]
mod harness;

use std::collections::BTreeMap;
use std::path::Path;

use batchproof::contract::Contract;
use harness::{Desk, Serving};
use serde_json::{Value, json};

fn second() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second-contract").display().to_string()
}

#[test]
fn the_documents_own_examples_fit_its_own_schemas() {
    for contract in [Contract::shipped(), Contract::load(Path::new(&second()))] {
        let contract = contract.unwrap();
        let operation = &contract.operation;
        assert!(!operation.request.examples.is_empty());
        assert!(!operation.responses[&200].examples.is_empty());
        assert!(!operation.responses[&400].examples.is_empty());
        let responses = operation.responses.iter().map(|(s, body)| (s.to_string(), body));
        for (place, body) in
            std::iter::once(("request".to_owned(), &operation.request)).chain(responses)
        {
            for (name, value) in &body.examples {
                let mistakes: Vec<String> =
                    body.validator.iter_errors(value).map(|e| e.to_string()).collect();
                assert!(mistakes.is_empty(), "{place}, {name}: {mistakes:?}");
            }
        }
    }
}

#[test]
fn the_specifications_request_example_is_a_case() {
    let contract = Contract::shipped().unwrap();
    let texts: Vec<String> = batchproof::case::shipped()
        .unwrap()
        .into_iter()
        .filter(|case| case.group() == "spec")
        .map(|case| format!("{:?}", case.spec.steps))
        .collect();
    for (name, example) in &contract.operation.request.examples {
        for item in example[&contract.batch.items].as_array().unwrap() {
            let account = item["accountExtId"].as_str().unwrap();
            assert!(texts.iter().any(|text| text.contains(account)), "{name}: {account}");
        }
    }
}

#[test]
fn the_document_as_json_behaves_like_the_document_as_yaml() {
    let desk = Desk::new();
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let yaml = std::fs::read_to_string(schemas.join("openapi.yaml")).unwrap();
    let document: Value = serde_saphyr::from_str(&yaml).unwrap();
    desk.file("contract/openapi.json", serde_json::to_string(&document).unwrap());
    desk.file("contract/batch.yaml", std::fs::read(schemas.join("batch.yaml")).unwrap());
    let mut judged = Vec::new();
    for contract in [&[][..], &["--contract", "contract"][..]] {
        let mut arguments = vec!["run", "--depth", "quick", "--seed", "5", "--jobs", "1"];
        arguments.extend(contract);
        desk.batchproof(&arguments).ends(0);
        let report = desk.report();
        let rules: Vec<Value> = report["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| json!([rule["id"], rule["outcome"], rule["counts"]["failed"]]))
            .collect();
        judged.push((rules, report["stats"]["items"].clone(), report["stats"]["requests"].clone()));
    }
    assert_eq!(judged[0], judged[1]);
}

#[test]
fn a_second_endpoint_needs_no_line_of_rust() {
    let desk = Desk::new();
    let (contract, cases) = (second(), format!("{}/cases", second()));
    for seed in ["1", "2", "3"] {
        desk.batchproof(&["run", "--contract", &contract, &cases, "--seed", seed]).ends(0).says(&[
            "CONFORMANT",
            "ACME batch import of customers",
            "POST /acme/batch-customers",
        ]);
        let report = desk.report();
        assert_eq!(report["findings"], json!([]));
        for id in ["ACCEPT-001", "REFUSE-001", "REFUSE-003", "ORDER-002", "UNIQUE-001", "RACE-001"]
        {
            let rules = report["rules"].as_array().unwrap();
            let rule = rules.iter().find(|rule| rule["id"] == id).unwrap();
            assert_eq!(rule["outcome"], "passed", "{id}");
        }
    }
}

#[test]
fn a_second_endpoint_is_judged_in_the_other_refusal_mode_too() {
    let desk = Desk::new();
    let (contract, cases) = (second(), format!("{}/cases", second()));
    let serving =
        Serving::start(&["--contract", &contract, "--refusal-mode", "item"], Some("acme"));
    desk.with_token(
        &["run", "--contract", &contract, &cases, "--target", &serving.url],
        Some("acme"),
    )
    .ends(0);
    assert_eq!(desk.report()["findings"], json!([]));
}

#[test]
fn faults_of_a_second_endpoint_are_found() {
    let desk = Desk::new();
    let (contract, cases) = (second(), format!("{}/cases", second()));
    let serving = Serving::start(&["--contract", &contract, "--fault", "results-reversed"], None);
    desk.batchproof(&["run", "--contract", &contract, &cases, "--target", &serving.url])
        .ends(1)
        .says(&["NONCONFORMANT", "ORDER-002", "customerRef"]);
    let found = desk.found();
    assert!(found.iter().all(|rule| rule == "ORDER-002"), "{found:?}");
}

#[test]
fn a_contract_that_cant_be_used_says_what_it_needs() {
    let desk = Desk::new();
    let batch = std::fs::read_to_string(format!("{}/batch.yaml", second())).unwrap();
    let document = std::fs::read_to_string(format!("{}/openapi.json", second())).unwrap();
    let run = |desk: &Desk| desk.batchproof(&["run", "--contract", "c"]).ends(2);
    std::fs::create_dir(desk.path().join("c")).unwrap();
    run(&desk).says(&["c: there is no openapi.yaml", "openapi.json", "batch.yaml"]);
    desk.file("c/openapi.json", &document);
    run(&desk).says(&["c: there is no batch.yaml"]);
    desk.file("c/batch.yaml", batch.replace("unique: customerRef", "unique: customerref"));
    run(&desk).says(&["c/batch.yaml", "`customerref`", "did you mean `customerRef`?"]);
    desk.file("c/batch.yaml", batch.replace("unique:", "uniqe:"));
    run(&desk).says(&["c/batch.yaml:6:", "unknown key `uniqe`", "did you mean `unique`?"]);
    desk.file("c/batch.yaml", batch.replace("batch-customers", "batch-customer"));
    run(&desk).says(&[
        "c/openapi.json",
        "/acme/batch-customer",
        "did you mean `/acme/batch-customers`?",
    ]);
    desk.file("c/batch.yaml", &batch);
    desk.file("c/openapi.json", document.replace("\"3.1.0\"", "\"4.0.0\""));
    run(&desk).says(&["c/openapi.json", "4.0.0", "3.1"]);
    desk.file(
        "c/openapi.json",
        document.replace("#/components/schemas/Person", "other.json#/Person"),
    );
    run(&desk).says(&["c/openapi.json", "other.json"]);
    assert!(!desk.reports().exists());
}

#[test]
fn the_old_name_of_the_interpretations_is_an_error_that_says_the_new_one() {
    let desk = Desk::new();
    for name in ["batch.yaml", "openapi.json"] {
        let text = std::fs::read_to_string(format!("{}/{name}", second())).unwrap();
        desk.file(&format!("c/{name}"), &text);
    }
    desk.file("c/readings.yaml", "[]\n");
    desk.batchproof(&["run", "--contract", "c"])
        .ends(2)
        .says(&["readings.yaml", "interpretations.yaml"]);
}

/// The contract of [`second`] with no number, no date-time, and nothing echoed but the key.
fn tiny(cli: &Desk) -> String {
    let text = |limit: Value| json!({ "type": "string", "maxLength": limit });
    let json_of = |schema: Value| json!({ "application/json": { "schema": schema } });
    let result = json!({
        "type": "object",
        "properties": { "state": { "enum": ["ok", "no"] }, "id": text(json!(100)), "why": { "type": "string" } }
    });
    let list = |name: &str, items: Value| {
        json!({
            "type": "object",
            "required": [name],
            "properties": { name: { "type": "array", "items": items } }
        })
    };
    let item = json!({
        "type": "object",
        "required": ["id", "colour"],
        "properties": { "id": { "type": "string" }, "colour": { "enum": ["red", "blue"] } }
    });
    let error = json!({ "type": "object", "properties": { "why": { "type": "string" } } });
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "things", "version": "1" },
        "paths": { "/things": { "post": {
            "requestBody": { "required": true, "content": json_of(list("things", item)) },
            "responses": {
                "200": { "description": "done", "content": json_of(list("done", result)) },
                "400": { "description": "refused", "content": json_of(error) }
            }
        } } }
    });
    cli.file("tiny/openapi.json", document.to_string());
    let batch = "title: things\noperation: { path: /things, method: post }\nitems: things\nresults: done\n\
        unique: id\necho: [id]\nverdict: { field: state, accepted: ok, rejected: no }\n\
        error: { code: why, description: text }\n\
        codes: { gone: { means: used before, cause: used }, incomplete: { means: no, cause: missing } }\n";
    let dir = cli.file("tiny/batch.yaml", batch);
    dir.parent().unwrap().display().to_string()
}

/// Cases of the last run that did not apply, each with its reason.
fn not_applicable(desk: &Desk) -> BTreeMap<String, String> {
    let record = std::fs::read_to_string(desk.reports().join("record.jsonl")).unwrap();
    let head: Value = serde_json::from_str(record.lines().next().unwrap()).unwrap();
    let not_run = head["not_run"].as_object().unwrap();
    not_run
        .iter()
        .map(|(case, not)| (case.clone(), not["why"].as_str().unwrap().to_owned()))
        .collect()
}

/// Why cases do not apply.
const NOT_RETURNED: &str = "a used key does not get the answer of its first use in this contract";
const ONE_KEY: &str = "items have no further unique key";
const NO_READ: &str = "the contract names no request that shows one item (read)";

#[test]
fn every_shipped_case_applies_to_a_second_endpoint_unless_it_lacks_what_the_case_is_about() {
    for mode in ["request", "item"] {
        let desk = Desk::new();
        let contract = second();
        let serving =
            Serving::start(&["--contract", &contract, "--refusal-mode", mode], Some("acme"));
        let arguments = [
            "run",
            "--contract",
            &contract,
            "--target",
            &serving.url,
            "--runs",
            "1",
            "--seed",
            "3",
        ];
        desk.with_token(&arguments, Some("acme")).ends(0);
        assert_eq!(desk.report()["findings"], json!([]), "{mode}");
        let lacking = BTreeMap::from(
            [
                (
                    "auth/without-the-further-key",
                    "the document demands no API key beside the credentials",
                ),
                ("tenant/keys", "the profile names no other tenant (tenants)"),
                ("echo/alike-in-a-second-field", "the contract has no second echoed text"),
                ("echo/equal-fields", "the contract has no second echoed text"),
                ("refuse/number-behind-the-twentieth-item", "the contract has no mandatory number"),
                (
                    "spec/mandatory-fields-example",
                    "it is about the contract `AMLYZE batch import of account balances`",
                ),
                ("unique/every-kind-of-item-at-once", "the contract has no optional echoed text"),
                (
                    "unique/long-alike-beyond-the-bmp",
                    "the contract has no key of more than 120 characters",
                ),
                (
                    "unique/long-alike-in-the-middle",
                    "the contract has no key of more than 120 characters",
                ),
                ("robust/lines", "the items of the contract are not lines"),
                ("race/same-key-returned", NOT_RETURNED),
                ("unique/look-alikes-returned", NOT_RETURNED),
                ("unique/other-content-returned", NOT_RETURNED),
                ("unique/repeated-in-a-large-batch", NOT_RETURNED),
                ("unique/repeated-item", NOT_RETURNED),
                ("unique/used-again-broken", "the contract lets no key be used again"),
                ("race/other-key", ONE_KEY),
                ("unique/other-key-in-another-letter-case", ONE_KEY),
                ("unique/other-key-of-a-refused-request", ONE_KEY),
                ("unique/other-key-of-a-rejected-item", ONE_KEY),
                ("unique/other-key-twice-in-one-batch", "the contract has no further unique key"),
                ("unique/other-key-used-again", ONE_KEY),
                ("unique/other-key-with-other-fields", ONE_KEY),
                ("store/accepted", NO_READ),
                ("store/chunked", NO_READ),
                ("store/large", NO_READ),
                ("store/larger", NO_READ),
                ("store/not-accepted", NO_READ),
                ("store/not-accepted-in-a-large-batch", NO_READ),
                ("store/simultaneous", NO_READ),
                ("store/twice-in-one-batch", NO_READ),
                ("store/used-key", NO_READ),
                ("store/without-credentials", NO_READ),
                ("unique/used-again", "the contract lets no key be used again"),
                ("unique/with-an-empty-text", "the contract has no optional echoed text"),
            ]
            .map(|(case, reason)| (case.to_owned(), reason.to_owned())),
        );
        assert_eq!(not_applicable(&desk), lacking, "{mode}");
    }
}

#[test]
fn what_a_contract_lacks_is_the_reason_why_a_case_does_not_apply() {
    let desk = Desk::new();
    let contract = tiny(&desk);
    let arguments = ["run", "--contract", &contract, "--runs", "1", "--seed", "3"];
    let printed = desk.batchproof(&arguments).ends(0);
    assert_eq!(desk.report()["findings"], json!([]));
    let lacking = not_applicable(&desk);
    for (case, reason) in [
        ("echo/alike", "the contract has no echoed text"),
        ("refuse/not-json-in-a-number", "the contract has no number"),
        ("refuse/date-time-behind-the-twentieth-item", "the contract has no mandatory date-time"),
        ("refuse/broken-utf8-in-a-text", "the contract has no text"),
        ("unique/with-an-old-date-time", "the contract has no date-time"),
        ("accept/numbers", "the contract has nothing that its mutations could change"),
    ] {
        assert_eq!(lacking.get(case).map(String::as_str), Some(reason), "{case}: {lacking:#?}");
    }
    let reason = "the contract has no echoed text";
    printed.says(&[reason]);
    for name in ["report.json", "report.html", "report.md", "junit.xml"] {
        let text = std::fs::read_to_string(desk.reports().join(name)).unwrap();
        assert!(text.contains(reason), "{name}");
    }
    for case in
        ["unique/other-fields", "refuse/behind-the-twentieth-item", "refuse/spelt-otherwise"]
    {
        assert_eq!(lacking.get(case), None);
    }
}
