//! UNIQUE: what becomes of a used key where the contract does not reject it.
//!
//! The model keeps no state of such keys: what one execution shows of a key is all that is looked at.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use crate::contract::Level;
use crate::contract::member;
use crate::contract::shape::{Again, KeyScope};
use crate::contract::validity::ExpectedOutcome;
use crate::exchange_view::{ExchangeView, ExecutionView, ItemVerdict, ItemView, ParsedBody};
use crate::finding::{Finding, Verdict};
use crate::model;
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
        doc: "A repeat that gets another result leaves the client with two different accounts of one item. What shows the \
              verdict (such as a status of 201, then 200) and elapsed times may differ.",
        example: include_str!("examples/UNIQUE-010.txt"),
        needs: &["ORDER-001", "SCHEMA-001", "UNIQUE-009", "UNIQUE-015"],
        check: Check::Execution(same_result),
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "UNIQUE-015",
        level: Level::Must,
        title: "A used key is not processed a second time, where the contract returns its first result",
        cite: "The contract: `again: returned`",
        doc: "Two accepted results with different identities (a payment id, a booking number) are two payments for one \
              idempotency key: after a repeat, after two clicks at once, twice in one batch, or with another amount. An \
              identity is an identifier with a digit in it, which results have beside what they repeat of their item. \
              Dates, words, elapsed times, and ids of requests may differ.",
        example: include_str!("examples/UNIQUE-015.txt"),
        needs: NEEDS,
        check: Check::Execution(processed_once),
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

/// Items of one batch with the same key, the first of each key beside every further one.
fn twice_in_a_batch<'v>(trial: &'v ExecutionView<'v>) -> Vec<Reuse<'v>> {
    let key = &trial.contract.batch.unique;
    let mut found = Vec::new();
    for view in trial.exchanges.iter().filter(|view| is_in_place(view)) {
        let mut first: HashMap<&str, ItemView<'v>> = HashMap::new();
        for item in view.pairs() {
            let Some(text) = member(&item.intent.value, key).and_then(Value::as_str) else {
                continue;
            };
            match first.get(text) {
                Some(first) => found.push(Reuse { first: *first, again: item }),
                None => {
                    first.insert(text, item);
                }
            }
        }
    }
    found
}

/// Whether the results of an ordinary request stand where its items do.
fn is_in_place(view: &ExchangeView<'_>) -> bool {
    view.is_ordinary() && view.misordered.is_none() && view.crosstalk.is_none()
}

/// Accepted items of simultaneous requests with a key that no other request has: the first of each key, and each other.
fn simultaneous<'v>(trial: &'v ExecutionView<'v>) -> Vec<Reuse<'v>> {
    let key = &trial.contract.batch.unique;
    let text = |item: &ItemView<'v>| member(&item.intent.value, key).and_then(Value::as_str);
    let is_judged = |view: &&ExchangeView<'v>| is_in_place(view);
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

fn is_repeat(reuse: &Reuse<'_>) -> bool {
    let (first, again) = (&reuse.first.intent.value, &reuse.again.intent.value);
    model::is_repeat(reuse.again.within.contract, first, again)
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

fn processed_once(trial: &ExecutionView<'_>) -> Verdict {
    if again(trial) != Some(Again::Returned) {
        return Verdict::NotApplicable("a used key does not get its first answer in this contract");
    }
    let is_accepted = |item: &ItemView<'_>| item.verdict == Some(ItemVerdict::Accepted);
    let pairs: Vec<_> = reuses(trial)
        .into_iter()
        .chain(simultaneous(trial))
        .chain(twice_in_a_batch(trial))
        .filter(|pair| is_accepted(&pair.first) && is_accepted(&pair.again))
        .collect();
    let findings = pairs.iter().filter_map(|pair| {
        let (name, first, second) = other_identity(pair)?;
        let by = pair.first.within.exchange.index + 1;
        let expected = format!("{name} {}, as request {by} got for this key", shown(&first));
        let kind = if is_repeat(pair) { "processed again" } else { "another item processed" };
        Some(
            Finding::new(kind, pair.again.at(""), expected, format!("{name} {}", shown(&second)))
                .item(pair.again.index)
                .exchange(pair.again.within.exchange.index),
        )
    });
    judged(findings.collect(), !pairs.is_empty())
}

/// What identifies the result of the first item, and is different in that of the second: its name and both values.
fn other_identity(pair: &Reuse<'_>) -> Option<(String, Value, Value)> {
    let (first, second) = (identities(&pair.first), identities(&pair.again));
    let mut differing = second.into_iter().filter_map(|(name, second)| {
        let first = first.get(&name).filter(|first| **first != second)?;
        Some((name, first.clone(), second))
    });
    differing.next()
}

/// What identifies a result, by its name: what it repeats of its item, and where it stands, do not.
fn identities(item: &ItemView<'_>) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    collect_leaves("", &lasting(item), &mut found);
    let mut sent = BTreeMap::new();
    collect_leaves("", &item.intent.value, &mut sent);
    let sent: Vec<&Value> = sent.values().collect();
    found.retain(|name, value| {
        is_identity(name, value)
            && !sent.contains(&&*value)
            && value.as_u64() != Some(item.index as u64)
    });
    found
}

fn collect_leaves(name: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) => {
            for (member, value) in map {
                let name =
                    if name.is_empty() { member.clone() } else { format!("{name}/{member}") };
                collect_leaves(&name, value, into);
            }
        }
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                collect_leaves(&format!("{name}/{at}"), value, into);
            }
        }
        _ => {
            into.insert(name.to_owned(), value.clone());
        }
    }
}

