//! What was seen of a target's connections.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

/// What was seen of the target's connections.
#[derive(Default)]
pub(super) struct Crowd {
    /// Requests that were answered.
    pub answered: AtomicU64,
    /// How often the target was found to take no more.
    pub found: AtomicU64,
    /// Held by the task that finds out.
    pub asking: tokio::sync::Mutex<()>,
    /// Microseconds that the target gets before each request to notice that the last connection was closed.
    pub room: AtomicU64,
    /// Connections that were too many, at least.
    pub too_many: Mutex<Option<usize>>,
}
