//! The proof of the harness: every fault of the reference server against every rule.
//!
//! The clean server, in both refusal modes, gives no finding; each fault fires all the rules that it must and none
//! that it may not; each rule is in some fault's must. It stands over `run` and `server`.

mod elsewhere;
mod lanes;
mod share;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub use elsewhere::{ContractProof, prove_contract};
pub use lanes::prove_all;
pub use share::{Missed, QuickShare};

use crate::case::{self, Depth};
use crate::check::rules;
use crate::contract::{Contract, FileError, Level, Profile, RefusalMode};
use crate::embedded;
use crate::execution::{SelectedCase, select};
use crate::generate::Generator;
use crate::record::{RuleOutcome, Summary};
use crate::run;
use crate::send::SendOptions;
use crate::server::{self, Fault};
use crate::session::{NoObserver, RunOptions};

/// Milliseconds from which a case counts as one that waits.
const WAITING: u64 = 1_000;

/// One run of the suite against the reference server.
#[derive(Debug, Clone)]
pub struct Proof {
    /// What was run.
    pub run: ProofRun,
    /// Rules with confirmed findings, with their number.
    pub fired: BTreeMap<String, usize>,
    /// Cases that confirmed findings of the same rules were made in.
    pub found_in: BTreeMap<String, BTreeSet<String>>,
    /// Rules that held somewhere.
    pub passed: BTreeSet<String>,
    /// Whether the fault ever changed what the server does.
    pub showed: bool,
    /// What is wrong with the proof, in sentences; nothing where it holds.
    pub wrong: Vec<String>,
    /// The run, where it was one against the clean server.
    pub clean: Option<Box<Summary>>,
}

impl Proof {
    /// Whether a rule that must find the fault did.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.run.fault.is_some_and(|f| f.must.iter().any(|rule| self.fired.contains_key(*rule)))
    }
}

/// A run that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct ProofRun {
    /// What is wrong with the server.
    pub fault: Option<&'static Fault>,
    /// How it refuses broken items.
    pub refusal_mode: RefusalMode,
    /// How much is sent.
    pub depth: Depth,
}

impl ProofRun {
    /// The same with another depth.
    #[must_use]
    pub fn at(self, depth: Depth) -> ProofRun {
        ProofRun { depth, ..self }
    }

    /// Its name, `fault/refusal-mode`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.fault.map_or("clean", |f| f.name), self.refusal_mode)
    }

    /// Whether it pays for the cases that wait: waiting costs more than all else, so only the clean server and
    /// faults that time triggers do.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.fault.is_none_or(|f| f.waits || f.depth == server::FaultDepth::Deep)
    }

    /// How long it takes, compared with others: those at depth deep send ten times as much.
    fn length(&self) -> u8 {
        let deep = self.depth == Depth::Deep;
        2 * u8::from(deep) + u8::from(self.waits())
    }
}

/// All runs of the proof: the clean server and every fault, in each refusal mode that makes sense.
#[must_use]
pub fn proof_runs() -> Vec<ProofRun> {
    let mut list: Vec<ProofRun> = [RefusalMode::Request, RefusalMode::Item]
        .into_iter()
        .map(|refusal_mode| ProofRun { fault: None, refusal_mode, depth: Depth::Standard })
        .collect();
    // The shipped contract demands no API key beside the token, lets no key be used again, shows no item and has one key.
    let shows = |fault: &&Fault| {
        !fault.needs_further_key
            && !fault.needs_read
            && fault.needs_again.is_empty()
            && fault.needs_further.is_none()
    };
    for fault in server::faults::all().into_iter().filter(shows) {
        let depth = match fault.depth {
            server::FaultDepth::Standard => Depth::Standard,
            server::FaultDepth::Deep => Depth::Deep,
        };
        list.extend(fault.refusal_modes.iter().map(|refusal_mode| ProofRun {
            fault: Some(fault),
            refusal_mode: *refusal_mode,
            depth,
        }));
    }
    list
}

/// Rules that no fault's must names.
#[must_use]
pub fn unproven_rules() -> Vec<&'static str> {
    let faults = server::faults::all();
    rules::all()
        .iter()
        .map(|r| r.id)
        .filter(|id| {
            *id != rules::of_user_cases().id && !faults.iter().any(|f| f.must.contains(id))
        })
        .collect()
}

/// What all runs of the proof share: the suite, read and resolved once.
pub struct ProofSuite {
    is_shipped: bool,
    contract: Arc<Contract>,
    generator: Arc<Generator>,
    selected: Vec<SelectedCase>,
}

impl ProofSuite {
    /// The shipped suite.
    ///
    /// # Errors
    /// Where a shipped file is broken: the harness could not do its job.
    pub fn shipped() -> Result<ProofSuite, FileError> {
        Ok(ProofSuite { is_shipped: true, ..ProofSuite::new(Contract::shipped()?)? })
    }

