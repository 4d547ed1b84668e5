//! Two executions of one run of a case, compared exchange by exchange. Pure.

use super::answers::compare_answers;
use super::decide::{DecidedBy, Judged};
use super::difference::AnswerDifference;
use super::input::kind_of_input;
use super::rename::Renames;
use crate::check::Evaluation;
use crate::contract::Contract;
use crate::execution::Execution;
use crate::generate::KeyPrefixes;
use crate::record::{DifferenceKind, DifferenceVerdict};

/// A difference that an execution showed.
#[derive(Debug, Clone)]
pub(super) struct SeenDifference {
    pub exchange: usize,
    pub difference: AnswerDifference,
    pub decided: DecidedBy,
    pub input: String,
}

/// What a comparison has to know.
pub(super) struct Comparison<'a> {
    pub contract: &'a Contract,
    pub prefixes: &'a KeyPrefixes,
    pub ignored: &'a [String],
    /// Values that change from answer to answer.
    pub volatile: &'a [String],
}

impl Comparison<'_> {
    /// The differences between two executions, and how many exchanges could be compared.
    pub(super) fn executions(
        &self,
        (old, judged_old): (&Execution, &Evaluation),
        (new, judged_new): (&Execution, &Evaluation),
    ) -> (Vec<SeenDifference>, u64) {
        let renames = Renames::between(old, new, self.prefixes);
        let (mut seen, mut compared) = (Vec::new(), 0);
        // Whether the targets are in different states since an answer before.
        let mut diverged = false;
        for (index, (a, b)) in old.exchanges.iter().zip(&new.exchanges).enumerate() {
            let Some(mut found) = compare_answers(self.contract, a, b, &renames) else { continue };
            compared += 1;
            found.retain(|difference| !self.is_left_out(difference));
            let judged = Judged::of(judged_old, judged_new, index);
            let further = judged.further(&found);
            let parts = diverged;
            diverged |= found.iter().any(AnswerDifference::has_consequences);
            for difference in found {
                let decided = judged.decide(&difference);
                // Another state of the target explains it, or which of simultaneous requests came first; unless a rule
                // decides.
                let explained = (parts || b.group.is_some()) && difference.may_follow();
                if explained && decided.verdict == DifferenceVerdict::Allowed {
                    continue;
                }
                let input = kind_of_input(b, difference.item);
                seen.push(SeenDifference { exchange: index, difference, decided, input });
            }
            for (decided, violation) in further {
                let finding = &violation.finding;
                let keeps = format!("keeps {}", violation.rule.id);
                let kind = finding.kind.clone();
                let actual = finding.actual.to_string();
                let expected = finding.expected.to_string();
                let is_new = decided.verdict == DifferenceVerdict::Regression;
                let (tokens, values) = if is_new {
                    ((keeps, kind), (expected, actual))
                } else {
                    ((kind, keeps), (actual, expected))
                };
                let mut difference = AnswerDifference::new(
                    DifferenceKind::Rule,
                    finding.pointer.clone(),
                    tokens,
                    values,
                );
                difference.item = finding.item;
                if !self.is_left_out(&difference) {
                    let input = kind_of_input(b, finding.item);
                    seen.push(SeenDifference { exchange: index, difference, decided, input });
                }
            }
        }
        (seen, compared)
    }

    /// Whether the user wants it ignored, or the value changes from answer to answer.
    fn is_left_out(&self, difference: &AnswerDifference) -> bool {
        let place = difference.place();
        let is_below = |pattern: &String| covers(pattern, &place);
        self.ignored.iter().any(is_below)
            || difference.kind == DifferenceKind::Value && self.volatile.contains(&place)
    }
}

/// Whether a pattern names a place, or one above it; `*` stands for any step.
fn covers(pattern: &str, place: &str) -> bool {
    let mut steps = place.split('/');
    !place.is_empty()
        && pattern.split('/').all(|wanted| {
            steps.next().is_some_and(|step| {
                let is_index = !wanted.is_empty() && wanted.bytes().all(|b| b.is_ascii_digit());
                wanted == "*" || wanted.eq_ignore_ascii_case(step) || step == "*" && is_index
            })
        })
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_pointer_covers_what_is_below_it() {
        for (pattern, place) in [
            ("/results/*/errorDescription", "/results/*/errorDescription"),
            ("/results/0/errorDescription", "/results/*/errorDescription"),
            ("/results/*", "/results/*/errorCode"),
            ("/results", "/results/*/errorCode"),
            ("Content-Type", "content-type"),
        ] {
            assert!(covers(pattern, place), "{pattern} {place}");
        }
        for (pattern, place) in [
            ("/results/*/errorCode", "/results/*"),
            ("/result", "/results/*"),
            ("/results", ""),
            ("content", "content-type"),
        ] {
            assert!(!covers(pattern, place), "{pattern} {place}");
        }
    }
}
