//! Schedules the trials of a run: which are under way at once, what is tried again, what is judged.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::pass_counter::Account;
use super::plan::Plan;
use super::run_range::Share;
use super::shared::{Shared, locked};
use super::soak_worker::{self, Came};
use crate::check::Evaluation;
use crate::execution::{
    Hindrance, Selected, Trial, case_seed, credentials_are_refused, execute, hindrance, overloaded,
};
use crate::send::FRESH_CONNECTIONS;
use crate::session::{Progress, Stop};

/// How often a trial is sent to a target that answers with load: long ones meet it more often than not.
const LOAD_ATTEMPTS: u32 = 4;
/// Most runs of a case that one task takes on, one after the other.
const STINT: u64 = 512;
/// Runs of a case from which on they are taken on in stints: with fewer, nothing is gained.
const MANY: u64 = 1000;

/// Runs everything that is planned.
pub(super) async fn all_trials(shared: &Arc<Shared>, planned: &Plan) {
    let permits = Arc::new(Semaphore::new(shared.options.jobs.max(1)));
    let mut tasks = JoinSet::new();
    // Trials that span the run begin before all others, and hold no permit while they wait.
    let mut spanning = JoinSet::new();
    for (index, case) in planned.cases.iter().enumerate() {
        if spans(&shared.selected[index]) {
            for run in case.runs.iter() {
                let shared = Arc::clone(shared);
                spanning.spawn(async move { one(&shared, index, run, None).await });
            }
        }
    }
    for alone in [false, true] {
        for (index, case) in planned.cases.iter().enumerate() {
            let selected = &shared.selected[index];
            if selected.case.spec.alone != alone || spans(selected) {
                continue;
            }
            let many = case.runs.len() >= MANY;
            let most = if many && soak_worker::suits(&shared.environment, selected) {
                (case.runs.len() / (shared.options.jobs.max(1) as u64 * 4)).clamp(1, STINT)
            } else {
                0
            };
            for part in case.runs.parts(most.max(1)) {
                if shared.is_stopped() {
                    break;
                }
                if alone {
                    some(shared, index, part, most > 0).await;
                    continue;
                }
                let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
                let shared = Arc::clone(shared);
                tasks.spawn(async move {
                    some(&shared, index, part, most > 0).await;
                    drop(permit);
                });
                while tasks.try_join_next().is_some() {}
            }
        }
        while tasks.join_next().await.is_some() {}
    }
    shared.environment.end();
    while spanning.join_next().await.is_some() {}
}

/// Whether the case mostly waits: for the end of the run, or for time to pass.
fn spans(selected: &Selected) -> bool {
    let case = &selected.case;
    !case.spec.alone && (case.waits() >= 500 || case.spec.steps.iter().flatten().any(|s| s.at_end))
}

async fn some(shared: &Arc<Shared>, index: usize, runs: Share, stint: bool) {
    if stint {
        return work(shared, index, runs).await;
    }
    for run in runs.iter() {
        one(shared, index, run, None).await;
    }
}

/// Runs of a generated case one after the other, on one connection.
async fn work(shared: &Arc<Shared>, index: usize, runs: Share) {
    let selected = &shared.selected[index];
    let case = &selected.case.id;
    let halt = shared.environment.halt.clone();
    let mut halted = std::pin::pin!(halt.reached());
    // What the judge says of the first answer is news to all: they need not have it said of theirs.
    let first = tokio::select! {
        biased;
        () = &mut halted => return,
        first = shared.first[index].lock() => first,
    };
    let mut first = Some(first).filter(|judged| !**judged);
    let mut worker = shared.worker();
    let mut known = locked(&shared.known[index]).clone();
    let mut account = Account::new(shared, index);
    for run in runs.iter() {
        let seed = case_seed(shared.options.seed, case, run);
        let came = tokio::select! {
            biased;
            () = &mut halted => None,
            came = worker.run(&shared.environment, selected, seed, &known) => Some(came),
        };
        // The worker's connection holds half an exchange then: it is not given back.
        let Some(came) = came else { return };
        match came {
            Came::Right { items, elapsed, evaluation } => {
                shared.observer.see(Progress::Trial { case, requests: 1 });
                account.add(items, elapsed, &evaluation);
            }
            Came::Trial { trial, right } => {
                // In its place among the others, so that what a killed run leaves is in order.
                account.settle();
                let items = trial.exchanges.first().map_or(0, |e| e.intent.items().len());
                let evaluation = one(shared, index, run, Some(trial)).await;
                if let (Some(head), Some(evaluation)) = (right, evaluation) {
                    let mut all = locked(&shared.known[index]);
                    all.learn(&head, items, evaluation);
                    known = all.clone();
                }
            }
        }
        if let Some(mut judged) = first.take() {
            *judged = true;
        }
    }
    drop(account);
    shared.give_back(worker);
}

