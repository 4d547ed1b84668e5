//! Small contracts, each with one thing that few have: a correct server of such a contract is judged clean, embedded
//! and served, and what nothing can be generated for is an error with its place.

mod harness;
#[path = "third-party/mod.rs"]
mod third_party;

use std::collections::BTreeSet;

use harness::hand::{Hand, Said};
use harness::{Desk, Serving};
use serde_json::{Value, json};

/// An operation that imports notes; tests change what they are about.
fn document() -> Value {
    let text = json!({ "type": "string" });
    let list = |name: &str, items: &str| {
        json!({
            "type": "object",
            "required": [name],
            "properties": {
                name: { "type": "array", "items": { "$ref": format!("#/components/schemas/{items}") } }
            }
        })
    };
    let content = |schema: Value| json!({ "application/json": { "schema": schema } });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "notes", "version": "1" },
        "security": [{ "bearerAuth": [] }],
        "paths": { "/notes": { "post": {
            "requestBody": { "required": true, "content": content(list("notes", "Note")) },
            "responses": {
                "200": { "description": "done", "content": content(list("done", "Done")) },
                "400": {
                    "description": "refused",
                    "content": content(json!({ "$ref": "#/components/schemas/Refusal" }))
                }
            }
        } } },
        "components": {
            "schemas": {
                "Note": {
                    "type": "object",
                    "required": ["id", "text"],
                    "properties": { "id": text, "text": { "type": "string", "maxLength": 200 } }
                },
                "Done": {
                    "type": "object",
                    "properties": { "state": { "enum": ["ok", "no"] }, "id": text, "why": text }
                },
                "Refusal": { "type": "object", "properties": { "why": text } }
            },
            "securitySchemes": { "bearerAuth": { "type": "http", "scheme": "bearer" } }
        }
    })
}

const CODES: &str = "codes: { used: { means: used before, cause: used }, missing: { means: no, cause: missing } }\n";

/// Writes a contract; the name of its directory.
fn contract(desk: &Desk, document: &Value, codes: &str) -> &'static str {
    let batch = "title: notes\noperation: { path: /notes, method: post }\nitems: notes\nresults: done\nunique: id\n\
                 echo: [id]\nverdict: { field: state, accepted: ok, rejected: no }\n\
                 error: { code: why, description: text }\n";
    desk.file("c/openapi.json", document.to_string());
    desk.file("c/batch.yaml", format!("{batch}{codes}"));
    "c"
}

/// All groups of cases but the one that waits for half a minute.
const GROUPS: [&str; 14] = [
    "accept", "atom", "auth", "code", "echo", "http", "order", "race", "refuse", "robust", "spec",
    "store", "time", "unique",
];

/// The rules that failed when these cases ran against the server of a contract, embedded and served, in both modes.
fn failed(desk: &Desk) -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for mode in ["request", "item"] {
        let path = desk.path().join("c").display().to_string();
        let serving = Serving::start(&["--contract", &path, "--refusal-mode", mode], Some("t"));
        for target in [&["--target", &serving.url][..], &[]] {
            let run = ["--contract", "c", "--runs", "1", "--seed", "3"];
            let ended = desk.with_token(&[&["run"][..], &GROUPS, &run, target].concat(), Some("t"));
            assert!(ended.code < 2, "{}", ended.text());
            rules.extend(desk.found());
        }
    }
    rules
}

fn outcome(desk: &Desk, rule: &str) -> String {
    let report = desk.report();
    let rules = report["rules"].as_array().unwrap();
    let found = rules.iter().find(|r| r["id"] == rule);
    found.unwrap_or_else(|| panic!("there is no {rule}"))["outcome"].as_str().unwrap().to_owned()
}

/// What a server of the notes answers that takes everybody.
fn taking_everybody() -> Hand {
    let used = std::sync::Mutex::new(BTreeSet::new());
    Hand::start(move |heard| {
        let refused = || Said::json(400, &json!({ "why": "missing" }));
        let Ok(body) = serde_json::from_slice::<Value>(&heard.body) else { return refused() };
        let Some(notes) = body["notes"].as_array() else { return refused() };
        let is_good = |note: &Value| {
            let short = |t: &str| t.chars().count() <= 200;
            note["id"].is_string() && note["text"].as_str().is_some_and(short)
        };
        if heard.method != "POST" {
            return Said::json(405, &json!({}));
        }
        if !notes.iter().all(is_good) {
            return refused();
        }
        let mut used = used.lock().unwrap();
        let done: Vec<Value> = notes
            .iter()
            .map(|note| {
                if used.insert(note["id"].as_str().unwrap().to_owned()) {
                    json!({ "state": "ok", "id": note["id"] })
                } else {
                    json!({ "state": "no", "id": note["id"], "why": "used", "text": "used before" })
                }
            })
            .collect();
        Said::json(200, &json!({ "done": done }))
    })
}

