//! Items that can be read back, where the contract has a request that shows one.
//!
//! Kept beside the memory of used keys, which is much smaller. It must not know batches, nor faults.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::request_head::RequestHead;
use batchproof_contract::Contract;
use batchproof_contract::shape::ItemRead;

/// Items by their keys.
#[derive(Default)]
pub(crate) struct StoredItems(Mutex<HashMap<String, Value>>);

impl StoredItems {
    /// All of them.
    pub(crate) fn lock(&self) -> MutexGuard<'_, HashMap<String, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An item that is about to be kept: its key, and how it is read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptItem {
    pub(crate) key: String,
    pub(crate) value: Value,
}

/// Whether a request reads an item.
pub(crate) fn is_read(contract: &Contract, head: &RequestHead) -> bool {
    read_of(contract, head).is_some()
}

/// The contract's read, where a request is one.
pub(crate) fn read_of<'a>(contract: &'a Contract, head: &RequestHead) -> Option<&'a ItemRead> {
    let read = contract.read.as_ref()?;
    (head.path != contract.operation.path && read.is_at(&head.method, &head.target)).then_some(read)
}
