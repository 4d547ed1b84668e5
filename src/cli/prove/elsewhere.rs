//! `batchproof prove --contract DIR`: what the suite finds under another contract.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::row;
use crate::cli::args::ProveArgs;
use crate::cli::{CommandError, say};
use crate::contract::Contract;
use crate::contract::text::counted;
use crate::prove::{ContractProof, Proof, ProofSuite, prove_contract};
use crate::server::{self, Fault};

pub fn prove(args: &ProveArgs, dir: &Path) -> Result<u8, CommandError> {
    let suite = Arc::new(ProofSuite::new(Contract::load(dir)?)?);
    let wanted = |fault: &Fault| {
        args.faults.is_empty()
            || args.faults.iter().any(|word| {
                fault.name.contains(word.as_str()) || fault.family.eq_ignore_ascii_case(word)
            })
    };
    if !args.faults.iter().any(|word| word == "clean")
        && !server::faults::all().into_iter().any(wanted)
    {
        return Err(format!(
            "no fault matches {}\n  hint: batchproof list --faults",
            args.faults.join(", ")
        )
        .into());
    }
    let started = Instant::now();
    let interactive = std::io::stderr().is_terminal();
    let show = |text: &str| {
        if interactive {
            let _ = write!(std::io::stderr(), "\r\x1b[K{text}");
        }
    };
    let proof = prove_contract(&suite, &wanted, args.depth, args.seed, show)?;
    show("");
    for clean in proof.clean.iter().filter(|clean| args.verbose || !clean.wrong.is_empty()) {
        say(&row(&clean.run.name(), clean));
    }
    for found in proof.found.iter().filter(|_| args.verbose) {
        say(&row(&found.run.name(), found));
    }
    for missed in &proof.missed {
        say(&format!("missed {}", missed.run.name()));
    }
    if !proof.not_met.is_empty() {
        let names: BTreeSet<&str> = names(&proof.not_met);
        let names: Vec<&str> = names.into_iter().collect();
        say(&format!("changed nothing of what was sent ({}): {}", names.len(), names.join(", ")));
    }
    for (why, names) in &proof.not_applicable {
        say(&format!("does not apply: {why} ({}): {}", names.len(), names.join(", ")));
    }
    say(&conclusion(&suite, &proof, started.elapsed().as_secs_f64()));
    Ok(u8::from(!proof.holds()))
}

fn names(list: &[Proof]) -> BTreeSet<&'static str> {
    list.iter().filter_map(|proof| proof.run.fault).map(|fault| fault.name).collect()
}

fn conclusion(suite: &ProofSuite, proof: &ContractProof, seconds: f64) -> String {
    let (found, missed) = (names(&proof.found), names(&proof.missed));
    let all = found.union(&missed).count();
    let unclean = proof.clean.iter().filter(|clean| !clean.wrong.is_empty()).count();
    let clean = if unclean == 0 { "clean" } else { "not clean" };
    let modes: Vec<String> =
        proof.clean.iter().map(|clean| clean.run.refusal_mode.to_string()).collect();
    let outside: usize = proof.not_applicable.values().map(Vec::len).sum();
    let seen: BTreeSet<&str> = found.union(&missed).copied().collect();
    let outside = outside + names(&proof.not_met).difference(&seen).count();
    format!(
        "{}: {clean} in refusal mode {}; {} of {} found in every mode, {} not applicable; {seconds:.0} s",
        suite.contract().batch.title,
        modes.join(" and "),
        all - missed.len(),
        counted(u64::try_from(all).unwrap_or(u64::MAX), "fault"),
        outside
    )
}
