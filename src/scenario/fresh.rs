//! Fresh numbers for what is sent again: the nonce of each is exchanged, so that whatever numbers have in
//! common stays as it was.

use std::collections::HashMap;

use serde_json::Value;

use super::ItemText;
use crate::contract::{Contract, code_text};
use crate::generate::{KeyGenerator, KeyPrefixes, KeyShape};

/// Old prefixes with the new ones for one attempt.
pub struct FreshKeys<'a> {
    keys: &'a KeyGenerator,
    old: &'a KeyPrefixes,
    new: Vec<String>,
    integers: HashMap<u64, Value>,
    /// Keys of a form of their own, by their old JSON text.
    formed: HashMap<String, Value>,
}

impl<'a> FreshKeys<'a> {
    /// New nonces for all prefixes of `old`.
    #[must_use]
    pub fn new(keys: &'a KeyGenerator, old: &'a KeyPrefixes) -> FreshKeys<'a> {
        let new = old.list().iter().map(|prefix| KeyGenerator::prefix_like(prefix)).collect();
        FreshKeys { keys, old, new, integers: HashMap::new(), formed: HashMap::new() }
    }

    /// The new prefixes.
    #[must_use]
    pub fn prefixes(&self) -> &[String] {
        &self.new
    }

    /// Bytes with fresh numbers.
    #[must_use]
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut from = 0;
        for minted in self.old.find(bytes) {
            let Some(new) = self.new.get(minted.prefix) else { continue };
            let start = new.len().saturating_sub(minted.nonce.len() + 1);
            let nonce = &new[start..new.len() - 1];
            out.extend_from_slice(&bytes[from..minted.nonce.start]);
            if minted.upper {
                out.extend(nonce.bytes().map(|b| b.to_ascii_uppercase()));
            } else {
                out.extend_from_slice(nonce.as_bytes());
            }
            from = minted.nonce.end;
        }
        out.extend_from_slice(&bytes[from..]);
        out
    }

    /// The fresh key in place of one that has a form of its own, or is a number.
    #[must_use]
    pub fn formed(&self, old: &str) -> Option<String> {
        let text = |value: &Value| code_text(value).map(std::borrow::Cow::into_owned);
        let number = || self.integers.get(&old.parse().ok()?);
        let formed = self.formed.get(&Value::from(old).to_string());
        text(formed.or_else(|| self.formed.get(old)).or_else(number)?)
    }

    /// Text with fresh numbers.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        String::from_utf8(self.bytes(text.as_bytes())).unwrap_or_else(|_| text.to_owned())
    }

    /// A value with fresh numbers in all its strings.
    #[must_use]
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(list) => list.iter().map(|v| self.value(v)).collect(),
            Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), self.value(v))).collect(),
            other => other.clone(),
        }
    }

    /// An item's text with fresh numbers, those behind escapes and JSON numbers too.
    pub fn item(&mut self, contract: &Contract, item: &ItemText) -> String {
        let unique = &contract.batch.unique;
        let number = item.field(unique).and_then(|t| serde_json::from_str::<Value>(&t).ok());
        let item = match &number {
            Some(old) if self.keys.has_form() => {
                let keys = self.keys;
                let new = self
                    .formed
                    .entry(old.to_string())
                    .or_insert_with(|| keys.with_shape(&KeyShape::Plain).unwrap_or(Value::Null));
                item.with(unique, &new.to_string())
            }
            Some(Value::String(text)) if is_hidden(self.old, text, item.text()) => {
                item.with(unique, &escaped(&self.text(text)))
            }
            Some(Value::Number(n)) => match n.as_u64().filter(|n| KeyGenerator::is_integer_key(*n))
            {
                Some(old) => {
                    let keys = self.keys;
                    let new = self.integers.entry(old).or_insert_with(|| {
                        keys.with_shape(&KeyShape::FreshInteger).unwrap_or(Value::Null)
                    });
                    item.with(unique, &new.to_string())
                }
                None => item.clone(),
            },
            _ => item.clone(),
        };
        self.text(item.text())
    }
}

/// Whether a key that a generator made stands in the text only behind escapes.
fn is_hidden(prefixes: &KeyPrefixes, number: &str, text: &str) -> bool {
    !prefixes.find(number.as_bytes()).is_empty() && prefixes.find(text.as_bytes()).is_empty()
}

/// A JSON string that is nothing but escapes.
fn escaped(text: &str) -> String {
    let units: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{}\"", units.concat())
}
