//! The answer to a request that reads one item back.
//!
//! It must not know how a batch was judged.

use serde_json::Value;

use super::batch;
use super::fault::Call;
use super::kept::read_of;
use super::reply::{Reply, ReplyReason};
use batchproof_contract::member;
use batchproof_contract::shape::Pointer;

/// The answer to a request that reads an item; nothing where it is another request.
pub(crate) fn answer(call: &Call<'_>, body: &[u8]) -> Option<Reply> {
    let contract = call.contract();
    let read = read_of(contract, call.head)?;
    let key = read.key_of(&call.head.method, &call.head.target, Some(body));
    let key = key.unwrap_or_default();
    let mut item = call.site.items.lock().get(&batch::of_tenant(call, &key)).cloned();
    for (own, hook) in call.at(|h| h.shown) {
        let before = item.clone();
        hook(&own, &key, &mut item);
        own.changed(before != item);
    }
    let Some(item) = item else {
        let status = read.gone.first().copied().unwrap_or(404);
        return Some(Reply::framework(status, ReplyReason::Read, &call.head.path));
    };
    let renamed: Vec<(&Pointer, Value)> = read
        .fields
        .iter()
        .filter_map(|field| Some((&field.at, member(&item, &field.name)?.clone())))
        .collect();
    let mut item = match contract.shape.as_ref().map(|shape| &shape.form) {
        Some(form) => serde_json::from_str(&form.object(&item.to_string(), 0)).unwrap_or(item),
        None => item.clone(),
    };
    for (at, value) in renamed {
        at.set(&mut item, value);
    }
    let mut shown = Value::Null;
    read.item.set(&mut shown, item);
    let status = read.found.first().copied().unwrap_or(200);
    Some(Reply::json(status, ReplyReason::Read, shown.to_string().into_bytes()))
}
