//! What commands that send share: contract, profile, token, and the environment for a target.

use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use super::CommandError;
use super::args::SendingArgs;
use crate::check::rules;
use crate::contract::profile::AuthScheme;
use crate::contract::{Contract, Profile, RefusalMode};
use crate::embedded::{self, LOOPBACK_JOBS};
use crate::send::{Pace, SendOptions, Sender, Target, Token, TokenSource};
use crate::server::RunningServer;
use crate::session::Environment;

/// Jobs on hosts that others use too.
pub const POLITE_JOBS: usize = 4;
/// Requests a second there.
pub const POLITE_RATE: f64 = 20.0;

/// The contract in a directory, or the shipped one.
pub fn contract(dir: Option<&Path>) -> Result<Contract, CommandError> {
    Ok(match dir {
        Some(dir) => Contract::load(dir)?,
        None => Contract::shipped()?,
    })
}

/// A profile whose names are all known.
pub fn profile(path: &Path, contract: &Contract) -> Result<Profile, CommandError> {
    let profile = Profile::load(path, contract)?;
    let known: Vec<String> = rules::FAMILIES
        .iter()
        .map(|(f, _)| (*f).to_owned())
        .chain(rules::all().iter().map(|r| r.id.to_owned()))
        .collect();
    profile.check_skips(&path.display().to_string(), &known)?;
    Ok(profile)
}

/// How a target is reached.
pub struct Connecting<'a> {
    /// Its URL; none: the embedded server.
    pub target: Option<&'a str>,
    /// Requests at once, where that was said.
    pub jobs: Option<usize>,
    /// Token, pace, time-outs and certificates.
    pub sending: &'a SendingArgs,
}

impl Connecting<'_> {
    /// The environment, and the embedded server where it is the target.
    pub async fn environment(
        self,
        contract: Arc<Contract>,
        profile: Profile,
        run_id: &str,
    ) -> Result<(Arc<Environment>, Option<RunningServer>), CommandError> {
        let asked = self.sending.rate.or(profile.limits.rate).map(|rate| rate.0);
        let jobs = self.jobs.or(profile.limits.jobs);
        let Some(url) = self.target else {
            let connections = jobs.unwrap_or(LOOPBACK_JOBS);
            let options = SendOptions { rate: asked, connections, ..self.sending.options() };
            let refusal_mode = RefusalMode::Request;
            let started =
                embedded::start(contract, profile, refusal_mode, Vec::new(), options, run_id)
                    .await?;
            return Ok((started.environment, Some(started.server)));
        };
        let target = Target::parse(url, &contract.operation.path)?;
        let source = match (&self.sending.token_file, std::env::var("BATCHPROOF_TOKEN")) {
            _ if profile.auth == AuthScheme::None => TokenSource::None,
            (Some(path), _) => TokenSource::File(path.clone()),
            (None, Ok(token)) if !token.trim().is_empty() => {
                TokenSource::Given(SecretString::from(token))
            }
            (None, _) => TokenSource::None,
        };
        let token = Arc::new(Token::read(source, profile.auth)?);
        let polite = (!target.is_loopback()).then_some(POLITE_RATE);
        let rate = asked.or(polite);
        let usual = if target.is_loopback() { LOOPBACK_JOBS } else { POLITE_JOBS };
        let options = SendOptions { connections: jobs.unwrap_or(usual), ..self.sending.options() };
        let sender = Sender::new(target, options, token, &profile, Pace::new(rate))?;
        Ok((Arc::new(Environment::new(contract, profile, sender, run_id)?), None))
    }
}
