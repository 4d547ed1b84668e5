//! ORDER: one result per item, in request order.

use std::collections::HashMap;

use serde_json::Value;

use crate::contract::shape::Mismatch;
use crate::contract::text::counted;
use crate::contract::{Contract, Level};
use crate::exchange_view::ExchangeView;
use crate::finding::{Finding, Symptom, Verdict};
use crate::message::Message;
use crate::prediction::Prediction;
use crate::rule::{Check, Explains, Rule};
use crate::text::shown;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "ORDER-001",
        level: Level::Must,
        title: "A response has as many results as the request has items",
        cite: "OpenAPI: operation summary (one result per item); INTERPRETATION-06",
        doc: "Results stand for items by position. One too few, and every later verdict belongs to another \
              item. Example: a batch of three with one rejected item answered with two results.",
        example: include_str!("examples/ORDER-001.txt"),
        needs: &["SCHEMA-003", "RACE-002"],
        check: Check::Exchange(one_result_an_item),
        explains: &[
            Explains::any(Symptom::UnusualHeadRefused),
            Explains::any(Symptom::ExpectationUnmet),
        ],
        concerns_whole_answer: true,
        ..Rule::BASE
    },
    Rule {
        id: "ORDER-002",
        level: Level::Must,
        title: "Results are in the order of their items",
        cite: "OpenAPI: operation summary (one result per item); INTERPRETATION-06",
        doc: "Result *i* belongs to item *i*. Results that are sorted, reversed, grouped by verdict or in the \
              order in which workers finished make a client believe that a rejected balance was accepted.",
        example: include_str!("examples/ORDER-002.txt"),
        needs: &["ORDER-001", "ORDER-003", "RACE-002"],
        check: Check::Exchange(request_order),
        explains: &[
            Explains::any(Symptom::ValidRefused),
            Explains::any(Symptom::NoConcurrentAccepted),
            Explains::any(Symptom::LaterDuplicateAccepted),
            Explains::any(Symptom::ExpectationUnmet),
        ],
        concerns_whole_answer: true,
        ..Rule::BASE
    },
    Rule {
        id: "ORDER-003",
        level: Level::Must,
        title: "No item has two results while another has none",
        cite: "OpenAPI: operation summary (one result per item); INTERPRETATION-06",
        doc: "The count can be right and the answer still wrong: one item answered twice, another never. The \
              item without a result is lost without a trace.",
        example: include_str!("examples/ORDER-003.txt"),
        needs: &["ORDER-001", "RACE-002"],
        check: Check::Exchange(no_item_twice),
        explains: &[
            Explains::any(Symptom::ValidRefused),
            Explains::any(Symptom::NoConcurrentAccepted),
            Explains::any(Symptom::ExpectationUnmet),
        ],
        concerns_whole_answer: true,
        ..Rule::BASE
    },
];

fn one_result_an_item(view: &ExchangeView<'_>) -> Verdict {
    let (Some(results), true) = (view.results(), view.exchange.intent.is_batch()) else {
        return Verdict::NotApplicable("no results");
    };
    match view.mismatch() {
        None => {}
        // What is wrong with an item may be what its result would have repeated.
        Some(Mismatch::Unknown { by: None, .. })
            if results.len() == view.items().len()
                && view.predicted.iter().any(|p| matches!(p, Prediction::Refuse(_))) => {}
        Some(Mismatch::Unknown { at, by }) => {
            let by = by.as_deref().map_or("nothing".to_owned(), |by| shown(&Value::from(by)));
            return Verdict::fail(Finding::new(
                "of no item",
                at.as_str(),
                "one result for each item",
                format!("a result that is matched by {by}, which no item without a result has"),
            ));
        }
        Some(Mismatch::Missing { item, by }) => {
            let by = shown(&Value::from(by.as_str()));
            let finding = Finding::new(
                "without a result",
                format!("/{}", view.contract.batch.results),
                Message::from("one result for ").item(*item).text(format!(", matched by {by}")),
                "none",
            );
            return Verdict::fail(finding.item(*item));
        }
    }
    let (items, results) = (view.items().len(), results.len());
    if items == results {
        return Verdict::Pass;
    }
    Verdict::fail(miscounted(view.contract, items, results))
}

