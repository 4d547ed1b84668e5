//! What people read, word for word: a change of wording shows as a change of these snapshots and nowhere else.
//!
//! `INSTA_UPDATE=always cargo test --test output` takes the words of today for the right ones.

#[path = "../harness/mod.rs"]
mod harness;

mod cases;
mod commands;
mod contracts;
mod files;
mod records;
mod runs;
mod said;
