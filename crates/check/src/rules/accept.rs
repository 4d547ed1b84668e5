//! ACCEPT: valid input is accepted.

use super::common;
use crate::contract::Level;
use crate::contract::text::counted;
use crate::exchange::{BodyIntent, ItemIntent};
use crate::exchange_view::{ExchangeView, ItemVerdict, ItemView};
use crate::finding::{Finding, Symptom, Verdict};
use crate::message::Message;
use crate::prediction::{Prediction, UnusedReason};
use crate::rule::{Check, Explains, Rule};

const NEEDS: &[&str] = &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001", "SCHEMA-004"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "ACCEPT-001",
        level: Level::Must,
        title: "A valid item with an unused key is accepted",
        cite: "OpenAPI: request schema; INTERPRETATION-16, INTERPRETATION-19, INTERPRETATION-20",
        doc: "Whatever the schema allows is valid: optional fields present or absent, amounts that are \
              negative or zero, offsets, fractions of a second, strings at their longest. If the target \
              knows only its own accounts or classifiers, a profile says so (values, omit, required).",
        example: include_str!("examples/ACCEPT-001.txt"),
        needs: NEEDS,
        check: Check::Exchange(valid_is_accepted),
        explains: &[
            Explains::any(Symptom::ValidRefused),
            Explains::any(Symptom::NoConcurrentAccepted),
            Explains::any(Symptom::LaterDuplicateAccepted),
            Explains::any(Symptom::PartlyStored),
            Explains::any(Symptom::UnusualHeadRefused),
            Explains::any(Symptom::ExpectationUnmet),
        ],
        ..Rule::BASE
    },
    Rule {
        id: "ACCEPT-002",
        level: Level::Must,
        title: "A property that the schema does not name changes nothing",
        cite: "INTERPRETATION-13",
        doc: "The schema is open. A client that sends one field more, for a newer edition of the interface, \
              is served as before.",
        example: include_str!("examples/ACCEPT-002.txt"),
        needs: NEEDS,
        check: Check::Exchange(open_schema),
        explains: &[
            Explains::any(Symptom::ValidRefused),
            Explains::any(Symptom::NoConcurrentAccepted),
            Explains::any(Symptom::LaterDuplicateAccepted),
            Explains::any(Symptom::UnusualHeadRefused),
        ],
        ..Rule::BASE
    },
    Rule {
        id: "ACCEPT-003",
        level: Level::Should,
        title: "Unusual but valid strings are accepted",
        cite: "INTERPRETATION-18",
        doc: "Controls, markup, combining marks and characters outside the basic plane are strings like any \
              other. Refusing them on purpose is legitimate, but surprises clients.",
        example: include_str!("examples/ACCEPT-003.txt"),
        needs: NEEDS,
        check: Check::Exchange(unusual_is_accepted),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        ..Rule::BASE
    },
    Rule {
        id: "ACCEPT-004",
        level: Level::Should,
        title: "An empty batch is answered with 200 and no results",
        cite: "INTERPRETATION-21",
        doc: "The array has no minItems, so a batch without items is valid; a scheduled job that found \
              nothing to send should not fail.",
        example: include_str!("examples/ACCEPT-004.txt"),
        needs: &["STATUS-001", "SCHEMA-001", "RACE-002"],
        check: Check::Exchange(empty_batch),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        ..Rule::BASE
    },
    Rule {
        id: "ACCEPT-005",
        level: Level::Should,
        title: "A batch up to the size limit of the contract is processed",
        cite: "INTERPRETATION-22",
        doc: "No maxItems is documented. A smaller limit should be documented; a profile's `batch-items` \
              states it. A limit in bytes is a setting of the framework or of the gateway before it: `limit` of \
              Express's `express.json()` (100 kB unasked), `client_max_body_size` of nginx (1 MB).",
        example: include_str!("examples/ACCEPT-005.txt"),
        needs: &[],
        check: Check::Exchange(large_batch),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        ..Rule::BASE
    },
];

/// Which rule a refused valid item belongs to.
#[derive(PartialEq, Eq, Clone, Copy)]
enum ItemKind {
    Plain,
    Additional,
    Unusual,
}

fn item_kind(item: &ItemIntent) -> ItemKind {
    if !item.validity.unusual.is_empty() {
        ItemKind::Unusual
    } else if item.validity.additional.is_some() {
        ItemKind::Additional
    } else {
        ItemKind::Plain
    }
}

/// Judges an item of one kind: expected accepted, and in a whole refusal all items of the batch were.
fn judge_item(view: &ItemView<'_>, wanted: ItemKind) -> Verdict {
    let Prediction::Accept { because, .. } = view.predicted else {
        return Verdict::NotApplicable("it need not be accepted");
    };
    if item_kind(view.intent) != wanted {
        return Verdict::NotApplicable("another kind of item");
    }
    if view.verdict != Some(ItemVerdict::Rejected) {
        return if view.verdict.is_some() {
            Verdict::Pass
        } else {
            Verdict::NotApplicable("no verdict")
        };
    }
    // A server may say so of each item, where the request is one that it may refuse.
    if !view.within.is_ordinary() {
        return Verdict::NotApplicable("the request may be refused for something else");
    }
    if view.is_called_used() || *because == UnusedReason::Refused {
        return Verdict::NotApplicable("another rule judges what its key went through");
    }
    // Unusual strings are no bad neighbours to each other.
    let refusable = view.within.predicted.iter().any(|e| !matches!(e, Prediction::Accept { .. }));
    if refusable || (wanted != ItemKind::Unusual && common::has_bad_neighbour(view.within)) {
        return Verdict::NotApplicable("beside a broken item, another rule judges it");
    }
    let finding = Finding::new(
        "rejected",
        view.at(&view.within.contract.batch.verdict.field),
        format!(
            "{}{}",
            view.within.contract.batch.verdict.accepted,
            common::mutation_note(view.intent)
        ),
        rejection(view),
    )
    .item(view.index);
    Verdict::fail(if wanted == ItemKind::Plain {
        finding
    } else {
        finding.shows(Symptom::ValidRefused)
    })
}

