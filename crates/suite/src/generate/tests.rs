//! Proofs over whole contracts: drawn items are valid, mutations keep what their names promise.
//!
//! The second contract has nothing in common with the shipped one but its batch shape.

use serde_json::json;

use super::*;
use crate::contract::Level;
use crate::contract::validity::{BodyValidity, ExpectedOutcome, Validity};

const OPENAPI: &str = r##"
openapi: 3.1.0
info: { title: tickets, version: "1" }
paths:
  /tickets:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [tickets]
              properties: { tickets: { type: array, items: { $ref: "#/components/schemas/Ticket" } } }
      responses:
        "200":
          description: OK
          content:
            application/json:
              schema:
                type: object
                properties:
                  outcomes:
                    type: array
                    items:
                      type: object
                      properties:
                        verdict: { enum: [YES, NO] }
                        ticket: { type: string }
                        owner: { type: string }
                        reason: { type: string }
components:
  schemas:
    Ticket:
      type: object
      required: [status, ticket, level, code, address, party, at, version]
      properties:
        status: { type: string, enum: [OPEN, CLOSED, On hold] }
        owner: { type: string, minLength: 2, maxLength: 30 }
        level: { type: integer, minimum: 1, maximum: 9 }
        rate: { type: number, exclusiveMinimum: 0, maximum: 1, multipleOf: 0.05 }
        code: { type: string, pattern: '^[A-Z]{3}-\d{2,4}$' }
        ticket: { type: string, maxLength: 60 }
        tags: { type: array, minItems: 1, maxItems: 4, uniqueItems: true, items: { type: string, minLength: 2 } }
        address:
          type: object
          required: [street, zip]
          properties:
            street: { type: string, maxLength: 20 }
            zip: { type: string, pattern: '^\d{5}$' }
            country: { enum: [LT, LV, EE] }
            geo: { $ref: "#/components/schemas/Geo" }
        party:
          oneOf:
            - { type: object, required: [kind, born], properties: { kind: { const: person }, born: { type: string, format: date } } }
            - { type: object, required: [kind, site], properties: { kind: { const: company }, site: { type: string, format: uri } } }
        amount:
          allOf:
            - { type: number, minimum: 0 }
            - { maximum: 5000 }
        nickname: { type: [string, "null"], minLength: 3, maxLength: 10 }
        mail: { type: string, format: email }
        id: { type: string, format: uuid }
        at: { type: string, format: date-time }
        version: { const: v1 }
        chain: { $ref: "#/components/schemas/Chain" }
        urgent: { type: boolean }
        score: { anyOf: [{ type: integer, minimum: 10 }, { type: string, pattern: "^n/a$" }] }
        total: { type: integer, format: int64 }
        odd: { type: integer, minimum: 0, maximum: 20, not: { multipleOf: 2 } }
    Geo:
      type: object
      required: [lat, lon]
      additionalProperties: false
      properties: { lat: { type: number, minimum: -90, maximum: 90 }, lon: { type: number, minimum: -180, maximum: 180 } }
    Chain:
      type: object
      required: [link]
      properties: { link: { type: integer, minimum: 0, maximum: 99 }, next: { $ref: "#/components/schemas/Chain" } }
"##;

const BATCH: &str = r#"
title: tickets
operation: { path: /tickets, method: post }
items: tickets
results: outcomes
unique: ticket
echo: [ticket, owner]
verdict: { field: verdict, accepted: "YES", rejected: "NO" }
error: { code: reason, description: reason }
codes: { E1: { means: used, cause: used } }
samples:
  code: { pattern: "(ABC|XYZ)-[0-9]{3}" }
  status: { one-of: [OPEN, UNKNOWN] }
"#;

fn contract_of(openapi: &str, batch: &str) -> Arc<Contract> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("openapi.yaml"), openapi).unwrap();
    std::fs::write(dir.path().join("batch.yaml"), batch).unwrap();
    Arc::new(Contract::load(dir.path()).unwrap())
}

fn shipped_with(profile: &Profile) -> Generator {
    let contract = Contract::shipped().unwrap().for_target(profile);
    Generator::new(Arc::new(contract), profile).unwrap()
}

pub(super) fn shipped() -> Generator {
    shipped_with(&Profile::default())
}

pub(super) fn tickets() -> Generator {
    Generator::new(contract_of(OPENAPI, BATCH), &Profile::default()).unwrap()
}

fn item_of(generator: &Generator, draft: &Draft) -> Value {
    draft.with_key(generator.contract(), item::specimen(&draft.key))
}

