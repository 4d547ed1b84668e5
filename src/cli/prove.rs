//! `batchproof prove`: the kill matrix.

mod elsewhere;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::sync::Arc;
use std::time::Instant;

use super::args::ProveArgs;
use super::{CommandError, say};
use crate::case::Depth;
use crate::check::rules;
use crate::contract::RefusalMode;
use crate::prove::{self, Proof, ProofRun, QuickShare};
use crate::record::Summary;
use crate::report::json::{Coverage, CoverageShare};

pub fn prove(args: &ProveArgs) -> Result<u8, CommandError> {
    if let Some(dir) = &args.contract {
        return elsewhere::prove(args, dir);
    }
    let suite = Arc::new(prove::ProofSuite::shipped()?);
    let runs: Vec<prove::ProofRun> = prove::proof_runs()
        .into_iter()
        .filter(|t| {
            args.faults.is_empty()
                || args.faults.iter().any(|word| {
                    t.name().contains(word.as_str())
                        || t.fault.is_some_and(|f| f.family.eq_ignore_ascii_case(word))
                })
        })
        .map(|run| match args.depth {
            // A fault that only a deep run meets is run as it declares.
            Depth::Standard => run,
            depth => run.at(depth),
        })
        .collect();
    if runs.is_empty() {
        return Err(format!(
            "no fault matches {}\n  hint: batchproof list --faults",
            args.faults.join(", ")
        )
        .into());
    }
    let started = Instant::now();
    let proofs = prove_runs(args, &suite, &runs)?;
    if args.faults.is_empty() || args.verbose {
        say(&matrix(&proofs));
    }
    if args.depth == Depth::Quick {
        let compared = prove_runs(args, &suite, &QuickShare::to_compare(&proofs))?;
        let share = QuickShare::new(&proofs, &compared);
        return Ok(quick_share(args, &proofs, &share, started.elapsed().as_secs_f64()));
    }
    let unproven = if args.faults.is_empty() { prove::unproven_rules() } else { Vec::new() };
    for rule in &unproven {
        say(&format!("{rule}: no fault must be detected by it"));
    }
    for proof in &proofs {
        if let Some(summary) = &proof.clean {
            say(&covered(proof, summary, args.verbose));
        }
    }
    let wrong = proofs.iter().filter(|p| !p.wrong.is_empty()).count();
    let faults: BTreeSet<&str> =
        proofs.iter().filter_map(|p| p.run.fault.map(|f| f.name)).collect();
    say(&format!(
        "{} faults in {} runs: {} as declared, {wrong} not; {} rules proven, {} not; {:.0} s",
        faults.len(),
        proofs.len(),
        proofs.len() - wrong,
        rules::all().len() - 1 - unproven.len(),
        unproven.len(),
        started.elapsed().as_secs_f64()
    ));
    Ok(u8::from(wrong > 0 || !unproven.is_empty()))
}

/// Makes `runs`, and says which of them did not go as declared.
fn prove_runs(
    args: &ProveArgs,
    suite: &Arc<prove::ProofSuite>,
    runs: &[ProofRun],
) -> Result<Vec<Proof>, CommandError> {
    let interactive = std::io::stderr().is_terminal();
    let mut proofs: BTreeMap<usize, Proof> = BTreeMap::new();
    prove::prove_all(suite, runs, args.seed, |place, proof| {
        let name = runs[place].name();
        if interactive {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
        if !proof.wrong.is_empty() || args.verbose {
            say(&row(&name, &proof));
        }
        proofs.insert(place, proof);
        if interactive {
            let _ = write!(std::io::stderr(), "{}/{} {name}", proofs.len(), runs.len());
        }
    })?;
    if interactive {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    // In the order of their declarations again.
    Ok(proofs.into_values().collect())
}

/// Says what quick runs found of what standard runs find, and what they missed; the exit code.
fn quick_share(args: &ProveArgs, proofs: &[Proof], share: &QuickShare, seconds: f64) -> u8 {
    for missed in &share.missed {
        say(&format!("missed {}", missed.run.name()));
        for (rule, cases) in &missed.found_in {
            let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
            say(&format!("    at standard: {rule} in {}", cases.join(", ")));
        }
    }
    let shown = |mode: Option<RefusalMode>| {
        let (found, all) = share.count(mode);
        format!("{found} of {all} ({:.1} %)", share.percent(mode))
    };
    let wrong = proofs.iter().filter(|p| !p.wrong.is_empty()).count();
    say(&format!(
        "quick finds {} of what standard finds; refusal mode request: {}; item: {}; {wrong} runs not as declared; {seconds:.0} s",
        shown(None),
        shown(Some(RefusalMode::Request)),
        shown(Some(RefusalMode::Item)),
    ));
    if share.too_large > 0 {
        say(&format!(
            "not counted: {} runs whose fault shows only in batches of more than {} items, which a quick run can't repeat",
            share.too_large,
            QuickShare::repeatable(),
        ));
    }
    // Of a few faults, every one may be among those that a quick run misses.
    let is_short = args.faults.is_empty() && share.percent(None) < QuickShare::PROMISED;
    u8::from(wrong > 0 || is_short)
}

/// What the run against the clean server exercised; `whole` names each cell that lacks.
fn covered(proof: &Proof, summary: &Summary, whole: bool) -> String {
    let coverage = Coverage::from_summary(summary);
    let share = |share: CoverageShare| format!("{} of {}", share.covered, share.of);
    let mut text = format!(
        "clean/{} covers {} coverage points of the request schema ({} %), {} documented error codes, {} rules",
        proof.run.refusal_mode,
        share(coverage.schema),
        coverage.schema.percent(),
        share(coverage.documented_codes),
        share(coverage.rules)
    );
    for count in coverage.cells.iter().filter(|c| whole && c.share().covered < c.share().of) {
        let cell = &count.cell;
        let place = if cell.envelope { "body" } else { "item" };
        let _ = write!(
            text,
            "\n    {place} {} {}, {}: {} positions",
            cell.pointer,
            cell.keyword,
            cell.class,
            share(count.share())
        );
    }
    text
}

fn row(name: &str, proof: &Proof) -> String {
    let mut text = format!("{name:44}");
    let fired: Vec<String> = proof.fired.keys().cloned().collect();
    let _ = write!(
        text,
        " fired {}",
        if fired.is_empty() { "nothing".to_owned() } else { fired.join(" ") }
    );
    for wrong in &proof.wrong {
        let _ = write!(text, "\n    {wrong}");
    }
    text
}

/// Faults by families of rules: what each fired.
fn matrix(proofs: &[Proof]) -> String {
    let families: Vec<&str> =
        rules::FAMILIES.iter().map(|(name, _)| *name).filter(|n| *n != "CASE").collect();
    let mut builder = tabled::builder::Builder::default();
    let mut header = vec!["fault".to_owned(), "refusal mode".to_owned()];
    header.extend(families.iter().map(|f| (*f).to_owned()));
    builder.push_record(header);
    for proof in proofs {
        let mut cells = vec![
            proof.run.fault.map_or("(clean)", |f| f.name).to_owned(),
            proof.run.refusal_mode.to_string(),
        ];
        for family in &families {
            let numbers: Vec<&str> = proof
                .fired
                .keys()
                .filter_map(|id| id.strip_prefix(*family).and_then(|rest| rest.strip_prefix('-')))
                .map(|n| n.trim_start_matches('0'))
                .collect();
            cells.push(numbers.join(" "));
        }
        builder.push_record(cells);
    }
    builder.build().with(tabled::settings::Style::rounded().remove_horizontals()).to_string()
}
