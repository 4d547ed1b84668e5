//! CODE: result types and error codes.

mod refusal;

use serde_json::Value;

use crate::contract::validity::{InvalidClass, InvalidReason, ValueKind};
use crate::contract::{CodeCause, Contract, ErrorCode, Level, code_text, member};
use crate::exchange_view::{ExchangeView, ItemVerdict, ItemView};
use crate::finding::{Finding, Symptom, Verdict};
use crate::prediction::Prediction;
use crate::rule::{Check, Explains, Rule};
use crate::text::shown;
use refusal::{
    refusal_code_fits, refusal_code_is_not_empty, refusal_is_no_acceptance, refusal_says_why,
    refusal_verdict_is_known,
};

const NEEDS: &[&str] = &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001", "SCHEMA-004"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "CODE-001",
        level: Level::Must,
        title: "A rejected result carries an error code",
        cite: "INTERPRETATION-06",
        doc: "Without a code a client can't tell a repeat (done already) from a mistake (correct and resend).",
        example: include_str!("examples/CODE-001.txt"),
        needs: NEEDS,
        check: Check::Item(rejected_has_code),
        ..Rule::BASE
    },
    Rule {
        id: "CODE-002",
        level: Level::Must,
        title: "An accepted result carries neither an error code nor a description",
        cite: "INTERPRETATION-06",
        doc: "A result that says accepted and carries an error contradicts itself.",
        example: include_str!("examples/CODE-002.txt"),
        needs: NEEDS,
        check: Check::Item(accepted_has_none),
        ..Rule::BASE
    },
    Rule {
        id: "CODE-003",
        level: Level::Must,
        title: "An error code fits its cause",
        cite: "OpenAPI: examples of the 200 and the 400; INTERPRETATION-12",
        doc: "The used-key code for a used key and for nothing else; the missing-field code for a \
              missing mandatory field. Clients drop what is used and correct what is missing, so a \
              wrong code loses data. An item with two faults may carry either's code.",
        example: include_str!("examples/CODE-003.txt"),
        needs: &["ORDER-001", "ORDER-002", "ORDER-003", "SCHEMA-001", "SCHEMA-004", "CODE-001"],
        check: Check::Exchange(code_fits),
        ..Rule::BASE
    },
    Rule {
        id: "CODE-004",
        level: Level::Should,
        title: "Error codes are documented",
        cite: "INTERPRETATION-12",
        doc: "A client can't act on a code that it has never heard of. A profile can name the target's further \
              codes and their causes.",
        example: include_str!("examples/CODE-004.txt"),
        needs: &["SCHEMA-001"],
        check: Check::Exchange(code_is_documented),
        ..Rule::BASE
    },
    Rule {
        id: "CODE-005",
        level: Level::Should,
        title: "A rejected result carries a description",
        cite: "INTERPRETATION-06, INTERPRETATION-11",
        doc: "The description is what a person reads when an import fails. Its words are not judged.",
        example: include_str!("examples/CODE-005.txt"),
        needs: NEEDS,
        check: Check::Item(rejected_has_description),
        ..Rule::BASE
    },
    Rule {
        id: "CODE-006",
        level: Level::Should,
        title: "A 400 for a missing mandatory field carries a verdict and a code",
        cite: "OpenAPI: example of the 400; INTERPRETATION-06",
        doc: "The documented example of a 400 is this very case. Judged where nothing else is wrong with the \
              request.",
        example: include_str!("examples/CODE-006.txt"),
        needs: &["SCHEMA-002"],
        check: Check::Exchange(refusal_says_why),
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "CODE-007",
        level: Level::Must,
        title: "A 400 does not say that anything was accepted",
        cite: "OpenAPI: example of the 400",
        doc: "A refused request whose body says accepted contradicts itself: a client that reads the body \
              books what was never stored.",
        example: include_str!("examples/CODE-007.txt"),
        needs: &["SCHEMA-002"],
        check: Check::Exchange(refusal_is_no_acceptance),
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "CODE-008",
        level: Level::Should,
        title: "A null in a mandatory field carries the missing-field code",
        cite: "INTERPRETATION-12, INTERPRETATION-14",
        doc: "Most services take a null for a missing value. One that calls it invalid refuses it all the same, but its \
              clients look for a wrong value where there is none.",
        example: include_str!("examples/CODE-008.txt"),
        needs: &[
            "ORDER-001",
            "ORDER-002",
            "ORDER-003",
            "SCHEMA-001",
            "SCHEMA-004",
            "CODE-001",
            "CODE-003",
        ],
        check: Check::Item(null_is_called_missing),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        ..Rule::BASE
    },
    Rule {
        id: "CODE-009",
        level: Level::Should,
        title: "The verdict of a 400 is the documented word",
        cite: "OpenAPI: example of the 400; INTERPRETATION-06",
        doc: "Where a 400 says a verdict at all, it is the word that rejected results have. A client that knows two words \
              can do nothing with a third, or with an empty one.",
        example: include_str!("examples/CODE-009.txt"),
        needs: &["SCHEMA-002"],
        check: Check::Exchange(refusal_verdict_is_known),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        may_lack_occasion: true,
        ..Rule::BASE
    },
    Rule {
        id: "CODE-010",
        level: Level::Should,
        title: "The error code of a 400 is not empty",
        cite: "OpenAPI: example of the 400; INTERPRETATION-06",
        doc: "An empty code says nothing: the client can't tell what to correct. CODE-001 says so of rejected results.",
        example: include_str!("examples/CODE-010.txt"),
        needs: &["SCHEMA-002"],
        check: Check::Exchange(refusal_code_is_not_empty),
        explains: &[Explains::in_execution(Symptom::ExpectationUnmet)],
        may_lack_occasion: true,
        ..Rule::BASE
    },
];

