//! The batch contract: what OpenAPI can't say about a batch endpoint (`batch.yaml`).
//!
//! Only what everything else speaks of; how it looks on the wire is the shape's. It must not know any field of any one
//! endpoint.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::unique_key::{FurtherKey, SameKey};

/// A batch contract in the names that everything speaks of, whatever the shape on the wire.
#[derive(Debug, Clone, Serialize)]
pub struct BatchContract {
    /// The endpoint's name, for people.
    pub title: String,
    /// Where in the OpenAPI document the endpoint stands.
    pub operation: OperationRef,
    /// Request property that holds the items.
    pub items: String,
    /// Response property that holds the results.
    pub results: String,
    /// Item property that is the unique key; empty where there is none.
    pub unique: String,
    /// Which texts are the same unique key.
    pub same: SameKey,
    /// Further unique keys of an item.
    pub further: Vec<FurtherKey>,
    /// Whether tenants share their unique keys; without it, each tenant has keys of its own.
    pub unique_across_tenants: bool,
    /// Item properties that a result repeats.
    pub echo: Vec<String>,
    /// How a result says accepted or rejected.
    pub verdict: VerdictField,
    /// Where a result, and a refused request, says why.
    pub error: ErrorFields,
    /// Elapsed fields, in milliseconds.
    pub elapsed: ElapsedFields,
    /// Item properties that name something the target must know already.
    pub references: Vec<String>,
    /// Documented error codes.
    pub codes: BTreeMap<String, ErrorCode>,
    /// What generated values look like.
    pub samples: BTreeMap<String, Sample>,
    /// The figures that interpretations name.
    pub limits: Limits,
}

impl BatchContract {
    /// Whether items have a unique key.
    #[must_use]
    pub fn has_key(&self) -> bool {
        !self.unique.is_empty()
    }

    /// Whether nothing is left out of it that a contract may do without, but elapsed times and references.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.echoes_key() && self.error.has_code && self.error.has_description
    }

    /// Whether a property of items is a unique key, the first or a further one.
    #[must_use]
    pub fn is_unique(&self, name: &str) -> bool {
        self.unique == name && self.has_key() || self.further_key(name).is_some()
    }

    /// The further unique key that a property of items is.
    #[must_use]
    pub fn further_key(&self, name: &str) -> Option<&FurtherKey> {
        self.further.iter().find(|key| key.field == name)
    }

    /// Whether results repeat the unique key.
    #[must_use]
    pub fn echoes_key(&self) -> bool {
        self.has_key() && self.echo.contains(&self.unique)
    }
}

/// Position of the operation in the OpenAPI document.
#[derive(Debug, Clone, Serialize)]
pub struct OperationRef {
    /// Path template key under `paths`.
    pub path: String,
    /// Lower-case method key.
    pub method: String,
}

/// The result field that carries the verdict, and its two values.
#[derive(Debug, Clone, Serialize)]
pub struct VerdictField {
    /// Result property.
    pub field: String,
    /// Its value for an accepted item.
    pub accepted: String,
    /// Its value for a rejected item.
    pub rejected: String,
}

/// Names of the error fields.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorFields {
    /// Property with the error code.
    pub code: String,
    /// Property with the description.
    pub description: String,
    /// Whether the contract has such a code.
    pub has_code: bool,
    /// Whether it has such a description.
    pub has_description: bool,
}

/// Names of the elapsed fields; absent where an endpoint has none.
#[derive(Debug, Clone, Default, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ElapsedFields {
    /// In a result.
    #[serde(default)]
    pub item: Option<String>,
    /// In the answer.
    #[serde(default)]
    pub total: Option<String>,
}

/// A documented error code.
#[derive(Debug, Clone, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorCode {
    /// Its documented meaning.
    pub means: String,
    /// What provokes it.
    pub cause: CodeCause,
    /// The only field that it speaks of, where it speaks of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// An error code as text: a number as it is written (INTERPRETATION-12).
#[must_use]
pub fn code_text(value: &serde_json::Value) -> Option<Cow<'_, str>> {
    match value {
        serde_json::Value::String(text) => Some(Cow::Borrowed(text)),
        serde_json::Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// What provokes an error code.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Deserialize,
    Serialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum CodeCause {
    /// A mandatory field is missing or null.
    Missing,
    /// The unique number was used before.
    Used,
    /// Any other invalid value.
    Invalid,
}

/// What generated values of a field look like.
#[derive(Debug, Clone, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sample {
    /// One of these values.
    OneOf(Vec<serde_json::Value>),
    /// Text that this regular expression matches whole.
    Pattern(String),
    /// An amount of money, with at most two digits after the point.
    Amount {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
}

/// The figures that interpretations name.
#[derive(Debug, Clone, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Longest plain string that must be accepted, in code points (INTERPRETATION-16).
    pub plain_string: usize,
    /// Largest batch that should be processed (INTERPRETATION-22).
    pub batch_items: usize,
    /// Numbers of this magnitude and above are not judged (INTERPRETATION-20).
    pub magnitude: f64,
    /// Digits after the point that must be accepted (INTERPRETATION-20).
    pub fraction_digits: usize,
    /// Fractional digits of a second that must be accepted (INTERPRETATION-19).
    pub instant_digits: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            plain_string: 255,
            batch_items: 1000,
            magnitude: 1e14,
            fraction_digits: 4,
            instant_digits: 9,
        }
    }
}

pub use crate::shape::file::schema;
