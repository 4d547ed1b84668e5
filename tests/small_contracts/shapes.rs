//! The shipped contracts of other shapes: clean ones are judged clean, and a fault is found where its results really are.

use crate::GROUPS;
use crate::harness::{Desk, Serving};

/// The group in which a fault shows, the fault, its rule, and where a finding of it is.
type ShapeFault = (&'static str, &'static str, &'static str, &'static str);

/// The shipped contracts of other shapes, each with faults.
const SHAPES: [(&str, &[ShapeFault]); 14] = [
    (
        "plain-documents",
        &[
            ("order", "results-reversed", "ORDER-002", "/0/id"),
            ("unique", "uniqueness-unchecked", "UNIQUE-001", "/1/ok"),
        ],
    ),
    (
        "two-lists",
        &[
            ("order", "last-result-dropped", "ORDER-001", "/results"),
            ("unique", "uniqueness-unchecked", "UNIQUE-001", "/results/1"),
        ],
    ),
    (
        "bulk-operations",
        &[
            ("echo", "number-lower-cased", "ECHO-001", "/Operations/0/response/userName"),
            ("unique", "uniqueness-unchecked", "UNIQUE-001", "/Operations/1/status"),
        ],
    ),
    ("all-or-nothing", &[("order", "results-reversed", "ORDER-002", "/0/reference")]),
    ("without-key", &[("order", "last-result-dropped", "ORDER-001", "/Records")]),
    (
        "lines",
        &[
            ("order", "results-reversed", "ORDER-002", "/0/id"),
            ("unique", "uniqueness-unchecked", "UNIQUE-001", "/1/success"),
        ],
    ),
    ("action-lines", &[("unique", "uniqueness-unchecked", "UNIQUE-001", "/items/1/create/status")]),
    ("keyed", &[("unique", "uniqueness-unchecked", "UNIQUE-001", "/created/Item-0")]),
    ("keyed-by-field", &[("unique", "uniqueness-unchecked", "UNIQUE-001", "/stored")]),
    (
        "zipped",
        &[
            ("order", "results-reversed", "ORDER-002", "/ids/0"),
            ("unique", "uniqueness-unchecked", "UNIQUE-001", "/faults/1"),
        ],
    ),
    (
        "read-back",
        &[
            ("store", "values-of-the-next-item", "STORE-001", "/data/to"),
            ("store", "stored-texts-cut", "STORE-001", "/data/to"),
        ],
    ),
    ("replaced", &[("unique", "used-key-not-replaced", "UNIQUE-008", "/objects/0/error")]),
    (
        "repeated",
        &[
            ("unique", "repeat-rejected", "UNIQUE-009", "/results/0/state"),
            ("unique", "repeat-processed-again", "UNIQUE-010", "/results/0"),
            ("unique", "repeat-paid-again", "UNIQUE-015", "/results/0"),
        ],
    ),
    (
        "several-keys",
        &[
            ("unique", "other-key-unchecked", "UNIQUE-011", "/Operations/0/status"),
            ("unique", "other-key-across-requests", "UNIQUE-012", "/Operations/0/status"),
        ],
    ),
];

#[test]
fn contracts_of_other_shapes_are_served_and_judged_where_their_results_really_are() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/contracts");
    let desk = Desk::new();
    for (name, faults) in SHAPES {
        let path = format!("{root}/{name}");
        let run = ["--contract", &path, "--depth", "quick", "--seed", "3"];
        desk.batchproof(&[&["run"][..], &GROUPS, &run].concat()).ends(0);
        for (group, fault, rule, place) in faults {
            let serving = Serving::start(&["--contract", &path, "--fault", fault], None);
            let target = ["--target", &serving.url];
            desk.batchproof(&[&["run", group][..], &run, &target].concat()).ends(1);
            let report = desk.report();
            let findings = report["findings"].as_array().unwrap();
            let of_rule: Vec<&str> = findings
                .iter()
                .filter(|finding| finding["rule"] == *rule)
                .map(|finding| finding["message"].as_str().unwrap())
                .collect();
            let found =
                of_rule.iter().any(|message| message.contains(&format!("{place}: expected")));
            assert!(found, "{name}, {fault}: no {rule} at {place} among {of_rule:#?}");
        }
    }
}
