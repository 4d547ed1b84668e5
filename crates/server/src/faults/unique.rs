//! Faults of the unique number's life.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use super::whole;
use crate::batch::key_of;
use crate::fault::{Call, EarlyEnd, Fault, FaultFamily};
use crate::received::{ReceivedItem, Rejection};
use crate::reply::ReplyReason;

const UNIQUE: FaultFamily = FaultFamily("UNIQUE");

pub(super) static FAULTS: &[Fault] = &[
    UNIQUE
        .fault(
            "untraced-requests-taken-again",
            "numbers of requests without traceparent are not looked up, so that they are taken again",
        )
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004"])
        .claim(|call, _, key| {
            let free = call.site.store.claim(key);
            Ok(free || call.head.get("traceparent").is_none())
        }),
    UNIQUE
        .fault("uniqueness-unchecked", "numbers are not checked at all")
        .must(&["UNIQUE-001"])
        .may(&["RACE-001", "UNIQUE-006"])
        .claim(|_, _, _| Ok(true)),
    UNIQUE
        .fault("unique-within-batch-only", "a number is checked against its own batch only")
        .must(&["UNIQUE-001"])
        .may(&["RACE-001"])
        .claim(|call, _, key| Ok(call.kept().set.insert(format!("{} {key}", call.serial)))),
    UNIQUE
        .fault("unique-across-batches-only", "a number is checked against earlier batches only")
        .must(&["UNIQUE-001"])
        .may(&["UNIQUE-006", "UNIQUE-004"])
        .claim(against_earlier_batches),
    UNIQUE
        .fault("unique-per-identity", "a number is unique for each value of another identity field")
        .must(&["UNIQUE-001"])
        .may(&["RACE-001", "UNIQUE-006"])
        .key(|call, item, key| {
            format!("{key}\u{1}{}", item.text(call.other(0)).unwrap_or_default())
        }),
    UNIQUE
        .fault(
            "unique-per-optional-identity",
            "a number is unique for each value of the optional identity field",
        )
        .must(&["UNIQUE-001"])
        .may(&["RACE-001", "UNIQUE-006"])
        .key(|call, item, key| {
            let field = call.optional_echo().next().map_or("", |f| f.name.as_str());
            format!("{key}\u{1}{}", item.text(field).unwrap_or_default())
        }),
    UNIQUE
        .fault("unique-per-connection", "a number is unique for each connection")
        .must(&["UNIQUE-001"])
        .may(&["RACE-001"])
        .key(|call, _, key| format!("{key}\u{1}{}", call.connection)),
    UNIQUE
        .fault("unique-per-content", "a number is unique for each content of its item")
        .must(&["UNIQUE-001"])
        .may(&["RACE-001", "UNIQUE-006"])
        .key(|_, item, _| item.value.to_string()),
    UNIQUE
        .fault(
            "superseded-numbers-freed",
            "only the latest of an account is kept: the number of the one before it is free again",
        )
        .must(&["UNIQUE-001"])
        .may(&["RACE-001", "UNIQUE-006", "UNIQUE-004"])
        .claim(|call, item, key| {
            let free = call.site.store.claim(key);
            if free {
                let account = item.text(call.other(0)).unwrap_or_default().to_owned();
                let superseded = call.kept().texts.insert(account, key.to_owned());
                if let Some(earlier) = superseded {
                    call.site.store.release(&earlier);
                }
            }
            Ok(free)
        }),
    UNIQUE
        .fault("forgets-after-500", "only the last 500 numbers are remembered")
        .must(&["UNIQUE-001"])
        .deep()
        .claim(|call, _, key| Ok(remember(call, key, |kept, _| kept > 500))),
    UNIQUE
        .fault("forgets-after-20", "only the last 20 numbers are remembered")
        .must(&["UNIQUE-001"])
        .may(&["RACE-001", "UNIQUE-006"])
        .claim(|call, _, key| Ok(remember(call, key, |kept, _| kept > 20))),
    UNIQUE
        .fault("forgets-after-a-second", "a number is remembered for a second")
        .must(&["UNIQUE-001"])
        .waits()
        .claim(|call, _, key| Ok(remember(call, key, |_, age| age > Duration::from_secs(1)))),
    UNIQUE
        .fault("forgets-after-five-seconds", "a number is remembered for five seconds")
        .must(&["UNIQUE-001"])
        .deep()
        .waits()
        .claim(|call, _, key| Ok(remember(call, key, |_, age| age > Duration::from_secs(5)))),
    UNIQUE
        .fault("forgets-after-thirty-seconds", "a number is remembered for thirty seconds")
        .must(&["UNIQUE-001"])
        .deep()
        .waits()
        .claim(|call, _, key| Ok(remember(call, key, |_, age| age > Duration::from_secs(30)))),
    UNIQUE
        .fault(
            "duplicate-frees-number",
            "rejecting a used number frees it, so that its third use is accepted",
        )
        .must(&["UNIQUE-001"])
        .may(&["RACE-001", "UNIQUE-006"])
        .claim(|call, _, key| {
            let free = call.site.store.claim(key);
            if !free {
                call.site.store.release(key);
            }
            Ok(free)
        }),
    UNIQUE
        .fault(
            "identical-item-accepted-again",
            "a used number with identical content is accepted again",
        )
        .must(&["UNIQUE-001"])
        .may(&["RACE-001", "UNIQUE-006", "UNIQUE-004"])
        .claim(|call, item, key| {
            let content = item.value.to_string();
            let mut kept = call.kept();
            if kept.texts.get(key) == Some(&content) {
                return Ok(true);
            }
            let free = call.site.store.claim(key);
            if free {
                kept.texts.insert(key.to_owned(), content);
            }
            Ok(free)
        }),
    UNIQUE
        .fault("identical-request-replayed", "an identical body gets the first one's answer again")
        .must(&["UNIQUE-001"])
        .may(&["RACE-001", "TIME-003", "ROBUST-001", "ROBUST-004"])
        .body(|call, body| {
            let digest = digest(body);
            let known = call.kept().answers.get(&digest).cloned();
            if let Some(answer) = known {
                return Err(EarlyEnd::Answer(Box::new(answer)));
            }
            call.kept().texts.insert(call.serial.to_string(), digest.to_string());
            Ok(())
        })
        .answer(|call, answer| {
            let mut kept = call.kept();
            let digest = kept.texts.remove(&call.serial.to_string()).and_then(|d| d.parse().ok());
            if let (Some(digest), ReplyReason::Processed, 200) = (digest, answer.why, answer.status)
            {
                kept.answers.insert(digest, answer.clone());
            }
        }),
    UNIQUE
        .fault("last-item-unchecked", "the last item's number is not checked")
        .must(&["UNIQUE-001"])
        .may(&["RACE-001", "UNIQUE-006", "UNIQUE-004"])
        .judged(|call, batch| {
            let last = batch.items.len().saturating_sub(1).to_string();
            call.kept().texts.insert(call.serial.to_string(), last);
            Ok(())
        })
        .claim(|call, item, key| {
            let last =
                call.kept().texts.get(&call.serial.to_string()) == Some(&item.index.to_string());
            Ok(call.site.store.claim(key) || last)
        }),
    UNIQUE
        .fault("unique-per-amount", "a number is unique for each amount")
        .must(&["UNIQUE-001"])
        .may(&["RACE-001", "UNIQUE-006"])
        .key(|call, item, key| {
            let numbers = call.contract().fields().iter().filter(|f| f.kind() == Some("number"));
            let amounts: Vec<String> =
                numbers.filter_map(|f| item.value.get(&f.name)).map(ToString::to_string).collect();
            format!("{key}\u{1}{}", amounts.join(" "))
        }),
    UNIQUE
        .fault("third-of-number-accepted", "the third item with one number in a batch is accepted")
        .must(&["UNIQUE-001"])
        .decided(|call, decision| {
            let mut seen: HashMap<String, usize> = HashMap::new();
            for item in &mut decision.items {
                let may_pass = item.fail.as_ref().is_none_or(|fail| fail.used);
                let Some(number) = item.text(call.unique()).filter(|_| may_pass) else { continue };
                let times = seen.entry(number.to_owned()).or_default();
                *times += 1;
                if *times == 3 {
                    item.fail = None;
                }
            }
            Ok(())
        }),
    UNIQUE
        .fault("all-used-refuses-request", "a batch of nothing but used numbers is answered 400")
        .must(&["UNIQUE-002"])
        .may(&["UNIQUE-001", "UNIQUE-007"])
        .decided(|call, decision| {
            let all = decision.items.iter().all(|item| item.fail.as_ref().is_some_and(|f| f.used));
            match decision.items.first().and_then(|item| item.fail.as_ref()) {
                Some(fail) if all => Err(whole(call, fail)),
                _ => Ok(()),
            }
        }),
    UNIQUE
        .fault(
            "over-fifty-used-refuses-request",
            "more than fifty used numbers have the whole request answered 400",
        )
        .must(&["UNIQUE-002"])
        .decided(|call, decision| {
            let used = |item: &&ReceivedItem| item.fail.as_ref().is_some_and(|fail| fail.used);
            let fail =
                decision.items.iter().filter(used).nth(50).and_then(|item| item.fail.clone());
            if let Some(fail) = fail {
                super::give_back(call, &decision.items);
                return Err(whole(call, &fail));
            }
            Ok(())
        }),
    UNIQUE
        .fault("used-number-refuses-request", "one used number has the whole request answered 400")
        .must(&["UNIQUE-002", "UNIQUE-007"])
        .may(&["UNIQUE-001"])
        .decided(|call, decision| {
            let used = decision.items.iter().filter_map(|item| item.fail.as_ref()).find(|f| f.used);
            if let Some(fail) = used {
                super::give_back(call, &decision.items);
                return Err(whole(call, fail));
            }
            Ok(())
        }),
    UNIQUE
        .fault("number-hash-of-18-bits", "numbers are compared by a hash of eighteen bits")
        .must(&["UNIQUE-003"])
        .may(&[
            "ACCEPT-001",
            "ACCEPT-002",
            "ACCEPT-003",
            "UNIQUE-005",
            "UNIQUE-006",
            "ATOM-001",
            "ATOM-002",
            "ATOM-003",
            "RACE-001",
            "HTTP-015",
            "ATOM-004",
            "AUTH-003",
            "CODE-003",
            "UNIQUE-001",
            "UNIQUE-002",
            "UNIQUE-004",
            "ACCEPT-004",
            "ACCEPT-005",
            "HTTP-005",
            "HTTP-006",
            "HTTP-007",
            "HTTP-013",
            "RACE-003",
            "CODE-008",
            "UNIQUE-007",
            "HTTP-016",
        ])
        .key(|_, _, key| (digest(key.as_bytes()) & 0x3_ffff).to_string()),
    UNIQUE
        .fault("used-now-and-then", "every 200th number is called used though it never was")
        .must(&["UNIQUE-003"])
        .may(&[
            "ACCEPT-001",
            "ACCEPT-002",
            "ACCEPT-003",
            "ATOM-001",
            "ATOM-002",
            "ATOM-003",
            "RACE-001",
            "UNIQUE-006",
            "UNIQUE-004",
            "AUTH-003",
            "CODE-003",
            "UNIQUE-001",
            "UNIQUE-002",
            "ACCEPT-004",
            "ACCEPT-005",
            "HTTP-005",
            "HTTP-006",
            "HTTP-007",
            "HTTP-013",
            "HTTP-015",
            "ATOM-004",
            "RACE-003",
            "UNIQUE-005",
            "CODE-008",
            "UNIQUE-007",
            "HTTP-016",
        ])
        .claim(|call, _, key| Ok(!call.every(200) && call.site.store.claim(key))),
    UNIQUE
        .fault("used-when-long", "a number of more than 100 characters is called used")
        .must(&["UNIQUE-003"])
        .may(&["ACCEPT-001", "UNIQUE-005", "ATOM-001", "ATOM-002"])
        .claim(|call, _, key| Ok(key.chars().count() <= 100 && call.site.store.claim(key))),
    UNIQUE
        .fault("first-of-pair-loses", "of a number twice in a batch the last one is accepted")
        .must(&["UNIQUE-004"])
        .may(&["ECHO-002"])
        .decided(|call, decision| {
            for (first, last) in pairs(call, &decision.items) {
                let fail = decision.items[last].fail.take();
                decision.items[first].fail = fail;
            }
            Ok(())
        }),
    UNIQUE
        .fault("both-of-pair-lose", "of a number twice in a batch none is accepted")
        .must(&["UNIQUE-006"])
        .may(&["UNIQUE-003", "UNIQUE-004", "ACCEPT-001"])
        .decided(|call, decision| {
            for (first, last) in pairs(call, &decision.items) {
                let fail = decision.items[last].fail.clone();
                decision.items[first].fail = fail;
                if let Some(key) = key_of(call, &decision.items[first]) {
                    call.site.store.release(&key);
                }
            }
            Ok(())
        }),
];

