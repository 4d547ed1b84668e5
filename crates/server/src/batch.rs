//! From a body to an answer: judge, commit, build results, render.
//!
//! Refuses what the contract says should be refused, SHOULD too. Knows nothing of sockets.
//! Plain bodies on a server without faults take the shortcut in `quick`; both must give the same
//! answer.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::fast_path;
use super::fault::{Call, EarlyEnd};
use super::further::{self, Claimed};
use super::kept::KeptItem;
use super::received::{Decision, ReceivedBatch, ReceivedItem, Rejection, ReplyResults, fail_of};
use super::reply::{Reply, ReplyReason, push_number};
use batchproof_contract::shape::{Again, BatchMode, KeyScope, name};
use batchproof_contract::validity::{BodyValidity, Validity};
use batchproof_contract::{Contract, RefusalMode, code_text, member};

/// The answer to `body`, or the lack of one.
pub(crate) fn process(call: &Call<'_>, body: Vec<u8>) -> Result<Reply, ()> {
    match run(call, body) {
        Ok(answer) => Ok(finish(call, answer)),
        Err(EarlyEnd::Answer(answer)) => Ok(finish(call, *answer)),
        Err(EarlyEnd::Drop) => Err(()),
    }
}

/// Lets faults at an answer that is ready.
pub(crate) fn finish(call: &Call<'_>, mut answer: Reply) -> Reply {
    for (own, hook) in call.at(|h| h.answer) {
        let mut before = answer.clone();
        hook(&own, &mut answer);
        if before != answer {
            // What is lost on the way to the wire changes nothing.
            let mut after = answer.clone();
            on_the_wire(call.contract(), &mut before);
            on_the_wire(call.contract(), &mut after);
            own.changed(before != after);
        }
    }
    on_the_wire(call.contract(), &mut answer);
    answer
}

/// Writes an answer as the contract has it on the wire.
fn on_the_wire(contract: &Contract, answer: &mut Reply) {
    let Some(shape) = contract.shape.as_ref().filter(|_| matches!(answer.status, 200 | 400)) else {
        return;
    };
    // What a fault left of a body that is no JSON is on the wire as it is.
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else { return };
    if let Some((status, body)) = shape.write(answer.status, &body) {
        answer.status = status;
        answer.body = shape.bytes(status, &body);
        let media = contract.answer_media(status);
        for (_, value) in answer.headers.iter_mut().filter(|(name, _)| *name == "Content-Type") {
            if value == "application/json" {
                media.clone_into(value);
            }
        }
    }
}

/// What is wrong with a body by itself; nothing is stored.
pub(crate) fn judge_only(call: &Call<'_>, body: &[u8]) -> Option<Reply> {
    judge(call, body).err()
}

fn judge(call: &Call<'_>, body: &[u8]) -> Result<Vec<(Value, Validity)>, Reply> {
    let contract = call.contract();
    // A framework's own error would have another meaning in another shape.
    let syntax = || {
        if contract.shape.is_none() {
            return Reply::framework(400, ReplyReason::Syntax, &call.head.path);
        }
        let fail = Rejection::invalid(contract, "the body");
        Reply::refusal(contract, ReplyReason::Syntax, &fail.code, &fail.description)
    };
    match contract.body_validity(body) {
        BodyValidity::Batch { trailing: Some(_), .. } | BodyValidity::Exempt(_) => Err(syntax()),
        BodyValidity::Invalid(reason) if reason.class.is_about_syntax() => Err(syntax()),
        BodyValidity::Invalid(reason) => {
            let fail = Rejection::for_reason(contract, &reason);
            Err(Reply::refusal(contract, ReplyReason::Envelope, &fail.code, &fail.description))
        }
        BodyValidity::Batch { items, trailing: None } => Ok(items),
    }
}

