//! UNIQUE: the unique number's life.

use std::collections::HashSet;

use serde_json::Value;

use super::common::error_excerpt;
use crate::contract::Level;
use crate::contract::validity::ExpectedOutcome;
use crate::exchange_view::{ExchangeView, ItemVerdict, ItemView};
use crate::finding::{Finding, Symptom, Verdict};
use crate::message::Message;
use crate::prediction::{Prediction, UnusedReason};
use crate::rule::{Check, Explains, Grouping, Rule};
use crate::text::{TextChange, shown};

const NEEDS: &[&str] = &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001", "SCHEMA-004"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "UNIQUE-001",
        level: Level::Must,
        title: "A key is accepted at most once",
        cite: "OpenAPI: example of the 200 (a used key is rejected); INTERPRETATION-05",
        doc: "Once an item was accepted, its key is used for good: in the same batch, the next one, on \
              another connection, for another account, later. A second acceptance books a balance twice.",
        example: include_str!("examples/UNIQUE-001.txt"),
        needs: NEEDS,
        check: Check::Item(accepted_once),
        explains: &[
            Explains::any(Symptom::AcceptedConcurrently),
            Explains::any(Symptom::PartlyStored),
            Explains::any(Symptom::ExpectationUnmet),
        ],
        grouping: Grouping::ByPlace,
        ..Rule::BASE
    },
    Rule {
        id: "UNIQUE-002",
        level: Level::Must,
        title: "A used key rejects its item, not the request",
        cite: "OpenAPI: example of the 200; INTERPRETATION-04",
        doc: "The documented answer to a used key is a 200 in which that item is rejected and its \
              neighbours are processed. Refusing the whole request leaves a client unable to send the rest.",
        example: include_str!("examples/UNIQUE-002.txt"),
        needs: &["STATUS-001"],
        check: Check::Exchange(rejects_the_item),
        ..Rule::BASE
    },
    Rule {
        id: "UNIQUE-003",
        level: Level::Must,
        title: "A key that was never used is not rejected as used",
        cite: "INTERPRETATION-05, INTERPRETATION-12",
        doc: "A fresh key rejected as already used loses a balance: a client takes it for a repeat and \
              drops it.",
        example: include_str!("examples/UNIQUE-003.txt"),
        needs: NEEDS,
        check: Check::Item(fresh_is_fresh),
        explains: &[
            Explains::any(Symptom::LaterDuplicateAccepted),
            Explains::any(Symptom::PartlyStored),
            Explains::any(Symptom::ExpectationUnmet),
        ],
        ..Rule::BASE
    },
    Rule {
        id: "UNIQUE-004",
        level: Level::Should,
        title: "The first of two items with the same key is accepted",
        cite: "INTERPRETATION-04",
        doc: "Items are processed in their order, so the first of two with the same key \
              uses it.",
        example: include_str!("examples/UNIQUE-004.txt"),
        needs: NEEDS,
        check: Check::Exchange(first_wins),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        ..Rule::BASE
    },
    Rule {
        id: "UNIQUE-005",
        level: Level::Must,
        title: "Keys that differ in any code point are different keys",
        cite: "INTERPRETATION-05",
        doc: "Letter case, white space, leading zeros, Unicode normal form and length all count. A store that \
              folds, trims or cuts its keys calls a fresh key used.",
        example: include_str!("examples/UNIQUE-005.txt"),
        needs: NEEDS,
        check: Check::Item(near_is_not_same),
        grouping: Grouping::ByChange,
        ..Rule::BASE
    },
    Rule {
        id: "UNIQUE-006",
        level: Level::Must,
        title: "One of two items with the same key is accepted",
        cite: "INTERPRETATION-04",
        doc: "Two items with one key: exactly one of them is accepted. Rejecting both loses a balance that \
              was valid.",
        example: include_str!("examples/UNIQUE-006.txt"),
        needs: NEEDS,
        check: Check::Exchange(one_is_accepted),
        ..Rule::BASE
    },
    Rule {
        id: "UNIQUE-007",
        level: Level::Should,
        title: "A key that appears twice in one batch rejects an item, not the request",
        cite: "INTERPRETATION-04",
        doc: "Refusing the whole batch with a 400 stores nothing, so nothing is lost; but the client has to find the \
              repeated key itself before it can send the rest.",
        example: include_str!("examples/UNIQUE-007.txt"),
        needs: &["STATUS-001"],
        check: Check::Exchange(duplicates_reject_the_item),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        ..Rule::BASE
    },
];

