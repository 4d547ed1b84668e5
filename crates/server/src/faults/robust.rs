//! Faults before odd, broken or huge input.

use std::time::Duration;

use serde_json::Value;

use crate::received::{ReceivedBatch, ReceivedItem};
use batchproof_contract::RefusalMode;
use batchproof_contract::validity::{BodyValidity, ExemptClass};

use crate::fault::{Call, EarlyEnd, Fault, FaultFamily, HookResult, linger};

const ROBUST: FaultFamily = FaultFamily("ROBUST");

pub(super) static FAULTS: &[Fault] = &[
    ROBUST
        .fault("nul-server-error", "U+0000 in a text ends in a 500")
        .must(&["ROBUST-001"])
        .judged(|call, batch| fail(call, texts(batch, |t| t.contains('\0')))),
    ROBUST
        .fault("nul-drops-connection", "U+0000 in a text ends the connection")
        .must(&["ROBUST-001"])
        .judged(
            |_, batch| {
                if texts(batch, |t| t.contains('\0')) { Err(EarlyEnd::Drop) } else { Ok(()) }
            },
        ),
    ROBUST
        .fault("lone-surrogate-server-error", "an unpaired surrogate ends in a 500")
        .must(&["ROBUST-001"])
        .body(|call, body| {
            let broken = serde_json::from_slice::<Value>(body).err().map(|e| e.to_string());
            let found = String::from_utf8_lossy(body).to_lowercase().contains("\\ud");
            fail(
                call,
                found
                    && broken.is_some_and(|e| e.contains("surrogate") || e.contains("hex escape")),
            )
        }),
    ROBUST
        .fault("huge-number-server-error", "a number beyond every range ends in a 500")
        .must(&["ROBUST-001"])
        .body(|call, body| {
            let broken = serde_json::from_slice::<Value>(body).err().map(|e| e.to_string());
            fail(call, broken.is_some_and(|e| e.starts_with("number out of range")))
        }),
    ROBUST
        .fault("large-number-server-error", "a number that overflows its column ends in a 500")
        .must(&["ROBUST-001"])
        .judged(|call, batch| {
            let large = |n: &Value| n.as_f64().is_some_and(|f| f.abs() >= 1e14);
            fail(call, values(batch, |v| v.is_number() && large(v)))
        }),
    ROBUST
        .fault(
            "deep-nesting-server-error",
            "deep nesting overflows the parser's stack and ends in a 500",
        )
        .must(&["ROBUST-001", "ROBUST-004"])
        .body(|call, body| {
            let open = body.iter().filter(|b| matches!(b, b'[' | b'{')).count();
            let deep = body.windows(64).any(|w| w.iter().all(|b| *b == b'['));
            let broken = serde_json::from_slice::<Value>(body).err().map(|e| e.to_string());
            fail(call, open > 64 && (deep || broken.is_some_and(|e| e.starts_with("recursion"))))
        }),
    ROBUST
        .fault(
            "deep-nesting-drops-connection",
            "deep nesting ends the worker and with it the connection",
        )
        .must(&["ROBUST-001", "ROBUST-004"])
        .body(|_, body| {
            let deep = body.windows(64).any(|w| w.iter().all(|b| *b == b'['));
            let broken = serde_json::from_slice::<Value>(body).err().map(|e| e.to_string());
            if deep || broken.is_some_and(|e| e.starts_with("recursion")) {
                return Err(EarlyEnd::Drop);
            }
            Ok(())
        }),
    ROBUST
        .fault("long-text-server-error", "a text longer than its column ends in a 500")
        .must(&["ROBUST-001"])
        .judged(|call, batch| fail(call, texts(batch, |t| t.chars().count() > 255))),
    ROBUST
        .fault("long-text-hangs", "a pattern needs exponential time for a long text")
        .must(&["ROBUST-001"])
        .may(&["STATUS-003", "REFUSE-003", "REFUSE-012", "ROBUST-004"])
        .judged(|_, batch| {
            if texts(batch, |t| t.len() > 1000) {
                linger(Duration::from_secs(3));
                return Err(EarlyEnd::Drop);
            }
            Ok(())
        }),
    ROBUST
        .fault("outside-bmp-server-error", "a character outside the basic plane ends in a 500")
        .must(&["ROBUST-001"])
        .judged(|call, batch| {
            fail(call, texts(batch, |t| t.chars().any(|c| u32::from(c) > 0xffff)))
        }),
    ROBUST
        .fault("null-server-error", "null in an optional field ends in a 500")
        .must(&["ROBUST-001"])
        .may(&["STATUS-002"])
        .judged(|call, batch| fail(call, values(batch, Value::is_null))),
    ROBUST
        .fault("item-no-object-server-error", "an item that is not an object ends in a 500")
        .must(&["ROBUST-001"])
        .judged(|call, batch| fail(call, batch.items.iter().any(|item| !item.value.is_object()))),
    ROBUST
        .fault("empty-batch-server-error", "an empty batch ends in a 500")
        .must(&["ROBUST-001"])
        .judged(|call, batch| fail(call, batch.items.is_empty())),
    ROBUST
        .fault("overlong-utf-8-server-error", "overlong or surrogate UTF-8 ends in a 500")
        .must(&["ROBUST-001"])
        .body(|call, body| fail(call, std::str::from_utf8(body).is_err())),
    ROBUST
        .fault("repeated-key-server-error", "a repeated key ends in a 500")
        .must(&["ROBUST-001"])
        .body(|call, body| {
            let validity = call.contract().body_validity(body);
            let repeated = matches!(validity, BodyValidity::Exempt(exemption)
                if exemption.class == ExemptClass::RepeatedMember);
            fail(call, repeated)
        }),
    ROBUST
        .fault("over-1000-items-server-error", "a batch of more than 1,000 items ends in a 500")
        .must(&["ROBUST-001"])
        .deep()
        .judged(|call, batch| fail(call, batch.items.len() > 1000)),
    ROBUST
        .fault(
            "over-4095-items-server-error",
            "a statement takes 32,767 parameters, eight an item: a batch beyond ends in a 500",
        )
        .must(&["ROBUST-001"])
        .deep()
        .only(&[RefusalMode::Item])
        .judged(|call, batch| fail(call, batch.items.len() > 32_767 / 8)),
    ROBUST
        .fault("big-body-drops-connection", "a body of more than a megabyte ends the connection")
        .must(&["ROBUST-001"])
        .deep()
        .body(|_, body| if body.len() > 1024 * 1024 { Err(EarlyEnd::Drop) } else { Ok(()) }),
    ROBUST
        .fault(
            "quadratic-time",
            "every item is compared with every other: time grows with the square of the size",
        )
        .must(&["ROBUST-002"])
        .may(&["ACCEPT-005", "STATUS-003"])
        .judged(|_, batch| {
            let n = u64::try_from(batch.items.len()).unwrap_or(0);
            linger(Duration::from_micros((n * n * 3).min(3_200_000)));
            Ok(())
        }),
    ROBUST
        .fault("slow-beyond-500", "beyond 500 items each one costs four milliseconds")
        .items(501)
        .must(&["ROBUST-002"])
        .may(&["ACCEPT-005", "STATUS-003"])
        .judged(|_, batch| {
            let over = u64::try_from(batch.items.len().saturating_sub(500)).unwrap_or(0);
            linger(Duration::from_millis((4 * over).min(3_000)));
            Ok(())
        }),
];

fn fail(call: &Call<'_>, wrong: bool) -> HookResult {
    if wrong { Err(EarlyEnd::status(call, 500)) } else { Ok(()) }
}

/// Whether any field's value of any item is such.
fn values(batch: &ReceivedBatch, wrong: impl Fn(&Value) -> bool) -> bool {
    let fields =
        |item: &ReceivedItem| item.value.as_object().is_some_and(|map| map.values().any(&wrong));
    batch.items.iter().any(fields)
}

fn texts(batch: &ReceivedBatch, wrong: impl Fn(&str) -> bool) -> bool {
    values(batch, |value| value.as_str().is_some_and(&wrong))
}
