//! REFUSE: invalid input is refused, in either refusal mode (INTERPRETATION-01).

use super::common::sent_status;
use crate::contract::validity::{InvalidClass, InvalidReason};
use crate::contract::{CodeCause, Level};
use crate::exchange::BodyIntent;
use crate::exchange_view::{ExchangeView, ItemVerdict, ItemView};
use crate::finding::{Finding, Symptom, Verdict};
use crate::message::Message;
use crate::prediction::Prediction;
use crate::rule::{Check, Explains, Rule};
use crate::run_tally::RunTally;
use crate::text::{shorten, shown};

const NEEDS: &[&str] = &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001"];

macro_rules! item_rule {
    ($id:literal, $level:ident, $title:literal, $cite:literal, $doc:literal) => {
        Rule {
            id: $id,
            level: Level::$level,
            title: $title,
            cite: $cite,
            doc: $doc,
            example: include_str!(concat!("examples/", $id, ".txt")),
            needs: NEEDS,
            check: Check::Exchange(|view| items_refused(view, $id)),
            explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
            ..Rule::BASE
        }
    };
}

macro_rules! body_rule {
    ($id:literal, $level:ident, $title:literal, $cite:literal, $doc:literal) => {
        Rule {
            id: $id,
            level: Level::$level,
            title: $title,
            cite: $cite,
            doc: $doc,
            example: include_str!(concat!("examples/", $id, ".txt")),
            needs: &["STATUS-002", "ROBUST-001"],
            check: Check::Exchange(|view| body_refused(view, $id)),
            explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
            ..Rule::BASE
        }
    };
}

macro_rules! lenient_rule {
    ($id:literal, $level:ident, $title:literal, $cite:literal, $doc:literal) => {
        Rule {
            id: $id,
            level: Level::$level,
            title: $title,
            cite: $cite,
            doc: $doc,
            example: include_str!(concat!("examples/", $id, ".txt")),
            needs: &[],
            check: Check::Exchange(|view| body_refused(view, $id)),
            explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
            ..Rule::BASE
        }
    };
}

pub(super) const RULES: &[Rule] = &[
    item_rule!(
        "REFUSE-001",
        Must,
        "An item without a mandatory field, or with null in it, is refused",
        "OpenAPI: request schema, required; INTERPRETATION-14",
        "Each mandatory field alone, and two together; in the first, a middle and the last item. An accepted \
         balance without an account or a date can't be booked."
    ),
    item_rule!(
        "REFUSE-002",
        Must,
        "A wrong type in a mandatory field is refused",
        "OpenAPI: request schema, type; INTERPRETATION-14",
        "An object, array, boolean or text where a number belongs, and the like; an item that is not an object. \
         What was stored instead can't be what the client meant."
    ),
    item_rule!(
        "REFUSE-003",
        Must,
        "A value outside the bounds of the schema is refused",
        "OpenAPI: request schema, maxLength and the other keywords; INTERPRETATION-16",
        "Lengths count code points. A value one over the bound is refused like one far over; it is not cut."
    ),
    item_rule!(
        "REFUSE-004",
        Must,
        "A value that is clearly not a date-time is refused",
        "OpenAPI: request schema, format; INTERPRETATION-19",
        "Text, a date alone, a number where RFC 3339 is documented: whatever is stored, it is not an instant."
    ),
    body_rule!(
        "REFUSE-005",
        Must,
        "A broken envelope is answered with 400",
        "OpenAPI: request schema; INTERPRETATION-02",
        "The array of items missing, null, a single object, another type; the document an array or a scalar. \
         A 200 here says that a batch was imported where there was none."
    ),
    body_rule!(
        "REFUSE-006",
        Must,
        "A body that is not JSON is answered with 400",
        "INTERPRETATION-02, INTERPRETATION-15; RFC 8259 section 2",
        "Truncated documents, missing brackets, two values side by side, NaN in a documented field; and any text that \
         is not JSON of which another value than the one sent is echoed as accepted."
    ),
    lenient_rule!(
        "REFUSE-007",
        Should,
        "A body that only a lenient JSON parser can read is answered with 400",
        "INTERPRETATION-02, INTERPRETATION-15",
        "Text after the document points at two messages glued together. Comments, trailing commas, single quotes, \
         bytes that are not UTF-8 and a name in another letter case are read by some parsers and refused by others: a \
         client that sends them works with one server and fails with the next."
    ),
    item_rule!(
        "REFUSE-008",
        Should,
        "A scalar of another type that keeps its meaning is refused",
        "INTERPRETATION-14",
        "\"12\" for 12, 12 for \"12\", true for 1. Stock Jackson coerces unless told otherwise: \
         `spring.jackson.mapper.allow-coercion-of-scalars=false`, and a `CoercionConfig` for text."
    ),
    item_rule!(
        "REFUSE-009",
        Should,
        "A date-time that is impossible, has no offset or another notation is refused",
        "INTERPRETATION-19",
        "30 February is not a day, a time without offset is another instant in every zone, and epoch seconds in quotes \
         or a date in the notation of a place are guesses."
    ),
    item_rule!(
        "REFUSE-010",
        Should,
        "A wrong type in an optional field is refused",
        "INTERPRETATION-14",
        "An optional field may be left out, but a value in it has the documented type."
    ),
    Rule {
        id: "REFUSE-011",
        level: Level::Should,
        title: "The same kind of invalid item is always refused in the same mode",
        cite: "INTERPRETATION-01",
        doc: "Either the whole request is answered 400 or the item is rejected in a 200; a client has to \
              handle one of them for each kind of fault (pointer, keyword, class of value, some or all items \
              broken). Changing between them makes retries a gamble.",
        example: include_str!("examples/REFUSE-011.txt"),
        needs: &[],
        check: Check::Run(one_refusal_mode_per_kind),
        ..Rule::BASE
    },
    item_rule!(
        "REFUSE-012",
        Must,
        "A key that is too long for its result is refused",
        "OpenAPI: result schema, maxLength; INTERPRETATION-17",
        "The result bounds the number to 255 code points. An accepted longer one comes back cut, or breaks \
         the schema of the answer."
    ),
];

