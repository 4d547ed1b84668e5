//! `batchproof sample`: JSON lines that are what they say.

use serde_json::{Value, json};

use crate::harness::Desk;

/// Each of them with what real documents use.
fn schemas() -> Vec<Value> {
    vec![
        json!({ "type": "object", "additionalProperties": false, "minProperties": 2,
            "properties": { "a": { "type": "integer" }, "b": { "type": "string", "format": "uuid" }, "c": { "type": "boolean" } } }),
        json!({ "type": "object", "patternProperties": { "^x-[a-z]{3}$": { "type": "integer", "minimum": 3 } },
            "additionalProperties": false, "minProperties": 1 }),
        json!({ "type": "object", "properties": { "card": { "type": "string" }, "address": { "type": "string" } },
            "dependentRequired": { "card": ["address"] } }),
        json!({ "type": "object", "required": ["country"],
            "properties": { "country": { "enum": ["US", "LT"] }, "code": { "type": "string" } },
            "if": { "properties": { "country": { "const": "US" } } },
            "then": { "required": ["code"], "properties": { "code": { "pattern": "^[0-9]{5}$" } } },
            "else": { "properties": { "code": { "pattern": "^LT-[0-9]{5}$" } } } }),
        json!({ "type": "array", "uniqueItems": true, "minItems": 3, "maxItems": 4, "items": { "enum": [1, 2, 3, 4, 5] } }),
        json!({ "type": "array", "contains": { "const": "x" }, "minContains": 2, "items": { "type": "string" } }),
        json!({ "type": "string", "pattern": "^[a-z]+$", "minLength": 30, "maxLength": 40 }),
        json!({ "type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 2, "multipleOf": 0.25 }),
        json!({ "type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 2 }),
        json!({ "not": { "type": ["string", "number"] } }),
        json!({ "type": "object", "properties": { "a": true }, "unevaluatedProperties": false, "minProperties": 1 }),
        json!({ "oneOf": [{ "type": "object", "required": ["a"], "properties": { "a": { "type": "integer" } } },
            { "type": "object", "required": ["b"], "properties": { "b": { "type": "string" } } }] }),
        json!({ "$defs": { "tree": { "type": "object", "required": ["children"], "additionalProperties": false,
            "properties": { "children": { "type": "array", "items": { "$ref": "#/$defs/tree" } } } } }, "$ref": "#/$defs/tree" }),
        json!({ "type": "object", "propertyNames": { "pattern": "^[A-Z]{2}$" }, "minProperties": 2, "additionalProperties": { "type": "string", "format": "date" } }),
        json!({ "type": "string", "format": "ipv4" }),
        json!({ "const": { "a": [1, null] } }),
    ]
}

/// The lines of `sample` for a schema, each valid or not as it says; how many broke it.
pub fn checked(desk: &Desk, judge: &jsonschema::Validator, arguments: &[&str]) -> usize {
    let ended = desk.batchproof(arguments).ends(0);
    let mut broken = 0;
    for line in ended.out.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let value = &line["value"];
        let Some(pointer) = line["pointer"].as_str() else {
            assert!(judge.is_valid(value), "{} is broken by {value}", desk.path().display());
            continue;
        };
        broken += 1;
        let keyword = line["keyword"].as_str().unwrap();
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        let there = |error: jsonschema::ValidationError<'_>| {
            let at = error.instance_path().to_string();
            error.kind().keyword() == keyword
                && (at == pointer || keyword == "required" && at == parent)
        };
        assert!(
            judge.iter_errors(value).any(there),
            "{} is not broken by {line}",
            desk.path().display()
        );
    }
    broken
}

pub fn values_are_valid_and_mutations_are_not() {
    for schema in schemas() {
        let desk = Desk::new();
        desk.file("schema.json", schema.to_string());
        let arguments =
            ["sample", "--schema", "schema.json", "-n", "40", "--mutations", "--seed", "5"];
        let judge = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&schema)
            .unwrap();
        let broken = checked(&desk, &judge, &arguments);
        assert!(
            broken > 0 || schema.get("not").is_some() || schema.get("const").is_some(),
            "{schema}"
        );
        let lines = |seed: &str| {
            desk.batchproof(&["sample", "--schema", "schema.json", "--seed", seed]).ends(0).out
        };
        assert_eq!(lines("7"), lines("7"), "equal seeds give equal lines");
        assert_eq!(lines("7").lines().count(), 10);
    }
}

pub fn what_nothing_satisfies_is_named() {
    for (schema, words) in [
        (
            json!({ "type": "object", "properties": { "a": false }, "required": ["a"] }),
            &["/properties/a"][..],
        ),
        (
            json!({ "type": "string", "minLength": 3, "maxLength": 2 }),
            &["minLength exceeds maxLength"],
        ),
        (json!({ "not": {} }), &["`not`"]),
        (json!({ "$ref": "#/nowhere" }), &["`$ref: #/nowhere` leads nowhere"]),
        (json!({ "$schema": "https://example.com/mine" }), &["not a known meta-schema"]),
    ] {
        let desk = Desk::new();
        desk.file("schema.json", schema.to_string());
        desk.batchproof(&["sample", "--schema", "schema.json", "--seed", "1"]).ends(2).says(words);
    }
    let desk = Desk::new();
    desk.file("schema.json", json!({ "$defs": { "a": { "type": "integer" } } }).to_string());
    let pointer = |pointer: &str| {
        desk.batchproof(&["sample", "--schema", "schema.json", "--pointer", pointer, "--seed", "1"])
    };
    assert!(pointer("/$defs/a").ends(0).out.starts_with("{\"value\":0}\n"));
    pointer("/$defs/b").ends(2).says(&["nothing stands here", "/$defs/b"]);
}

pub fn a_case_shows_its_requests() {
    let desk = Desk::new();
    let lines = |seed: &str| {
        let out = desk
            .batchproof(&["sample", "refuse/mandatory-field-missing", "-n", "2", "--seed", seed])
            .ends(0)
            .out;
        out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    };
    let shown = lines("4");
    assert!(shown.iter().filter(|l| l["run"] == 1).count() > 0, "{shown:?}");
    for line in &shown {
        assert_eq!(line["case"], "refuse/mandatory-field-missing");
        assert_eq!(line["method"], "POST");
        assert!(line["body"].is_object(), "{line}");
        assert_eq!(line["mutations"][0]["name"], "drop-required", "{line}");
    }
    desk.batchproof(&["sample", "refuse/mandatory-field-mising"]).ends(2).says(&["did you mean"]);
    desk.batchproof(&["sample"]).ends(2);
}
