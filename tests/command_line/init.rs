//! `init`: from an OpenAPI document to a folder that `run --contract` takes.

use serde_json::{Value, json};

use crate::harness::hand::{Hand, Said};
use crate::harness::{Desk, Serving, files, tls};

fn shipped() -> String {
    format!("{}/schemas/openapi.yaml", env!("CARGO_MANIFEST_DIR"))
}

fn read(desk: &Desk, name: &str) -> String {
    std::fs::read_to_string(desk.path().join(name)).unwrap()
}

/// A document with these operations: path, method, operation.
fn document(operations: &[(&str, &str, Value)]) -> String {
    let mut paths = json!({});
    for (path, method, operation) in operations {
        paths[path][method] = operation.clone();
    }
    json!({ "openapi": "3.1.0", "info": { "title": "t", "version": "1" }, "paths": paths })
        .to_string()
}

fn body(schema: &Value) -> Value {
    json!({ "content": { "application/json": { "schema": schema } } })
}

/// An operation that takes one schema and answers 200 with another.
fn operation(id: &str, request: &Value, answer: &Value) -> Value {
    json!({ "operationId": id, "requestBody": body(request), "responses": { "200": body(answer) } })
}

fn list_of(properties: &Value) -> Value {
    json!({ "type": "array", "items": { "type": "object", "properties": properties } })
}

/// A batch of parcels, in words that the shipped document does not have.
fn parcels() -> Value {
    let item = json!({
        "type": "object",
        "required": ["barcode", "weight"],
        "properties": {
            "barcode": { "type": "string", "maxLength": 60, "description": "Unique in this depot." },
            "weight": { "type": "number" },
            "depot": { "type": "string", "maxLength": 60 },
        },
    });
    let request = json!({
        "type": "object",
        "required": ["parcels"],
        "properties": { "parcels": { "type": "array", "maxItems": 400, "items": item } },
    });
    let result = json!({
        "barcode": { "type": "string" },
        "depot": { "type": "string" },
        "outcome": { "type": "string", "enum": ["turned-away", "taken"] },
        "reasonCode": { "type": "string" },
        "reasonText": { "type": "string" },
    });
    let answer = json!({ "type": "object", "properties": { "outcomes": list_of(&result) } });
    let mut operation = operation("bulkParcels", &request, &answer);
    operation["description"] =
        json!("Codes:\n- P01: barcode was used already\n- P02: a mandatory field is missing\n");
    operation["responses"]["400"] = body(&json!({ "type": "object" }));
    operation
}

#[test]
fn the_shipped_document_becomes_a_contract_that_passes_on_the_reference_server() {
    let desk = Desk::new();
    desk.batchproof(&["init", &shipped(), "--output", "c"]).ends(0).says(&[
        "POST /amlyze-ws-rest/batch-account-balances",
        "wrote c/openapi.yaml and c/batch.yaml",
    ]);
    let yaml = read(&desk, "c/batch.yaml");
    for line in [
        "items: accountBalances ",
        "results: results ",
        "unique: communicationNumber ",
        "verdict: { field: resultType, accepted: REQUEST_ACCEPTED, rejected: REQUEST_REJECTED }",
        "error: { code: errorCode, description: errorDescription }",
        "elapsed: { item: timeElapsedMs, total: timeElapsedMs }",
        "  O005: { means: 'CommunicationNumber already used in AMLYZE', cause: used }",
        "# DECIDE: ",
    ] {
        assert!(yaml.lines().any(|l| l.starts_with(line)), "{line} is missing in\n{yaml}");
    }
    desk.batchproof(&["run", "--contract", "c", "--depth", "quick", "--seed", "5"])
        .ends(0)
        .says(&["CONFORMANT"]);
}

