use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::contract::{Contract, Profile};
use crate::generate::item::specimen;
use crate::generate::{Generator, OptionalFields, Promise};

fn shipped() -> (Arc<Contract>, Generator) {
    let contract = Arc::new(Contract::shipped().unwrap());
    let generator = Generator::new(Arc::clone(&contract), &Profile::default()).unwrap();
    (contract, generator)
}

fn held(points: &CoverageMap, item: &Value) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    points.in_item(item, |at| {
        seen.insert(at);
    });
    seen
}

fn named(points: &CoverageMap, seen: &BTreeSet<usize>) -> Vec<String> {
    let one = |c: &CoveragePoint| format!("{} {} {}", c.pointer, c.keyword, c.class);
    seen.iter().map(|at| one(&points.list()[*at])).collect()
}

#[test]
fn no_cell_stands_twice() {
    let (_, generator) = shipped();
    let list = generator.coverage().list();
    let distinct: BTreeSet<&CoveragePoint> = list.iter().collect();
    assert_eq!(distinct.len(), list.len());
    assert!(list.len() > 150, "{}", list.len());
}

#[test]
fn a_value_stands_in_the_cells_of_its_type_and_bounds() {
    let (_, generator) = shipped();
    let points = generator.coverage();
    let item = serde_json::json!({
        "communicationNumber": "x", "requester": "é".repeat(100), "accountExtId": null,
        "balanceAt": "2024-02-30T00:00:00Z", "value": -1.5, "further": 1,
    });
    let seen = named(points, &held(points, &item));
    for point in [
        "/requester maxLength at the bound",
        "/requester maxLength at the bound, in characters of two bytes",
        "/accountExtId type null",
        "/balanceAt format impossible date or time",
        "/value type number",
        "/value type number: negative",
        "/value type number: with a fraction",
        "/businessUnit properties missing",
        " additionalProperties a further property",
    ] {
        assert!(seen.iter().any(|s| s == point), "{point} is not among {seen:#?}");
    }
    for (item, point) in [(serde_json::json!([]), " type array"), (Value::Null, " type null")] {
        assert_eq!(named(points, &held(points, &item)), [point]);
    }
}

#[test]
fn bodies_stand_in_the_cells_of_the_envelope() {
    let (_, generator) = shipped();
    let points = generator.coverage();
    let body = |text: &str| {
        let mut seen = BTreeSet::new();
        points.in_body(text.as_bytes(), |at| {
            seen.insert(at);
        });
        named(points, &seen)
    };
    assert_eq!(body("{"), [" json no JSON"]);
    assert_eq!(body("[]"), [" type array"]);
    assert_eq!(body("{}"), [" type object", "/accountBalances required missing"]);
    assert_eq!(
        body(r#"{"accountBalances":1,"x":2}"#),
        [
            " type object",
            "/accountBalances type number",
            " additionalProperties a further property"
        ]
    );
    let batch = |count: usize| {
        let mut seen = BTreeSet::new();
        points.in_batch(count, |at| {
            seen.insert(at);
        });
        named(points, &seen)
    };
    for (count, size) in [(0, "no items"), (9, "2 to 9 items"), (5_000, "1,000 items or more")] {
        let size = format!("/accountBalances items {size}");
        assert_eq!(batch(count), [" type object", "/accountBalances type array", size.as_str()]);
    }
}

/// What breaks an item is told apart from what does not, though points are derived without the mutations.
#[test]
fn every_mutation_that_breaks_an_item_moves_it_to_another_cell() {
    let (contract, generator) = shipped();
    let points = generator.coverage();
    for (name, _) in Generator::names() {
        for mutation in generator.mutations(name).unwrap() {
            if mutation.promise() != Promise::Refuse {
                continue;
            }
            let mut draft = generator.item(5, OptionalFields::All);
            let before = draft.with_key(&contract, specimen(&draft.key));
            mutation.apply(&mut draft);
            let after = draft.with_key(&contract, specimen(&draft.key));
            let (before, after) = (held(points, &before), held(points, &after));
            assert!(after.difference(&before).next().is_some(), "{mutation:?}");
        }
    }
}

#[test]
fn what_a_profile_omits_has_no_cell() {
    let contract = Arc::new(Contract::shipped().unwrap());
    let profile = Profile { omit: vec!["businessUnit".to_owned()], ..Profile::default() };
    let generator = Generator::new(contract, &profile).unwrap();
    assert!(generator.coverage().list().iter().all(|c| c.pointer != "/businessUnit"));
}
