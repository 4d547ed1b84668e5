//! Hooks of a profile: `setup` before a run, `cleanup` after it.
//!
//! A hook is a shell command or requests to the target. It must not know why a run began or ended.

mod command;
mod requests;

use std::path::Path;
use std::time::Duration;

use crate::contract::hook::Hook;
use crate::exchange::Redactor;
use crate::session::{Environment, KEYS_FILE, read_keys};

/// How long a hook may take where the profile says nothing.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Which hook it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookKind {
    /// Before the run; it ends with the run.
    Setup,
    /// After it, however it ended.
    Cleanup,
}

impl HookKind {
    /// As the profile calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            HookKind::Setup => "setup",
            HookKind::Cleanup => "cleanup",
        }
    }
}

/// What a hook did.
#[derive(Debug, Clone, Copy, Default)]
pub struct HookDone {
    /// Requests that it sent to the target itself.
    pub requests: u64,
    /// Keys that it was given.
    pub keys: u64,
}

/// What a hook is run with.
pub struct HookContext<'a> {
    /// The target.
    pub environment: &'a Environment,
    /// The report directory.
    pub dir: &'a Path,
    /// What the run's keys begin with.
    pub run_id: &'a str,
    /// Requests at once.
    pub jobs: usize,
}

/// Runs a hook; a clean-up gets the keys of the report directory.
///
/// # Errors
/// Why it failed, with what it printed or was answered; secrets are redacted.
pub async fn run_hook(
    context: &HookContext<'_>,
    kind: HookKind,
    hook: &Hook,
) -> Result<HookDone, String> {
    let keys = match kind {
        HookKind::Setup => Vec::new(),
        HookKind::Cleanup => read_keys(context.dir)
            .map_err(|e| format!("{}: {e}", context.dir.join(KEYS_FILE).display()))?,
    };
    let environment = context.environment;
    let redactor: Redactor = environment.sender.token().redactor(&environment.profile.secrets);
    for variable in hook.check(true).unwrap_or_default() {
        let value = std::env::var(&variable);
        redactor.add(&value.map_err(|_| format!("the environment has no `{variable}`"))?);
    }
    let timeout = hook.timeout.map_or(TIMEOUT, Duration::from_secs);
    let work = async {
        match &hook.command {
            Some(text) => command::run(context, kind, text, keys.len()).await,
            None => requests::send_all(context, kind, hook, &keys).await,
        }
    };
    let done = tokio::select! {
        biased;
        // Only what comes before a run ends with it.
        () = environment.cancellation.cancelled(), if kind == HookKind::Setup => {
            Err("the run ended before it did".to_owned())
        }
        () = tokio::time::sleep(timeout) => {
            Err(format!("it took longer than {} s (`timeout`)", timeout.as_secs()))
        }
        done = work => done,
    };
    done.map(|requests| HookDone { requests, keys: keys.len() as u64 })
        .map_err(|why| redactor.clean(&why))
}