/// One trial, tried again where it was hindered; `begun` is its first attempt, where one was made already.
/// Gives what the rules said of the first attempt, where that was judged.
async fn one(
    shared: &Arc<Shared>,
    index: usize,
    run: u64,
    mut begun: Option<Trial>,
) -> Option<Evaluation> {
    if shared.is_stopped() && begun.is_none() {
        return None;
    }
    let selected = &shared.selected[index];
    let case = &selected.case.id;
    let seed = case_seed(shared.options.seed, case, run);
    let mut fresh = false;
    for attempt in 0..LOAD_ATTEMPTS {
        let trial = if let Some(trial) = begun.take() {
            trial
        } else {
            let work = execute(&shared.environment, selected, run, shared.options.seed);
            match FRESH_CONNECTIONS.scope(fresh, work).await {
                Ok(trial) => trial,
                Err(problem) => {
                    shared.fail(problem.into());
                    return None;
                }
            }
        };
        shared.observer.see(Progress::Trial { case, requests: trial.exchanges.len() as u64 });
        if trial.cut {
            if trial.exchanges.iter().all(|e| e.answer.response().is_none()) {
                locked(&shared.collector).add_sent(trial.size());
            } else {
                settle(shared, case, run, seed, &Arc::new(trial));
            }
            return None;
        }
        match hindrance(&trial) {
            Some(Hindrance::Load(seconds)) => {
                let pause = Duration::from_secs(seconds.min(60));
                shared.environment.sender.pace.back_off(pause);
                if let Some(released) = overloaded(&trial) {
                    shared.environment.fewer_at_once(released);
                }
                if attempt + 1 == LOAD_ATTEMPTS {
                    let told = locked(&shared.collector).unanswered(case, selected.rule, &trial);
                    shared.io(told);
                    return None;
                }
                locked(&shared.collector).add_sent(trial.size());
            }
            Some(Hindrance::Lost) if attempt == 0 => {
                locked(&shared.collector).add_lost(trial.size());
                fresh = true;
            }
            Some(Hindrance::Credentials) if attempt == 0 => {
                locked(&shared.collector).add_sent(trial.size());
                if credentials_are_refused(&shared.environment).await {
                    shared.end(Stop::Trouble(
                        "the target refuses the credentials since a while: has the token expired?"
                            .to_owned(),
                    ));
                    return None;
                }
            }
            _ => {
                let evaluation = settle(shared, case, run, seed, &Arc::new(trial));
                return (attempt == 0).then_some(evaluation);
            }
        }
    }
    None
}

fn settle(shared: &Arc<Shared>, case: &str, run: u64, seed: u64, trial: &Arc<Trial>) -> Evaluation {
    let mut evaluation = trial.judge(&shared.environment);
    if trial.streamed.is_none() && !shared.options.verdicts_only {
        for exchange in &trial.exchanges {
            evaluation.covered.count(shared.environment.generator.cells(), exchange);
        }
    }
    let mut collector = locked(&shared.collector);
    let taken = collector.take(case, run, seed, trial, &evaluation, shared.observer.as_ref());
    let found = collector.found.len();
    drop(collector);
    shared.io(taken);
    if shared.options.max_findings.is_some_and(|max| found >= max) {
        shared.end(Stop::Cut(format!("{found} findings: --max-findings is reached")));
    }
    evaluation
}
