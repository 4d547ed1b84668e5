//! The embedded reference server as a target: what a run without `--target`, `prove` and the trials under
//! Cargo are held against.

use std::sync::Arc;

use secrecy::SecretString;
use thiserror::Error;

use crate::contract::profile::AuthScheme;
use crate::contract::{Contract, Problem, Profile};
use crate::engine::Environment;
use crate::send::{Pace, SendError, SendOptions, Sender, Target, Token, TokenSource};
use crate::server::{self, Fault, Reading, RunningServer, ServerConfig};

/// Requests under way at once on the loopback interface.
pub const LOOPBACK_JOBS: usize = 16;

const TOKEN: &str = "embedded-reference-token";

/// Why the embedded server can't be used.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    /// No port is free.
    #[error("the embedded reference server can't listen: {0}")]
    Listen(#[from] std::io::Error),
    /// The client can't be made.
    #[error(transparent)]
    Send(#[from] SendError),
    /// Nothing can be generated.
    #[error(transparent)]
    Contract(#[from] Problem),
}

/// A running reference server, and an environment whose target it is.
pub struct Embedded {
    /// Keeps the server alive.
    pub server: RunningServer,
    /// Trials are run in it.
    pub environment: Arc<Environment>,
}

/// Starts a reference server on a free loopback port.
///
/// # Errors
/// [`EmbeddedError`] where no port is free or the contract can't be generated from.
pub async fn start(
    contract: Arc<Contract>,
    profile: Profile,
    reading: Reading,
    faults: Vec<&'static Fault>,
    options: SendOptions,
    run_id: &str,
) -> Result<Embedded, EmbeddedError> {
    let server = server::start(ServerConfig {
        contract: Arc::clone(&contract),
        reading,
        token: (profile.auth == AuthScheme::Bearer).then(|| TOKEN.to_owned()),
        faults,
        port: 0,
    })
    .await?;
    let target = Target::parse(server.url(), &contract.operation.path)?;
    let source = TokenSource::Given(SecretString::from(TOKEN.to_owned()));
    let token = Arc::new(Token::read(source, profile.auth)?);
    let sender = Sender::new(target, options, token, &profile, Pace::new(None))?;
    let environment = Arc::new(Environment::new(contract, profile, sender, run_id)?);
    Ok(Embedded { server, environment })
}
