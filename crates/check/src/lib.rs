//! Checking: the rules, and how they are applied to what was exchanged.
//!
//! A rule sees its scope and nothing more. This module never sends, and must not know of runs, reports or
//! the command line.

use batchproof_contract as contract;
use batchproof_suite::{case, exchange, generate};

mod covered;
#[cfg(test)]
mod desk;
mod expectation;
mod judge;
mod ledger;
mod misplaced;
mod quick;
mod relation;
mod rule;
pub mod rules;
mod run_scope;
mod streamed;
mod surrogates;
mod tally;
mod view;
pub mod waiver;

pub use covered::Covered;
pub use expectation::{Expectation, Pinned};
pub use judge::{Hit, Judgement, RuleCounts, judge};
pub use ledger::{Because, Expected};
pub use quick::{Elapsed, Heads, Quick, Sent};
pub use relation::{Related, Relating};
pub use rule::{Check, Finding, Rule, Scope, Verdict, shorten as rule_shorten};
pub use run_scope::{RunVerdict, judge_run};
pub use streamed::{Excerpt, Judged, StreamJudge, Streaming};
pub use tally::{Alone, Tally, TallyKey, pairs};
pub use view::{ExchangeView, Feature, ItemVerdict, ItemView, Json, TrialView};
