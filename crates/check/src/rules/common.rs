//! What several families of rules ask of an exchange. It knows no rule.

use crate::contract::Level;
use crate::contract::text::counted;
use crate::exchange::{Answer, BodyIntent, ItemIntent, Loss, LossKind, Situation};
use crate::exchange_view::ExchangeView;
use crate::finding::{Finding, Symptom};
use crate::message::Message;
use crate::prediction::Prediction;
use crate::text::{shown, shown_bytes};

/// Why an answer that got lost is not judged where [`ExchangeView::is_lost_to_early_refusal`].
pub(super) const REFUSED_EARLY: &str = "the target may refuse what the head says before it reads a large body, and close on an unknown method";

/// The status as it was sent.
pub(super) fn sent_status(view: &ExchangeView<'_>) -> u16 {
    view.exchange.answer.status().unwrap_or_default()
}

/// What the error says of itself, for the report.
pub(super) fn error_excerpt(view: &ExchangeView<'_>) -> String {
    match view.response() {
        Some(r) if !r.body.is_empty() && r.status >= 300 => {
            format!(" with {}", shown_bytes(&r.body))
        }
        _ => String::new(),
    }
}

/// Whether a status is a server error that isn't load or a gateway's.
pub(super) fn is_server_error(view: &ExchangeView<'_>, status: u16) -> bool {
    let situation = view.exchange.intent.situation;
    match status {
        503 => view.exchange.always_busy,
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
        Message::status(status).text(error_excerpt(view)),
    );
    if matches!(status, 502..=504) { finding.unproven() } else { finding }
}

/// A finding for a lost answer.
pub(super) fn lost_answer(view: &ExchangeView<'_>) -> Option<Finding> {
    match &view.exchange.answer {
        Answer::Lost(loss) if !loss.kind.is_ours() => Some(
            Finding::new(loss.kind.words(), "", "a response", lost_words(loss))
                .unproven()
                .shows(Symptom::NoAnswer),
        ),
        _ => None,
    }
}

/// How an answer was lost, without the words of the library that met it.
fn lost_words(loss: &Loss) -> String {
    let millis = loss.elapsed.as_millis();
    // A response of which the head came says its status first.
    let status = loss.message.strip_prefix("status ").and_then(|rest| rest.split(", then").next());
    match (loss.kind, status) {
        (LossKind::Reset, Some(status)) => {
            format!(
                "a {status} whose body does not end: the connection was closed inside it, after {millis} ms"
            )
        }
        (LossKind::Reset, None) => format!("none: the connection was closed after {millis} ms"),
        (LossKind::Timeout, Some(status)) => {
            format!("a {status} whose body did not end in time: {millis} ms")
        }
        (LossKind::Timeout, None) => format!("none within {millis} ms"),
        (kind, _) => format!("{} after {millis} ms: {}", kind.words(), loss.message),
    }
}

/// A 200 or an error whose body is not JSON: what it is labelled as, and its text where it stops being JSON.
pub(super) fn not_json(view: &ExchangeView<'_>) -> String {
    let Some(response) = view.response() else { return "no response".to_owned() };
    let label = response.header("content-type").unwrap_or("no Content-Type");
    let body = &response.body[..];
    if body.is_empty() {
        return format!("an empty body ({label})");
    }
    let size = counted(body.len() as u64, "byte");
    let at = first_not_json(body);
    let from = at.saturating_sub(BEFORE);
    let (start, end) = (if from < MARGIN { 0 } else { from }, (at + AFTER).min(body.len()));
    let (before, after) =
        (if start > 0 { "…" } else { "" }, if end < body.len() { "…" } else { "" });
    let text = readable(&body[start..end]);
    let place = if at >= body.len() {
        "it breaks off".to_owned()
    } else {
        format!("not JSON from byte {} on", at + 1)
    };
    format!("{label}, {size}, {place}: {before}{text}{after}")
}

/// Bytes that are shown before and after the place where a body stops being JSON.
const BEFORE: usize = 60;
const AFTER: usize = 60;
/// Fewer bytes than these are not left out.
const MARGIN: usize = 8;

/// Where a body stops being JSON; its length where it breaks off.
fn first_not_json(body: &[u8]) -> usize {
    if let Err(error) = std::str::from_utf8(body) {
        return error.valid_up_to();
    }
    let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(body) else { return 0 };
    if error.is_eof() {
        return body.len();
    }
    let lines: usize = body
        .split_inclusive(|b| *b == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    (lines + error.column().saturating_sub(1)).min(body.len().saturating_sub(1))
}

/// Bytes as text, those that are no text as `\xff`.
fn readable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    out
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
        Message::status(200).text(format!(": every item is valid and its key unused{bent}")),
        format!("{}{}", sent_status(view), error_excerpt(view)),
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
