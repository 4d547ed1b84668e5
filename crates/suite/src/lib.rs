//! What is sent: case files, generated batches, and the exchanges that they become.
//!
//! It must not know how anything is sent, judged or reported.

use batchproof_contract as contract;

pub mod case;
pub mod exchange;
pub mod generate;
