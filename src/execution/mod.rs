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
mod reading;
mod retry;
mod select;
mod sending;
mod streamed;
mod written;

pub use applicable::{case_seed, why_not_run};
pub use drop_probe::DropProbe;
pub(crate) use drop_probe::{probe_drops, probe_one_by_one};
pub use execute::execute;
pub use execution::Execution;
pub(crate) use generated::mutations_of;
pub(crate) use plain_batch::{
    CredentialCheck, accepts_plain_batch, check_credentials, credentials_are_refused,
    exchange_plain_item,
};
pub(crate) use reading::settled;
pub use retry::{
    RetryReason, busy_step, has_keys_of_its_own, is_load, is_refused_for_pace, overloaded_group,
    retry_reason, unavailable_at, why_unreached,
};
pub use select::{SelectedCase, select};
pub(crate) use sending::{JOBS, send_request, send_together};
pub(crate) use streamed::is_streamed;