#[test]
fn other_names_are_understood_too() {
    let desk = Desk::new();
    desk.file("api.json", document(&[("/parcels/bulk", "post", parcels())]));
    desk.batchproof(&["init", "api.json"]).ends(0).says(&["bulkParcels"]);
    let yaml = read(&desk, "contract/batch.yaml");
    for line in [
        "operation: { path: /parcels/bulk, method: post }",
        "items: parcels ",
        "results: outcomes ",
        "unique: barcode ",
        "echo: [barcode, depot] ",
        "verdict: { field: outcome, accepted: taken, rejected: turned-away }",
        "error: { code: reasonCode, description: reasonText }",
        "  P01: { means: 'barcode was used already', cause: used }",
        "  P02: { means: 'a mandatory field is missing', cause: missing }",
        "limits: { batch-items: 400 }",
    ] {
        assert!(yaml.lines().any(|l| l.starts_with(line)), "{line} is missing in\n{yaml}");
    }
    let run =
        ["run", "unique/replayed", "order/shuffled", "--contract", "contract", "--depth", "quick"];
    desk.batchproof(&run).ends(0).says(&["CONFORMANT"]);
}

#[test]
fn nothing_is_overwritten_unless_asked() {
    let desk = Desk::new();
    desk.batchproof(&["init", &shipped(), "--output", "c"]).ends(0);
    desk.file("c/batch.yaml", "mine");
    let before = files(&desk.path().join("c"));
    desk.batchproof(&["init", &shipped(), "--output", "c"])
        .ends(2)
        .says(&["exists already", "--force"]);
    assert_eq!(files(&desk.path().join("c")), before);
    desk.batchproof(&["init", &shipped(), "--output", "c", "--force"]).ends(0);
    assert!(read(&desk, "c/batch.yaml").contains("accountBalances"));
    // A document of another name would be read instead of the new one.
    desk.file("api.json", document(&[("/parcels/bulk", "post", parcels())]));
    desk.batchproof(&["init", "api.json", "--output", "c", "--force"])
        .ends(2)
        .says(&["c/openapi.yaml"]);
}

#[test]
fn several_operations_are_listed_and_one_is_named() {
    let desk = Desk::new();
    desk.file(
        "api.json",
        document(&[("/parcels/bulk", "post", parcels()), ("/boxes/bulk", "put", parcels())]),
    );
    let ended = desk
        .batchproof(&["init", "api.json"])
        .ends(2)
        .says(&["2 operations that take batches", "--operation"]);
    assert!(
        ended.out.contains("POST /parcels/bulk") && ended.out.contains("PUT /boxes/bulk"),
        "{}",
        ended.out
    );
    assert!(!desk.path().join("contract").exists());
    desk.batchproof(&["init", "api.json", "--operation", "PUT /boxes/bulk"]).ends(0);
    assert!(read(&desk, "contract/batch.yaml").contains("path: /boxes/bulk, method: put"));
    desk.batchproof(&["init", "api.json", "--operation", "bulkParcel", "--output", "x"])
        .ends(2)
        .says(&["the document has no operation `bulkParcel`", "did you mean `bulkParcels`?"]);
}

#[test]
fn a_document_without_batches_is_answered_with_reasons() {
    let desk = Desk::new();
    let order = json!({
        "type": "object",
        "required": ["customer", "currency", "lines"],
        "properties": {
            "customer": { "type": "string" },
            "currency": { "type": "string" },
            "lines": list_of(&json!({ "sku": { "type": "string" } })),
        },
    });
    let one = json!({ "type": "object", "properties": { "id": { "type": "string" } } });
    let form = json!({
        "requestBody": { "content": { "application/x-www-form-urlencoded": { "schema": one } } },
        "responses": {},
    });
    desk.file(
        "api.json",
        document(&[
            ("/orders", "post", operation("createOrder", &order, &one)),
            ("/orders", "get", json!({ "operationId": "orders", "responses": {} })),
            ("/customers", "post", operation("createCustomer", &one, &one)),
            ("/charges", "post", form),
        ]),
    );
    desk.batchproof(&["init", "api.json"]).ends(2).says(&[
        "none of its 4 operations takes a batch",
        "createOrder (items: /lines)",
        "reads only (1): GET /orders (orders)",
        "the request has no list of objects (1): POST /customers (createCustomer)",
        "the request is application/x-www-form-urlencoded, not JSON (1): POST /charges",
    ]);
    desk.batchproof(&["init", "api.json", "--operation", "createCustomer"])
        .ends(2)
        .says(&["`createCustomer` takes no batch: the request has no list of objects"]);
    assert!(!desk.path().join("contract").exists());
}

