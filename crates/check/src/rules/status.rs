//! STATUS: statuses are the documented ones, each in its own situation.

use serde_json::Value;

use super::common::{
    REFUSED_EARLY, error_excerpt, is_server_error, lost_answer, must_be_processed, server_error,
};
use crate::contract::{Level, member};
use crate::exchange::{Answer, BodyIntent, Situation};
use crate::exchange_view::{ExchangeView, RequestFeature};
use crate::finding::{Finding, Symptom, Verdict};
use crate::rule::{Check, Explains, Grouping, Rule};
use crate::run_tally::ProbeResult;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "STATUS-001",
        level: Level::Must,
        title: "A request is answered with a status that is documented for it",
        cite: "OpenAPI: responses; INTERPRETATION-07",
        doc: "A batch is answered 200 or 400. Other statuses count only in their own situation: 401 and 403 \
              for credentials, 413 for size, 411 for chunked bodies, 408, 429 and 503 for load. 201 and 422 \
              are not 200 and 400: a client written from the page doesn't handle them.",
        example: include_str!("examples/STATUS-001.txt"),
        needs: &[],
        check: Check::Exchange(documented_status),
        explains: &[
            Explains::any(Symptom::UnusualHeadRefused),
            Explains::any(Symptom::ExpectationUnmet),
        ],
        ..Rule::BASE
    },
    Rule {
        id: "STATUS-002",
        level: Level::Must,
        title: "An ordinary request never gets a 5xx",
        cite: "INTERPRETATION-07",
        doc: "A 5xx says that the server broke, and leaves unknown what was stored. 503 says that it is \
              busy: it counts only where every try of one request gets it, while plain batches are \
              accepted. 502 and 504 are a gateway's and count only where they persist.",
        example: include_str!("examples/STATUS-002.txt"),
        needs: &[],
        check: Check::Exchange(no_server_error),
        explains: &[
            Explains::any(Symptom::UnusualHeadRefused),
            Explains::any(Symptom::OverlapBroke),
        ],
        grouping: Grouping::Shared("server failed"),
        ..Rule::BASE
    },
    Rule {
        id: "STATUS-003",
        level: Level::Must,
        title: "An ordinary request gets a response",
        cite: "RFC 9112 section 9.6; INTERPRETATION-25",
        doc: "A connection that ends without an answer, or an answer that never comes, leaves the client \
              without knowledge of what was stored. Counts only where repeats show it too, each after a \
              good plain batch.",
        example: include_str!("examples/STATUS-003.txt"),
        needs: &[],
        check: Check::Exchange(answered),
        explains: &[
            Explains::any(Symptom::UnusualHeadRefused),
            Explains::of(
                Symptom::NoAnswer,
                &["RACE-003", "HTTP-005", "HTTP-006", "HTTP-007", "HTTP-013"],
            ),
            Explains::any(Symptom::ExpectationUnanswered),
        ],
        grouping: Grouping::Shared("server failed"),
        ..Rule::BASE
    },
    Rule {
        id: "STATUS-004",
        level: Level::Must,
        title: "Responses are not lost intermittently",
        cite: "RFC 9112 section 9.6; INTERPRETATION-25",
        doc: "Judged where several answers got lost on connections that were in use before, which a server may \
              close: plain batches are then sent one by one, each on a connection of its own, and two of them \
              without an answer are a finding. Other lost answers of the run belong to this one cause, unless they got \
              lost every time. A client that meets this must ask item by item what was stored. A case that asserts this \
              rule has it judged however few answers got lost.",
        example: include_str!("examples/STATUS-004.txt"),
        needs: &[],
        check: Check::Probe(not_lost),
        explains: &[
            Explains::by_chance(Symptom::NoAnswer),
            Explains::by_chance(Symptom::ExpectationUnanswered),
        ],
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "STATUS-005",
        level: Level::Must,
        title: "A 4xx carries no accepted result",
        cite: "OpenAPI: responses; INTERPRETATION-03",
        doc: "A client that reads a 4xx corrects its batch and sends all of it again. Results that say accepted \
              belong into a 200: in a 4xx they say that part of the batch was stored after all.",
        example: include_str!("examples/STATUS-005.txt"),
        needs: &[],
        check: Check::Exchange(refusal_accepts_nothing),
        explains: &[Explains::of(Symptom::OfItsOwn, &["SCHEMA-002"])],
        ..Rule::BASE
    },
];

