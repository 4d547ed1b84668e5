//! Schedules the executions of a run: which are under way at once, what is tried again, what is judged.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::pass_counter::PassCounter;
use super::plan::Plan;
use super::run_range::RunRange;
use super::shared::{RunContext, locked};
use super::soak_worker::{self, RunOutcome};
use crate::check::Evaluation;
use crate::execution::{
    Execution, RetryReason, SelectedCase, case_seed, credentials_are_refused, execute,
    overloaded_group, retry_reason, unreached,
};
use crate::send::FRESH_CONNECTIONS;
use crate::session::{CancelReason, Progress};

/// How often an execution is sent to a target that answers with load: long ones meet it more often than not.
const LOAD_ATTEMPTS: u32 = 4;
/// Pauses before a target that could not be reached is tried again; then the run ends.
const UNREACHED: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(4)];
/// Most runs of a case that one task takes on, one after the other.
const SOAK_CHUNK: u64 = 512;
/// Runs of a case from which on they are taken on in stints: with fewer, nothing is gained.
const MANY: u64 = 1000;

/// Runs everything that is planned.
pub(super) async fn run_all(shared: &Arc<RunContext>, planned: &Plan) {
    let permits = Arc::new(Semaphore::new(shared.options.jobs.max(1)));
    let mut tasks = JoinSet::new();
    // Executions that span the run begin before all others, and hold no permit while they wait.
    let mut spanning = JoinSet::new();
    for (index, case) in planned.cases.iter().enumerate() {
        if spans_run(&shared.selected[index]) {
            for run in case.runs.iter() {
                let shared = Arc::clone(shared);
                spanning.spawn(async move { run_once(&shared, index, run, None).await });
            }
        }
    }
    for alone in [false, true] {
        for (index, case) in planned.cases.iter().enumerate() {
            let selected = &shared.selected[index];
            if selected.case.spec.alone != alone || spans_run(selected) {
                continue;
            }
            let many = case.runs.len() >= MANY;
            let most = if many && soak_worker::can_soak(&shared.environment, selected) {
                (case.runs.len() / (shared.options.jobs.max(1) as u64 * 4)).clamp(1, SOAK_CHUNK)
            } else {
                0
            };
            for part in case.runs.chunks(most.max(1)) {
                if shared.is_stopped() {
                    break;
                }
                if alone {
                    run_each(shared, index, part, most > 0).await;
                    continue;
                }
                let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
                let shared = Arc::clone(shared);
                tasks.spawn(async move {
                    run_each(&shared, index, part, most > 0).await;
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
fn spans_run(selected: &SelectedCase) -> bool {
    let case = &selected.case;
    !case.spec.alone && (case.waits() >= 500 || case.spec.steps.iter().flatten().any(|s| s.at_end))
}

async fn run_each(shared: &Arc<RunContext>, index: usize, runs: RunRange, is_soak: bool) {
    if is_soak {
        return soak(shared, index, runs).await;
    }
    for run in runs.iter() {
        run_once(shared, index, run, None).await;
    }
}

/// Runs of a generated case one after the other, on one connection.
async fn soak(shared: &Arc<RunContext>, index: usize, runs: RunRange) {
    let selected = &shared.selected[index];
    let case = &selected.case.id;
    let cancellation = shared.environment.cancellation.clone();
    let mut halted = std::pin::pin!(cancellation.cancelled());
    // What the judge says of the first answer is news to all: they need not have it said of theirs.
    let first = tokio::select! {
        biased;
        () = &mut halted => return,
        first = shared.first[index].lock() => first,
    };
    let mut first = Some(first).filter(|judged| !**judged);
    let mut worker = shared.worker();
    let mut known = locked(&shared.known[index]).clone();
    let mut counter = PassCounter::new(shared, index);
    for run in runs.iter() {
        let seed = case_seed(shared.options.seed, case, run);
        let outcome = tokio::select! {
            biased;
            () = &mut halted => None,
            outcome = worker.run(&shared.environment, selected, seed, &known) => Some(outcome),
        };
        // The worker's connection holds half an exchange then: it is not given back.
        let Some(outcome) = outcome else { return };
        match outcome {
            RunOutcome::FastPass { items, elapsed, evaluation } => {
                shared.observer.see(Progress::Executed { case, requests: 1 });
                counter.add(items, elapsed, &evaluation);
            }
            RunOutcome::NeedsJudge { execution, right } => {
                // In its place among the others, so that what a killed run leaves is in order.
                counter.hand_over();
                let items = execution.exchanges.first().map_or(0, |e| e.intent.items().len());
                let evaluation = run_once(shared, index, run, Some(execution)).await;
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
    drop(counter);
    shared.give_back(worker);
}

/// One execution, tried again where it was hindered; `begun` is its first attempt, where one was made already.
/// Gives what the rules said of the first attempt, where that was judged.
async fn run_once(
    shared: &Arc<RunContext>,
    index: usize,
    run: u64,
    mut begun: Option<Execution>,
) -> Option<Evaluation> {
    if shared.is_stopped() && begun.is_none() {
        return None;
    }
    let selected = &shared.selected[index];
    let case = &selected.case.id;
    let seed = case_seed(shared.options.seed, case, run);
    let mut fresh = false;
    for attempt in 0..LOAD_ATTEMPTS {
        let execution = if let Some(execution) = begun.take() {
            execution
        } else {
            let work = execute(&shared.environment, selected, run, shared.options.seed);
            match FRESH_CONNECTIONS.scope(fresh, work).await {
                Ok(execution) => execution,
                Err(problem) => {
                    shared.fail(problem.into());
                    return None;
                }
            }
        };
        shared
            .observer
            .see(Progress::Executed { case, requests: execution.exchanges.len() as u64 });
        if execution.cut {
            if execution.exchanges.iter().all(|e| e.answer.response().is_none()) {
                locked(&shared.collector).add_sent(execution.size());
            } else {
                judge_and_collect(shared, case, run, seed, &Arc::new(execution));
            }
            return None;
        }
        match retry_reason(&execution) {
            Some(RetryReason::Load(seconds)) => {
                let pause = Duration::from_secs(seconds.min(60));
                shared.environment.sender.pace.back_off(pause);
                if let Some(released) = overloaded_group(&execution) {
                    shared.environment.fewer_at_once(released);
                }
                if attempt + 1 == LOAD_ATTEMPTS {
                    let told =
                        locked(&shared.collector).unanswered(case, selected.rule, &execution);
                    shared.io(told);
                    return None;
                }
                locked(&shared.collector).add_sent(execution.size());
            }
            // Neither the target nor a rule is judged by a connection that was never made.
            Some(RetryReason::Unreached) => {
                locked(&shared.collector).add_sent(execution.size());
                match UNREACHED.get(attempt as usize) {
                    Some(pause) => shared.environment.pause(*pause).await,
                    None => {
                        let base = &shared.environment.sender.target.base;
                        let why = unreached(&execution).map_or("", |loss| loss.message.as_str());
                        shared.end(CancelReason::TargetUnusable(format!(
                            "{base} can't be reached: {why}"
                        )));
                        return None;
                    }
                }
            }
            Some(RetryReason::Lost) if attempt == 0 => {
                locked(&shared.collector).add_lost(execution.size());
                fresh = true;
            }
            Some(RetryReason::Credentials) if attempt == 0 => {
                locked(&shared.collector).add_sent(execution.size());
                if credentials_are_refused(&shared.environment).await {
                    shared.end(CancelReason::TargetUnusable(
                        "the target refuses the credentials since a while: has the token expired?"
                            .to_owned(),
                    ));
                    return None;
                }
            }
            _ => {
                let evaluation = judge_and_collect(shared, case, run, seed, &Arc::new(execution));
                return (attempt == 0).then_some(evaluation);
            }
        }
    }
    None
}

fn judge_and_collect(
    shared: &Arc<RunContext>,
    case: &str,
    run: u64,
    seed: u64,
    execution: &Arc<Execution>,
) -> Evaluation {
    let mut evaluation = execution.judge(&shared.environment);
    if execution.streamed.is_none() && !shared.options.verdicts_only {
        for exchange in &execution.exchanges {
            evaluation.covered.count(shared.environment.generator.coverage(), exchange);
        }
    }
    let mut collector = locked(&shared.collector);
    let taken =
        collector.add_execution(case, run, seed, execution, &evaluation, shared.observer.as_ref());
    let found = collector.findings.len();
    drop(collector);
    shared.io(taken);
    if shared.options.max_findings.is_some_and(|max| found >= max) {
        shared.end(CancelReason::Requested(format!("{found} findings: --max-findings is reached")));
    }
    evaluation
}
