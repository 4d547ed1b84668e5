//! What the head of an answer says of its body's end (RFC 9112, section 6), and sizes of chunks.
//!
//! It must not know how an answer comes in.

use super::body_end::promises_close;

/// What the header fields say of the body's end.
#[derive(Default)]
pub(super) struct BodyFraming {
    pub length: Option<u64>,
    pub coded: bool,
    pub chunked: bool,
    pub promises_close: bool,
}

/// Digits, and nothing else: no sign, no blank.
pub(super) fn chunk_size(digits: &str) -> Option<u64> {
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u64::from_str_radix(digits, 16).ok())?
}

/// What the fields say of the body's end, and what is wrong with that.
pub(super) fn framing(fields: &[httparse::Header<'_>]) -> (BodyFraming, Option<String>) {
    let mut framing = BodyFraming::default();
    let mut fault = None;
    for field in fields {
        if field.name.eq_ignore_ascii_case("content-length") {
            let value = String::from_utf8_lossy(field.value);
            let value = value.trim();
            let plain = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
            let declared = plain.then(|| value.parse::<u64>().ok()).flatten();
            match (declared, framing.length) {
                (None, _) => fault = Some(format!("Content-Length is `{}`", shortened(value))),
                (Some(one), Some(other)) if one != other => {
                    fault = Some("two different Content-Length headers".to_owned());
                }
                (Some(one), _) => framing.length = Some(one),
            }
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            // RFC 9112 section 6.3: chunks end the body only where chunked is the last coding.
            framing.coded = true;
            let last = field.value.rsplit(|b| *b == b',').next().unwrap_or_default();
            framing.chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
        } else if field.name.eq_ignore_ascii_case("connection") {
            framing.promises_close |= promises_close(field.value);
        }
    }
    (framing, fault)
}

pub(super) fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
