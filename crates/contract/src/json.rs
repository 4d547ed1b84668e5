//! JSON as it was read: its value, the key that an object has twice, which a value can't show (RFC 8259, section 4),
//! and members of small objects.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use crate::beyond_limits::cut_down;
use crate::surrogates;

/// Members of an object up to which looking at each name beats the hash of one.
const FEW: usize = 16;
/// Most members that room is made for before they are read.
const ROOM: usize = 32;

/// A JSON document that was read in one pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its value; of equal keys in one object the last one counts.
    pub value: Value,
    /// A key that one of its objects has twice.
    pub repeated: Option<String>,
}

impl Document {
    /// Reads a text that is a document and nothing else.
    ///
    /// # Errors
    /// Where it is not JSON, or more follows.
    pub fn read(json: &[u8]) -> Result<Document, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let document = Document::take(&mut deserializer)?;
        deserializer.end()?;
        Ok(document)
    }

    /// Reads a document and leaves what follows it.
    ///
    /// # Errors
    /// Where the text does not begin with JSON.
    pub fn take<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Document, D::Error> {
        let mut repeated = None;
        let mut members = 0;
        let reader = DocumentReader { repeated: &mut repeated, members: &mut members };
        let value = deserializer.deserialize_any(reader)?;
        Ok(Document { value, repeated })
    }
}

/// The value of a text that is JSON by its grammar, though our parser does not read it: halves of surrogate pairs, numbers
/// beyond a double, very deep nesting.
#[must_use]
pub fn read_leniently(json: &[u8]) -> Option<Value> {
    surrogates::replaced(json).or_else(|| cut_down(json))
}

/// A key that an object of the first document in `json` has twice, as far as it can be read.
#[must_use]
pub fn repeated_key(json: &[u8]) -> Option<String> {
    let mut repeated = None;
    let reader = DocumentReader { repeated: &mut repeated, members: &mut 0 };
    let _ = reader.deserialize(&mut serde_json::Deserializer::from_slice(json));
    repeated
}

/// A member of an object, as [`Value::get`] finds it; faster where the object is small.
#[must_use]
pub fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) if map.len() <= FEW => {
            map.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
        }
        Value::Object(map) => map.get(name),
        _ => None,
    }
}

/// Builds a value; `members` is what the last object had, and the next one may have.
struct DocumentReader<'a> {
    repeated: &'a mut Option<String>,
    members: &'a mut usize,
}

impl DocumentReader<'_> {
    fn inner(&mut self) -> DocumentReader<'_> {
        DocumentReader { repeated: self.repeated, members: self.members }
    }
}

impl<'de> DeserializeSeed<'de> for DocumentReader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for DocumentReader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        let Some(mut key) = access.next_key::<String>()? else {
            return Ok(Value::Object(Map::new()));
        };
        let mut map = Map::with_capacity((*self.members).clamp(1, ROOM));
        loop {
            let value = access.next_value_seed(self.inner())?;
            match map.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(mut entry) => {
                    *self.repeated = Some(entry.key().clone());
                    entry.insert(value);
                }
            }
            match access.next_key()? {
                Some(next) => key = next,
                None => break,
            }
        }
        *self.members = map.len();
        Ok(Value::Object(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(self.inner())? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_what_serde_reads() {
        for text in [
            "{}",
            "[]",
            "[{\"a\":1,\"b\":[{},{\"c\":null}]},-1,1.50,1e3,18446744073709551615,true,\"\\u00e9\"]",
            "{\"a\":{\"a\":{}},\"b\":[],\"a\":2}",
            "{\"a\":1}x",
            "{\"a\":1e999}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":1,}",
            "",
        ] {
            let expected: Result<Value, String> =
                serde_json::from_str(text).map_err(|error| error.to_string());
            let read = Document::read(text.as_bytes()).map_err(|error| error.to_string());
            assert_eq!(read.map(|d| d.value), expected, "{text}");
        }
    }

    #[test]
    fn a_repeated_key_is_found_at_any_depth_as_far_as_the_text_goes() {
        for (text, key) in [
            ("{\"a\":1,\"a\":2}", Some("a")),
            ("[{\"b\":{\"\\u0061\":1,\"c\":2,\"a\":3}}]", Some("a")),
            ("{\"a\":{\"a\":1},\"b\":{\"a\":1}}", None),
            ("{\"a\":1,\"a\":2,", Some("a")),
            ("[{\"a\":1},{\"a\":1}]", None),
        ] {
            assert_eq!(repeated_key(text.as_bytes()).as_deref(), key, "{text}");
        }
        let document = Document::read(b"{\"a\":1,\"a\":2}").unwrap();
        assert_eq!(document.repeated.as_deref(), Some("a"));
    }

    #[test]
    fn members_are_those_that_serde_finds() {
        let wide: Map<String, Value> = (0..40).map(|n| (format!("k{n}"), n.into())).collect();
        for value in [Value::Object(wide), serde_json::json!({"k1": 1, "k30": null}), Value::Null] {
            for name in ["k1", "k30", "k", ""] {
                assert_eq!(member(&value, name), value.get(name), "{name} of {value}");
            }
        }
    }
}