fn rejected_has_code(view: &ItemView<'_>) -> Verdict {
    if view.verdict != Some(ItemVerdict::Rejected) {
        return Verdict::NotApplicable("not rejected");
    }
    if view.code().is_some_and(|c| !c.trim().is_empty()) {
        return Verdict::Pass;
    }
    let field = &view.within.contract.batch.error.code;
    Verdict::fail(
        Finding::new(
            "missing",
            view.at(field),
            "an error code",
            view.result.get(field).map_or("nothing".to_owned(), shown),
        )
        .item(view.index),
    )
}

fn accepted_has_none(view: &ItemView<'_>) -> Verdict {
    if view.verdict != Some(ItemVerdict::Accepted) {
        return Verdict::NotApplicable("not accepted");
    }
    let error = &view.within.contract.batch.error;
    let findings = [&error.code, &error.description]
        .into_iter()
        .filter_map(|field| {
            let value = member(view.result, field).filter(|v| !v.is_null())?;
            Some(
                Finding::new("error on acceptance", view.at(field), "nothing", shown(value))
                    .item(view.index),
            )
        })
        .collect();
    Verdict::of(findings)
}

fn rejected_has_description(view: &ItemView<'_>) -> Verdict {
    if view.verdict != Some(ItemVerdict::Rejected) {
        return Verdict::NotApplicable("not rejected");
    }
    let field = &view.within.contract.batch.error.description;
    match member(view.result, field).and_then(Value::as_str) {
        Some(text) if !text.trim().is_empty() => Verdict::Pass,
        _ => Verdict::fail(
            Finding::new("missing", view.at(field), "a description", "nothing").item(view.index),
        ),
    }
}

/// Whether the field is there, and null: a service may call that missing or invalid.
fn is_null(cause: &InvalidReason) -> bool {
    cause.class == InvalidClass::WrongType(ValueKind::Null)
}

/// Whether `code` fits any of the causes; an undocumented code is another rule's matter, except where
/// the cause has a code of its own.
fn fits(contract: &Contract, code: &str, causes: &[&InvalidReason]) -> bool {
    let known = contract.batch.codes.get(code);
    causes.iter().any(|cause| match (cause.code, known) {
        // Where no code says missing, any other does.
        (CodeCause::Missing, Some(known)) if missing_code(contract, cause).is_none() => {
            known.cause != CodeCause::Used
        }
        (CodeCause::Missing, Some(known)) => {
            (known.cause == CodeCause::Missing
                || is_null(cause) && known.cause == CodeCause::Invalid)
                && known.field.as_ref().is_none_or(|f| cause.pointer.trim_start_matches('/') == f)
        }
        (CodeCause::Missing, None) => is_null(cause) || missing_code(contract, cause).is_none(),
        (_, Some(known)) => known.cause != CodeCause::Used,
        (_, None) => true,
    })
}

/// The missing-field code that a field must have: its own, else one that is bound to no field.
fn missing_code<'a>(contract: &'a Contract, cause: &InvalidReason) -> Option<&'a str> {
    let field = cause.pointer.trim_start_matches('/');
    let find = |bound: Option<&str>| {
        let fits = |c: &ErrorCode| c.cause == CodeCause::Missing && c.field.as_deref() == bound;
        contract.batch.codes.iter().find(|(_, c)| fits(c)).map(|(code, _)| code.as_str())
    };
    find(Some(field)).or_else(|| find(None))
}

fn null_is_called_missing(view: &ItemView<'_>) -> Verdict {
    let invalid = &view.intent.validity.invalid;
    let (Some(ItemVerdict::Rejected), Some(code), [cause]) =
        (view.verdict, view.code(), &invalid[..])
    else {
        return Verdict::NotApplicable("not rejected for a null alone");
    };
    // Its key may be used besides; then that is a reason to reject it, too.
    if view.is_called_used() {
        return Verdict::NotApplicable("rejected as used");
    }
    let Some(wanted) = missing_code(view.within.contract, cause).filter(|_| is_null(cause)) else {
        return Verdict::NotApplicable("not rejected for a null alone");
    };
    let known = view.within.contract.batch.codes.get(&*code);
    if cause.code != CodeCause::Missing || known.is_some_and(|c| c.cause == CodeCause::Missing) {
        return Verdict::Pass;
    }
    let field = &view.within.contract.batch.error.code;
    let expected = format!("{wanted}: a null in a mandatory field is taken for a missing one");
    Verdict::fail(Finding::new("another code", view.at(field), expected, &*code).item(view.index))
}

