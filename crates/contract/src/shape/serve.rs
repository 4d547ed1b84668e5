//! The way back of a server: from an answer in the shape that everything else knows to the one on the wire.
//!
//! It must not know why an item is accepted or rejected.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::pointer::Pointer;
use super::{Matching, ResultMark, ResultPlace, Says, Shape, name};
use crate::batch::code_text;

/// Values that the schemas of answers allow, for what a contract does not speak of.
#[derive(Debug, Default)]
pub(super) struct Specimens {
    /// The body of each documented answer.
    pub(super) bodies: BTreeMap<u16, Value>,
    /// A result, for each place of results.
    pub(super) results: Vec<Value>,
    /// What the schema allows at pointers of a result that conditions look at, or errors stand at.
    pub(super) within: BTreeMap<String, Value>,
    /// The same of a refused request.
    pub(super) refused: BTreeMap<String, Value>,
}

impl Specimens {
    fn at(&self, pointer: &Pointer) -> Value {
        self.within.get(&pointer.to_string()).cloned().unwrap_or_else(|| Value::from("text"))
    }
}

impl ResultPlace {
    /// Puts results, each with its key, where they stand in a body.
    fn write(&self, results: Vec<(String, Value)>, body: &mut Value) {
        if self.keyed {
            self.at.set(body, Value::Object(results.into_iter().collect()));
            return;
        }
        if self.zip.is_empty() {
            let results = results.into_iter().map(|(_, result)| result).collect();
            self.at.set(body, Value::Array(results));
            return;
        }
        for (at, name) in &self.zip {
            let element = |(_, result): &(String, Value)| result.get(name).cloned();
            let elements = results.iter().map(|result| element(result).unwrap_or_default());
            at.set(body, Value::Array(elements.collect()));
        }
    }
}

impl Shape {
    /// An answer as it is on the wire; nothing where the answer is not the endpoint's own.
    #[must_use]
    pub fn write(&self, status: u16, body: &Value) -> Option<(u16, Value)> {
        let map = body.as_object()?;
        match (status, map.get(name::RESULTS)) {
            (200, Some(Value::Array(rows))) => Some(self.write_results(rows, map)),
            (400, None) if [name::CODE, name::VERDICT].iter().any(|n| map.contains_key(*n)) => {
                let status = self.refusal.first().copied().unwrap_or(400);
                let mut out = self.body(status);
                let known = &self.specimens.refused;
                put(map, (name::CODE, self.refusal_code.as_ref()), &mut out, known);
                let description = self.refusal_description.as_ref();
                put(map, (name::DESCRIPTION, description), &mut out, known);
                Some((status, out))
            }
            _ => None,
        }
    }

    /// The bytes of an answer with a body that [`Shape::write`] made.
    #[must_use]
    pub fn bytes(&self, status: u16, body: &Value) -> Vec<u8> {
        match body.as_array().filter(|_| self.answers_in_lines(status)) {
            Some(lines) => lines.iter().fold(Vec::new(), |mut out, line| {
                out.extend_from_slice(line.to_string().as_bytes());
                out.push(b'\n');
                out
            }),
            None => body.to_string().into_bytes(),
        }
    }

    /// What the result of an item is matched by, where that is not the order.
    #[must_use]
    pub fn match_of(&self, item: &Value, index: usize) -> Option<Value> {
        match &self.matching {
            Matching::Order => None,
            Matching::Field(field, _) => item.get(field).cloned(),
            Matching::Index(_) => Some(Value::from(index)),
        }
    }

    fn body(&self, status: u16) -> Value {
        let known = self.specimens.bodies.get(&status).cloned();
        known.unwrap_or_else(|| Value::Object(Map::new()))
    }

