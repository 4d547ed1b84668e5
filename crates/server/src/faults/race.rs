//! Faults that only simultaneous requests show.

use std::time::Duration;

use super::ResultRow;
use crate::fault::{Call, EarlyEnd, Fault, FaultFamily, linger};
use crate::received::ReceivedItem;

const RACE: FaultFamily = FaultFamily("RACE");
const WINDOW: Duration = Duration::from_millis(5);

pub(super) static FAULTS: &[Fault] = &[
    RACE.fault(
        "check-then-insert",
        "a number is looked up first and stored a few milliseconds later",
    )
    .must(&["RACE-001"])
    .may(&["UNIQUE-001"])
    .claim(check_then_insert),
    RACE.fault(
        "stored-at-the-end",
        "the numbers of a batch are looked up at its start and stored at its end",
    )
    .must(&["RACE-001"])
    .may(&["UNIQUE-001"])
    .claim(|call, _, key| {
        let mine = format!("{} {key}", call.serial);
        Ok(!call.site.store.contains(key) && call.kept().set.insert(mine))
    })
    .decided(|call, decision| {
        if decision.refused.is_none() {
            linger(WINDOW);
            for item in decision.items.iter().filter(|item| item.fail.is_none()) {
                if let Some(key) = crate::batch::key_of(call, item) {
                    call.site.store.claim(&key);
                }
            }
        }
        Ok(())
    }),
    RACE.fault("two-nodes", "two nodes tell each other of used numbers 20 milliseconds late")
        .must(&["UNIQUE-001"])
        .may(&["RACE-001"])
        .claim(|call, _, key| {
            // A node is where a connection ends; a number is known elsewhere once it is old enough.
            let node = format!("{} {key}", call.connection % 2);
            let mut kept = call.kept();
            let now = std::time::Instant::now();
            let late = Duration::from_millis(20);
            while kept.keys.front().is_some_and(|(_, since)| now - *since > late) {
                if let Some((known, _)) = kept.keys.pop_front() {
                    call.site.store.claim(&known);
                }
            }
            let free = !call.site.store.contains(key) && kept.set.insert(node);
            if free {
                kept.keys.push_back((key.to_owned(), now));
            }
            Ok(free)
        }),
    RACE.fault(
        "simultaneous-all-lose",
        "of simultaneous requests with one number none is accepted",
    )
    .must(&["RACE-001"])
    .may(&["UNIQUE-003"])
    .claim(|call, item, key| {
        let mine = call.kept().set.insert(key.to_owned());
        if !mine {
            call.kept().texts.insert(key.to_owned(), String::new());
        }
        if item.index == 0 {
            linger(WINDOW);
        }
        let mut kept = call.kept();
        let disturbed = kept.texts.contains_key(key);
        if mine {
            kept.set.remove(key);
            kept.texts.remove(key);
        }
        let free = mine && !disturbed;
        Ok(free && call.site.store.claim(key))
    }),
    RACE.fault(
        "answers-share-state",
        "results are kept in a field that simultaneous requests share",
    )
    .must(&["RACE-002"])
    .may(&[
        "ORDER-001",
        "ORDER-002",
        "ORDER-003",
        "ECHO-001",
        "ECHO-002",
        "ECHO-003",
        "SCHEMA-003",
        "SCHEMA-004",
        "ACCEPT-001",
        "ACCEPT-002",
        "ACCEPT-003",
        "ACCEPT-004",
        "UNIQUE-001",
        "UNIQUE-003",
        "UNIQUE-004",
        "UNIQUE-005",
        "UNIQUE-006",
        "RACE-001",
        "ATOM-001",
        "ATOM-002",
        "ATOM-003",
        "ATOM-004",
        "CODE-003",
        "AUTH-003",
        "HTTP-007",
        "HTTP-015",
        "REFUSE-001",
        "REFUSE-002",
        "REFUSE-003",
        "REFUSE-004",
        "REFUSE-008",
        "REFUSE-009",
        "REFUSE-010",
        "REFUSE-012",
        "TIME-002",
        "TIME-003",
        "SCHEMA-005",
        "HTTP-005",
        "HTTP-006",
        "HTTP-013",
        "CODE-008",
        "HTTP-016",
        "REFUSE-007",
    ])
    .results(|call, results| {
        call.kept().rows.clone_from(&results.rows);
        linger(WINDOW);
        let shared: Vec<ResultRow> = call.kept().rows.clone();
        results.rows = shared;
    }),
    RACE.fault(
        "identity-shares-state",
        "one echoed identity field is kept where simultaneous requests share it",
    )
    .must(&["RACE-002"])
    .may(&["ECHO-002"])
    .results(|call, results| {
        let field = call.other(0);
        call.kept().rows.clone_from(&results.rows);
        linger(WINDOW);
        let shared: Vec<ResultRow> = call.kept().rows.clone();
        for (row, other) in results.rows.iter_mut().zip(shared) {
            if let (Some(mine), Some(theirs)) = (row.get_mut(field), other.get(field)) {
                *mine = theirs.clone();
            }
        }
    }),
    RACE.fault(
        "loser-server-error",
        "of simultaneous requests with one number the losers end in a 500",
    )
    .must(&["RACE-003"])
    .may(&["RACE-001", "STATUS-001", "STATUS-002"])
    .claim(|call, item, key| {
        if call.site.store.contains(key) {
            return Ok(false);
        }
        if item.index == 0 {
            linger(WINDOW);
        }
        if call.site.store.claim(key) { Ok(true) } else { Err(EarlyEnd::status(call, 500)) }
    }),
    RACE.fault(
        "loser-unanswered",
        "of simultaneous requests with one number the losers get no answer",
    )
    .must(&["RACE-003"])
    .may(&["RACE-001", "STATUS-003"])
    .claim(|call, item, key| {
        if call.site.store.contains(key) {
            return Ok(false);
        }
        if item.index == 0 {
            linger(WINDOW);
        }
        if call.site.store.claim(key) { Ok(true) } else { Err(EarlyEnd::Drop) }
    }),
];

/// Claims a key a while after it was looked up.
#[expect(clippy::unnecessary_wraps, reason = "hooks may fail")]
pub(super) fn check_then_insert(
    call: &Call<'_>,
    item: &ReceivedItem,
    key: &str,
) -> Result<bool, EarlyEnd> {
    if call.site.store.contains(key) {
        return Ok(false);
    }
    if item.index == 0 {
        linger(WINDOW);
    }
    call.site.store.claim(key);
    Ok(true)
}
