#![no_main]
#[path = "../entry.rs"]
#[allow(dead_code, reason = "each target takes its reader")]
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| entry::case(bytes));
