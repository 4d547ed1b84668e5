//! `batchproof serve`.

use std::sync::Arc;

use super::args::ServeArgs;
use super::{CommandError, say};
use crate::contract::{Contract, FileError, file_error::nearest};
use crate::server::{self, Fault, ServerConfig, TlsCertificate, faults};

pub fn serve(args: &ServeArgs) -> Result<u8, CommandError> {
    let contract = match &args.contract {
        Some(dir) => Contract::load(dir)?,
        None => Contract::shipped()?,
    };
    let token = match &args.token_file {
        Some(path) => Some(
            std::fs::read_to_string(path)
                .map_err(|e| {
                    FileError::new(path.display().to_string(), e.to_string())
                        .expected("a readable file that holds the token")
                })?
                .trim()
                .to_owned(),
        ),
        None => std::env::var("BATCHPROOF_TOKEN").ok().map(|t| t.trim().to_owned()),
    }
    .filter(|t| !t.is_empty());
    let chosen = args.fault.iter().map(|name| fault_named(name)).collect::<Result<Vec<_>, _>>()?;
    let certificate = match (&args.tls_cert, &args.tls_key) {
        (Some(chain), Some(key)) => {
            let read = TlsCertificate::read(chain, key);
            Some(read.map_err(|e| {
                format!("--tls-cert: {e}\n  expected: a certificate and its private key, both PEM")
            })?)
        }
        _ => None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let demands = token.is_some();
        let config = ServerConfig {
            contract: Arc::new(contract),
            refusal_mode: args.refusal_mode,
            token,
            faults: chosen,
            port: args.port,
        };
        let running = server::start_behind(config, certificate).await.map_err(|e| {
            format!(
                "port {} of the loopback interface: {e}\n  expected: a free port (0 takes one)",
                args.port
            )
        })?;
        say(&format!("listening on {}", running.url()));
        say(&format!(
            "refusal mode: {}; credentials: {}; faults: {}",
            args.refusal_mode,
            if demands {
                "bearer token"
            } else {
                "none required (set BATCHPROOF_TOKEN or --token-file)"
            },
            if args.fault.is_empty() { "none".to_owned() } else { args.fault.join(", ") }
        ));
        let _ = tokio::signal::ctrl_c().await;
        Ok(0)
    })
}

/// A fault by its name.
fn fault_named(name: &str) -> Result<&'static Fault, CommandError> {
    faults::find(name).ok_or_else(|| {
        let hint = nearest(name, faults::all().iter().map(|f| f.name))
            .map_or("batchproof list --faults".to_owned(), |n| format!("did you mean `{n}`?"));
        format!("unknown fault `{name}`\n  expected: a name of `batchproof list --faults`\n  hint: {hint}").into()
    })
}
