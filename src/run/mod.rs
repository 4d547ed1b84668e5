//! A run: preflight, executions, confirmation, rules of the run's scope, and the record of it all.

mod confirm;
mod head;
mod pass_counter;
mod plan;
mod preflight;
mod run_range;
mod schedule;
mod shared;
mod soak_worker;
mod verdict_cache;

use std::sync::{Arc, Mutex};
use std::time::Instant;

pub use plan::{Plan, PlannedCase, not_run, notes, plan};
pub use preflight::{Preflight, profile_to_paste};
pub use run_range::RunRange;
pub use shared::EngineError;

use self::confirm::confirm;
use self::head::{head, now};
use self::preflight::send_preflight;
use self::schedule::run_all;
use self::shared::RunContext;
use crate::collect::Collector;
use crate::execution::{SelectedCase, probe_drops};
use crate::export;
use crate::record::{Event, Recorder, RunTail, Summary};
use crate::session::{
    Amount, Budget, CancelReason, Environment, Observer, Progress, RunOptions, locked, reserve,
};
use crate::shrink::shrink;

/// What a run came to.
pub struct RunReport {
    /// Everything that was found.
    pub summary: Summary,
}

/// Runs `selected` against the environment's target.
///
/// # Errors
/// [`EngineError`] where the record can't be written or a case's file can't be used. What the target did
/// wrong is in the summary.
pub async fn run(
    environment: Arc<Environment>,
    selected: Vec<SelectedCase>,
    options: RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<RunReport, EngineError> {
    let started = Instant::now();
    // What the target speaks decides which cases apply.
    environment.sender.discover().await;
    environment.sender.begin_patience();
    let planned = plan(&environment, &options, &selected);
    let (executions, requests, items) = planned.totals();
    let head = head(&environment, &selected, &options, Amount::new(requests, items));
    let redactor = environment.sender.token().redactor(&environment.profile.secrets);
    let recorder = options.report_dir.as_deref().map(Recorder::new);
    let base = environment.sender.target.base.clone();
    let collector =
        Collector::new(recorder, redactor, base).for_verdicts_only(options.verdicts_only);
    let shared = Arc::new(RunContext {
        known: selected.iter().map(|_| Mutex::default()).collect(),
        first: selected.iter().map(|_| tokio::sync::Mutex::default()).collect(),
        idle: Mutex::default(),
        environment,
        selected: Arc::new(selected),
        collector: Mutex::new(collector),
        observer,
        options,
        failure: Mutex::new(None),
    });
    let clock = shared.options.max_time.map(|time| {
        let cancellation = shared.environment.cancellation.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            cancellation.cancel(CancelReason::Requested("--max-time is over".to_owned()));
        })
    });
    for case in &planned.cases {
        locked(&shared.collector).expects(&case.case, case.runs.len());
    }
    let begun = locked(&shared.collector).write(Event::RunStarted(Box::new(head)));
    shared.io(begun);
    for text in shared.options.notes.clone() {
        let noted = locked(&shared.collector).write(Event::Note { text });
        shared.io(noted);
    }
    shared.observer.see(Progress::Planned { executions, requests, items });
    let mut advice = None;
    if shared.options.preflight && executions > 0 {
        advice = run_preflight(&shared).await;
    }
    if !shared.is_stopped() {
        run_all(&shared, &planned).await;
    }
    let planned = Amount::new(requests, items);
    let budget = Arc::new(Budget::new(left_for_repeats(&shared, planned)));
    if !shared.is_stopped() {
        probing(&shared, &budget).await;
    }
    let profile = &shared.environment.profile;
    let judged = locked(&shared.collector)
        .evaluate_run(|rule| profile.skip_reason(rule).is_some(), shared.observer.as_ref());
    shared.io(judged);
    if !shared.is_stopped() {
        confirming(&shared, &budget).await;
    }
    if let Some(clock) = clock {
        clock.abort();
    }
    if let Some(dir) = &shared.options.save_cases {
        let mut collector = locked(&shared.collector);
        let saved = export::all(&shared.environment, &shared.options, &mut collector, dir);
        drop(collector);
        if let Err(source) = saved {
            shared.fail(EngineError::Record { path: dir.display().to_string(), source });
        }
    }
    finish(&shared, started, advice)?;
    let collector = locked(&shared.collector);
    let summary = Summary::from_events(&collector.events).ok_or(EngineError::NoRecord)?;
    Ok(RunReport { summary })
}

