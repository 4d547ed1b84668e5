//! Replay: the failures of a run are sent again, and each is still failing, fixed, or can't be told.
//!
//! An execution is sent by its case, run and seed, all findings of one execution together; where the case is gone, by
//! what the record kept. It must not know where records or case files lie.

mod causes;
mod history;
mod seen;
mod whole;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use crate::attempt::{AttemptOutcome, ExecutionSource, attempt};
use crate::case::{self, Case};
use crate::check::{Check, Evaluation, Rule, rules};
use crate::collect::RUN;
use crate::execution::{Execution, SelectedCase, exchange_plain_item, select, why_not_run};
use crate::record::{CaseRecord, ExchangeRecord, FindingRecord, Summary, is_of_threshold};
use crate::scenario::Scenario;
use crate::session::Environment;
use causes::RootCauses;
use seen::FindingTries;
pub use whole::cases_of_whole_runs;
use whole::whole_run;

/// Executions that are sent at once.
const AT_ONCE: usize = 4;
/// The same execution so often at the same time, where a finding takes others beside it.
const BESIDE: usize = 6;

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayVerdict {
    /// It showed again.
    StillFailing,
    /// Its rule was kept, as often as it was tried.
    Fixed,
    /// Neither.
    CantTell,
}

impl ReplayVerdict {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            ReplayVerdict::StillFailing => "still failing",
            ReplayVerdict::Fixed => "fixed",
            ReplayVerdict::CantTell => "can't tell",
        }
    }

    /// The exit status of `replay`.
    #[must_use]
    pub fn exit(verdicts: &[ReplayVerdict]) -> u8 {
        if verdicts.contains(&ReplayVerdict::StillFailing) {
            1
        } else if verdicts.contains(&ReplayVerdict::CantTell) {
            3
        } else {
            0
        }
    }
}

/// A finding that was sent again.
#[derive(Debug, Clone)]
pub struct ReplayedFinding {
    /// Its position in the summary.
    pub index: usize,
    /// What became of it.
    pub verdict: ReplayVerdict,
    /// In a sentence.
    pub why: String,
    /// Tries that showed it.
    pub shown: u64,
    /// Tries.
    pub of: u64,
}

/// Where an execution comes from.
enum ReplaySource {
    Case(Arc<SelectedCase>, u64),
    /// What the record kept; what its case expected is not in it.
    Recorded(Box<Scenario>),
    /// It can't be sent; why.
    None(String),
}

/// Cases by id, or why one can't be used.
type SelectedCases = HashMap<String, Result<Arc<SelectedCase>, String>>;

/// Findings that the same execution showed.
struct SharedExecution {
    case: String,
    run: u64,
    findings: Vec<usize>,
}

/// Sends the findings at these positions of `summary` again; `cases` are those of the run that still exist,
/// under the ids that they had. Tells each as soon as it is known.
pub async fn replay(
    environment: &Arc<Environment>,
    summary: &Summary,
    wanted: &[usize],
    cases: Vec<Case>,
    report: &mut dyn FnMut(&ReplayedFinding),
) -> Vec<ReplayedFinding> {
    let cases: SelectedCases = cases
        .into_iter()
        .map(|case| {
            let id = case.id.clone();
            let chosen = select(vec![case], &environment.generator)
                .map_err(|problem| problem.to_string())
                .and_then(|list| list.into_iter().next().ok_or_else(|| GONE.to_owned()));
            (id, chosen.map(Arc::new))
        })
        .collect();
    // Nothing else is under way that a case could wait for.
    environment.end();
    let of_run = |i: &usize| summary.findings.get(*i).is_some_and(|(f, _)| f.case == RUN);
    let (whole, wanted): (Vec<usize>, Vec<usize>) = wanted.iter().copied().partition(of_run);
    let (alone, together): (Vec<SharedExecution>, Vec<SharedExecution>) =
        shared_executions(summary, &wanted, &cases).into_iter().partition(|shared| {
            let case = cases.get(&shared.case).and_then(|c| c.as_ref().ok());
            case.is_some_and(|selected| selected.case.spec.alone)
                || takes_others_beside(summary, &shared.findings)
        });
    let causes = RootCauses::of(summary, &wanted);
    let mut replayed = Vec::new();
    for one in whole_run(environment, summary, &cases, &whole).await {
        report(&one);
        replayed.push(one);
    }
    // A flaky finding is reproduced from all cases of its cause together.
    let mut held = Vec::new();
    // What seems fixed is tried behind a history too.
    let mut fixed = Vec::new();
    for (executions, at_once) in [(together, AT_ONCE), (alone, 1)] {
        let mut outcomes = stream::iter(executions)
            .map(|shared| {
                replay_shared(environment, summary, &causes, cases.get(&shared.case), shared)
            })
            .buffered(at_once);
        while let Some(outcome) = outcomes.next().await {
            for one in outcome {
                if causes.needed(one.index).is_some() {
                    held.push(one);
                } else if one.verdict == ReplayVerdict::Fixed {
                    fixed.push(one);
                } else {
                    report(&one);
                    replayed.push(one);
                }
            }
        }
    }
    causes.settle(summary, &mut held);
    for one in held {
        report(&one);
        replayed.push(one);
    }
    for one in behind_history(environment, summary, &cases, fixed).await {
        report(&one);
        replayed.push(one);
    }
    replayed
}

