//! What the rules said of an execution. Data only; how they are applied is not its business.

use serde::{Deserialize, Serialize};

use super::coverage_counts::CoverageCounts;
use super::finding::Finding;
use super::rule::Rule;
use super::run_tally::RunTally;

/// How often a rule passed, failed and so on.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct RuleCounts {
    /// It held.
    pub passed: u64,
    /// It did not.
    pub failed: u64,
    /// A rule that it needs had failed there.
    pub masked: u64,
    /// It did not apply.
    pub not_applicable: u64,
    /// It applied, but the answer was load, or lost on the way.
    pub unanswered: u64,
    /// It panicked.
    pub errored: u64,
}

impl RuleCounts {
    /// Adds another count.
    pub fn add(&mut self, other: &RuleCounts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.masked += other.masked;
        self.not_applicable += other.not_applicable;
        self.unanswered += other.unanswered;
        self.errored += other.errored;
    }

    /// The same, repeated `times` times.
    #[must_use]
    pub fn times(&self, times: u64) -> RuleCounts {
        RuleCounts {
            passed: self.passed * times,
            failed: self.failed * times,
            masked: self.masked * times,
            not_applicable: self.not_applicable * times,
            unanswered: self.unanswered * times,
            errored: self.errored * times,
        }
    }

    /// How often it was judged.
    #[must_use]
    pub fn judged(&self) -> u64 {
        self.passed + self.failed
    }
}

/// A finding with the rule that made it and the exchange that it is about.
#[derive(Debug, Clone)]
pub struct RuleViolation {
    /// The rule.
    pub rule: &'static Rule,
    /// Index of the exchange within the execution.
    pub exchange: usize,
    /// The finding.
    pub finding: Finding,
}

/// What the rules said of an execution.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// By the position of the rule in the registry.
    pub counts: Vec<RuleCounts>,
    /// The findings.
    pub violations: Vec<RuleViolation>,
    /// For rules of the run's scope.
    pub tally: RunTally,
    /// Which cells of the request schema were exercised. No rule looks at it; the engine counts it.
    pub covered: CoverageCounts,
}