/// The rule that judges an accepted item with this cause.
fn rule_for(cause: &InvalidReason) -> &'static str {
    let must = cause.level == Level::Must;
    if cause.class == InvalidClass::LongerThanResult {
        return "REFUSE-012";
    }
    if cause.class == InvalidClass::OtherLetterCase {
        return "REFUSE-007";
    }
    if cause.code == CodeCause::Missing {
        return "REFUSE-001";
    }
    match cause.keyword.as_str() {
        // A line that is not JSON.
        "json" if must => "REFUSE-006",
        "json" => "REFUSE-007",
        "type" if must => "REFUSE-002",
        "type" if matches!(cause.class, InvalidClass::KeepsMeaning(_)) => "REFUSE-008",
        "type" => "REFUSE-010",
        "format" if must => "REFUSE-004",
        "format" => "REFUSE-009",
        _ => "REFUSE-003",
    }
}

/// The cause that an accepted item is blamed on: the first that weighs most.
fn blamed(causes: &[InvalidReason]) -> Option<&InvalidReason> {
    causes.iter().min_by_key(|c| c.level)
}

/// Whether an item is one that this rule wants refused.
fn is_mine(expected: &Prediction, causes: &[InvalidReason], rule: &str) -> bool {
    matches!(expected, Prediction::Refuse(_)) && blamed(causes).is_some_and(|c| rule_for(c) == rule)
}

fn items_refused(view: &ExchangeView<'_>, rule: &str) -> Verdict {
    if !view.is_ordinary() {
        return Verdict::NotApplicable("not the documented request");
    }
    if view.is_refused() {
        // A 400 refuses all of them, in the other refusal mode.
        let mine = view
            .items()
            .iter()
            .zip(&view.predicted)
            .any(|(item, expected)| is_mine(expected, &item.validity.invalid, rule));
        return if mine {
            Verdict::Pass
        } else {
            Verdict::NotApplicable("nothing of the kind was sent")
        };
    }
    view.each(|item| refused(item, rule))
}

fn refused(view: &ItemView<'_>, rule: &str) -> Verdict {
    if !matches!(view.predicted, Prediction::Refuse(_)) {
        return Verdict::NotApplicable("it need not be refused");
    }
    let Some(cause) = blamed(&view.intent.validity.invalid) else {
        return Verdict::NotApplicable("it need not be refused");
    };
    if rule_for(cause) != rule {
        return Verdict::NotApplicable("another kind of fault");
    }
    match view.verdict {
        None => Verdict::NotApplicable("no verdict"),
        Some(ItemVerdict::Rejected) => Verdict::Pass,
        Some(ItemVerdict::Accepted) => {
            let value = view.intent.value.pointer(&cause.pointer);
            let what = if cause.pointer.is_empty() { "the item" } else { &cause.pointer };
            // Coercion is one setting of one library: one finding over all fields.
            let pointer = if rule == "REFUSE-008" { "*" } else { &cause.pointer };
            let mut finding = Finding::new(
                format!("{} accepted: {}", cause.keyword, cause.class),
                format!(
                    "{}{pointer}",
                    view.within.contract.item_at(view.index, &view.intent.value)
                ),
                match cause.class {
                    InvalidClass::OtherLetterCase => {
                        format!(
                            "refused: {what} is missing, its name stands in another letter case"
                        )
                    }
                    _ => {
                        format!("refused: {what} is {}", value.map_or("missing".to_owned(), shown))
                    }
                },
                view.said(),
            )
            .item(view.index);
            if cause.class == InvalidClass::OtherLetterCase {
                // Names are compared in one place: one finding over all fields.
                "names in another letter case are known".clone_into(&mut finding.kind);
                finding.pointer =
                    format!("{}/*", view.within.contract.item_at(view.index, &view.intent.value));
            }
            if rule == "REFUSE-008" {
                "a scalar was coerced".clone_into(&mut finding.kind);
                finding.pointer =
                    format!("{}/*", view.within.contract.item_at(view.index, &view.intent.value));
            }
            Verdict::fail(finding)
        }
    }
}

