//! What commands that send share: contract, profile, token, and the environment for a target.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::CommandError;
use super::args::{RunArgs, SendingArgs, duration};
use crate::check::rules;
use crate::contract::{AuthScheme, Contract, Profile, RefusalMode};
use crate::embedded::{self, LOOPBACK_JOBS};
use crate::lockstep::Against;
use crate::run::wait_until_up;
use crate::send::{
    Pace, SendError, SendOptions, Sender, Target, Token, TokenEndpoint, TokenSource,
};
use crate::server::RunningServer;
use crate::session::{CancelReason, Environment, NoObserver};

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
    /// Whether anything is to be sent.
    pub sends: bool,
}

impl Connecting<'_> {
    /// The environment, and the embedded server where it is the target.
    pub async fn environment(
        self,
        contract: Arc<Contract>,
        mut profile: Profile,
        run_id: &str,
    ) -> Result<(Arc<Environment>, Option<RunningServer>), CommandError> {
        for (name, value) in &self.sending.header {
            profile.add_header(name, value);
        }
        if self.sending.no_traceparent {
            profile.traceparent = Some(false);
        }
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
        let usual = if target.is_loopback() { LOOPBACK_JOBS } else { POLITE_JOBS };
        let options = SendOptions { connections: jobs.unwrap_or(usual), ..self.sending.options() };
        let token = Arc::new(Token::read(
            token_source(self.sending, &profile, &options)?,
            profile.credential_scheme(&contract),
        )?);
        // An endpoint that is down is not a mistake in a file: the run ends as it does where the target is.
        let mut unusable = None;
        if self.sends {
            match token.fetch().await {
                Err(SendError::Endpoint(why)) => unusable = Some(why),
                fetched => fetched?,
            }
        }
        let polite = (!target.is_loopback()).then_some(POLITE_RATE);
        let rate = asked.or(polite);
        let sender = Sender::new(target, options, Arc::clone(&token), &profile, Pace::new(rate))?;
        let interval = self.sending.token_interval.or(profile_interval(&profile)?);
        let environment = Environment::new(contract, profile, sender, run_id)?;
        let cancellation = environment.cancellation.clone();
        if let Some(why) = unusable {
            cancellation.cancel(CancelReason::TargetUnusable(why));
        }
        if !self.sends {
            return Ok((Arc::new(environment), None));
        }
        tokio::spawn(async move {
            let error = token.keep_fresh(interval).await;
            cancellation.cancel(CancelReason::TargetUnusable(error.to_string()));
        });
        Ok((Arc::new(environment), None))
    }
}

/// The older target that a run is compared with, where one was named.
pub async fn against(
    args: &RunArgs,
    environment: &Arc<Environment>,
) -> Result<Option<Against>, CommandError> {
    let asked = &args.comparison;
    let Some(url) = &asked.against else { return Ok(None) };
    if args.target.is_none() {
        return Err(
            "--against needs --target\n  expected: batchproof run --target NEW --against OLD"
                .into(),
        );
    }
    let (contract, profile) = (&environment.contract, &environment.profile);
    let target = Target::parse(url, &contract.operation.path)?;
    if target.base == environment.sender.target.base {
        return Err(
            format!("--against {url}: it is the target itself\n  expected: another URL").into()
        );
    }
    let polite = (!target.is_loopback()).then_some(POLITE_RATE);
    let usual = if target.is_loopback() { LOOPBACK_JOBS } else { POLITE_JOBS };
    let connections = args.jobs.map(usize::from).or(profile.limits.jobs).unwrap_or(usual);
    let options = SendOptions { connections, ..args.sending.options() };
    let source = match &asked.against_token_file {
        Some(file) => TokenSource::File(file.clone()),
        None => token_source(&args.sending, profile, &options)?,
    };
    let token = Arc::new(Token::read(source, profile.credential_scheme(contract))?);
    token.fetch().await?;
    let rate = args.sending.rate.or(profile.limits.rate).map(|rate| rate.0).or(polite);
    let sender = Sender::new(target, options, Arc::clone(&token), profile, Pace::new(rate))?;
    let interval = args.sending.token_interval.or(profile_interval(profile)?);
    let cancellation = environment.cancellation.clone();
    tokio::spawn(async move {
        let error = token.keep_fresh(interval).await;
        cancellation.cancel(CancelReason::TargetUnusable(error.to_string()));
    });
    Ok(Some(Against {
        sender: Arc::new(sender),
        ignored: asked.ignore.clone(),
        shared_database: asked.shared_database,
    }))
}

/// Waits for a target that is still starting, where `--wait` says so; why it is not up, where that is so.
pub async fn wait(environment: &Arc<Environment>, sending: &SendingArgs) -> Option<String> {
    wait_until_up(environment, sending.wait?, &NoObserver).await
}

/// Where the token comes from: arguments before the environment, the environment before the profile.
fn token_source(
    sending: &SendingArgs,
    profile: &Profile,
    options: &SendOptions,
) -> Result<TokenSource, CommandError> {
    let set = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    if matches!(profile.auth, AuthScheme::None | AuthScheme::Command(_)) {
        return Ok(TokenSource::None);
    }
    if let Some(path) = &sending.token_file {
        return Ok(TokenSource::File(path.clone()));
    }
    let command = sending.token_command.clone().or_else(|| set("BATCHPROOF_TOKEN_COMMAND"));
    if let Some(command) = command {
        return Ok(TokenSource::Command(command));
    }
    if let Some(token) = set("BATCHPROOF_TOKEN") {
        return Ok(TokenSource::Given(SecretString::from(token)));
    }
    Ok(match (&profile.auth, &profile.token_command, &profile.token) {
        (AuthScheme::OAuth2(settings), ..) => {
            TokenSource::Endpoint(Box::new(TokenEndpoint::new(settings, options)?))
        }
        (_, Some(command), _) => TokenSource::Command(command.clone()),
        (_, None, Some(token)) => TokenSource::Given(SecretString::from(token.clone())),
        (_, None, None) => TokenSource::None,
    })
}

fn profile_interval(profile: &Profile) -> Result<Option<Duration>, CommandError> {
    let read = profile.token_interval.as_deref().map(duration).transpose();
    read.map_err(|why| format!("token-interval of the profile: {why}").into())
}
