//! Two answers to one request, compared: status, headers, results, bodies. Pure.
//!
//! It must not know which target is right.

use std::collections::HashMap;

use serde_json::Value;

use super::difference::AnswerDifference;
use super::rename::Renames;
use super::tree::{MemberNames, shown, tree, type_name};
use crate::contract::Contract;
use crate::exchange::{Answer, Exchange, Response};
use crate::record::DifferenceKind;

/// Headers that clients act on.
pub(crate) const HEADERS: [&str; 6] =
    ["content-type", "content-encoding", "www-authenticate", "retry-after", "allow", "location"];

/// How `new` differs from `old`; nothing where one of them can't be compared.
pub(super) fn compare_answers(
    contract: &Contract,
    old: &Exchange,
    new: &Exchange,
    renames: &Renames,
) -> Option<Vec<AnswerDifference>> {
    let of_answer = |old: String, new: String| {
        let values = (old.clone(), new.clone());
        vec![AnswerDifference::new(DifferenceKind::Answer, String::new(), (old, new), values)]
    };
    match (&old.answer, &new.answer) {
        (Answer::Lost(loss), _) | (_, Answer::Lost(loss)) if loss.kind.is_ours() => None,
        (Answer::Lost(a), Answer::Lost(b)) if a.kind == b.kind => Some(Vec::new()),
        (Answer::Lost(a), Answer::Lost(b)) => {
            Some(of_answer(a.kind.words().to_owned(), b.kind.words().to_owned()))
        }
        (Answer::Lost(a), Answer::Received(_)) => {
            Some(of_answer(a.kind.words().to_owned(), "an answer".to_owned()))
        }
        (Answer::Received(_), Answer::Lost(b)) => {
            Some(of_answer("an answer".to_owned(), b.kind.words().to_owned()))
        }
        (Answer::Received(a), Answer::Received(b)) => {
            Some(responses(contract, (old, a), (new, b), renames))
        }
    }
}

fn responses(
    contract: &Contract,
    (before, old): (&Exchange, &Response),
    (after, new): (&Exchange, &Response),
    renames: &Renames,
) -> Vec<AnswerDifference> {
    if old.status != new.status {
        let tokens = (old.status.to_string(), new.status.to_string());
        let values = (excerpt(&old.body), excerpt(&new.body));
        return vec![AnswerDifference::new(DifferenceKind::Status, String::new(), tokens, values)];
    }
    let mut out = headers(old, new);
    if old.outline.is_some() || new.outline.is_some() {
        return out;
    }
    let read = |response: &Response| contract.answer_json(response.status, &response.body);
    match (read(old), read(new)) {
        (Ok(a), Ok(b)) => {
            let a = renames.value(&a.value);
            bodies(contract, (before, a), (after, b.value), old.status, &mut out);
        }
        (Err(_), Err(_)) => {
            let texts = (excerpt(&old.body), excerpt(&new.body));
            if renames.text(&String::from_utf8_lossy(&old.body))
                != String::from_utf8_lossy(&new.body)
            {
                out.push(AnswerDifference::new(
                    DifferenceKind::Text,
                    String::new(),
                    ("a text", "another text"),
                    texts,
                ));
            }
        }
        (a, b) => {
            let word =
                |is_json: bool, response: &Response| match (is_json, response.body.is_empty()) {
                    (true, _) => "JSON",
                    (false, true) => "no body",
                    (false, false) => "not JSON",
                };
            out.push(AnswerDifference::new(
                DifferenceKind::Json,
                String::new(),
                (word(a.is_ok(), old), word(b.is_ok(), new)),
                (excerpt(&old.body), excerpt(&new.body)),
            ));
        }
    }
    out
}

fn headers(old: &Response, new: &Response) -> Vec<AnswerDifference> {
    let mut out = Vec::new();
    for name in HEADERS {
        let (a, b) = (old.header(name), new.header(name));
        let tokens = (a.map(|v| header_token(name, v)), b.map(|v| header_token(name, v)));
        if tokens.0 == tokens.1 {
            continue;
        }
        let word = |token: Option<String>| token.unwrap_or_else(|| "absent".to_owned());
        out.push(AnswerDifference::new(
            DifferenceKind::Header,
            name.to_owned(),
            (word(tokens.0), word(tokens.1)),
            (a.unwrap_or_default().to_owned(), b.unwrap_or_default().to_owned()),
        ));
    }
    out
}

/// What of a header is compared: all of a media type, the scheme of a challenge, the methods that are allowed, and of
/// others that they are there.
fn header_token(name: &str, value: &str) -> String {
    match name {
        "content-type" | "content-encoding" => value
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '"')
            .collect::<String>()
            .to_ascii_lowercase(),
        "www-authenticate" => {
            value.split_whitespace().next().unwrap_or_default().to_ascii_lowercase()
        }
        "allow" => {
            let mut methods: Vec<String> =
                value.split(',').map(|m| m.trim().to_ascii_uppercase()).collect();
            methods.sort();
            methods.join(", ")
        }
        _ => "present".to_owned(),
    }
}