/// The rules about number, order and repetition of results.
pub(crate) const COUNT: &Rule = &RULES[0];
pub(crate) const ORDER: &Rule = &RULES[1];
pub(crate) const ONCE: &Rule = &RULES[2];

/// The finding for a number of results that differs from that of the items.
pub(crate) fn miscounted(contract: &Contract, items: usize, results: usize) -> Finding {
    Finding::new(
        if results < items { "too few" } else { "too many" },
        format!("/{}", contract.batch.results),
        counted(items as u64, "result"),
        counted(results as u64, "result"),
    )
}

/// The finding for a result in the place of another: its place and the number that belongs there, the item
/// that it belongs to and that one's number.
pub(crate) fn misordered(
    contract: &Contract,
    (at, own): (usize, &str),
    (from, other): (usize, &str),
) -> Finding {
    Finding::new(
        "out of order",
        format!("/{}/{at}/{}", contract.batch.results, contract.batch.unique),
        Message::from(format!("{own}, the key of ")).item(at),
        Message::from(format!("{other}, the key of ")).item(from),
    )
    .item(at)
}

/// The finding for an item with several results; how many, where that is known.
pub(crate) fn twice(
    contract: &Contract,
    item: usize,
    number: &str,
    results: Option<usize>,
) -> Finding {
    let results = results.map_or("several".to_owned(), |n| n.to_string());
    Finding::new(
        "answered twice",
        format!("/{}", contract.batch.results),
        format!("one result for {}", shown(&Value::from(number))),
        format!("{results} results for it"),
    )
    .item(item)
}

fn counts<'a>(numbers: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    let mut counts = HashMap::new();
    for number in numbers {
        *counts.entry(number).or_default() += 1;
    }
    counts
}

fn request_order(view: &ExchangeView<'_>) -> Verdict {
    if !view.is_aligned() || view.items().is_empty() {
        return Verdict::NotApplicable("no results beside items");
    }
    if view.items().len() == 1 {
        return Verdict::NotApplicable("a single item has no order");
    }
    let Some((at, from)) = view.misordered else { return Verdict::Pass };
    let batch = &view.contract.batch;
    let said = |item: usize, field: &str| {
        view.items()[item].value.get(field).map_or(format!("no {field}"), shown)
    };
    let number = |item| said(item, &batch.unique);
    let mut finding = misordered(view.contract, (at, &number(at)), (from, &number(from)));
    // Items that share a number are told apart by what else is echoed.
    let other = || batch.echo.iter().find(|field| said(at, field) != said(from, field));
    if number(at) == number(from)
        && let Some(field) = other()
    {
        let of_item =
            |item| Message::from(format!("{}, the {field} of ", said(item, field))).item(item);
        finding.expected = of_item(at);
        finding.actual = of_item(from);
    }
    Verdict::fail(finding)
}

fn no_item_twice(view: &ExchangeView<'_>) -> Verdict {
    if !view.is_aligned() || view.items().is_empty() {
        return Verdict::NotApplicable("no results beside items");
    }
    let unique = &view.contract.batch.unique;
    if view.misordered.is_none() {
        return Verdict::Pass;
    }
    let sent = counts(view.items().iter().filter_map(|i| i.number.as_deref()));
    let echoed = counts(
        view.results().unwrap_or(&[]).iter().filter_map(|r| r.get(unique).and_then(Value::as_str)),
    );
    let answered_twice = view
        .items()
        .iter()
        .filter_map(|i| i.number.as_deref())
        .enumerate()
        .find(|(_, n)| echoed.get(n).copied().unwrap_or(0) > sent.get(n).copied().unwrap_or(0));
    match answered_twice {
        None => Verdict::Pass,
        Some((index, number)) => {
            Verdict::fail(twice(view.contract, index, number, echoed.get(number).copied()))
        }
    }
}