fn number(view: &ItemView<'_>) -> String {
    shown(&Value::from(view.intent.number.as_deref().unwrap_or("")))
}

fn accepted_once(view: &ItemView<'_>) -> Verdict {
    let Some(verdict) = view.verdict else { return Verdict::NotApplicable("no verdict") };
    let field = &view.within.contract.batch.verdict.field;
    match view.predicted {
        Prediction::Used { by } if verdict == ItemVerdict::Accepted => Verdict::fail(
            Finding::new(
                if view.within.exchange.index == *by { "in one batch" } else { "across batches" },
                view.at(field),
                format!("rejected: request {} used {} already", by + 1, number(view)),
                view.said(),
            )
            .item(view.index),
        ),
        Prediction::Used { .. } => Verdict::Pass,
        Prediction::BatchDuplicate(places) if verdict == ItemVerdict::Accepted => {
            let earlier = places
                .iter()
                .take_while(|p| **p < view.index)
                .find(|p| view.within.verdicts[**p] == Some(ItemVerdict::Accepted));
            match earlier {
                None => Verdict::Pass,
                Some(first) => Verdict::fail(
                    Finding::new(
                        "in one batch",
                        view.at(field),
                        Message::from("rejected: ")
                            .item(*first)
                            .text(format!(" used {} already", number(view))),
                        view.said(),
                    )
                    .item(view.index),
                ),
            }
        }
        Prediction::BatchDuplicate(_) => Verdict::Pass,
        _ => Verdict::NotApplicable("its key was not used before"),
    }
}

fn rejects_the_item(view: &ExchangeView<'_>) -> Verdict {
    let used = view.predicted.iter().any(|e| matches!(e, Prediction::Used { .. }));
    whole_batch_refused(view, used && !holds_a_key_twice(view))
}

fn duplicates_reject_the_item(view: &ExchangeView<'_>) -> Verdict {
    whole_batch_refused(view, holds_a_key_twice(view))
}

/// Whether a batch may be refused for what it holds alone, whether its keys are used or not.
fn holds_a_key_twice(view: &ExchangeView<'_>) -> bool {
    let mut numbers = HashSet::new();
    let same = view.contract.batch.same;
    let mut keys = view.items().iter().filter_map(|i| Some(same.compared(i.number.as_ref()?)));
    keys.any(|number| !numbers.insert(number))
}

/// Whether a batch that is sound but for its numbers was refused as a whole, where `repeats` says that they are why.
fn whole_batch_refused(view: &ExchangeView<'_>, repeats: bool) -> Verdict {
    let items = view.items();
    let sound =
        items.iter().all(|i| i.validity.expected_outcome() == ExpectedOutcome::Accept(Level::Must));
    let too_large = view.may_be_refused_for_size() && !was_taken_before(view);
    if !repeats
        || !sound
        || view.has_repeated_further_key()
        || too_large
        || !view.is_ordinary()
        || view.feature().is_some()
    {
        return Verdict::NotApplicable("no batch that is sound but for used keys");
    }
    match view.status() {
        Some(200) => Verdict::Pass,
        Some(status @ (400 | 409 | 422)) => Verdict::fail(
            Finding::new(
                format!("status {status}"),
                "",
                Message::status(200).text(" with the item rejected"),
                Message::status(status).text(error_excerpt(view)),
            )
            .shows(Symptom::ValidRefused),
        ),
        _ => Verdict::NotApplicable("another status"),
    }
}

/// Whether one earlier request held all numbers of this one and was processed: then it is not too large.
fn was_taken_before(view: &ExchangeView<'_>) -> bool {
    let mut numbers = HashSet::new();
    let are_distinct =
        view.items().iter().all(|i| i.number.as_ref().is_some_and(|n| numbers.insert(n)));
    let by = |e: &Prediction| if let Prediction::Used { by } = e { Some(*by) } else { None };
    let mut before = view.predicted.iter().map(by);
    let first = before.next().flatten();
    are_distinct && first.is_some() && before.all(|by| by == first)
}

