//! Schedules the executions of a run: which are under way at once, what is tried again, what is judged.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::pass_counter::PassCounter;
use super::plan::Plan;
use super::run_range::RunRange;
use super::shared::RunContext;
use super::soak_worker::{self, RunOutcome};
use crate::attempt::{AttemptOutcome, ExecutionSource, attempt};
use crate::check::Evaluation;
use crate::execution::{Execution, JOBS, RetryReason, SelectedCase, case_seed};
use crate::session::{CancelReason, Progress, locked};

/// Most runs of a case that one task takes on, one after the other.
const SOAK_CHUNK: u64 = 512;
/// From this number of runs of a case on, soak workers run it: with fewer, nothing is gained.
const MANY: u64 = 1000;

/// Runs everything that is planned.
pub(super) async fn run_all(shared: &Arc<RunContext>, planned: &Plan) {
    if let Some(time) = shared.options.duration {
        return run_for(shared, planned, time).await;
    }
    let permits = Arc::new(Semaphore::new(shared.options.jobs.max(1)));
    let mut tasks = JoinSet::new();
    // Executions that span the run begin before all others, and hold a permit only while they send.
    let mut spanning = JoinSet::new();
    for (index, case) in planned.cases.iter().enumerate() {
        if spans_run(&shared.selected[index]) {
            for run in case.runs.iter() {
                let (shared, jobs) = (Arc::clone(shared), Arc::clone(&permits));
                spanning.spawn(JOBS.scope(jobs, async move {
                    run_once(&shared, index, run, None).await;
                }));
            }
        }
    }
    for alone in [false, true] {
        for (index, case) in planned.order.iter().map(|index| (*index, &planned.cases[*index])) {
            let selected = &shared.selected[index];
            if selected.case.spec.alone != alone || spans_run(selected) {
                continue;
            }
            let many = case.runs.len() >= MANY;
            let most = if many && can_soak(shared, selected) {
                (case.runs.len() / (shared.options.jobs.max(1) as u64 * 4)).clamp(1, SOAK_CHUNK)
            } else {
                0
            };
            for part in case.runs.chunks(most.max(1)) {
                if shared.is_stopped() {
                    break;
                }
                if alone {
                    run_each(shared, index, part, most > 0, None).await;
                    continue;
                }
                let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
                let shared = Arc::clone(shared);
                tasks.spawn(async move {
                    run_each(&shared, index, part, most > 0, None).await;
                    drop(permit);
                });
                while tasks.try_join_next().is_some() {}
            }
        }
        while tasks.join_next().await.is_some() {}
    }
    shared.ended();
    while spanning.join_next().await.is_some() {}
}

/// Runs the cases in turns until the time is over. What is under way then comes to its end, so that the run has a
/// verdict.
async fn run_for(shared: &Arc<RunContext>, planned: &Plan, time: Duration) {
    let until = Instant::now() + time;
    let is_alone = shared.selected.iter().any(|s| s.case.spec.alone);
    let jobs = if is_alone { 1 } else { shared.options.jobs.max(1) };
    let permits = Arc::new(Semaphore::new(jobs));
    let mut tasks = JoinSet::new();
    let mut turns: Vec<_> = planned
        .cases
        .iter()
        .enumerate()
        .filter(|(_, case)| !case.runs.is_empty())
        .map(|(index, case)| {
            let is_soak = can_soak(shared, &shared.selected[index]);
            (index, is_soak, case.runs.chunks(if is_soak { SOAK_CHUNK } else { 1 }))
        })
        .collect();
    while !shared.is_stopped() && !turns.is_empty() {
        for (index, is_soak, chunks) in &mut turns {
            let permit = tokio::time::timeout_at(until, Arc::clone(&permits).acquire_owned()).await;
            let (Ok(Ok(permit)), Some(part)) = (permit, chunks.next()) else {
                // What waits for the end of the run goes on now.
                shared.ended();
                while tasks.join_next().await.is_some() {}
                return;
            };
            let (shared, index, is_soak) = (Arc::clone(shared), *index, *is_soak);
            tasks.spawn(async move {
                run_each(&shared, index, part, is_soak, Some(until)).await;
                drop(permit);
            });
            while tasks.try_join_next().is_some() {}
        }
    }
    shared.ended();
    while tasks.join_next().await.is_some() {}
}

/// Whether soak workers may run it: they keep no answer that could be compared.
fn can_soak(shared: &RunContext, selected: &SelectedCase) -> bool {
    shared.lockstep.get().is_none() && soak_worker::can_soak(&shared.environment, selected)
}

/// Whether the case mostly waits: for the end of the run, or for time to pass.
fn spans_run(selected: &SelectedCase) -> bool {
    let case = &selected.case;
    !case.spec.alone && (case.waits() >= 500 || case.spec.steps.iter().flatten().any(|s| s.at_end))
}

async fn run_each(
    shared: &Arc<RunContext>,
    index: usize,
    runs: RunRange,
    is_soak: bool,
    until: Option<Instant>,
) {
    if is_soak {
        return soak(shared, index, runs, until).await;
    }
    for run in runs.iter().take_while(|_| !is_over(until)) {
        run_once(shared, index, run, None).await;
    }
}

fn is_over(until: Option<Instant>) -> bool {
    until.is_some_and(|until| Instant::now() >= until)
}