    /// The shipped suite for another contract.
    ///
    /// # Errors
    /// Where nothing can be generated for it, or a case can't be resolved.
    pub fn new(contract: Contract) -> Result<ProofSuite, FileError> {
        let contract = Arc::new(contract);
        let generator = Arc::new(Generator::new(Arc::clone(&contract), &Profile::default())?);
        let mut selected = select(case::shipped()?, &generator)?;
        selected.retain(|s| !s.case.spec.only_when_named);
        Ok(ProofSuite { is_shipped: false, contract, generator, selected })
    }

    /// The contract that it is proved for.
    #[must_use]
    pub fn contract(&self) -> &Contract {
        &self.contract
    }
}

/// Makes one run and judges it.
///
/// # Errors
/// Where the server can't be started: the harness could not do its job.
pub async fn prove(
    suite: &ProofSuite,
    run: ProofRun,
    seed: u64,
) -> Result<Proof, Box<dyn std::error::Error + Send + Sync>> {
    let faults = run.fault.into_iter().collect();
    // Some faults hang on purpose; the clean server answers within milliseconds.
    let options = SendOptions {
        timeout: Duration::from_secs(2),
        per_item: Duration::from_millis(2),
        ..SendOptions::default()
    };
    // Who has no other tenant spends nothing on it; so do the runs that another tenant has no part in.
    let tenants = match run.fault {
        Some(fault) if fault.family != "TENANT" => BTreeMap::new(),
        _ => embedded::tenants(),
    };
    let embedded = embedded::start_with(
        (Arc::clone(&suite.contract), Arc::clone(&suite.generator)),
        Profile { tenants, ..Profile::default() },
        run.refusal_mode,
        faults,
        options,
        "bptest-prove",
    )
    .await?;
    let environment = Arc::clone(&embedded.environment);
    let options = RunOptions {
        jobs: embedded::LOOPBACK_JOBS,
        target: "embedded reference server".to_owned(),
        verdicts_only: run.fault.is_some(),
        ..RunOptions::new(run.depth, seed, "bptest-prove")
    };
    let selected = suite
        .selected
        .iter()
        .filter(|s| run.waits() || s.case.waits() < WAITING)
        .cloned()
        .collect();
    let report = Box::pin(run::run(environment, selected, options, Arc::new(NoObserver))).await?;
    let showed = embedded.server.faults_showed();
    drop(embedded);
    Ok(Proof { showed, ..judge(suite.is_shipped, run, &report.summary) })
}

fn judge(is_shipped: bool, run: ProofRun, summary: &Summary) -> Proof {
    let mut fired: BTreeMap<String, usize> = BTreeMap::new();
    let mut found_in: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (finding, update) in &summary.findings {
        if update.confirmed {
            *fired.entry(finding.rule.clone()).or_default() += 1;
            found_in.entry(finding.rule.clone()).or_default().insert(finding.case.clone());
        }
    }
    let passed =
        summary.rules.iter().filter(|r| r.counts.passed > 0).map(|r| r.rule.id.clone()).collect();
    let mut wrong = Vec::new();
    match run.fault {
        None => {
            for (rule, count) in &fired {
                wrong.push(format!("{rule} fired {count} times on the clean server"));
            }
            if summary.conclusion != crate::record::Conclusion::Conformant {
                wrong.push(format!(
                    "the clean server is {}: {}",
                    summary.conclusion,
                    summary.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
                ));
            }
            // A quick run has no occasion for some rules, and a contract of somebody else's may have none at all.
            for rule in summary.rules.iter().filter(|_| is_shipped && run.depth != Depth::Quick) {
                if rule.outcome == RuleOutcome::NotApplicable
                    && rule.rule.level == Level::Must
                    && rule.rule.id != rules::of_user_cases().id
                    && !rules::find(&rule.rule.id).is_some_and(|rule| rule.may_lack_occasion)
                {
                    wrong.push(format!("{} was never judged", rule.rule.id));
                }
            }
        }
        // Which rules see it first depends on what the contract has.
        Some(_) if !is_shipped => {}
        Some(fault) => {
            // At depth quick, what was found is counted by the share.
            for must in fault.must.iter().filter(|_| run.depth != Depth::Quick) {
                if !fired.contains_key(*must) {
                    wrong.push(format!("{must} must fire, and did not"));
                }
            }
            // Without the case that shows the root cause, its symptoms are findings of their own.
            for rule in fired.keys().filter(|_| run.depth != Depth::Quick) {
                if !fault.must.contains(&rule.as_str()) && !fault.may.contains(&rule.as_str()) {
                    wrong.push(format!("{rule} fired, and may not"));
                }
            }
        }
    }
    let clean = run.fault.is_none().then(|| Box::new(summary.clone()));
    Proof { run, fired, found_in, passed, showed: false, wrong, clean }
}