#[test]
fn credentials_are_judged_only_where_the_document_demands_them() {
    let hand = taking_everybody();
    for (security, outcome_of_rule) in [
        (Value::Null, "not-applicable"),
        (json!([]), "not-applicable"),
        (json!([{ "bearerAuth": [] }, {}]), "not-applicable"),
        (json!([{ "bearerAuth": [] }]), "failed"),
    ] {
        let desk = Desk::new();
        let mut document = document();
        document["paths"]["/notes"]["post"]["security"] = security.clone();
        if security.is_null() {
            document.as_object_mut().unwrap().shift_remove("security");
            let operation = &mut document["paths"]["/notes"]["post"];
            operation.as_object_mut().unwrap().shift_remove("security");
        }
        let path = contract(&desk, &document, CODES);
        let run = ["run", "auth", "--contract", path, "--target", &hand.url];
        let ended = desk.with_token(&run, Some("t"));
        assert_eq!(outcome(&desk, "AUTH-001"), outcome_of_rule, "{security}: {}", ended.text());
        if outcome_of_rule == "not-applicable" {
            assert!(desk.found().iter().all(|rule| !rule.starts_with("AUTH")), "{security}");
            let rules = desk.report()["rules"].clone();
            let rule = rules.as_array().unwrap().iter().find(|r| r["id"] == "AUTH-001").unwrap();
            assert_eq!(rule["skipped"], "the document demands no credentials");
        }
    }
}

#[test]
fn codes_need_not_tell_used_keys_or_missing_fields() {
    for codes in [
        "codes: { missing: { means: no, cause: missing } }\n",
        "codes: { used: { means: used before, cause: used } }\n",
        "codes: { wrong: { means: not taken, cause: invalid } }\n",
    ] {
        let desk = Desk::new();
        contract(&desk, &document(), codes);
        let failed = failed(&desk);
        assert!(failed.iter().all(|rule| rule == "CODE-004"), "{codes}: {failed:?}");
    }
}

#[test]
fn codes_may_be_whole_numbers() {
    let desk = Desk::new();
    let mut document = document();
    for schema in ["Done", "Refusal"] {
        document["components"]["schemas"][schema]["properties"]["why"] =
            json!({ "type": "integer" });
    }
    contract(
        &desk,
        &document,
        "codes: { 5: { means: used before, cause: used }, 1: { means: no, cause: missing } }\n",
    );
    assert_eq!(failed(&desk), BTreeSet::new());
    assert_eq!(outcome(&desk, "CODE-001"), "passed");
    assert_eq!(outcome(&desk, "CODE-003"), "passed");
    assert_eq!(desk.report()["coverage"]["documented_codes"]["covered"], 2);
}

#[test]
fn what_is_read_only_is_not_sent() {
    let desk = Desk::new();
    let mut document = document();
    let note = &mut document["components"]["schemas"]["Note"];
    note["properties"]["storedAt"] =
        json!({ "type": "string", "format": "date-time", "readOnly": true });
    note["properties"]["owner"] = json!({ "$ref": "#/components/schemas/Owner" });
    note["required"] = json!(["id", "text", "storedAt", "owner"]);
    document["components"]["schemas"]["Owner"] = json!({ "type": "string", "readOnly": true });
    let path = contract(&desk, &document, CODES);
    assert_eq!(failed(&desk), BTreeSet::new());
    let hand = taking_everybody();
    let run = ["run", "accept", "spec", "refuse", "--contract", path, "--target", &hand.url];
    desk.with_token(&run, Some("t"));
    let heard = hand.heard();
    assert!(heard.len() > 20);
    for body in heard.iter().map(|heard| String::from_utf8_lossy(&heard.body)) {
        assert!(!body.contains("storedAt") && !body.contains("owner"), "{body}");
    }
}

