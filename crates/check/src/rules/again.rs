//! UNIQUE: what becomes of a used key where the contract does not reject it.
//!
//! The model keeps no state of such keys: what one execution shows of a key is all that is looked at.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::contract::Level;
use crate::contract::member;
use crate::contract::shape::{Again, KeyScope, name};
use crate::contract::validity::ExpectedOutcome;
use crate::exchange_view::{ExchangeView, ExecutionView, ItemVerdict, ItemView, ParsedBody};
use crate::finding::{Finding, Verdict};
use crate::rule::{Check, Rule};
use crate::text::shown;

const NEEDS: &[&str] = &["ORDER-001", "SCHEMA-001"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "UNIQUE-008",
        level: Level::Must,
        title: "A used key is accepted again where the contract says so",
        cite: "The contract: `again: replaced` or `again: free`",
        doc: "Under such a contract a client may send a key again: to replace what it stored, or because keys mean \
              nothing to the target. An item that is rejected because its key was used never gets there.",
        example: include_str!("examples/UNIQUE-008.txt"),
        needs: NEEDS,
        check: Check::Execution(accepted_again),
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "UNIQUE-009",
        level: Level::Must,
        title: "A used key gets the verdict that its first use got, where the contract says so",
        cite: "The contract: `again: returned`",
        doc: "An idempotency key makes a repeat safe: a client that missed the first answer sends the same item again and \
              takes the second for the first. A repeat that is rejected says that the item was lost.",
        example: include_str!("examples/UNIQUE-009.txt"),
        needs: NEEDS,
        check: Check::Execution(same_verdict),
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "UNIQUE-010",
        level: Level::Should,
        title: "A used key gets the result that its first use got, where the contract says so",
        cite: "The contract: `again: returned`",
        doc: "A repeat that is accepted with another result was processed a second time: the client now knows two \
              different things of one item. What shows the verdict (such as a status of 201, then 200) and elapsed times \
              may differ.",
        example: include_str!("examples/UNIQUE-010.txt"),
        needs: &["ORDER-001", "SCHEMA-001", "UNIQUE-009"],
        check: Check::Execution(same_result),
        may_lack_occasion: true,
        ..Rule::BASE
    },
];

/// An item with a used key beside the one that used it first.
#[derive(Clone, Copy)]
struct Reuse<'v> {
    first: ItemView<'v>,
    again: ItemView<'v>,
}

/// The items of an execution whose keys an earlier request used in an accepted item. Requests that overlap others are
/// left out, and so is what the contract does not say is valid.
fn reuses<'v>(trial: &'v ExecutionView<'v>) -> Vec<Reuse<'v>> {
    let key = &trial.contract.batch.unique;
    let mut used: HashMap<(bool, &str), ItemView<'v>> = HashMap::new();
    let mut found = Vec::new();
    for view in &trial.exchanges {
        let alone = view.exchange.group.is_none() && view.is_ordinary();
        if !alone || view.misordered.is_some() || view.crosstalk.is_some() {
            continue;
        }
        let is_other = view.exchange.request.credential == crate::case::Credential::OtherTenant;
        let mut own = Vec::new();
        let mut times: HashMap<&str, usize> = HashMap::new();
        let keys = view.items().iter().filter_map(|item| member(&item.value, key)?.as_str());
        keys.for_each(|text| *times.entry(text).or_default() += 1);
        for item in view.pairs() {
            let valid =
                item.intent.validity.expected_outcome() == ExpectedOutcome::Accept(Level::Must);
            let Some(text) = member(&item.intent.value, key).and_then(Value::as_str) else {
                continue;
            };
            let further = view.further.get(item.index);
            // Of two items of one batch, neither is the first.
            if !valid
                || further.is_some_and(|keys| !keys.are_fresh())
                || times.get(text).is_some_and(|times| *times > 1)
            {
                continue;
            }
            let accepted = item.verdict == Some(ItemVerdict::Accepted);
            match used.get(&(is_other, text)) {
                Some(first) => found.push(Reuse { first: *first, again: item }),
                None if accepted => own.push(((is_other, text), item)),
                None => {}
            }
        }
        used.extend(own);
    }
    found
}

/// Accepted items of simultaneous requests with a key that no other request has: the first of each key, and each other.
fn simultaneous<'v>(trial: &'v ExecutionView<'v>) -> Vec<Reuse<'v>> {
    let key = &trial.contract.batch.unique;
    let text = |item: &ItemView<'v>| member(&item.intent.value, key).and_then(Value::as_str);
    let is_judged = |view: &&ExchangeView<'v>| {
        view.is_ordinary() && view.misordered.is_none() && view.crosstalk.is_none()
    };
    let mut first: HashMap<&str, ItemView<'v>> = HashMap::new();
    let mut found = Vec::new();
    let (together, alone): (Vec<_>, Vec<_>) =
        trial.exchanges.iter().partition(|view| view.exchange.group.is_some());
    let elsewhere: HashSet<&str> = alone
        .iter()
        .flat_map(|view| view.items())
        .filter_map(|item| member(&item.value, key)?.as_str())
        .collect();
    for item in together.into_iter().filter(is_judged).flat_map(ExchangeView::pairs) {
        let valid = item.intent.validity.expected_outcome() == ExpectedOutcome::Accept(Level::Must);
        let accepted = valid && item.verdict == Some(ItemVerdict::Accepted);
        let Some(text) = text(&item).filter(|text| accepted && !elsewhere.contains(text)) else {
            continue;
        };
        match first.get(text) {
            Some(first) if first.within.exchange.group == item.within.exchange.group => {
                found.push(Reuse { first: *first, again: item });
            }
            Some(_) => {}
            None => {
                first.insert(text, item);
            }
        }
    }
    found
}

