//! The proof of the suite for another contract: the clean server is judged clean, and every fault that can show is found.
//!
//! Which rules find it may differ from what a fault declares: a contract without echoes has none that compare them. It must
//! not know how a contract is written.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use super::{Proof, ProofRun, ProofSuite, prove_all};
use crate::case::Depth;
use crate::contract::{Contract, RefusalMode};
use crate::record::Summary;
use crate::server::{self, Fault, FaultDepth};

/// What became of the faults under one contract.
#[derive(Debug, Default)]
pub struct ContractProof {
    /// The clean server in each refusal mode that the contract allows.
    pub clean: Vec<Proof>,
    /// Runs whose fault was found.
    pub found: Vec<Proof>,
    /// Runs whose fault was not found.
    pub missed: Vec<Proof>,
    /// Runs whose fault changed nothing: nothing that was sent meets it.
    pub not_met: Vec<Proof>,
    /// Faults that can't show, by the reason.
    pub not_applicable: BTreeMap<String, Vec<&'static str>>,
}

impl ContractProof {
    /// Whether the clean server is clean and every fault was found.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.missed.is_empty() && self.clean.iter().all(|proof| proof.wrong.is_empty())
    }

    fn take(&mut self, proof: Proof) {
        let list = match (proof.fired.is_empty(), proof.showed) {
            (false, _) => &mut self.found,
            (true, true) => &mut self.missed,
            (true, false) => &mut self.not_met,
        };
        list.push(proof);
    }
}

/// Proves the suite for a contract: the clean server first, then each fault that `wanted` names at depth quick, and what that
/// misses at `depth`. Says of each run how far it is.
///
/// # Errors
/// Where a run can't be made: the harness could not do its job.
pub fn prove_contract(
    suite: &Arc<ProofSuite>,
    wanted: &dyn Fn(&Fault) -> bool,
    depth: Depth,
    seed: u64,
    mut progress: impl FnMut(&str),
) -> Result<ContractProof, Box<dyn Error + Send + Sync>> {
    let modes = match suite.contract().refusal_mode() {
        Some(only) => vec![only],
        None => vec![RefusalMode::Request, RefusalMode::Item],
    };
    let mut proof = ContractProof::default();
    let clean: Vec<ProofRun> =
        modes.iter().map(|mode| ProofRun { fault: None, refusal_mode: *mode, depth }).collect();
    proof.clean = all(suite, &clean, seed, &mut progress)?;
    let mut runs = Vec::new();
    for fault in server::faults::all().into_iter().filter(|fault| wanted(fault)) {
        if let Some(why) = why_not(fault, suite.contract(), &modes, &proof.clean) {
            proof.not_applicable.entry(why).or_default().push(fault.name);
            continue;
        }
        let of_both = modes.iter().filter(|mode| fault.refusal_modes.contains(mode));
        runs.extend(of_both.map(|mode| ProofRun {
            fault: Some(fault),
            refusal_mode: *mode,
            depth: Depth::Quick,
        }));
    }
    let mut again = Vec::new();
    for quick in all(suite, &runs, seed, &mut progress)? {
        if quick.fired.is_empty() && depth != Depth::Quick {
            let deep = quick.run.fault.is_some_and(|fault| fault.depth == FaultDepth::Deep);
            again.push(quick.run.at(if deep { Depth::Deep } else { depth }));
        } else {
            proof.take(quick);
        }
    }
    for whole in all(suite, &again, seed, &mut progress)? {
        proof.take(whole);
    }
    Ok(proof)
}

/// Why a fault can't show under the contract: none of the rules that must find it applies.
fn why_not(
    fault: &Fault,
    contract: &Contract,
    modes: &[RefusalMode],
    clean: &[Proof],
) -> Option<String> {
    if let Some(need) = fault.needs_further.filter(|need| !need.is_met(contract)) {
        return Some(need.lacking().to_owned());
    }
    if !modes.iter().any(|mode| fault.refusal_modes.contains(mode)) {
        return Some("the contract allows no refusal mode that it is about".to_owned());
    }
    if fault.needs_further_key {
        return Some("the document demands no API key beside the credentials".to_owned());
    }
    let summaries: Vec<&Summary> =
        clean.iter().filter_map(|proof| proof.clean.as_deref()).collect();
    let excluded = |rule: &&'static str| {
        let of_all = summaries.iter().map(|summary| {
            let rules = summary.rules.iter().find(|known| known.rule.id == **rule)?;
            let why = rules.excluded.as_ref().or(rules.skipped.as_ref());
            why.filter(|_| rules.counts.judged() == 0).cloned()
        });
        of_all.collect::<Option<Vec<String>>>()?.into_iter().next()
    };
    let reasons: Option<Vec<String>> = fault.must.iter().map(excluded).collect();
    reasons?.into_iter().next()
}

fn all(
    suite: &Arc<ProofSuite>,
    runs: &[ProofRun],
    seed: u64,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<Proof>, Box<dyn Error + Send + Sync>> {
    let mut proofs = BTreeMap::new();
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    prove_all(suite, runs, seed, |place, proof| {
        proofs.insert(place, proof);
        progress(&format!("{}/{} {}", proofs.len(), runs.len(), runs[place].name()));
    })?;
    // In the order of their declarations again.
    Ok(proofs.into_values().collect())
}