/// What may differ between two answers about one thing, in lower case.
const PASSING: [&str; 24] = [
    "trace",
    "request",
    "correlation",
    "session",
    "transaction",
    "time",
    "elapsed",
    "duration",
    "took",
    "status",
    "code",
    "date",
    "etag",
    "version",
    "attempt",
    "retry",
    "retries",
    "count",
    "signature",
    "nonce",
    "token",
    "node",
    "host",
    "server",
];

/// How the names of numbers end that identify something, in lower case.
const IDENTIFYING: [&str; 6] = ["id", "number", "reference", "ref", "nr", "no"];

/// Whether a member of a result identifies what the item became.
fn is_identity(name: &str, value: &Value) -> bool {
    let name = name.to_lowercase();
    if PASSING.iter().any(|word| name.contains(word)) {
        return false;
    }
    match value {
        Value::String(text) => {
            text.bytes().any(|byte| byte.is_ascii_digit())
                && !text.contains(char::is_whitespace)
                && !is_moment(text)
        }
        Value::Number(number) => {
            let is_whole = number.is_u64() || number.is_i64();
            is_whole && IDENTIFYING.iter().any(|word| name.ends_with(word))
        }
        _ => false,
    }
}

/// Whether a text is a date, a time of day, both, or a duration.
fn is_moment(text: &str) -> bool {
    let begins_as_date = text.len() >= 8
        && text.bytes().take(4).all(|byte| byte.is_ascii_digit())
        && matches!(text.as_bytes().get(4), Some(b'-' | b'/' | b'.'))
        && text.bytes().skip(5).take(2).all(|byte| byte.is_ascii_digit())
        && matches!(text.as_bytes().get(7), Some(b'-' | b'/' | b'.'));
    let begins_as_time =
        matches!(text.as_bytes(), [a, b, b':', ..] if a.is_ascii_digit() && b.is_ascii_digit());
    let is_duration = (text.starts_with('P')
        && text.bytes().skip(1).all(|byte| b"0123456789.,YMWDTHS".contains(&byte)))
        || text
            .strip_suffix("ms")
            .or(text.strip_suffix('s'))
            .is_some_and(|number| number.parse::<f64>().is_ok());
    begins_as_date || begins_as_time || is_duration
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_identity;

    #[test]
    fn what_identifies_a_payment_is_known_by_its_name_and_form() {
        for (name, value) in [
            ("id", json!("p7")),
            ("paymentId", json!(42)),
            ("payment/reference", json!("8a1f0c2e-51a4-4d0f-9a3c-1b2c3d4e5f60")),
            ("bookingNumber", json!("20261128-77")),
        ] {
            assert!(is_identity(name, &value), "{name} {value}");
        }
        for (name, value) in [
            ("text", json!("stored 2 times")),
            ("outcome", json!("created")),
            ("replayed", json!(true)),
            ("requestId", json!("8a1f0c2e-51a4-4d0f-9a3c-1b2c3d4e5f60")),
            ("paidAt", json!("2026-11-28T07:00:00Z")),
            ("took", json!("3ms")),
            ("spent", json!("0.7ms")),
            ("spent", json!("PT0.7S")),
            ("millis", json!(7)),
            ("status", json!("201")),
        ] {
            assert!(!is_identity(name, &value), "{name} {value}");
        }
    }
}
