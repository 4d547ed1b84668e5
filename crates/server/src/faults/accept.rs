//! Faults of too much zeal: valid input is refused.

use serde_json::Value;

use chrono::{DateTime, TimeDelta, Utc};

use super::{refuse, refuse_instant, refuse_number, refuse_text, whole};
use crate::fault::{Call, EarlyEnd, Fault, FaultFamily, HookResult};
use crate::received::Rejection;
use batchproof_contract::RefusalMode;

const ACCEPT: FaultFamily = FaultFamily("ACCEPT");

pub(super) static FAULTS: &[Fault] = &[
    ACCEPT
        .fault(
            "full-buffer-loses-its-last-byte",
            "a body that fills a buffer of 4,096 bytes loses its last byte",
        )
        .must(&["ACCEPT-001"])
        .body(|_, body| {
            if !body.is_empty() && body.len().is_multiple_of(4096) {
                body.pop();
            }
            Ok(())
        }),
    ACCEPT
        .fault(
            "body-of-8192-bytes-refused",
            "a body of exactly 8,192 bytes is taken for one that is too large",
        )
        .must(&["ACCEPT-001"])
        .may(&["STATUS-001", "STATUS-002", "CODE-006"])
        .body(|_, body| {
            if body.len() == 8192 {
                body.truncate(4096);
            }
            Ok(())
        }),
    ACCEPT
        .fault("body-of-16-kib-cut", "a body of exactly 16,384 bytes loses its last byte")
        .must(&["ACCEPT-001"])
        .may(&["ACCEPT-005"])
        .only(&[RefusalMode::Request])
        .body(|_, body| {
            if body.len() == 16_384 {
                body.pop();
            }
            Ok(())
        }),
    ACCEPT
        .fault("negative-refused", "negative numbers are refused")
        .must(&["ACCEPT-001"])
        .item(|call, item| refuse_number(call, item, |n| n.as_f64().is_some_and(|f| f < 0.0))),
    ACCEPT
        .fault("zero-refused", "zero is refused, as if it were missing")
        .must(&["ACCEPT-001"])
        .item(|call, item| refuse_number(call, item, |n| n.as_f64() == Some(0.0))),
    ACCEPT
        .fault("fraction-refused", "numbers with a fraction are refused")
        .must(&["ACCEPT-001"])
        .item(|call, item| {
            refuse_number(call, item, |n| n.as_f64().is_some_and(|f| f.fract() != 0.0));
        }),
    ACCEPT
        .fault("third-decimal-refused", "numbers with more than two decimals are refused")
        .must(&["ACCEPT-001"])
        .item(|call, item| {
            refuse_number(call, item, |n| {
                n.as_f64().is_some_and(|f| {
                    ((f * 100.0).round() / 100.0 - f).abs() > f64::EPSILON * f.abs()
                })
            });
        }),
    ACCEPT
        .fault("number-over-31-bits-refused", "numbers that do not fit 31 bits are refused")
        .must(&["ACCEPT-001"])
        .item(|call, item| {
            refuse_number(call, item, |n| n.as_f64().is_some_and(|f| f.abs() > 2_147_483_647.0));
        }),
    ACCEPT
        .fault("exponent-refused", "numbers in exponent notation are refused as not JSON")
        .must(&["ACCEPT-001"])
        .body(|call, body| {
            let text = String::from_utf8_lossy(body);
            let mut outside = true;
            let mut previous = ' ';
            let found = text.chars().any(|c| {
                outside ^= c == '"' && previous != '\\';
                let exponent = outside && matches!(c, 'e' | 'E') && previous.is_ascii_digit();
                previous = c;
                exponent
            });
            if found {
                Err(whole(call, &Rejection::invalid(call.contract(), "number")))
            } else {
                Ok(())
            }
        }),
    ACCEPT
        .fault(
            "additional-property-refused",
            "an item with a property that the schema does not name is refused",
        )
        .must(&["ACCEPT-002"])
        .item(|call, item| {
            if let Some(pointer) = item.validity.additional.clone() {
                refuse(call, item, pointer.trim_start_matches('/'));
            }
        }),
    ACCEPT
        .fault("optional-taken-for-mandatory", "an optional field must be there")
        .must(&["ACCEPT-001"])
        .item(|call, item| {
            let optional = call.contract().fields().iter().find(|f| !f.required);
            if let Some(field) = optional.filter(|f| item.value.get(&f.name).is_none()) {
                refuse(call, item, &field.name);
            }
        }),
    ACCEPT
        .fault("optional-number-mandatory", "the optional number must be there")
        .must(&["ACCEPT-001"])
        .item(|call, item| {
            let fields = call.contract().fields().iter();
            let mut optional = fields.filter(|f| !f.required && f.kind() == Some("number"));
            if let Some(field) = optional.find(|f| item.value.get(&f.name).is_none()) {
                refuse(call, item, &field.name);
            }
        }),
    ACCEPT
        .fault("offset-refused", "date-times with an offset other than Z are refused")
        .must(&["ACCEPT-001"])
        .item(|call, item| refuse_instant(call, item, |t| !t.ends_with('Z'))),
    ACCEPT
        .fault("negative-offset-refused", "date-times west of Greenwich are refused")
        .must(&["ACCEPT-001"])
        .item(|call, item| {
            refuse_instant(call, item, |t| t.len() > 19 && t[19..].contains('-'));
        }),
    ACCEPT
        .fault(
            "microseconds-refused",
            "date-times with more than three fractional digits are refused",
        )
        .must(&["ACCEPT-001"])
        .item(|call, item| {
            refuse_instant(call, item, |t| {
                let digits = t.split_once('.').map_or("", |(_, rest)| rest);
                digits.bytes().take_while(u8::is_ascii_digit).count() > 3
            });
        }),
    ACCEPT
        .fault("whole-seconds-refused", "date-times without a fraction are refused")
        .must(&["ACCEPT-001"])
        .item(|call, item| refuse_instant(call, item, |t| !t.contains('.'))),
    ACCEPT
        .fault("leap-day-refused", "the 29th of February is refused in every year")
        .must(&["ACCEPT-001"])
        .deep()
        .item(|call, item| refuse_instant(call, item, |t| t.get(4..10) == Some("-02-29"))),
    ACCEPT
        .fault("before-2000-refused", "date-times before 2000 are refused")
        .must(&["ACCEPT-001"])
        .item(|call, item| refuse_instant(call, item, |t| t.starts_with("19"))),
    ACCEPT
        .fault("last-minute-refused", "date-times of the last minute are taken for the future")
        .must(&["ACCEPT-001"])
        .item(|call, item| {
            refuse_instant(call, item, |t| {
                DateTime::parse_from_rfc3339(t)
                    .is_ok_and(|time| Utc::now() - time.to_utc() < TimeDelta::seconds(60))
            });
        }),
    ACCEPT
        .fault("length-in-bytes", "the length of a bounded text is counted in bytes")
        .must(&["ACCEPT-001"])
        .may(&["ACCEPT-003"])
        .item(|call, item| bounded(call, item, |text, max| text.len() > max)),
    ACCEPT
        .fault("length-in-utf-16", "the length of a bounded text is counted in UTF-16 units")
        .must(&["ACCEPT-003"])
        .item(|call, item| bounded(call, item, |text, max| text.encode_utf16().count() > max)),
    ACCEPT
        .fault("length-bound-excluded", "a text of exactly the greatest length is refused")
        .must(&["ACCEPT-001"])
        .item(|call, item| bounded(call, item, |text, max| text.chars().count() >= max)),
    ACCEPT
        .fault("text-over-100-refused", "every text of more than 100 characters is refused")
        .must(&["ACCEPT-001"])
        .may(&["UNIQUE-005"])
        .item(|call, item| refuse_text(call, item, |t| t.chars().count() > 100)),
    ACCEPT
        .fault("text-of-255-refused", "a text of 255 characters is refused, one of 254 is not")
        .must(&["ACCEPT-001"])
        .may(&["UNIQUE-005"])
        .item(|call, item| refuse_text(call, item, |t| t.chars().count() == 255)),
    ACCEPT
        .fault("non-ascii-refused", "letters outside ASCII are refused")
        .must(&["ACCEPT-001"])
        .may(&["ACCEPT-003", "UNIQUE-005"])
        .item(|call, item| refuse_text(call, item, |t| !t.is_ascii())),
    ACCEPT
        .fault("outside-bmp-refused", "characters outside the basic plane are refused")
        .must(&["ACCEPT-003"])
        .item(|call, item| refuse_text(call, item, |t| t.chars().any(|c| u32::from(c) > 0xffff))),
    ACCEPT
        .fault("controls-refused", "control characters are refused")
        .must(&["ACCEPT-003"])
        .may(&["UNIQUE-005"])
        .item(|call, item| {
            refuse_text(call, item, |t| t.chars().any(|c| c.is_control() && c != '\0'));
        }),
    ACCEPT
        .fault("markup-refused", "a filter refuses requests with angle brackets")
        .must(&["ACCEPT-003"])
        .item(|call, item| refuse_text(call, item, |t| t.contains('<'))),
    ACCEPT
        .fault("quotes-refused", "a filter against injection refuses quotes")
        .must(&["ACCEPT-003"])
        .item(|call, item| refuse_text(call, item, |t| t.contains(['\'', '"']))),
    ACCEPT
        .fault("empty-batch-refused", "an empty batch is answered 400")
        .must(&["ACCEPT-004"])
        .judged(|call, batch| too_many(call, batch.items.is_empty(), 400)),
    ACCEPT
        .fault("over-100-items-refused", "a batch of more than 100 items is answered 400")
        .must(&["ACCEPT-005"])
        .may(&["ACCEPT-001", "ROBUST-002"])
        .judged(|call, batch| too_many(call, batch.items.len() > 100, 400)),
    ACCEPT
        .fault("over-500-items-too-large", "a batch of more than 500 items is answered 413")
        .items(501)
        .must(&["ACCEPT-005"])
        .may(&["ACCEPT-001", "STATUS-001", "ROBUST-002"])
        .judged(|call, batch| too_many(call, batch.items.len() > 500, 413)),
    ACCEPT
        .fault("batch-of-1000-refused", "a batch of a thousand items is refused, one of 999 is not")
        .items(1_000)
        .must(&["ACCEPT-005"])
        .may(&["ACCEPT-001"])
        .judged(|call, batch| too_many(call, batch.items.len() >= 1000, 400)),
    ACCEPT
        .fault("over-64-kilobytes-too-large", "a body of more than 64 kilobytes is answered 413")
        .must(&["ACCEPT-005"])
        .body(|call, body| too_many(call, body.len() > 64 * 1024, 413)),
    ACCEPT
        .fault("same-identity-refused", "the second item of one account in a batch is refused")
        .must(&["ACCEPT-001"])
        .judged(|call, batch| {
            let mut seen = std::collections::HashSet::new();
            for item in &mut batch.items {
                let account = item.value.get(call.other(0)).map(Value::to_string);
                if item.fail.is_none() && !seen.insert(account) {
                    item.fail = Some(Rejection::invalid(call.contract(), call.other(0)));
                }
            }
            Ok(())
        }),
];

/// Refuses an item whose bounded text is too long by another count.
fn bounded(
    call: &Call<'_>,
    item: &mut crate::received::ReceivedItem,
    wrong: impl Fn(&str, usize) -> bool,
) {
    let found = call.contract().fields().iter().find(|f| {
        let max = f.schema.get("maxLength").and_then(Value::as_u64);
        let max = max.and_then(|n| usize::try_from(n).ok());
        item.text(&f.name).zip(max).is_some_and(|(text, max)| wrong(text, max))
    });
    if let Some(field) = found {
        refuse(call, item, &field.name);
    }
}

/// Refuses a whole request with this status.
fn too_many(call: &Call<'_>, wrong: bool, status: u16) -> HookResult {
    match (wrong, status) {
        (false, _) => Ok(()),
        (true, 400) => Err(whole(call, &Rejection::invalid(call.contract(), &call.batch().items))),
        (true, _) => Err(EarlyEnd::status(call, status)),
    }
}
