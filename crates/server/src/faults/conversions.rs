//! Faults of what a column, an index or a format makes of a value.

use std::collections::HashSet;

use super::rewrite;
use crate::fault::{EarlyEnd, Fault, FaultFamily};

const ECHO: FaultFamily = FaultFamily("ECHO");
const REFUSE: FaultFamily = FaultFamily("REFUSE");
const ROBUST: FaultFamily = FaultFamily("ROBUST");
const UNIQUE: FaultFamily = FaultFamily("UNIQUE");

pub(super) static FAULTS: &[Fault] = &[
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
    ECHO.fault("identity-read-as-a-scalar", "an echoed text that looks like a boolean or a null is spelt anew")
        .must(&["ECHO-002"])
        .may(&["ECHO-003"])
        .results(|call, results| {
            rewrite(results, call.other(0), |text| match text.to_ascii_lowercase().as_str() {
                scalar @ ("true" | "false" | "null") => scalar.to_owned(),
                _ => numeral(text),
            });
        }),
    ECHO.fault("number-read-as-a-numeral", "an echoed number of digits alone loses zeros and signs before it")
        .must(&["ECHO-001"])
        .may(&["ECHO-002"])
        .results(|call, results| rewrite(results, call.unique(), numeral)),
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
    REFUSE
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
];

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