/// Claims a key that only earlier batches may have used.
#[expect(clippy::unnecessary_wraps, reason = "hooks may fail")]
pub(super) fn against_earlier_batches(
    call: &Call<'_>,
    _: &ReceivedItem,
    key: &str,
) -> Result<bool, EarlyEnd> {
    let mut kept = call.kept();
    let batch = call.serial.to_string();
    if kept.texts.get(key) == Some(&batch) {
        return Ok(true);
    }
    let free = call.site.store.claim(key);
    if free {
        kept.texts.insert(key.to_owned(), batch);
    }
    Ok(free)
}

/// Claims `key` and forgets the oldest ones while `old(count, age)`.
fn remember(call: &Call<'_>, key: &str, old: impl Fn(usize, Duration) -> bool) -> bool {
    let mut kept = call.kept();
    while let Some((first, since)) = kept.keys.front() {
        if !old(kept.keys.len(), since.elapsed()) {
            break;
        }
        call.site.store.release(first);
        kept.keys.pop_front();
    }
    let free = call.site.store.claim(key);
    if free {
        kept.keys.push_back((key.to_owned(), Instant::now()));
    }
    free
}

/// The positions of an accepted item and a later one that was rejected for its number.
fn pairs(call: &Call<'_>, items: &[ReceivedItem]) -> Vec<(usize, usize)> {
    let used = |fail: &Option<Rejection>| fail.as_ref().is_some_and(|f| f.used);
    let mut last = HashMap::new();
    for (at, item) in items.iter().enumerate().filter(|(_, item)| used(&item.fail)) {
        last.insert(item.text(call.unique()), at);
    }
    let accepted = items.iter().enumerate().filter(|(_, item)| item.fail.is_none());
    accepted
        .filter_map(|(at, item)| last.get(&item.text(call.unique())).map(|other| (at, *other)))
        .collect()
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
