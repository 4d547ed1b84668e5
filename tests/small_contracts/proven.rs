//! The suite is proven for the shipped contracts, and bodies of lines are what a contract says of them.

use crate::harness::Desk;

/// The contracts that are proven: every example, and that of the tests.
fn proven_contracts() -> Vec<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let examples = std::fs::read_dir(root.join("examples/contracts")).unwrap();
    let mut all: Vec<_> = examples.map(|entry| entry.unwrap().path()).collect();
    all.push(root.join("tests/second-contract"));
    all.into_iter().map(|path| path.display().to_string()).collect()
}

/// Proves each of them; what was printed about those that do not hold.
fn unproven(arguments: &[&str]) -> Vec<String> {
    let mut failed = Vec::new();
    for contract in proven_contracts() {
        let prove = [&["prove", "--contract", &contract], arguments].concat();
        let ended = Desk::new().batchproof(&prove);
        if ended.code != 0 {
            failed.push(format!("{contract}\n{}", ended.text()));
        }
    }
    failed
}

#[test]
fn the_suite_is_proven_for_every_example_with_some_faults() {
    let some = ["content-type-missing-on-error", "exception-name-in-error", "rejected-left-out"];
    let failed = unproven(&[&some[..], &["--depth", "quick"]].concat());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
#[ignore = "takes some minutes for each contract"]
fn every_fault_is_found_under_every_example() {
    let failed = unproven(&[]);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_proof_under_a_contract_says_what_can_not_show() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let contract = root.join("examples/contracts/without-key").display().to_string();
    let faults = ["results-reversed", "content-type-missing-on-error", "item-elapsed-negative"];
    let prove = [&["prove", "--contract", &contract, "--depth", "quick"][..], &faults].concat();
    let ended = Desk::new().batchproof(&prove);
    assert_eq!(ended.code, 0, "{}", ended.text());
    assert!(
        ended.out.contains("does not apply: the contract names no elapsed times"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("clean in refusal mode request and item"), "{}", ended.out);
    assert!(ended.out.contains("1 of 1 fault found"), "{}", ended.out);
}

/// What a contract says of a body of lines: for each item whether it is valid, or why the body is refused.
fn of_lines(words: &str, body: &str) -> String {
    use batchproof::contract::Contract;
    use batchproof::contract::validity::BodyValidity;
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/contracts/lines");
    let desk = Desk::new();
    let text = std::fs::read_to_string(format!("{root}/batch.yaml")).unwrap();
    let usual = "blank-lines: ignored, last-newline: optional";
    assert!(text.contains(usual));
    desk.file("c/batch.yaml", text.replace(usual, words));
    desk.file("c/openapi.yaml", std::fs::read_to_string(format!("{root}/openapi.yaml")).unwrap());
    let contract = Contract::load(&desk.path().join("c")).unwrap();
    match contract.body_validity(body.as_bytes()) {
        BodyValidity::Batch { items, .. } => {
            let valid = |reasons: usize| if reasons == 0 { "valid" } else { "invalid" };
            let items: Vec<_> = items.iter().map(|(_, item)| valid(item.invalid.len())).collect();
            items.join(" ")
        }
        BodyValidity::Invalid(reason) => format!("refused: {}", reason.class),
        BodyValidity::Exempt(_) => "open".to_owned(),
    }
}

#[test]
fn lines_are_judged_one_by_one_and_blank_ones_as_the_contract_says() {
    let (ignored, refused) =
        ("blank-lines: ignored", "blank-lines: refused, last-newline: required");
    let optional = "blank-lines: ignored, last-newline: optional";
    let item = r#"{"id":"a","recipient":"b","weight":1}"#;
    for (words, body, says) in [
        (ignored, format!("{item}\n{item}\n"), "valid valid"),
        (ignored, format!("{item}\r\n\n \t\n{item}\n"), "valid valid"),
        (ignored, format!("{item}\n{{\"id\":\n{item}\n"), "valid invalid valid"),
        (ignored, format!("{item}\nnull\n{item} {item}\n"), "valid invalid invalid"),
        (ignored, format!("{item}\n{item}"), "open"),
        (ignored, "\n\n".to_owned(), "open"),
        (ignored, String::new(), "open"),
        (optional, format!("{item}\n{item}"), "valid valid"),
        (refused, format!("{item}\n\n{item}\n"), "refused: a blank line"),
        (refused, format!("{item}\n{item}"), "refused: no newline at the end"),
        ("last-newline: required", format!("{item}\n\n{item}\n"), "open"),
    ] {
        assert_eq!(of_lines(words, &body), says, "{words}: {body:?}");
    }
}