fn wanted(contract: &Contract, causes: &[&InvalidReason]) -> String {
    if causes.iter().all(|c| c.code == CodeCause::Missing) {
        let code = causes.first().and_then(|cause| missing_code(contract, cause));
        return code.unwrap_or("any code").to_owned();
    }
    let used = contract.used_code().unwrap_or("the used-key code");
    format!("any code but {used}")
}

fn code_fits(view: &ExchangeView<'_>) -> Verdict {
    if !view.is_ordinary() {
        return Verdict::NotApplicable("not the documented request");
    }
    if view.is_refused() {
        return refusal_code_fits(view);
    }
    let contract = view.contract;
    let no_used_code = contract.used_code().is_none();
    let mut judged = false;
    let mut findings = Vec::new();
    for item in view.pairs() {
        let (Some(ItemVerdict::Rejected), Some(code)) = (item.verdict, item.code()) else {
            continue;
        };
        // Without a code for it, a used key is rejected with any.
        let used = || item.is_called_used() || no_used_code;
        let causes: Vec<&InvalidReason> = item.intent.validity.invalid.iter().collect();
        // It may have been refused for what it is before its number was looked at.
        let refusable =
            !item.intent.validity.exempt.is_empty() || !item.intent.validity.unusual.is_empty();
        let (fine, expected) = match item.predicted {
            Prediction::Used { .. } => (
                used() || refusable || (!causes.is_empty() && fits(contract, &code, &causes)),
                contract.used_code().unwrap_or("the used-key code").to_owned(),
            ),
            // Of several with one number, the losers are used. Rules of their own count the winners.
            Prediction::BatchDuplicate(places) => {
                let won = places.iter().any(|p| view.verdicts[*p] == Some(ItemVerdict::Accepted));
                (
                    !won || used() || refusable,
                    contract.used_code().unwrap_or("the used-key code").to_owned(),
                )
            }
            // Which request of several won is another rule's matter; the losers are used.
            Prediction::ConcurrentDuplicate(_) => (
                used() || refusable,
                contract.used_code().unwrap_or("the used-key code").to_owned(),
            ),
            // Its number may be used besides.
            Prediction::Refuse(_) => (
                fits(contract, &code, &causes) || (used() && view.may_be_used[item.index]),
                wanted(contract, &causes),
            ),
            _ => continue,
        };
        judged = true;
        if !fine {
            findings.push(
                Finding::new(
                    if used() { "called used" } else { "another code" },
                    item.at(&contract.batch.error.code),
                    expected,
                    &*code,
                )
                .item(item.index)
                .shows(match item.predicted {
                    // Refused for another reason before its number was looked at.
                    Prediction::Used { .. }
                    | Prediction::BatchDuplicate(_)
                    | Prediction::ConcurrentDuplicate(_)
                        if !used() =>
                    {
                        Symptom::ValidRefused
                    }
                    _ => Symptom::OfItsOwn,
                }),
            );
        }
    }
    if judged {
        Verdict::of(findings)
    } else {
        Verdict::NotApplicable("no rejection with a known cause")
    }
}

fn code_is_documented(view: &ExchangeView<'_>) -> Verdict {
    if !view.is_ordinary() {
        return Verdict::NotApplicable("not the documented request");
    }
    let batch = &view.contract.batch;
    let mut seen = false;
    let mut findings = Vec::new();
    let mut look = |value: Option<&Value>, pointer: String, item: Option<usize>| {
        if let Some(code) = value.and_then(code_text).filter(|c| !c.trim().is_empty()) {
            seen = true;
            if !batch.codes.contains_key(&*code) {
                let known: Vec<&str> = batch.codes.keys().map(String::as_str).collect();
                let expected = format!(
                    "{}. If the target documents {code}, add it to the profile: error-codes: \
                     {{ {code}: {{ means: what it means, cause: invalid }} }}",
                    known.join(" or ")
                );
                let mut finding = Finding::new(format!("code {code}"), pointer, expected, &*code);
                finding.item = item;
                findings.push(finding);
            }
        }
    };
    if view.is_refused() {
        let field = &batch.error.code;
        look(view.body().and_then(|b| b.get(field)), format!("/{field}"), None);
    }
    for (index, result) in view.results().unwrap_or(&[]).iter().enumerate() {
        let rejected = view.verdicts.get(index).copied().flatten() == Some(ItemVerdict::Rejected);
        if rejected {
            let pointer = format!("/{}/{index}/{}", batch.results, batch.error.code);
            look(member(result, &batch.error.code), pointer, Some(index));
        }
    }
    if seen { Verdict::of(findings) } else { Verdict::NotApplicable("no error code was seen") }
}
