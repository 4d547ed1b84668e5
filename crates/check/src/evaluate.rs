//! Applies the rules to an execution: in the order of what they need, masked where that failed.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use super::coverage_counts::CoverageCounts;
use super::evaluation::{Evaluation, RuleCounts, RuleViolation};
use super::exchange_view::{ExchangeView, ExecutionView, ItemView};
use super::expectation::{self, Expectation};
use super::finding::{Finding, Verdict};
use super::model;
use super::relation::{self, VerdictRelation};
use super::rule::{Check, Rule};
use super::rules;
use super::run_tally::RunTally;
use crate::contract::{Contract, Profile};
use crate::exchange::Exchange;

/// Positions of the rules, those that others need first.
static ORDER: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let all = rules::all();
    let mut order: Vec<usize> = Vec::with_capacity(all.len());
    let mut placed = vec![false; all.len()];
    // At most one round a rule; what is left then stands in a circle and is placed as it comes.
    for round in 0..=all.len() {
        for (index, rule) in all.iter().enumerate() {
            let ready =
                rule.needs.iter().filter_map(|id| rules::index(id)).all(|needed| placed[needed]);
            if !placed[index] && (ready || round == all.len()) {
                placed[index] = true;
                order.push(index);
            }
        }
    }
    order
});

/// Where a rule failed on an exchange: on all of it, or on some items.
#[derive(Default, Clone)]
struct Failed {
    whole: bool,
    items: BTreeSet<usize>,
}

/// Holds an execution whose answers were held whole against every rule that the profile does not skip. Exchanges before
/// `since` were judged already: they say what became of keys.
pub(super) fn evaluate_held(
    contract: &Contract,
    profile: &Profile,
    exchanges: &[Exchange],
    expectations: &[Expectation],
    relating: Option<&VerdictRelation>,
    since: usize,
) -> Evaluation {
    let view = model::execution_view(contract, exchanges);
    let all = rules::all();
    let mut evaluation = Evaluation {
        counts: vec![RuleCounts::default(); all.len()],
        violations: Vec::new(),
        tally: RunTally::default(),
        covered: CoverageCounts::default(),
    };
    let mut execution_failed = vec![false; all.len()];
    let skipped: Vec<bool> = all
        .iter()
        .map(|r| profile.skip_reason(r.id).is_some() || rules::why_not(contract, r.id).is_some())
        .collect();
    // Of a read of one item, only rules about stored items speak.
    for exchange in view.exchanges.iter().skip(since).filter(|view| !view.is_read()) {
        let mut failed: Vec<Failed> = vec![Failed::default(); all.len()];
        for &index in ORDER.iter() {
            let rule = all[index];
            if skipped[index] {
                evaluation.counts[index].not_applicable += 1;
                continue;
            }
            match rule.check {
                Check::Exchange(check) => {
                    evaluate_exchange(&mut evaluation, exchange, index, rule, check, &mut failed);
                }
                Check::Item(check) => {
                    evaluate_items(&mut evaluation, exchange, index, rule, check, &mut failed);
                }
                Check::Execution(_) | Check::Run(_) | Check::Probe(_) | Check::Asserted => continue,
            }
            execution_failed[index] |= failed[index].whole || !failed[index].items.is_empty();
        }
        evaluation.tally.count(contract, exchange);
    }
    evaluate_execution(&mut evaluation, &view, &skipped, &execution_failed);
    evaluation.violations.retain(|violation| violation.exchange >= since);
    for expectation in expectations {
        expectation::hold(&mut evaluation, &view, profile, expectation);
    }
    if let Some(relating) = relating {
        relation::hold(&mut evaluation, &view, profile, relating);
    }
    for violation in &mut evaluation.violations {
        if let Some(exchange) = view.exchanges.get(violation.exchange) {
            on_the_wire(exchange, &mut violation.finding);
        }
    }
    // What a gateway answered proves nothing of the target, whichever rule tells of it (INTERPRETATION-07).
    for violation in &mut evaluation.violations {
        let by_gateway = |e: &Exchange| matches!(e.answer.status(), Some(502..=504));
        violation.finding.proven &= !exchanges.get(violation.exchange).is_some_and(by_gateway);
    }
    evaluation
}

/// Says of a finding where it stands on the wire, and with which status.
fn on_the_wire(view: &ExchangeView<'_>, finding: &mut Finding) {
    let Some(shape) = view.contract.shape.as_ref().filter(|_| !view.is_read()) else { return };
    if let Some(pointer) = view.wire_pointer(&finding.pointer) {
        finding.pointer = pointer;
    }
    let text = |text: &str| shape.form.on_wire(text);
    let documented = |status: u16| {
        let all: Vec<String> = shape.statuses(status).iter().map(u16::to_string).collect();
        all.join(" or ")
    };
    finding.expected.reword(documented, text);
    let received = |status: u16| {
        let wire = view.wire_status().filter(|_| view.status() == Some(status));
        wire.unwrap_or(status).to_string()
    };
    finding.actual.reword(received, text);
}

