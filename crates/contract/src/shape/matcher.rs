//! What a result must hold to mean something: pointers, and what is wanted there.
//!
//! It must not know what the meaning is.

use serde_json::{Map, Value};

use super::pointer::Pointer;
use crate::batch::code_text;

/// Conditions that all have to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Matcher(Vec<(Pointer, Vec<Wanted>)>);

/// What is wanted in one place.
#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    /// This very value, with its type.
    Equal(Value),
    /// Anything but null.
    Present,
    /// Nothing, or null.
    Absent,
    /// A number, or a text that begins with one, of this hundred.
    Hundred(u64),
}

impl Matcher {
    /// Reads pointers with what is wanted there.
    ///
    /// # Errors
    /// The part that is no condition.
    pub fn read(conditions: &Map<String, Value>) -> Result<Matcher, String> {
        let mut all = Vec::new();
        for (pointer, wanted) in conditions {
            let wanted = match wanted {
                Value::Array(several) if !several.is_empty() => {
                    several.iter().map(Wanted::read).collect::<Result<_, _>>()?
                }
                one => vec![Wanted::read(one)?],
            };
            all.push((Pointer::parse(pointer), wanted));
        }
        if all.is_empty() { Err("{}".to_owned()) } else { Ok(Matcher(all)) }
    }

    /// One place that must hold one value.
    #[must_use]
    pub fn equal(pointer: Pointer, value: Value) -> Matcher {
        Matcher(vec![(pointer, vec![Wanted::Equal(value)])])
    }

    /// The one member of the root that must hold one text, where that is all.
    #[must_use]
    pub fn plain(&self) -> Option<(&str, &str)> {
        match self.0.as_slice() {
            [(pointer, wanted)] => match wanted.as_slice() {
                [Wanted::Equal(Value::String(text))] => Some((pointer.name()?, text)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether all of it holds.
    #[must_use]
    pub fn fits(&self, value: &Value) -> bool {
        self.0.iter().all(|(pointer, wanted)| {
            let found = pointer.get(value).filter(|found| !found.is_null());
            wanted.iter().any(|wanted| wanted.fits(found))
        })
    }

    /// The pointers that it looks at.
    pub fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        self.0.iter().map(|(pointer, _)| pointer)
    }

    /// The values that it wants somewhere.
    pub fn values(&self) -> impl Iterator<Item = (&Pointer, &Value)> {
        self.0.iter().flat_map(|(pointer, wanted)| {
            wanted.iter().filter_map(move |wanted| match wanted {
                Wanted::Equal(value) => Some((pointer, value)),
                _ => None,
            })
        })
    }

    /// Where a value shows it: the first place that it looks at.
    #[must_use]
    pub fn place(&self, value: &Value) -> String {
        let Some((first, _)) = self.0.first() else { return String::new() };
        first.find(value).map_or_else(|| first.to_string(), |(_, at)| at)
    }

    /// Changes a value so that it fits; `specimen` makes what the schema allows in a place.
    pub fn satisfy(&self, value: &mut Value, specimen: &dyn Fn(&Pointer) -> Value) {
        for (pointer, wanted) in &self.0 {
            let found = pointer.get(value).filter(|found| !found.is_null());
            if wanted.iter().any(|wanted| wanted.fits(found)) {
                continue;
            }
            match wanted.first() {
                Some(Wanted::Equal(wanted)) => pointer.set(value, wanted.clone()),
                Some(Wanted::Present) => pointer.set(value, specimen(pointer)),
                Some(Wanted::Hundred(hundred)) => {
                    let status = hundred * 100 + u64::from(*hundred == 2);
                    let text = specimen(pointer).is_string();
                    let status = if text { Value::from(status.to_string()) } else { status.into() };
                    pointer.set(value, status);
                }
                Some(Wanted::Absent) => {
                    pointer.take(value);
                }
                None => {}
            }
        }
    }

    /// Changes a value so that it does not fit.
    pub fn spoil(&self, value: &mut Value) {
        if let (true, Some((pointer, _))) = (self.fits(value), self.0.first()) {
            pointer.take(value);
        }
    }
}

impl Wanted {
    fn read(value: &Value) -> Result<Wanted, String> {
        match value {
            Value::String(word) if word == "present" => Ok(Wanted::Present),
            Value::String(word) if word == "absent" => Ok(Wanted::Absent),
            Value::String(word) => match word.strip_suffix("xx").map(str::parse) {
                Some(Ok(hundred @ 1..=5)) => Ok(Wanted::Hundred(hundred)),
                _ => Ok(Wanted::Equal(value.clone())),
            },
            Value::Bool(_) | Value::Number(_) => Ok(Wanted::Equal(value.clone())),
            other => Err(other.to_string()),
        }
    }

    fn fits(&self, found: Option<&Value>) -> bool {
        match (self, found) {
            (Wanted::Present, found) => found.is_some(),
            (Wanted::Absent, found) => found.is_none(),
            (_, None) => false,
            (Wanted::Equal(Value::Number(wanted)), Some(Value::Number(found))) => {
                wanted == found || wanted.as_f64() == found.as_f64()
            }
            (Wanted::Equal(wanted), Some(found)) => wanted == found,
            (Wanted::Hundred(hundred), Some(found)) => code_text(found)
                .and_then(|text| text.get(..3)?.parse::<u64>().ok())
                .is_some_and(|status| status / 100 == *hundred),
        }
    }
}
