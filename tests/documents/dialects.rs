//! The same endpoint in every version of OpenAPI, in one file and in several.

use crate::harness::Desk;
use serde_json::{Value, json};

const BATCH: &str = "title: notes\noperation: { path: /notes, method: post }\nitems: notes\nresults: done\nunique: id\n\
                     echo: [id]\nverdict: { field: state, accepted: ok, rejected: no }\n\
                     error: { code: why, description: text }\n\
                     codes: { used: { means: used before, cause: used }, missing: { means: no, cause: missing } }\n";

/// An operation that imports notes, as JSON Schema 2020-12 has them.
pub fn document(note: &Value) -> Value {
    let text = json!({ "type": "string" });
    let list = |name: &str, items: &Value| {
        json!({
            "type": "object", "required": [name],
            "properties": { name: { "type": "array", "items": items } }
        })
    };
    let content = |schema: Value| json!({ "application/json": { "schema": schema } });
    let done = json!({
        "type": "object",
        "properties": { "state": { "type": "string", "enum": ["ok", "no"] }, "id": text, "why": text }
    });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "notes", "version": "1" },
        "paths": { "/notes": { "post": {
            "requestBody": {
                "required": true,
                "content": content(list("notes", &json!({ "$ref": "#/components/schemas/Note" })))
            },
            "responses": {
                "200": { "description": "done", "content": content(list("done", &done)) },
                "400": {
                    "description": "refused",
                    "content": content(json!({ "type": "object", "properties": { "why": text } }))
                }
            }
        } } },
        "components": { "schemas": { "Note": note } }
    })
}

/// What only OpenAPI 3.0 says so.
fn note_of_3_0() -> Value {
    json!({
        "type": "object",
        "required": ["id", "text", "share", "writer"],
        "properties": {
            "id": { "type": "string" },
            "text": { "type": "string", "maxLength": 200, "nullable": true },
            "share": {
                "type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 1, "exclusiveMaximum": true,
                "multipleOf": 0.5
            },
            "writer": {
                "type": "object", "required": ["number", "name"],
                "properties": {
                    "number": { "type": "integer", "readOnly": true },
                    "name": { "type": "string", "enum": ["Ona", "Jonas"] }
                }
            }
        }
    })
}

fn note_of_2020_12() -> Value {
    let mut note = note_of_3_0();
    note["properties"]["text"] = json!({ "type": ["string", "null"], "maxLength": 200 });
    note["properties"]["share"] = json!({
        "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "multipleOf": 0.5
    });
    note
}

fn swagger() -> Value {
    let of_3_0 = document(&note_of_3_0());
    let schema = |pointer: &str| of_3_0.pointer(pointer).unwrap().clone();
    let media = "content/application~1json/schema";
    let mut body = schema(&format!("/paths/~1notes/post/requestBody/{media}"));
    body["properties"]["notes"]["items"] = json!({ "$ref": "#/definitions/Note" });
    let mut note = note_of_3_0();
    note["properties"]["text"]["x-nullable"] = json!(true);
    note["properties"]["text"].as_object_mut().unwrap().remove("nullable");
    json!({
        "swagger": "2.0",
        "info": { "title": "notes", "version": "1" },
        "basePath": "/", "consumes": ["application/json"], "produces": ["application/json"],
        "paths": { "/notes": { "post": {
            "parameters": [{ "$ref": "#/parameters/Notes" }],
            "responses": {
                "200": { "description": "done", "schema": schema(&format!("/paths/~1notes/post/responses/200/{media}")) },
                "400": { "description": "no", "schema": schema(&format!("/paths/~1notes/post/responses/400/{media}")) },
            }
        } } },
        "parameters": { "Notes": { "name": "body", "in": "body", "required": true, "schema": body } },
        "definitions": { "Note": note }
    })
}

/// The items of a request that a generated case sends, without their keys; and that a run of cases finds nothing.
fn items(desk: &Desk) -> Vec<Value> {
    desk.file("c/batch.yaml", BATCH);
    let run = ["run", "accept", "refuse", "echo", "--contract", "c", "--runs", "3", "--seed", "3"];
    let ended = desk.batchproof(&run).ends(0);
    assert!(
        ended.out.contains("0 problems") || ended.out.contains("CONFORMANT"),
        "{}",
        ended.text()
    );
    let sample = ["sample", "accept/generated", "--contract", "c", "--seed", "3", "-n", "3"];
    let mut items = Vec::new();
    for line in desk.batchproof(&sample).ends(0).out.lines() {
        let mut request: Value = serde_json::from_str(line).unwrap();
        items.append(request["body"]["notes"].as_array_mut().unwrap());
    }
    assert!(items.len() > 3, "{items:?}");
    for item in &mut items {
        item.as_object_mut().unwrap().remove("id").unwrap();
        assert_eq!(item["share"], 0.5, "{item}");
        assert!(item["writer"].get("number").is_none(), "{item}");
    }
    items
}

