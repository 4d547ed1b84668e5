//! The seed of an execution, and whether a case can be executed against a target at all.

use sha2::{Digest, Sha256};

use super::SelectedCase;
use crate::case::{Credential, Framing, Relation, Step};
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
        return Some(NotRun { why: reason.clone(), by_contract: true, rules: Vec::new() });
    }
    let (operation, profile) = (&environment.contract.operation, &environment.profile);
    let excluded =
        |why: &str, by_contract, rules| Some(NotRun { why: why.to_owned(), by_contract, rules });
    if shows(chosen, Credential::OtherTenant) && profile.tenants.is_empty() {
        let rules = vec![chosen.rule.id.to_owned()];
        return excluded("the profile names no other tenant (tenants)", false, rules);
    }
    if shows(chosen, Credential::NoFurtherKey) && profile.further_keys.is_empty() {
        let is_demanded = !operation.further_keys.is_empty();
        let why = if is_demanded {
            "the profile has no header for the API key that the document demands beside the credentials"
        } else {
            "the document demands no API key beside the credentials"
        };
        return excluded(why, !is_demanded, Vec::new());
    }
    let why = environment.sender.needs_http_1().filter(|_| frames(chosen))?;
    let rules = vec![chosen.rule.id.to_owned()];
    Some(NotRun { why: why.to_owned(), by_contract: false, rules })
}

/// Whether a step of the case shows such credentials.
fn shows(chosen: &SelectedCase, credential: Credential) -> bool {
    let steps = chosen.case.spec.steps.iter().flatten();
    let mut all = steps.flat_map(|step| step.simultaneously.iter().flatten().chain([step]));
    all.any(|step| step.credential == credential)
}

/// Whether the case is about framing that only HTTP/1.1 has.
fn frames(chosen: &SelectedCase) -> bool {
    let spec = &chosen.case.spec;
    spec.steps.iter().flatten().any(step_frames)
        || spec.generate.as_ref().is_some_and(|g| g.framing != Framing::Sized)
        || spec.relation == Some(Relation::Chunk)
}

fn step_frames(step: &Step) -> bool {
    step.raw.is_some()
        || step.disconnect.is_some()
        || step.framing != Framing::Sized
        || step.simultaneously.iter().flatten().any(step_frames)
}
