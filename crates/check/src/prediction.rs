//! What is expected of an item, given all that came before it. Data only.

use crate::contract::Level;

/// What is expected of an item, given all that came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prediction {
    /// Accepted, as its number is unused.
    Accept {
        /// What a contradiction weighs.
        level: Level,
        /// Why the number is unused.
        because: UnusedReason,
    },
    /// Rejected as used: accepted before in that exchange.
    Used {
        /// The exchange that used it.
        by: usize,
    },
    /// Refused, in either refusal mode.
    Refuse(Level),
    /// One of several in the same batch with this number; their positions.
    BatchDuplicate(Vec<usize>),
    /// One of several that a barrier released with this number: exchange and position of each.
    ConcurrentDuplicate(Vec<(usize, usize)>),
    /// In a request that the client broke off in that exchange: all or nothing.
    BrokenOff(usize),
    /// Nothing is expected.
    Open,
}

/// Why a number is unused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnusedReason {
    /// It was never sent.
    Fresh,
    /// It is written in a file: this run did not use it, but an earlier one may have.
    Literal,
    /// It was never sent, but one that looks like it was used.
    Near(String),
    /// Its tenant never sent it, but another one used it.
    OtherTenant,
    /// Its request was refused with a 400.
    Refused,
    /// Its item was rejected.
    Rejected,
    /// Its request was refused for its credentials.
    Credentials,
    /// Its request was refused with this status for its method, path, headers or size.
    NotProcessed(u16),
    /// More than one of these: which of them stored it is unknown.
    Several,
}
