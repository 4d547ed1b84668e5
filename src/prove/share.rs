//! What a quick run finds of what a standard run finds.

use std::collections::BTreeSet;

use super::{Proof, ProofRun};
use crate::case::Depth;
use crate::contract::RefusalMode;
use crate::server::FaultDepth;
use crate::session::{depth_budget, reserve};

/// What a quick run finds of what a standard run finds: every fault, in each refusal mode that it declares, but for
/// those that show only in batches that a quick run has no items left to repeat.
#[derive(Debug, Clone, Default)]
pub struct QuickShare {
    /// Runs whose fault both depths find.
    pub found: Vec<ProofRun>,
    /// Runs whose fault only the standard run finds.
    pub missed: Vec<Missed>,
    /// Runs whose fault shows only in larger batches than a quick run can repeat: they do not count.
    pub too_large: usize,
}

/// A fault that a quick run misses.
#[derive(Debug, Clone)]
pub struct Missed {
    /// Which fault, in which refusal mode.
    pub run: ProofRun,
    /// Rules and cases that find it at standard.
    pub found_in: Vec<(String, BTreeSet<String>)>,
}

impl QuickShare {
    /// The share that a quick run has to reach, in per cent.
    pub const PROMISED: f64 = 95.0;

    /// The items of the largest batch that a quick run can send twice more, as confirming a finding takes.
    #[must_use]
    pub fn repeatable() -> u64 {
        let planned = depth_budget(Depth::Quick).unwrap_or_default();
        reserve(Depth::Quick, planned).items / 2
    }

    /// What must be run at standard to know the share: what the quick runs missed, except what needs a deep run.
    ///
    /// That a standard run finds the others is what `prove` holds by itself.
    #[must_use]
    pub fn to_compare(quick: &[Proof]) -> Vec<ProofRun> {
        let compared = quick.iter().filter(|proof| counts(proof) && !proof.is_found());
        compared.map(|proof| proof.run.at(Depth::Standard)).collect()
    }

    /// Compares quick runs with the standard runs of [`Self::to_compare`].
    #[must_use]
    pub fn new(quick: &[Proof], standard: &[Proof]) -> QuickShare {
        let found = quick.iter().filter(|proof| counts(proof) && proof.is_found());
        let missed = standard.iter().filter(|proof| proof.is_found()).map(|proof| {
            let must = proof.run.fault.map_or(&[][..], |fault| fault.must);
            let found_in = proof.found_in.iter().filter(|(rule, _)| must.contains(&rule.as_str()));
            Missed {
                run: proof.run,
                found_in: found_in.map(|(rule, cases)| (rule.clone(), cases.clone())).collect(),
            }
        });
        QuickShare {
            found: found.map(|proof| proof.run).collect(),
            missed: missed.collect(),
            too_large: quick.iter().filter(|proof| !fits_quick(proof)).count(),
        }
    }

    /// How many of how many it finds, in one refusal mode or in all.
    #[must_use]
    pub fn count(&self, refusal_mode: Option<RefusalMode>) -> (usize, usize) {
        let is_asked = |run: &ProofRun| refusal_mode.is_none_or(|mode| run.refusal_mode == mode);
        let found = self.found.iter().filter(|run| is_asked(run)).count();
        (found, found + self.missed.iter().filter(|missed| is_asked(&missed.run)).count())
    }

    /// The share in per cent; all of nothing is all.
    #[must_use]
    pub fn percent(&self, refusal_mode: Option<RefusalMode>) -> f64 {
        let (found, all) = self.count(refusal_mode);
        let share = |count| u32::try_from(count).map_or(f64::MAX, f64::from);
        if all == 0 { 100.0 } else { 100.0 * share(found) / share(all) }
    }
}

/// Whether a standard run can be sure to find it, and a quick run may repeat a batch that shows it.
fn counts(proof: &Proof) -> bool {
    proof.run.fault.is_some_and(|fault| fault.depth == FaultDepth::Standard) && fits_quick(proof)
}

fn fits_quick(proof: &Proof) -> bool {
    proof.run.fault.is_none_or(|fault| fault.items <= QuickShare::repeatable())
}
