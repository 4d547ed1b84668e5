//! Small contracts, each with one thing that few have: a correct server of such a contract is judged clean, embedded
//! and served, and what nothing can be generated for is an error with its place.

#[path = "../harness/mod.rs"]
mod harness;
mod proven;
mod returned;
mod shapes;
mod slips;
#[path = "../third-party/mod.rs"]
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
