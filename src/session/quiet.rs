//! Which requests were refused though nothing else was under way.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use tokio::sync::RwLock;

/// Who may send, and what was refused to a request that was under way alone.
#[derive(Default)]
pub(super) struct Quiet {
    /// Read by those who send, written by the one that sends alone.
    pub sending: RwLock<()>,
    pub refused: Mutex<RefusedAlone>,
    /// How many executions in a row were answered 503 in every try, by case and step.
    pub overloaded: Mutex<HashMap<(String, String), u32>>,
}

/// What was refused to requests that were under way alone.
#[derive(Default)]
pub(super) struct RefusedAlone {
    /// Items of the smallest batch.
    pub from: Option<usize>,
    /// Case and step of others.
    pub steps: HashSet<(String, String)>,
    /// How often such a request was answered after all.
    pub in_vain: u32,
}
