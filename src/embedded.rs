//! The embedded reference server as a target: what a run without `--target`, `prove` and the trials under
//! Cargo are compared with.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use thiserror::Error;

use crate::contract::{Contract, CredentialScheme, FileError, Profile, RefusalMode, Tenant};
use crate::generate::Generator;
use crate::send::{Pace, SendError, SendOptions, Sender, Target, Token, TokenSource};
use crate::server::{self, Fault, RunningServer, ServerConfig};
use crate::session::Environment;

/// Requests under way at once on the loopback interface.
pub const LOOPBACK_JOBS: usize = 16;

const TOKEN: &str = "embedded:reference-token";
/// That of its other tenant.
const OTHER_TOKEN: &str = "embedded:other-tenant";

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
    Contract(#[from] FileError),
}

/// A running reference server, and an environment whose target it is.
pub struct Embedded {
    /// Keeps the server alive.
    pub server: RunningServer,
    /// Trials are run in it.
    pub environment: Arc<Environment>,
}

/// Puts the reference server beside an environment, without a fault and in both refusal modes, so that findings
/// can be shrunk; the servers live as long as what is given back.
///
/// # Errors
/// [`EmbeddedError`] where no port is free.
pub async fn with_control(
    environment: Arc<Environment>,
) -> Result<(Arc<Environment>, Vec<RunningServer>), EmbeddedError> {
    let (contract, profile) = (&environment.contract, &environment.profile);
    let mut control = Vec::new();
    let mut servers = Vec::new();
    for refusal_mode in [RefusalMode::Request, RefusalMode::Item] {
        let server = serve(Arc::clone(contract), profile, refusal_mode, Vec::new()).await?;
        let sender = sender(&server, contract, profile, SendOptions::default())?;
        control.push(Arc::new(environment.at(Arc::new(sender))));
        servers.push(server);
    }
    Ok((Arc::new(environment.with_control(control)), servers))
}

/// Starts a reference server on a free loopback port.
///
/// # Errors
/// [`EmbeddedError`] where no port is free or the contract can't be generated from.
pub async fn start(
    contract: Arc<Contract>,
    profile: Profile,
    refusal_mode: RefusalMode,
    faults: Vec<&'static Fault>,
    options: SendOptions,
    run_id: &str,
) -> Result<Embedded, EmbeddedError> {
    let generator = Arc::new(Generator::new(Arc::clone(&contract), &profile)?);
    start_with((contract, generator), profile, refusal_mode, faults, options, run_id).await
}

/// The same with a generator that was made for the contract and the profile.
///
/// # Errors
/// [`EmbeddedError`] where no port is free.
pub async fn start_with(
    (contract, generator): (Arc<Contract>, Arc<Generator>),
    profile: Profile,
    refusal_mode: RefusalMode,
    faults: Vec<&'static Fault>,
    options: SendOptions,
    run_id: &str,
) -> Result<Embedded, EmbeddedError> {
    let server = serve(Arc::clone(&contract), &profile, refusal_mode, faults).await?;
    let profile = with_its_tenant(profile);
    let sender = sender(&server, &contract, &profile, options)?;
    let environment = Environment::with_generator(contract, profile, generator, sender, run_id);
    Ok(Embedded { server, environment: Arc::new(environment) })
}

async fn serve(
    contract: Arc<Contract>,
    profile: &Profile,
    refusal_mode: RefusalMode,
    faults: Vec<&'static Fault>,
) -> std::io::Result<RunningServer> {
    // Other credentials than those of its contract mean nothing to it.
    let declared = Profile::default().credential_scheme(&contract);
    let token = (shown(profile, &contract) == declared).then(|| TOKEN.to_owned());
    let other_token = token.as_ref().map(|_| OTHER_TOKEN.to_owned());
    let further_keys = profile.further_keys.clone();
    server::start(ServerConfig {
        contract,
        refusal_mode,
        token,
        other_token,
        further_keys,
        faults,
        port: 0,
    })
    .await
}

/// The tenants of a profile for the embedded server: its other one.
#[must_use]
pub fn tenants() -> BTreeMap<String, Tenant> {
    let tenant = Tenant { secret: Some(OTHER_TOKEN.to_owned()), ..Tenant::default() };
    [("other".to_owned(), tenant)].into()
}

/// A profile that names another tenant names the server's own.
fn with_its_tenant(mut profile: Profile) -> Profile {
    if !profile.tenants.is_empty() {
        profile.tenants = tenants();
    }
    profile
}

fn sender(
    server: &RunningServer,
    contract: &Contract,
    profile: &Profile,
    options: SendOptions,
) -> Result<Sender, SendError> {
    let target = Target::parse(server.url(), &contract.operation.path)?;
    let source = TokenSource::Given(SecretString::from(TOKEN.to_owned()));
    let token = Arc::new(Token::read(source, shown(profile, contract))?);
    let pace = Pace::new(options.rate);
    Sender::new(target, options, token, profile, pace)
}

/// How the embedded server is shown credentials; none sign for it.
fn shown(profile: &Profile, contract: &Contract) -> CredentialScheme {
    match profile.credential_scheme(contract) {
        CredentialScheme::Signed => Profile::default().credential_scheme(contract),
        scheme => scheme,
    }
}
