//! An independent implementation of the batch import of account balances.
//!
//! Written by hand from the specification and from the table "How silence is read", with the
//! choices of a careful stock Spring Boot, Jackson and SQL service. It imports nothing of the
//! harness, down to its own HTTP and JSON, so that a mistake shared by the harness's contract,
//! generator and reference server has nowhere to hide: what the harness accuses here, it accuses
//! wrongly. [`ALL`] names the other choices that the table allows; each must pass as well.
//! [`UNRELIABLE`] names what a gateway before it may do, which proves nothing of it.
//!
//! ```text
//! server ── connection, http      the wire
//!    ├───── gate                  what is refused before a body is read
//!    └───── import ── bind, json  the endpoint
//!              ├───── validate ── moment, decimal
//!              └───── store
//! answer, tree                     what is said back
//! choices
//! ```

#![allow(dead_code, unused_imports, reason = "each test target uses its own part")]

mod answer;
mod bind;
#[cfg(test)]
mod choice_tests;
mod choices;
#[cfg(test)]
mod client;
mod connection;
mod decimal;
mod gate;
mod http;
mod import;
mod json;
mod moment;
mod server;
mod store;
#[cfg(test)]
mod tests;
mod tree;
mod validate;
#[cfg(test)]
mod wire_tests;

pub use choices::{ALL, Choices, PROFILED, SHOULD, UNRELIABLE};
pub use server::{Config, ENDPOINT, Running, start, start_in_background};
