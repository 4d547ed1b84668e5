//! The endpoint: from the bytes of a body to the answer.

use super::answer::Answer;
use super::bind::{self, Envelope};
use super::choices::{Choice, Choices};
use super::store::Store;
use super::tree::Json;
use super::validate::{self, Checked, Fault, Kind, in_case};
use std::time::{Duration, Instant};

/// Imports a batch. `began` is when the request was complete: elapsed times count from there.
pub fn import(body: &[u8], path: &str, store: &Store, choices: Choices, began: Instant) -> Answer {
    match items(body, choices) {
        Ok(Some(items)) => judge(items, path, store, choices, began),
        Ok(None) => Answer::framework(413, path),
        Err(fault) => refusal(&[fault], path, choices),
    }
}

/// The items of a body; none where they are too many.
fn items(body: &[u8], choices: Choices) -> Result<Option<Vec<bind::Item>>, Fault> {
    let fault = |kind, field| Fault { kind, field };
    let mark = "\u{feff}".as_bytes();
    // Jackson skips a byte-order mark.
    let body = if choices.has(Choice::BomRefused) {
        body
    } else {
        body.strip_prefix(mark).unwrap_or(body)
    };
    let text =
        std::str::from_utf8(body).map_err(|_| fault(Kind::Type, "the request's encoding"))?;
    let items = match bind::read(text, choices).map_err(|_| fault(Kind::Type, "the request"))? {
        Envelope::Items(items) => items,
        Envelope::Missing => return Err(fault(Kind::Missing, "accountBalances")),
        Envelope::WrongType => return Err(fault(Kind::Type, "accountBalances")),
        Envelope::TooMany => return Ok(None),
    };
    let limited = items.len() > 20 && choices.has(Choice::Limit20);
    if limited || items.len() > 1000 && choices.has(Choice::Limit1000) {
        return Ok(None);
    }
    let too_many = items.len() > 1000 && choices.has(Choice::Limit1000As400);
    let too_few = items.is_empty() && choices.has(Choice::EmptyBatch400);
    if too_many || too_few {
        return Err(fault(Kind::Range, "the number of accountBalances"));
    }
    Ok(Some(items))
}

/// The 400 for these faults. What fails while JSON is bound comes before what is validated.
fn refusal(faults: &[Fault], path: &str, choices: Choices) -> Answer {
    let adapter =
        faults.first().filter(|_| !faults.iter().any(|fault| fault.is_framework(choices)));
    let Some(fault) = adapter else {
        return Answer::framework(400, path);
    };
    let mut members = vec![
        ("resultType", Json::text("REQUEST_REJECTED")),
        ("errorCode", Json::text(fault.code(choices))),
    ];
    if !choices.has(Choice::NoDescriptions) {
        members.push(("errorDescription", Json::text(fault.description(choices))));
    }
    if choices.has(Choice::ErrorsArray) {
        let all = faults.iter().take(1000).map(|fault| Json::text(fault.description(choices)));
        members.push(("errors", Json::Array(all.collect())));
    }
    Answer::json(400, Json::Object(members))
}

fn judge(
    items: Vec<bind::Item>,
    path: &str,
    store: &Store,
    choices: Choices,
    began: Instant,
) -> Answer {
    let checked: Vec<(Checked, Duration)> = items
        .into_iter()
        .map(|item| {
            let start = Instant::now();
            (validate::check(item, choices), start.elapsed())
        })
        .collect();

    let faults: Vec<Fault> =
        checked.iter().flat_map(|(item, _)| item.faults.iter().copied()).collect();
    let refusing: Vec<Fault> =
        faults.iter().copied().filter(|fault| fault.refuses_request(choices)).collect();
    if !refusing.is_empty() {
        return refusal(&refusing, path, choices);
    }
    let mut numbers = std::collections::HashSet::new();
    let mut all = checked.iter().filter_map(|(item, _)| item.number.as_ref());
    if choices.has(Choice::TwiceRefused) && !all.all(|number| numbers.insert(number)) {
        return refusal(
            &[Fault { kind: Kind::Range, field: "communicationNumber" }],
            path,
            choices,
        );
    }
    let nothing_good = checked.iter().all(|(item, _)| !item.faults.is_empty());
    if choices.has(Choice::AllBroken) && !checked.is_empty() && nothing_good {
        return refusal(&faults, path, choices);
    }

    let mut used = store.lock();
    let mut results = Vec::with_capacity(checked.len());
    for (item, checking) in checked {
        let start = Instant::now();
        let mut rejection =
            item.faults.first().map(|fault| (fault.code(choices), fault.description(choices)));
        if rejection.is_none() || choices.has(Choice::RejectedStay) {
            let is_new = item.number.as_ref().is_some_and(|number| used.insert(number.clone()));
            if !is_new && rejection.is_none() {
                rejection = Some(("O005", already_used(choices)));
            }
        }
        results.push(result(item, rejection, checking + start.elapsed(), choices));
    }
    drop(used);

    let mut members = Vec::new();
    if !(results.is_empty() && choices.has(Choice::ResultsOmitted)) {
        members.push(("results", Json::Array(results)));
    }
    members.extend(elapsed(began.elapsed(), choices));
    Answer::json(200, Json::Object(members))
}

fn already_used(choices: Choices) -> String {
    if choices.has(Choice::OtherWords) {
        return "Šis pranešimo numeris jau panaudotas".to_owned();
    }
    in_case("CommunicationNumber already used in AMLYZE".to_owned(), choices)
}

/// The result of one item. Nulls are left out, as are strings that the result's schema can't hold.
fn result(
    item: Checked,
    rejection: Option<(&'static str, String)>,
    took: Duration,
    choices: Choices,
) -> Json {
    let broken = !item.faults.is_empty();
    let outcome = if rejection.is_some() { "REQUEST_REJECTED" } else { "REQUEST_ACCEPTED" };
    let short = |text: &String| !validate::too_long_to_echo(text);
    let echo = |text: Option<String>| {
        text.filter(|text| {
            !(broken && choices.has(Choice::LeaveOut)) || short(text) && !text.contains('\0')
        })
    };
    let identity = [
        ("communicationNumber", item.number.filter(short)),
        ("accountExtId", echo(item.account)),
        ("businessUnit", echo(item.unit)),
    ];
    let mut members = vec![("resultType", Json::text(outcome))];
    members.extend(identity.into_iter().filter_map(|(name, text)| Some((name, Json::Text(text?)))));
    if let Some((code, description)) = rejection {
        members.push(("errorCode", Json::text(code)));
        if !choices.has(Choice::NoDescriptions) {
            members.push(("errorDescription", Json::Text(description)));
        }
    }
    members.extend(elapsed(took, choices));
    Json::Object(members)
}

fn elapsed(took: Duration, choices: Choices) -> Option<(&'static str, Json)> {
    let millis = if choices.has(Choice::ElapsedZero) {
        0
    } else {
        u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
    };
    (!choices.has(Choice::NoElapsed)).then_some(("timeElapsedMs", Json::Elapsed(millis)))
}