/// What the result says of its rejection.
fn rejection(view: &ItemView<'_>) -> String {
    let description = &view.within.contract.batch.error.description;
    match view.result.get(description).and_then(|v| v.as_str()) {
        Some(text) => format!("{}: {text}", view.said()),
        None => view.said(),
    }
}

fn valid_is_accepted(view: &ExchangeView<'_>) -> Verdict {
    if view.is_aligned() {
        view.each(|item| judge_item(item, ItemKind::Plain))
    } else {
        whole(view, false)
    }
}

fn open_schema(view: &ExchangeView<'_>) -> Verdict {
    if view.is_aligned() {
        view.each(|item| judge_item(item, ItemKind::Additional))
    } else {
        whole(view, true)
    }
}

fn unusual_is_accepted(view: &ExchangeView<'_>) -> Verdict {
    if view.is_aligned() {
        return view.each(|item| judge_item(item, ItemKind::Unusual));
    }
    let valid = view.predicted.iter().all(|e| matches!(e, Prediction::Accept { .. }));
    let unusual = view.items().iter().find(|i| item_kind(i) == ItemKind::Unusual);
    // A batch that may be refused for its size is one rule's matter alone (INTERPRETATION-22).
    let judged = view.is_ordinary() && !view.may_be_refused_for_size();
    let (true, true, Some(item)) = (judged, valid, unusual) else {
        return Verdict::NotApplicable("no unusual string");
    };
    if view.status() != Some(400) {
        return Verdict::NotApplicable("another status");
    }
    Verdict::fail(
        Finding::new(
            "refused",
            "",
            Message::status(200)
                .text(format!(": every item is valid{}", common::mutation_note(item))),
            format!("{}{}", common::sent_status(view), common::error_excerpt(view)),
        )
        .shows(Symptom::ValidRefused),
    )
}

/// Whole refusals of a batch of one kind, for the rule of that kind.
fn whole(view: &ExchangeView<'_>, additional: bool) -> Verdict {
    let all_refused_before = view
        .predicted
        .iter()
        .any(|e| matches!(e, Prediction::Accept { because: UnusedReason::Refused, .. }));
    let large = view.may_be_refused_for_size();
    if !common::must_be_processed(view) || view.feature().is_some() || all_refused_before || large {
        return Verdict::NotApplicable("not a batch of valid items");
    }
    let is_additional = view.items().iter().any(|i| i.validity.additional.is_some());
    if is_additional != additional {
        return Verdict::NotApplicable("another kind of batch");
    }
    if view.is_stopped_by_a_firewall() {
        return Verdict::NotApplicable("a firewall may refuse such texts");
    }
    match common::refused_as_a_whole(view) {
        Some(finding) if additional => Verdict::fail(finding.shows(Symptom::ValidRefused)),
        Some(finding) => Verdict::fail(finding),
        None if view.status() == Some(200) => Verdict::Pass,
        None => Verdict::NotApplicable("another status"),
    }
}

fn empty_batch(view: &ExchangeView<'_>) -> Verdict {
    let empty = matches!(&view.exchange.intent.body, BodyIntent::Batch { items, trailing: None } if items.is_empty());
    if !empty || !view.is_ordinary() || view.feature().is_some() {
        return Verdict::NotApplicable("not a plain empty batch");
    }
    match (view.status(), view.results()) {
        (Some(200), Some([])) => Verdict::Pass,
        (Some(200), None)
            if view.body().is_some_and(|b| b.get(&view.contract.batch.results).is_none()) =>
        {
            Verdict::Pass
        }
        (Some(200), results) => Verdict::fail(Finding::new(
            "results",
            format!("/{}", view.contract.batch.results),
            "no results",
            counted(results.map_or(0, <[_]>::len) as u64, "result"),
        )),
        (Some(400), _) => Verdict::fail(Finding::new(
            "status 400",
            "",
            Message::status(200),
            format!("{}{}", common::sent_status(view), common::error_excerpt(view)),
        )),
        _ => Verdict::NotApplicable("another status"),
    }
}

fn large_batch(view: &ExchangeView<'_>) -> Verdict {
    if !view.may_be_refused_for_size() || !common::must_be_processed(view) {
        return Verdict::NotApplicable("not a large batch of valid items");
    }
    let body = view.exchange.request.body.as_ref().map_or(0, bytes::Bytes::len);
    match view.status() {
        Some(200) => Verdict::Pass,
        // A limit in bytes is another thing than one in items.
        Some(413) if body > 1 << 20 => Verdict::NotApplicable("the body is over 1 MiB"),
        Some(status @ (400 | 413)) => Verdict::fail(
            Finding::new(
                format!("status {status}"),
                "",
                Message::status(200).text(format!(" for {} items", view.items().len())),
                Message::status(status).text(common::error_excerpt(view)),
            )
            .shows(Symptom::ValidRefused),
        ),
        _ => Verdict::NotApplicable("another status"),
    }
}
