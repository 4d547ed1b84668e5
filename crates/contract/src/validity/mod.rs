//! Validity: what the contract and its interpretations say of an item or a body, before any answer is seen.
//!
//! The one place where "valid", "refused", "should" and "not judged" are decided; generator, rules and
//! reference server all ask here. It knows values, never requests or answers.

mod body;
mod class;
mod item;
mod lenient;
mod lines;
mod syntax;
mod text;

pub use body::BodyValidity;
pub use class::{ExemptClass, InvalidClass, ValueKind};
pub use text::is_plain;

use super::batch::CodeCause;
use super::interpretations::Level;

/// Why an item or a body must be refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InvalidReason {
    /// JSON pointer inside the item (or the body).
    pub pointer: String,
    /// The schema keyword that is broken; `json` where the body is not JSON.
    pub keyword: String,
    /// What is wrong with the value.
    pub class: InvalidClass,
    /// Whether accepting it is a MUST or a SHOULD finding.
    pub level: Level,
    /// Which error codes fit.
    pub code: CodeCause,
}

/// Why a value is not judged, or why refusing it is only a SHOULD finding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Exemption {
    /// JSON pointer inside the item; empty for the whole body.
    pub pointer: String,
    /// What the value is.
    pub class: ExemptClass,
}

/// What must happen to an item with an unused key, whatever else the batch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExpectedOutcome {
    /// Accepted; anything else is a finding of this level.
    Accept(Level),
    /// Refused in either refusal mode; accepting is a finding of this level.
    Refuse(Level),
    /// Any answer but a 5xx, a dropped connection or a hang.
    NotJudged,
}

/// All that the contract says of one item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validity {
    /// Reasons to refuse it.
    pub invalid: Vec<InvalidReason>,
    /// Reasons not to judge it.
    pub exempt: Vec<Exemption>,
    /// Reasons why refusing it is only a SHOULD finding.
    pub unusual: Vec<Exemption>,
    /// Pointer of a property that the schema does not name, where there is one.
    pub additional: Option<String>,
}

impl Validity {
    /// What must happen to the item while its key is unused.
    #[must_use]
    pub fn expected_outcome(&self) -> ExpectedOutcome {
        if self.invalid.iter().any(|c| c.level == Level::Must) {
            ExpectedOutcome::Refuse(Level::Must)
        } else if !self.exempt.is_empty() {
            ExpectedOutcome::NotJudged
        } else if !self.invalid.is_empty() {
            if self.unusual.is_empty() {
                ExpectedOutcome::Refuse(Level::Should)
            } else {
                ExpectedOutcome::NotJudged
            }
        } else if self.unusual.is_empty() {
            ExpectedOutcome::Accept(Level::Must)
        } else {
            ExpectedOutcome::Accept(Level::Should)
        }
    }
}

/// Escapes a property name for a JSON pointer (RFC 6901 section 3).
#[must_use]
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
