//! What is said to a contract that can't be used: `batch.yaml`, OpenAPI, and what can't be drawn from it.

use std::path::Path;

use crate::harness::Desk;
use crate::said::{changes, texts};

const RUN: &[&str] = &["run", "time", "--contract", "contract"];

const BATCH: &[(&str, &str)] = &[
    ("title: ACME batch import of customers\n", ""),
    ("items: customers", "itmes: customers"),
    ("items: customers", "items: customrs"),
    ("results: outcomes", "results: totalMs"),
    ("unique: customerRef", "unique: customerReff"),
    ("echo: [customerRef, branch]", "echo: [customerRef, office]"),
    ("echo: [customerRef, branch]", "echo: customerRef"),
    ("references: [branch]", "references: [banch]"),
    ("path: /acme/batch-customers", "path: /acme/batch-customer"),
    ("method: post", "method: put"),
    ("accepted: TAKEN", "taken: TAKEN"),
    ("description: reasonText", "text: reasonText"),
    ("elapsed: { item: tookMs", "elapsed: { each: tookMs"),
    ("cause: used", "cause: reused"),
    ("means: a mandatory field is missing, ", ""),
    ("one-of: [north, south]", "any-of: [north, south]"),
    ("one-of: [north, south]", "amount: { min: 1 }"),
    ("samples:", "limits: { batch-itmes: 3 }\nsamples:"),
    ("samples:", "limits: { batch-items: few }\nsamples:"),
];

const OPENAPI: &[(&str, &str)] = &[
    ("\"openapi\": \"3.1.0\"", "\"openapi\": \"4.0.0\""),
    ("\"openapi\": \"3.1.0\",", ""),
    ("\"openapi\": \"3.1.0\",", "\"openapi\": \"3.1.0\""),
    ("\"requestBody\"", "\"body\""),
    ("\"application/json\"", "\"text/plain\""),
    ("\"200\"", "\"201\""),
    ("\"schema\": { \"$ref\": \"#/components/schemas/Import\" }", "\"type\": \"object\""),
    ("#/components/schemas/Import\"", "#/components/schemas/Imports\""),
    ("#/components/schemas/Import\"", "other.json#/Import\""),
    (
        "\"Import\": {",
        "\"Import\": { \"$ref\": \"#/components/schemas/Import\" },\n      \"Other\": {",
    ),
    ("\"type\": \"object\",\n        \"required\": [\"customers\"]", "\"type\": \"thing\""),
    ("#/components/schemas/Customer\"", "#/components/schemas/Customers\""),
    ("\"pattern\": \"^[A-Z]{2}[0-9]{6}$\"", "\"pattern\": \"[\""),
];

/// Schemas of `segment` that can't be drawn from.
const SCHEMAS: &[(&str, &str)] = &[
    ("\"enum\": [\"retail\", \"corporate\", \"public\"]", "\"pattern\": \"^(?=a)b$\""),
    ("\"enum\": [\"retail\", \"corporate\", \"public\"]", "\"minLength\": 3, \"maxLength\": 2"),
    ("\"enum\": [\"retail\", \"corporate\", \"public\"]", "\"enum\": [1, 2]"),
    ("\"enum\": [\"retail\", \"corporate\", \"public\"]", "\"not\": {}"),
    ("\"enum\": [\"retail\", \"corporate\", \"public\"]", "\"not\": { \"type\": \"string\" }"),
    (
        "\"segment\": { \"type\": \"string\", \"enum\": [\"retail\", \"corporate\", \"public\"] }",
        "\"segment\": false",
    ),
    (
        "\"segment\": { \"type\": \"string\", \"enum\": [\"retail\", \"corporate\", \"public\"] }",
        "\"segment\": { \"$ref\": \"#/components/schemas/Customer\" }",
    ),
    ("\"minimum\": 0, \"maximum\": 20", "\"minimum\": 21, \"maximum\": 20"),
    ("\"format\": \"date-time\"", "\"format\": \"date-time\", \"maxLength\": 3"),
];

const INTERPRETATIONS: &[&str] = &[
    "id: INTERPRETATION-01\n",
    "- id: INTERPRETATION-01\n  question: x\n  interpretation: y\n  level: must\n",
    "- id: INTERPRETATION-01\n  question: x\n  interpretation: y\n  level: maybe\n  reason: z\n",
    "- id: INTERPRETATION-01\n  question: x\n  interpretation: y\n  level: must\n  reasn: z\n",
];

/// The second contract, to be broken.
fn contract() -> Desk {
    let desk = Desk::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second-contract");
    for name in ["batch.yaml", "openapi.json"] {
        desk.file(&format!("contract/{name}"), std::fs::read(from.join(name)).unwrap());
    }
    desk
}

#[test]
fn a_batch_contract() {
    changes("reader_batch_contract", &contract(), RUN, "contract/batch.yaml", BATCH);
}

#[test]
fn an_openapi_document() {
    changes("reader_openapi", &contract(), RUN, "contract/openapi.json", OPENAPI);
}

#[test]
fn a_schema_that_cant_be_drawn_from() {
    changes("reader_schemas", &contract(), RUN, "contract/openapi.json", SCHEMAS);
}

#[test]
fn interpretations() {
    texts(
        "reader_interpretations",
        &contract(),
        RUN,
        "contract/interpretations.yaml",
        INTERPRETATIONS,
    );
}

#[test]
fn a_contract_that_is_not_whole() {
    let desk = Desk::new();
    desk.file("contract/batch.yaml", "title: x\n");
    texts("reader_contract_no_openapi", &desk, RUN, "contract/readme.txt", &["nothing else"]);
    let desk = Desk::new();
    texts("reader_contract_no_batch", &desk, RUN, "contract/openapi.yaml", &["openapi: 3.1.0\n"]);
}

#[test]
fn a_file_of_an_old_name() {
    let text = &["- id: READING-01\n"];
    texts("reader_old_readings", &contract(), RUN, "contract/readings.yaml", text);
}
