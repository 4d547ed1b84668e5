//! What a person writes of fields that stand in two places.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// What a result repeats.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum EchoFile {
    /// Pointers that item and result have in common.
    Same(Vec<String>),
    /// Item pointers with result pointers.
    Renamed(BTreeMap<String, String>),
}

impl Default for EchoFile {
    fn default() -> Self {
        EchoFile::Same(Vec::new())
    }
}
