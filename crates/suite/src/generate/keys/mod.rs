//! Unique keys: the only home of their format, `RUN-ID-nonce-counter`.
//!
//! Makes keys that were never used before, and finds them again in what was sent. It must not know in which
//! field of a body a key stands, nor what becomes of it.

mod form;
mod found;
mod generator;

pub(super) use form::{KeyForm, why_no_keys};
pub use found::{FoundKey, KeyParts, KeyPrefixes};
pub use generator::{CountSource, KeyBlock, KeyGenerator, NONCE, default_run_id};