/// The validity of an item as a server reads it: raw text too.
fn validity(generator: &Generator, draft: &Draft) -> Validity {
    let contract = generator.contract();
    if !draft.needs_text() {
        return contract.item_validity(&item_of(generator, draft));
    }
    let text = draft.text(contract, item::specimen(&draft.key).as_ref());
    let body = format!("{{\"{}\":[{text}]}}", contract.batch.items);
    match contract.body_validity(body.as_bytes()) {
        BodyValidity::Batch { mut items, trailing: None } => items.remove(0).1,
        BodyValidity::Exempt(exemption) => {
            Validity { exempt: vec![exemption], ..Validity::default() }
        }
        other => panic!("{other:?}: {text}"),
    }
}

fn check_items(generator: &Generator) {
    check_items_of(generator, 300);
}

fn check_items_of(generator: &Generator, seeds: u64) {
    for style in [ValueStyle::Plain, ValueStyle::Boundary, ValueStyle::Unusual] {
        for seed in 0..seeds {
            let shape = BatchShape { items: 1..=10, style };
            let batch = generator.batch(seed, &shape);
            assert_eq!(batch, generator.batch(seed, &shape));
            assert!(shape.items.contains(&batch.len()));
            for draft in batch {
                let item = item_of(generator, &draft);
                assert!(generator.contract().item_validator().is_valid(&item), "{style:?} {item}");
                let outcome = validity(generator, &draft).expected_outcome();
                let may = matches!(outcome, ExpectedOutcome::Accept(Level::Must))
                    || style == ValueStyle::Unusual
                        && matches!(outcome, ExpectedOutcome::Accept(_));
                assert!(may, "{style:?} {outcome:?} {item}");
                let text = draft.text(generator.contract(), item::specimen(&draft.key).as_ref());
                let read: Value = serde_json::from_str(&text).unwrap();
                let same = |a: &Value, b: &Value| {
                    a == b || a.as_f64().is_some() && a.as_f64() == b.as_f64()
                };
                for (name, value) in item.as_object().unwrap() {
                    assert!(same(value, &read[name]), "{text} {item}");
                }
            }
        }
    }
}

fn check_mutations(generator: &Generator) {
    for (name, _) in Generator::names() {
        for mutation in generator.mutations(name).unwrap() {
            for with in [OptionalFields::None, OptionalFields::Drawn, OptionalFields::All] {
                let mut draft = generator.item(1, with);
                let mutated = mutation.apply(&mut draft);
                assert_eq!(mutated.name, *name);
                let validity = validity(generator, &draft);
                let outcome = validity.expected_outcome();
                let kept = match mutation.promise() {
                    Promise::Accept => matches!(outcome, ExpectedOutcome::Accept(_)),
                    Promise::Refuse => matches!(outcome, ExpectedOutcome::Refuse(_)),
                    Promise::Open => outcome == ExpectedOutcome::NotJudged,
                };
                assert!(kept, "{mutation:#?} gives {outcome:?}, {validity:#?}");
                if mutation.promise() == Promise::Refuse {
                    let item = item_of(generator, &draft);
                    let by_interpretation = matches!(*name, "unique-too-long" | "doubtful-instant");
                    let valid = generator.contract().item_validator().is_valid(&item);
                    assert!(by_interpretation || !valid, "{mutation:#?}");
                    let exact = validity
                        .invalid
                        .iter()
                        .any(|c| c.pointer == mutated.pointer && c.keyword == mutated.keyword);
                    assert!(exact, "{mutation:#?}: {:#?}", validity.invalid);
                }
            }
        }
    }
}

fn counts(generator: &Generator) -> Vec<(&'static str, usize)> {
    let count = |name: &str| generator.mutations(name).map_or(0, <[Mutation]>::len);
    Generator::names().iter().map(|(name, _)| (*name, count(name))).collect()
}

#[test]
fn items_of_the_shipped_contract_are_valid() {
    check_items(&shipped());
}

#[test]
fn items_of_another_contract_are_valid() {
    check_items(&tickets());
}

#[test]
fn mutations_of_the_shipped_contract_keep_their_promise() {
    let generator = shipped();
    println!("{:?}", counts(&generator));
    check_mutations(&generator);
    // Keywords that the shipped schema does not have.
    let none = [
        "null-allowed",
        "at-min-length",
        "below-min-length",
        "break-pattern",
        "break-enum",
        "out-of-range",
        "at-bound",
        "break-multiple",
        "too-many-items",
        "too-few-items",
        "at-array-bound",
        "repeat-element",
        "add-forbidden-property",
    ];
    for (name, count) in counts(&generator) {
        assert_eq!(count == 0, none.contains(&name), "{name}: {count}");
    }
    let list = generator.mutations("drop-two-required").unwrap();
    assert_eq!(list.len(), 10);
    assert!(list.iter().all(|m| matches!(&m.change, Change::RemoveBoth(_))));
}

