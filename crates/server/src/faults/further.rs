//! Faults of the unique keys beside the first one.

use batchproof_contract::RefusalMode;

use super::race::check_then_insert;
use super::unique::against_earlier_batches;
use crate::fault::{Call, Fault, FaultFamily, FurtherNeed};
use crate::further::{self, RememberedKey};
use crate::received::Rejection;

const UNIQUE: FaultFamily = FaultFamily("UNIQUE");
const RACE: FaultFamily = FaultFamily("RACE");

pub(super) static FAULTS: &[Fault] = &[
    UNIQUE
        .fault("other-key-unchecked", "a further unique key is not checked at all")
        .must(&["UNIQUE-011"])
        .may(&["RACE-004"])
        .needs_further(FurtherNeed::Judged)
        .further(|_, _, _, _| None),
    UNIQUE
        .fault(
            "other-key-within-batch-only",
            "a further unique key is checked against its own batch only",
        )
        .must(&["UNIQUE-011"])
        .may(&["RACE-004"])
        .needs_further(FurtherNeed::Target)
        .further(|_, _, _, key| key.map(|key| RememberedKey { in_request: true, ..key })),
    UNIQUE
        .fault(
            "other-key-across-batches-only",
            "a further unique key is checked against earlier batches only",
        )
        .must(&["UNIQUE-011"])
        .may(&["UNIQUE-012"])
        .needs_further(FurtherNeed::Target)
        .further_claim(against_earlier_batches),
    UNIQUE
        .fault(
            "other-key-across-requests",
            "a further key that is unique within a request is checked against earlier ones too",
        )
        .must(&["UNIQUE-012"])
        .needs_further(FurtherNeed::Request)
        .further(|_, _, _, key| key.map(|key| RememberedKey { in_request: false, ..key })),
    UNIQUE
        .fault("other-key-case-folded", "a further unique key is compared ignoring letter case")
        .must(&["UNIQUE-012"])
        .needs_further(FurtherNeed::CodePoint)
        .further(|_, _, _, key| {
            key.map(|key| RememberedKey { text: key.text.to_lowercase(), ..key })
        }),
    UNIQUE
        .fault(
            "other-key-case-exact",
            "a further unique key is compared with its letter case, which does not count",
        )
        .must(&["UNIQUE-011"])
        .may(&["RACE-004"])
        .needs_further(FurtherNeed::IgnoreCase)
        .further(|_, item, about, key| {
            key.map(|key| {
                let own = item.text(&about.field).unwrap_or_default();
                RememberedKey { text: format!("{}\u{1}{own}", key.text), ..key }
            })
        }),
    UNIQUE
        .fault(
            "other-key-without-its-fields",
            "a further unique key is compared without the other fields that belong to it",
        )
        .must(&["UNIQUE-012"])
        .needs_further(FurtherNeed::With)
        .further(|_, _, about, key| {
            key.map(|key| {
                let parts: Vec<&str> = key.text.split('\u{1}').collect();
                let own = parts.len().saturating_sub(about.with.len());
                RememberedKey { text: parts[..own].join("\u{1}"), ..key }
            })
        }),
    UNIQUE
        .fault(
            "other-key-per-content",
            "a further unique key is unique for each value of the first one",
        )
        .must(&["UNIQUE-011"])
        .may(&["RACE-004"])
        .needs_further(FurtherNeed::Judged)
        .further(|call, item, _, key| {
            key.map(|key| {
                let first = item.text(call.unique()).unwrap_or_default();
                RememberedKey { text: format!("{}\u{1}{first}", key.text), ..key }
            })
        }),
    UNIQUE
        .fault(
            "other-key-kept-by-a-rejected-item",
            "the further keys of an item that is rejected for its first key are used all the same",
        )
        .must(&["UNIQUE-013"])
        .may(&["RACE-004"])
        .needs_further(FurtherNeed::Target)
        .decided(|call, decision| {
            for item in decision.items.iter().filter(|item| item.fail.is_some()) {
                further::keep(call, item);
            }
            Ok(())
        }),
    UNIQUE
        .fault(
            "other-key-kept-by-a-refused-request",
            "the further keys of a refused request are used all the same",
        )
        .must(&["UNIQUE-012"])
        .may(&["RACE-004", "ATOM-001"])
        .only(&[RefusalMode::Request])
        .needs_further(FurtherNeed::Target)
        .decided(|call, decision| {
            if decision.refused.is_some() {
                for item in &decision.items {
                    further::keep(call, item);
                }
            }
            Ok(())
        }),
    UNIQUE
        .fault(
            "other-key-refuses-the-request",
            "a used further key refuses the whole request instead of its item",
        )
        .must(&["UNIQUE-014"])
        .needs_further(FurtherNeed::Rejected)
        .decided(|call, decision| {
            let is_further = |fail: &&Rejection| fail.used && fail.further;
            let fail = decision.items.iter().find_map(|i| i.fail.as_ref().filter(is_further));
            let Some(fail) = fail.cloned() else { return Ok(()) };
            for item in decision.items.iter().filter(|item| item.fail.is_none()) {
                give_back(call, item);
            }
            decision.refused = Some(fail);
            Ok(())
        }),
    UNIQUE
        .fault(
            "other-key-twice-rejects-both",
            "of two items of a batch with one further key, both are rejected",
        )
        .must(&["UNIQUE-012"])
        .only(&[RefusalMode::Item])
        .needs_further(FurtherNeed::Judged)
        .judged(|call, batch| {
            let keys = |item: &_| {
                let all = further::remembered(call, item).into_iter();
                all.map(|(_, key)| key.text).collect::<Vec<_>>()
            };
            let all: Vec<Vec<String>> = batch.items.iter().map(keys).collect();
            for at in 0..all.len() {
                let is_other = |(other, keys): (usize, &Vec<String>)| {
                    other != at && keys.iter().any(|key| all[at].contains(key))
                };
                let item = &mut batch.items[at];
                if item.fail.is_none() && all.iter().enumerate().any(is_other) {
                    item.fail = Some(Rejection::used(call.contract()));
                }
            }
            Ok(())
        }),
    RACE.fault(
        "other-key-check-then-insert",
        "a further unique key is looked up first and stored a few milliseconds later",
    )
    .must(&["RACE-004"])
    .may(&["UNIQUE-011"])
    .needs_further(FurtherNeed::Target)
    .further_claim(check_then_insert),
];

fn give_back(call: &Call<'_>, item: &crate::received::ReceivedItem) {
    further::give_back(call, item);
    if let Some(key) = crate::batch::key_of(call, item) {
        call.site.store.release(&key);
    }
}
