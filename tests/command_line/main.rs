//! The command line as its users meet it: exit codes, messages, what is written, what is not.

#[path = "../common/mod.rs"]
mod common;

mod files;
mod lists;
mod runs;
mod scale;
mod secrets;
mod targets;