pub fn every_version_of_openapi_says_the_same() {
    let mut of_3_0 = document(&note_of_3_0());
    of_3_0["openapi"] = json!("3.0.3");
    let of_3_1 = document(&note_of_2020_12());
    let mut of_3_2 = of_3_1.clone();
    of_3_2["openapi"] = json!("3.2.0");
    let desk = Desk::new();
    desk.file("c/openapi.json", of_3_1.to_string());
    let expected = items(&desk);
    for other in [of_3_0, of_3_2, swagger()] {
        let desk = Desk::new();
        // JSON is YAML, and is read as such.
        desk.file("c/openapi.yaml", format!("# notes\n{other}"));
        assert_eq!(items(&desk), expected, "{other}");
    }
}

pub fn references_lead_to_files_and_names() {
    let mut document =
        document(&json!({ "$ref": "parts/note%20of%20mine.yaml#/Notes/%7Bplain%7D" }));
    document["components"]["schemas"]["Share"] = json!({ "$anchor": "share", "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "multipleOf": 0.5 });
    let desk = Desk::new();
    desk.file("c/openapi.json", document.to_string());
    desk.file(
        "c/parts/note of mine.yaml",
        "Notes:\n  '{plain}':\n    type: object\n    required: [id, text, share, writer]\n    properties:\n      \
         id: { type: string }\n      text: { $ref: '#/a~1b' }\n      share: { $ref: '../openapi.json#share' }\n      \
         writer: { $ref: 'urn:example:writer#/$defs/any' }\n\
         a/b: { type: [string, 'null'], maxLength: 200 }\n\
         $defs:\n  Writer:\n    $id: 'urn:example:writer'\n    $defs:\n      any:\n        type: object\n        \
         required: [number, name]\n        properties:\n          number: { type: integer, readOnly: true }\n          \
         name: { $ref: '#/$defs/name' }\n      name: { type: string, enum: [Ona, Jonas] }\n",
    );
    let split = items(&desk);
    let desk = Desk::new();
    desk.file("c/openapi.json", self::document(&note_of_2020_12()).to_string());
    assert_eq!(split, items(&desk));
}

pub fn what_is_on_another_host_is_not_fetched() {
    let run = |note: Value, words: &[&str]| {
        let desk = Desk::new();
        desk.file("c/openapi.json", document(&note).to_string());
        desk.file("c/batch.yaml", BATCH);
        desk.batchproof(&["run", "--contract", "c"]).ends(2).says(words);
    };
    run(
        json!({ "$ref": "https://example.com/note.json" }),
        &[
            "`$ref: https://example.com/note.json` is on another host, and nothing is fetched",
            "/components/schemas/Note/$ref",
        ],
    );
    run(json!({ "$ref": "note.json#/a" }), &["leads nowhere: there is no file", "note.json"]);
    run(
        json!({ "$ref": "#/components/schemas/Notes" }),
        &["`$ref: #/components/schemas/Notes` leads nowhere"],
    );
    run(json!({ "$ref": "#notes" }), &["`$ref: #notes` leads nowhere"]);
}

pub fn items_may_be_of_several_kinds() {
    let base = json!({
        "type": "object", "required": ["id", "text", "kind"],
        "properties": { "id": { "type": "string" }, "text": { "type": "string", "maxLength": 9 }, "kind": { "type": "string" } }
    });
    let kind = |required: &str, schema: Value| {
        json!({ "allOf": [
            { "$ref": "#/components/schemas/Base" },
            { "type": "object", "required": [required], "properties": { required: schema } }
        ] })
    };
    let mut document = document(&json!({
        "oneOf": [{ "$ref": "#/components/schemas/Letter" }, { "$ref": "#/components/schemas/Call" }],
        "discriminator": { "propertyName": "kind", "mapping": { "letter": "#/components/schemas/Letter" } }
    }));
    document["openapi"] = json!("3.0.0");
    document["components"]["schemas"]["Base"] = base;
    document["components"]["schemas"]["Letter"] =
        kind("pages", json!({ "type": "integer", "minimum": 1, "maximum": 9 }));
    document["components"]["schemas"]["Call"] =
        kind("seconds", json!({ "type": "number", "minimum": 0 }));
    let desk = Desk::new();
    desk.file("c/openapi.json", document.to_string());
    desk.file("c/batch.yaml", BATCH);
    let run = ["run", "accept", "refuse", "--contract", "c", "--runs", "6", "--seed", "3"];
    desk.batchproof(&run).ends(0);
    let sample = ["sample", "accept/generated", "--contract", "c", "--seed", "3", "-n", "20"];
    let (mut letters, mut calls) = (0, 0);
    for line in desk.batchproof(&sample).ends(0).out.lines() {
        let request: Value = serde_json::from_str(line).unwrap();
        for item in request["body"]["notes"].as_array().unwrap() {
            match item["kind"].as_str() {
                Some("letter") if item["pages"].is_u64() => letters += 1,
                Some("Call") if item["seconds"].is_number() => calls += 1,
                _ => panic!("{item}"),
            }
        }
    }
    assert!(letters > 3 && calls > 3, "{letters} {calls}");
}
