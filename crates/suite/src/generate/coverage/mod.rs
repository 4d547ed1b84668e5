//! Coverage: the classes of value that the request schema tells apart, and which of them a request holds.
//!
//! Derived from the schema's keywords and the interpretations' figures, never from the mutations: a value is sorted by
//! looking at it, so that a mutation which lacks shows as a cell that nothing covered. It must not know answers.

mod sort;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Core;
use super::mutation::spot::{self, Spot};
use crate::contract::validity::{ValueKind, escape};
use sort::Sort;

/// A class of value at a place of the request, which a keyword of its schema tells apart from others.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Cell {
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
pub enum Position {
    /// The first of several.
    First,
    /// Neither first nor last.
    Middle,
    /// The last of several.
    Last,
    /// The only one.
    Only,
}

impl Position {
    /// All positions.
    pub const ALL: [Position; 4] =
        [Position::First, Position::Middle, Position::Last, Position::Only];

    /// Of the item at `index` among `count`.
    #[must_use]
    pub fn of(index: usize, count: usize) -> Position {
        match (index, count) {
            (_, 1) => Position::Only,
            (0, _) => Position::First,
            (at, count) if at + 1 == count => Position::Last,
            _ => Position::Middle,
        }
    }

    /// For people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Position::First => "first",
            Position::Middle => "middle",
            Position::Last => "last",
            Position::Only => "only",
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

/// All cells of a contract.
pub struct Cells {
    list: Vec<Cell>,
    places: Vec<Place>,
    /// The request property that holds the items.
    items: String,
    /// Where the cells of the envelope begin: no JSON, its types, the array's types, missing, a further property.
    envelope: usize,
    /// Where the sizes of batches begin, and how many of them this target takes.
    sizes: (usize, usize),
}

/// A place of an item, with what tells values there apart.
struct Place {
    /// The steps that lead there.
    steps: Vec<String>,
    /// The cell of an item that lacks it.
    missing: Option<usize>,
    /// Each with the first of its cells.
    sorts: Vec<(Sort, usize)>,
}

impl Cells {
    /// The cells of a contract and a profile; what the profile omits has none.
    pub(super) fn of(core: &Core, largest: usize) -> Cells {
        let items = core.contract.batch.items.clone();
        let mut cells =
            Cells { list: Vec::new(), places: Vec::new(), items, envelope: 0, sizes: (0, 0) };
        cells.add_envelope(largest);
        cells.add_item(core);
        for spot in spot::gather(core) {
            cells.add_place(core, &spot);
        }
        cells
    }

    /// The cells, in the order of their numbers.
    #[must_use]
    pub fn list(&self) -> &[Cell] {
        &self.list
    }

    /// Calls `seen` with the number of each cell that `item` holds.
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

    /// Calls `seen` with the number of each cell of the envelope that a batch of `count` items holds.
    pub fn in_batch(&self, count: usize, mut seen: impl FnMut(usize)) {
        seen(self.envelope + 1 + 5);
        seen(self.envelope + 7 + 4);
        let class = SIZES.iter().rposition(|(least, _)| count >= *least).unwrap_or(0);
        if class < self.sizes.1 {
            seen(self.sizes.0 + class);
        }
    }

    /// Calls `seen` with the number of each cell of the envelope that `body` holds, where it is no batch.
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

    /// The number of the cell of a property beside the items, where the `body` of a batch has one.
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
        self.list.push(Cell {
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
    fn add_item(&mut self, core: &Core) {
        let names = core.contract.fields().iter().map(|f| f.name.clone()).collect();
        self.add("", Vec::new(), None, vec![Sort::Type { whole: false }, Sort::Further(names)]);
    }

    fn add_place(&mut self, core: &Core, spot: &Spot) {
        let demanded = spot.top && core.plan.fields.iter().any(|p| p.name == spot.name && p.always);
        let missing = match (spot.required, demanded) {
            (true, _) if spot.element => None,
            (true, _) => Some("required"),
            (false, true) => None,
            (false, false) => Some("properties"),
        };
        let steps = spot.pointer.split('/').skip(1);
        let steps = steps.map(|s| s.replace("~1", "/").replace("~0", "~")).collect();
        self.add(&spot.pointer, steps, missing, sort::sorts(&core.contract, spot));
    }

    fn add(&mut self, pointer: &str, steps: Vec<String>, missing: Option<&str>, sorts: Vec<Sort>) {
        let missing = missing.map(|keyword| self.push(false, pointer, keyword, "missing".into()));
        let mut placed = Vec::with_capacity(sorts.len());
        for sort in sorts {
            let first = self.list.len();
            for (keyword, class) in sort.classes() {
                self.push(false, pointer, &keyword, class);
            }
            placed.push((sort, first));
        }
        self.places.push(Place { steps, missing, sorts: placed });
    }
}

fn sorted(place: &Place, value: &Value, seen: &mut impl FnMut(usize)) {
    for (sort, first) in &place.sorts {
        sort.see(value, |at| seen(first + at));
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
