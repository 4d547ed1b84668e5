//! What everything that is sent to one target shares: the environment, options, progress, and cancellation.
//!
//! It sends nothing itself, and must not know of cases' executions, findings or reports.

mod alone;
mod budget;
mod cancellation;
mod crowd;
mod crowded;
mod environment;
mod key_log;
mod locked;
mod options;
mod progress;
mod quiet;
mod same_keys;
mod traces;

pub use crate::record::KEYS_FILE;
pub use budget::{Amount, Budget, depth_budget, reserve};
pub use cancellation::{CancelReason, Cancellation};
pub use environment::Environment;
pub use key_log::{KeyLog, read_keys};
pub use locked::locked;
pub use options::RunOptions;
pub use progress::{NoObserver, Observer, Progress};
pub use same_keys::SameKeys;
