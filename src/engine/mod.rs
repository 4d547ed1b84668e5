//! The engine: resolves cases, schedules their trials, sends, confirms what was found, writes the record.
//!
//! It stands over everything that judges and sends, and under the fronts (command line, Cargo's trials).
//! It must not print, and must not know of any one rule, mutation or fault.

mod collect;
mod compose;
mod confirm;
mod environment;
mod giant;
mod halt;
mod hindrance;
mod lost;
mod opening;
mod options;
mod plan;
mod progress;
mod replay;
mod run;
mod save;
mod schedule;
mod script;
mod select;
mod share;
mod shrink;
mod stint;
mod trial;

pub use environment::Environment;
pub use halt::Halt;
pub use opening::{Opening, profile_to_paste};
pub use options::{RunOptions, Stop};
pub use plan::{Plan, PlannedCase, budget, case_seed, not_run, plan};
pub use progress::{Observer, Progress, Silent};
pub use replay::{Fate, Replayed, cases_of_whole_runs, replay};
pub use run::{EngineError, RunReport, run};
pub use select::{Selected, select};
pub use share::Share;
