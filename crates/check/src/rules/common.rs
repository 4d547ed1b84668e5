//! What several families of rules ask of an exchange. It knows no rule.

use crate::contract::Level;
use crate::exchange::{Answer, BodyIntent, ItemIntent, Situation};
use crate::exchange_view::ExchangeView;
use crate::finding::{Finding, Symptom};
use crate::prediction::Prediction;
use crate::text::{shorten, shown};

/// Why an answer that got lost is not judged where [`ExchangeView::is_lost_to_early_refusal`].
pub(super) const REFUSED_EARLY: &str =
    "the target may refuse what the head says before it reads a large body";

/// What the error says of itself, for the report.
pub(super) fn error_excerpt(view: &ExchangeView<'_>) -> String {
    match view.response() {
        Some(r) if !r.body.is_empty() && r.status >= 300 => {
            format!(" with {}", shorten(&String::from_utf8_lossy(&r.body)))
        }
        _ => String::new(),
    }
}

/// Whether a status is a server error that isn't load or a gateway's.
pub(super) fn is_server_error(view: &ExchangeView<'_>, status: u16) -> bool {
    let situation = view.exchange.intent.situation;
    match status {
        503 => false,
        501 => !matches!(situation, Situation::Method | Situation::Options),
        505 => view.exchange.request.raw.is_none(),
        s => s >= 500,
    }
}

/// A finding for a 5xx; a gateway's counts only where repeats show it too.
pub(super) fn server_error(view: &ExchangeView<'_>, status: u16) -> Finding {
    let finding = Finding::new(
        format!("status {status}"),
        "",
        "no 5xx",
        format!("{status}{}", error_excerpt(view)),
    );
    if matches!(status, 502 | 504) { finding.unproven() } else { finding }
}

/// A finding for a lost answer.
pub(super) fn lost_answer(view: &ExchangeView<'_>) -> Option<Finding> {
    match &view.exchange.answer {
        Answer::Lost(loss) if !loss.kind.is_ours() => Some(
            Finding::new(
                loss.kind.words(),
                "",
                "an answer",
                format!(
                    "{} after {} ms: {}",
                    loss.kind.words(),
                    loss.elapsed.as_millis(),
                    loss.message
                ),
            )
            .unproven()
            .shows(Symptom::NoAnswer),
        ),
        _ => None,
    }
}

/// Whether a whole request had to be processed: sound items only, all of their numbers unused.
pub(crate) fn must_be_processed(view: &ExchangeView<'_>) -> bool {
    let BodyIntent::Batch { items, trailing: None } = &view.exchange.intent.body else {
        return false;
    };
    view.is_ordinary()
        && !items.is_empty()
        && items.len() <= view.contract.batch.limits.batch_items
        && view.predicted.iter().all(|e| matches!(e, Prediction::Accept { level: Level::Must, .. }))
}

/// Whether an item of the batch may have been rejected in its own right: it may drag valid ones down.
pub(super) fn has_bad_neighbour(view: &ExchangeView<'_>) -> bool {
    view.predicted.iter().any(|e| !matches!(e, Prediction::Accept { level: Level::Must, .. }))
}

/// The finding for a batch of valid items that was refused as a whole.
pub(super) fn refused_as_a_whole(view: &ExchangeView<'_>) -> Option<Finding> {
    let status = view.status()?;
    if status != 400 || !must_be_processed(view) || view.feature().is_some() {
        return None;
    }
    let bent = view.items().iter().map(mutation_note).find(|b| !b.is_empty()).unwrap_or_default();
    Some(Finding::new(
        "refused",
        "",
        format!("200: every item is valid and its key unused{bent}"),
        format!("400{}", error_excerpt(view)),
    ))
}

/// What a mutation made of the item, for the report.
pub(super) fn mutation_note(item: &ItemIntent) -> String {
    match item.mutations.first() {
        None => String::new(),
        Some(m) => {
            format!(" ({} is {})", m.pointer, m.new.as_ref().map_or("absent".to_owned(), shown))
        }
    }
}