fn again(trial: &ExecutionView<'_>) -> Option<Again> {
    trial.contract.shape.as_ref().map(|shape| shape.again)
}

fn judged(findings: Vec<Finding>, any: bool) -> Verdict {
    match (findings.is_empty(), any) {
        (false, _) => Verdict::Fail(findings),
        (true, true) => Verdict::Pass,
        (true, false) => Verdict::NotApplicable("no key was used again"),
    }
}

fn accepted_again(trial: &ExecutionView<'_>) -> Verdict {
    let in_request =
        trial.contract.shape.as_ref().map(|shape| shape.within) == Some(KeyScope::Request);
    if !in_request && !matches!(again(trial), Some(Again::Replaced | Again::Free)) {
        return Verdict::NotApplicable("a used key is not accepted again in this contract");
    }
    let reuses = reuses(trial);
    let rejected = reuses.iter().filter(|reuse| reuse.again.verdict == Some(ItemVerdict::Rejected));
    let findings = rejected.map(|reuse| {
        let by = reuse.first.within.exchange.index + 1;
        finding(
            reuse,
            "rejected",
            format!("accepted: the key that request {by} used may be used again"),
        )
    });
    judged(findings.collect(), !reuses.is_empty())
}

/// Whether both items are the same, apart from what is made for each request.
fn is_repeat(reuse: &Reuse<'_>) -> bool {
    let mark = reuse.again.within.contract.shape.as_ref().and_then(|shape| shape.form.mark());
    let plain = |item: &ItemView<'_>| {
        let mut value = item.intent.value.clone();
        if let Some(map) = value.as_object_mut() {
            map.retain(|member, _| member != name::KEY && Some(member.as_str()) != mark);
        }
        value
    };
    plain(&reuse.first) == plain(&reuse.again)
}

fn same_verdict(trial: &ExecutionView<'_>) -> Verdict {
    if again(trial) != Some(Again::Returned) {
        return Verdict::NotApplicable("a used key does not get its first answer in this contract");
    }
    let repeats: Vec<_> = reuses(trial).into_iter().filter(is_repeat).collect();
    let rejected =
        repeats.iter().filter(|repeat| repeat.again.verdict == Some(ItemVerdict::Rejected));
    let findings = rejected.map(|repeat| {
        let by = repeat.first.within.exchange.index + 1;
        finding(
            repeat,
            "another verdict",
            format!("accepted, as the same item was by request {by}"),
        )
    });
    judged(findings.collect(), !repeats.is_empty())
}

fn finding(reuse: &Reuse<'_>, kind: &str, expected: String) -> Finding {
    let field = &reuse.again.within.contract.batch.verdict.field;
    Finding::new(kind, reuse.again.at(field), expected, reuse.again.said())
        .item(reuse.again.index)
        .exchange(reuse.again.within.exchange.index)
}

/// A result without what may differ: its verdict, times, and what it is matched by.
fn lasting(item: &ItemView<'_>) -> Value {
    let view = item.within;
    let batch = &view.contract.batch;
    let wire = match view.wire_json() {
        ParsedBody::Value(body) => {
            view.wire_pointer(&item.at("")).and_then(|at| body.pointer(&at)).cloned()
        }
        _ => None,
    };
    let mut result = match (&view.contract.shape, wire) {
        (Some(shape), Some(wire)) => shape.without_verdict(&wire),
        _ => item.result.clone(),
    };
    if let Some(map) = result.as_object_mut() {
        map.shift_remove(&batch.verdict.field);
        batch.elapsed.item.as_ref().map(|field| map.shift_remove(field));
    }
    result
}

fn same_result(trial: &ExecutionView<'_>) -> Verdict {
    if again(trial) != Some(Again::Returned) {
        return Verdict::NotApplicable("a used key does not get its first answer in this contract");
    }
    let accepted = |repeat: &Reuse<'_>| repeat.again.verdict == Some(ItemVerdict::Accepted);
    let all = reuses(trial).into_iter().chain(simultaneous(trial));
    let repeats: Vec<_> = all.filter(|repeat| is_repeat(repeat) && accepted(repeat)).collect();
    let mut findings = Vec::new();
    for repeat in &repeats {
        let (first, second) = (lasting(&repeat.first), lasting(&repeat.again));
        if first != second {
            let by = repeat.first.within.exchange.index + 1;
            let expected = format!("the result that request {by} got: {}", shown(&first));
            findings.push(
                Finding::new("another result", repeat.again.at(""), expected, shown(&second))
                    .item(repeat.again.index)
                    .exchange(repeat.again.within.exchange.index),
            );
        }
    }
    judged(findings, !repeats.is_empty())
}
