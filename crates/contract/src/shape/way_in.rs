//! The way in: from a status and a body on the wire to one result for each item, in request order, each with the pointer
//! where it really stands.
//!
//! It must not judge: what does not match is returned as a mismatch.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value};

use super::{Matching, ResultMark, ResultPlace, Says, Shape, name};
use crate::batch::code_text;

/// An answer as everything else reads it.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The body, its results in one list.
    pub body: Value,
    /// Where each result of that list stands.
    pub placed: Vec<Placed>,
    /// The first result that fits no item, or the first item without a result.
    pub mismatch: Option<Mismatch>,
}

/// Where a result really stands.
#[derive(Debug, Clone, Default)]
pub struct Placed {
    /// Pointer to it; that of the array where there is none, because silence says enough.
    pub at: String,
    /// What of it shows the verdict, as a pointer from there.
    pub verdict: String,
    /// In which of the places; nothing for silence.
    pub(super) place: Option<usize>,
    /// Its position, where it stands in arrays side by side.
    zipped: Option<usize>,
}

/// A result and an item that do not match.
#[derive(Debug, Clone)]
pub enum Mismatch {
    /// An item has no result.
    Missing {
        /// Its position.
        item: usize,
        /// What its result would have been matched by.
        by: String,
    },
    /// A result is of no item.
    Unknown {
        /// Where it stands.
        at: String,
        /// What it is matched by; nothing where it has none.
        by: Option<String>,
    },
}

/// A result as it stands on the wire.
struct WireResult<'a> {
    value: Cow<'a, Value>,
    at: String,
    /// In a map.
    key: Option<&'a str>,
    zipped: Option<usize>,
    says: Option<Says>,
    place: usize,
}

impl ResultPlace {
    /// The results in this place; nothing where it is not what it must be.
    fn entries<'a>(
        &self,
        body: &'a Value,
        nth: usize,
        items: usize,
    ) -> Option<Vec<WireResult<'a>>> {
        let entry = |value: Cow<'a, Value>, at: String, key: Option<&'a str>| WireResult {
            value,
            at,
            key,
            zipped: None,
            says: self.says,
            place: nth,
        };
        if !self.zip.is_empty() {
            return self.zipped(body, items).map(|results| {
                let results = results.into_iter().enumerate();
                let zipped = results.map(|(index, value)| WireResult {
                    zipped: Some(index),
                    ..entry(Cow::Owned(value), self.unzipped(index, ""), None)
                });
                zipped.collect()
            });
        }
        match self.at.find(body)? {
            (Value::Array(list), at) if !self.keyed => {
                let list = list.iter().enumerate();
                let list =
                    list.map(|(i, value)| entry(Cow::Borrowed(value), format!("{at}/{i}"), None));
                Some(list.collect())
            }
            (Value::Object(map), at) if self.keyed => {
                let list = map.iter().map(|(key, value)| {
                    let at = format!("{at}/{}", crate::validity::escape(key));
                    entry(Cow::Borrowed(value), at, Some(key))
                });
                Some(list.collect())
            }
            _ => None,
        }
    }

    /// The results of arrays side by side: as many as the first of them that has not one for each item.
    fn zipped(&self, body: &Value, items: usize) -> Option<Vec<Value>> {
        let arrays = self.zip.iter().map(|(at, name)| Some((name, at.get(body)?.as_array()?)));
        let arrays: Vec<(&String, &Vec<Value>)> = arrays.collect::<Option<_>>()?;
        let lengths = arrays.iter().map(|(_, list)| list.len());
        let count = lengths.into_iter().find(|length| *length != items).unwrap_or(items);
        let result = |index: usize| {
            let members = arrays.iter().filter_map(|(name, list)| {
                let value = list.get(index).filter(|value| !value.is_null())?;
                Some(((*name).clone(), value.clone()))
            });
            Value::Object(members.collect())
        };
        Some((0..count).map(result).collect())
    }

    /// Where a part of a result stands that arrays side by side come to.
    fn unzipped(&self, index: usize, rest: &str) -> String {
        let name = rest.split('/').nth(1).unwrap_or_default();
        let is_named = |known: &str| crate::validity::escape(known) == name;
        let found = self.zip.iter().find(|(_, known)| is_named(known)).or(self.zip.first());
        let Some((at, _)) = found else { return rest.to_owned() };
        let inside = rest.splitn(3, '/').nth(2).map(|inside| format!("/{inside}"));
        format!("{at}/{index}{}", inside.unwrap_or_default())
    }
}

