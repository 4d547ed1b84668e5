//! What the tests of the binary stand on: the command line, servers to point it at, and the redactor.
#![allow(dead_code, unused_imports, reason = "each test binary takes what it needs")]

mod desk;
pub mod hand;
mod redactor;
mod serving;
pub mod tls;

pub use desk::{Desk, Ended, files};
pub use redactor::{redacting, shown};
pub use serving::{Serving, closed_port};
