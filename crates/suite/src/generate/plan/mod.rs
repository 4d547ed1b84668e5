//! Plans: what a schema allows, compiled once into something that draws values fast.
//!
//! A plan knows schemas and interpretations; it must not know items, batches, profiles or mutations.

mod compile;
mod guess;
pub(in crate::generate) mod instants;
pub(in crate::generate) mod numbers;
mod open;
pub(in crate::generate) mod pattern;
pub(in crate::generate) mod texts;

use std::sync::Arc;

use jsonschema::Validator;
use serde_json::{Map, Value};

pub(in crate::generate) use compile::{Compiler, cannot};
use numbers::NumberRange;
use open::OpenPlan;
use pattern::Pattern;
use texts::Lengths;

use super::random::Random;
use super::value_writer::ValueWriter;

/// How often a draw is repeated where the validator has the last word.
const TRIES: usize = 200;

/// How to draw one value.
#[derive(Debug, Clone)]
pub(in crate::generate) struct ValuePlan {
    /// What is drawn.
    pub kind: PlanKind,
    /// Set where what is drawn may still break the schema.
    pub held: Option<Arc<Validator>>,
}

/// The kinds of values.
#[derive(Debug, Clone)]
pub(in crate::generate) enum PlanKind {
    /// One of these.
    Choice(Vec<Value>),
    /// True or false.
    Boolean,
    /// A number.
    Numbers(NumberRange),
    /// A string of no further form.
    Text(Lengths),
    /// A date-time with at most this number of fractional digits.
    Instant(usize),
    /// A string of a format.
    Format(String),
    /// A string that matches; with it, whether it can't but be plain.
    Pattern(Pattern, bool),
    /// An array.
    List(Box<ListPlan>),
    /// An object.
    Object(Vec<PropertyPlan>),
    /// An object with more than named properties, or with ties between them.
    Open(Box<OpenPlan>),
    /// One of several schemas.
    Either(Vec<ValuePlan>),
}

/// An array.
#[derive(Debug, Clone)]
pub(in crate::generate) struct ListPlan {
    /// The first elements, each with a plan of its own.
    pub first: Vec<ValuePlan>,
    /// All others; none where none may follow.
    pub rest: Option<ValuePlan>,
    /// Elements that one of them at least must be, each.
    pub needed: Vec<ValuePlan>,
    /// Fewest elements.
    pub min: usize,
    /// Most elements.
    pub max: usize,
    /// Whether no two may be equal.
    pub distinct: bool,
}

/// A property of an object.
#[derive(Debug, Clone)]
pub(in crate::generate) struct PropertyPlan {
    /// Its name.
    pub name: String,
    /// Whether it is always there.
    pub required: bool,
    /// Its values.
    pub plan: ValuePlan,
}

impl ValuePlan {
    /// A plan whose draws all satisfy the schema.
    pub fn exact(kind: PlanKind) -> ValuePlan {
        ValuePlan { kind, held: None }
    }

    /// Draws a value; `edges` puts weight on bounds.
    pub fn draw(&self, random: &mut Random, edges: bool) -> Value {
        let mut value = Value::Null;
        self.draw_into(random, edges, &mut value);
        value
    }

    /// Draws a value into a writer: the same draws, whatever the writer makes of them.
    pub fn draw_into(&self, random: &mut Random, edges: bool, writer: &mut impl ValueWriter) {
        let Some(validator) = &self.held else { return self.draw_once(random, edges, writer) };
        for _ in 0..TRIES {
            let mut value = Value::Null;
            self.draw_once(random, edges, &mut value);
            if validator.is_valid(&value) {
                return writer.value(value);
            }
        }
        writer.value(self.simplest());
    }

    fn draw_once(&self, random: &mut Random, edges: bool, writer: &mut impl ValueWriter) {
        match &self.kind {
            PlanKind::Choice(values) => writer.choice(random.pick(values).unwrap_or(&Value::Null)),
            PlanKind::Boolean => writer.value(Value::Bool(random.chance(1, 2))),
            PlanKind::Numbers(numbers) if edges => writer.number(numbers.boundary(random)),
            PlanKind::Numbers(numbers) => writer.number(numbers.plain(random)),
            PlanKind::Text(lengths) if edges => {
                writer.text(true, |out| lengths.boundary(random, out));
            }
            PlanKind::Text(lengths) => writer.text(true, |out| lengths.word(random, out)),
            PlanKind::Instant(digits) if edges => {
                writer.text(true, |out| instants::boundary(random, *digits, out));
            }
            PlanKind::Instant(digits) => {
                writer.text(true, |out| instants::plain(random, *digits, out));
            }
            PlanKind::Format(format) => {
                let text = texts::of_format(format, random).unwrap_or_default();
                writer.value(Value::String(text));
            }
            PlanKind::Pattern(pattern, plain) => {
                writer.text(*plain, |out| pattern.push(random, out));
            }
            PlanKind::List(list) => writer.value(Value::Array(list.draw(random, edges))),
            PlanKind::Object(properties) => {
                let mut object = Map::new();
                for property in properties {
                    if property.required || random.chance(1, 2) {
                        object.insert(property.name.clone(), property.plan.draw(random, edges));
                    }
                }
                writer.value(Value::Object(object));
            }
            PlanKind::Open(open) => writer.value(Value::Object(open.draw(random, edges))),
            PlanKind::Either(plans) => match random.pick(plans) {
                Some(plan) => writer.value(plan.draw(random, edges)),
                None => writer.value(Value::Null),
            },
        }
    }

