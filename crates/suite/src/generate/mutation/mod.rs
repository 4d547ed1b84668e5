//! Mutations: one change to a valid item, derived from the schema's own keywords, with what it must provoke.
//!
//! A mutation says where, which keyword, which class of value, and the old and the new value. Whether a
//! target answered as it should is judged elsewhere.

mod catalogue;
mod instants;
mod lengths;
mod names;
mod numbers;
mod presence;
pub(super) mod site;
mod strings;
mod types;
mod values;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use catalogue::{Catalogue, Subject};
pub(super) use catalogue::{SchemaSubject, catalogue, of_schema};
pub(super) use names::NAMES;
pub use names::Promise;

use super::draft::{Draft, FieldOrder, KEY_PLACEHOLDER, KeyShape, RawField};
use crate::contract::validity::escape;

/// A longer raw text is recorded as an excerpt.
const EXCERPT: usize = 200;

/// One concrete change to an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Mutation {
    /// Its name, in kebab-case; many concrete mutations share one.
    pub name: &'static str,
    /// JSON pointer inside the item to what is changed.
    pub pointer: String,
    /// The keyword that it breaks or tries.
    pub keyword: String,
    /// The class of the new value.
    pub class: String,
    /// What is done.
    pub change: Change,
    /// A value of the whole field, for drafts that lack it.
    base: Option<Arc<Value>>,
    layout: Arc<FieldOrder>,
}

/// What a mutation does.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The value is taken away.
    Remove,
    /// Its field and this second field are taken away.
    RemoveBoth(String),
    /// The value becomes this one.
    Set(Value),
    /// The unique number takes this shape.
    Number(KeyShape),
    /// The whole item becomes this.
    Item(Value),
    /// A property that the schema does not name.
    Add(String, Value),
    /// The field's JSON text becomes this; only [`Draft::text`] can say it.
    Raw(String),
    /// The field keeps its string, every character written as an escape.
    Escape,
    /// The fields are written in the opposite order.
    Reverse,
}

/// What was changed, for records and reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppliedMutation {
    /// Name of the mutation.
    pub name: String,
    /// JSON pointer inside the item.
    pub pointer: String,
    /// The keyword that is broken or tried.
    pub keyword: String,
    /// The class of the new value.
    pub class: String,
    /// What stood there; none where nothing did, or where the unique number was still to be minted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What stands there now; none where nothing does. `${number}` stands for a minted number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

impl Mutation {
    /// What its name promises of an otherwise valid item.
    #[must_use]
    pub fn promise(&self) -> Promise {
        names::promise(self.name)
    }

    /// Changes a valid draft.
    pub fn apply(&self, draft: &mut Draft) -> AppliedMutation {
        let (old, new) = self.change(draft);
        AppliedMutation {
            name: self.name.to_owned(),
            pointer: self.pointer.clone(),
            keyword: self.keyword.clone(),
            class: self.class.clone(),
            old,
            new,
        }
    }

    /// A value with the change, where it is not an item; none where the change is for items alone.
    #[must_use]
    pub fn changed(&self, value: &Value) -> Option<Value> {
        let mut value = value.clone();
        match &self.change {
            Change::Set(new) => *value.pointer_mut(&self.pointer)? = new.clone(),
            Change::Remove => {
                let (parent, name) = self.pointer.rsplit_once('/')?;
                value.pointer_mut(parent)?.as_object_mut()?.shift_remove(&unescape(name))?;
            }
            _ => return None,
        }
        Some(value)
    }

