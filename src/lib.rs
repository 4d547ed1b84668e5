//! Contract testing and conformance certification for batch-import HTTP endpoints.
//!
//! Data moves one way: [`contract`] → [`case`] → [`generate`] → [`exchange`], [`send`] → [`check`] →
//! [`waiver`] → [`record`] → [`compare`] → [`report`] → [`certificate`]. The [`engine`] stands over them; [`server`] is the reference implementation with
//! injectable faults and knows the contract alone; [`prove`] holds one against the other; [`cli`] wires.

pub mod case;
pub mod certificate;
pub mod check;
pub mod cli;
pub mod compare;
pub mod contract;
pub mod embedded;
pub mod engine;
pub mod exchange;
pub mod generate;
pub mod prove;
pub mod record;
pub mod report;
pub mod send;
pub mod server;
pub mod waiver;
