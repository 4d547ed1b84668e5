//! ECHO: results identify their items, code point by code point.

use serde_json::Value;

use crate::contract::validity::{InvalidReason, escape};
use crate::contract::{Level, member};
use crate::exchange::ItemIntent;
use crate::exchange_view::{ItemVerdict, ItemView};
use crate::finding::{Finding, Verdict};
use crate::rule::{Check, Grouping, Rule};
use crate::text::{TextChange, shown};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "ECHO-001",
        level: Level::Must,
        title: "A result repeats the unique key of its item exactly",
        cite: "OpenAPI: result schema; INTERPRETATION-05",
        doc: "The key comes back code point by code point: not trimmed, folded, normalised, shortened or \
              escaped. It is how a client finds its item again.",
        example: include_str!("examples/ECHO-001.txt"),
        needs: &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001", "RACE-002"],
        check: Check::Item(number_is_exact),
        grouping: Grouping::ByChange,
        ..Rule::BASE
    },
    Rule {
        id: "ECHO-002",
        level: Level::Must,
        title: "A result repeats the other echoed fields of its item exactly",
        cite: "OpenAPI: result schema; INTERPRETATION-06",
        doc: "What a result repeats of its item is what the item said, for accepted and rejected ones alike. \
              Example: the account of the neighbouring item.",
        example: include_str!("examples/ECHO-002.txt"),
        needs: &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001", "ECHO-001"],
        check: Check::Item(fields_are_exact),
        grouping: Grouping::ByChange,
        ..Rule::BASE
    },
    Rule {
        id: "ECHO-003",
        level: Level::Must,
        title: "A result echoes nothing that its item did not have",
        cite: "INTERPRETATION-06",
        doc: "An optional field that the item left out is absent in its result. A value there was made up, \
              or belongs to another item.",
        example: include_str!("examples/ECHO-003.txt"),
        needs: &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001"],
        check: Check::Item(nothing_made_up),
        ..Rule::BASE
    },
];

/// An echo that is no form of what was sent.
const ANOTHER: &str = "another value";

/// Compares one echoed field, where the item had it as a string and the result carries it.
fn compare(view: &ItemView<'_>, name: &str) -> Option<Finding> {
    let sent = member(&view.intent.value, name)?.as_str()?;
    let echoed = member(view.result, name).filter(|v| !v.is_null())?;
    if echoed.as_str() == Some(sent) {
        return None;
    }
    let max = view.within.contract.field(name).and_then(|f| f.result_max);
    if max.is_some_and(|max| sent.chars().count() > max) {
        return None;
    }
    // A text in a field of another type, taken for what it says: that it was taken is judged elsewhere.
    let plain = echoed.is_number() || echoed.is_boolean();
    let is_broken =
        |reason: &InvalidReason| reason.pointer.strip_prefix('/') == Some(&*escape(name));
    let written = echoed.to_string();
    if plain && written == sent && view.intent.validity.invalid.iter().any(is_broken) {
        return None;
    }
    // What becomes of U+0000 is not judged (INTERPRETATION-15).
    if sent.contains('\0') {
        return None;
    }
    // What another item says was not changed but mixed up.
    let others = |item: &ItemIntent| member(&item.value, name) == Some(echoed);
    let kind =
        if *name != view.within.contract.batch.unique && view.within.items().iter().any(others) {
            ANOTHER
        } else {
            kind(sent, echoed)
        };
    Some(
        Finding::new(kind, view.at(name), shown(&Value::from(sent)), shown(echoed))
            .item(view.index),
    )
}

/// In which way an echo differs: findings are grouped by it.
fn kind(sent: &str, echoed: &Value) -> &'static str {
    match echoed.as_str() {
        None => "another type",
        Some("") => "empty",
        Some(echoed) => TextChange::between(sent, echoed).map_or(ANOTHER, TextChange::word),
    }
}

fn number_is_exact(view: &ItemView<'_>) -> Verdict {
    match compare(view, &view.within.contract.batch.unique) {
        Some(finding) => Verdict::fail(finding),
        None => Verdict::Pass,
    }
}

fn fields_are_exact(view: &ItemView<'_>) -> Verdict {
    let batch = &view.within.contract.batch;
    Verdict::of(
        batch
            .echo
            .iter()
            .filter(|n| **n != batch.unique)
            .filter_map(|n| compare(view, n))
            .collect(),
    )
}

fn nothing_made_up(view: &ItemView<'_>) -> Verdict {
    let Some(item) = view.intent.value.as_object() else {
        return Verdict::NotApplicable("the item is not an object");
    };
    let mut findings = Vec::new();
    for name in &view.within.contract.batch.echo {
        // A server may make the keys of items that need none, and has to say something where its results must have one.
        let batch = &view.within.contract.batch;
        let needs_none = view.within.contract.field(name).is_some_and(|field| !field.required);
        let is_made =
            *name == batch.unique && (needs_none || view.verdict == Some(ItemVerdict::Rejected));
        if is_made {
            continue;
        }
        // A parser that ignores letter case found it under another spelling.
        if item.keys().any(|key| key == name || key.eq_ignore_ascii_case(name)) {
            continue;
        }
        if let Some(echoed) = member(view.result, name).filter(|v| !v.is_null()) {
            findings.push(
                Finding::new(
                    "made up",
                    view.at(name),
                    "nothing, as the item had none",
                    shown(echoed),
                )
                .item(view.index),
            );
        }
    }
    Verdict::of(findings)
}