    fn change(&self, draft: &mut Draft) -> (Option<Value>, Option<Value>) {
        let steps: Vec<String> = self.pointer.split('/').skip(1).map(unescape).collect();
        let field = steps.first().map_or("", String::as_str);
        match &self.change {
            Change::Remove if steps.len() > 1 => (self.nested(draft, field, None), None),
            Change::Remove => (draft.remove_in(&self.layout, field), None),
            Change::RemoveBoth(other) => {
                let old = draft.remove_in(&self.layout, field);
                draft.remove_in(&self.layout, other);
                (old, None)
            }
            Change::Set(value) if steps.len() > 1 => {
                (self.nested(draft, field, Some(value)), Some(value.clone()))
            }
            Change::Set(value) => {
                let old = draft.fields.get(field).cloned();
                draft.set_in(&self.layout, field, value.clone());
                (old, Some(value.clone()))
            }
            Change::Number(shape) => {
                draft.raw.retain(|r| r.field != self.layout.unique);
                draft.key = shape.clone();
                (None, shown(shape))
            }
            Change::Item(value) => {
                draft.replaced = Some(value.clone());
                (None, Some(value.clone()))
            }
            Change::Add(name, value) => {
                let old = draft.fields.insert(name.clone(), value.clone());
                (old, Some(value.clone()))
            }
            Change::Raw(text) => self.write_raw(draft, field, text),
            Change::Escape => {
                let old = draft.fields.get(field).or(self.base.as_deref()).cloned();
                let text = escaped(old.as_ref().and_then(Value::as_str).unwrap_or_default());
                self.write_raw(draft, field, &text)
            }
            Change::Reverse => {
                let length = draft.fields.len();
                draft.fields = std::mem::take(&mut draft.fields).into_iter().rev().collect();
                draft.key_position = length.saturating_sub(draft.key_position);
                (None, None)
            }
        }
    }

    fn write_raw(
        &self,
        draft: &mut Draft,
        field: &str,
        text: &str,
    ) -> (Option<Value>, Option<Value>) {
        let old = draft.fields.get(field).cloned();
        let mut stands_for = Value::Null;
        if field != self.layout.unique {
            stands_for = serde_json::from_str(text)
                .ok()
                .or_else(|| old.clone())
                .or_else(|| self.base.as_deref().cloned())
                .unwrap_or(Value::Null);
            draft.set_in(&self.layout, field, stands_for.clone());
        }
        draft.raw.retain(|r| r.field != field);
        draft.raw.push(RawField { field: field.to_owned(), text: text.to_owned(), stands_for });
        let length = text.chars().count();
        let excerpt: String = text.chars().take(EXCERPT).collect();
        let shown =
            if length > EXCERPT { format!("{excerpt}… ({length} characters)") } else { excerpt };
        (old, Some(Value::String(shown)))
    }

    /// Sets or takes away a value inside a field, which is put in first where the draft lacks it.
    fn nested(&self, draft: &mut Draft, field: &str, new: Option<&Value>) -> Option<Value> {
        let inside = self.pointer.get(1 + escape(field).len()..).unwrap_or_default();
        let (parent, key) = inside.rsplit_once('/').unwrap_or(("", inside));
        let reaches = |v: &Value| v.pointer(inside).is_some();
        if !draft.fields.get(field).is_some_and(reaches)
            && let Some(base) = &self.base
        {
            draft.set_in(&self.layout, field, Value::clone(base));
        }
        draft.raw.retain(|r| r.field != field);
        let key = unescape(key);
        match (draft.fields.get_mut(field)?.pointer_mut(parent)?, new) {
            (Value::Object(map), Some(value)) => map.insert(key, value.clone()),
            (Value::Object(map), None) => map.shift_remove(&key),
            (Value::Array(list), Some(value)) => {
                let place = list.get_mut(key.parse::<usize>().ok()?)?;
                Some(std::mem::replace(place, value.clone()))
            }
            _ => None,
        }
    }
}

/// A JSON string that is nothing but escapes.
fn escaped(text: &str) -> String {
    // Hexadecimal digits may be of either case (RFC 8259, section 7).
    let units = text.encode_utf16().enumerate().map(|(nth, unit)| {
        if nth % 2 == 0 { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") }
    });
    format!("\"{}\"", units.collect::<String>())
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

fn shown(shape: &KeyShape) -> Option<Value> {
    match shape {
        KeyShape::Absent => None,
        KeyShape::Fixed(value) => Some(value.clone()),
        KeyShape::Plain | KeyShape::Formed(_) | KeyShape::FreshInteger => {
            Some(Value::from(KEY_PLACEHOLDER))
        }
        KeyShape::Decorated { before, after } => {
            Some(Value::String(format!("{before}{KEY_PLACEHOLDER}{after}")))
        }
        KeyShape::Padded { length, with } => Some(Value::String(format!(
            "{KEY_PLACEHOLDER}, filled up with {with:?} to {length} code points"
        ))),
    }
}
