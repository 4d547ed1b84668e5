//! Waivers: findings that are known, with the reason, who answers for them, and until when.
//!
//! Reads a waivers file and says what each entry covers. It must not know of runs or reports: what became of a
//! waiver is added up from a record.

mod covers;
mod day;
mod load;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use day::Day;
pub use load::{load, schema};

/// One entry of a waivers file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiver {
    /// The rule.
    pub rule: String,
    /// The case, `*` standing for any characters; none: every case.
    pub case: Option<String>,
    /// The place in the answer, `*` standing for any index or name; none: every place.
    pub pointer: Option<String>,
    /// Why the finding is accepted for now.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds, in UTC.
    pub expires: Day,
    /// The finding is flaky: a run without it does not make the waiver stale.
    pub flaky: bool,
    /// Where the entry stands: file and line.
    pub at: String,
}

impl Waiver {
    /// What a report says of a finding that it covers.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{} (owner {}, until {})", self.reason, self.owner, self.expires)
    }

    /// Rule, case and pointer, as far as they are named.
    #[must_use]
    pub fn scope(&self) -> String {
        let mut text = self.rule.clone();
        if let Some(case) = &self.case {
            text.push_str(" in ");
            text.push_str(case);
        }
        match self.pointer.as_deref() {
            None => {}
            Some("") => text.push_str(" at the whole answer"),
            Some(pointer) => {
                text.push_str(" at ");
                text.push_str(pointer);
            }
        }
        text
    }
}
