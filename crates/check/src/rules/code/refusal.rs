//! What a whole refused request says of its reason.

use serde_json::Value;

use super::{fits, wanted};
use crate::contract::validity::{ExpectedOutcome, InvalidClass, InvalidReason};
use crate::contract::{CodeCause, Level, code_text, member};
use crate::exchange::BodyIntent;
use crate::exchange_view::ExchangeView;
use crate::finding::{Finding, Verdict};
use crate::prediction::Prediction;
use crate::text::shown;

/// The causes in a request that was refused as a whole.
fn causes<'a>(view: &'a ExchangeView<'_>) -> Vec<&'a InvalidReason> {
    match &view.exchange.intent.body {
        BodyIntent::Broken(cause) => vec![cause],
        BodyIntent::Batch { items, trailing } => items
            .iter()
            .filter(|i| matches!(i.validity.expected_outcome(), ExpectedOutcome::Refuse(_)))
            .flat_map(|i| &i.validity.invalid)
            .chain(trailing)
            .collect(),
        _ => Vec::new(),
    }
}

pub(super) fn refusal_code_fits(view: &ExchangeView<'_>) -> Verdict {
    let field = &view.contract.batch.error.code;
    let code = view.body().and_then(|b| b.get(field)).and_then(code_text);
    let causes = causes(view);
    let (Some(code), false) = (code, causes.is_empty()) else {
        return Verdict::NotApplicable("a 400 without code or known cause");
    };
    let open = view.predicted.iter().any(|e| {
        matches!(
            e,
            Prediction::Open
                | Prediction::Used { .. }
                | Prediction::BatchDuplicate(_)
                | Prediction::ConcurrentDuplicate(_)
        )
    }) || view.may_be_used.contains(&true);
    let envelope = matches!(view.exchange.intent.body, BodyIntent::Broken(_));
    let known_used =
        view.contract.batch.codes.get(&*code).is_some_and(|c| c.cause == CodeCause::Used);
    let fine = if envelope { !known_used } else { open || fits(view.contract, &code, &causes) };
    if fine {
        return Verdict::Pass;
    }
    Verdict::fail(Finding::new(
        if known_used { "called used" } else { "another code" },
        format!("/{field}"),
        wanted(view.contract, &causes),
        &*code,
    ))
}

pub(super) fn refusal_verdict_is_known(view: &ExchangeView<'_>) -> Verdict {
    let verdict = &view.contract.batch.verdict;
    let said = view.body().and_then(|body| member(body, &verdict.field)).filter(|v| !v.is_null());
    let (true, Some(said)) = (view.is_refused() && view.is_ordinary(), said) else {
        return Verdict::NotApplicable("no 400 that says a verdict");
    };
    // That it says accepted is another rule's matter.
    if said.as_str().is_some_and(|word| word == verdict.rejected || word == verdict.accepted) {
        return Verdict::Pass;
    }
    let kind =
        if said.as_str().is_some_and(|word| word.trim().is_empty()) { "empty" } else { "unknown" };
    Verdict::fail(Finding::new(
        kind,
        format!("/{}", verdict.field),
        &*verdict.rejected,
        shown(said),
    ))
}

pub(super) fn refusal_code_is_not_empty(view: &ExchangeView<'_>) -> Verdict {
    let field = &view.contract.batch.error.code;
    let code = view.body().and_then(|body| member(body, field)).and_then(Value::as_str);
    let (true, Some(code)) = (view.is_refused() && view.is_ordinary(), code) else {
        return Verdict::NotApplicable("no 400 with an error code");
    };
    if !code.trim().is_empty() {
        return Verdict::Pass;
    }
    Verdict::fail(Finding::new(
        "empty",
        format!("/{field}"),
        "an error code, or none",
        shown(&Value::from(code)),
    ))
}

pub(super) fn refusal_says_why(view: &ExchangeView<'_>) -> Verdict {
    let only_missing = match &view.exchange.intent.body {
        // The array of items is a mandatory field of the envelope.
        BodyIntent::Broken(cause) => cause.class == InvalidClass::Missing,
        BodyIntent::Batch { items, trailing: None } => {
            let mut broken = items
                .iter()
                .filter(|i| i.validity.expected_outcome() != ExpectedOutcome::Accept(Level::Must));
            let mut any = false;
            let all = broken.all(|i| {
                any = true;
                i.validity.exempt.is_empty()
                    && i.validity.invalid.iter().all(|c| c.class == InvalidClass::Missing)
            });
            all && any
        }
        _ => false,
    };
    if !only_missing || !view.is_refused() || !view.is_ordinary() || view.feature().is_some() {
        return Verdict::NotApplicable("no 400 for a missing mandatory field alone");
    }
    let batch = &view.contract.batch;
    let fields: Vec<&String> = match &view.contract.shape {
        None => vec![&batch.verdict.field, &batch.error.code],
        Some(_) => vec![&batch.error.code],
    };
    let findings = fields
        .into_iter()
        .filter(|field| view.body().and_then(|b| b.get(field.as_str())).is_none_or(Value::is_null))
        .map(|field| Finding::new("missing", format!("/{field}"), "a value", "nothing"))
        .collect();
    Verdict::of(findings)
}

pub(super) fn refusal_is_no_acceptance(view: &ExchangeView<'_>) -> Verdict {
    let verdict = &view.contract.batch.verdict;
    if !view.is_refused() {
        return Verdict::NotApplicable("not a 400");
    }
    let said = view.body().and_then(|b| b.get(&verdict.field)).and_then(Value::as_str);
    // A 400 that says nothing of acceptance does not say accepted.
    let Some(said) = said.filter(|said| *said == verdict.accepted) else {
        return Verdict::Pass;
    };
    let pointer = format!("/{}", verdict.field);
    Verdict::fail(Finding::new("accepted in a 400", pointer, &verdict.rejected, said))
}
