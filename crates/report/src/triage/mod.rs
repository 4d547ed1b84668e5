//! Triage: makes the problems of a run from its record. A problem is a root cause, with the findings that show it:
//! which of them leads, and whether it is confirmed, unconfirmed or waived.
//!
//! Pure: every report, replay, export and merge uses it. It must not know the network, nor the words in which
//! problems are shown.

mod cause;
mod difference_group;
mod explained;
mod flakiness;
mod inputs;
mod problem;

pub(crate) use cause::with_remembered_credentials;
pub use cause::{Cause, by_cause, names_ignore_case, remembers_credentials};
pub use difference_group::{DifferenceGroup, difference_groups, verdict_counts};
pub use explained::explained;
pub use flakiness::{Occurrences, is_flaky, is_flaky_cause, tries_needed};
pub use problem::{Problem, ProblemState, ProblemTotals, problems, problems_among};
