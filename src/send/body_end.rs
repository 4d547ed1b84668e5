//! Where an answer ends though its framing doesn't say so: behind a whole document and a while of silence.
//!
//! A target that sends its head at once and works on is slow, not wrong. It must not know what was sent.

use std::time::Duration;

/// How long a connection may stay open behind a whole document that only its closing can end.
pub(super) const SILENCE: Duration = Duration::from_secs(1);

/// Whether nothing is missing of `body`.
pub(super) fn is_whole(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// Whether a `Connection` header promises that the connection is closed behind the answer (RFC 9112, section 9.6).
pub(super) fn promises_close(connection: &[u8]) -> bool {
    connection
        .split(|b| *b == b',')
        .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}