/// Tries what seems fixed once more, behind as many numbers as the run had left behind: a target that was started
/// anew has forgotten them, and a fault that hangs on them with them.
async fn behind_history(
    environment: &Arc<Environment>,
    summary: &Summary,
    cases: &SelectedCases,
    fixed: Vec<ReplayedFinding>,
) -> Vec<ReplayedFinding> {
    let (false, Some(numbers)) = (fixed.is_empty(), history::left_behind(summary)) else {
        return fixed;
    };
    history::rebuild_history(environment, numbers, summary.head.seed).await;
    let indexes: Vec<usize> = fixed.iter().map(|one| one.index).collect();
    let causes = RootCauses::of(summary, &indexes);
    let mut shown = HashMap::new();
    for shared in shared_executions(summary, &indexes, cases) {
        for one in
            replay_shared(environment, summary, &causes, cases.get(&shared.case), shared).await
        {
            if one.verdict == ReplayVerdict::StillFailing {
                let why = format!("{}, behind {numbers} further numbers only", one.why);
                shown.insert(one.index, ReplayedFinding { why, ..one });
            }
        }
    }
    fixed.into_iter().map(|one| shown.remove(&one.index).unwrap_or(one)).collect()
}

async fn replay_shared(
    environment: &Arc<Environment>,
    summary: &Summary,
    causes: &RootCauses,
    case: Option<&Result<Arc<SelectedCase>, String>>,
    shared: SharedExecution,
) -> Vec<ReplayedFinding> {
    let findings: Vec<(usize, &FindingRecord)> = shared
        .findings
        .iter()
        .filter_map(|i| summary.findings.get(*i).map(|(f, _)| (*i, f)))
        .collect();
    let Some((_, first)) = findings.first() else { return Vec::new() };
    let source = execution_source(environment, summary, first, shared.run, case);
    let together = if takes_others_beside(summary, &shared.findings) {
        BESIDE.min(environment.at_once()).max(1)
    } else {
        1
    };
    let seen = findings.iter().map(|(i, f)| FindingTries::new(*i, f, together)).collect();
    try_findings(environment, summary.head.seed, &source, (causes, together), seen).await
}

/// Whether one of the findings at these positions was seen because other requests were under way, which its own
/// execution does not send: its rule is about simultaneous requests, or its minimal example has some, or it did not
/// show when it was sent alone.
fn takes_others_beside(summary: &Summary, findings: &[usize]) -> bool {
    let found = findings.iter().filter_map(|i| summary.findings.get(*i));
    found.into_iter().any(|(finding, _)| {
        let overlaps = |evidence: &[ExchangeRecord]| evidence.iter().any(|e| e.group.is_some());
        let same = summary.findings.iter().map(|(f, _)| f).filter(|f| f.cause() == finding.cause());
        let mut minimals = same.filter_map(|f| summary.minimals.get(&f.id));
        !overlaps(&finding.evidence)
            && (rules::find(&finding.rule).is_some_and(Rule::is_about_races)
                || minimals.any(|m| overlaps(&m.evidence) || (m.of > 0 && m.shown == 0)))
    })
}

const GONE: &str = "its case is gone";

/// Findings of one execution together, as far as their case still exists.
fn shared_executions<T>(
    summary: &Summary,
    wanted: &[usize],
    cases: &HashMap<String, T>,
) -> Vec<SharedExecution> {
    let mut executions: Vec<SharedExecution> = Vec::new();
    for index in wanted {
        let Some((finding, _)) = summary.findings.get(*index) else { continue };
        let exists = cases.contains_key(&finding.case);
        let same =
            |t: &&mut SharedExecution| exists && t.case == finding.case && t.run == finding.run;
        match executions.iter_mut().find(same) {
            Some(shared) => shared.findings.push(*index),
            None => executions.push(SharedExecution {
                case: finding.case.clone(),
                run: finding.run,
                findings: vec![*index],
            }),
        }
    }
    executions
}

/// What was counted of a case.
fn case_record<'a>(summary: &'a Summary, case: &str) -> Option<&'a CaseRecord> {
    summary.cases.iter().find(|c| c.id == case)?.record.as_ref()
}

