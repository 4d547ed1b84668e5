//! The parsers of answers alone, for fuzzing.

use super::SendOptions;
use super::incoming::Incoming;
use super::lane::headers;

/// Reads an answer from pieces of `size` bytes as connections do, the observer's way and the other: what came of its
/// body. For fuzzing; what can't be read is ignored here.
#[must_use]
pub fn read_answer(bytes: &[u8], size: usize) -> (Vec<u8>, Vec<u8>) {
    let read = |mut incoming: Incoming| {
        for piece in bytes.chunks(size.max(1)) {
            if incoming.take(piece).is_err() {
                return incoming.body;
            }
        }
        let _ = incoming.end();
        let _ = headers(incoming.lines());
        incoming.body
    };
    let most = SendOptions::LARGEST_BODY;
    (read(Incoming::new(most)), read(Incoming::observed(most, "POST", false)))
}