impl Shape {
    /// Reads an answer to a request with these items.
    #[must_use]
    pub fn read(&self, status: u16, body: &Value, items: &[&Value]) -> Reading {
        let mut out = match body {
            Value::Object(map) => map.clone(),
            _ => Map::new(),
        };
        if let Some(total) = self.elapsed.1.as_ref().and_then(|total| total.get(body)) {
            out.insert(name::TOTAL.to_owned(), total.clone());
        }
        let mut reading = Reading::default();
        if !self.is_success(status) {
            for (name, pointer) in
                [(name::CODE, &self.refusal_code), (name::DESCRIPTION, &self.refusal_description)]
            {
                if let Some(found) = pointer.as_ref().and_then(|pointer| pointer.get(body)) {
                    out.insert(name.to_owned(), found.clone());
                }
            }
        }
        // A refusal that carries results all the same is looked at, too.
        let places = self
            .places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.under.contains(&status) || status >= 400);
        let mut entries: Option<Vec<WireResult<'_>>> = None;
        for (nth, place) in places {
            if let Some(found) = place.entries(body, nth, items.len()) {
                entries.get_or_insert_default().extend(found);
            }
        }
        if let Some(entries) = entries {
            let results = self.matched(&entries, items, &mut reading);
            out.insert(name::RESULTS.to_owned(), Value::Array(results));
        }
        reading.body =
            if out.is_empty() && !body.is_object() { body.clone() } else { Value::Object(out) };
        reading
    }

    /// The results in the order of their items, and behind them those of no item.
    fn matched(
        &self,
        entries: &[WireResult<'_>],
        items: &[&Value],
        reading: &mut Reading,
    ) -> Vec<Value> {
        if self.is_ordered() {
            let order: Vec<Option<usize>> = (0..entries.len()).map(Some).collect();
            return self.placed(entries, &order, &[], reading);
        }
        let by_result = |entry: &WireResult<'_>| match &self.matching {
            Matching::Field(_, ResultMark::At(pointer)) | Matching::Index(pointer) => {
                pointer.get(&entry.value).and_then(code_text).map(Cow::into_owned)
            }
            Matching::Field(_, ResultMark::Key) => entry.key.map(str::to_owned),
            Matching::Order => None,
        };
        let keys: Vec<Option<String>> = items
            .iter()
            .enumerate()
            .map(|(index, item)| match &self.matching {
                Matching::Field(field, _) => {
                    item.get(field).and_then(code_text).map(Cow::into_owned)
                }
                _ => Some(index.to_string()),
            })
            .collect();
        let mut waiting: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            if let Some(by) = by_result(entry) {
                waiting.entry(by).or_default().push_back(at);
            }
        }
        let mut is_left = vec![true; entries.len()];
        let mut order: Vec<Option<usize>> = keys
            .iter()
            .map(|key| {
                let found = waiting.get_mut(key.as_ref()?)?.pop_front()?;
                is_left[found] = false;
                Some(found)
            })
            .collect();
        // An item that has nothing to be matched by takes what is left over.
        let mut left: VecDeque<usize> = (0..entries.len()).filter(|at| is_left[*at]).collect();
        for (place, key) in order.iter_mut().zip(&keys) {
            if key.is_none() {
                *place = left.pop_front();
            }
        }
        let missing = order.iter().position(Option::is_none).filter(|_| self.silent.is_none());
        let unknown = left.front().map(|at| &entries[*at]);
        reading.mismatch = match (unknown, missing) {
            (Some(entry), _) => {
                Some(Mismatch::Unknown { at: entry.at.clone(), by: by_result(entry) })
            }
            (None, Some(item)) => {
                Some(Mismatch::Missing { item, by: keys[item].clone().unwrap_or_default() })
            }
            (None, None) => None,
        };
        if missing.is_some() {
            // A result that says nothing of its item stands for the first one without a result.
            let is_nameless = |at: &usize| by_result(&entries[*at]).is_none();
            for place in order.iter_mut().filter(|place| place.is_none()) {
                let Some(nth) = left.iter().position(is_nameless) else { break };
                *place = left.remove(nth);
            }
            order.retain(Option::is_some);
        }
        order.extend(left.into_iter().map(Some));
        self.placed(entries, &order, items, reading)
    }

    /// The results in that order; nothing for an item that no result is of.
    fn placed(
        &self,
        entries: &[WireResult<'_>],
        order: &[Option<usize>],
        items: &[&Value],
        reading: &mut Reading,
    ) -> Vec<Value> {
        let results = order.iter().enumerate().map(|(index, at)| {
            let entry = at.and_then(|at| entries.get(at));
            let (value, placed) = match (entry, self.silent) {
                (Some(entry), _) => {
                    let (value, verdict) = self.result(&entry.value, entry.says);
                    let (place, zipped) = (Some(entry.place), entry.zipped);
                    (value, Placed { at: entry.at.clone(), verdict, place, zipped })
                }
                (None, says) => {
                    let item = items.get(index).copied().unwrap_or(&Value::Null);
                    let placed = Placed { at: self.results_place(), ..Placed::default() };
                    (self.unsaid(says, item), placed)
                }
            };
            reading.placed.push(placed);
            value
        });
        results.collect()
    }

    /// A result with its verdict, its code and what it repeats in places that everything else knows; and what shows the
    /// verdict.
    fn result(&self, value: &Value, says: Option<Says>) -> (Value, String) {
        let mut out = match value {
            Value::Object(map) => map.clone(),
            _ => Map::new(),
        };
        for (field, pointer) in &self.echo {
            out.shift_remove(field);
            if let Some(found) = pointer.get(value) {
                out.insert(field.clone(), found.clone());
            }
        }
        for (name, pointer) in [
            (name::CODE, &self.code),
            (name::DESCRIPTION, &self.description),
            (name::ELAPSED, &self.elapsed.0),
        ] {
            if let Some(found) = pointer.as_ref().and_then(|pointer| pointer.get(value)) {
                out.insert(name.to_owned(), found.clone());
            }
        }
        let fits = |matcher: &Option<super::Matcher>| matcher.as_ref().map(|m| m.fits(value));
        let (says, shown) = match says {
            Some(says) => (Some(says), None),
            None => match (fits(&self.accepted), fits(&self.rejected)) {
                (Some(true), Some(false) | None) => (Some(Says::Accepted), self.accepted.as_ref()),
                (Some(false) | None, Some(true)) => (Some(Says::Rejected), self.rejected.as_ref()),
                (Some(false), None) => (Some(Says::Rejected), self.accepted.as_ref()),
                (None, Some(false)) => (Some(Says::Accepted), self.rejected.as_ref()),
                _ => (None, self.accepted.as_ref()),
            },
        };
        if let Some(says) = says {
            out.insert(name::VERDICT.to_owned(), Value::from(says.word()));
        }
        (Value::Object(out), shown.map(|matcher| matcher.place(value)).unwrap_or_default())
    }

    /// What stands for the result of an item that has none.
    fn unsaid(&self, says: Option<Says>, item: &Value) -> Value {
        let mut out = Map::new();
        if let Some(says) = says {
            out.insert(name::VERDICT.to_owned(), Value::from(says.word()));
        }
        for (field, _) in &self.echo {
            if let Some(sent) = item.get(field) {
                out.insert(field.clone(), sent.clone());
            }
        }
        Value::Object(out)
    }

    /// A result on the wire without what shows its verdict, and without its elapsed time.
    #[must_use]
    pub fn without_verdict(&self, result: &Value) -> Value {
        let mut rest = result.clone();
        let matchers = [&self.accepted, &self.rejected].into_iter().flatten();
        for pointer in matchers.flat_map(super::Matcher::pointers).chain(&self.elapsed.0) {
            pointer.take(&mut rest);
        }
        rest
    }

    /// A pointer that everything else uses, as it is on the wire.
    #[must_use]
    pub fn wire_pointer(&self, reading: Option<&Reading>, pointer: &str) -> String {
        let mut steps = pointer.splitn(4, '/').skip(1);
        let text = |pointer: &Option<super::Pointer>| {
            pointer.as_ref().map(ToString::to_string).unwrap_or_default()
        };
        let first = steps.next();
        match first {
            Some(name::RESULTS) => {}
            Some(name::CODE) => return text(&self.refusal_code),
            Some(name::DESCRIPTION) => return text(&self.refusal_description),
            Some(name::TOTAL) => return text(&self.elapsed.1),
            Some(name::VERDICT) => return String::new(),
            _ => return self.form.on_wire(pointer),
        }
        let Some(index) = steps.next() else { return self.results_place() };
        let placed =
            index.parse::<usize>().ok().and_then(|index| reading?.placed.get(index)).cloned();
        let placed = placed.unwrap_or_else(|| Placed {
            at: format!("{}/{index}", self.results_place()),
            ..Placed::default()
        });
        let Some(rest) = steps.next() else { return placed.at };
        let echoed = self
            .echo
            .iter()
            .find(|(field, _)| field == rest || crate::validity::escape(field) == rest);
        let rest = match (rest, echoed) {
            (name::VERDICT, _) => placed.verdict,
            (name::CODE, _) => text(&self.code),
            (name::DESCRIPTION, _) => text(&self.description),
            (name::ELAPSED, _) => text(&self.elapsed.0),
            (_, Some((_, pointer))) => pointer.to_string(),
            (rest, None) => format!("/{rest}"),
        };
        match (placed.zipped, placed.place.and_then(|place| self.places.get(place))) {
            (Some(index), Some(place)) => place.unzipped(index, &rest),
            _ => format!("{}{rest}", placed.at),
        }
    }

    /// The position of the result that a pointer on the wire leads into.
    #[must_use]
    pub fn result_at(reading: &Reading, pointer: &str) -> Option<usize> {
        reading.placed.iter().position(|placed| {
            pointer.strip_prefix(&*placed.at).is_some_and(|r| r.is_empty() || r.starts_with('/'))
        })
    }
}