async fn run_preflight(shared: &Arc<RunContext>) -> Option<String> {
    let mut exchanges = Vec::new();
    let outcome = send_preflight(&shared.environment, &mut exchanges).await;
    let items = exchanges.iter().map(|e| e.intent.items().len() as u64).sum();
    locked(&shared.collector).add_sent(Amount::new(exchanges.len() as u64, items));
    match outcome {
        Preflight::Passed => None,
        Preflight::Stopped { why, advice } => {
            let why = locked(&shared.collector).clean(&why);
            let advice = locked(&shared.collector).clean(&advice);
            shared.end(CancelReason::TargetUnusable(why));
            Some(advice)
        }
    }
}

/// What confirming and shrinking may spend: what was sent again leaves less of the reserve, but half of it.
fn left_for_repeats(shared: &RunContext, planned: Amount) -> Amount {
    let whole = reserve(shared.options.depth, planned);
    let again = locked(&shared.collector).sent_again;
    let left = |whole: u64, again: u64| whole.saturating_sub(again).max(whole / 2);
    let items = left(whole.items, again.items).min(shared.environment.items_left());
    Amount::new(left(whole.requests, again.requests), items)
}

/// Asks again where answers got lost.
async fn probing(shared: &Arc<RunContext>, budget: &Budget) {
    let lost = locked(&shared.collector).lost;
    // Half of what is left is for repeats.
    let room = budget.left().share(2).requests;
    let probe = probe_drops(&shared.environment, &shared.selected, lost, room).await;
    budget.charge(Amount::new(probe.result.sent, probe.result.sent));
    locked(&shared.collector).add_drop_probe(probe);
}

async fn confirming(shared: &Arc<RunContext>, budget: &Arc<Budget>) {
    // Nothing else runs now, so the collector can be taken out while repeats go on.
    shared.environment.sender.responses.mark();
    let empty = Collector::new(None, crate::exchange::Redactor::default(), String::new());
    let mut collector = std::mem::replace(&mut *locked(&shared.collector), empty);
    if !collector.order.is_empty() {
        shared.observer.see(Progress::Confirming { findings: collector.order.len() });
        confirm(shared, &mut collector, budget).await;
        shared.observer.see(Progress::Shrinking);
        let (environment, selected) = (&shared.environment, &shared.selected);
        let shrunk = shrink(environment, selected, &shared.options, &mut collector, budget).await;
        shared.io(shrunk);
    }
    *locked(&shared.collector) = collector;
}

fn finish(
    shared: &Arc<RunContext>,
    started: Instant,
    advice: Option<String>,
) -> Result<(), EngineError> {
    let mut collector = locked(&shared.collector);
    if collector.lost > 0 {
        let text = format!(
            "{} lost a response and were sent again: an idle connection may be closed, one in use may not",
            counted(collector.lost, "execution")
        );
        let noted = collector.write(Event::Note { text });
        shared.io(noted);
    }
    if let Some(text) = collector.note_on_size() {
        let noted = collector.write(Event::Note { text });
        shared.io(noted);
    }
    let accepted = collector.accepted();
    let finished = collector.finish();
    shared.io(finished);
    let (trouble, cut_short) = match shared.environment.cancellation.reason() {
        None => (Vec::new(), false),
        Some(CancelReason::Requested(why)) => (vec![why], true),
        Some(CancelReason::TargetUnusable(why)) => (vec![why], false),
    };
    let stopped = shared.environment.sender.responses.silence();
    let tail = RunTail {
        stopped: stopped.map(|silence| (silence.after, silence.since)),
        finished: now(),
        seconds: started.elapsed().as_secs_f64(),
        trouble,
        cut_short,
        left_behind: accepted,
        requests: collector.sent.requests,
        items: collector.sent.items,
        advice,
    };
    let ended = collector.write(Event::RunFinished(Box::new(tail)));
    drop(collector);
    shared.io(ended);
    match locked(&shared.failure).take() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
