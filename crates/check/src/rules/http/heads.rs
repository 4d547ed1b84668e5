//! Batches with something unusual about their heads, and the framing of answers.

use crate::exchange::FramingFault;
use crate::exchange_view::{ExchangeView, RequestFeature};
use crate::finding::{Finding, Symptom, Verdict};
use crate::message::Message;
use crate::rules::common::{error_excerpt, lost_answer, must_be_processed};
use crate::run_tally::RunTally;

/// What the same batch gets without what is unusual about its head.
fn usual(feature: RequestFeature) -> Message {
    Message::status(200).text(match feature {
        RequestFeature::Charset => ", as without `charset` in Content-Type",
        RequestFeature::Chunked => ", as with Content-Length instead of chunks",
        RequestFeature::HeaderCase => ", as with header names in the usual letter case",
        RequestFeature::Expect => ", as without `Expect: 100-continue`",
    })
}

/// A sound batch with something unusual about its head has to be processed all the same.
pub(super) fn featured(view: &ExchangeView<'_>, feature: RequestFeature) -> Verdict {
    if view.feature() != Some(feature) || !must_be_processed(view) {
        return Verdict::NotApplicable("the request has nothing of the kind");
    }
    if let Some(finding) = lost_answer(view) {
        return Verdict::fail(finding);
    }
    if feature == RequestFeature::Expect
        && view.response().and_then(|r| r.framing.as_ref()).is_some_and(|f| f.kept_waiting)
    {
        let finding =
            Finding::new("kept waiting", "", "100, an answer, or 417", "nothing within 2 s");
        return Verdict::fail(finding.unproven());
    }
    match view.status() {
        None => Verdict::NotApplicable("no answer"),
        Some(400 | 411 | 501) if feature == RequestFeature::Chunked => Verdict::Pass,
        Some(400..=428 | 430..=499) if feature == RequestFeature::Expect => Verdict::Pass,
        Some(413) if view.may_be_refused_for_size() => Verdict::NotApplicable("a limit of size"),
        Some(408 | 429 | 503) => Verdict::NotApplicable("load"),
        Some(500..) if feature == RequestFeature::Expect => {
            Verdict::NotApplicable("another rule judges 5xx")
        }
        Some(200) if !view.items().is_empty() && view.results().is_some_and(<[_]>::is_empty) => {
            let finding = Finding::new(
                "empty",
                "",
                "one result per item",
                "no results: the body was not read",
            );
            Verdict::fail(finding.shows(Symptom::UnusualHeadRefused))
        }
        Some(200) => Verdict::Pass,
        Some(status) => Verdict::fail(
            Finding::new(
                format!("status {status}"),
                "",
                usual(feature),
                Message::status(status).text(error_excerpt(view)),
            )
            .shows(Symptom::UnusualHeadRefused),
        ),
    }
}

pub(super) fn chunks_read(view: &ExchangeView<'_>) -> Verdict {
    if view.feature() != Some(RequestFeature::Chunked) || !must_be_processed(view) {
        return Verdict::NotApplicable("not a sound batch in chunks");
    }
    match view.status() {
        Some(status @ (400 | 501)) => Verdict::fail(
            Finding::new(
                format!("status {status}"),
                "",
                Message::status(200).text(", or 411"),
                Message::status(status).text(error_excerpt(view)),
            )
            // Whatever else the target refuses it for is the likelier cause.
            .shows(Symptom::UnusualHeadRefused),
        ),
        Some(200 | 411) => Verdict::Pass,
        _ => Verdict::NotApplicable("another status"),
    }
}

pub(super) fn chunks_read_alike(tally: &RunTally) -> Verdict {
    let (read, refused) = tally.chunked;
    if tally.sized_refused > 0 {
        return Verdict::NotApplicable("valid batches are refused without chunks, too");
    }
    match (read, refused) {
        (0, 0) => Verdict::NotApplicable("no valid batch was sent in chunks"),
        (0, _) | (_, 0) => Verdict::Pass,
        _ => Verdict::fail(Finding::new(
            "some refused",
            "",
            "every valid batch in chunks read, or none",
            format!("{read} read, {refused} refused"),
        )),
    }
}

pub(super) fn framing(view: &ExchangeView<'_>) -> Verdict {
    let Some(seen) = view.response().and_then(|r| r.framing.as_ref()) else {
        return Verdict::NotApplicable("not read on a raw connection");
    };
    match &seen.fault {
        None => Verdict::Pass,
        Some(fault) => {
            let why = counts_characters(view, fault).unwrap_or_default();
            let actual = format!("{fault}{why}");
            Verdict::fail(Finding::new("framing", "", "framing that fits", actual))
        }
    }
}

/// Why bytes follow the body, where its length is that of the text in characters: what follows is plain ASCII then.
fn counts_characters(view: &ExchangeView<'_>, fault: &FramingFault) -> Option<&'static str> {
    let FramingFault::Following { count, .. } = fault else { return None };
    let body = &view.response()?.body;
    // The last character may be cut.
    let text = String::from_utf8_lossy(body);
    let over = body.len().checked_sub(text.chars().count())?;
    (over > 0 && over == *count)
        .then_some(": the Content-Length counts the characters of the body, and not its bytes")
}