    /// The simplest value.
    pub fn simplest(&self) -> Value {
        self.build(false)
    }

    /// A simple value with every property, and an element in every array.
    pub fn full(&self) -> Value {
        self.build(true)
    }

    fn build(&self, full: bool) -> Value {
        let fits = |value: &Value| self.held.as_ref().is_none_or(|v| v.is_valid(value));
        let value = match &self.kind {
            PlanKind::Choice(values) => values.first().cloned().unwrap_or(Value::Null),
            PlanKind::Boolean => Value::Bool(false),
            PlanKind::Numbers(numbers) => numbers.simplest(),
            PlanKind::Text(lengths) => Value::String(lengths.simplest()),
            PlanKind::Instant(_) => Value::String(instants::SIMPLEST.to_owned()),
            PlanKind::Format(format) => {
                Value::String(texts::of_format(format, &mut Random::new(0)).unwrap_or_default())
            }
            PlanKind::Pattern(pattern, _) => {
                let mut text = String::new();
                pattern.simplest(&mut text);
                Value::String(text)
            }
            PlanKind::List(list) => Value::Array(list.build(full)),
            PlanKind::Object(properties) => Value::Object(
                properties
                    .iter()
                    .filter(|p| p.required || full)
                    .map(|p| (p.name.clone(), p.plan.build(full)))
                    .collect(),
            ),
            PlanKind::Open(open) => Value::Object(open.build(full)),
            PlanKind::Either(plans) => {
                plans.iter().map(|p| p.build(full)).find(fits).unwrap_or(Value::Null)
            }
        };
        if fits(&value) {
            return value;
        }
        // What is simplest here may break what the validator holds: then the first draw that does not.
        let mut random = Random::new(0);
        let mut drawn = (0..TRIES).map(|_| {
            let mut value = Value::Null;
            self.draw_once(&mut random, false, &mut value);
            value
        });
        drawn.find(fits).unwrap_or(value)
    }
}

impl From<Pattern> for PlanKind {
    fn from(pattern: Pattern) -> PlanKind {
        let plain = pattern.is_plain();
        PlanKind::Pattern(pattern, plain)
    }
}

/// Appends bytes that are ASCII: to collect them first is faster than to push one by one.
fn push_ascii(bytes: &[u8], out: &mut String) {
    out.push_str(std::str::from_utf8(bytes).unwrap_or_default());
}

impl ListPlan {
    fn draw(&self, random: &mut Random, edges: bool) -> Vec<Value> {
        let most = self.max.min(self.min.max(3));
        let length = match random.below(4) {
            0 if edges => self.min,
            1 if edges => self.max.min(self.min + 32),
            _ => random.between(self.min, most),
        };
        let mut out: Vec<Value> = Vec::with_capacity(length);
        for at in 0..length {
            let Some(plan) = self.first.get(at).or(self.rest.as_ref()) else { break };
            let mut value = plan.draw(random, edges);
            if self.distinct {
                let mut tries = 0;
                while out.contains(&value) && tries < TRIES {
                    value = plan.draw(random, edges);
                    tries += 1;
                }
                if out.contains(&value) && at >= self.min {
                    break;
                }
            }
            out.push(value);
        }
        self.with_needed(out, |plan| plan.draw(random, edges))
    }

    /// With what must be among them, at the end.
    fn with_needed(
        &self,
        mut out: Vec<Value>,
        mut draw: impl FnMut(&ValuePlan) -> Value,
    ) -> Vec<Value> {
        for plan in &self.needed {
            let mut value = draw(plan);
            let mut tries = 0;
            while self.distinct && out.contains(&value) && tries < TRIES {
                value = draw(plan);
                tries += 1;
            }
            out.push(value);
        }
        let surplus = out.len().saturating_sub(self.max.max(self.needed.len()));
        out.drain(..surplus);
        out
    }

    fn build(&self, full: bool) -> Vec<Value> {
        let length = if full { self.min.max(1).min(self.max) } else { self.min };
        let mut random = Random::new(0);
        let plan = |at: usize| self.first.get(at).or(self.rest.as_ref());
        let mut out: Vec<Value> =
            (0..length).filter_map(|at| Some(plan(at)?.build(full))).collect();
        let repeats = |out: &[Value]| (1..out.len()).any(|i| out[..i].contains(&out[i]));
        if !self.needed.is_empty() {
            out = self.with_needed(out, |plan| plan.build(full));
        }
        if self.distinct && repeats(&out) {
            out = self.draw(&mut random, false);
            out.truncate(length.max(self.min));
        }
        out
    }
}
