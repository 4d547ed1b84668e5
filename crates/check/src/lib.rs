//! Checking: the rules, and how they are applied to what was exchanged.
//!
//! It reads data → model → rules → evaluation: the views of an execution, the reference model that predicts
//! verdicts, the rules, and what applying them comes to. It never sends, and must not know of runs, reports or the
//! command line.

use batchproof_contract as contract;
use batchproof_suite::{case, exchange, generate};

mod coverage_counts;
mod evaluate;
mod evaluate_run;
mod evaluation;
mod exchange_view;
mod expectation;
mod fast_path;
mod finding;
#[cfg(test)]
mod fixture;
mod key_use;
pub mod map_as_pairs;
mod message;
mod model;
mod outlined;
mod parse;
mod prediction;
mod relation;
mod rule;
pub mod rules;
mod run_tally;
mod streamed;
mod text;
pub mod waiver;

pub use coverage_counts::CoverageCounts;
pub use evaluate_run::{RunEvaluation, evaluate_run};
pub use evaluation::{Evaluation, RuleCounts, RuleViolation};
pub use exchange_view::{
    ExchangeView, ExecutionView, ItemVerdict, ItemView, ParsedBody, RequestFeature,
};
pub use expectation::{Expectation, ExpectationSource};
pub use fast_path::{ElapsedTimes, FastPath, HeaderCache, SentItems};
pub use finding::{Finding, Symptom, Verdict};
pub use message::Message;
pub use model::{SoughtItem, keys_in_text, sought_by, sought_items};
pub use outlined::{evaluate, evaluate_since};
pub use prediction::{Prediction, UnusedReason};
pub use relation::{ItemAt, VerdictRelation};
pub use rule::{By, Check, Explains, Grouping, Reach, Rule, Scope, family_of};
pub use run_tally::{FaultKind, ProbeResult, RunTally};
pub use streamed::{Excerpt, StreamContext, StreamEvaluation, StreamEvaluator};
pub use text::{TextChange, shorten};