#[test]
fn mutations_of_another_contract_keep_their_promise() {
    let generator = tickets();
    println!("{:?}", counts(&generator));
    check_mutations(&generator);
    for (name, count) in counts(&generator) {
        let none = ["unique-too-long", "long-string"];
        assert_eq!(count == 0, none.contains(&name), "{name}: {count}");
    }
    let pointers = |name: &str| -> Vec<&str> {
        generator.mutations(name).unwrap().iter().map(|m| m.pointer.as_str()).collect()
    };
    assert!(pointers("drop-required").contains(&"/address/zip"));
    assert!(pointers("break-pattern").contains(&"/address/zip"));
    assert!(pointers("out-of-range").contains(&"/address/geo/lat"));
    assert!(pointers("below-min-length").contains(&"/tags/0"));
    assert!(pointers("out-of-range").contains(&"/amount"));
}

#[test]
fn names_are_documented_and_unique() {
    let mut seen = std::collections::HashSet::new();
    for (name, sentence) in Generator::names() {
        assert!(seen.insert(name), "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{name}");
        assert!(sentence.ends_with('.') && sentence.len() > 20, "{name}: {sentence}");
    }
    assert!(shipped().mutations("no-such-name").is_none());
}

#[test]
fn a_profile_narrows_what_is_drawn_and_promised() {
    let profile = Profile {
        values: serde_json::from_value(json!({
            "accountExtId": ["ACC-1", "ACC-2"], "value": { "min": 0, "max": 1000 }, "requester": ["x", 5],
        }))
        .unwrap(),
        omit: vec!["businessUnit".to_owned()],
        required: vec!["balanceType".to_owned()],
        ..Profile::default()
    };
    let generator = shipped_with(&profile);
    check_items(&generator);
    check_mutations(&generator);
    for style in [ValueStyle::Plain, ValueStyle::Boundary, ValueStyle::Unusual] {
        for draft in generator.batch(1, &BatchShape { items: 200..=200, style }) {
            assert!(["ACC-1", "ACC-2"].contains(&draft.fields["accountExtId"].as_str().unwrap()));
            assert!((0.0..=1000.0).contains(&draft.fields["value"].as_f64().unwrap()));
            assert_eq!(draft.fields["requester"], "x");
            assert!(
                draft.fields.contains_key("balanceType")
                    && !draft.fields.contains_key("businessUnit")
            );
        }
    }
    for (name, _) in Generator::names() {
        for mutation in generator.mutations(name).unwrap() {
            assert_ne!(mutation.pointer, "/businessUnit", "{mutation:?}");
            let varies = mutation.promise() == Promise::Accept
                && !matches!(mutation.change, Change::Remove | Change::Escape);
            assert!(!varies || mutation.pointer != "/accountExtId", "{mutation:?}");
        }
    }
    let unusable = Profile {
        values: serde_json::from_value(json!({ "value": ["twelve"] })).unwrap(),
        ..Profile::default()
    };
    let contract = Arc::new(Contract::shipped().unwrap());
    let problem = Generator::new(contract, &unusable).err().unwrap();
    assert_eq!(problem.pointer.as_deref(), Some("/values/value"));
}

#[test]
fn a_schema_that_nothing_satisfies_is_reported() {
    for broken in [
        "{ type: string, pattern: '(?=x)y' }",
        "{ type: integer, minimum: 5, maximum: 4 }",
        "{ type: string, enum: [] }",
        "{ allOf: [{ type: string }, { type: integer }] }",
        "{ type: object, required: [again], properties: { again: { $ref: '#/components/schemas/Loop' } } }",
    ] {
        let openapi = OPENAPI.replace("{ type: boolean }", broken).replace(
            "    Geo:",
            "    Loop: { type: object, required: [again], properties: { again: { $ref: '#/components/schemas/Loop' } } }\n    Geo:",
        );
        let problem = Generator::new(contract_of(&openapi, BATCH), &Profile::default()).err();
        let pointer = problem.unwrap().pointer.unwrap();
        let place = "/components/schemas/Ticket/properties/urgent";
        assert!(pointer.starts_with(place), "{broken}: {pointer}");
    }
}