fn run(call: &Call<'_>, mut body: Vec<u8>) -> Result<Reply, EarlyEnd> {
    if let Some(plan) = &call.site.plan
        && !call.is_other_tenant()
        && let Some(answer) = fast_path::process(call, plan, &body)
    {
        return Ok(answer);
    }
    for (own, hook) in call.at(|h| h.body) {
        let before = body.clone();
        let handled = hook(&own, &mut body);
        own.changed(handled.is_err() || before != body);
        handled?;
    }
    let items = judge(call, &body).map_err(|answer| EarlyEnd::Answer(Box::new(answer)))?;
    drop(body);
    let contract = call.contract();
    let items = items.into_iter().enumerate().map(|(index, (value, validity))| {
        let fail = fail_of(contract, &validity);
        let mut item = ReceivedItem { index, value, validity, fail, elapsed: Duration::ZERO };
        for (own, hook) in call.at(|h| h.item) {
            let before = item.clone();
            hook(&own, &mut item);
            own.changed(before != item);
        }
        item
    });
    let mut batch = ReceivedBatch { items: items.collect(), refusal_mode: call.site.refusal_mode };
    for (own, hook) in call.at(|h| h.judged) {
        let before = batch.clone();
        let handled = hook(&own, &mut batch);
        own.changed(handled.is_err() || before != batch);
        handled?;
    }
    let mut decision = commit(call, batch)?;
    for (own, hook) in call.at(|h| h.decided) {
        let before = decision.clone();
        let handled = hook(&own, &mut decision);
        own.changed(handled.is_err() || before != decision);
        handled?;
    }
    keep(call, &decision);
    if let Some(fail) = &decision.refused {
        return Ok(Reply::refusal(contract, ReplyReason::Item, &fail.code, &fail.description));
    }
    if call.at(|h| h.results).next().is_none() {
        return Ok(write(call, &decision.items));
    }
    let mut results = build(call, &decision.items);
    for (own, hook) in call.at(|h| h.results) {
        let before = results.clone();
        hook(&own, &mut results);
        own.changed(before != results);
    }
    Ok(render(call, results))
}

/// Stores the numbers, unless the whole request is refused: validity is settled before the first is
/// stored.
fn commit(call: &Call<'_>, batch: ReceivedBatch) -> Result<Decision, EarlyEnd> {
    let ReceivedBatch { mut items, refusal_mode } = batch;
    if refusal_mode == RefusalMode::Request
        && let Some(fail) = items.iter().find_map(|item| item.fail.clone())
    {
        return Ok(Decision { items, refused: Some(fail) });
    }
    let shape = call.contract().shape.as_ref();
    let in_request = shape.is_some_and(|shape| shape.within == KeyScope::Request);
    let refuses = shape.is_some_and(|s| s.again == Again::Refused || s.mode == BatchMode::Whole);
    let (mut own, mut own_further) = (HashSet::new(), HashSet::new());
    let (mut claimed, mut claimed_further) = (Vec::new(), Vec::new());
    let mut refused_by_further = None;
    let mut before = Instant::now();
    for item in &mut items {
        let mut taken = Vec::new();
        if item.fail.is_none() && !call.batch().further.is_empty() {
            match further::claim(call, item, &mut own_further)? {
                Claimed::All(keys) => taken = keys,
                Claimed::Used(key) => {
                    let fail = Rejection::used_further(call.contract(), key);
                    if key.again == Again::Refused || refuses {
                        refused_by_further.get_or_insert_with(|| fail.clone());
                    }
                    item.fail = Some(fail);
                }
            }
        }
        if item.fail.is_none()
            && let Some(key) = key_of(call, item)
        {
            let is_free =
                if in_request { own.insert(key.clone()) } else { claim(call, item, &key)? };
            if !is_free {
                further::release(call, &std::mem::take(&mut taken), &mut own_further);
                item.fail = Some(Rejection::used(call.contract()));
            } else if refuses || call.batch().further.iter().any(|k| k.again == Again::Refused) {
                claimed.push(key);
            }
        }
        claimed_further.extend(taken);
        let now = Instant::now();
        item.elapsed = now - before;
        before = now;
    }
    let used = items.iter().find_map(|item| item.fail.clone()).filter(|fail| refuses && fail.used);
    let used = used.or(refused_by_further);
    if used.is_some() {
        for key in claimed.iter().filter(|_| !in_request) {
            call.site.store.release(key);
        }
        further::release(call, &claimed_further, &mut own_further);
    }
    Ok(Decision { items, refused: used })
}

