//! Captures: what later items and steps of an execution can reach of earlier ones.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use bytes::Bytes;
use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::Value;

use super::OutgoingItem;
use crate::case::{Piece, Template, is_of_answer};
use crate::exchange::TOKEN_MARK;
use crate::exchange::{Answer, Exchange};
use crate::generate::{KeyShape, OptionalFields};
use crate::session::Environment;

/// Stands in a raw request where the length of its body goes.
pub(super) const LENGTH_MARK: &str = "\u{2}batchproof-length\u{2}";

/// Stands in a raw request where the length of the next line goes.
pub(super) const CHUNK_MARK: &str = "\u{2}batchproof-chunk\u{2}";

/// Stands around a size in a body that blanks fill to it.
const FILL_MARK: &str = "\u{2}batchproof-fill\u{2}";

/// A body with blanks where they fill it to the size that stands there.
pub(super) fn filled(text: &str) -> Cow<'_, str> {
    let Some((before, rest)) = text.split_once(FILL_MARK) else { return Cow::Borrowed(text) };
    let Some((size, after)) = rest.split_once(FILL_MARK) else { return Cow::Borrowed(text) };
    let without = body_bytes(before).len() + body_bytes(after).len();
    let size = size.parse::<usize>().unwrap_or(1).max(1);
    let blanks = without.next_multiple_of(size) - without;
    Cow::Owned([before, &" ".repeat(blanks), after].concat())
}

/// Characters from here stand for single bytes until a body is made (a private use area).
const BYTES: u32 = 0x10_f700;

/// A filled-in text as a body: what stands for a byte becomes that byte.
#[must_use]
pub(super) fn body_bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut buffer = [0_u8; 4];
    for c in text.chars() {
        match u32::from(c).checked_sub(BYTES).and_then(|b| u8::try_from(b).ok()) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    out
}

/// Whether a text holds what stands for single bytes.
pub(super) fn has_bytes(text: &str) -> bool {
    text.chars().any(|c| (BYTES..BYTES + 0x100).contains(&u32::from(c)))
}

/// What was named so far.
#[derive(Default)]
pub struct Captures {
    items: HashMap<String, (OutgoingItem, Value)>,
    steps: HashMap<String, (usize, Option<Bytes>)>,
    /// Minted where a text first names them.
    numbers: RefCell<HashMap<String, String>>,
    /// Fresh keys in the place of those in a file, by these.
    renewed: HashMap<Value, Value>,
    /// How many items were written into bodies that cases write out.
    written: Cell<usize>,
}

impl Captures {
    /// Names an item.
    pub fn item(&mut self, name: &str, entry: OutgoingItem, value: Value) {
        self.items.insert(name.to_owned(), (entry, value));
    }

    /// Names a step by its exchange and what it sent.
    pub fn step(&mut self, name: &str, exchange: usize, body: Option<Bytes>) {
        self.steps.insert(name.to_owned(), (exchange, body));
    }

