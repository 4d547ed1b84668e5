//! Faults of batches that are stored or answered in parts: sizes of statements, of pools and of positions.

use crate::batch::key_of;
use crate::fault::{Call, EarlyEnd, Fault, FaultFamily};
use crate::received::Decision;
use batchproof_contract::RefusalMode;

use super::transactions::{claim_all, stay};

const ATOM: FaultFamily = FaultFamily("ATOM");
const ORDER: FaultFamily = FaultFamily("ORDER");
const STATUS: FaultFamily = FaultFamily("STATUS");
const UNIQUE: FaultFamily = FaultFamily("UNIQUE");

pub(super) static FAULTS: &[Fault] = &[
    ATOM.fault(
        "no-rollback-of-hundreds",
        "items are stored a hundred a statement: full ones stay though the request is answered 400",
    )
    .must(&["ATOM-001"])
    .may(&["UNIQUE-003"])
    .only(&[RefusalMode::Request])
    .decided(|call, decision| {
            stay(call, decision, 100);
            Ok(())
        }),
    ATOM.fault(
        "no-rollback-of-five-hundreds",
        "items are stored 500 a statement: full ones stay though the request is answered 400",
    )
    .items(501)
        .must(&["ATOM-001"])
    .may(&["UNIQUE-003"])
    .only(&[RefusalMode::Request])
    .decided(|call, decision| {
            stay(call, decision, 500);
            Ok(())
        }),
    ATOM.fault(
        "no-rollback-of-128",
        "items are stored 128 a statement: full ones stay though the request is answered 400",
    )
    .must(&["ATOM-001"])
    .may(&["UNIQUE-003"])
    .only(&[RefusalMode::Request])
    .decided(|call, decision| {
        stay(call, decision, 128);
        Ok(())
    }),
    UNIQUE
        .fault(
            "last-part-of-a-batch-lost",
            "a batch over 100 items is stored by the hundred, and what is left over is lost",
        )
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .decided(|call, decision| {
            lose(call, decision, |at, all| all > 100 && at >= all / 100 * 100);
            Ok(())
        }),
    UNIQUE
        .fault(
            "first-of-each-part-lost",
            "a batch is stored 128 items a statement, and the first of each further one is lost",
        )
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .decided(|call, decision| {
            lose(call, decision, |at, _| at > 0 && at % 128 == 0);
            Ok(())
        }),
    UNIQUE
        .fault(
            "first-of-each-512-lost",
            "a batch is stored 512 items a statement, and the first of each further one is lost",
        )
        .items(513)
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .decided(|call, decision| {
            lose(call, decision, |at, _| at > 0 && at % 512 == 0);
            Ok(())
        }),
    UNIQUE
        .fault(
            "last-of-each-200-lost",
            "a batch is stored 200 items a statement, and the last of each full one is lost",
        )
        .items(200)
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .only(&[RefusalMode::Request])
        .decided(|call, decision| {
            lose(call, decision, |at, _| at % 200 == 199);
            Ok(())
        }),
    UNIQUE
        .fault(
            "last-of-each-256-lost",
            "a batch is stored 256 items a statement, and the last of each full one is lost",
        )
        .items(256)
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .only(&[RefusalMode::Item])
        .decided(|call, decision| {
            lose(call, decision, |at, _| at % 256 == 255);
            Ok(())
        }),
    UNIQUE
        .fault("last-of-each-100-lost", "a batch is stored 100 items a statement, and the last of each full one is lost")
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .decided(|call, decision| {
            lose(call, decision, |at, _| at % 100 == 99);
            Ok(())
        }),
    UNIQUE
        .fault("last-of-each-128-lost", "a batch is stored 128 items a statement, and the last of each full one is lost")
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .decided(|call, decision| {
            lose(call, decision, |at, _| at % 128 == 127);
            Ok(())
        }),
    UNIQUE
        .fault("last-of-each-1000-lost", "a batch is stored 1,000 items a statement, and the last of each full one is lost")
        .items(1_000)
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .only(&[RefusalMode::Request])
        .decided(|call, decision| {
            lose(call, decision, |at, _| at % 1000 == 999);
            Ok(())
        }),
    UNIQUE
        .fault("first-of-each-100-lost", "a batch is stored 100 items a statement, and the first of each further one is lost")
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .decided(|call, decision| {
            lose(call, decision, |at, _| at > 0 && at % 100 == 0);
            Ok(())
        }),
    UNIQUE
        .fault("first-of-each-250-lost", "a batch is stored 250 items a statement, and the first of each further one is lost")
        .items(251)
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .only(&[RefusalMode::Request])
        .decided(|call, decision| {
            lose(call, decision, |at, _| at > 0 && at % 250 == 0);
            Ok(())
        }),
    UNIQUE
        .fault("first-of-each-500-lost", "a batch is stored 500 items a statement, and the first of each further one is lost")
        .items(501)
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .only(&[RefusalMode::Item])
        .decided(|call, decision| {
            lose(call, decision, |at, _| at > 0 && at % 500 == 0);
            Ok(())
        }),
    UNIQUE
        .fault("each-hundredth-item-lost", "every hundredth item that is sent is not stored")
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .decided(|call, decision| {
            lose(call, decision, |_, _| call.every(100));
            Ok(())
        }),
    UNIQUE
        .fault(
            "numbers-compared-within-twenty",
            "a batch is stored twenty items at a time: a number twice in it is accepted twice where they lie further apart",
        )
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004"])
        .claim(|call, item, key| {
            let mut kept = call.kept();
            let part = format!("{} {}", call.serial, item.index / 20);
            let elsewhere = kept.texts.get(key).is_some_and(|stored| {
                *stored != part && stored.split(' ').next() == part.split(' ').next()
            });
            let free = call.site.store.claim(key);
            if free || elsewhere {
                kept.texts.insert(key.to_owned(), part);
            }
            Ok(free || elsewhere)
        }),
    UNIQUE
        .fault(
            "parameters-of-seven-columns-lost",
            "a statement takes 65,535 parameters, seven an item: items beyond are not stored",
        )
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .only(&[RefusalMode::Request])
        .deep()
        .decided(|call, decision| {
            lose(call, decision, |at, _| at >= 65_535 / 7);
            Ok(())
        }),
    UNIQUE
        .fault(
            "items-beyond-1000-lost",
            "of an accepted batch the items beyond the thousandth are not stored",
        )
        .items(1_001)
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .decided(|call, decision| {
            lose(call, decision, |at, _| at >= 1000);
            Ok(())
        }),
    UNIQUE
        .fault(
            "items-beyond-5000-lost",
            "of an accepted batch the items beyond the five-thousandth are not stored",
        )
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .deep()
        .decided(|call, decision| {
            lose(call, decision, |at, _| at >= 5000);
            Ok(())
        }),
    UNIQUE
        .fault("unchecked-over-2000", "a batch over 2,000 items is stored without looking for used numbers")
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .deep()
        .decided(|_, decision| {
            if decision.items.len() > 2000 {
                for item in &mut decision.items {
                    if item.fail.as_ref().is_some_and(|fail| fail.used) {
                        item.fail = None;
                    }
                }
            }
            Ok(())
        }),
    UNIQUE
        .fault(
            "parameters-beyond-65535-lost",
            "a statement takes 65,535 parameters, eight an item: items beyond are not stored",
        )
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .deep()
        .decided(|call, decision| {
            lose(call, decision, |at, _| at >= 65_535 / 8);
            Ok(())
        }),
    UNIQUE
        .fault(
            "positions-beyond-32767-lost",
            "a position has sixteen bits: of an accepted batch the items beyond it are not stored",
        )
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .deep()
        .decided(|call, decision| {
            lose(call, decision, |at, _| at > 32_767);
            Ok(())
        }),
    STATUS
        .fault(
            "busy-over-299-items",
            "a batch of 300 items and more exceeds a pool, is answered 503, and half of it is stored",
        )
        .items(300)
        .must(&["ROBUST-001"])
        .may(&["STATUS-002", "ROBUST-002", "ACCEPT-005", "RACE-003", "ATOM-005"])
        .judged(|call, batch| {
            if batch.items.len() < 300 {
                return Ok(());
            }
            claim_all(call, &batch.items[..batch.items.len() / 2]);
            Err(EarlyEnd::status(call, 503))
        }),
    ORDER
        .fault("results-reversed-over-5000", "more than 5,000 results are sorted backwards")
        .must(&["ORDER-002"])
        .may(&["ECHO-001", "ECHO-002", "ORDER-003"])
        .deep()
        .results(|_, results| {
            if results.rows.len() > 5000 {
                results.rows.reverse();
            }
        }),
    ORDER
        .fault(
            "results-of-the-last-part-missing",
            "a batch over 250 items is answered by the 250, and the results of what is left over are missing",
        )
        .items(251)
        .must(&["ORDER-001"])
        .may(&["ACCEPT-005", "ORDER-003"])
        .only(&[RefusalMode::Item])
        .results(|_, results| {
            let all = results.rows.len();
            if all > 250 {
                results.rows.truncate(all / 250 * 250);
            }
        }),
];

/// Accepted items at some positions are not stored: `which` gets the position and the size of the batch.
fn lose(call: &Call<'_>, decision: &Decision, which: impl Fn(usize, usize) -> bool) {
    if decision.refused.is_none() {
        let all = decision.items.len();
        let lost =
            decision.items.iter().filter(|item| which(item.index, all) && item.fail.is_none());
        for item in lost {
            if let Some(key) = key_of(call, item) {
                call.site.store.release(&key);
            }
        }
    }
}
