//! How one item is read back: the request that shows it, and what its answer says of it.
//!
//! `file` is what a person writes, `compile` reads it against the OpenAPI document. It must not know what was sent or
//! stored.

mod compile;
pub(super) mod file;

use std::time::Duration;

use serde_json::Value;

use super::Pointer;
use super::envelope::encoded;

pub(super) use compile::{ReadItems, compile};
pub use file::ReadFile;

/// Stands for the key in a path, a header or a body.
const KEY: &str = "${key}";
/// Longest key that is put into a path, in code points.
const LONGEST: usize = 255;

/// The request that shows one item.
#[derive(Debug, Clone)]
pub struct ItemRead {
    /// Upper-case method.
    pub method: String,
    /// Path below the target's base, with its query.
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Value>,
    /// Statuses of an answer that shows the item.
    pub found: Vec<u16>,
    /// Statuses that say that it is not there.
    pub gone: Vec<u16>,
    /// Where in the answer it stands.
    pub item: Pointer,
    /// What of it is compared with what was sent.
    pub fields: Vec<ReadField>,
    /// How long what was stored may take until it can be read.
    pub within: Duration,
}

/// A field that a read shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadField {
    /// Its name in items.
    pub name: String,
    /// Where in the item that is shown it stands.
    pub at: Pointer,
    /// Whether it must be there.
    pub required: bool,
}

/// What the answer to a read says.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadAnswer {
    /// The item is there; what it is, where the answer is JSON.
    Found(Option<Value>),
    /// It is not.
    Gone,
    /// Neither.
    Unclear,
}

impl ItemRead {
    /// The path of the read of `key`.
    #[must_use]
    pub fn path_of(&self, key: &str) -> String {
        self.path.replace(KEY, &encoded(key))
    }

    /// Its headers beside the usual ones.
    #[must_use]
    pub fn headers_of(&self, key: &str) -> Vec<(String, String)> {
        let with_key = |(name, value): &(String, String)| (name.clone(), value.replace(KEY, key));
        self.headers.iter().map(with_key).collect()
    }

    /// Its body, where it has one.
    #[must_use]
    pub fn body_of(&self, key: &str) -> Option<String> {
        Some(filled(self.body.as_ref()?, key).to_string())
    }

    /// Whether a key can be read by itself: no server or gateway takes it for more than one part of a path.
    #[must_use]
    pub fn can_carry(&self, key: &str) -> bool {
        let is_odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | '%' | ';');
        !key.is_empty()
            && (!self.path.contains(KEY)
                || key.trim() == key
                    && !key.contains(is_odd)
                    && key.trim_start_matches('.') == key
                    && key.chars().count() <= LONGEST)
    }

    /// Whether a request with this method and path may be a read.
    #[must_use]
    pub fn is_at(&self, method: &str, path: &str) -> bool {
        method == self.method && self.key_in_path(path).is_some()
    }

    /// The key that a request reads, where it is a read.
    #[must_use]
    pub fn key_of(&self, method: &str, path: &str, body: Option<&[u8]>) -> Option<String> {
        if method != self.method {
            return None;
        }
        let in_path = self.key_in_path(path)?;
        match &self.body {
            Some(template) if in_path.is_empty() => {
                let body: Value = serde_json::from_slice(body?).ok()?;
                key_in(template, &body)
            }
            _ => Some(in_path),
        }
    }

    /// The key in a path of a read, empty where it stands in the body; nothing where the path is another one.
    fn key_in_path(&self, path: &str) -> Option<String> {
        let Some((before, after)) = self.path.split_once(KEY) else {
            return (path == self.path).then(String::new);
        };
        let key = path.strip_prefix(before)?.strip_suffix(after)?;
        if key.is_empty() || key.contains(['/', '?', '#', '&']) {
            return None;
        }
        decoded(key)
    }

    /// What an answer says.
    #[must_use]
    pub fn says(&self, status: u16, body: &[u8]) -> ReadAnswer {
        if self.gone.contains(&status) {
            return ReadAnswer::Gone;
        }
        if !self.found.contains(&status) {
            return ReadAnswer::Unclear;
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(body) => match self.item.get(&body) {
                None | Some(Value::Null) => ReadAnswer::Gone,
                Some(item) => ReadAnswer::Found(Some(item.clone())),
            },
            Err(_) if self.item.steps().is_empty() => ReadAnswer::Found(None),
            Err(_) => ReadAnswer::Unclear,
        }
    }
}

/// A value with the key in its texts.
fn filled(value: &Value, key: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(KEY, key)),
        Value::Array(list) => list.iter().map(|value| filled(value, key)).collect(),
        Value::Object(map) => {
            map.iter().map(|(name, value)| (name.clone(), filled(value, key))).collect()
        }
        other => other.clone(),
    }
}

/// The key that makes `value` of `template`.
fn key_in(template: &Value, value: &Value) -> Option<String> {
    match (template, value) {
        (Value::String(template), Value::String(text)) => {
            let (before, after) = template.split_once(KEY)?;
            Some(text.strip_prefix(before)?.strip_suffix(after)?.to_owned())
        }
        (Value::Array(template), Value::Array(list)) => {
            template.iter().zip(list).find_map(|(template, value)| key_in(template, value))
        }
        (Value::Object(template), Value::Object(map)) => {
            template.iter().find_map(|(name, template)| key_in(template, map.get(name)?))
        }
        _ => None,
    }
}

/// A part of a URL without its percent-encoding.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first == b'%' {
            let hex = std::str::from_utf8(behind.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}
