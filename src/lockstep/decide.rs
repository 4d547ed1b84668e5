//! Which differences of an exchange the specification decides: what one target's answer violates and the other's does not.

use super::difference::AnswerDifference;
use crate::check::{Evaluation, Rule, RuleViolation};
use crate::record::{DifferenceKind, DifferenceVerdict};

/// What the specification says of a difference.
#[derive(Debug, Clone, Copy)]
pub(super) struct DecidedBy {
    pub verdict: DifferenceVerdict,
    pub rule: Option<&'static Rule>,
    /// Whether the answer's own bytes prove the violation.
    pub proven: bool,
}

/// What both evaluations say of one exchange.
pub(super) struct Judged<'a> {
    old: Vec<&'a RuleViolation>,
    new: Vec<&'a RuleViolation>,
}

impl<'a> Judged<'a> {
    /// What they say of the exchange at that index.
    pub(super) fn of(old: &'a Evaluation, new: &'a Evaluation, exchange: usize) -> Judged<'a> {
        let about = |evaluation: &'a Evaluation| {
            evaluation.violations.iter().filter(|v| v.exchange == exchange).collect()
        };
        Judged { old: about(old), new: about(new) }
    }

    /// What decides a difference between the two answers.
    pub(super) fn decide(&self, difference: &AnswerDifference) -> DecidedBy {
        let fitting = |list: &[&'a RuleViolation]| {
            let mut fitting: Vec<&RuleViolation> =
                list.iter().copied().filter(|v| is_about(v, difference)).collect();
            fitting.sort_by_key(|v| (v.rule.level, !v.finding.proven));
            fitting
        };
        let (old, new) = (fitting(&self.old), fitting(&self.new));
        let only = |list: &[&'a RuleViolation], other: &[&'a RuleViolation]| {
            list.iter().copied().find(|v| other.iter().all(|o| o.rule.id != v.rule.id))
        };
        let by = |verdict, violation: &RuleViolation| DecidedBy {
            verdict,
            rule: Some(violation.rule),
            proven: violation.finding.proven,
        };
        if let Some(violation) = only(&new, &old) {
            by(DifferenceVerdict::Regression, violation)
        } else if let Some(violation) = only(&old, &new) {
            by(DifferenceVerdict::Fixed, violation)
        } else if let Some(violation) = new.first() {
            by(DifferenceVerdict::BothViolate, violation)
        } else {
            DecidedBy { verdict: DifferenceVerdict::Allowed, rule: None, proven: false }
        }
    }

    /// Violations of one target alone that none of the differences accounts for, each rule once.
    pub(super) fn further(
        &self,
        differences: &[AnswerDifference],
    ) -> Vec<(DecidedBy, &'a RuleViolation)> {
        let mut out: Vec<(DecidedBy, &RuleViolation)> = Vec::new();
        for (verdict, list, other) in [
            (DifferenceVerdict::Regression, &self.new, &self.old),
            (DifferenceVerdict::Fixed, &self.old, &self.new),
        ] {
            for violation in list {
                let both = other.iter().any(|o| o.rule.id == violation.rule.id);
                let told = out.iter().any(|(_, v)| v.rule.id == violation.rule.id)
                    || differences.iter().any(|d| is_about(violation, d));
                if !both && !told {
                    let (rule, proven) = (Some(violation.rule), violation.finding.proven);
                    out.push((DecidedBy { verdict, rule, proven }, violation));
                }
            }
        }
        out
    }
}

/// Whether a violation may be what makes a difference.
fn is_about(violation: &RuleViolation, difference: &AnswerDifference) -> bool {
    let finding = &violation.finding;
    let family = violation.rule.family();
    let at = finding.place();
    let wanted = difference.place();
    let touches = at == wanted
        || wanted.starts_with(&format!("{at}/"))
        || at.starts_with(&format!("{wanted}/"));
    match difference.kind {
        DifferenceKind::Header => violation.rule.headers.contains(&&*difference.pointer),
        DifferenceKind::Answer | DifferenceKind::Json | DifferenceKind::Text => family != "TIME",
        DifferenceKind::Members => {
            let is_inside = wanted.is_empty() || touches || finding.pointer.is_empty();
            is_inside && !matches!(family, "HTTP" | "TIME")
        }
        DifferenceKind::Status | DifferenceKind::Count => !matches!(family, "HTTP" | "TIME"),
        DifferenceKind::Order => matches!(family, "ORDER" | "ECHO" | "CASE"),
        DifferenceKind::Verdict | DifferenceKind::Code => {
            let same_item = match (finding.item, difference.item) {
                (Some(item), Some(other)) => item == other,
                _ => touches || finding.pointer.is_empty(),
            };
            same_item && !matches!(family, "HTTP" | "TIME")
        }
        DifferenceKind::Missing
        | DifferenceKind::Additional
        | DifferenceKind::Type
        | DifferenceKind::Value
        | DifferenceKind::Rule => {
            let same_item = match (finding.item, difference.item) {
                (Some(item), Some(other)) => item == other,
                _ => true,
            };
            same_item && touches && !finding.pointer.is_empty()
        }
    }
}
