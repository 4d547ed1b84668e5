//! What a run may spend: the budget of each depth, and the reserve for confirming and shrinking.

use crate::case::Depth;

/// The share of the budget that confirming and shrinking may add: a third.
pub const RESERVE: u64 = 3;

/// Requests and items that a depth may spend.
#[must_use]
pub fn budget(depth: Depth) -> Option<(u64, u64)> {
    match depth {
        Depth::Quick => Some((200, 1_000)),
        Depth::Standard => Some((3_000, 20_000)),
        Depth::Deep => None,
    }
}
