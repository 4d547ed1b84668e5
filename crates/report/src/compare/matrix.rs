//! Several runs side by side: rules by implementations.

use super::Recorded;
use crate::check::RuleCounts;
use crate::record::{Conclusion, RuleInfo, RuleOutcome, Summary};

/// Rules by implementations.
pub struct Matrix<'a> {
    /// The runs, in the order in which they were named.
    pub columns: Vec<MatrixColumn<'a>>,
    /// The rules of all runs.
    pub rows: Vec<MatrixRow<'a>>,
    /// What differs between the runs, and so limits the comparison, in sentences.
    pub caveats: Vec<String>,
}

/// One implementation.
pub struct MatrixColumn<'a> {
    /// What the user called the run.
    pub name: &'a str,
    /// The run.
    pub summary: &'a Summary,
}

/// One rule in all runs.
pub struct MatrixRow<'a> {
    /// The rule.
    pub rule: &'a RuleInfo,
    /// By column; nothing where that run did not know the rule.
    pub cells: Vec<Option<MatrixCell>>,
}

/// One rule in one run.
#[derive(Debug, Clone, Copy)]
pub struct MatrixCell {
    /// Its outcome.
    pub outcome: RuleOutcome,
    /// How often.
    pub counts: RuleCounts,
}

impl<'a> Matrix<'a> {
    /// Lays `runs` side by side.
    #[must_use]
    pub fn from_runs(runs: &'a [Recorded]) -> Matrix<'a> {
        let mut rules: Vec<&RuleInfo> = Vec::new();
        for rule in runs.iter().flat_map(|r| &r.summary.rules) {
            if !rules.iter().any(|known| known.id == rule.rule.id) {
                rules.push(&rule.rule);
            }
        }
        let cell = |run: &Recorded, id: &str| {
            let rule = run.summary.rules.iter().find(|r| r.rule.id == id)?;
            Some(MatrixCell { outcome: rule.outcome, counts: rule.counts })
        };
        let rows = rules
            .into_iter()
            .map(|rule| MatrixRow { rule, cells: runs.iter().map(|r| cell(r, &rule.id)).collect() })
            .collect();
        let columns =
            runs.iter().map(|r| MatrixColumn { name: &r.name, summary: &r.summary }).collect();
        Matrix { columns, rows, caveats: caveats(runs) }
    }

    /// The worst of all conclusions: one that contradicts, then one that can't tell.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        let is = |wanted| self.columns.iter().any(|c| c.summary.conclusion == wanted);
        if is(Conclusion::NonConformant) {
            Conclusion::NonConformant
        } else if is(Conclusion::Inconclusive) {
            Conclusion::Inconclusive
        } else {
            Conclusion::Conformant
        }
    }
}

fn caveats(runs: &[Recorded]) -> Vec<String> {
    let differs = |of: fn(&Recorded) -> String| {
        let mut values = runs.iter().map(of);
        values.next().is_some_and(|first| values.any(|other| other != first))
    };
    let mut caveats = Vec::new();
    for (what, of) in [
        ("specification", (|r| r.head().specification.hash.clone()) as fn(&Recorded) -> String),
        ("cases", |r| r.head().suite.clone()),
        ("version of batchproof", |r| r.head().tool.clone()),
        ("depth", |r| r.head().depth.to_string()),
        ("seed", |r| r.head().seed.to_string()),
    ] {
        if differs(of) {
            caveats.push(format!("not all runs had the same {what}"));
        }
    }
    caveats
}
