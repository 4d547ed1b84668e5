//! Coverage: the classes of value that the request schema tells apart, and which of them a request holds.
//!
//! Derived from the schema's keywords and the interpretations' figures, never from the mutations: a value is sorted by
//! looking at it, so that a mutation which lacks shows as a point that nothing covered. It must not know answers.

mod partition;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::GeneratorCore;
use super::mutation::site::{self, SchemaSite};
use crate::contract::validity::{ValueKind, escape};
use partition::Partition;

/// A class of value at a place of the request, which a keyword of its schema tells apart from others.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct CoveragePoint {
    /// Whether it is about the request as a whole; else about an item, wherever that stands in its batch.
    pub envelope: bool,
    /// JSON pointer inside the item, or inside the body.
    pub pointer: String,
    /// The keyword.
    pub keyword: String,
    /// The class of value.
    pub class: String,
}

/// Where an item stands in its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemPosition {
    /// The first of several.
    First,
    /// Neither first nor last.
    Middle,
    /// The last of several.
    Last,
    /// The only one.
    Only,
}

impl ItemPosition {
    /// All positions.
    pub const ALL: [ItemPosition; 4] =
        [ItemPosition::First, ItemPosition::Middle, ItemPosition::Last, ItemPosition::Only];

    /// Of the item at `index` among `count`.
    #[must_use]
    pub fn of(index: usize, count: usize) -> ItemPosition {
        match (index, count) {
            (_, 1) => ItemPosition::Only,
            (0, _) => ItemPosition::First,
            (at, count) if at + 1 == count => ItemPosition::Last,
            _ => ItemPosition::Middle,
        }
    }

    /// For people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            ItemPosition::First => "first",
            ItemPosition::Middle => "middle",
            ItemPosition::Last => "last",
            ItemPosition::Only => "only",
        }
    }
}

/// JSON types, as JSON Schema names them.
const TYPES: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];
/// Sizes of batches: the smallest of each class, with its name.
const SIZES: [(usize, &str); 6] = [
    (0, "no items"),
    (1, "one item"),
    (2, "2 to 9 items"),
    (10, "10 to 99 items"),
    (100, "100 to 999 items"),
    (1_000, "1,000 items or more"),
];

/// All points of a contract.
pub struct CoverageMap {
    list: Vec<CoveragePoint>,
    places: Vec<CoverageSite>,
    /// The request property that holds the items.
    items: String,
    /// Where the points of the envelope begin: no JSON, its types, the array's types, missing, a further property.
    envelope: usize,
    /// Where the sizes of batches begin, and how many of them this target takes.
    sizes: (usize, usize),
}

/// A place of an item, with what tells values there apart.
struct CoverageSite {
    /// The steps that lead there.
    steps: Vec<String>,
    /// The point of an item that lacks it.
    missing: Option<usize>,
    /// Each with the first of its points.
    partitions: Vec<(Partition, usize)>,
}

impl CoverageMap {
    /// The points of a contract and a profile; what the profile omits has none.
    pub(super) fn of(core: &GeneratorCore, largest: usize) -> CoverageMap {
        let items = core.contract.batch.items.clone();
        let mut points =
            CoverageMap { list: Vec::new(), places: Vec::new(), items, envelope: 0, sizes: (0, 0) };
        points.add_envelope(largest);
        points.add_item(core);
        for site in site::gather(core) {
            points.add_place(core, &site);
        }
        points
    }

    /// The points, in the order of their numbers.
    #[must_use]
    pub fn list(&self) -> &[CoveragePoint] {
        &self.list
    }

    /// Calls `seen` with the number of each point that `item` holds.
    pub fn in_item(&self, item: &Value, mut seen: impl FnMut(usize)) {
        for place in &self.places {
            let Some((last, before)) = place.steps.split_last() else {
                sorted(place, item, &mut seen);
                continue;
            };
            let parent = before.iter().try_fold(item, |value, step| child(value, step));
            match parent.map(|p| (p, child(p, last))) {
                Some((_, Some(value))) => sorted(place, value, &mut seen),
                Some((Value::Object(_), None)) => place.missing.into_iter().for_each(&mut seen),
                _ => {}
            }
        }
    }

    /// Calls `seen` with the number of each point of the envelope that a batch of `count` items holds.
    pub fn in_batch(&self, count: usize, mut seen: impl FnMut(usize)) {
        seen(self.envelope + 1 + 5);
        seen(self.envelope + 7 + 4);
        let class = SIZES.iter().rposition(|(least, _)| count >= *least).unwrap_or(0);
        if class < self.sizes.1 {
            seen(self.sizes.0 + class);
        }
    }

