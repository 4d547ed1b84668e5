//! Holds answers against what a case expects of them, under the rule that the case asserts.
//!
//! Where a rule has found something on the same item or exchange already, the expectation says nothing
//! more: one fault is reported once.

mod predicates;

use serde_json::Value;

use self::predicates::{of_body, of_header, of_schema, of_time};
use super::evaluation::{Evaluation, RuleViolation};
use super::exchange_view::{ExchangeView, ExecutionView, ItemVerdict, ItemView};
use super::finding::{Finding, Symptom};
use super::message::Message;
use super::prediction::{Prediction, UnusedReason};
use super::rule::Rule;
use super::rules;
use super::text::shorten;
use crate::case::{Expect, Outcome, Results};
use crate::contract::shape::{Again, BatchMode, ItemForm, KeyScope, SameKey};
use crate::contract::text::counted;
use crate::contract::validity::{ExemptClass, ExpectedOutcome};
use crate::contract::{Contract, Level, Profile, code_text};
use crate::exchange::{Answer, BodyIntent};

/// What a case expects of one request, or of a simultaneous group.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// The exchanges it is about.
    pub exchanges: Vec<usize>,
    /// What is expected, its captures filled in.
    pub expect: Expect,
    /// The rule it is judged under.
    pub rule: &'static Rule,
    /// `FILE:LINE` of the expectation, for `CASE-001`.
    pub source: ExpectationSource,
}

/// Where an expectation stands.
#[derive(Debug, Clone, Default)]
pub struct ExpectationSource {
    /// The case file and the line of the expectation: `FILE:LINE`.
    pub file: String,
    /// The step's name.
    pub step: String,
}

pub(super) fn hold(
    evaluation: &mut Evaluation,
    view: &ExecutionView<'_>,
    profile: &Profile,
    expectation: &Expectation,
) {
    let Some(index) = rules::index(expectation.rule.id) else { return };
    if profile.skip_reason(expectation.rule.id).is_some()
        || rules::why_not(view.contract, expectation.rule.id).is_some()
        // Cases know of batches whose used keys reject their items only.
        || (refuses_used_keys(view.contract)
            && view.exchanges.iter().any(ExchangeView::is_refused))
        || (rules::is_of_suite(expectation.rule.id)
            && view.exchanges.iter().any(|exchange| {
                has_one_key_twice(exchange) || exchange.is_stopped_by_a_firewall()
            }))
    {
        evaluation.counts[index].not_applicable += 1;
        return;
    }
    let views: Vec<&ExchangeView<'_>> = view
        .exchanges
        .iter()
        .filter(|v| expectation.exchanges.contains(&v.exchange.index))
        // A server need not take chunks (INTERPRETATION-07); then nothing can be expected of what came in them.
        // What refuses a head may do so before the body is read, and then any answer can get lost.
        .filter(|v| !v.is_refused_for_chunks() && !v.is_lost_to_early_refusal())
        .collect();
    // Shipped cases know of one unique key.
    let repeats = rules::is_of_suite(expectation.rule.id)
        && views.iter().any(|view| view.has_repeated_further_key());
    if repeats
        || views.is_empty()
        || is_of_a_key_that_may_be_used_again(view.contract, &views, expectation)
    {
        evaluation.counts[index].not_applicable += 1;
        return;
    }
    let found = findings(&views, &expectation.expect);
    if found.is_empty() {
        evaluation.counts[index].passed += 1;
        return;
    }
    // What went wrong earlier in the trial changes what follows; on the same exchange, another item's
    // fault says nothing of this one.
    let told = |exchange: usize, finding: &Finding| {
        evaluation.violations.iter().filter(|h| accounts_for(h.rule, expectation.rule)).any(|h| {
            h.exchange < exchange
                || (expectation.exchanges.len() > 1 && expectation.exchanges.contains(&h.exchange))
                || (h.exchange == exchange
                    && (h.finding.item.is_none()
                        || h.rule.concerns_whole_answer
                        || finding.item.is_none()
                        || h.finding.item == finding.item))
        })
    };
    let new: Vec<(usize, Finding)> =
        found.into_iter().filter(|(exchange, finding)| !told(*exchange, finding)).collect();
    if new.is_empty() {
        evaluation.counts[index].masked += 1;
        return;
    }
    evaluation.counts[index].failed += 1;
    for (exchange, mut finding) in new {
        if std::ptr::eq(expectation.rule, rules::of_user_cases()) {
            let source = &expectation.source;
            finding.expected =
                finding.expected.text(format!(" ({}, {})", source.file, source.step));
        }
        if finding.symptom == Symptom::OfItsOwn {
            finding.symptom = Symptom::ExpectationUnmet;
        }
        evaluation.violations.push(RuleViolation { rule: expectation.rule, exchange, finding });
    }
}

