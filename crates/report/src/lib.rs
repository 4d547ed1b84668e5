//! What is known of a run: its record, and everything that is made from records alone.
//!
//! It must not know how anything is sent or judged.

use batchproof_check as check;
use batchproof_check::waiver;
use batchproof_contract as contract;
use batchproof_suite::{case, exchange, generate};

pub mod certificate;
pub mod compare;
pub mod record;
pub mod report;
pub mod triage;