    /// Calls `seen` with the number of each point of the envelope that `body` holds, where it is no batch.
    pub fn in_body(&self, body: &[u8], mut seen: impl FnMut(usize)) {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return seen(self.envelope);
        };
        seen(self.envelope + 1 + type_at(&value));
        let Value::Object(map) = &value else { return };
        match map.get(&self.items) {
            Some(items) => seen(self.envelope + 7 + type_at(items)),
            None => seen(self.envelope + 13),
        }
        if map.keys().any(|k| *k != self.items) {
            seen(self.envelope + 14);
        }
    }

    /// The number of the point of a property beside the items, where the `body` of a batch has one.
    #[must_use]
    pub fn beside_items(&self, body: &[u8]) -> Option<usize> {
        // Nearly all batches are written with nothing beside their items: those are not read again.
        let opening = format!("{{{}:[", Value::from(self.items.as_str()));
        if body.starts_with(opening.as_bytes()) && body.ends_with(b"]}") {
            return None;
        }
        let map: serde_json::Map<String, Value> = serde_json::from_slice(body).ok()?;
        map.keys().any(|k| *k != self.items).then_some(self.envelope + 14)
    }

    fn push(&mut self, envelope: bool, pointer: &str, keyword: &str, class: String) -> usize {
        self.list.push(CoveragePoint {
            envelope,
            pointer: pointer.to_owned(),
            keyword: keyword.to_owned(),
            class,
        });
        self.list.len() - 1
    }

    fn add_envelope(&mut self, largest: usize) {
        let pointer = format!("/{}", escape(&self.items));
        self.envelope = self.push(true, "", "json", "no JSON".to_owned());
        for kind in TYPES {
            self.push(true, "", "type", kind.to_owned());
        }
        for kind in TYPES {
            self.push(true, &pointer, "type", kind.to_owned());
        }
        self.push(true, &pointer, "required", "missing".to_owned());
        self.push(true, "", "additionalProperties", "a further property".to_owned());
        let sizes: Vec<&str> =
            SIZES.iter().filter(|(least, _)| *least <= largest).map(|(_, name)| *name).collect();
        self.sizes = (self.list.len(), sizes.len());
        for name in sizes {
            self.push(true, &pointer, "items", name.to_owned());
        }
    }

    /// The item itself.
    fn add_item(&mut self, core: &GeneratorCore) {
        let names = core.contract.fields().iter().map(|f| f.name.clone()).collect();
        self.add(
            "",
            Vec::new(),
            None,
            vec![Partition::Type { whole: false }, Partition::Further(names)],
        );
    }

    fn add_place(&mut self, core: &GeneratorCore, site: &SchemaSite) {
        let demanded = site.top && core.plan.fields.iter().any(|p| p.name == site.name && p.always);
        let missing = match (site.required, demanded) {
            (true, _) if site.element => None,
            (true, _) => Some("required"),
            (false, true) => None,
            (false, false) => Some("properties"),
        };
        let steps = site.pointer.split('/').skip(1);
        let steps = steps.map(|s| s.replace("~1", "/").replace("~0", "~")).collect();
        self.add(&site.pointer, steps, missing, partition::partitions(&core.contract, site));
    }

    fn add(
        &mut self,
        pointer: &str,
        steps: Vec<String>,
        missing: Option<&str>,
        partitions: Vec<Partition>,
    ) {
        let missing = missing.map(|keyword| self.push(false, pointer, keyword, "missing".into()));
        let mut placed = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let first = self.list.len();
            for (keyword, class) in partition.classes() {
                self.push(false, pointer, &keyword, class);
            }
            placed.push((partition, first));
        }
        self.places.push(CoverageSite { steps, missing, partitions: placed });
    }
}

fn sorted(place: &CoverageSite, value: &Value, seen: &mut impl FnMut(usize)) {
    for (partition, first) in &place.partitions {
        partition.see(value, |at| seen(first + at));
    }
}

fn child<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) => map.get(step),
        Value::Array(list) => list.get(step.parse::<usize>().ok()?),
        _ => None,
    }
}

fn type_at(value: &Value) -> usize {
    TYPES.iter().position(|t| *t == ValueKind::of(value).name()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
