//! Keys of one execution in place of those of another, so that two answers that differ in their keys alone are equal.
//!
//! It must not know what else the answers hold.

use std::collections::HashMap;

use serde_json::Value;

use crate::exchange::{Exchange, Request};
use crate::execution::Execution;
use crate::generate::KeyPrefixes;

/// The keys of one execution, with those of another one that stand in the same places.
#[derive(Default)]
pub(super) struct Renames {
    texts: HashMap<String, String>,
    values: HashMap<String, Value>,
}

impl Renames {
    /// From the requests of `old` to those of `new`; `prefixes` are what their keys begin with.
    pub(super) fn between(old: &Execution, new: &Execution, prefixes: &KeyPrefixes) -> Renames {
        let mut renames = Renames::default();
        for (old, new) in old.exchanges.iter().zip(&new.exchanges) {
            renames.add(old, new, prefixes);
        }
        renames
    }

    /// The same of single exchanges.
    pub(super) fn of(old: &Exchange, new: &Exchange, prefixes: &KeyPrefixes) -> Renames {
        let mut renames = Renames::default();
        renames.add(old, new, prefixes);
        renames
    }

    fn add(&mut self, old: &Exchange, new: &Exchange, prefixes: &KeyPrefixes) {
        for (old, new) in old.intent.items().iter().zip(new.intent.items()) {
            let members = old.value.as_object().into_iter().flatten();
            for (name, value) in members {
                let other = new.value.get(name).filter(|other| *other != value);
                if let Some(other) = other {
                    self.values.insert(value.to_string(), other.clone());
                }
            }
        }
        let keys = |request: &Request| -> Vec<String> {
            let texts =
                [request.raw.as_deref(), request.body.as_deref(), Some(request.path.as_bytes())];
            let headers = request.headers.iter().map(|(_, value)| value.as_bytes());
            let found = texts.into_iter().flatten().chain(headers).flat_map(|text| {
                let keys = prefixes.find(text).into_iter();
                keys.map(|key| String::from_utf8_lossy(&text[key.place]).into_owned())
            });
            found.collect()
        };
        if old.request.body == new.request.body && old.request.raw == new.request.raw {
            return;
        }
        let pairs = keys(&old.request).into_iter().zip(keys(&new.request));
        self.texts.extend(pairs.filter(|(old, new)| old != new));
    }

    /// A text with the other keys.
    pub(super) fn text(&self, text: &str) -> String {
        if self.texts.is_empty() {
            return text.to_owned();
        }
        let mut text = text.to_owned();
        for (old, new) in &self.texts {
            if text.contains(old.as_str()) {
                text = text.replace(old.as_str(), new);
            }
        }
        text
    }

    /// A value with the other keys.
    pub(super) fn value(&self, value: &Value) -> Value {
        if self.texts.is_empty() && self.values.is_empty() {
            return value.clone();
        }
        match value {
            Value::Array(list) => list.iter().map(|v| self.value(v)).collect(),
            Value::Object(map) => {
                map.iter().map(|(name, v)| (self.text(name), self.value(v))).collect()
            }
            leaf => match (self.values.get(&leaf.to_string()), leaf) {
                (Some(new), _) => new.clone(),
                (None, Value::String(text)) => Value::String(self.text(text)),
                (None, other) => other.clone(),
            },
        }
    }
}
