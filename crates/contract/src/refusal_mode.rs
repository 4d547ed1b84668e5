//! How a server refuses invalid items (INTERPRETATION-01).
//!
//! Knows nothing of statuses or of how a mode is observed.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the two legitimate ways to refuse invalid items.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum RefusalMode {
    /// The whole request is answered 400, and nothing of it is stored.
    Request,
    /// Exactly the invalid items are rejected, in a 200.
    Item,
}

impl RefusalMode {
    /// Both modes.
    pub const ALL: [RefusalMode; 2] = [RefusalMode::Request, RefusalMode::Item];
}

impl FromStr for RefusalMode {
    type Err = String;

    fn from_str(word: &str) -> Result<RefusalMode, String> {
        match word {
            "request" => Ok(RefusalMode::Request),
            "item" => Ok(RefusalMode::Item),
            _ => Err("expected `request` or `item`".to_owned()),
        }
    }
}

impl fmt::Display for RefusalMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            RefusalMode::Request => "request",
            RefusalMode::Item => "item",
        })
    }
}
