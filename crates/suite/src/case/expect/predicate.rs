//! What a value of an answer must satisfy: `{ matches: REGEX }`, `{ min: 1, max: 5 }`, `{ schema: POINTER }`.
//!
//! Only the shape: it must not know how an answer is judged.

use std::fmt;
use std::sync::Arc;

use jsonschema::Validator;
use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::{Map, Value, json};

use crate::case::amount::Span;
use crate::contract::file_error::nearest;

/// The words of predicates.
pub const PREDICATES: &[&str] = &["equals", "contains", "matches", "min", "max", "count", "schema"];

/// What a value must satisfy: all that is stated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Predicates {
    /// It is this value.
    pub equals: Option<Value>,
    /// It is a text that contains this one.
    pub contains: Option<Value>,
    /// It is a text, a number, true or false in which this is found.
    pub matches: Option<Pattern>,
    /// It is a number that is not below this one.
    pub min: Option<Value>,
    /// It is a number that is not above this one.
    pub max: Option<Value>,
    /// Number of its elements, members or characters.
    pub count: Option<Span>,
    /// It fits this schema.
    pub schema: Option<SchemaPin>,
}

impl Predicates {
    /// The values in which `${…}` may stand.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        [&self.equals, &self.contains, &self.min, &self.max].into_iter().flatten()
    }

    /// The same, to fill them in.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        [&mut self.equals, &mut self.contains, &mut self.min, &mut self.max].into_iter().flatten()
    }

    /// As a case file writes it.
    #[must_use]
    pub fn words(&self) -> Value {
        let mut map = Map::new();
        let mut add = |word: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(word.to_owned(), value);
            }
        };
        add("equals", self.equals.clone());
        add("contains", self.contains.clone());
        add("matches", self.matches.as_ref().map(|pattern| json!(pattern.text())));
        add("min", self.min.clone());
        add("max", self.max.clone());
        add("count", self.count.map(|span| json!(span.to_string())));
        add("schema", self.schema.as_ref().map(|pin| pin.written.clone()));
        Value::Object(map)
    }

    /// The predicates that an object states; nothing where it is a plain object, none of whose keys is like a predicate.
    pub(super) fn read<E: de::Error>(map: Map<String, Value>) -> Result<Option<Predicates>, E> {
        let is_word = |key: &String| PREDICATES.contains(&key.as_str());
        if let Some(other) = map.keys().find(|key| !is_word(key)) {
            let is_plain =
                !map.keys().any(is_word) && map.keys().all(|k| nearest(k, PREDICATES).is_none());
            return if is_plain { Ok(None) } else { Err(E::unknown_field(other, PREDICATES)) };
        }
        if map.is_empty() {
            return Ok(None);
        }
        let mut predicates = Predicates::default();
        for (word, value) in map {
            match word.as_str() {
                "equals" => predicates.equals = Some(value),
                "contains" if value.is_string() => predicates.contains = Some(value),
                "contains" => return Err(wrong(&word, &value, "a text")),
                "matches" => predicates.matches = Some(from(value)?),
                "min" | "max" => {
                    let reaches = value.as_str().is_some_and(|text| text.contains("${"));
                    if !value.is_number() && !reaches {
                        return Err(wrong(&word, &value, "a number"));
                    }
                    let bound =
                        if word == "min" { &mut predicates.min } else { &mut predicates.max };
                    *bound = Some(value);
                }
                "count" => predicates.count = Some(from(value)?),
                _ => predicates.schema = Some(from(value)?),
            }
        }
        let bounds = predicates.min.as_ref().zip(predicates.max.as_ref());
        match bounds.and_then(|(min, max)| min.as_f64().zip(max.as_f64())) {
            Some((min, max)) if min > max => {
                Err(E::custom(format!("`min` is {min} and `max` is {max}: no number fits both")))
            }
            _ => Ok(Some(predicates)),
        }
    }
}

fn from<T: for<'de> Deserialize<'de>, E: de::Error>(value: Value) -> Result<T, E> {
    serde_json::from_value(value).map_err(|error| E::custom(error.to_string()))
}

fn wrong<E: de::Error>(word: &str, value: &Value, expected: &str) -> E {
    E::custom(format!("`{word}` is {value}: expected {expected}"))
}

/// What editors show of predicates.
pub(super) fn schema(generator: &mut SchemaGenerator) -> Value {
    let span = generator.subschema_for::<Span>();
    let pin = generator.subschema_for::<SchemaPin>();
    let bound =
        json!({ "anyOf": [{ "type": "number" }, { "type": "string", "pattern": "\\$\\{" }] });
    json!({
        "equals": { "description": "this value" },
        "contains": { "type": "string", "description": "a text that contains this one" },
        "matches": { "type": "string", "format": "regex", "description": "a regular expression that is found in it" },
        "min": bound,
        "max": bound,
        "count": span,
        "schema": pin
    })
}

/// A regular expression that is searched for.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Whether it is found in a text.
    #[must_use]
    pub fn is_found(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text() == other.text()
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Pattern).map_err(|error| {
            // The last line says what is wrong; those before it draw the place.
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            de::Error::custom(format!("`{text}` is not a regular expression: {why}"))
        })
    }
}

/// A schema that a value must fit.
#[derive(Debug, Clone)]
pub struct SchemaPin {
    /// A pointer into the OpenAPI document, such as `#/components/schemas/Result`, or the schema itself.
    pub written: Value,
    /// What it was compiled to, under the contract of the run.
    pub validator: Option<Arc<Validator>>,
}

impl SchemaPin {
    /// The schema that it stands for.
    #[must_use]
    pub fn schema(&self) -> Value {
        match &self.written {
            Value::String(pointer) => {
                json!({ "$ref": format!("#{}", pointer.trim_start_matches('#')) })
            }
            inline => inline.clone(),
        }
    }
}

impl PartialEq for SchemaPin {
    fn eq(&self, other: &SchemaPin) -> bool {
        self.written == other.written
    }
}

impl fmt::Display for SchemaPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.written {
            Value::String(pointer) => f.write_str(pointer),
            _ => f.write_str("the schema of the case"),
        }
    }
}

impl<'de> Deserialize<'de> for SchemaPin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SchemaPin, D::Error> {
        let written = Value::deserialize(deserializer)?;
        let is_pointer = |text: &str| text.trim_start_matches('#').starts_with('/');
        match &written {
            Value::String(text) if is_pointer(text) => {}
            Value::Object(_) | Value::Bool(_) => {}
            other => {
                return Err(de::Error::custom(format!(
                    "`schema` is {other}: expected a pointer such as #/components/schemas/NAME, or a schema"
                )));
            }
        }
        Ok(SchemaPin { written, validator: None })
    }
}

impl JsonSchema for SchemaPin {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SchemaPin".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a pointer into the OpenAPI document, or a JSON Schema 2020-12, which may refer to that document",
            "anyOf": [
                { "type": "string", "pattern": "^#?/" },
                { "type": "object" },
                { "type": "boolean" }
            ]
        })
    }
}
