//! Contract testing and conformance certification for batch-import HTTP endpoints.
//!
//! Data moves one way: [`contract`] → [`case`] → [`generate`] → [`exchange`], [`send`] → [`check`] → [`record`]
//! → [`report`] → [`certificate`].
//!
//! The programs are above them: [`run`] executes cases, confirms what it finds, has it shrunk and exported;
//! [`replay`] sends the failures of a run again. They share a small core: [`session`] (what all requests to one
//! target share), [`execution`] (one execution of a case). [`server`] is the reference implementation with injectable faults and
//! knows the contract alone; [`prove`] runs the suite against each fault; [`cli`] wires.

pub use batchproof_check as check;
pub use batchproof_check::waiver;
pub use batchproof_contract as contract;
pub use batchproof_report::{certificate, compare, record, report, triage};
pub use batchproof_server as server;
pub use batchproof_suite::{case, exchange, generate};

mod attempt;
pub mod cli;
mod collect;
mod compose;
mod doctor;
pub mod embedded;
pub mod execution;
mod export;
mod har;
mod hooks;
mod import;
mod judge;
pub mod lockstep;
mod probe;
mod proposal;
pub mod prove;
mod proxy;
pub mod replay;
pub mod run;
mod scenario;
pub mod send;
pub mod session;
mod shrink;