fn body_refused(view: &ExchangeView<'_>, rule: &str) -> Verdict {
    match whole_body_refused(view, rule) {
        Verdict::NotApplicable(_) => items_refused(view, rule),
        verdict => verdict,
    }
}

fn whole_body_refused(view: &ExchangeView<'_>, rule: &str) -> Verdict {
    if !view.is_ordinary() {
        return Verdict::NotApplicable("not the documented request");
    }
    let cause = match &view.exchange.intent.body {
        BodyIntent::Broken(cause) => cause,
        BodyIntent::Batch { trailing: Some(cause), .. } => cause,
        _ => return Verdict::NotApplicable("the body is a batch"),
    };
    let mine = match (cause.keyword.as_str(), cause.level) {
        // Leniency is harmless while what comes back is what was sent.
        ("json", Level::Should) if echoes_replacement(view) => "REFUSE-006",
        (_, Level::Should) => "REFUSE-007",
        ("json", Level::Must) => "REFUSE-006",
        _ => "REFUSE-005",
    };
    if mine != rule {
        return Verdict::NotApplicable("another kind of fault");
    }
    match view.status() {
        // A lenient parser and a strict service: nothing was accepted.
        Some(200) if all_rejected(view) => Verdict::Pass,
        Some(200..=299) => {
            let body = view.response().map(|r| String::from_utf8_lossy(&r.body).into_owned());
            let kind = match cause.keyword.as_str() {
                "json" => format!("{} accepted", cause.class),
                keyword => format!("{keyword} accepted: {}", cause.class),
            };
            let finding = Finding::new(
                kind,
                cause.pointer.clone(),
                Message::status(400).text(format!(": {}", cause.class)),
                format!("{} with {}", sent_status(view), shorten(&body.unwrap_or_default())),
            );
            // An error that a 200 reports is reported so for broken items too.
            let told = view.results().is_none() && view.status() == Some(200);
            Verdict::fail(if told { finding.shows(Symptom::ErrorInSuccess) } else { finding })
        }
        Some(400) => Verdict::Pass,
        _ => Verdict::NotApplicable("another status"),
    }
}

/// Whether every result of the answer is a rejection.
fn all_rejected(view: &ExchangeView<'_>) -> bool {
    let verdict = &view.contract.batch.verdict;
    let rejected = |r: &serde_json::Value| {
        r.get(&verdict.field).and_then(serde_json::Value::as_str) == Some(&*verdict.rejected)
    };
    view.results().is_some_and(|results| !results.is_empty() && results.iter().all(rejected))
}

/// Whether an accepted result echoes U+FFFD in the place of bytes that could not be read.
fn echoes_replacement(view: &ExchangeView<'_>) -> bool {
    let verdict = &view.contract.batch.verdict;
    view.results().unwrap_or_default().iter().any(|result| {
        let accepted = result.get(&verdict.field).and_then(serde_json::Value::as_str)
            == Some(&*verdict.accepted);
        let replaced = |name: &String| {
            result
                .get(name)
                .and_then(serde_json::Value::as_str)
                .is_some_and(|t| t.contains('\u{fffd}'))
        };
        accepted && view.contract.batch.echo.iter().any(replaced)
    })
}

/// Leniency shows in an item's names as well as in the body around it.
fn one_refusal_mode_per_kind(tally: &RunTally) -> Verdict {
    let mut judged = false;
    let mut findings = Vec::new();
    for (kind, (request, item)) in &tally.refusals {
        judged |= request + item > 1;
        if *request > 0 && *item > 0 {
            findings.push(
                // One cause, whatever the kind of fault.
                Finding::new(
                    format!("both refusal modes: {} {} {}", kind.pointer, kind.keyword, kind.class),
                    "",
                    format!(
                        "one refusal mode for {} {} {}",
                        kind.pointer, kind.keyword, kind.class
                    ),
                    format!("{request} times a 400, {item} times rejected in a 200"),
                )
                .shows(Symptom::ValidRefused),
            );
        }
    }
    if judged {
        Verdict::of(findings)
    } else {
        Verdict::NotApplicable("no kind of fault was refused twice")
    }
}
