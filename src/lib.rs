//! Contract testing and conformance certification for batch-import HTTP endpoints.

pub mod case;
pub mod contract;