#[test]
fn failures_that_are_listed_under_a_status_of_their_own_are_seen() {
    let desk = Desk::new();
    let item = json!({ "traceId": { "type": "string" }, "properties": { "type": "object" } });
    let request = json!({ "type": "object", "required": ["inputs"], "properties": { "inputs": list_of(&item) } });
    let result = list_of(&json!({
        "id": { "type": "string" }, "traceId": { "type": "string" }, "createdAt": { "type": "string", "format": "date-time" },
    }));
    let error =
        list_of(&json!({ "category": { "type": "string" }, "message": { "type": "string" } }));
    let mut operation = operation("create", &request, &json!({ "type": "object" }));
    operation["responses"] = json!({
        "201": body(&json!({ "type": "object", "properties": { "results": result } })),
        "207": body(&json!({ "type": "object", "properties": { "results": result, "errors": error } })),
    });
    desk.file("api.json", document(&[("/objects/{type}/batch/create", "post", operation)]));
    desk.batchproof(&["init", "api.json"]);
    let yaml = read(&desk, "contract/batch.yaml");
    for line in [
        "results: [{ at: /results, says: accepted, under: [201, 207] }, { at: /errors, says: rejected, under: [207] }]",
        "match: { item: /traceId, result: /traceId }",
        "# DECIDE: parameters need values: type (path).",
    ] {
        assert!(yaml.lines().any(|l| l.starts_with(line)), "{line} is missing in\n{yaml}");
    }
}

#[test]
fn one_thing_with_a_list_is_no_batch_and_many_things_are() {
    let desk = Desk::new();
    let invoices = json!({ "type": "object", "properties": { "invoices": list_of(&json!({
        "invoiceId": { "type": "string" }, "total": { "type": "number" }, "hasErrors": { "type": "boolean" },
    })) } });
    desk.file(
        "api.json",
        document(&[
            ("/invoices", "put", operation("createInvoices", &invoices, &invoices)),
            ("/invoices/{id}", "post", operation("updateInvoice", &invoices, &invoices)),
            ("/invoices/search", "post", operation("searchInvoices", &invoices, &invoices)),
        ]),
    );
    desk.batchproof(&["init", "api.json"])
        .says(&["PUT /invoices createInvoices (items: /invoices)"]);
    let yaml = read(&desk, "contract/batch.yaml");
    assert!(
        yaml.contains(
            "verdict: { accepted: { /hasErrors: false }, rejected: { /hasErrors: true } }"
        ),
        "{yaml}"
    );
}

#[test]
fn the_files_that_a_document_refers_to_come_with_it() {
    let desk = Desk::new();
    let whole: Value =
        serde_json::from_str(&document(&[("/parcels/bulk", "post", parcels())])).unwrap();
    let schema = whole
        .pointer("/paths/~1parcels~1bulk/post/requestBody/content/application~1json/schema")
        .unwrap();
    let in_parts = |reference: &str| {
        let mut parts = whole.clone();
        parts["paths"]["/parcels/bulk"]["post"]["requestBody"] =
            body(&json!({ "$ref": reference }));
        parts.to_string()
    };
    desk.file("inside/api.json", in_parts("parts/request.json"));
    desk.file("inside/parts/request.json", schema.to_string());
    desk.batchproof(&["init", "inside/api.json", "--output", "a"]).ends(0);
    assert!(desk.path().join("a/parts/request.json").is_file());
    desk.file("beside/api.json", in_parts("../inside/parts/request.json"));
    desk.batchproof(&["init", "beside/api.json", "--output", "b"]).ends(0);
    std::fs::remove_dir_all(desk.path().join("inside")).unwrap();
    for dir in ["a", "b"] {
        desk.batchproof(&["run", "unique/replayed", "--contract", dir, "--depth", "quick"]).ends(0);
    }
}

