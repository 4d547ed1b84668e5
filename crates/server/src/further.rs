//! Unique keys beside the first one: under what each is remembered, and whether it is free.
//!
//! It must not know how the first key is remembered.

use std::collections::HashSet;

use serde_json::Value;

use super::batch::OTHER_TENANT;
use super::fault::{Call, EarlyEnd};
use super::received::ReceivedItem;
use batchproof_contract::member;
use batchproof_contract::shape::{Again, KeyScope};
use batchproof_contract::unique_key::FurtherKey;

/// Under what a further key of an item is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RememberedKey {
    /// The text that stands for it.
    pub(crate) text: String,
    /// Whether it is forgotten after its request.
    pub(crate) in_request: bool,
}

/// What became of the further keys of an item.
pub(crate) enum Claimed<'a> {
    /// All of them were free; these are remembered now.
    All(Vec<RememberedKey>),
    /// This one is used; none is remembered.
    Used(&'a FurtherKey),
}

/// The further keys of an item, each with what it is remembered under.
pub(crate) fn remembered<'a>(
    call: &Call<'a>,
    item: &ReceivedItem,
) -> Vec<(&'a FurtherKey, RememberedKey)> {
    let further = call.batch().further.iter().enumerate();
    let key = |(nth, about): (usize, &'a FurtherKey)| {
        let mut key = plain(call, item, nth, about);
        for (own, hook) in call.at(|h| h.further) {
            let kept = key.clone();
            key = hook(&own, item, about, key);
            own.changed(kept != key);
        }
        Some((about, key?))
    };
    further.filter_map(key).collect()
}

/// Under what a clean server remembers it; nothing where it is not unique.
fn plain(
    call: &Call<'_>,
    item: &ReceivedItem,
    nth: usize,
    about: &FurtherKey,
) -> Option<RememberedKey> {
    let in_request = about.within == KeyScope::Request;
    if about.again == Again::Free && !in_request {
        return None;
    }
    let own = about.same.compared(item.text(&about.field)?).into_owned();
    let mut text = format!("\u{0}{nth}\u{1}{own}");
    for field in &about.with {
        // As in a database, what is missing is equal to nothing.
        let value = member(&item.value, field).filter(|value| !value.is_null())?;
        text.push('\u{1}');
        match value {
            Value::String(value) => text.push_str(value),
            other => text.push_str(&other.to_string()),
        }
    }
    if call.is_other_tenant() && !call.batch().unique_across_tenants {
        text.insert_str(0, OTHER_TENANT);
    }
    Some(RememberedKey { text, in_request })
}

/// Takes the further keys of an item; `own` holds those of its request alone.
pub(crate) fn claim<'a>(
    call: &Call<'a>,
    item: &ReceivedItem,
    own: &mut HashSet<String>,
) -> Result<Claimed<'a>, EarlyEnd> {
    let mut taken: Vec<RememberedKey> = Vec::new();
    for (about, key) in remembered(call, item) {
        let is_free = if key.in_request {
            own.insert(key.text.clone())
        } else {
            match call.at(|h| h.further_claim).next() {
                Some((armed, hook)) => {
                    armed.changed(true);
                    hook(&armed, item, &key.text)?
                }
                None => call.site.store.claim(&key.text),
            }
        };
        if !is_free {
            release(call, &taken, own);
            return Ok(Claimed::Used(about));
        }
        taken.push(key);
    }
    Ok(Claimed::All(taken))
}

/// Gives further keys back.
pub(crate) fn release(call: &Call<'_>, taken: &[RememberedKey], own: &mut HashSet<String>) {
    for key in taken {
        if key.in_request {
            own.remove(&key.text);
        } else {
            call.site.store.release(&key.text);
        }
    }
}

/// Remembers the further keys of an item, whatever became of it.
pub(crate) fn keep(call: &Call<'_>, item: &ReceivedItem) {
    for (_, key) in remembered(call, item) {
        if !key.in_request {
            call.changed(true);
            call.site.store.claim(&key.text);
        }
    }
}

/// Gives back what an item took.
pub(crate) fn give_back(call: &Call<'_>, item: &ReceivedItem) {
    for (_, key) in remembered(call, item) {
        if !key.in_request {
            call.site.store.release(&key.text);
        }
    }
}
