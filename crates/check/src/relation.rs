//! Relations between two answers of a trial: what a change that means nothing must not change.

use super::evaluation::{Evaluation, RuleViolation};
use super::exchange_view::{ExecutionView, ItemVerdict};
use super::expectation::accounts_for;
use super::finding::{Finding, Symptom};
use super::rule::Rule;
use super::rules;
use crate::contract::Profile;

/// An item of one exchange: exchange index and position.
pub type ItemAt = (usize, usize);

/// Items whose verdicts must be the same.
#[derive(Debug, Clone)]
pub struct VerdictRelation {
    /// What was done, such as `permute`.
    pub what: String,
    /// The rule it is judged under.
    pub rule: &'static Rule,
    /// Items of the first request beside theirs in the second.
    pub pairs: Vec<(ItemAt, ItemAt)>,
}

pub(super) fn hold(
    evaluation: &mut Evaluation,
    view: &ExecutionView<'_>,
    profile: &Profile,
    relating: &VerdictRelation,
) {
    let Some(index) = rules::index(relating.rule.id) else { return };
    if profile.skip_reason(relating.rule.id).is_some()
        || rules::why_not(view.contract, relating.rule.id).is_some()
    {
        evaluation.counts[index].not_applicable += 1;
        return;
    }
    let verdict = |(exchange, item): ItemAt| -> Option<ItemVerdict> {
        view.exchanges
            .iter()
            .find(|v| v.exchange.index == exchange)
            .and_then(|v| v.verdicts.get(item).copied().flatten())
    };
    // What a rule has found already explains a verdict that moved.
    let explained = |(exchange, item): ItemAt| {
        evaluation.violations.iter().any(|h| {
            accounts_for(h.rule, relating.rule)
                && h.exchange == exchange
                && (h.finding.item.is_none() || h.finding.item == Some(item))
        })
    };
    let mut compared = 0_u64;
    let mut masked = 0_u64;
    let mut moved = Vec::new();
    for (first, second) in &relating.pairs {
        let (Some(before), Some(after)) = (verdict(*first), verdict(*second)) else { continue };
        if before == after {
            compared += 1;
        } else if explained(*first) || explained(*second) {
            masked += 1;
        } else {
            moved.push((*first, *second, before, after));
        }
    }
    let counts = &mut evaluation.counts[index];
    counts.masked += masked;
    if moved.is_empty() {
        if compared > 0 {
            counts.passed += 1;
        } else if masked == 0 {
            counts.not_applicable += 1;
        }
        return;
    }
    counts.failed += 1;
    let batch = &view.contract.batch;
    let word = |v: ItemVerdict| match v {
        ItemVerdict::Accepted => batch.verdict.accepted.clone(),
        ItemVerdict::Rejected => batch.verdict.rejected.clone(),
    };
    for ((first, at), (second, to), before, after) in moved {
        let finding = Finding::new(
            format!("verdict moved: {}", relating.what),
            format!("/{}/{to}/{}", batch.results, batch.verdict.field),
            format!("{}, as item {at} of request {}", word(before), first + 1),
            word(after),
        )
        .item(to)
        .shows(Symptom::ExpectationUnmet);
        evaluation.violations.push(RuleViolation {
            rule: relating.rule,
            exchange: second,
            finding,
        });
    }
}
