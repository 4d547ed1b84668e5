//! A draft: an item as it is meant to be sent, before its unique key is made.
//!
//! It holds also what is no JSON object (a replaced item) and what no [`Value`] can say (raw JSON text).

use serde_json::{Map, Value};

use crate::contract::Contract;

/// In raw text of the unique field, where the key goes.
pub const KEY_PLACEHOLDER: &str = "${key}";

/// An item without its unique key.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The fields in document order, without the unique one.
    pub fields: Map<String, Value>,
    /// What the key looks like.
    pub key: KeyShape,
    /// How many of `fields` stand before the unique one.
    pub key_position: usize,
    /// What stands in place of the whole item, where it was replaced.
    pub replaced: Option<Value>,
    /// Fields whose JSON text matters; see [`Draft::text`].
    pub raw: Vec<RawField>,
    /// Fields that are further unique keys, and get a key of their own whenever the item gets one.
    pub minted: Vec<String>,
}

/// A field that is to be written as this very text.
#[derive(Debug, Clone, PartialEq)]
pub struct RawField {
    /// The property.
    pub field: String,
    /// Its JSON text; in the unique field [`KEY_PLACEHOLDER`] stands for the key.
    pub text: String,
    /// What `fields` holds in its place. Once something else is set there, the text is void.
    pub stands_for: Value,
}

/// What a unique key looks like; `KeyGenerator` makes one.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyShape {
    /// A fresh key as it is made.
    Plain,
    /// A fresh key in the form that its schema demands, such as this one.
    Formed(Value),
    /// A fresh key with text on both sides.
    Decorated {
        /// What comes before it.
        before: String,
        /// What comes after it.
        after: String,
    },
    /// A fresh key filled up at its end.
    Padded {
        /// Its length in code points.
        length: usize,
        /// What it is filled up with.
        with: char,
    },
    /// This value as it stands, fresh or not: null, wrong types.
    Fixed(Value),
    /// A key that is a JSON key, never used before.
    FreshInteger,
    /// None at all.
    Absent,
}

/// The order of an item's fields in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldOrder {
    /// The unique field.
    pub unique: String,
    names: Vec<String>,
}

impl FieldOrder {
    /// The layout of a contract's items.
    pub fn of(contract: &Contract) -> FieldOrder {
        FieldOrder {
            unique: contract.batch.unique.clone(),
            names: contract.fields().iter().map(|f| f.name.clone()).collect(),
        }
    }

    /// Of no items at all.
    pub fn none() -> FieldOrder {
        FieldOrder { unique: String::new(), names: Vec::new() }
    }

    fn order(&self, field: &str) -> Option<usize> {
        self.names.iter().position(|n| n == field)
    }
}

impl Draft {
    /// The item with `key` in its place, without what only [`Draft::text`] can say.
    #[must_use]
    pub fn with_key(&self, contract: &Contract, key: Option<Value>) -> Value {
        if let Some(other) = &self.replaced {
            return other.clone();
        }
        // A clone keeps the hashes of all names, which would cost more than moving what is behind the key.
        let mut item = self.fields.clone();
        if let Some(key) = key {
            let position = self.key_position.min(item.len());
            item.shift_insert(position, contract.batch.unique.clone(), key);
        }
        Value::Object(item)
    }

    /// Whether [`Draft::with_key`] can't say all of it, so that [`Draft::text`] must be sent.
    #[must_use]
    pub fn needs_text(&self) -> bool {
        self.replaced.is_none() && !self.raw.is_empty()
    }