fn guarded<T>(f: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok()
}

/// By the position of a rule: those that it needs, and those that they need.
static NEEDS: LazyLock<Vec<Vec<usize>>> = LazyLock::new(|| {
    let all = rules::all();
    let relied_on = |rule: &Rule| {
        let other =
            |(_, other): &(usize, &&Rule)| other.id != rule.id && rules::relies_on(rule, other.id);
        all.iter().enumerate().filter(other).map(|(index, _)| index).collect()
    };
    all.iter().map(|rule| relied_on(rule)).collect()
});

fn needs(index: usize) -> impl Iterator<Item = usize> {
    NEEDS[index].iter().copied()
}

fn evaluate_exchange(
    evaluation: &mut Evaluation,
    exchange: &ExchangeView<'_>,
    index: usize,
    rule: &'static Rule,
    check: fn(&ExchangeView<'_>) -> Verdict,
    failed: &mut [Failed],
) {
    let counts = &mut evaluation.counts[index];
    let verdict = guarded(|| check(exchange));
    if matches!(verdict, Some(Verdict::Pass | Verdict::Fail(_)))
        && needs(index).any(|n| failed[n].whole)
    {
        counts.masked += 1;
        return;
    }
    match verdict {
        None => counts.errored += 1,
        Some(Verdict::Pass) => counts.passed += 1,
        Some(Verdict::NotApplicable(_)) => counts.not_applicable += 1,
        Some(Verdict::Fail(findings)) => {
            let masked = |item: &Option<usize>| {
                item.is_some_and(|i| needs(index).any(|n| failed[n].items.contains(&i)))
            };
            let (hidden, shown): (Vec<_>, Vec<_>) =
                findings.into_iter().partition(|f| masked(&f.item));
            if shown.is_empty() {
                counts.masked += hidden.len() as u64;
                return;
            }
            counts.failed += 1;
            for finding in shown {
                match finding.item {
                    Some(item) => {
                        failed[index].items.insert(item);
                        failed[index].whole |= rule.concerns_whole_answer;
                    }
                    None => failed[index].whole = true,
                }
                evaluation.violations.push(RuleViolation {
                    rule,
                    exchange: exchange.exchange.index,
                    finding,
                });
            }
        }
    }
}

fn evaluate_items(
    evaluation: &mut Evaluation,
    exchange: &ExchangeView<'_>,
    index: usize,
    rule: &'static Rule,
    check: fn(&ItemView<'_>) -> Verdict,
    failed: &mut [Failed],
) {
    if !exchange.is_aligned() {
        return;
    }
    let whole = needs(index).any(|n| failed[n].whole);
    let mut failed_items = BTreeSet::new();
    let counts = &mut evaluation.counts[index];
    for item in exchange.pairs() {
        let verdict = guarded(|| check(&item));
        if matches!(verdict, Some(Verdict::Pass | Verdict::Fail(_)))
            && (whole || needs(index).any(|n| failed[n].items.contains(&item.index)))
        {
            counts.masked += 1;
            continue;
        }
        match verdict {
            None => counts.errored += 1,
            Some(Verdict::Pass) => counts.passed += 1,
            Some(Verdict::NotApplicable(_)) => counts.not_applicable += 1,
            Some(Verdict::Fail(findings)) => {
                counts.failed += 1;
                failed_items.insert(item.index);
                for finding in findings {
                    evaluation.violations.push(RuleViolation {
                        rule,
                        exchange: exchange.exchange.index,
                        finding,
                    });
                }
            }
        }
    }
    failed[index].items.append(&mut failed_items);
}

fn evaluate_execution(
    evaluation: &mut Evaluation,
    view: &ExecutionView<'_>,
    skipped: &[bool],
    execution_failed: &[bool],
) {
    for (index, rule) in rules::all().iter().enumerate() {
        let Check::Execution(check) = rule.check else { continue };
        let counts = &mut evaluation.counts[index];
        if skipped[index] {
            counts.not_applicable += 1;
            continue;
        }
        match guarded(|| check(view)) {
            None => counts.errored += 1,
            Some(Verdict::NotApplicable(_)) => counts.not_applicable += 1,
            Some(_) if needs(index).any(|n| execution_failed[n]) => counts.masked += 1,
            Some(Verdict::Pass) => counts.passed += 1,
            Some(Verdict::Fail(findings)) => {
                counts.failed += 1;
                for finding in findings {
                    let exchange = finding.exchange.unwrap_or(0);
                    evaluation.violations.push(RuleViolation { rule, exchange, finding });
                }
            }
        }
    }
}