#[test]
fn multiples_are_drawn_where_the_schema_wants_them() {
    let desk = Desk::new();
    let mut document = document();
    let note = &mut document["components"]["schemas"]["Note"];
    note["properties"]["price"] = json!({ "type": "number", "multipleOf": 0.05 });
    note["properties"]["pages"] = json!({ "type": "integer", "multipleOf": 4, "minimum": 3 });
    note["required"] = json!(["id", "text", "price", "pages"]);
    contract(&desk, &document, CODES);
    assert_eq!(failed(&desk), BTreeSet::new());
    assert_eq!(outcome(&desk, "ACCEPT-001"), "passed");
}

#[test]
fn a_keyword_that_nothing_can_be_generated_for_is_named_with_its_place() {
    for (change, place) in [
        (
            json!({ "properties": { "text": { "type": "string", "not": { "pattern": "^" } } } }),
            "/components/schemas/Note/properties/text/not",
        ),
        (
            json!({ "properties": { "text": {
                "type": "array", "items": { "type": "integer" }, "contains": { "const": 7.5 }
            } } }),
            "/components/schemas/Note/properties/text/contains",
        ),
        (json!({ "minProperties": 9 }), "/components/schemas/Note/minProperties"),
    ] {
        let desk = Desk::new();
        let mut document = document();
        let note = &mut document["components"]["schemas"]["Note"];
        for (name, value) in change.as_object().unwrap() {
            if name == "properties" {
                note["properties"]["text"] = value["text"].clone();
            } else {
                note[name] = value.clone();
            }
        }
        let path = contract(&desk, &document, CODES);
        let keyword = format!("`{}`", place.rsplit('/').next().unwrap());
        desk.batchproof(&["run", "--contract", path]).ends(2).says(&[
            "c/openapi.json",
            place,
            &keyword,
        ]);
    }
}

#[test]
fn yaml_is_read_by_the_core_schema_of_yaml_1_2() {
    let text =
        "[NO, y, on, 0o17, 0x1F, 017, 1_000, 12:30:45, 1e3, +12, ~, Null, TRUE, 2024-02-29, '=']";
    let read: Value = batchproof::contract::file_error::read_yaml("f.yaml", text).unwrap();
    let expected = json!([
        "NO",
        "y",
        "on",
        15,
        31,
        17.0,
        "1_000",
        "12:30:45",
        1000.0,
        12,
        null,
        null,
        true,
        "2024-02-29",
        "="
    ]);
    assert_eq!(read, expected);
}

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

/// An example, what is right in it, what is wrong in its place, and what the message says.
type Slip = (&'static str, &'static str, &'static str, [&'static str; 2]);