fn execution_source(
    environment: &Environment,
    summary: &Summary,
    finding: &FindingRecord,
    run: u64,
    case: Option<&Result<Arc<SelectedCase>, String>>,
) -> ReplaySource {
    if is_of_threshold(&finding.kind) {
        let why = "it was measured over all runs of its case: run that case again";
        return ReplaySource::None(why.to_owned());
    }
    match case {
        Some(Ok(selected)) => match why_not_run(environment, selected) {
            Some(not_run) => ReplaySource::None(not_run.why),
            None => ReplaySource::Case(Arc::clone(selected), run),
        },
        Some(Err(why)) => ReplaySource::None(why.clone()),
        None => recorded_source(environment, summary, finding),
    }
}

/// What the record kept: the smallest execution as a case file, or the requests themselves.
fn recorded_source(
    environment: &Environment,
    summary: &Summary,
    finding: &FindingRecord,
) -> ReplaySource {
    let kept = summary.minimals.get(&finding.id).map_or("", |m| m.case_file.as_str());
    if !kept.is_empty()
        && let Ok(case) = case::load(&finding.case, "the record's case file", None, kept)
        && let Ok(list) = select(vec![case], &environment.generator)
        && let Some(selected) = list.into_iter().next()
    {
        return ReplaySource::Case(Arc::new(selected), 0);
    }
    let asserted = rules::find(&finding.rule).is_none_or(|r| matches!(r.check, Check::Asserted));
    if asserted {
        return ReplaySource::None(format!("{GONE}, which said what to expect"));
    }
    match Scenario::of_record(
        &environment.contract,
        &summary.head,
        summary.shortest_evidence(finding),
    ) {
        Ok(scenario) => ReplaySource::Recorded(Box::new(scenario)),
        Err(why) => ReplaySource::None(format!("{GONE}, and {why}")),
    }
}

/// Sends an execution until each of its findings is decided.
async fn try_findings(
    environment: &Arc<Environment>,
    seed: u64,
    source: &ReplaySource,
    (causes, together): (&RootCauses, usize),
    mut seen: Vec<FindingTries<'_>>,
) -> Vec<ReplayedFinding> {
    let mut hindered = None;
    let is_flaky = seen.iter().any(|s| causes.needed(s.index).is_some());
    let mut odd = false;
    while seen.iter().any(|s| causes.is_open(s)) {
        // What comes at every so manieth request or item would miss equal executions each time.
        // What is remembered of a connection shows only behind good credentials on it.
        let about_credentials = |id: &str| rules::find(id).is_some_and(Rule::is_about_credentials);
        let remembered = seen.iter().any(|s| about_credentials(&s.finding.rule));
        if remembered || is_flaky && odd {
            exchange_plain_item(environment).await;
        }
        odd = !odd;
        // A server that closes idle connections must not meet its own habit again.
        let unproven = seen.iter().any(|s| !s.finding.proven);
        let sent = (0..together).map(|_| send_answered(environment, seed, source, unproven));
        let sent: Result<Vec<Execution>, String> = join_all(sent).await.into_iter().collect();
        let evaluations: Vec<Evaluation> = match sent {
            Ok(executions) => executions.iter().map(|e| e.judge(environment)).collect(),
            Err(why) => {
                hindered = Some(why);
                break;
            }
        };
        for one in &mut seen {
            if one.count_try(environment, &evaluations) {
                causes.saw(one.index);
            }
        }
    }
    seen.into_iter().map(|s| s.verdict(hindered.clone())).collect()
}

/// An execution that was answered, or why there is none.
async fn send_answered(
    environment: &Arc<Environment>,
    seed: u64,
    source: &ReplaySource,
    fresh_connections: bool,
) -> Result<Execution, String> {
    let source = match source {
        ReplaySource::Case(selected, run) => ExecutionSource::Case { selected, run: *run, seed },
        ReplaySource::Recorded(scenario) => ExecutionSource::Scenario(scenario),
        ReplaySource::None(why) => return Err(why.clone()),
    };
    let attempted = attempt(environment, source, None, fresh_connections)
        .await
        .map_err(|problem| problem.to_string())?;
    match attempted.outcome {
        AttemptOutcome::Answered(execution) => Ok(execution),
        AttemptOutcome::Unreached(why) => Err(why),
        AttemptOutcome::Overloaded(_) => {
            Err("the target is under load: it answered 408, 429 or 503".to_owned())
        }
        AttemptOutcome::CredentialsRefused => Err("the target refuses the credentials".to_owned()),
        AttemptOutcome::Cancelled(_) => Err("it was cut short".to_owned()),
    }
}
