//! What the profile of a run does before and after a replay: its setup, and its clean-up with the keys of the replay.

use std::path::{Path, PathBuf};

use super::signals::end_on_signal;
use super::target::POLITE_JOBS;
use super::{say, say_error};
use crate::hooks::{HookContext, HookKind, run_hook};
use crate::report::{counted, visible_block};
use crate::session::{Environment, KeyLog};

/// Where the keys of a replay are written down, in the report directory.
const DIR: &str = "replay";

/// The hooks of a replay.
pub struct ReplayHooks<'a> {
    environment: &'a Environment,
    /// A directory of its own: the report directory has the keys of the run.
    dir: PathBuf,
    run_id: &'a str,
}

impl<'a> ReplayHooks<'a> {
    /// Of a replay of the run whose reports are in `reports`; its keys begin with `run_id`.
    pub fn new(environment: &'a Environment, reports: &Path, run_id: &'a str) -> ReplayHooks<'a> {
        let reports = if reports.is_dir() { Some(reports) } else { reports.parent() };
        ReplayHooks { environment, dir: reports.unwrap_or(Path::new(".")).join(DIR), run_id }
    }

    fn context(&self) -> HookContext<'_> {
        let ReplayHooks { environment, dir, run_id } = self;
        HookContext { environment, dir, run_id, jobs: POLITE_JOBS }
    }

    /// Runs the setup, and has keys taken down where there is a clean-up.
    pub async fn set_up(&mut self) -> Result<(), String> {
        let profile = &self.environment.profile;
        if profile.cleanup.is_some() {
            let log = std::fs::create_dir_all(&self.dir).and_then(|()| KeyLog::create(&self.dir));
            let log = log.map_err(|error| format!("{}: {error}", self.dir.display()))?;
            let _ = self.environment.key_log.set(log);
            end_on_signal(
                self.environment.cancellation.clone(),
                "ending the replay, and running its clean-up",
                "",
            );
        }
        match &profile.setup {
            Some(hook) => run_hook(&self.context(), HookKind::Setup, hook).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Runs the clean-up. That it failed changes no verdict.
    pub async fn clean_up(&self) {
        let Some(hook) = &self.environment.profile.cleanup else { return };
        match run_hook(&self.context(), HookKind::Cleanup, hook).await {
            Ok(done) => {
                say(&format!("The clean-up ran, for {}.", counted(done.keys, "key")));
                let _ = std::fs::remove_dir_all(&self.dir);
            }
            Err(why) => say_error(&visible_block(&format!(
                "the clean-up failed: {why}\nWhat the replay sent may still be there; its keys are in {}.",
                self.dir.display()
            ))),
        }
    }
}
