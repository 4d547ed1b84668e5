//! The command line as its users meet it: exit codes, messages, what is written, what is not.

#[path = "../harness/mod.rs"]
mod harness;

mod attestation;
mod busy;
mod case_mistakes;
mod certify;
mod clear_findings;
mod compare;
mod configuration;
mod confirm;
mod counts;
mod crowded;
mod doctor;
mod fair;
mod files;
mod formats;
mod hooks;
mod hostile;
mod http_2;
mod import;
mod init;
mod junit;
mod killed;
mod large;
mod lists;
mod merge;
mod new;
mod numbers;
mod operations;
mod raw_requests;
mod replay;
mod runs;
mod save_cases;
mod scale;
mod secrets;
mod shrink;
mod signing;
mod slow_bodies;
mod soak;
mod targets;
mod tenants;
mod tls;
mod tokens;
mod version;
mod waivers;
