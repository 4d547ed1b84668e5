//! Applies the rules to a trial: in the order of what they need, masked where that failed.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::covered::Covered;
use super::expectation::{self, Expectation};
use super::relation::{self, Relating};
use super::rule::{Check, Finding, Rule, Verdict};
use super::rules;
use super::tally::Tally;
use super::view::{ExchangeView, TrialView};
use crate::contract::{Contract, Profile};
use crate::exchange::Exchange;

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

    /// The same, so many times over.
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
pub struct Hit {
    /// The rule.
    pub rule: &'static Rule,
    /// Index of the exchange within the trial.
    pub exchange: usize,
    /// The finding.
    pub finding: Finding,
}

/// What the rules said of a trial.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    /// By the position of the rule in the registry.
    pub counts: Vec<RuleCounts>,
    /// The findings.
    pub hits: Vec<Hit>,
    /// For rules of the run's scope.
    pub tally: Tally,
    /// Which cells of the request schema were exercised. No rule looks at it; the engine counts it.
    pub covered: Covered,
}

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
    items: HashSet<usize>,
}

/// Holds a trial against every rule that the profile does not skip.
#[must_use]
pub fn judge(
    contract: &Contract,
    profile: &Profile,
    exchanges: &[Exchange],
    expectations: &[Expectation],
    relating: Option<&Relating>,
) -> Judgement {
    let view = TrialView::new(contract, exchanges);
    let all = rules::all();
    let mut judgement = Judgement {
        counts: vec![RuleCounts::default(); all.len()],
        hits: Vec::new(),
        tally: Tally::default(),
        covered: Covered::default(),
    };
    let mut trial_failed = vec![false; all.len()];
    for exchange in &view.exchanges {
        let mut failed: Vec<Failed> = vec![Failed::default(); all.len()];
        for &index in ORDER.iter() {
            let rule = all[index];
            if profile.skip_reason(rule.id).is_some() {
                judgement.counts[index].not_applicable += 1;
                continue;
            }
            match rule.check {
                Check::Exchange(check) => {
                    one_exchange(&mut judgement, exchange, index, rule, check, &mut failed);
                }
                Check::Item(check) => {
                    items(&mut judgement, exchange, index, rule, check, &mut failed);
                }
                Check::Trial(_) | Check::Run(_) | Check::Asked(_) | Check::Asserted => continue,
            }
            trial_failed[index] |= failed[index].whole || !failed[index].items.is_empty();
        }
        judgement.tally.count(contract, exchange);
    }
    whole_trial(&mut judgement, &view, profile, &trial_failed);
    for expectation in expectations {
        expectation::hold(&mut judgement, &view, profile, expectation);
    }
    if let Some(relating) = relating {
        relation::hold(&mut judgement, &view, profile, relating);
    }
    // What a gateway answered proves nothing of the target, whichever rule tells of it (INTERPRETATION-07).
    for hit in &mut judgement.hits {
        let by_gateway = |e: &Exchange| matches!(e.answer.status(), Some(502 | 504));
        hit.finding.proven &= !exchanges.get(hit.exchange).is_some_and(by_gateway);
    }
    judgement
}

fn guarded<T>(f: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok()
}

/// By the position of a rule: those that it needs, and those that they need.
static NEEDS: LazyLock<Vec<Vec<usize>>> = LazyLock::new(|| {
    let all = rules::all();
    let relied_on = |rule: &Rule| {
        let other = |(_, other): &(usize, &&Rule)| other.id != rule.id && rule.relies_on(other.id);
        all.iter().enumerate().filter(other).map(|(index, _)| index).collect()
    };
    all.iter().map(|rule| relied_on(rule)).collect()
});

fn needs(index: usize) -> impl Iterator<Item = usize> {
    NEEDS[index].iter().copied()
}

fn one_exchange(
    judgement: &mut Judgement,
    exchange: &ExchangeView<'_>,
    index: usize,
    rule: &'static Rule,
    check: fn(&ExchangeView<'_>) -> Verdict,
    failed: &mut [Failed],
) {
    let counts = &mut judgement.counts[index];
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
                        failed[index].whole |= rule.concerns_all();
                    }
                    None => failed[index].whole = true,
                }
                judgement.hits.push(Hit { rule, exchange: exchange.exchange.index, finding });
            }
        }
    }
}

fn items(
    judgement: &mut Judgement,
    exchange: &ExchangeView<'_>,
    index: usize,
    rule: &'static Rule,
    check: fn(&super::view::ItemView<'_>) -> Verdict,
    failed: &mut [Failed],
) {
    let needed: Vec<Failed> = needs(index).map(|n| failed[n].clone()).collect();
    let whole = needed.iter().any(|f| f.whole);
    let counts = &mut judgement.counts[index];
    for item in exchange.pairs() {
        let verdict = guarded(|| check(&item));
        if matches!(verdict, Some(Verdict::Pass | Verdict::Fail(_)))
            && (whole || needed.iter().any(|f| f.items.contains(&item.index)))
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
                failed[index].items.insert(item.index);
                for finding in findings {
                    judgement.hits.push(Hit { rule, exchange: exchange.exchange.index, finding });
                }
            }
        }
    }
}

fn whole_trial(
    judgement: &mut Judgement,
    view: &TrialView<'_>,
    profile: &Profile,
    trial_failed: &[bool],
) {
    for (index, rule) in rules::all().iter().enumerate() {
        let Check::Trial(check) = rule.check else { continue };
        let counts = &mut judgement.counts[index];
        if profile.skip_reason(rule.id).is_some() {
            counts.not_applicable += 1;
            continue;
        }
        match guarded(|| check(view)) {
            None => counts.errored += 1,
            Some(Verdict::NotApplicable(_)) => counts.not_applicable += 1,
            Some(_) if needs(index).any(|n| trial_failed[n]) => counts.masked += 1,
            Some(Verdict::Pass) => counts.passed += 1,
            Some(Verdict::Fail(findings)) => {
                counts.failed += 1;
                for finding in findings {
                    let exchange = finding.exchange.unwrap_or(0);
                    judgement.hits.push(Hit { rule, exchange, finding });
                }
            }
        }
    }
}
