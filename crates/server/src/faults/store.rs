//! Faults of what can be read back: items that were accepted and are not there, and the other way round.

use std::time::Duration;

use serde_json::Value;

use crate::batch::kept_item;
use crate::fault::{Call, Fault, FaultFamily, linger};
use crate::kept::KeptItem;
use crate::received::Decision;
use batchproof_contract::RefusalMode;
use batchproof_contract::shape::Again;

const STORE: FaultFamily = FaultFamily("STORE");

pub(super) static FAULTS: &[Fault] = &[
    STORE
        .fault("accepted-item-not-stored", "the last of several accepted items is not stored")
        .must(&["STORE-001"])
        .needs_read()
        .keep(|_, _, kept| {
            if kept.len() > 1 {
                kept.pop();
            }
        }),
    STORE
        .fault("batch-not-stored-now-and-then", "each fifth batch is accepted and not stored")
        .must(&["STORE-001"])
        .needs_read()
        .keep(|call, _, kept| {
            if call.every(5) {
                kept.clear();
            }
        }),
    STORE
        .fault(
            "items-beyond-a-hundred-not-stored",
            "of a batch the first hundred items are stored, and all are accepted",
        )
        .must(&["STORE-001"])
        .needs_read()
        .keep(|_, _, kept| kept.truncate(100)),
    STORE
        .fault(
            "simultaneous-batch-not-stored",
            "of two batches that are stored at the same time, the earlier one is overwritten",
        )
        .must(&["STORE-001"])
        .needs_read()
        .judged(|call, _| {
            let serial = call.serial.to_string();
            call.kept().texts.insert("latest".to_owned(), serial);
            linger(Duration::from_millis(3));
            Ok(())
        })
        .keep(|call, _, kept| {
            let is_latest =
                call.kept().texts.get("latest").is_some_and(|l| *l == call.serial.to_string());
            if !is_latest {
                kept.clear();
            }
        }),
    STORE
        .fault("values-of-the-next-item", "an item is stored with the values of the one behind it")
        .must(&["STORE-001"])
        .needs_read()
        .keep(|call, _, kept| {
            let values: Vec<Value> = kept.iter().map(|item| item.value.clone()).collect();
            for (item, value) in kept.iter_mut().zip(values.into_iter().skip(1)) {
                item.value = with_key(call, value, &item.value);
            }
        }),
    STORE
        .fault(
            "used-key-overwrites",
            "an item that is rejected because its key was used overwrites what was stored",
        )
        .must(&["STORE-001"])
        .only(&[RefusalMode::Item, RefusalMode::Request])
        .needs_read()
        .needs_again(&[Again::Rejected])
        .keep(|call, decision, kept| {
            let used = |fail: &crate::received::Rejection| fail.used;
            let rejected = decision.items.iter().filter(|i| i.fail.as_ref().is_some_and(used));
            kept.extend(rejected.filter_map(|item| kept_item(call, item)));
        }),
    STORE
        .fault("stored-texts-cut", "texts are stored up to their tenth character")
        .must(&["STORE-001"])
        .needs_read()
        .keep(|call, _, kept| {
            for item in kept.iter_mut() {
                let cut = |value: &Value| match value {
                    Value::String(text) => Value::from(super::head(text, 10)),
                    other => other.clone(),
                };
                let sent = item.value.clone();
                if let Value::Object(map) = &mut item.value {
                    map.values_mut().for_each(|value| *value = cut(value));
                }
                item.value = with_key(call, item.value.clone(), &sent);
            }
        }),
    STORE
        .fault("rejected-item-stored", "a rejected item is stored all the same")
        .must(&["STORE-002"])
        .only(&[RefusalMode::Item])
        .needs_read()
        .keep(|call, decision, kept| {
            if decision.refused.is_none() {
                let rejected = decision.items.iter().filter(|item| {
                    item.fail.as_ref().is_some_and(|fail| !fail.used)
                });
                kept.extend(rejected.filter_map(|item| kept_item(call, item)));
            }
        }),
    STORE
        .fault("refused-batch-stored", "the valid items of a refused request are stored")
        .must(&["STORE-002"])
        .only(&[RefusalMode::Request])
        .needs_read()
        .keep(|call, decision, kept| keep_refused(call, decision, kept, usize::MAX)),
    STORE
        .fault(
            "refused-batch-stored-in-part",
            "of a refused request, the items before the first broken one are stored in full groups of fifty",
        )
        .must(&["STORE-002"])
        .only(&[RefusalMode::Request])
        .needs_read()
        .keep(|call, decision, kept| {
            let first = decision.items.iter().position(|item| item.fail.is_some()).unwrap_or(0);
            keep_refused(call, decision, kept, first / 50 * 50);
        }),
    STORE
        .fault("read-finds-nothing", "a read finds no item, whatever was stored")
        .must(&["STORE-001"])
        .needs_read()
        .shown(|_, _, item| *item = None),
    STORE
        .fault("read-shows-another-item", "a read shows the item that was read before")
        .must(&["STORE-001"])
        .needs_read()
        .shown(|call, _, item| {
            let mut kept = call.kept();
            let own = item.clone();
            if let (Some(item), Some(before)) = (item, kept.texts.remove("shown")) {
                *item = serde_json::from_str(&before).unwrap_or(Value::Null);
            }
            if let Some(own) = own {
                kept.texts.insert("shown".to_owned(), own.to_string());
            }
        }),
    STORE
        .fault("read-shows-an-empty-item", "a read of what is not there shows an empty item")
        .must(&["STORE-002"])
        .needs_read()
        .shown(|_, _, item| {
            item.get_or_insert_with(|| Value::Object(serde_json::Map::new()));
        }),
];

/// A value under the key of another one.
fn with_key(call: &Call<'_>, mut value: Value, other: &Value) -> Value {
    match (&mut value, other.get(call.unique())) {
        (Value::Object(map), Some(key)) => {
            map.insert(call.unique().to_owned(), key.clone());
        }
        (Value::Object(map), None) => {
            map.shift_remove(call.unique());
        }
        _ => {}
    }
    value
}

/// Keeps the valid ones of the first `most` items of a refused request.
fn keep_refused(call: &Call<'_>, decision: &Decision, kept: &mut Vec<KeptItem>, most: usize) {
    if decision.refused.is_some() {
        let valid = decision.items.iter().filter(|item| item.fail.is_none() && item.index < most);
        kept.extend(valid.filter_map(|item| kept_item(call, item)));
    }
}
