//! Faults of what a refused batch or item leaves behind.

use crate::batch::key_of;
use crate::fault::{Call, Fault, FaultFamily};
use crate::received::{Decision, ReceivedItem, Rejection};
use batchproof_contract::RefusalMode;

const ATOM: FaultFamily = FaultFamily("ATOM");

pub(super) static FAULTS: &[Fault] = &[
    ATOM.fault(
        "stored-though-refused",
        "the numbers of a request that is answered 400 are used up",
    )
    .must(&["ATOM-001"])
    .may(&["UNIQUE-003", "ATOM-002", "RACE-001"])
    .only(&[RefusalMode::Request])
    .decided(|call, decision| {
        consume(call, decision, |_| true);
        Ok(())
    }),
    ATOM.fault(
        "no-rollback",
        "items before the first broken one stay stored though the request is answered 400",
    )
    .must(&["ATOM-001"])
    .may(&["UNIQUE-003", "RACE-001"])
    .only(&[RefusalMode::Request])
    .decided(|call, decision| {
        let first = decision.items.iter().position(|item| item.fail.is_some());
        consume(call, decision, |item| Some(item.index) < first);
        Ok(())
    }),
    ATOM.fault(
        "later-items-stay",
        "items behind the first broken one stay stored though the request is answered 400",
    )
    .must(&["ATOM-001"])
    .may(&["UNIQUE-003"])
    .only(&[RefusalMode::Request])
    .decided(|call, decision| {
        let first = decision.items.iter().position(|item| item.fail.is_some());
        consume(call, decision, |item| item.fail.is_none() && Some(item.index) > first);
        Ok(())
    }),
    ATOM.fault(
        "broken-item-number-stays",
        "the number of the broken item itself is used up by a 400",
    )
    .must(&["ATOM-001"])
    .may(&["UNIQUE-003", "ATOM-002"])
    .only(&[RefusalMode::Request])
    .decided(|call, decision| {
        consume(call, decision, |item| item.fail.is_some());
        Ok(())
    }),
    ATOM.fault(
        "no-rollback-beyond-five",
        "a transaction holds five items: full ones stay though the request is answered 400",
    )
    .must(&["ATOM-001"])
    .may(&["UNIQUE-003"])
    .only(&[RefusalMode::Request])
    .decided(|call, decision| {
        let first = decision.items.iter().position(|item| item.fail.is_some()).unwrap_or(0);
        consume(call, decision, |item| item.index < first / 5 * 5);
        Ok(())
    }),
    ATOM.fault("rejected-number-stays", "the number of a rejected item is used up")
        .must(&["ATOM-002"])
        .may(&["UNIQUE-003", "UNIQUE-006", "ATOM-001"])
        .only(&[RefusalMode::Item])
        .decided(|call, decision| {
            for item in decision.items.iter().filter(|item| item.fail.is_some()) {
                if let Some(key) = key_of(call, item) {
                    call.site.store.claim(&key);
                }
            }
            Ok(())
        }),
    ATOM.fault("next-item-rejected-too", "the item behind a rejected one is rejected too")
        .must(&["ATOM-003"])
        .may(&["CODE-003", "UNIQUE-006"])
        .decided(|call, decision| {
            spread(call, decision, |failed, at| at > 0 && failed[at - 1]);
            Ok(())
        }),
    ATOM.fault("all-rejected-with-one", "one rejected item has all items of its batch rejected")
        .must(&["ATOM-003"])
        .may(&["CODE-003", "UNIQUE-006"])
        .decided(|call, decision| {
            spread(call, decision, |failed, _| failed.contains(&true));
            Ok(())
        }),
    ATOM.fault("stops-at-first-rejected", "nothing behind the first rejected item is processed")
        .must(&["ATOM-003"])
        .may(&["CODE-003", "UNIQUE-006"])
        .decided(|call, decision| {
            spread(call, decision, |failed, at| failed[..at].contains(&true));
            Ok(())
        }),
    ATOM.fault("results-end-at-first-rejected", "the answer ends with the first rejected item")
        .must(&["ORDER-001"])
        .may(&["ATOM-003", "UNIQUE-001", "UNIQUE-006"])
        .decided(|call, decision| {
            if decision.refused.is_none()
                && let Some(first) = decision.items.iter().position(|item| item.fail.is_some())
            {
                let rest = decision.items.split_off(first + 1);
                super::give_back(call, &rest);
            }
            Ok(())
        }),
    ATOM.fault(
        "half-sent-stored",
        "items are stored as they come in, though the client hangs up before the end",
    )
    .must(&["ATOM-004"])
    .may(&["UNIQUE-003"])
    .hangup(|call, partial| {
        for value in super::whole_items(call, partial).unwrap_or_default() {
            let validity = call.contract().item_validity(&value);
            let item = ReceivedItem {
                index: 0,
                value,
                validity,
                fail: None,
                elapsed: std::time::Duration::ZERO,
            };
            if let Some(key) = key_of(call, &item) {
                call.site.store.claim(&key);
            }
        }
    }),
];

/// Uses up the numbers of some items of a refused request.
fn consume(call: &Call<'_>, decision: &Decision, which: impl Fn(&ReceivedItem) -> bool) {
    if decision.refused.is_none() {
        return;
    }
    for item in decision.items.iter().filter(|item| which(item)) {
        if let Some(key) = key_of(call, item) {
            call.site.store.claim(&key);
        }
    }
}

/// Rejects further items by what was rejected before, and frees their numbers.
fn spread(call: &Call<'_>, decision: &mut Decision, which: impl Fn(&[bool], usize) -> bool) {
    if decision.refused.is_some() {
        return;
    }
    let failed: Vec<bool> = decision.items.iter().map(|item| item.fail.is_some()).collect();
    for (at, item) in decision.items.iter_mut().enumerate() {
        if !failed[at] && which(&failed, at) {
            super::give_back(call, std::slice::from_ref(item));
            item.fail = Some(Rejection::invalid(call.contract(), "batch"));
        }
    }
}
