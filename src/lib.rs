//! Contract testing and conformance certification for batch-import HTTP endpoints.
//!
//! Data moves one way: [`contract`] → [`case`] → [`generate`] → [`exchange`], [`send`] → [`check`] → [`record`]
//! → [`report`] → [`certificate`]. The [`engine`] stands over them; [`server`] is the reference
//! implementation with injectable faults and knows the contract alone; [`prove`] holds one against the
//! other; [`cli`] wires.

pub use batchproof_check as check;
pub use batchproof_check::waiver;
pub use batchproof_contract as contract;
pub use batchproof_report::{certificate, compare, record, report};
pub use batchproof_server as server;
pub use batchproof_suite::{case, exchange, generate};

pub mod cli;
pub mod embedded;
pub mod engine;
pub mod prove;
pub mod send;