fn fresh_is_fresh(view: &ItemView<'_>) -> Verdict {
    // Whatever else is wrong with an item, a number that nobody used is not used.
    let unused = match view.predicted {
        Prediction::Accept { because: UnusedReason::Fresh, .. } => true,
        Prediction::Accept { .. } => return Verdict::NotApplicable("another rule judges it"),
        _ => false,
    };
    if !unused || view.verdict.is_none() {
        return Verdict::NotApplicable("not a fresh key");
    }
    if !view.is_called_used() {
        return Verdict::Pass;
    }
    Verdict::fail(
        Finding::new(
            "called used",
            view.at(&view.within.contract.batch.error.code),
            format!("accepted: {} was never sent before", number(view)),
            view.said(),
        )
        .item(view.index),
    )
}

fn near_is_not_same(view: &ItemView<'_>) -> Verdict {
    let Prediction::Accept { because: UnusedReason::Near(other), .. } = view.predicted else {
        return Verdict::NotApplicable("no key like it was used");
    };
    if !view.is_called_used() {
        return Verdict::Pass;
    }
    // The change that makes the two one; whichever of them was there first.
    let own = view.intent.number.as_deref().unwrap_or("");
    let change = TextChange::between(own, other).or_else(|| TextChange::between(other, own));
    Verdict::fail(
        Finding::new(
            change.map_or("taken for another".to_owned(), |c| {
                format!("taken for another: {}", c.word())
            }),
            view.at(&view.within.contract.batch.error.code),
            format!(
                "accepted: {} is not {}",
                spelt(view.intent.number.as_deref().unwrap_or("")),
                spelt(other)
            ),
            view.said(),
        )
        .item(view.index),
    )
}

/// A number with its code points beyond ASCII spelt out, as far as that stays short: many differ only there, and
/// look the same.
fn spelt(number: &str) -> String {
    const LONG: usize = 80;
    if number.is_ascii() || number.chars().count() > LONG {
        return shown(&Value::from(number));
    }
    let spell = |c: char| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() };
    format!("\"{}\"", number.chars().map(spell).collect::<String>())
}

/// Groups of items of one batch with the same number: their positions.
fn twins<'a>(view: &'a ExchangeView<'_>) -> impl Iterator<Item = &'a [usize]> {
    view.predicted.iter().enumerate().filter_map(|(i, e)| match e {
        Prediction::BatchDuplicate(places) if places.first() == Some(&i) => Some(places.as_slice()),
        _ => None,
    })
}

fn judged_twins(
    view: &ExchangeView<'_>,
    fault: impl Fn(&[usize], &[usize]) -> Option<Finding>,
) -> Verdict {
    if !view.is_aligned() {
        return Verdict::NotApplicable("no results beside items");
    }
    let mut seen = false;
    let mut findings = Vec::new();
    for places in twins(view) {
        if places.iter().any(|p| view.verdicts[*p].is_none()) {
            continue;
        }
        seen = true;
        let accepted: Vec<usize> = places
            .iter()
            .copied()
            .filter(|p| view.verdicts[*p] == Some(ItemVerdict::Accepted))
            .collect();
        findings.extend(fault(places, &accepted));
    }
    if seen { Verdict::of(findings) } else { Verdict::NotApplicable("no key twice in the batch") }
}

fn first_wins(view: &ExchangeView<'_>) -> Verdict {
    let batch = &view.contract.batch;
    judged_twins(view, |places, accepted| match accepted {
        [one] if *one != places[0] => Some(
            Finding::new(
                "not the first",
                format!("/{}/{one}/{}", batch.results, batch.verdict.field),
                Message::default().item(places[0]).text(" accepted, the first with this key"),
                Message::default().item(*one).text(" accepted"),
            )
            .item(*one)
            .shows(Symptom::LaterDuplicateAccepted),
        ),
        _ => None,
    })
}

fn one_is_accepted(view: &ExchangeView<'_>) -> Verdict {
    let batch = &view.contract.batch;
    judged_twins(view, |places, accepted| {
        accepted.is_empty().then(|| {
            Finding::new(
                "none accepted",
                format!("/{}/{}/{}", batch.results, places[0], batch.verdict.field),
                "one of the items with this key accepted",
                format!("all {} rejected", places.len()),
            )
            .item(places[0])
            .shows(Symptom::ValidRefused)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::spelt;

    #[test]
    fn numbers_that_look_the_same_are_told_apart() {
        assert_eq!(spelt("a-\u{e9}"), r#""a-\u{e9}""#);
        assert_eq!(spelt("a-e\u{301}"), r#""a-e\u{301}""#);
        assert_eq!(spelt("a\"b"), r#""a\"b""#, "as JSON where it is ASCII");
        assert!(spelt(&"\u{20ac}".repeat(257)).contains("(259 characters)"));
    }
}
