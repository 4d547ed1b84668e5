//! Cases speak in roles: no shipped one names a field, and what a case names wrongly is shown with its place.

use std::collections::HashSet;
use std::path::Path;

use batchproof::contract::Contract;
use serde_json::{Value, json};

use crate::harness;
use crate::harness::Desk;
use crate::harness::hand::{Hand, verdicts};
use crate::not_applicable;

#[test]
fn shipped_cases_name_no_field_and_no_code_of_the_shipped_endpoint() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let contract = Contract::shipped().unwrap();
    let batch = &contract.batch;
    let schema: Value = serde_json::from_str(&batchproof::case::schema()).unwrap();
    // What the case language itself calls by the same word.
    let mut language = HashSet::new();
    property_names(&schema, &mut language);
    let mut words: HashSet<String> = [
        contract.item_schema(),
        contract.result_schema(),
        &contract.operation.request.schema,
        &contract.operation.responses[&200].schema,
    ]
    .iter()
    .flat_map(|schema| schema["properties"].as_object().unwrap().keys().cloned())
    .filter(|name| !language.contains(name))
    .chain(batch.codes.keys().cloned())
    .chain([batch.verdict.accepted.clone(), batch.verdict.rejected.clone()])
    .collect();
    assert!(words.contains(&batch.unique) && words.contains("O005"));
    words.extend(words.clone().iter().map(|word| word.to_lowercase()));
    let mut looked_at = 0;
    for (path, text) in harness::files(&root.join("cases")) {
        if path.parent().unwrap().ends_with("spec") {
            continue;
        }
        let mut case: Value = serde_saphyr::from_slice(&text).unwrap();
        for prose in ["title", "about"] {
            case.as_object_mut().unwrap().remove(prose);
        }
        let text = case.to_string();
        let found: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| words.contains(*word))
            .collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
        looked_at += 1;
    }
    assert!(looked_at > 100);
}

fn property_names(schema: &Value, into: &mut HashSet<String>) {
    match schema {
        Value::Object(map) => {
            let properties = map.get("properties").and_then(Value::as_object);
            into.extend(properties.into_iter().flat_map(|p| p.keys().cloned()));
            map.values().for_each(|value| property_names(value, into));
        }
        Value::Array(list) => list.iter().for_each(|value| property_names(value, into)),
        _ => {}
    }
}

#[test]
fn what_a_case_names_wrongly_is_shown_with_its_place_before_anything_is_sent() {
    let desk = Desk::new();
    for (step, place, found, hint) in [
        ("batch: [{ set: { \"@kye\": x } }]", "2:29", "there is no role `@kye`", "`@key`"),
        ("body: '{\"${@item}\":[]}'", "2:22", "there is no role `@item`", "`@items`"),
        ("batch: [{ set: { \"@numbr\": 1 } }]", "2:29", "`@numbr`", "`@number`"),
        ("batch: [{ unset: [reqester] }]", "2:29", "no field `reqester`", "`requester`"),
        ("batch: [{ as: a }, { set: { x: \"${a.valu}\" } }]", "2:43", "no field `valu`", "`value`"),
        ("batch: 1, expect: { rejected: usd }", "2:41", "no error code `usd`", "`used`"),
    ] {
        desk.file("c.yaml", format!("title: t\nsteps: [{{ {step} }}]\n"));
        let place = format!("c.yaml:{place}");
        desk.batchproof(&["run", "c.yaml"]).ends(2).says(&[&place, found, "did you mean", hint]);
        assert!(!desk.reports().exists());
    }
}

#[test]
fn cases_of_ones_own_may_speak_in_roles_or_names() {
    let desk = Desk::new();
    desk.file(
        "own.yaml",
        "title: both ways\nsteps:\n  - batch: [{ as: a }]\n  - batch: [{ set: { \"@key\": \"${a.@key}\" } }]\n    \
         expect: { rejected: used }\n  - batch: [{ set: { communicationNumber: \"${a.communicationNumber}\" } }]\n    \
         expect: { rejected: O005 }\n  - batch: [{ unset: [\"@mandatory-number\"] }]\n    expect: { refused: missing }\n",
    );
    desk.batchproof(&["run", "own.yaml"]).ends(0);
}