#[test]
fn a_document_is_fetched_with_its_parts() {
    let desk = Desk::new();
    let whole: Value =
        serde_json::from_str(&document(&[("/parcels/bulk", "post", parcels())])).unwrap();
    let schema = whole
        .pointer("/paths/~1parcels~1bulk/post/requestBody/content/application~1json/schema")
        .unwrap();
    let mut parts = whole.clone();
    parts["paths"]["/parcels/bulk"]["post"]["requestBody"] =
        body(&json!({ "$ref": "request.json" }));
    let (parts, schema) = (parts.clone(), schema.clone());
    let hand = tls::start(false, move |heard| match heard.path.as_str() {
        "/docs/api.json" => Said::json(200, &parts),
        "/docs/request.json" => Said::json(200, &schema),
        _ => Said::json(404, &json!({})),
    });
    let url = format!("{}/docs/api.json", hand.url);
    let ca = tls::file("ca.pem");
    desk.batchproof(&["init", &url, "--ca", &ca]).ends(0);
    desk.batchproof(&["run", "unique/replayed", "--contract", "contract", "--depth", "quick"])
        .ends(0);
    desk.batchproof(&["init", &url, "--output", "x"]).ends(2).says(&["certificate"]);
    let missing = format!("{}/missing.json", hand.url);
    desk.batchproof(&["init", &missing, "--ca", &ca, "--output", "x"])
        .ends(2)
        .says(&["answered 404"]);
    assert!(hand.heard().iter().all(|heard| heard.header("authorization").is_none()));
}

#[test]
fn what_a_target_does_is_noted_and_not_promised() {
    let desk = Desk::new();
    let (chain, key) = (tls::file("server.pem"), tls::file("server.key"));
    let token = "a-token-for-init";
    let serving = Serving::start(
        &["--tls-cert", &chain, "--tls-key", &key, "--refusal-mode", "item"],
        Some(token),
    );
    let ca = tls::file("ca.pem");
    let init = ["init", &shipped(), "--target", &serving.url, "--ca", &ca];
    let ended = desk.with_token(&init, Some(token)).ends(0);
    let yaml = read(&desk, "contract/batch.yaml");
    let plain = desk.batchproof(&["init", &shipped(), "--output", "plain"]).ends(0);
    assert!(!plain.text().contains("observed"));
    let promised = read(&desk, "plain/batch.yaml");
    let observed = yaml.strip_prefix(&promised).expect("nothing but comments at the end");
    assert!(observed.lines().all(|line| line.is_empty() || line.starts_with("# ")), "{observed}");
    for seen in [
        "a batch of 3 fresh items: 200, all accepted, in the order of the items",
        "the same batch again: 200, all rejected with O005; a used key rejects its item",
        "two items with one key: 200: accepted, rejected with O005",
        "between two good ones: 200: accepted, rejected with O001, accepted; a broken item is rejected alone",
        "an empty batch: 200, without results",
    ] {
        assert!(observed.contains(seen), "{seen} is missing in\n{observed}");
    }
    assert!(!ended.text().contains(token) && !yaml.contains(token));
}

#[test]
fn a_target_that_cannot_be_observed_leaves_the_proposal() {
    let desk = Desk::new();
    let hand = Hand::start(|_| Said::json(401, &json!({})));
    desk.batchproof(&["init", &shipped(), "--target", &hand.url])
        .ends(1)
        .says(&["observed: a batch of 3 fresh items: 401"]);
    assert!(read(&desk, "contract/batch.yaml").contains("accountBalances"));
    assert_eq!(hand.heard().len(), 1, "no further probe");
}
