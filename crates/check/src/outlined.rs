//! Executions with an answer that was too large to be held: what its length and its lists say is judged, and nothing
//! else is claimed of it.
//!
//! It must not know how an outline is made.

use super::evaluate::evaluate_held;
use super::evaluation::{Evaluation, RuleViolation};
use super::expectation::Expectation;
use super::finding::Finding;
use super::relation::VerdictRelation;
use super::rule::Rule;
use super::rules;
use crate::contract::{Contract, Profile};
use crate::exchange::{Answer, Exchange, Loss, Outline, Situation};

/// The outline of an answer whose contents would have to be judged. An error of the server is one whatever it carries.
fn outline(exchange: &Exchange) -> Option<&Outline> {
    let response = exchange.answer.response().filter(|response| response.status < 500)?;
    response.outline.as_deref()
}

/// Holds an execution against every rule that the profile does not skip.
#[must_use]
pub fn evaluate(
    contract: &Contract,
    profile: &Profile,
    exchanges: &[Exchange],
    expectations: &[Expectation],
    relating: Option<&VerdictRelation>,
) -> Evaluation {
    if exchanges.iter().any(|exchange| outline(exchange).is_some()) {
        evaluate_outlined(contract, profile, exchanges, expectations)
    } else {
        evaluate_held(contract, profile, exchanges, expectations, relating, 0)
    }
}

/// Judges exchanges from `since` on. Those before it were judged already: they say what became of keys.
#[must_use]
pub fn evaluate_since(
    contract: &Contract,
    profile: &Profile,
    exchanges: &[Exchange],
    since: usize,
) -> Evaluation {
    evaluate_held(contract, profile, exchanges, &[], None, since)
}

/// Holds an execution against the rules as if such answers had not been awaited, then looks at their outlines.
fn evaluate_outlined(
    contract: &Contract,
    profile: &Profile,
    exchanges: &[Exchange],
    expectations: &[Expectation],
) -> Evaluation {
    let unjudged = |exchange: &Exchange| match (&exchange.answer, outline(exchange)) {
        (Answer::Received(response), Some(_)) => {
            Exchange { answer: Answer::Lost(Loss::ended(response.elapsed)), ..exchange.clone() }
        }
        _ => exchange.clone(),
    };
    let held: Vec<Exchange> = exchanges.iter().map(unjudged).collect();
    let is_unjudged = |index: &usize| exchanges.get(*index).is_some_and(|e| outline(e).is_some());
    let (open, judged): (Vec<_>, Vec<_>) =
        expectations.iter().cloned().partition(|e| e.exchanges.iter().any(is_unjudged));
    // How answers relate can't be said where one is not known.
    let mut evaluation = evaluate_held(contract, profile, &held, &judged, None, 0);
    let errored = |evaluation: &mut Evaluation, rule: &Rule| {
        if let Some(index) = rules::index(rule.id)
            && profile.skip_reason(rule.id).is_none()
        {
            evaluation.counts[index].errored += 1;
        }
    };
    for exchange in exchanges {
        let Some(outline) = outline(exchange) else { continue };
        match miscounted(contract, exchange, outline).or_else(|| cut_off(exchange, outline)) {
            Some((rule, finding)) if profile.skip_reason(rule.id).is_none() => {
                if let Some(index) = rules::index(rule.id) {
                    evaluation.counts[index].failed += 1;
                }
                let exchange = exchange.index;
                evaluation.violations.push(RuleViolation { rule, exchange, finding });
            }
            _ => {
                errored(&mut evaluation, rules::schema::FITS);
                open.iter()
                    .filter(|e| e.exchanges.contains(&exchange.index))
                    .for_each(|e| errored(&mut evaluation, e.rule));
            }
        }
    }
    evaluation
}

fn is_processed(contract: &Contract, exchange: &Exchange) -> bool {
    exchange.answer.status().is_some_and(|status| contract.known_status(status) == 200)
}

/// The finding for another number of results than of items, where both are known.
fn miscounted(
    contract: &Contract,
    exchange: &Exchange,
    outline: &Outline,
) -> Option<(&'static Rule, Finding)> {
    if !is_processed(contract, exchange) || !exchange.intent.is_batch() {
        return None;
    }
    let results = usize::try_from(outline.elements(&contract.batch.results)?).ok()?;
    let items = exchange.intent.items().len();
    let finding = || rules::order::miscounted(contract, items, results);
    (items != results).then(|| (rules::order::COUNT, finding()))
}

/// The finding for a 200 whose brackets do not close.
fn cut_off(exchange: &Exchange, outline: &Outline) -> Option<(&'static Rule, Finding)> {
    let is_ordinary = exchange.intent.situation == Situation::Ordinary;
    if outline.is_closed || !is_ordinary || exchange.answer.status() != Some(200) {
        return None;
    }
    let actual = format!("a text whose brackets do not close behind {} bytes", outline.bytes);
    // It may have been cut on its way.
    let finding = Finding::new("not JSON", "", "a JSON body", actual).unproven();
    Some((rules::schema::FITS, finding))
}
