//! How an expectation is read, and described to editors.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::predicate::{self, Predicates};
use super::{BodyPin, Expect, HeaderPin, Outcome, Results, SchemaPin, StatusPin};
use crate::case::amount::Span;
use crate::case::time::Time;

struct ExpectVisitor;

const WORDS: &[&str] = &["accepted", "rejected", "refused", "not-processed", "answered"];
const KEYS: &[&str] = &[
    "asserts",
    "status",
    "results",
    "count",
    "within",
    "schema",
    "headers",
    "body",
    "refused",
    "rejected",
    "not-processed",
    "answered",
];

/// `rejected O005` as it is meant: `rejected: O005`.
fn with_code(word: &str) -> Option<String> {
    let (outcome, code) = word.split_once([' ', '='])?;
    let code = code.trim();
    let known = matches!(outcome, "rejected" | "refused") && !code.is_empty();
    known.then(|| format!("{outcome}: {code}"))
}

fn unknown<E: de::Error>(word: &str, known: &'static [&'static str]) -> E {
    match with_code(word) {
        Some(meant) => {
            let meant = format!("`{{ {meant} }}`");
            E::invalid_value(de::Unexpected::Str(word), &meant.as_str())
        }
        None => E::unknown_variant(word, known),
    }
}

fn unknown_key<E: de::Error>(key: &str, known: &'static [&'static str]) -> E {
    match with_code(key) {
        Some(meant) => E::invalid_value(de::Unexpected::Str(key), &format!("`{meant}`").as_str()),
        None => E::unknown_field(key, known),
    }
}

impl<'de> Visitor<'de> for ExpectVisitor {
    type Value = Expect;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}, or a map with {}", WORDS.join(", "), KEYS.join(", "))
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Expect, E> {
        let mut expect = Expect::default();
        match word {
            "accepted" => expect.results = Some(Results::All(Outcome::Accepted)),
            "rejected" => expect.results = Some(Results::All(Outcome::Rejected(None))),
            "refused" => expect.refused = Some(None),
            "not-processed" => expect.not_processed = true,
            "answered" => expect.answered = true,
            other => return Err(unknown(other, WORDS)),
        }
        Ok(expect)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Expect, A::Error> {
        let mut expect = Expect::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "asserts" => expect.asserts = Some(map.next_value()?),
                "status" => expect.status = Some(map.next_value()?),
                "results" => expect.results = Some(map.next_value()?),
                "count" => expect.count = Some(map.next_value()?),
                "within" => expect.within = Some(map.next_value()?),
                "schema" => expect.schema = Some(map.next_value()?),
                "headers" => expect.headers = map.next_value()?,
                "body" => expect.body = map.next_value()?,
                "refused" => expect.refused = Some(map.next_value::<Option<String>>()?),
                "rejected" => {
                    let code = map.next_value::<Option<String>>()?;
                    expect.results = Some(Results::All(Outcome::Rejected(code)));
                }
                "not-processed" => expect.not_processed = map.next_value()?,
                "answered" => expect.answered = map.next_value()?,
                other => return Err(unknown_key(other, KEYS)),
            }
        }
        Ok(expect)
    }
}

struct ExpectShape(Expect);

impl<'de> Deserialize<'de> for ExpectShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ExpectShape, D::Error> {
        deserializer.deserialize_any(ExpectVisitor).map(ExpectShape)
    }
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Expect, D::Error> {
        let spanned = Spanned::<ExpectShape>::deserialize(deserializer)?;
        Ok(Expect { line: spanned.referenced.line(), ..spanned.value.0 })
    }
}

impl JsonSchema for Expect {
    fn schema_name() -> Cow<'static, str> {
        "Expect".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let results = generator.subschema_for::<Results>();
        let code = json_schema!({ "type": ["string", "null"] });
        let predicates = predicate::schema(generator);
        let mut of_headers = predicates.clone();
        if let Value::Object(map) = &mut of_headers {
            map.retain(|word, _| !matches!(word.as_str(), "count" | "schema"));
        }
        let (span, time) = (generator.subschema_for::<Span>(), generator.subschema_for::<Time>());
        let pin = generator.subschema_for::<SchemaPin>();
        json_schema!({
            "description": "what the answer must be",
            "anyOf": [
                { "enum": WORDS },
                {
                    "type": "object",
                    "properties": {
                        "asserts": { "type": "string", "description": "the rule this is judged under" },
                        "status": {
                            "description": "200, [400, 415] or 4xx",
                            "anyOf": [
                                { "type": "integer" },
                                { "type": "string", "pattern": "^[1-5]xx$" },
                                { "type": "array", "items": { "type": ["integer", "string"] } }
                            ]
                        },
                        "results": results,
                        "count": span,
                        "within": time,
                        "schema": pin,
                        "headers": {
                            "type": "object",
                            "description": "present, absent, or predicates such as { contains: TEXT }",
                            "additionalProperties": {
                                "anyOf": [
                                    { "enum": ["present", "absent"] },
                                    { "type": "object", "properties": of_headers, "minProperties": 1,
                                      "additionalProperties": false }
                                ]
                            }
                        },
                        "body": {
                            "type": "object",
                            "description": "JSON pointers: a value, present, absent, or predicates such as { min: 1 }",
                            "additionalProperties": {
                                "anyOf": [
                                    { "type": "object", "properties": predicates, "additionalProperties": false },
                                    { "enum": ["present", "absent"] },
                                    {}
                                ]
                            }
                        },
                        "refused": code,
                        "rejected": code,
                        "not-processed": { "type": "boolean" },
                        "answered": { "type": "boolean" }
                    },
                    "additionalProperties": false
                }
            ]
        })
    }
}

