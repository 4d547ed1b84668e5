//! Where something stands in a JSON document: a pointer whose `*` is the first member that is not null.
//!
//! It must not know what stands there.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use crate::validity::escape;

/// A JSON pointer (RFC 6901) in its steps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pointer(Vec<String>);

/// Stands for the first member that is not null.
const ANY: &str = "*";

impl Pointer {
    /// Reads a pointer: a name without a slash is that of a member of the root, and the empty text is the root.
    #[must_use]
    pub fn parse(text: &str) -> Pointer {
        match text.strip_prefix('/') {
            Some(rest) => Pointer(rest.split('/').map(unescape).collect()),
            None if text.is_empty() => Pointer::default(),
            None => Pointer(vec![text.to_owned()]),
        }
    }

    /// The pointer to a member of what stands there.
    #[must_use]
    pub fn with(&self, name: &str) -> Pointer {
        let mut steps = self.0.clone();
        steps.push(name.to_owned());
        Pointer(steps)
    }

    /// The names on the way, from the root.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.0
    }

    /// The name, where the pointer is that of a member of the root.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self.0.as_slice() {
            [name] if name != ANY => Some(name),
            _ => None,
        }
    }

    /// What stands there.
    #[must_use]
    pub fn get<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.find(value).map(|(found, _)| found)
    }

    /// What stands there, and the pointer to it without any `*`.
    #[must_use]
    pub fn find<'a>(&self, value: &'a Value) -> Option<(&'a Value, String)> {
        let mut at = String::new();
        let mut value = value;
        for step in &self.0 {
            let (name, inner): (Cow<'_, str>, &Value) = match value {
                Value::Object(map) if step == ANY && !map.contains_key(ANY) => {
                    let (name, inner) = map.iter().find(|(_, inner)| !inner.is_null())?;
                    (Cow::Borrowed(name), inner)
                }
                Value::Object(map) => (Cow::Borrowed(step), map.get(step)?),
                Value::Array(list) => (Cow::Borrowed(step), list.get(step.parse::<usize>().ok()?)?),
                _ => return None,
            };
            at.push('/');
            at.push_str(&escape(&name));
            value = inner;
        }
        Some((value, at))
    }

    /// Puts a value there, and the objects on the way.
    pub fn set(&self, into: &mut Value, value: Value) {
        let mut place = into;
        for step in &self.0 {
            if let Value::Array(list) = place {
                let index = step.parse::<usize>().unwrap_or(0).min(list.len());
                if index == list.len() {
                    list.push(Value::Null);
                }
                place = &mut list[index];
                continue;
            }
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Value::Object(map) = place else { return };
            let first =
                map.iter().find(|(_, inner)| !inner.is_null()).map(|(name, _)| name.clone());
            let name = match (step.as_str(), first) {
                (ANY, Some(first)) => first,
                (ANY, None) => "result".to_owned(),
                (name, _) => name.to_owned(),
            };
            place = map.entry(name).or_insert(Value::Null);
        }
        *place = value;
    }

    /// Takes away what stands there.
    pub fn take(&self, from: &mut Value) -> Option<Value> {
        let (_, at) = self.find(from)?;
        let (parent, _) = at.rsplit_once('/')?;
        let last = unescape(at.rsplit('/').next()?);
        match from.pointer_mut(parent)? {
            Value::Object(map) => map.shift_remove(&last),
            _ => None,
        }
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(f, "/{}", escape(step)))
    }
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}
