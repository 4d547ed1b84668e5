//! What a contract says of unique keys: within what they are unique, how they compare, and what a used one gets.
//!
//! It must not know where a key stands.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which texts are the same key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SameKey {
    /// Those that are equal code point by code point.
    #[default]
    CodePoint,
    /// Those that differ in nothing but letter case.
    IgnoreCase,
}

/// Within what a key must not be used twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyScope {
    /// Everything that the target ever accepted.
    #[default]
    Target,
    /// One request.
    Request,
}

/// What an item gets whose key was used before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Again {
    /// It is rejected.
    #[default]
    Rejected,
    /// The whole request is refused.
    Refused,
    /// It takes the place of what was stored before.
    Replaced,
    /// It gets the answer that the first one got.
    Returned,
    /// It is accepted like any other.
    Free,
}

/// A unique key beside the first one.
#[derive(Debug, Clone, Serialize)]
pub struct FurtherKey {
    /// Item property that is the key.
    pub field: String,
    /// The same as a pointer into the item on the wire.
    pub pointer: String,
    /// Within what it must not be used twice.
    pub within: KeyScope,
    /// What an item gets whose key was used before.
    pub again: Again,
    /// Which texts are the same key.
    pub same: SameKey,
    /// Item properties that belong to the key.
    pub with: Vec<String>,
}

impl FurtherKey {
    /// Whether a used key may not be used again in a later request.
    #[must_use]
    pub fn stays_used(&self) -> bool {
        self.within == KeyScope::Target && self.again != Again::Free
    }
}

impl SameKey {
    /// A key as it is compared, where letter case that is not ASCII's is left as it is.
    #[must_use]
    pub fn compared(self, key: &str) -> Cow<'_, str> {
        match self {
            SameKey::IgnoreCase if key.bytes().any(|b| b.is_ascii_uppercase()) => {
                Cow::Owned(key.to_ascii_lowercase())
            }
            _ => Cow::Borrowed(key),
        }
    }
}
