//! README.md and the manual in `docs/` are true: links resolve, commands parse, files load, the picture is a real run's.
//!
//! `BATCHPROOF_BLESS=1 cargo test --test readme` writes again what is made by a command.

mod action;
mod blocks;
mod commands;
mod generated;
// The processors that a release is made for; elsewhere the script builds.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod install;
mod kubernetes;
mod links;
mod picture;
mod sample_report;
mod text;

#[path = "../harness/mod.rs"]
mod harness;
