//! What HTTP allows in a header (RFC 9110, section 5).

/// Headers that frame a message: no profile sets them.
const FRAMING: [&str; 5] = ["connection", "content-length", "host", "te", "transfer-encoding"];

/// Whether a header may have that name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether a header may have that value.
#[must_use]
pub fn is_value(value: &str) -> bool {
    value.bytes().all(|b| b == b'\t' || (b >= b' ' && b != 0x7F))
}

/// Whether a header frames the message or says where it goes, which is the client's own matter.
#[must_use]
pub fn is_framing(name: &str) -> bool {
    FRAMING.iter().any(|framing| name.eq_ignore_ascii_case(framing))
}
