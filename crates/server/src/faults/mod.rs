//! All faults, a file a family; those of UNIQUE that take different numbers for one stand in `alike`. Those of services
//! on a real database stand by what they concern: `parts` of a batch, `transactions`, `conversions` of values.
//!
//! A fault is added in one file and nowhere else.

mod accept;
mod again;
mod alike;
mod atom;
mod auth;
mod code;
mod conversions;
mod echo;
mod further;
mod http;
mod order;
mod parts;
mod race;
mod refuse;
mod robust;
mod schema;
mod status;
mod store;
mod tenant;
#[cfg(test)]
mod tests;
mod time;
mod transactions;
mod unique;

use serde_json::{Map, Value};

use super::batch;
use super::fault::{Call, EarlyEnd, Fault};
use super::received::{ReceivedItem, Rejection, ReplyResults};
use super::reply::{Reply, ReplyReason};
use batchproof_contract::validity::InvalidReason;

/// Every fault, family by family.
#[must_use]
pub fn all() -> Vec<&'static Fault> {
    [
        schema::FAULTS,
        status::FAULTS,
        http::FAULTS,
        auth::FAULTS,
        order::FAULTS,
        echo::FAULTS,
        code::FAULTS,
        again::FAULTS,
        further::FAULTS,
        unique::FAULTS,
        alike::FAULTS,
        refuse::FAULTS,
        accept::FAULTS,
        atom::FAULTS,
        race::FAULTS,
        store::FAULTS,
        tenant::FAULTS,
        time::FAULTS,
        robust::FAULTS,
        parts::FAULTS,
        transactions::FAULTS,
        conversions::FAULTS,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The fault of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Fault> {
    all().into_iter().find(|fault| fault.name == name)
}

type ResultRow = Map<String, Value>;

/// Whether a result says rejected.
fn rejected(call: &Call<'_>, row: &ResultRow) -> bool {
    let verdict = &call.batch().verdict;
    row.get(&verdict.field).and_then(Value::as_str) == Some(&verdict.rejected)
}

/// Changes a text in every result that has it.
fn rewrite(results: &mut ReplyResults, field: &str, change: impl Fn(&str) -> String) {
    for value in results.rows.iter_mut().filter_map(|row| row.get_mut(field)) {
        if let Value::String(text) = value {
            *text = change(text);
        }
    }
}

/// Changes the object that an answer's body is.
fn edit(answer: &mut Reply, change: impl FnOnce(&mut ResultRow)) {
    if let Ok(Value::Object(mut body)) = serde_json::from_slice(&answer.body) {
        change(&mut body);
        answer.body = Value::Object(body).to_string().into_bytes();
    }
}

/// Changes an answer's body as text.
fn reword(answer: &mut Reply, change: impl FnOnce(&str) -> String) {
    let text = String::from_utf8_lossy(&answer.body);
    answer.body = change(&text).into_bytes();
}

/// Overlooks some of what is wrong with an item.
fn overlook(call: &Call<'_>, item: &mut ReceivedItem, which: impl Fn(&InvalidReason) -> bool) {
    let before = item.validity.invalid.len();
    item.validity.invalid.retain(|cause| !which(cause));
    if item.validity.invalid.len() < before {
        item.fail = crate::received::fail_of(call.contract(), &item.validity);
    }
}

/// Refuses an item for one of its fields.
fn refuse(call: &Call<'_>, item: &mut ReceivedItem, field: &str) {
    if item.fail.is_none() {
        item.fail = Some(Rejection::invalid(call.contract(), field));
    }
}

/// Refuses an item for the first of its texts that is `wrong`.
fn refuse_text(call: &Call<'_>, item: &mut ReceivedItem, wrong: impl Fn(&str) -> bool) {
    let texts = call.contract().fields().iter().filter(|f| !f.is_instant());
    let found = texts.map(|f| f.name.as_str()).find(|name| item.text(name).is_some_and(&wrong));
    if let Some(field) = found {
        refuse(call, item, field);
    }
}

/// Refuses an item for the first of its date-times that is `wrong`.
fn refuse_instant(call: &Call<'_>, item: &mut ReceivedItem, wrong: impl Fn(&str) -> bool) {
    let texts = call.contract().fields().iter().filter(|f| f.is_instant());
    let found = texts.map(|f| f.name.as_str()).find(|name| item.text(name).is_some_and(&wrong));
    if let Some(field) = found {
        refuse(call, item, field);
    }
}

/// Refuses an item for the first of its numbers that is `wrong`.
fn refuse_number(
    call: &Call<'_>,
    item: &mut ReceivedItem,
    wrong: impl Fn(&serde_json::Number) -> bool,
) {
    let bad = |name: &str| matches!(item.value.get(name), Some(Value::Number(n)) if wrong(n));
    if let Some(field) = call.contract().fields().iter().find(|f| bad(&f.name)) {
        refuse(call, item, &field.name);
    }
}

/// A refusal of the whole request, in the endpoint's own shape.
fn whole(call: &Call<'_>, fail: &Rejection) -> EarlyEnd {
    let answer = Reply::refusal(call.contract(), ReplyReason::Item, &fail.code, &fail.description);
    EarlyEnd::Answer(Box::new(answer))
}

/// Gives back the numbers that this request's accepted items took.
fn give_back(call: &Call<'_>, items: &[ReceivedItem]) {
    for item in items.iter().filter(|item| item.fail.is_none()) {
        if let Some(key) = batch::key_of(call, item) {
            call.site.store.release(&key);
        }
        super::further::give_back(call, item);
    }
}

/// The items that are whole in a body that breaks off behind their opening bracket.
fn whole_items(call: &Call<'_>, partial: &[u8]) -> Option<Vec<Value>> {
    let key = Value::from(&*call.batch().items).to_string();
    let text = String::from_utf8_lossy(partial);
    let (_, after) = text.split_once(&key)?;
    let (_, mut rest) = after.split_once('[')?;
    let mut items = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ', '\n', '\r', '\t']);
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let Some(Ok(item @ Value::Object(_))) = stream.next() else { return Some(items) };
        let end = stream.byte_offset();
        items.push(item);
        rest = &rest[end..];
    }
}

/// Composes the commonest letters with a combining mark, as normalisation form C does.
fn compose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let composed = match (out.chars().next_back(), c) {
            (Some(base), '\u{300}') => pair(base, "aeiouAEIOU", "àèìòùÀÈÌÒÙ"),
            (Some(base), '\u{301}') => pair(base, "aeiouyAEIOUY", "áéíóúýÁÉÍÓÚÝ"),
            (Some(base), '\u{302}') => pair(base, "aeiouAEIOU", "âêîôûÂÊÎÔÛ"),
            (Some(base), '\u{303}') => pair(base, "anoANO", "ãñõÃÑÕ"),
            (Some(base), '\u{308}') => pair(base, "aeiouAEIOU", "äëïöüÄËÏÖÜ"),
            (Some(base), '\u{30a}') => pair(base, "aAuU", "åÅůŮ"),
            (Some(base), '\u{30c}') => pair(base, "cszreCSZRE", "čšžřěČŠŽŘĚ"),
            (Some(base), '\u{327}') => pair(base, "cC", "çÇ"),
            _ => None,
        };
        match composed {
            Some(one) => {
                out.pop();
                out.push(one);
            }
            None => out.push(c),
        }
    }
    out
}

fn pair(base: char, plain: &str, composed: &str) -> Option<char> {
    plain.chars().position(|c| c == base).and_then(|at| composed.chars().nth(at))
}

/// The first `n` characters.
fn head(text: &str, n: usize) -> String {
    text.chars().take(n).collect()
}
