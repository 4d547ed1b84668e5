//! What a person writes of reads.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::shape::echo_file::EchoFile;

/// The request that shows one item; `${key}` stands for its unique key.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReadFile {
    /// Path as the document has it, with `${key}` in place of its parameter; a query may follow.
    pub path: String,
    /// Lower-case method.
    #[serde(default = "get", skip_serializing_if = "is_get")]
    pub method: String,
    /// Headers beside the usual ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Status of an answer that shows the item, or several.
    #[serde(default = "ok", skip_serializing_if = "is_ok")]
    pub found: StatusesFile,
    /// Status that says that the item is not there, or several.
    #[serde(default = "not_found", skip_serializing_if = "is_not_found")]
    pub gone: StatusesFile,
    /// Pointer to the item in the answer. Nothing there, or null, says that it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Fields that are shown as they were sent: a list, or item pointers with pointers into what is shown. Left out: the
    /// echoed fields, as far as the answer has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<EchoFile>,
    /// Seconds until what was stored must be seen: 2 where nothing is said, at most 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
}

fn get() -> String {
    "get".to_owned()
}

fn is_get(method: &str) -> bool {
    method == "get"
}

fn ok() -> StatusesFile {
    StatusesFile::One(200)
}

fn is_ok(statuses: &StatusesFile) -> bool {
    statuses.list() == [200]
}

fn not_found() -> StatusesFile {
    StatusesFile::One(404)
}

fn is_not_found(statuses: &StatusesFile) -> bool {
    statuses.list() == [404]
}

/// A status, or several.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum StatusesFile {
    /// This one.
    One(u16),
    /// One of these.
    Several(Vec<u16>),
}

impl StatusesFile {
    /// All of them.
    #[must_use]
    pub fn list(&self) -> Vec<u16> {
        match self {
            StatusesFile::One(status) => vec![*status],
            StatusesFile::Several(list) => list.clone(),
        }
    }
}

impl<'de> Deserialize<'de> for StatusesFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusesVisitor)
    }
}

struct StatusesVisitor;

impl<'de> Visitor<'de> for StatusesVisitor {
    type Value = StatusesFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status such as 404, or a list of them")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<StatusesFile, E> {
        match u16::try_from(number) {
            Ok(status @ 100..=599) => Ok(StatusesFile::One(status)),
            _ => Err(E::invalid_value(serde::de::Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<StatusesFile, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(serde::de::Unexpected::Signed(number), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<StatusesFile, A::Error> {
        let mut all = Vec::new();
        while let Some(status) = list.next_element()? {
            all.push(status);
        }
        Ok(StatusesFile::Several(all))
    }
}
