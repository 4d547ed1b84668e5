//! The smallest trial that was found to show a finding.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::Position;
use super::exchange::ExchangeRecord;

/// How large a trial is.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Serialize, Deserialize, JsonSchema,
)]
pub struct Size {
    /// Requests.
    pub requests: u64,
    /// Items, all requests together.
    pub items: u64,
    /// Bytes of all bodies.
    pub bytes: u64,
}

/// What shrinking a finding's trial came to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Minimal {
    /// The finding.
    pub id: String,
    /// How large the trial was that showed it first.
    pub from: Size,
    /// How large the smallest one is.
    pub to: Size,
    /// Requests sent to find it.
    pub requests: u64,
    /// Items sent to find it.
    pub items: u64,
    /// How often the smallest one showed it when it was sent at last.
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
    pub position: Position,
    /// What had to be there.
    pub expected: String,
    /// What was.
    pub actual: String,
    /// In one sentence.
    pub message: String,
    /// The exchanges of the smallest trial; none where the first one was kept.
    pub evidence: Vec<ExchangeRecord>,
    /// The smallest trial as a case file; empty where it can't be written as one.
    pub case_file: String,
}

impl Minimal {
    /// Whether something smaller than the first trial was found.
    #[must_use]
    pub fn is_smaller(&self) -> bool {
        !self.evidence.is_empty()
    }
}
