//! Contract testing and conformance certification for batch-import HTTP endpoints.

pub mod case;
pub mod check;
pub mod contract;
pub mod exchange;
pub mod generate;
pub mod record;
pub mod send;
