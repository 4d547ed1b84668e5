//! Values that are guessed from the words of a schema, for what no plan can be made of: the validator says which are right.
//!
//! It must not know how keywords work, only which values and names a schema speaks of.

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::contract::SchemaDocument;
use crate::generate::random::Random;

/// Guesses that are tried.
const GUESSES: usize = 4000;
/// Valid values that are enough.
const ENOUGH: usize = 64;
/// Schemas that are looked through.
const SCHEMAS: usize = 400;

/// What a schema speaks of.
#[derive(Default)]
struct Words {
    values: Vec<Value>,
    names: Vec<String>,
    lengths: Vec<usize>,
}

/// Guesses that a validator accepts, the simplest first; none where it accepts none.
pub(super) fn valid(document: &SchemaDocument, schema: &Value, judge: &Validator) -> Vec<Value> {
    let mut words = Words::default();
    let mut left = SCHEMAS;
    words.gather(document, schema, &mut Vec::new(), &mut left);
    words.values.truncate(60);
    words.names.truncate(24);
    let mut found: Vec<Value> = Vec::new();
    let mut try_one = |value: Value| {
        if !found.contains(&value) && judge.is_valid(&value) {
            found.push(value);
        }
        found.len() >= ENOUGH
    };
    let scalars = words.scalars();
    for value in words.simple(&scalars) {
        if try_one(value) {
            return found;
        }
    }
    let mut random = Random::new(7);
    for _ in 0..GUESSES {
        if try_one(words.random(&scalars, &mut random, 3)) {
            break;
        }
    }
    found
}

impl Words {
    fn gather<'a>(
        &mut self,
        document: &'a SchemaDocument,
        schema: &'a Value,
        seen: &mut Vec<&'a str>,
        left: &mut usize,
    ) {
        if *left == 0 {
            return;
        }
        *left -= 1;
        let Value::Object(map) = schema else { return };
        for (keyword, value) in map {
            match (keyword.as_str(), value) {
                ("$ref" | "$dynamicRef", Value::String(reference))
                    if !seen.contains(&reference.as_str()) =>
                {
                    seen.push(reference);
                    if let Some(target) = document.target(reference) {
                        self.gather(document, target, seen, left);
                    }
                }
                ("const" | "default" | "example", value) => self.value(value),
                ("enum" | "examples", Value::Array(list)) => {
                    for value in list {
                        self.value(value);
                    }
                }
                ("required", Value::Array(list)) => {
                    list.iter().filter_map(Value::as_str).for_each(|name| self.name(name));
                }
                (
                    "properties" | "dependentSchemas" | "dependentRequired" | "patternProperties"
                    | "$defs",
                    Value::Object(named),
                ) => {
                    for (name, inside) in named {
                        if keyword != "patternProperties" && keyword != "$defs" {
                            self.name(name);
                        }
                        if let Value::Array(list) = inside {
                            list.iter().filter_map(Value::as_str).for_each(|name| self.name(name));
                        }
                        if keyword != "$defs" {
                            self.gather(document, inside, seen, left);
                        }
                    }
                }
                (_, Value::Number(number)) => self.number(number),
                (_, Value::Array(list)) => {
                    for inside in list {
                        self.gather(document, inside, seen, left);
                    }
                }
                (_, inside) => self.gather(document, inside, seen, left),
            }
        }
    }

    fn value(&mut self, value: &Value) {
        if !self.values.contains(value) {
            self.values.push(value.clone());
        }
        if let Value::Object(map) = value {
            map.keys().for_each(|name| self.name(name));
        }
    }

    fn name(&mut self, name: &str) {
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }

    /// A bound, or a count.
    fn number(&mut self, number: &serde_json::Number) {
        self.value(&Value::Number(number.clone()));
        if let Some(whole) = number.as_i64() {
            self.value(&json!(whole.saturating_add(1)));
            self.value(&json!(whole.saturating_sub(1)));
        } else if let Some(float) = number.as_f64() {
            self.value(&json!(float * 2.0));
            self.value(&json!(float + 1.0));
        }
        if let Some(length) =
            number.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= 300)
        {
            self.lengths.push(length);
        }
    }

    fn scalars(&self) -> Vec<Value> {
        let mut all = self.values.clone();
        all.extend([
            json!("x"),
            json!(1),
            json!(0),
            json!(true),
            json!(false),
            Value::Null,
            json!(-1),
            json!(2),
            json!(12.5),
            json!(100),
            json!(""),
            json!("foo"),
            json!("batchproof"),
            json!("ABC"),
            json!("123"),
            json!("a long text of several words"),
            json!("https://example.com/x"),
        ]);
        for length in &self.lengths {
            all.push(Value::String("x".repeat(*length)));
        }
        all
    }

    /// Scalars, and arrays and objects of them.
    fn simple(&self, scalars: &[Value]) -> Vec<Value> {
        let mut all: Vec<Value> = scalars.to_vec();
        all.extend([json!([]), json!({})]);
        all.extend(scalars.iter().map(|one| json!([one])));
        for name in &self.names {
            for value in scalars.iter().take(24) {
                all.push(Value::Object(Map::from_iter([(name.clone(), value.clone())])));
            }
        }
        for value in scalars.iter().take(24) {
            all.push(Value::Object(
                self.names.iter().map(|name| (name.clone(), value.clone())).collect(),
            ));
        }
        for (at, one) in scalars.iter().take(12).enumerate() {
            all.extend(scalars.iter().take(12).skip(at).map(|other| json!([one, other])));
        }
        for length in self.lengths.iter().filter(|n| **n <= 40) {
            all.push(Value::Array((0..*length).map(Value::from).collect()));
            all.push(Value::Object((0..*length).map(|n| (format!("k{n}"), json!(n))).collect()));
        }
        all
    }

    fn random(&self, scalars: &[Value], random: &mut Random, depth: usize) -> Value {
        let scalar = |random: &mut Random| random.pick(scalars).cloned().unwrap_or(Value::Null);
        match random.below(if depth == 0 { 1 } else { 4 }) {
            0 => scalar(random),
            1 => Value::Array(
                (0..random.below(5)).map(|_| self.random(scalars, random, depth - 1)).collect(),
            ),
            _ => {
                let mut object = Map::new();
                for _ in 0..random.below(4) {
                    let name = match random.pick(&self.names) {
                        Some(name) if random.chance(7, 8) => name.clone(),
                        _ => format!("k{}", random.below(3)),
                    };
                    object.insert(name, self.random(scalars, random, depth - 1));
                }
                Value::Object(object)
            }
        }
    }
}
