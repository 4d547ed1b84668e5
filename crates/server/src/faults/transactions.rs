//! Faults of transactions and their connections: what stays of a refused request, what the next one finds.

use std::collections::HashMap;
use std::time::Duration;

use crate::batch::key_of;
use crate::fault::{Call, EarlyEnd, Fault, FaultFamily, linger};
use crate::received::{Decision, ReceivedItem};
use batchproof_contract::RefusalMode;

const ATOM: FaultFamily = FaultFamily("ATOM");
const ORDER: FaultFamily = FaultFamily("ORDER");
const RACE: FaultFamily = FaultFamily("RACE");
const ROBUST: FaultFamily = FaultFamily("ROBUST");
const UNIQUE: FaultFamily = FaultFamily("UNIQUE");

pub(super) static FAULTS: &[Fault] = &[
    ATOM.fault(
        "no-rollback-of-large-bodies",
        "a body over a mebibyte is stored before it is validated: its items stay though it is answered 400",
    )
    .must(&["ATOM-001"])
    .may(&["UNIQUE-003"])
    .only(&[RefusalMode::Request])
    .deep()
    .decided(|call, decision| {
        let size = call.head.get("content-length").and_then(|text| text.parse::<usize>().ok());
        if size.is_some_and(|bytes| bytes > 1024 * 1024) {
            stay(call, decision, 1);
        }
        Ok(())
    }),
    ATOM.fault(
        "no-rollback-of-chunked-bodies",
        "a chunked body is stored while it is read: its items stay though it is answered 400",
    )
    .must(&["ATOM-001"])
    .may(&["UNIQUE-003"])
    .only(&[RefusalMode::Request])
    .decided(|call, decision| {
        if call.head.get("transfer-encoding").is_some() {
            stay(call, decision, 1);
        }
        Ok(())
    }),
    ATOM.fault(
        "rollback-left-to-the-next-request",
        "what a refused request stored is committed by the next request on its connection",
    )
    .must(&["ATOM-001"])
    .may(&["UNIQUE-003", "RACE-001"])
    .only(&[RefusalMode::Request])
    .decided(|call, decision| {
        let connection = call.connection.to_string();
        let mut kept = call.kept();
        if decision.refused.is_some() {
            let whole = decision.items.iter().filter(|item| item.fail.is_none());
            let keys: Vec<String> = whole.filter_map(|item| key_of(call, item)).collect();
            kept.texts.insert(connection, keys.join("\u{1}"));
        } else if let Some(keys) = kept.texts.remove(&connection) {
            for key in keys.split('\u{1}') {
                call.site.store.claim(key);
            }
        }
        Ok(())
    }),
    ROBUST
        .fault(
            "stored-before-a-server-error",
            "a batch with U+0000 is stored up to that item before it is answered 500",
        )
        .must(&["ROBUST-001", "ATOM-005"])
        .may(&["STATUS-001", "STATUS-002", "ROBUST-004"])
        .judged(|call, batch| {
            let nul = |item: &ReceivedItem| item.value.to_string().contains("\\u0000");
            match batch.items.iter().position(nul) {
                Some(at) => {
                    claim_all(call, &batch.items[..at]);
                    Err(EarlyEnd::status(call, 500))
                }
                None => Ok(()),
            }
        }),
    ROBUST
        .fault(
            "transaction-left-open-by-odd-text",
            "behind U+0000 in a text, the transaction of its connection is aborted: the next request ends in a 500",
        )
        .must(&["ROBUST-003"])
        .may(&["ROBUST-001", "ROBUST-004", "STATUS-002", "RACE-003"])
        .judged(|call, batch| {
            let connection = call.connection.to_string();
            let odd = batch.items.iter().any(|item| item.value.to_string().contains("\\u0000"));
            let mut kept = call.kept();
            if odd {
                kept.set.insert(connection);
                return Ok(());
            }
            if kept.set.remove(&connection) { Err(EarlyEnd::status(call, 500)) } else { Ok(()) }
        }),
    ORDER
        .fault(
            "answers-left-on-a-connection",
            "behind an empty batch the next answer on its connection has no results",
        )
        .must(&["ORDER-001"])
        .may(&["UNIQUE-001", "ATOM-001", "ACCEPT-001"])
        .results(|call, results| {
            let connection = call.connection.to_string();
            let mut kept = call.kept();
            if results.rows.is_empty() {
                kept.set.insert(connection);
            } else if kept.set.remove(&connection) {
                results.rows.clear();
            }
        }),
    UNIQUE
        .fault(
            "first-on-a-connection-unchecked",
            "the first batch on a connection is stored before its used numbers are known",
        )
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .claim(|call, _, key| {
            let (connection, serial) = (call.connection.to_string(), call.serial.to_string());
            let mut kept = call.kept();
            let is_first = *kept.texts.entry(connection).or_insert_with(|| serial.clone()) == serial;
            Ok(call.site.store.claim(key) || is_first)
        }),
    RACE.fault("deadlock-server-error", "two batches that share numbers in opposite orders end in a 500")
        .must(&["RACE-003"])
        .may(&["STATUS-001", "STATUS-002", "RACE-001", "UNIQUE-001"])
        .claim(|call, item, key| {
            let mine = call.serial.to_string();
            for _ in 0..200 {
                let mut kept = call.kept();
                let holder = kept.texts.get(key).cloned().filter(|holder| *holder != mine);
                let Some(holder) = holder else {
                    kept.texts.insert(key.to_owned(), mine.clone());
                    break;
                };
                let wanted = kept.texts.get(&format!("wants {holder}")).cloned();
                let circle = wanted.and_then(|wanted| kept.texts.get(&wanted).cloned());
                if circle.as_deref() == Some(&mine) {
                    unlock(&mut kept.texts, &mine);
                    return Err(EarlyEnd::status(call, 500));
                }
                kept.texts.insert(format!("wants {mine}"), key.to_owned());
                drop(kept);
                linger(Duration::from_millis(1));
            }
            if item.index < 2 {
                linger(Duration::from_millis(2));
            }
            Ok(call.site.store.claim(key))
        })
        .decided(|call, _| {
            unlock(&mut call.kept().texts, &call.serial.to_string());
            Ok(())
        }),
    RACE.fault(
        "used-by-a-refused-request",
        "while a request is being refused, its numbers are used for all others",
    )
    .must(&["RACE-001"])
    .may(&["UNIQUE-003", "ATOM-001"])
    .only(&[RefusalMode::Request])
    .judged(|call, batch| {
        if batch.items.iter().any(|item| item.fail.is_some()) {
            let mut taken = Vec::new();
            for item in batch.items.iter().filter(|item| item.fail.is_none()) {
                taken.extend(key_of(call, item).filter(|key| call.site.store.claim(key)));
            }
            linger(Duration::from_millis(5));
            for key in taken {
                call.site.store.release(&key);
            }
        }
        Ok(())
    }),
];

pub(super) fn claim_all(call: &Call<'_>, items: &[ReceivedItem]) {
    for item in items.iter().filter(|item| item.fail.is_none()) {
        if let Some(key) = key_of(call, item) {
            call.site.store.claim(&key);
        }
    }
}

/// What was stored in full statements of `size` items before the first broken one stays.
pub(super) fn stay(call: &Call<'_>, decision: &Decision, size: usize) {
    if decision.refused.is_some() {
        let first = decision.items.iter().position(|item| item.fail.is_some()).unwrap_or(0);
        claim_all(call, &decision.items[..first / size * size]);
    }
}

fn unlock(locks: &mut HashMap<String, String>, holder: &str) {
    locks.retain(|_, held| held != holder);
    locks.remove(&format!("wants {holder}"));
}
