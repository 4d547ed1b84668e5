//! One execution of a case: composed, sent, and gathered for the rules; and what any execution needs: plain batches,
//! retries, probes for dropped answers.
//!
//! It must not know why a case is executed: by a run, a repeat, a replay.

mod applicable;
mod drop_probe;
mod execute;
#[expect(
    clippy::module_inception,
    reason = "the module is about executions, the file about the type"
)]
mod execution;
mod generated;
pub(crate) mod plain_batch;
mod retry;
mod select;
mod sending;
mod streamed;
mod written;

pub use applicable::{case_seed, held_back};
pub use drop_probe::Asked;
pub(crate) use drop_probe::{ask, one_by_one};
pub use execute::execute;
pub use execution::Trial;
pub(crate) use plain_batch::{credentials_are_refused, plain_batch_is_good, plain_exchange};
pub use retry::{Hindrance, hindrance, overloaded};
pub use select::{Selected, select};
pub(crate) use sending::{release, send};
pub(crate) use streamed::is_giant;
