//! Faults of services on a real database: sizes of statements and columns, transactions, pooled connections, caches.

use std::collections::HashSet;
use std::time::Duration;

use super::rewrite;
use crate::batch::{Decision, ReceivedItem, key_of};
use crate::fault::{Call, EarlyEnd, Fault, FaultFamily, linger};
use batchproof_contract::RefusalMode;

const ATOM: FaultFamily = FaultFamily("ATOM");
const ECHO: FaultFamily = FaultFamily("ECHO");
const ORDER: FaultFamily = FaultFamily("ORDER");
const RACE: FaultFamily = FaultFamily("RACE");
const ROBUST: FaultFamily = FaultFamily("ROBUST");
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
    .must(&["ATOM-001"])
    .may(&["UNIQUE-003"])
    .only(&[RefusalMode::Request])
    .decided(|call, decision| {
            stay(call, decision, 500);
            Ok(())
        }),
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
            "items-beyond-1000-lost",
            "of an accepted batch the items beyond the thousandth are not stored",
        )
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
        .fault("used-number-looked-up-as-pattern", "percent and underscore in a number match any text")
        .must(&["UNIQUE-005"])
        .may(&["UNIQUE-003"])
        .claim(|call, _, key| {
            let mut kept = call.kept();
            let pattern = key.contains(['%', '_']);
            let taken = pattern && kept.set.iter().any(|known| known != key && like(key, known));
            kept.set.insert(key.to_owned());
            Ok(call.site.store.claim(key) && !taken)
        }),
    UNIQUE
        .fault(
            "backslash-lost-in-large-batches",
            "a batch of a hundred items and more is copied in a format in which a backslash escapes",
        )
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-005", "UNIQUE-003"])
        .judged(|call, batch| {
            if batch.items.len() >= 100 {
                call.kept().set.insert(call.serial.to_string());
            }
            Ok(())
        })
        .key(|call, _, key| {
            let large = call.kept().set.contains(&call.serial.to_string());
            if large { key.replace('\\', "") } else { key }
        }),
    UNIQUE
        .fault(
            "first-of-each-512-lost",
            "a batch is stored 512 items a statement, and the first of each further one is lost",
        )
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004", "RACE-001"])
        .decided(|call, decision| {
            lose(call, decision, |at, _| at > 0 && at % 512 == 0);
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
    UNIQUE
        .fault("forgets-after-thirty-seconds", "a number is remembered for thirty seconds")
        .must(&["UNIQUE-001"])
        .deep()
        .waits()
        .claim(|call, _, key| Ok(super::unique::forgetting(call, key, Duration::from_secs(30)))),
    UNIQUE
        .fault("forgets-after-five-seconds", "a number is remembered for five seconds")
        .must(&["UNIQUE-001"])
        .deep()
        .waits()
        .claim(|call, _, key| Ok(super::unique::forgetting(call, key, Duration::from_secs(5)))),
    ECHO.fault("identity-read-as-a-scalar", "an echoed text that looks like a boolean or a null is spelt anew")
        .must(&["ECHO-002"])
        .may(&["ECHO-003"])
        .results(|call, results| {
            rewrite(results, call.other(0), |text| match text.to_ascii_lowercase().as_str() {
                scalar @ ("true" | "false" | "null") => scalar.to_owned(),
                _ => numeral(text),
            });
        }),
    ROBUST
        .fault(
            "long-varied-text-server-error",
            "a text of some thousand bytes that do not compress exceeds the index and ends in a 500",
        )
        .must(&["ROBUST-001"])
        .may(&["STATUS-001", "STATUS-002", "ACCEPT-003", "ROBUST-004"])
        .judged(|call, batch| {
            let varied = |text: &str| {
                text.len() > 2704
                    && text.as_bytes().windows(4).collect::<HashSet<_>>().len() > text.len() / 2
            };
            let texts = batch.items.iter().filter_map(|item| item.value.as_object());
            let wrong = texts.flat_map(|map| map.values()).any(|v| v.as_str().is_some_and(varied));
            if wrong { Err(EarlyEnd::status(call, 500)) } else { Ok(()) }
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
    ECHO.fault("number-read-as-a-numeral", "an echoed number of digits alone loses zeros and signs before it")
        .must(&["ECHO-001"])
        .may(&["ECHO-002"])
        .results(|call, results| rewrite(results, call.unique(), numeral)),
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
    FaultFamily("STATUS")
        .fault(
            "busy-over-299-items",
            "a batch of 300 items and more exceeds a pool, is answered 503, and half of it is stored",
        )
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
    FaultFamily("REFUSE")
        .fault("epoch-text-accepted", "seconds since 1970, as text, are taken for a date-time")
        .must(&["REFUSE-009"])
        .may(&["REFUSE-004"])
        .item(|call, item| {
            let epoch = |name: &str| {
                item.text(name).is_some_and(|text| {
                    (9..=13).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
                })
            };
            let fields = call.contract().fields().iter().filter(|f| f.is_instant());
            let pointers: Vec<String> =
                fields.filter(|f| epoch(&f.name)).map(|f| format!("/{}", f.name)).collect();
            super::overlook(call, item, |reason| pointers.contains(&reason.pointer));
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

fn claim_all(call: &Call<'_>, items: &[ReceivedItem]) {
    for item in items.iter().filter(|item| item.fail.is_none()) {
        if let Some(key) = key_of(call, item) {
            call.site.store.claim(&key);
        }
    }
}

/// What was stored in full statements of `size` items before the first broken one stays.
fn stay(call: &Call<'_>, decision: &Decision, size: usize) {
    if decision.refused.is_some() {
        let first = decision.items.iter().position(|item| item.fail.is_some()).unwrap_or(0);
        claim_all(call, &decision.items[..first / size * size]);
    }
}

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

/// Whether SQL's LIKE finds `text` with this pattern.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star, mut mark) = (0, 0, None, 0);
    while t < text.len() {
        if pattern.get(p) == Some(&'%') {
            star = Some(p);
            mark = t;
            p += 1;
        } else if pattern.get(p).is_some_and(|c| *c == '_' || *c == text[t]) {
            p += 1;
            t += 1;
        } else if let Some(at) = star {
            p = at + 1;
            mark += 1;
            t = mark;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '%')
}

/// A text of digits, without leading zeros and plus signs.
fn numeral(text: &str) -> String {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return text.to_owned();
    }
    let short = digits.trim_start_matches('0');
    if short.is_empty() { "0".to_owned() } else { short.to_owned() }
}

fn unlock(locks: &mut std::collections::HashMap<String, String>, holder: &str) {
    locks.retain(|_, held| held != holder);
    locks.remove(&format!("wants {holder}"));
}
