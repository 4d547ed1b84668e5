//! The seed of an execution, and whether a case can be executed against a target at all.

use sha2::{Digest, Sha256};

use super::SelectedCase;
use crate::case::Step;
use crate::record::NotRun;
use crate::session::Environment;

/// The seed of one run of one case: derived from the run's, so that filters and parallelism change nothing.
#[must_use]
pub fn case_seed(seed: u64, case: &str, run: u64) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(seed.to_le_bytes());
    hasher.update(case.as_bytes());
    hasher.update(run.to_le_bytes());
    let digest = hasher.finalize();
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// Why a case can't run against this target, where it can't.
#[must_use]
pub fn why_not_run(environment: &Environment, chosen: &SelectedCase) -> Option<NotRun> {
    if let Some(reason) = &chosen.not_applicable {
        return Some(NotRun { why: reason.clone(), by_contract: true });
    }
    let raw = chosen.case.spec.steps.iter().flatten().any(is_raw);
    (raw && environment.sender.target.url.scheme() != "http").then(|| NotRun {
        why: "raw connections are made without TLS only".to_owned(),
        by_contract: false,
    })
}

fn is_raw(step: &Step) -> bool {
    step.raw.is_some() || step.hang_up.is_some() || step.simultaneously.iter().flatten().any(is_raw)
}