#[test]
fn optional_fields_are_as_asked() {
    let generator = shipped();
    assert_eq!(generator.item(3, OptionalFields::All).fields.len(), 7);
    assert_eq!(generator.item(3, OptionalFields::None).fields.len(), 4);
    let only = generator.item(3, OptionalFields::Only("balanceType"));
    assert!(only.fields.len() == 5 && only.fields.contains_key("balanceType"));
    let item = item_of(&generator, &generator.item(3, OptionalFields::All));
    let order: Vec<&String> = item.as_object().unwrap().keys().collect();
    let document: Vec<&String> = generator.contract().fields().iter().map(|f| &f.name).collect();
    assert_eq!(order, document);
    let mut draft = generator.item(3, OptionalFields::None);
    for name in ["equivalentValue", "businessUnit", "balanceType", "communicationNumber"] {
        draft.set(generator.contract(), name, json!("x"));
    }
    let item = item_of(&generator, &draft);
    assert_eq!(item.as_object().unwrap().keys().collect::<Vec<_>>(), document);
    draft.remove(generator.contract(), "accountExtId");
    let item = item_of(&generator, &draft);
    assert_eq!(item.as_object().unwrap().keys().collect::<Vec<_>>(), document[1..]);
}

#[test]
fn raw_text_is_sent_digit_for_digit() {
    let generator = shipped();
    let list = generator.mutations("plain-number").unwrap();
    let trailing = list.iter().find(|m| m.class == "a trailing zero").unwrap();
    let mut draft = generator.item(1, OptionalFields::All);
    let mutated = trailing.apply(&mut draft);
    assert_eq!(mutated.new, Some(json!("1.10")));
    let text = draft.text(generator.contract(), Some(&json!("n\"1")));
    assert!(text.contains(":1.10") && text.contains(r#":"n\"1""#), "{text}");
    // What is set later is what is sent.
    draft.fields.insert(mutated.pointer[1..].to_owned(), json!(7));
    assert!(!draft.text(generator.contract(), None).contains("1.10"));
    let surrogate = &generator.mutations("lone-surrogate").unwrap();
    let unique = surrogate.iter().find(|m| m.pointer == "/communicationNumber").unwrap();
    let mut draft = generator.item(1, OptionalFields::All);
    unique.apply(&mut draft);
    assert!(draft.text(generator.contract(), Some(&json!("n-1"))).contains(r#""\ud800n-1""#));
    let json = serde_json::to_string(&mutated).unwrap();
    assert_eq!(serde_json::from_str::<AppliedMutation>(&json).unwrap(), mutated);
}

#[test]
fn generators_are_shared_by_workers() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Generator>();
    shared::<KeyGenerator>();
}

/// A real accounting API's document has schemas like these: each object may hold all of them.
fn mutually_recursive(objects: usize) -> String {
    let names: Vec<String> = (0..objects).map(|n| format!("Part{n}")).collect();
    let properties: Vec<String> = names
        .iter()
        .map(|n| format!("{}: {{ $ref: '#/components/schemas/{n}' }}", n.to_lowercase()))
        .collect();
    let properties = properties.join(", ");
    let schemas: String = names
        .iter()
        .map(|n| {
            format!(
                "    {n}: {{ type: object, properties: {{ note: {{ type: string, maxLength: 9 }}, {properties} }} }}\n"
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let fields: String = names
        .iter()
        .map(|n| format!("        {}: {{ $ref: '#/components/schemas/{n}' }}\n", n.to_lowercase()))
        .collect::<Vec<_>>()
        .concat();
    let tail = "        odd: { type: integer";
    OPENAPI.replace(tail, &format!("{fields}{tail}")) + &schemas
}

#[test]
fn schemas_that_refer_to_each_other_stay_small() {
    for objects in [2, 5, 12] {
        let contract = contract_of(&mutually_recursive(objects), BATCH);
        let generator = Generator::new(contract, &Profile::default()).unwrap();
        check_items_of(&generator, 20);
        let has = |pointer: &str| {
            generator.coverage().list().iter().any(|point| point.pointer == pointer)
        };
        assert!(has("/part0/note") && has("/part1/part0"));
        assert!(generator.coverage().list().len() < 10_000);
        let full = item_of(&generator, &generator.item(1, OptionalFields::All));
        assert!(full.to_string().len() < 100_000, "{objects}: {}", full.to_string().len());
        let mutations: usize = counts(&generator).iter().map(|(_, count)| count).sum();
        assert!(mutations < 10_000, "{objects}: {mutations}");
    }
}