    /// The item as JSON text, digit for digit.
    #[must_use]
    pub fn text(&self, contract: &Contract, key: Option<&Value>) -> String {
        let mut out = Vec::with_capacity(256);
        self.write(&mut out, contract, key);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Appends the item's JSON text to a body.
    pub fn write(&self, out: &mut Vec<u8>, contract: &Contract, key: Option<&Value>) {
        if let Some(other) = &self.replaced {
            push_json(out, other);
            return;
        }
        let unique = &contract.batch.unique;
        let mut first = true;
        out.push(b'{');
        for (index, (name, value)) in self.fields.iter().enumerate() {
            if index == self.key_position {
                self.write_key(out, unique, key, &mut first);
            }
            push_name(out, name, &mut first);
            match self.raw.iter().find(|r| &r.field == name && &r.stands_for == value) {
                Some(raw) => out.extend_from_slice(raw.text.as_bytes()),
                None => push_json(out, value),
            }
        }
        if self.key_position >= self.fields.len() {
            self.write_key(out, unique, key, &mut first);
        }
        out.push(b'}');
    }

    /// Has a key made for every further unique key that the item has, whatever it holds now.
    pub fn mint_all(&mut self, contract: &Contract) {
        let further = contract.batch.further.iter().map(|key| &key.field);
        self.minted = further.filter(|field| self.fields.contains_key(*field)).cloned().collect();
        let minted = &self.minted;
        self.raw.retain(|raw| !minted.contains(&raw.field));
    }

    /// Puts keys in the place of all further unique keys that are to be made.
    pub(super) fn mint(&mut self, mut key: impl FnMut() -> String) {
        for field in &self.minted {
            if let Some(place) = self.fields.get_mut(field) {
                *place = Value::String(key());
            }
        }
    }

    /// Sets a field; the key becomes exactly this value.
    pub fn set(&mut self, contract: &Contract, field: &str, value: Value) {
        self.set_in(&FieldOrder::of(contract), field, value);
    }

    /// Sets a field to this very JSON text, valid or not.
    pub fn set_text(&mut self, contract: &Contract, field: &str, text: String) {
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        self.set(contract, field, value.clone());
        self.raw.push(RawField { field: field.to_owned(), text, stands_for: value });
    }

    /// Takes a field away.
    pub fn remove(&mut self, contract: &Contract, field: &str) {
        self.remove_in(&FieldOrder::of(contract), field);
    }

    pub(super) fn set_in(&mut self, layout: &FieldOrder, field: &str, value: Value) {
        self.raw.retain(|r| r.field != field);
        self.minted.retain(|minted| minted != field);
        if field == layout.unique {
            self.key = KeyShape::Fixed(value);
            return;
        }
        if let Some(place) = self.fields.get_mut(field) {
            *place = value;
            return;
        }
        // Where the document has the field, so that a drawn and a set one send the same bytes.
        let Some(own) = layout.order(field) else {
            self.fields.insert(field.to_owned(), value);
            return;
        };
        let after = |name: &String| layout.order(name).is_none_or(|o| o > own);
        let index = self.fields.keys().position(after).unwrap_or(self.fields.len());
        self.fields.shift_insert(index, field.to_owned(), value);
        if layout.order(&layout.unique).is_some_and(|unique| own < unique) {
            self.key_position += 1;
        }
    }

    pub(super) fn remove_in(&mut self, layout: &FieldOrder, field: &str) -> Option<Value> {
        self.raw.retain(|r| r.field != field);
        self.minted.retain(|minted| minted != field);
        if field == layout.unique {
            self.key = KeyShape::Absent;
            return None;
        }
        let index = self.fields.keys().position(|k| k == field)?;
        if index < self.key_position {
            self.key_position -= 1;
        }
        self.fields.shift_remove(field)
    }

    fn write_key(&self, out: &mut Vec<u8>, unique: &str, key: Option<&Value>, first: &mut bool) {
        let raw = self.raw.iter().find(|r| r.field == unique);
        match (raw, key) {
            (Some(raw), key) => {
                let quoted = key.filter(|n| n.is_string()).map(Value::to_string);
                let inside = quoted.as_ref().and_then(|q| q.get(1..q.len() - 1));
                push_name(out, unique, first);
                let text = raw.text.replace(KEY_PLACEHOLDER, inside.unwrap_or_default());
                out.extend_from_slice(text.as_bytes());
            }
            (None, Some(key)) => {
                push_name(out, unique, first);
                push_json(out, key);
            }
            (None, None) => {}
        }
    }
}

fn push_name(out: &mut Vec<u8>, name: &str, first: &mut bool) {
    if !std::mem::take(first) {
        out.push(b',');
    }
    push_json(out, name);
    out.push(b':');
}

/// Writing into memory can't fail, nor can a value or a string be without a JSON form.
fn push_json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let _ = serde_json::to_writer(out, value);
}