impl<'de> Deserialize<'de> for StatusPin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StatusPin, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let one = |v: &Value| -> Option<(u16, u16)> {
            if let Some(n) = v.as_u64().and_then(|n| u16::try_from(n).ok()) {
                return (100..600).contains(&n).then_some((n, n));
            }
            let hundreds: u16 = v.as_str()?.strip_suffix("xx")?.parse().ok()?;
            (1..=5).contains(&hundreds).then_some((hundreds * 100, hundreds * 100 + 99))
        };
        let list = match &value {
            Value::Array(list) => list.iter().map(one).collect::<Option<Vec<_>>>(),
            other => one(other).map(|pin| vec![pin]),
        };
        list.filter(|l| !l.is_empty()).map(StatusPin).ok_or_else(|| {
            de::Error::custom(format!("`{value}` is not a status: expected 200, [400, 415] or 4xx"))
        })
    }
}

struct OutcomeVisitor;

impl<'de> Visitor<'de> for OutcomeVisitor {
    type Value = Outcome;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`accepted`, `rejected`, `any` or { rejected: CODE }")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Outcome, E> {
        match word {
            "accepted" => Ok(Outcome::Accepted),
            "rejected" => Ok(Outcome::Rejected(None)),
            "any" => Ok(Outcome::Any),
            other => Err(unknown(other, &["accepted", "rejected", "any"])),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outcome, A::Error> {
        let Some(key) = map.next_key::<String>()? else {
            return Err(de::Error::missing_field("rejected"));
        };
        if key != "rejected" {
            return Err(unknown_key(&key, &["rejected"]));
        }
        let code = map.next_value()?;
        if let Some(extra) = map.next_key::<String>()? {
            return Err(de::Error::unknown_field(&extra, &["rejected"]));
        }
        Ok(Outcome::Rejected(code))
    }
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Outcome, D::Error> {
        deserializer.deserialize_any(OutcomeVisitor)
    }
}

struct ResultsVisitor;

const RESULT_KEYS: &[&str] = &["all", "exactly-one", "others", "rejected"];

impl<'de> Visitor<'de> for ResultsVisitor {
    type Value = Results;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "`accepted`, { rejected: CODE }, a list of those, or { exactly-one: …, others: … }",
        )
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Results, E> {
        OutcomeVisitor.visit_str(word).map(Results::All)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Results, A::Error> {
        let mut list = Vec::new();
        while let Some(outcome) = seq.next_element()? {
            list.push(outcome);
        }
        Ok(Results::Each(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Results, A::Error> {
        let (mut all, mut one, mut others) = (None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "all" => all = Some(map.next_value()?),
                "rejected" => all = Some(Outcome::Rejected(map.next_value()?)),
                "exactly-one" => one = Some(map.next_value()?),
                "others" => others = Some(map.next_value()?),
                other => return Err(unknown_key(other, RESULT_KEYS)),
            }
        }
        match (all, one, others) {
            (Some(all), None, None) => Ok(Results::All(all)),
            (None, Some(one), others) => {
                Ok(Results::ExactlyOne { one, others: others.unwrap_or(Outcome::Any) })
            }
            _ => Err(de::Error::missing_field("exactly-one")),
        }
    }
}

impl<'de> Deserialize<'de> for Results {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Results, D::Error> {
        deserializer.deserialize_any(ResultsVisitor)
    }
}

impl JsonSchema for Results {
    fn schema_name() -> Cow<'static, str> {
        "Results".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let outcome = serde_json::json!({
            "anyOf": [
                { "enum": ["accepted", "rejected", "any"] },
                {
                    "type": "object",
                    "properties": { "rejected": { "type": ["string", "null"] } },
                    "required": ["rejected"],
                    "additionalProperties": false
                }
            ]
        });
        json_schema!({
            "description": "for all items, item by item, or exactly one and the others",
            "anyOf": [
                outcome,
                { "type": "array", "items": outcome },
                {
                    "type": "object",
                    "properties": { "all": outcome, "exactly-one": outcome, "others": outcome },
                    "additionalProperties": false
                }
            ]
        })
    }
}

impl<'de> Deserialize<'de> for HeaderPin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HeaderPin, D::Error> {
        const EXPECTED: &str =
            "expected `present`, `absent` or predicates such as { contains: TEXT }";
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "present" => Ok(HeaderPin::Present),
            Value::String(word) if word == "absent" => Ok(HeaderPin::Absent),
            Value::Object(map) => {
                match map.keys().find(|word| OF_BODIES.contains(&word.as_str())) {
                    Some(word) => {
                        Err(de::Error::custom(format!("`{word}` of a header: {EXPECTED}")))
                    }
                    None => match Predicates::read(map)? {
                        Some(held) => Ok(HeaderPin::Holds(Box::new(held))),
                        None => Err(de::Error::custom(EXPECTED)),
                    },
                }
            }
            _ => Err(de::Error::custom(EXPECTED)),
        }
    }
}

/// Predicates that mean nothing of a header.
const OF_BODIES: [&str; 2] = ["count", "schema"];

impl<'de> Deserialize<'de> for BodyPin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<BodyPin, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::String(word) if word == "present" => BodyPin::Present,
            Value::String(word) if word == "absent" => BodyPin::Absent,
            Value::Object(map) => match Predicates::read(map.clone())? {
                Some(held) => BodyPin::Holds(Box::new(held)),
                None => BodyPin::Equals(Value::Object(map)),
            },
            other => BodyPin::Equals(other),
        })
    }
}
