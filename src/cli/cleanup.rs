//! `batchproof cleanup`: the clean-up of a run's profile, once more.

use std::path::Path;
use std::sync::Arc;

use super::args::CleanupArgs;
use super::pauses::announce_pauses;
use super::replay::recorded_profile;
use super::target::{self, Connecting, POLITE_JOBS};
use super::{CommandError, say, say_error};
use crate::contract::FileError;
use crate::hooks::{HookContext, HookKind, run_hook};
use crate::record::{self, Summary};
use crate::report::{counted, visible_block};

/// What a clean-up that did not get through exits with: nobody knows what is left.
const UNKNOWN: u8 = 3;

pub fn cleanup(args: &CleanupArgs) -> Result<u8, CommandError> {
    let name = args.dir.display().to_string();
    let summary = Summary::from_events(&record::read(&args.dir)?).ok_or_else(|| {
        FileError::new(&*name, "the record is empty").expected("a record of a run")
    })?;
    let contract = target::contract(args.contract.as_deref())?;
    let profile = match &args.profile {
        Some(path) => target::profile(path, &contract)?,
        None => recorded_profile(&summary, &name, true)?,
    };
    let Some(hook) = profile.cleanup.clone() else {
        return Err(FileError::new(name, "the run's profile has no `cleanup`")
            .expected("a run whose profile has one, or --profile FILE")
            .into());
    };
    let recorded = Some(summary.head.target.as_str()).filter(|t| t.starts_with("http"));
    if args.target.is_none() && recorded.is_none() {
        return Err("the run's target was the embedded server, which is gone with all its data\n  expected: --target URL".into());
    }
    let contract = Arc::new(contract.for_target(&profile));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let connecting = Connecting {
            target: args.target.as_deref().or(recorded),
            jobs: None,
            sending: &args.sending,
            sends: true,
        };
        let run_id = summary.head.run_id.as_str();
        let (environment, _server) = connecting.environment(contract, profile, run_id).await?;
        announce_pauses(&environment, say_error);
        let dir = if args.dir.is_dir() {
            args.dir.as_path()
        } else {
            args.dir.parent().unwrap_or(Path::new("."))
        };
        let context = HookContext { environment: &environment, dir, run_id, jobs: POLITE_JOBS };
        Ok(match run_hook(&context, HookKind::Cleanup, &hook).await {
            Ok(done) => {
                say(&format!("The clean-up ran, for {}.", counted(done.keys, "key")));
                0
            }
            Err(why) => {
                say_error(&visible_block(&format!("the clean-up failed: {why}")));
                UNKNOWN
            }
        })
    })
}