/// Runs of a generated case one after the other, on one connection.
async fn soak(shared: &Arc<RunContext>, index: usize, runs: RunRange, until: Option<Instant>) {
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
    for run in runs.iter().take_while(|_| !is_over(until)) {
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
            RunOutcome::TooLarge => {
                counter.hand_over();
                run_once(shared, index, run, None).await;
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

/// One execution, tried again where it was hindered; `begun` is its first try, where one was made already.
/// Gives what the rules said of the first try, where that was judged.
async fn run_once(
    shared: &Arc<RunContext>,
    index: usize,
    run: u64,
    begun: Option<Execution>,
) -> Option<Evaluation> {
    if shared.is_stopped() && begun.is_none() {
        return None;
    }
    let selected = &shared.selected[index];
    let case = &selected.case.id;
    let seed = case_seed(shared.options.seed, case, run);
    let source = ExecutionSource::Case { selected, run, seed: shared.options.seed };
    let lockstep = shared.lockstep.get().filter(|_| begun.is_none());
    let excluded = lockstep.and_then(|lockstep| lockstep.excludes(selected));
    let compared = lockstep.filter(|_| excluded.is_none());
    let (attempted, old) = match compared {
        Some(lockstep) => {
            let (new, old) = Box::pin(lockstep.both(source, false)).await;
            (new, Some(old))
        }
        None => (attempt(&shared.environment, source, begun, false).await, None),
    };
    if let (Some(lockstep), Some(why)) = (lockstep, excluded) {
        lockstep.not_compared(&why);
    }
    let (attempted, old) = match (attempted, old.transpose()) {
        (Ok(attempted), Ok(old)) => (attempted, old),
        (Err(problem), _) | (_, Err(problem)) => {
            shared.fail(problem.into());
            return None;
        }
    };
    let last = attempted.spent().requests - attempted.retried_amount().requests;
    // Before the last execution of the case is counted, with which its record is written down.
    let resent = match &attempted.outcome {
        AttemptOutcome::Answered(execution) | AttemptOutcome::Overloaded(execution) => {
            execution.resent.requests
        }
        _ => 0,
    };
    locked(&shared.collector).add_retried(case, attempted.retried_amount().requests + resent);
    for (reason, amount) in &attempted.retried {
        shared.observer.see(Progress::Executed { case, requests: amount.requests });
        if *reason == RetryReason::Lost {
            locked(&shared.collector).add_lost();
        }
    }
    shared.observer.see(Progress::Executed { case, requests: last });
    match attempted.outcome {
        // What we broke off ourselves is not what the target would have answered: without a finding, nothing is known.
        AttemptOutcome::Answered(execution)
            if execution.was_cut_short()
                && execution.judge(&shared.environment).violations.is_empty() =>
        {
            let counted = locked(&shared.collector).unanswered(case, selected.rule, &execution);
            shared.io(counted);
            None
        }
        AttemptOutcome::Answered(execution) => {
            let old = old.map(|old| old.outcome);
            let evaluation = judge_and_collect(shared, (index, run), seed, execution, old.as_ref());
            attempted.retried.is_empty().then_some(evaluation)
        }
        AttemptOutcome::Overloaded(execution) => {
            if let Some(lockstep) = compared {
                lockstep.not_compared("the newer target answered with load");
            }
            let counted = locked(&shared.collector).unanswered(case, selected.rule, &execution);
            shared.io(counted);
            None
        }
        AttemptOutcome::CredentialsRefused => {
            let why = if shared.environment.sender.token().is_given() {
                "The target has started to reject the credentials. Has the token expired?"
            } else {
                "The target rejects requests without credentials. No token was given: use --token-file FILE or \
                 BATCHPROOF_TOKEN."
            };
            shared.end(CancelReason::TargetUnusable(why.to_owned()));
            None
        }
        // Neither the target nor a rule is judged by a connection that was never made.
        AttemptOutcome::Unreached(why) => {
            shared.end(CancelReason::TargetUnusable(why));
            None
        }
        // What was judged while it came had been seen by then; of anything else nothing is claimed.
        AttemptOutcome::Cancelled(execution) if execution.streamed.is_some() => {
            judge_and_collect(shared, (index, run), seed, execution, None);
            None
        }
        AttemptOutcome::Cancelled(execution) => {
            let accepted = execution.judge(&shared.environment).tally.accepted;
            locked(&shared.collector).accepted_beside += accepted;
            None
        }
    }
}

fn judge_and_collect(
    shared: &Arc<RunContext>,
    (index, run): (usize, u64),
    seed: u64,
    mut execution: Execution,
    old: Option<&AttemptOutcome>,
) -> Evaluation {
    let selected = &shared.selected[index];
    let case = selected.case.id.as_str();
    let mut evaluation = execution.judge(&shared.environment);
    if execution.streamed.is_none() && !shared.options.verdicts_only {
        for exchange in &execution.exchanges {
            evaluation.covered.count(shared.environment.generator.coverage(), exchange);
        }
    }
    if let (Some(lockstep), Some(old)) = (shared.lockstep.get(), old) {
        let found = lockstep.compare((index, selected, run), (&execution, &evaluation), old);
        for event in found {
            let noted = locked(&shared.collector).write(event);
            shared.io(noted);
        }
        if let Some(why) = lockstep.trouble() {
            shared.end(CancelReason::TargetUnusable(why));
        }
    }
    if !evaluation.violations.is_empty() {
        execution.give_back_room();
    }
    let execution = Arc::new(execution);
    let mut collector = locked(&shared.collector);
    let taken =
        collector.add_execution(case, run, seed, &execution, &evaluation, shared.observer.as_ref());
    let found = collector.findings.len();
    drop(collector);
    shared.io(taken);
    if shared.options.max_findings.is_some_and(|max| found >= max) {
        shared.end(CancelReason::Requested(format!("{found} findings: --max-findings is reached")));
    }
    evaluation
}
