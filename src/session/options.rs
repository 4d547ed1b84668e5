//! The options of a run.

use std::path::PathBuf;
use std::time::Duration;

use crate::case::Depth;
use crate::contract::RefusalMode;
use crate::waiver::Waiver;

/// The options of a run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// How much to spend.
    pub depth: Depth,
    /// Seed of all seeds.
    pub seed: u64,
    /// What unique numbers begin with.
    pub run_id: String,
    /// Whether the user chose the run id.
    pub run_id_given: bool,
    /// Runs of each case, instead of what the case says.
    pub runs: Option<u64>,
    /// How the target refuses broken items, where the user said it; otherwise the preflight observes it.
    pub refusal_mode: Option<RefusalMode>,
    /// Requests under way at once.
    pub jobs: usize,
    /// Ends the run after this long.
    pub max_time: Option<Duration>,
    /// Runs of the cases go on for this long, instead of a number of runs.
    pub duration: Option<Duration>,
    /// How long a target that is still starting is waited for.
    pub wait: Option<Duration>,
    /// Ends the run after this number of distinct findings.
    pub max_findings: Option<usize>,
    /// SHOULD findings fail the run too.
    pub strict: bool,
    /// Which part of a divided run, of how many; from 1.
    pub partition: Option<(u32, u32)>,
    /// Where the record goes; none for runs that leave nothing (trials under Cargo, `prove`).
    pub report_dir: Option<PathBuf>,
    /// Where a case file for each finding goes.
    pub save_cases: Option<PathBuf>,
    /// How the target is called in reports.
    pub target: String,
    /// Whether all shipped cases run.
    pub whole_suite: bool,
    /// Begins with a plain batch.
    pub preflight: bool,
    /// Verdicts are all that is wanted: nothing is kept as evidence, coverage is not counted, and what an answer's
    /// bytes prove is not sent again.
    pub verdicts_only: bool,
    /// Findings that are known.
    pub waivers: Vec<Waiver>,
    /// What a reader of the report should know before anything was sent.
    pub notes: Vec<String>,
}

impl RunOptions {
    /// A whole run, one request at a time, that leaves no file.
    #[must_use]
    pub fn new(depth: Depth, seed: u64, run_id: impl Into<String>) -> RunOptions {
        RunOptions {
            depth,
            seed,
            run_id: run_id.into(),
            run_id_given: false,
            runs: None,
            refusal_mode: None,
            jobs: 1,
            max_time: None,
            duration: None,
            wait: None,
            max_findings: None,
            strict: false,
            partition: None,
            report_dir: None,
            save_cases: None,
            target: String::new(),
            whole_suite: true,
            preflight: true,
            verdicts_only: false,
            waivers: Vec::new(),
            notes: Vec::new(),
        }
    }
}