/// Stands before the numbers of the other tenant, where they are remembered.
pub(crate) const OTHER_TENANT: &str = "\u{0}other\u{0}";

/// Under what an item's number is remembered.
pub(crate) fn key_of(call: &Call<'_>, item: &ReceivedItem) -> Option<String> {
    let name = Some(call.contract().judged_key()).filter(|name| !name.is_empty())?;
    let mut key = call.batch().same.compared(item.text(name)?).into_owned();
    if call.is_other_tenant() && !call.batch().unique_across_tenants {
        key.insert_str(0, OTHER_TENANT);
    }
    for (own, hook) in call.at(|h| h.key) {
        let kept = key.clone();
        key = hook(&own, item, key);
        own.changed(kept != key);
    }
    Some(key)
}

pub(crate) fn claim(call: &Call<'_>, item: &ReceivedItem, key: &str) -> Result<bool, EarlyEnd> {
    match call.at(|h| h.claim).next() {
        Some((own, hook)) => {
            own.changed(true);
            hook(&own, item, key)
        }
        None => Ok(call.site.store.claim(key)),
    }
}

/// Keeps what a batch stored.
fn keep(call: &Call<'_>, decision: &Decision) {
    if call.contract().read.is_none() {
        return;
    }
    let is_processed = decision.refused.is_none();
    let accepted = decision.items.iter().filter(|item| is_processed && item.fail.is_none());
    let mut kept: Vec<KeptItem> = accepted.filter_map(|item| kept_item(call, item)).collect();
    for (own, hook) in call.at(|h| h.keep) {
        let before = kept.clone();
        hook(&own, decision, &mut kept);
        own.changed(before != kept);
    }
    let again = call.contract().shape.as_ref().map(|shape| shape.again).unwrap_or_default();
    let mut items = call.site.items.lock();
    for KeptItem { key, value } in kept {
        let key = of_tenant(call, &key);
        if again == Again::Returned {
            items.entry(key).or_insert(value);
        } else {
            items.insert(key, value);
        }
    }
}

/// Under what an item of a tenant is kept.
pub(crate) fn of_tenant(call: &Call<'_>, key: &str) -> String {
    let is_apart = call.is_other_tenant() && !call.batch().unique_across_tenants;
    if is_apart { format!("{OTHER_TENANT}{key}") } else { key.to_owned() }
}

/// An item as it is kept; nothing where it has no key.
pub(crate) fn kept_item(call: &Call<'_>, item: &ReceivedItem) -> Option<KeptItem> {
    let own = member(&item.value, call.unique()).filter(|key| !key.is_null());
    let key = match own {
        Some(key) => code_text(key)?.into_owned(),
        None => made_key(call, item)?,
    };
    Some(KeptItem { key, value: item.value.clone() })
}

fn build(call: &Call<'_>, items: &[ReceivedItem]) -> ReplyResults {
    let rows = items.iter().map(|item| {
        let mut row = Map::with_capacity(call.batch().echo.len() + 4);
        members(call, item, |name, value| {
            row.insert(name.to_owned(), value.into());
        });
        row
    });
    let rows = rows.collect();
    let mut beside = Map::new();
    if let Some(total) = &call.batch().elapsed.total {
        beside.insert(total.clone(), Value::from(millis(call.started.elapsed())));
    }
    ReplyResults { rows, beside }
}