#[test]
fn a_shipped_case_never_leaves_the_profile() {
    let desk = Desk::new();
    desk.file(
        "p.yaml",
        "values: { accountExtId: [ACC-1, ACC-2], value: { min: 1, max: 9 } }\nomit: [businessUnit]\n",
    );
    desk.batchproof(&["run", "--profile", "p.yaml", "--runs", "1"]).ends(0);
    let lacking = not_applicable(&desk);
    for (case, reason) in [
        ("echo/alike", "`accountExtId: \"Café 1\"` is outside the profile's values"),
        ("echo/alike-in-a-second-field", "the profile omits `businessUnit`"),
    ] {
        assert_eq!(lacking.get(case).map(String::as_str), Some(reason), "{case}: {lacking:#?}");
    }
    // Cases that are not about their values get the profile's.
    assert!(!lacking.contains_key("unique/with-any-number"), "{lacking:#?}");
    let change = "`accountExtId`, `value`: the profile's values in place of the case's";
    let printed = desk.batchproof(&["report", "reports"]).ends(0);
    printed.says(&["note spec/mandatory-fields-example", change]);
    for name in ["report.json", "report.html", "report.md", "junit.xml"] {
        let text = std::fs::read_to_string(desk.reports().join(name)).unwrap();
        assert!(text.contains("in place of the case"), "{name}");
    }
}

#[test]
fn the_values_of_a_shipped_case_become_the_profiles() {
    let hand = Hand::start(|heard| verdicts(heard, "REQUEST_ACCEPTED", &json!({})));
    let desk = Desk::new();
    desk.file(
        "p.yaml",
        "values: { accountExtId: [ACC-1, ACC-2], value: { min: 1, max: 9 } }\nomit: [businessUnit]\n\
         required: [equivalentValue]\n",
    );
    let case = "spec/mandatory-fields-example";
    let arguments = ["run", case, "--target", &hand.url, "--profile", "p.yaml"];
    desk.with_token(&arguments, Some("t")).ends(0);
    let heard = hand.heard();
    let items = heard.iter().map(harness::hand::Heard::items).find(|items| {
        items.len() == 2 && items.iter().all(|item| item["balanceAt"] == "2023-09-05T08:07:34.605Z")
    });
    let items = items.expect("the case was sent");
    let accounts: Vec<&Value> = items.iter().map(|item| &item["accountExtId"]).collect();
    assert_eq!(accounts, ["ACC-1", "ACC-2"], "different accounts stay different");
    for item in &items {
        assert_eq!(item["value"], 9, "the nearest of the profile's values");
        assert_eq!(item.get("businessUnit"), None, "the profile omits it");
        assert!(item["equivalentValue"].is_number(), "the profile demands it");
    }
}

#[test]
fn old_spellings_of_the_case_language_name_the_new_ones() {
    let desk = Desk::new();
    for (step, place, words) in [
        ("batch-from: x.json, renumber: true", "2:31", "`renumber` is now called `fresh-keys`"),
        ("batch: 1, hang-up: half-body", "2:21", "`hang-up` is now called `disconnect`"),
        ("body: '${number:a}'", "2:18", "`${number:a}` is now written `${key:a}`"),
    ] {
        desk.file("c.yaml", format!("title: t\nsteps: [{{ {step} }}]\n"));
        desk.batchproof(&["run", "c.yaml"]).ends(2).says(&[&format!("c.yaml:{place}"), words]);
    }
}

#[test]
fn words_of_yaml_1_1_are_texts() {
    let read: Value =
        batchproof::contract::file_error::read_yaml("f.yaml", "[YES, no, on, off, true]").unwrap();
    assert_eq!(read, json!(["YES", "no", "on", "off", true]));
}