    /// A named item.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&OutgoingItem> {
        self.items.get(name).map(|(entry, _)| entry)
    }

    /// The key that stands for that of a file, the same in all steps.
    pub fn renewed(&mut self, environment: &Environment, key: Value) -> Value {
        let fresh = || environment.keys.with_shape(&KeyShape::Plain).unwrap_or(Value::Null);
        self.renewed.entry(key).or_insert_with(fresh).clone()
    }

    /// Forgets them: another copy of a request has keys of its own.
    pub fn forget_renewed(&mut self) {
        self.renewed.clear();
    }

    /// What a named step sent.
    #[must_use]
    pub fn body(&self, name: &str) -> Option<Bytes> {
        self.steps.get(name).and_then(|(_, body)| body.clone())
    }

    /// Fills in a text.
    #[must_use]
    pub fn text(
        &self,
        environment: &Environment,
        exchanges: &[Exchange],
        text: &str,
        seed: u64,
    ) -> String {
        if !text.contains("${") {
            return text.to_owned();
        }
        // Templates were checked when the file was loaded.
        let Ok(template) = Template::parse(text) else { return text.to_owned() };
        template
            .0
            .iter()
            .enumerate()
            .map(|(at, piece)| match self.piece(environment, exchanges, piece, seed ^ at as u64) {
                Value::String(text) => text,
                other => other.to_string(),
            })
            .collect()
    }

    /// Fills in a value; a text that is nothing but one capture takes over its type.
    #[must_use]
    pub fn value(
        &self,
        environment: &Environment,
        exchanges: &[Exchange],
        value: &Value,
        seed: u64,
    ) -> Value {
        match value {
            Value::String(text) => match Template::parse(text).map(|t| t.0) {
                Ok(pieces) if matches!(pieces.as_slice(), [Piece::Capture { .. }]) => {
                    self.piece(environment, exchanges, &pieces[0], seed)
                }
                _ => Value::String(self.text(environment, exchanges, text, seed)),
            },
            Value::Array(list) => {
                list.iter().map(|v| self.value(environment, exchanges, v, seed)).collect()
            }
            Value::Object(map) => map
                .iter()
                .map(|(k, v)| (k.clone(), self.value(environment, exchanges, v, seed)))
                .collect(),
            other => other.clone(),
        }
    }

    /// Whether `value` is nothing but the capture of a field that the named item lacks.
    #[must_use]
    pub fn lacks(&self, value: &Value) -> bool {
        let Some(Ok(template)) = value.as_str().map(Template::parse) else { return false };
        let [Piece::Capture { name, part, .. }] = template.0.as_slice() else { return false };
        let Some(item) = self.named_item(name, part) else { return false };
        if part.starts_with('/') { item.pointer(part).is_none() } else { item.get(part).is_none() }
    }

    fn piece(
        &self,
        environment: &Environment,
        exchanges: &[Exchange],
        piece: &Piece,
        seed: u64,
    ) -> Value {
        match piece {
            Piece::Text(text) => Value::String(text.clone()),
            Piece::Fresh(None) => Value::String(environment.keys.fresh()),
            Piece::Fresh(Some(length)) => environment
                .keys
                .with_shape(&KeyShape::Padded { length: *length, with: 'x' })
                .unwrap_or(Value::Null),
            Piece::Key { name, filter } => {
                let mut numbers = self.numbers.borrow_mut();
                let number =
                    numbers.entry(name.clone()).or_insert_with(|| environment.keys.fresh());
                Value::String(filter.map_or_else(|| number.clone(), |f| f.apply(number)))
            }
            Piece::Digits(name) => {
                let mint = || environment.keys.with_shape(&KeyShape::FreshInteger);
                let mut numbers = self.numbers.borrow_mut();
                let number = numbers
                    .entry(format!("digits:{name}"))
                    .or_insert_with(|| mint().unwrap_or_default().to_string());
                Value::String(number.clone())
            }
            Piece::Uuid { name, filter } => {
                let mut numbers = self.numbers.borrow_mut();
                let number = numbers
                    .entry(format!("uuid:{name}"))
                    .or_insert_with(|| environment.keys.uuid());
                Value::String(filter.map_or_else(|| number.clone(), |f| f.apply(number)))
            }
            Piece::SecondsAgo(seconds) => {
                let time = Utc::now() - TimeDelta::seconds(i64::from(*seconds));
                Value::String(time.to_rfc3339_opts(SecondsFormat::Millis, true))
            }
            Piece::Repeat(count, text) => Value::String(text.repeat((*count).min(64 << 20))),
            Piece::Fill(size) => Value::String(format!("{FILL_MARK}{size}{FILL_MARK}")),
            Piece::Item(None) => {
                let draft = environment.generator.item(seed, OptionalFields::Drawn);
                let item = OutgoingItem::with_fresh_key(environment, draft).text(environment);
                Value::String(self.on_the_wire(environment, item))
            }
            Piece::Item(Some(name)) => self.items.get(name).map_or(Value::Null, |(entry, _)| {
                Value::String(self.on_the_wire(environment, entry.text(environment)))
            }),
            Piece::Byte(byte) => char::from_u32(BYTES + u32::from(*byte))
                .map_or(Value::Null, |mark| Value::String(mark.to_string())),
            // These were bound before anything was composed.
            Piece::Name { .. } | Piece::Longest => Value::Null,
            Piece::Path => Value::String(environment.contract.operation.path.clone()),
            Piece::Host => Value::String(environment.host()),
            Piece::Token => Value::String(TOKEN_MARK.to_owned()),
            Piece::Length => Value::String(LENGTH_MARK.to_owned()),
            Piece::Chunk => Value::String(CHUNK_MARK.to_owned()),
            Piece::Capture { name, part, filter } => {
                let value = self.capture(exchanges, name, part);
                match (filter, &value) {
                    (Some(filter), Value::String(text)) => Value::String(filter.apply(text)),
                    _ => value,
                }
            }
        }
    }

    /// The text of an item in a body that a case writes out.
    fn on_the_wire(&self, environment: &Environment, item: String) -> String {
        let shape = environment.contract.shape.as_ref();
        match shape.map(|shape| &shape.form).filter(|form| !form.is_plain()) {
            Some(form) => {
                self.written.set(self.written.get() + 1);
                form.write(&item, self.written.get())
            }
            None => item,
        }
    }

    /// The item that a name stands for; a step of one item gives its name to both, and the answer is the step's.
    fn named_item(&self, name: &str, part: &str) -> Option<&Value> {
        let is_step = self.steps.contains_key(name) && is_of_answer(part);
        self.items.get(name).filter(|_| !is_step).map(|(_, value)| value)
    }

    fn capture(&self, exchanges: &[Exchange], name: &str, part: &str) -> Value {
        if let Some(value) = self.named_item(name, part) {
            return if part.starts_with('/') {
                value.pointer(part).cloned().unwrap_or(Value::Null)
            } else {
                value.get(part).cloned().unwrap_or(Value::Null)
            };
        }
        let exchange = self.steps.get(name).and_then(|(index, _)| exchanges.get(*index));
        let Some(Answer::Received(response)) = exchange.map(|e| &e.answer) else {
            return Value::Null;
        };
        if part == "status" {
            return Value::from(response.status);
        }
        if let Some(header) = part.strip_prefix("header.") {
            return response.header(&header.to_lowercase()).map_or(Value::Null, Value::from);
        }
        serde_json::from_slice::<Value>(&response.body)
            .ok()
            .and_then(|body| body.pointer(part).cloned())
            .unwrap_or(Value::Null)
    }
}