const SLIPS: &[Slip] = &[
    ("plain-documents", "items: /docs", "items: /doks", ["batch.yaml:5:", "did you mean `docs`?"]),
    (
        "plain-documents",
        "/ok: true",
        "/okay: true",
        ["batch.yaml:8:", "the results have no `okay`"],
    ),
    ("plain-documents", "/ok: true", "/ok: 201", ["batch.yaml:8:", "allows no 201 at /ok"]),
    ("plain-documents", "verdict:", "verdikt:", ["batch.yaml:8:", "did you mean `verdict`?"]),
    ("plain-documents", "under: [201]", "under: [200]", ["openapi.yaml", "no JSON answer for 200"]),
    (
        "plain-documents",
        "at: /_id",
        "at: /id",
        ["the items have no field `id`", "did you mean `_id`?"],
    ),
    (
        "two-lists",
        "says: accepted",
        "says: acepted",
        ["batch.yaml:10:", "did you mean `accepted`?"],
    ),
    (
        "two-lists",
        "objectType: contacts",
        "objektType: contacts",
        ["did you mean `objectType`?", "batch.yaml:"],
    ),
    ("two-lists", "item: /objectWriteTraceId", "item: /traceId", ["batch.yaml:12:", "to match by"]),
    (
        "two-lists",
        "/properties/email",
        "/properties/emial",
        ["did you mean `email`?", "batch.yaml:13:"],
    ),
    (
        "all-or-nothing",
        "again: refused",
        "again: refuse",
        ["batch.yaml:10:", "did you mean `refused`?"],
    ),
    ("all-or-nothing", "mode: whole", "mode: hole", ["batch.yaml:13:", "did you mean `whole`?"]),
    (
        "lines",
        "media: application/x-ndjson",
        "media: application/x-ndjon",
        ["batch.yaml:7:", "did you mean `application/x-ndjson`?"],
    ),
    ("lines", "[item]", "[itme]", ["batch.yaml:9:", "did you mean `item`?"]),
    (
        "lines",
        "#/components/schemas/Parcel",
        "#/components/schemas/Parcels",
        ["batch.yaml:9:", "did you mean `#/components/schemas/Parcel`?"],
    ),
    (
        "lines",
        ", schema: \"#/components/schemas/Parcel\"",
        "",
        ["batch.yaml:9:", "says nothing of a line"],
    ),
    (
        "action-lines",
        "\"${/_id}\"",
        "\"${fresh:9}\"",
        ["the items have no field `_id`", "a property of the item schema"],
    ),
    ("keyed", "at: /create,", "at: /creat,", ["batch.yaml:5:", "did you mean `create`?"]),
    ("keyed", "at: /created, keyed: true", "at: /created", ["batch.yaml:7:", "not an array"]),
    ("zipped", "/faults]", "/fault]", ["batch.yaml:6:", "did you mean `faults`?"]),
    ("read-back", "item: /data", "item: /dato", ["batch.yaml:17:", "did you mean `data`?"]),
    ("read-back", "/recipient: /to", "/recipient: /too", ["batch.yaml:18:", "did you mean `to`?"]),
    ("read-back", "/weight: /weight", "/wait: /weight", ["batch.yaml:18:", "have no field `wait`"]),
    (
        "read-back",
        "path: /parcels/${key}",
        "path: /parcel/${key}",
        ["batch.yaml:16:", "did you mean `/parcels/${key}`?"],
    ),
    (
        "read-back",
        "/parcels/${key}",
        "/parcels/1",
        ["batch.yaml:15:", "the place of the unique key"],
    ),
    ("read-back", "within: 0.5", "witin: 0.5", ["batch.yaml:19:", "did you mean `within`?"]),
    ("read-back", "within: 0.5", "within: 500", ["batch.yaml:19:", "0 to 60 seconds"]),
    ("read-back", "within: 0.5", "found: 201", ["batch.yaml:19:", "no answer 201 to the read"]),
    ("read-back", "within: 0.5", "gone: 440", ["batch.yaml:19:", "no answer 440 to the read"]),
    (
        "read-back",
        "within: 0.5",
        "method: put",
        ["batch.yaml:15:", "has no put /parcels/{reference}"],
    ),
    (
        "several-keys",
        "with: [/data/tenant]",
        "with: [/data/tennant]",
        ["batch.yaml:12:", "did you mean `/data/tenant`?"],
    ),
    (
        "several-keys",
        "/data/userName, same: ignore-case",
        "/data/userName, with: [/data/tenant]",
        ["batch.yaml:11:27", "a key with other fields comes second"],
    ),
    (
        "several-keys",
        "/data/userName, same: ignore-case",
        "/data/userName, again: returned",
        ["batch.yaml:11:34", "`rejected` or `refused` at the first key"],
    ),
    (
        "several-keys",
        "/data/email, same: ignore-case",
        "/data/email, again: replaced",
        ["batch.yaml:13:31", "`rejected`, `refused` or `free`"],
    ),
    (
        "several-keys",
        "/data/email, same: ignore-case",
        "/data/active",
        ["batch.yaml:13:11", "its schema takes no key of ours"],
    ),
    (
        "several-keys",
        "/data/email, same: ignore-case",
        "/data/email, same: ignorecase",
        ["batch.yaml:13:", "did you mean `ignore-case`?"],
    ),
];

#[test]
fn a_slip_in_a_contract_is_named_with_its_line_and_what_was_meant() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/contracts");
    for &(name, right, wrong, says) in SLIPS {
        let desk = Desk::new();
        let text = std::fs::read_to_string(format!("{root}/{name}/batch.yaml")).unwrap();
        assert!(text.contains(right), "{name}: {right}");
        desk.file("c/batch.yaml", text.replace(right, wrong));
        let document = std::fs::read_to_string(format!("{root}/{name}/openapi.yaml")).unwrap();
        desk.file("c/openapi.yaml", document);
        desk.batchproof(&["run", "--contract", "c"]).ends(2).says(&says);
    }
}

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

/// What a contract says of a body of lines: for each item whether it is valid, or why there is no batch.
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