/// What `build` and `render` come to, where nothing looks at the rows in between.
fn write(call: &Call<'_>, items: &[ReceivedItem]) -> Reply {
    let batch = call.batch();
    let mut out = Vec::with_capacity(64 + 256 * items.len());
    // Writing JSON into memory does not fail.
    let text = |out: &mut Vec<u8>, text: &str| {
        let _ = serde_json::to_writer(out, text);
    };
    out.push(b'{');
    text(&mut out, &batch.results);
    out.extend_from_slice(b":[");
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.push(b'{');
        let mut first = true;
        members(call, item, |name, value| {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            text(&mut out, name);
            out.push(b':');
            match value {
                Member::Text(value) => text(&mut out, value),
                Member::Number(value) => push_number(&mut out, value),
                Member::Other(value) => out.extend_from_slice(value.to_string().as_bytes()),
            }
        });
        out.push(b'}');
    }
    out.push(b']');
    if let Some(total) = &batch.elapsed.total {
        out.push(b',');
        text(&mut out, total);
        out.push(b':');
        push_number(&mut out, millis(call.started.elapsed()));
    }
    out.push(b'}');
    Reply::json(200, ReplyReason::Processed, out)
}

/// A value of a result.
enum Member<'a> {
    Text(&'a str),
    Number(u64),
    Other(Value),
}

impl From<Member<'_>> for Value {
    fn from(value: Member<'_>) -> Value {
        match value {
            Member::Text(text) => Value::from(text),
            Member::Number(number) => Value::from(number),
            Member::Other(value) => value,
        }
    }
}

/// The key that is made for an item that has none, and needs none.
pub(crate) fn made_key(call: &Call<'_>, item: &ReceivedItem) -> Option<String> {
    let name = call.unique();
    let needs_none = member(&item.value, name).is_none_or(Value::is_null)
        && call.contract().field(name).is_some_and(|field| !field.required);
    needs_none.then(|| format!("made-{}-{}", call.serial, item.index))
}

/// Puts the members of an item's result, in order.
fn members(call: &Call<'_>, item: &ReceivedItem, mut put: impl FnMut(&str, Member<'_>)) {
    let batch = call.batch();
    let accepted = item.fail.is_none();
    let verdict = if accepted { &batch.verdict.accepted } else { &batch.verdict.rejected };
    put(&batch.verdict.field, Member::Text(verdict));
    let matched = call.contract().shape.as_ref().and_then(|s| s.match_of(&item.value, item.index));
    if let Some(value) = matched {
        put(name::MATCH, Member::Other(value));
    }
    for name in &batch.echo {
        let Some(text) = item.text(name) else {
            if let Some(key) = made_key(call, item).filter(|_| accepted && name == call.unique()) {
                put(name, Member::Other(key.into()));
            }
            continue;
        };
        let max = call.contract().field(name).and_then(|f| f.result_max);
        // A rejected value that its result could not carry is left out (INTERPRETATION-06).
        if max.is_none_or(|max| text.len() <= max || text.chars().count() <= max) {
            put(name, Member::Text(text));
        }
    }
    if let Some(fail) = &item.fail {
        let code = match call.contract().code_value(200, &fail.code) {
            Value::Number(number) => number.as_u64().map(Member::Number),
            _ => None,
        };
        if batch.error.has_code {
            put(&batch.error.code, code.unwrap_or(Member::Text(&fail.code)));
        }
        if batch.error.has_description {
            put(&batch.error.description, Member::Text(&fail.description));
        }
    }
    if let Some(elapsed) = &batch.elapsed.item {
        put(elapsed, Member::Number(millis(item.elapsed)));
    }
}

fn render(call: &Call<'_>, results: ReplyResults) -> Reply {
    let mut body = Map::new();
    let rows = results.rows.into_iter().map(Value::Object).collect();
    body.insert(call.batch().results.clone(), Value::Array(rows));
    body.extend(results.beside);
    Reply::json(200, ReplyReason::Processed, Value::Object(body).to_string().into_bytes())
}

/// Whole milliseconds, rounded down: no part can then seem longer than its whole.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
