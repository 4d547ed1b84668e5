//! The contract is data: the document agrees with itself, JSON is as good as YAML, and another endpoint needs
//! another directory and no line of Rust.

mod harness;

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
    run(&desk).says(&["c/batch.yaml:5:", "unknown key `uniqe`", "did you mean `unique`?"]);
    desk.file("c/batch.yaml", batch.replace("batch-customers", "batch-customer"));
    run(&desk).says(&[
        "c/openapi.json",
        "/acme/batch-customer",
        "did you mean `/acme/batch-customers`?",
    ]);
    desk.file("c/batch.yaml", &batch);
    desk.file("c/openapi.json", document.replace("\"3.1.0\"", "\"3.0.3\""));
    run(&desk).says(&["c/openapi.json", "3.0.3", "3.1"]);
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
