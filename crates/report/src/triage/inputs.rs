//! Inputs on which a target fails: a 5xx to U+0000 and one to deep nesting are two problems, whatever case shows them.
//!
//! An input counts as the reason where it alone makes the target fail; where ordinary input does too, or nearly every
//! input, there is one problem.

use std::collections::{HashMap, HashSet};

use super::cause::Cause;
use crate::check::{Grouping, rules};
use crate::record::{FindingRecord, RecordedFinding, Summary};

/// More inputs than these are one problem: the target fails on whatever is unusual.
const MANY: usize = 4;

/// The input of each finding that is to blame.
pub(super) struct Inputs<'a>(HashMap<&'a str, &'a str>);

impl<'a> Inputs<'a> {
    pub(super) fn of(summary: &'a Summary, found: &[&'a RecordedFinding]) -> Inputs<'a> {
        let failed: Vec<(&FindingRecord, Cause<'a>, &'a [String])> = found
            .iter()
            .filter(|(finding, _)| is_shared(finding))
            .map(|(finding, _)| (finding, finding.root_cause(), inputs(summary, finding)))
            .collect();
        let ordinary: HashSet<Cause<'a>> = found
            .iter()
            .filter(|(f, u)| u.confirmed && is_shared(f) && f.inputs.is_empty())
            .map(|(f, _)| f.root_cause())
            .collect();
        let alone: HashSet<(Cause<'a>, &str)> = failed
            .iter()
            .filter_map(|(_, cause, inputs)| match inputs {
                [input] => Some((*cause, input.as_str())),
                _ => None,
            })
            .collect();
        let mut chosen: Vec<(&'a str, Cause<'a>, &'a str)> = Vec::new();
        for (finding, cause, inputs) in failed {
            if ordinary.contains(&cause) {
                continue;
            }
            let own = inputs.iter().find(|input| alone.contains(&(cause, input.as_str())));
            if let Some(input) = own.or(inputs.first()) {
                chosen.push((&finding.id, cause, input));
            }
        }
        let mut kinds: HashMap<Cause<'a>, HashSet<&str>> = HashMap::new();
        for (_, cause, input) in &chosen {
            kinds.entry(*cause).or_default().insert(input);
        }
        let few = |cause: &Cause<'a>| kinds.get(cause).is_some_and(|k| k.len() <= MANY);
        Inputs(
            chosen
                .iter()
                .filter(|(_, cause, _)| few(cause))
                .map(|(id, _, input)| (*id, *input))
                .collect(),
        )
    }

    /// The input that a finding is blamed on.
    pub(super) fn get(&self, finding: &FindingRecord) -> Option<&'a str> {
        self.0.get(finding.id.as_str()).copied()
    }
}

fn is_shared(finding: &FindingRecord) -> bool {
    let grouping = rules::find(&finding.rule).map(|rule| rule.grouping);
    matches!(grouping, Some(Grouping::Shared(_)))
}

/// What is unusual about the input of the smallest requests that show a finding.
fn inputs<'a>(summary: &'a Summary, finding: &'a FindingRecord) -> &'a [String] {
    let minimal = summary.minimals.get(&finding.id).map(|m| m.inputs.as_slice());
    minimal.filter(|inputs| !inputs.is_empty()).unwrap_or(&finding.inputs)
}
