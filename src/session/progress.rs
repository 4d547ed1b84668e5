//! What a front can show while a run goes on.

use crate::record::FindingRecord;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Progress<'a> {
    /// The run begins.
    Planned {
        /// Executions to come, those of one round where they go on for a time.
        executions: u64,
        /// Whether they go on for a time.
        endless: bool,
    },
    /// An execution ended.
    Executed {
        /// Its case.
        case: &'a str,
        /// Requests it sent.
        requests: u64,
    },
    /// A finding of a new kind.
    Found(&'a FindingRecord),
    /// Something to tell.
    Note(&'a str),
    /// Findings are tried again.
    Confirming {
        /// How many.
        findings: usize,
    },
    /// The smallest scenarios are looked for.
    Shrinking,
}

/// Watches a run.
pub trait Observer: Send + Sync {
    /// Called for everything that happens, from any thread.
    fn see(&self, progress: Progress<'_>);
}

/// Watches nothing.
pub struct NoObserver;

impl Observer for NoObserver {
    fn see(&self, _: Progress<'_>) {}
}
