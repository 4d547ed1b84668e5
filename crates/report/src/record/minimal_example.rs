//! The smallest requests that were found to show a finding.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exchange::{ExchangeRecord, FindingPosition};

/// How large the requests of an execution are.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Serialize, Deserialize, JsonSchema,
)]
pub struct ExampleSize {
    /// Requests.
    pub requests: u64,
    /// Items, all requests together.
    pub items: u64,
    /// Bytes of all bodies.
    pub bytes: u64,
}

/// The result of shrinking the requests that showed a finding.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MinimalExample {
    /// The finding.
    pub id: String,
    /// How large the execution was that showed it first.
    pub from: ExampleSize,
    /// How large the smallest one is.
    pub to: ExampleSize,
    /// Requests sent to find it.
    pub requests: u64,
    /// Items sent to find it.
    pub items: u64,
    /// How often the smallest one showed it when it was sent at the end.
    #[serde(default)]
    pub shown: u32,
    /// Of how many times.
    #[serde(default)]
    pub of: u32,
    /// Why it is not, or may not be, the smallest, where that is so; there is no evidence where nothing
    /// smaller was found at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where exactly the smallest one shows it.
    pub position: FindingPosition,
    /// What had to be there.
    pub expected: String,
    /// What was.
    pub actual: String,
    /// In one sentence.
    pub message: String,
    /// What is unusual about its input, where that matters: the most telling first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// The exchanges of the smallest one; none if nothing smaller was found.
    pub evidence: Vec<ExchangeRecord>,
    /// A good request that differs from the smallest one in as few places as possible, where one was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<Box<ExchangeRecord>>,
    /// The smallest one as a case file; empty if it cannot be written as one.
    pub case_file: String,
}

impl MinimalExample {
    /// Whether something smaller than the first execution was found.
    #[must_use]
    pub fn is_smaller(&self) -> bool {
        !self.evidence.is_empty()
    }
}