fn refusal_accepts_nothing(view: &ExchangeView<'_>) -> Verdict {
    if !view.status().is_some_and(|status| (400..500).contains(&status)) {
        return Verdict::NotApplicable("not a 4xx");
    }
    let batch = &view.contract.batch;
    let results =
        view.body().and_then(|body| member(body, &batch.results)).and_then(Value::as_array);
    let accepted = |result: &Value| {
        member(result, &batch.verdict.field).and_then(Value::as_str)
            == Some(&*batch.verdict.accepted)
    };
    let results = results.map(Vec::as_slice).unwrap_or_default();
    let Some(first) = results.iter().position(accepted) else { return Verdict::Pass };
    let count = results.iter().filter(|result| accepted(result)).count();
    Verdict::fail(
        Finding::new(
            "accepted in a 4xx",
            format!("/{}/{first}/{}", batch.results, batch.verdict.field),
            "no accepted result, or a 200",
            format!(
                "{} with {count} of {} results accepted",
                view.status().unwrap_or(400),
                results.len()
            ),
        )
        .item(first),
    )
}

fn not_lost(ProbeResult { sent, lost }: ProbeResult) -> Verdict {
    if sent == 0 {
        return Verdict::NotApplicable("hardly an answer was lost");
    }
    if lost < ProbeResult::ENOUGH {
        return Verdict::Pass;
    }
    let lost = format!("{lost} of {sent} got none, sent one by one on connections of their own");
    Verdict::fail(Finding::new("lost", "", "an answer to each request", lost).exchange(0))
}

fn documented_status(view: &ExchangeView<'_>) -> Verdict {
    let Some(status) = view.status() else { return Verdict::NotApplicable("no answer") };
    if status >= 500 {
        return Verdict::NotApplicable("another rule judges 5xx");
    }
    let allowed = match view.exchange.intent.situation {
        Situation::Ordinary if view.feature().is_none() => ordinary(view),
        _ => return Verdict::NotApplicable("another rule judges this situation"),
    };
    let wanted = allowed.is_empty() || allowed.contains(&status);
    if wanted || matches!(status, 408 | 429) {
        return Verdict::Pass;
    }
    let on_wire = |status: &u16| match &view.contract.shape {
        Some(shape) => shape.statuses(*status),
        None => vec![*status],
    };
    let words: Vec<String> = allowed.iter().flat_map(on_wire).map(|s| s.to_string()).collect();
    let status = view.wire_status().unwrap_or(status);
    Verdict::fail(Finding::new(
        format!("status {status}"),
        "",
        words.join(" or "),
        format!("{status}{}", error_excerpt(view)),
    ))
}

/// The statuses in place for a request with the documented method, path, type and credentials; empty
/// where any below 500 is.
fn ordinary(view: &ExchangeView<'_>) -> Vec<u16> {
    let request = &view.exchange.request;
    let mut allowed = match &view.exchange.intent.body {
        BodyIntent::Open(_) => return Vec::new(),
        // A 2xx for a broken body is another rule's matter.
        BodyIntent::Broken(_) => vec![200, 400],
        BodyIntent::None => vec![400, 411],
        BodyIntent::Batch { .. } => vec![200, 400],
    };
    if request.framing.is_chunked() {
        allowed.extend([411, 501]);
    }
    if view.status() == Some(403) && view.may_be_refused_by_a_firewall() {
        allowed.push(403);
    }
    if request.body.as_ref().is_some_and(bytes::Bytes::is_empty) {
        allowed.push(411);
    }
    if request.header("expect").is_some() {
        allowed.push(417);
    }
    if view.may_be_refused_for_size() {
        allowed.push(413);
    }
    allowed
}

fn no_server_error(view: &ExchangeView<'_>) -> Verdict {
    let featured = view.feature().is_some();
    let has_rule = view.feature().is_some_and(|f| f != RequestFeature::Expect);
    let by_feature = has_rule && must_be_processed(view);
    if view.is_lost_to_early_refusal() {
        return Verdict::NotApplicable(REFUSED_EARLY);
    }
    if view.is_odd() || view.exchange.group.is_some() || by_feature {
        return Verdict::NotApplicable(
            "another rule judges unusual input, unusual headers and overlap",
        );
    }
    match view.status() {
        None => Verdict::NotApplicable("no answer"),
        Some(status) if is_server_error(view, status) => {
            let finding = server_error(view, status);
            Verdict::fail(if featured { finding.shows(Symptom::UnusualHeadBroke) } else { finding })
        }
        Some(_) => Verdict::Pass,
    }
}

fn answered(view: &ExchangeView<'_>) -> Verdict {
    if view.is_lost_to_early_refusal() {
        return Verdict::NotApplicable(REFUSED_EARLY);
    }
    if view.is_odd() || view.exchange.group.is_some() || view.feature().is_some() {
        return Verdict::NotApplicable("another rule judges it");
    }
    match (&view.exchange.answer, lost_answer(view)) {
        (_, Some(finding)) => Verdict::fail(finding),
        (Answer::Lost(_), None) => Verdict::NotApplicable("the client hung up"),
        _ => Verdict::Pass,
    }
}