    fn write_results(&self, rows: &[Value], beside: &Map<String, Value>) -> (u16, Value) {
        let says = |row: &Value| match row.get(name::VERDICT).and_then(Value::as_str) {
            Some(name::ACCEPTED) => Some(Says::Accepted),
            Some(name::REJECTED) => Some(Says::Rejected),
            _ => None,
        };
        let mut lists: Vec<Vec<(String, Value)>> = self.places.iter().map(|_| Vec::new()).collect();
        for (index, row) in rows.iter().enumerate() {
            let says = says(row);
            if says.is_some() && says == self.silent {
                continue;
            }
            let fits = |place: &ResultPlace| place.says.is_none() || place.says == says;
            let at = self.places.iter().position(fits).unwrap_or(0);
            let specimen = self.specimens.results.get(at).cloned().unwrap_or_default();
            if let Some(list) = lists.get_mut(at) {
                let key = row.get(name::MATCH).and_then(code_text).map(Cow::into_owned);
                let key = key.unwrap_or_else(|| format!("(item {index})"));
                list.push((key, self.write_result(specimen, row, (says, at), index)));
            }
        }
        // A status under which every list that holds something may stand.
        let holds = |status: &u16| {
            self.places
                .iter()
                .zip(&lists)
                .all(|(place, list)| list.is_empty() || place.under.contains(status))
        };
        let statuses = self.statuses(200);
        let of_first = self.places.first().map(|place| place.under.as_slice()).unwrap_or_default();
        let status = of_first.iter().chain(&statuses).copied().find(holds).unwrap_or(200);
        let mut body = self.body(status);
        for (place, list) in self.places.iter().zip(lists) {
            if place.under.contains(&status) {
                place.write(list, &mut body);
            }
        }
        if let (Some(total), Some(value)) = (&self.elapsed.1, beside.get(name::TOTAL)) {
            total.set(&mut body, value.clone());
        }
        (status, body)
    }

    fn write_result(
        &self,
        mut out: Value,
        row: &Value,
        (says, place): (Option<Says>, usize),
        index: usize,
    ) -> Value {
        let lacks = |field: &String| {
            self.places.get(place).is_some_and(|place| place.lacks.contains(field))
        };
        for (field, pointer) in self.echo.iter().filter(|(field, _)| !lacks(field)) {
            match row.get(field) {
                Some(value) => pointer.set(&mut out, value.clone()),
                // What the schema wants there stays, where the item has nothing to repeat.
                None if says == Some(Says::Rejected) => {}
                None => {
                    pointer.take(&mut out);
                }
            }
        }
        match &self.matching {
            Matching::Order => {}
            Matching::Field(_, ResultMark::Key) => {}
            // An item that is no object has nothing that its result could repeat.
            Matching::Field(_, ResultMark::At(pointer)) => match row.get(name::MATCH) {
                Some(Value::Number(number)) if pointer.get(&out).is_some_and(Value::is_string) => {
                    pointer.set(&mut out, number.to_string().into());
                }
                Some(value @ (Value::String(_) | Value::Number(_))) => {
                    pointer.set(&mut out, value.clone());
                }
                // Nothing that could tell items apart: what the schema wants there stays.
                _ => {}
            },
            Matching::Index(pointer) => {
                let own = row.get(name::MATCH).cloned();
                pointer.set(&mut out, own.unwrap_or_else(|| Value::from(index)));
            }
        }
        if let Some(row) = row.as_object() {
            for (name, pointer) in [
                (name::CODE, &self.code),
                (name::DESCRIPTION, &self.description),
                (name::ELAPSED, &self.elapsed.0),
            ] {
                put(row, (name, pointer.as_ref()), &mut out, &self.specimens.within);
            }
            if let (Some(Value::Object(beside)), Some(out)) =
                (row.get(name::BESIDE), out.as_object_mut())
            {
                out.extend(beside.clone());
            }
        }
        let specimen = |pointer: &Pointer| self.specimens.at(pointer);
        let (own, other) = match says {
            Some(Says::Accepted) => (&self.accepted, &self.rejected),
            Some(Says::Rejected) => (&self.rejected, &self.accepted),
            // A verdict that nobody knows.
            None => {
                for matcher in [&self.accepted, &self.rejected].into_iter().flatten() {
                    matcher.spoil(&mut out);
                }
                return out;
            }
        };
        if let Some(own) = own {
            own.satisfy(&mut out, &specimen);
        }
        if let Some(other) = other {
            other.spoil(&mut out);
        }
        out
    }
}

/// Puts a member of a row where it stands on the wire, with the type that its schema has.
fn put(
    from: &Map<String, Value>,
    (member, pointer): (&str, Option<&Pointer>),
    into: &mut Value,
    specimens: &BTreeMap<String, Value>,
) {
    let (Some(pointer), Some(value)) = (pointer, from.get(member)) else { return };
    let number = value.as_str().and_then(|text| text.parse::<serde_json::Number>().ok());
    let value = match number {
        Some(number)
            if specimens.get(&pointer.to_string()).is_some_and(Value::is_number)
                || pointer.get(into).is_some_and(Value::is_number) =>
        {
            Value::Number(number)
        }
        _ => value.clone(),
    };
    pointer.set(into, value);
}
