//! What all executions of a run share.

use std::sync::{Arc, Mutex, OnceLock};

use thiserror::Error;

use super::soak_worker::SoakWorker;
use super::verdict_cache::VerdictCache;
use crate::collect::Collector;
use crate::contract::FileError;
use crate::execution::SelectedCase;
use crate::lockstep::Lockstep;
use crate::session::{CancelReason, Environment, Observer, RunOptions, locked};

/// Why a run could not do its job.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The record can't be written.
    #[error("{path}: {source}\n  expected: a directory that can be written to")]
    Record {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file that a case names can't be used.
    #[error("{0}")]
    Case(#[from] FileError),
    /// The record does not add up.
    #[error("the run left no record: a defect of batchproof")]
    NoRecord,
}

/// What all executions of a run share.
pub(super) struct RunContext {
    pub environment: Arc<Environment>,
    pub selected: Arc<Vec<SelectedCase>>,
    pub collector: Mutex<Collector>,
    pub observer: Arc<dyn Observer>,
    pub options: RunOptions,
    /// What is known of plainly right answers, by case.
    pub known: Vec<Mutex<VerdictCache>>,
    /// Held while the first run of a case for soak workers is under way; true once it was judged.
    pub first: Vec<tokio::sync::Mutex<bool>>,
    /// Workers that are idle.
    pub idle: Mutex<Vec<SoakWorker>>,
    pub failure: Mutex<Option<EngineError>>,
    /// The older target that answers are compared with, once it is known to answer.
    pub lockstep: OnceLock<Lockstep>,
}

impl RunContext {
    pub fn end(&self, stop: CancelReason) {
        self.environment.cancellation.cancel(stop);
    }

    pub fn fail(&self, error: EngineError) {
        self.end(CancelReason::TargetUnusable(error.to_string()));
        locked(&self.failure).get_or_insert(error);
    }

    /// Lets those go on that wait for the end of the run.
    pub fn ended(&self) {
        self.environment.end();
        if let Some(lockstep) = self.lockstep.get() {
            lockstep.old().end();
        }
    }

    pub fn is_stopped(&self) -> bool {
        self.environment.cancellation.is_cancelled()
    }

    pub fn io(&self, result: std::io::Result<()>) {
        if let Err(source) = result {
            self.fail(EngineError::Record { path: self.path(), source });
        }
    }

    /// A worker with nothing to do.
    pub fn worker(&self) -> SoakWorker {
        let idle = locked(&self.idle).pop();
        idle.unwrap_or_else(|| SoakWorker::new(&self.environment))
    }

    /// Takes a worker back.
    pub fn give_back(&self, worker: SoakWorker) {
        locked(&self.idle).push(worker);
    }

    fn path(&self) -> String {
        self.options.report_dir.as_ref().map(|d| d.display().to_string()).unwrap_or_default()
    }
}