/// Whether what `found` says of an execution may be why an expectation under `asserted` is not met: never one of a
/// lower level, unless what it weighs is the very acceptance or refusal that was expected.
pub(super) fn accounts_for(found: &Rule, asserted: &Rule) -> bool {
    found.level <= asserted.level || found.explains_in_execution(Symptom::ExpectationUnmet)
}

fn findings(views: &[&ExchangeView<'_>], expect: &Expect) -> Vec<(usize, Finding)> {
    let mut found = Vec::new();
    for view in views {
        let at = view.exchange.index;
        let Answer::Received(response) = &view.exchange.answer else {
            if let Some(finding) = unanswered(view) {
                found.push((at, finding));
            }
            continue;
        };
        let known = view.contract.known_status(response.status);
        if let Some(pin) = expect.status.as_ref().filter(|p| !p.fits(known)) {
            found
                .push((at, unlike("status", "", pin.to_string(), response.status, &response.body)));
        }
        if expect.answered && response.status >= 500 {
            found.push((
                at,
                unlike("status", "", "an answer below 500", response.status, &response.body),
            ));
        }
        let all_rejected = !view.verdicts.is_empty()
            && view.verdicts.iter().all(|v| *v == Some(ItemVerdict::Rejected));
        if expect.not_processed && (200..300).contains(&response.status) && !all_rejected {
            found.push((
                at,
                unlike("processed", "", "nothing processed", response.status, &response.body),
            ));
        }
        if let Some(code) = &expect.refused {
            found.extend(refused(view, code.as_deref()).into_iter().map(|f| (at, f)));
        }
        if let Some(count) = expect.count {
            let seen = view.results().map_or(0, <[Value]>::len);
            if !count.range().contains(&seen) {
                let finding = Finding::new(
                    "count",
                    format!("/{}", view.contract.batch.results),
                    format!("{count} results"),
                    counted(seen as u64, "result"),
                );
                found.push((at, finding));
            }
        }
        let held = expect
            .headers
            .iter()
            .flat_map(|(name, pin)| of_header(name, pin, response.header(&name.to_lowercase())))
            .chain(expect.body.iter().flat_map(|(pointer, pin)| of_body(view, pointer, pin)))
            .chain(expect.schema.iter().flat_map(|pin| of_schema(view, pin)))
            .chain(expect.within.and_then(|most| of_time(response.elapsed, most)));
        found.extend(held.map(|finding| (at, finding)));
    }
    if let Some(wanted) = &expect.results {
        found.extend(results(views, wanted));
    }
    found
}

fn unanswered(view: &ExchangeView<'_>) -> Option<Finding> {
    match &view.exchange.answer {
        Answer::Lost(loss) if !loss.kind.is_ours() => {
            let finding = Finding::new("no answer", "", "an answer", loss.kind.words()).unproven();
            Some(finding.shows(Symptom::ExpectationUnanswered))
        }
        _ => None,
    }
}

fn unlike(
    kind: &str,
    pointer: &str,
    wanted: impl Into<Message>,
    status: u16,
    body: &[u8],
) -> Finding {
    let text = String::from_utf8_lossy(body);
    let actual = Message::status(status);
    let actual =
        if text.is_empty() { actual } else { actual.text(format!(" with {}", shorten(&text))) };
    Finding::new(kind, pointer, wanted, actual)
}

fn refused(view: &ExchangeView<'_>, code: Option<&str>) -> Vec<Finding> {
    let batch = &view.contract.batch;
    match view.status() {
        Some(400) => {
            let said = view.body().and_then(|b| b.get(&batch.error.code)).and_then(code_text);
            match (code, said) {
                (Some(code), Some(said)) if said != code => {
                    vec![Finding::new("code", format!("/{}", batch.error.code), code, &*said)]
                }
                _ => Vec::new(),
            }
        }
        Some(200) if view.is_aligned() => {
            let any_broken = view
                .items()
                .iter()
                .any(|i| matches!(i.validity.expected_outcome(), ExpectedOutcome::Refuse(_)));
            view.pairs()
                .filter_map(|item| {
                    let broken = matches!(
                        item.intent.validity.expected_outcome(),
                        ExpectedOutcome::Refuse(_)
                    ) || !any_broken;
                    let wrong_code =
                        broken && code.is_some_and(|c| item.code().is_some_and(|said| said != c));
                    let verdict = item.verdict?;
                    let fits = (verdict == ItemVerdict::Rejected) == broken && !wrong_code;
                    let wanted = match (broken, code) {
                        (true, Some(code)) => format!("rejected: {code}"),
                        (true, None) => "rejected".to_owned(),
                        (false, _) => "accepted".to_owned(),
                    };
                    (!fits).then(|| {
                        Finding::new("verdict", item.at(&batch.verdict.field), wanted, item.said())
                            .item(item.index)
                    })
                })
                .collect()
        }
        Some(413) if view.may_be_refused_for_size() => Vec::new(),
        Some(403) if view.may_be_refused_by_a_firewall() => Vec::new(),
        Some(status) => vec![Finding::new(
            "status",
            "",
            "refused: a 400, or a 200 with the broken items rejected",
            status.to_string(),
        )],
        None => Vec::new(),
    }
}

/// What is predicted of an item whose key is written in a file.
const USED_BEFORE: Prediction =
    Prediction::Accept { level: Level::Must, because: UnusedReason::Literal };

/// Whether a shipped case expects the rejection of a key that its contract lets be used again.
fn is_of_a_key_that_may_be_used_again(
    contract: &Contract,
    views: &[&ExchangeView<'_>],
    expectation: &Expectation,
) -> bool {
    let in_request = contract.shape.as_ref().is_some_and(|s| s.within == KeyScope::Request);
    let may_be_used = contract.batch.has_key() && (in_request || contract.judged_key().is_empty());
    let is_rejected = |outcome: &Outcome| matches!(outcome, Outcome::Rejected(_));
    let wants_rejection = match &expectation.expect.results {
        None => false,
        Some(Results::All(outcome)) => is_rejected(outcome),
        Some(Results::Each(list)) => list.iter().any(is_rejected),
        Some(Results::ExactlyOne { one, others }) => is_rejected(one) || is_rejected(others),
    };
    // Another item with a used key is left open where repeats get their first answer.
    let may_be_accepted = |prediction: &Prediction| {
        matches!(prediction, Prediction::Accept { .. } | Prediction::Open)
    };
    may_be_used
        && wants_rejection
        && rules::is_of_suite(expectation.rule.id)
        && views.iter().all(|view| view.predicted.iter().all(may_be_accepted))
}

/// Whether a body has two items under one key of a map, of which no server can see more than one.
fn has_one_key_twice(view: &ExchangeView<'_>) -> bool {
    let in_map = |form: &ItemForm| form.map_key().is_some();
    match &view.exchange.intent.body {
        BodyIntent::Open(exemption) => match exemption.class {
            ExemptClass::SharedKey => true,
            ExemptClass::RepeatedMember => {
                view.contract.shape.as_ref().is_some_and(|shape| in_map(&shape.form))
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether a batch with a used key may be refused as a whole.
fn refuses_used_keys(contract: &Contract) -> bool {
    contract
        .shape
        .as_ref()
        .is_some_and(|shape| shape.again == Again::Refused || shape.mode == BatchMode::Whole)
}

fn results(views: &[&ExchangeView<'_>], wanted: &Results) -> Vec<(usize, Finding)> {
    let mut found = Vec::new();
    for view in views {
        let answered = view.status().is_some();
        if answered && (view.status() != Some(200) || !view.is_aligned()) {
            let body = view.response().map(|r| r.body.clone()).unwrap_or_default();
            let finding = unlike(
                "status",
                "",
                Message::status(200).text(" with one result per item"),
                view.status().unwrap_or(0),
                &body,
            );
            found.push((view.exchange.index, finding));
        }
    }
    if !found.is_empty() || views.iter().any(|v| v.status().is_none()) {
        return found;
    }
    let items: Vec<_> = views.iter().flat_map(|v| v.pairs()).collect();
    let fits = |item: &ItemView<'_>, outcome: &Outcome| match (outcome, item.verdict) {
        (Outcome::Any, _) => true,
        (Outcome::Accepted, Some(ItemVerdict::Accepted)) => true,
        // An earlier run may have used a key that is written in a file.
        (Outcome::Accepted, _) if *item.predicted == USED_BEFORE && item.is_called_used() => true,
        (Outcome::Rejected(None), Some(ItemVerdict::Rejected)) => true,
        (Outcome::Rejected(Some(code)), Some(ItemVerdict::Rejected)) => {
            item.code().as_deref() == Some(code)
        }
        _ => false,
    };
    // Shipped cases take keys in another letter case for other keys.
    let is_excused = |item: &ItemView<'_>, outcome: &Outcome| {
        *outcome == Outcome::Accepted
            && item.within.contract.batch.same == SameKey::IgnoreCase
            && !matches!(item.predicted, Prediction::Accept { .. })
    };
    let misses =
        |item: &ItemView<'_>, outcome: &Outcome| !fits(item, outcome) && !is_excused(item, outcome);
    let unlike = |item: &ItemView<'_>, wanted: String| {
        let field = &item.within.contract.batch.verdict.field;
        (
            item.within.exchange.index,
            Finding::new("verdict", item.at(field), wanted, item.said()).item(item.index),
        )
    };
    match wanted {
        Results::All(outcome) => {
            found.extend(
                items.iter().filter(|i| misses(i, outcome)).map(|i| unlike(i, outcome.to_string())),
            );
        }
        Results::Each(list) => {
            if list.len() != items.len() {
                let index = views.first().map_or(0, |v| v.exchange.index);
                let finding = Finding::new(
                    "count",
                    "",
                    counted(list.len() as u64, "result"),
                    counted(items.len() as u64, "result"),
                );
                found.push((index, finding));
            }
            found.extend(
                items
                    .iter()
                    .zip(list)
                    .filter(|(i, outcome)| misses(i, outcome))
                    .map(|(i, outcome)| unlike(i, outcome.to_string())),
            );
        }
        Results::ExactlyOne { one, others } => {
            let ones: Vec<usize> = (0..items.len()).filter(|k| fits(&items[*k], one)).collect();
            if ones.len() != 1 {
                if let Some(item) = ones.get(1).map(|k| &items[*k]).or(items.first()) {
                    let mut finding =
                        unlike(item, format!("exactly one {one}, the others {others}"));
                    finding.1.actual = format!("{} of {} {one}", ones.len(), items.len()).into();
                    found.push(finding);
                }
                return found;
            }
            found.extend(
                items
                    .iter()
                    .enumerate()
                    .filter(|(k, i)| Some(k) != ones.first() && !fits(i, others))
                    .map(|(_, i)| unlike(i, others.to_string())),
            );
        }
    }
    found
}
