//! Slips in contracts: each is named with its line, and with what was meant.

use crate::harness::Desk;

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
        ["batch.yaml:13:11", "can't make keys for its schema"],
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
