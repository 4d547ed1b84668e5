//! Expectations in the words of case files.

use serde_json::{Map, Value, json};

use crate::case::{BodyPin, Expect, HeaderPin, Outcome, Results, Span, StatusPin};

/// Results that are listed one by one.
const FEW: usize = 8;

/// An expectation as YAML that also is JSON; nothing where it expects nothing.
#[must_use]
pub fn words(expect: &Expect, asserts: Option<&str>) -> Option<Value> {
    let mut map = Map::new();
    if let Some(pin) = &expect.status {
        map.insert("status".to_owned(), status(pin));
    }
    if let Some(pin) = &expect.results {
        map.insert("results".to_owned(), results(pin));
    }
    if let Some(count) = expect.count {
        map.insert("count".to_owned(), span(count));
    }
    if let Some(time) = expect.within {
        map.insert("within".to_owned(), json!(time.to_string()));
    }
    if let Some(pin) = &expect.schema {
        map.insert("schema".to_owned(), pin.written.clone());
    }
    if !expect.headers.is_empty() {
        let pins = expect.headers.iter().map(|(name, pin)| (name.clone(), header(pin)));
        map.insert("headers".to_owned(), Value::Object(pins.collect()));
    }
    if !expect.body.is_empty() {
        let pins = expect.body.iter().map(|(pointer, pin)| (pointer.clone(), body(pin)));
        map.insert("body".to_owned(), Value::Object(pins.collect()));
    }
    if let Some(code) = &expect.refused {
        map.insert("refused".to_owned(), json!(code));
    }
    for (key, set) in [("not-processed", expect.not_processed), ("answered", expect.answered)] {
        if set {
            map.insert(key.to_owned(), json!(true));
        }
    }
    if map.is_empty() {
        return None;
    }
    if let Some(rule) = asserts {
        map.insert("asserts".to_owned(), json!(rule));
    }
    Some(Value::Object(map))
}

fn status(pin: &StatusPin) -> Value {
    let one = |(low, high): &(u16, u16)| {
        if low == high { json!(low) } else { json!(format!("{}xx", low / 100)) }
    };
    match pin.0.as_slice() {
        [only] => one(only),
        list => list.iter().map(one).collect(),
    }
}

/// An outcome in a word, or with its code.
#[must_use]
pub fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Accepted => json!("accepted"),
        Outcome::Rejected(None) => json!("rejected"),
        Outcome::Rejected(Some(code)) => json!({ "rejected": code }),
        Outcome::Any => json!("any"),
    }
}

fn results(pin: &Results) -> Value {
    match pin {
        Results::All(all) => outcome(all),
        // Of a large batch that is said once.
        Results::Each(list) if list.len() > FEW && list.iter().all(|one| *one == list[0]) => {
            outcome(&list[0])
        }
        Results::Each(list) => list.iter().map(outcome).collect(),
        Results::ExactlyOne { one, others } => {
            json!({ "exactly-one": outcome(one), "others": outcome(others) })
        }
    }
}

fn span(span: Span) -> Value {
    if span.low == span.high { json!(span.low) } else { json!(span.to_string()) }
}

fn header(pin: &HeaderPin) -> Value {
    match pin {
        HeaderPin::Present => json!("present"),
        HeaderPin::Absent => json!("absent"),
        HeaderPin::Holds(held) => held.words(),
    }
}

fn body(pin: &BodyPin) -> Value {
    match pin {
        BodyPin::Present => json!("present"),
        BodyPin::Absent => json!("absent"),
        // A plain object must not be read as predicates.
        BodyPin::Equals(value @ serde_json::Value::Object(_)) => json!({ "equals": value }),
        BodyPin::Equals(value) => value.clone(),
        BodyPin::Holds(held) => held.words(),
    }
}
