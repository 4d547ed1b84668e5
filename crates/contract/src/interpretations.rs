//! Levels, and the numbered interpretations of what a specification leaves open.
//!
//! Knows nothing of rules; a rule cites an interpretation by its id.

use serde::{Deserialize, Serialize};

/// How much a contradiction weighs.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// A contradiction makes the implementation nonconformant.
    Must,
    /// A contradiction is reported, and fails only a strict run.
    Should,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
        })
    }
}

/// One question that the specification leaves open, and how it is answered here.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interpretation {
    /// Permanent id, `INTERPRETATION-NN`.
    pub id: String,
    /// What the specification is silent about.
    pub question: String,
    /// What is taken for conformant, and what is not.
    pub interpretation: String,
    /// The level of a contradiction, where the interpretation names no other.
    pub level: Level,
    /// Why it is interpreted this way.
    pub reason: String,
}
