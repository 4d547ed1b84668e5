//! What a case expects, in the domain's words: `accepted`, `{ refused: O001 }`, `exactly-one`.

mod predicate;
mod read;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::amount::Span;
use super::named::Named;
use super::time::Time;

pub use predicate::{Pattern, Predicates, SchemaPin};

/// What an answer must be.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The rule it is judged under, instead of the case's.
    pub asserts: Option<Named>,
    /// The statuses that fit.
    pub status: Option<StatusPin>,
    /// What the results must be.
    pub results: Option<Results>,
    /// How many results.
    pub count: Option<Span>,
    /// The longest time until all of the answer is there.
    pub within: Option<Time>,
    /// What the whole body must fit.
    pub schema: Option<SchemaPin>,
    /// Headers.
    pub headers: BTreeMap<String, HeaderPin>,
    /// Values at JSON pointers of the body.
    pub body: BTreeMap<String, BodyPin>,
    /// All broken items are refused, in either refusal mode; with this code where it is given.
    pub refused: Option<Option<String>>,
    /// Nothing was processed: no 2xx, unless all items are rejected.
    pub not_processed: bool,
    /// Any answer but a 5xx, a dropped connection or a hang.
    pub answered: bool,
}

/// Statuses that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusPin(pub Vec<(u16, u16)>);

impl StatusPin {
    /// Whether `status` fits.
    #[must_use]
    pub fn fits(&self, status: u16) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&status))
    }
}

impl fmt::Display for StatusPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self
            .0
            .iter()
            .map(
                |(low, high)| {
                    if low == high { low.to_string() } else { format!("{}xx", low / 100) }
                },
            )
            .collect();
        f.write_str(&words.join(" or "))
    }
}

/// The verdict on one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted.
    Accepted,
    /// Rejected, with this code where it is given.
    Rejected(Option<String>),
    /// Either.
    Any,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Accepted => f.write_str("accepted"),
            Outcome::Rejected(None) => f.write_str("rejected"),
            Outcome::Rejected(Some(code)) => write!(f, "rejected: {code}"),
            Outcome::Any => f.write_str("any"),
        }
    }
}

/// What the results of an answer must be; of a simultaneous group, over all its answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Results {
    /// Every item the same.
    All(Outcome),
    /// Item by item.
    Each(Vec<Outcome>),
    /// Exactly one like this, the others like that.
    ExactlyOne {
        /// The one.
        one: Outcome,
        /// The others.
        others: Outcome,
    },
}

/// What a header must be.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderPin {
    /// Present, whatever its value.
    Present,
    /// Absent.
    Absent,
    /// It satisfies these; letter case does not matter to what it contains.
    Holds(Box<Predicates>),
}

/// What stands at a JSON pointer.
#[derive(Debug, Clone, PartialEq)]
pub enum BodyPin {
    /// Anything.
    Present,
    /// Nothing.
    Absent,
    /// This value; `${…}` reaches captures.
    Equals(Value),
    /// It satisfies these.
    Holds(Box<Predicates>),
}

impl HeaderPin {
    /// The values in which `${…}` may stand.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        let held = if let HeaderPin::Holds(held) = self { Some(held) } else { None };
        held.into_iter().flat_map(|held| held.values())
    }

    /// The same, to fill them in.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        let held = if let HeaderPin::Holds(held) = self { Some(held) } else { None };
        held.into_iter().flat_map(|held| held.values_mut())
    }
}

impl BodyPin {
    /// The values in which `${…}` may stand.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        let (alone, held) = match self {
            BodyPin::Equals(value) => (Some(value), None),
            BodyPin::Holds(held) => (None, Some(held)),
            BodyPin::Present | BodyPin::Absent => (None, None),
        };
        alone.into_iter().chain(held.into_iter().flat_map(|held| held.values()))
    }

    /// The same, to fill them in.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        let (alone, held) = match self {
            BodyPin::Equals(value) => (Some(value), None),
            BodyPin::Holds(held) => (None, Some(held)),
            BodyPin::Present | BodyPin::Absent => (None, None),
        };
        alone.into_iter().chain(held.into_iter().flat_map(|held| held.values_mut()))
    }
}

impl Expect {
    /// The values in which `${…}` may stand, to fill them in.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        let headers = self.headers.values_mut().flat_map(HeaderPin::values_mut);
        self.body.values_mut().flat_map(BodyPin::values_mut).chain(headers)
    }

    /// The schemas that parts of the answer must fit.
    pub fn schemas_mut(&mut self) -> impl Iterator<Item = &mut SchemaPin> {
        let pins = self.body.values_mut().filter_map(|pin| match pin {
            BodyPin::Holds(held) => held.schema.as_mut(),
            _ => None,
        });
        self.schema.iter_mut().chain(pins)
    }
}