fn bodies(
    contract: &Contract,
    (before, old): (&Exchange, Value),
    (after, new): (&Exchange, Value),
    status: u16,
    out: &mut Vec<AnswerDifference>,
) {
    let batch = &contract.batch;
    let mut names = MemberNames {
        verdict: &batch.verdict.field,
        code: if batch.error.has_code { &batch.error.code } else { "" },
        elapsed: [&batch.elapsed.item, &batch.elapsed.total]
            .into_iter()
            .flatten()
            .map(|name| name.rsplit('/').next().unwrap_or(name))
            .collect(),
        sent: None,
    };
    let read = |exchange: &Exchange, body: &Value| {
        let items: Vec<&Value> = exchange.intent.items().iter().map(|item| &item.value).collect();
        contract.read_answer(status, body.clone(), &items)
    };
    let has_shape = contract.shape.is_some();
    let known = has_shape.then(|| (read(before, &old), read(after, &new)));
    let (a, b) = known.as_ref().map_or((&old, &new), |(a, b)| (a, b));
    let list = |body: &'_ Value| body.get(&batch.results).and_then(Value::as_array).cloned();
    let from = out.len();
    if contract.known_status(status) == 200
        && let (Some(results), Some(others)) = (list(a), list(b))
    {
        compare_results(contract, &mut names, after, (&results, &others), !has_shape, out);
        if !has_shape {
            let without = |body: &Value| {
                let mut body = body.clone();
                if let Some(map) = body.as_object_mut() {
                    map.remove(&batch.results);
                }
                body
            };
            names.sent = None;
            tree(&names, (&without(a), &without(b)), "", out);
            return;
        }
    }
    // In a shape of its own, members stand in other places than verdicts are read from.
    if !has_shape || out.len() == from {
        names.sent = None;
        tree(&names, (&old, &new), "", out);
    }
}

fn compare_results<'a>(
    contract: &'a Contract,
    names: &mut MemberNames<'a>,
    sent: &'a Exchange,
    (old, new): (&[Value], &[Value]),
    members: bool,
    out: &mut Vec<AnswerDifference>,
) {
    let batch = &contract.batch;
    let pointer = format!("/{}", batch.results);
    if old.len() != new.len() {
        out.push(AnswerDifference::new(
            DifferenceKind::Count,
            pointer,
            ("as many results as before", if new.len() < old.len() { "fewer" } else { "more" }),
            (old.len().to_string(), new.len().to_string()),
        ));
        return;
    }
    let mut places: Vec<usize> = (0..new.len()).collect();
    if batch.echoes_key() {
        let key = |result: &Value| result.get(&batch.unique).map(Value::to_string);
        let keys: Vec<Option<String>> = new.iter().map(key).collect();
        let mut at: HashMap<&Option<String>, usize> = HashMap::new();
        let distinct = keys.iter().enumerate().all(|(i, k)| at.insert(k, i).is_none());
        let found: Option<Vec<usize>> = old.iter().map(|r| at.get(&key(r)).copied()).collect();
        if let Some(found) = found.filter(|found| distinct && *found != places) {
            let shown = |list: &[Value]| {
                let keys = list.iter().filter_map(|r| r.get(&batch.unique)).map(shown);
                keys.take(6).collect::<Vec<_>>().join(", ")
            };
            out.push(AnswerDifference::new(
                DifferenceKind::Order,
                pointer.clone(),
                ("an order", "another order"),
                (shown(old), shown(new)),
            ));
            places = found;
        }
    }
    let items = sent.intent.items();
    for (index, before) in old.iter().enumerate() {
        let Some(after) = places.get(index).and_then(|at| new.get(*at)) else { continue };
        let at = places[index];
        let from = out.len();
        let mut state = |kind: DifferenceKind, field: &str| {
            let value = |result: &Value| {
                result.get(field).filter(|v| !v.is_null()).map_or("absent".to_owned(), shown)
            };
            let values = (value(before), value(after));
            let differs = values.0 != values.1;
            if differs {
                let place = format!("{pointer}/{at}/{}", crate::contract::validity::escape(field));
                let tokens = (token(contract, field, &values.0), token(contract, field, &values.1));
                out.push(AnswerDifference::new(kind, place, tokens, values));
            }
            differs
        };
        let is_decided = state(DifferenceKind::Verdict, &batch.verdict.field)
            || batch.error.has_code && state(DifferenceKind::Code, &batch.error.code);
        if !is_decided && members {
            names.sent = items.get(at).map(|item| &item.value);
            tree(names, (before, after), &format!("{pointer}/{at}"), out);
        }
        for difference in &mut out[from..] {
            difference.item = Some(at);
        }
    }
}

/// A verdict or a code, as long as it is one of the documented ones.
fn token(contract: &Contract, field: &str, value: &str) -> String {
    let batch = &contract.batch;
    let known = value == "absent"
        || field == batch.verdict.field
            && [&batch.verdict.accepted, &batch.verdict.rejected].iter().any(|v| *v == value)
        || contract.batch.codes.contains_key(value)
        || value.len() <= 24;
    if known { value.to_owned() } else { type_name(&Value::from(value)).to_owned() }
}

fn excerpt(body: &[u8]) -> String {
    shown(&Value::from(String::from_utf8_lossy(&body[..body.len().min(2_000)]).into_owned()))
}
