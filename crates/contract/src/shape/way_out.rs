//! The way out: the bytes around items, and the items in a body.
//!
//! It must not know what an item means.

use serde_json::{Map, Value};

use super::Shape;
use super::pointer::Pointer;

/// Stands in an envelope where the items go.
const MARK: &str = "(the items)";

/// Why a body holds no list of items.
pub(crate) enum NoItems<'a> {
    /// An object on the way, or the list, is missing; the last object on the way.
    Missing(Option<&'a Map<String, Value>>),
    /// Something else stands in its place, or on the way to it.
    Other(&'a Value, String),
}

/// What stands before and after the items, where `envelope` has them at `items`.
pub(super) fn around(
    mut envelope: Value,
    items: &Pointer,
    [open, close]: [&str; 2],
) -> (String, String) {
    items.set(&mut envelope, Value::from(MARK));
    let text = envelope.to_string();
    let mark = Value::from(MARK).to_string();
    let (before, after) = text.split_once(&mark).unwrap_or_default();
    (format!("{before}{open}"), format!("{close}{after}"))
}

impl Shape {
    /// What stands before the first item, and after the last.
    #[must_use]
    pub fn envelope(&self) -> (&str, &str) {
        (&self.envelope.0, &self.envelope.1)
    }

    /// What stands between two items.
    #[must_use]
    pub fn separator(&self) -> &'static str {
        if self.form.lines().is_some() { "\n" } else { "," }
    }

    /// The list of items in a body.
    pub(crate) fn items<'a>(&self, body: &'a Value) -> Result<&'a Vec<Value>, NoItems<'a>> {
        let mut value = body;
        let mut at = String::new();
        for step in self.items.steps() {
            let Value::Object(map) = value else { return Err(NoItems::Other(value, at)) };
            value = map.get(step).ok_or(NoItems::Missing(Some(map)))?;
            at = format!("{at}/{}", crate::validity::escape(step));
        }
        match value {
            Value::Array(list) => Ok(list),
            other => Err(NoItems::Other(other, at)),
        }
    }

    /// The items in a body with the key of each, where they are a map; where one stands in an item, too, nothing else.
    pub(crate) fn keyed_items<'a>(
        &self,
        body: &'a Value,
    ) -> Result<&'a Map<String, Value>, NoItems<'a>> {
        match self.items(body) {
            Err(NoItems::Other(Value::Object(map), at)) if at == self.items.to_string() => Ok(map),
            Err(other) => Err(other),
            Ok(_) => Err(NoItems::Other(
                self.items.get(body).unwrap_or(&Value::Null),
                self.items.to_string(),
            )),
        }
    }

    /// Whether the envelope says what the contract wants it to.
    pub(crate) fn has_constants(&self, body: &Value) -> bool {
        self.constants.iter().all(|(pointer, value)| pointer.get(body) == Some(value))
    }
}
