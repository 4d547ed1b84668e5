//! `batchproof serve`.

use std::path::Path;
use std::sync::Arc;

use super::args::ServeArgs;
use super::{CommandError, say};
use crate::contract::{
    Contract, CredentialScheme, DeclaredSecurity, FileError, Profile, file_error::nearest,
};
use crate::send::token_text;
use crate::server::{self, Fault, ServerConfig, TlsCertificate, faults};

pub fn serve(args: &ServeArgs) -> Result<u8, CommandError> {
    let contract = match &args.contract {
        Some(dir) => Contract::load(dir)?,
        None => Contract::shipped()?,
    };
    let scheme = Profile::default().credential_scheme(&contract);
    // A document that demands no credentials is served without, unless a file is named for them.
    let is_open = contract.operation.security == DeclaredSecurity::None;
    let token = match &args.token_file {
        None if is_open => None,
        file => read_token(file.as_deref(), &scheme)?,
    };
    let other_token = match &args.other_token_file {
        Some(path) => read_token(Some(path), &scheme)?,
        None => None,
    };
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
        let further_keys = contract.operation.further_keys.clone();
        let config = ServerConfig {
            contract: Arc::new(contract),
            refusal_mode: args.refusal_mode,
            // Who demands one token takes the other too.
            other_token: other_token.filter(|_| demands),
            token,
            further_keys: if demands { further_keys } else { Vec::new() },
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
                shown(&scheme)
            } else {
                "none required (set BATCHPROOF_TOKEN or --token-file)".to_owned()
            },
            if args.fault.is_empty() { "none".to_owned() } else { args.fault.join(", ") }
        ));
        let _ = tokio::signal::ctrl_c().await;
        Ok(0)
    })
}

/// The token that is demanded: of the file, or of the environment where that has one.
fn read_token(
    file: Option<&Path>,
    scheme: &CredentialScheme,
) -> Result<Option<String>, CommandError> {
    let (place, bytes) = match file {
        Some(path) => {
            let place = format!("--token-file {}", path.display());
            let bytes = std::fs::read(path).map_err(|e| {
                FileError::new(path.display().to_string(), e.to_string())
                    .expected("a readable file that holds the token")
            })?;
            (place, bytes)
        }
        None => match std::env::var("BATCHPROOF_TOKEN") {
            Ok(text) if !text.trim().is_empty() => {
                ("BATCHPROOF_TOKEN".to_owned(), text.into_bytes())
            }
            _ => return Ok(None),
        },
    };
    let read = token_text(&bytes, scheme);
    Ok(Some(read.map_err(|why| format!("{place}: {why}\n  expected: one line with the token"))?))
}

/// The credentials that are demanded, in words.
fn shown(scheme: &CredentialScheme) -> String {
    match scheme {
        CredentialScheme::ApiKey(name) => format!("API key in the header {name}"),
        CredentialScheme::Basic => "Basic, with the token user:password".to_owned(),
        _ => "bearer token".to_owned(),
    }
}

/// A fault by its name.
fn fault_named(name: &str) -> Result<&'static Fault, CommandError> {
    faults::find(name).ok_or_else(|| {
        let hint = nearest(name, faults::all().iter().map(|f| f.name))
            .map_or("batchproof list --faults".to_owned(), |n| format!("did you mean `{n}`?"));
        format!("unknown fault `{name}`\n  expected: a name of `batchproof list --faults`\n  hint: {hint}").into()
    })
}
