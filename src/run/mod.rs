//! A run: preflight, executions, confirmation, rules of the run's scope, and the record of it all.

mod allot;
mod beside;
mod case_size;
mod confirm;
mod head;
mod pass_counter;
mod plan;
mod preflight;
mod run_range;
mod schedule;
mod shared;
mod soak_worker;
mod timeline;
mod verdict_cache;
mod wait;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

pub use plan::{Plan, PlannedCase, not_run, notes, plan};
pub use preflight::{Preflight, profile_to_paste};
pub use run_range::RunRange;
pub use shared::EngineError;

use self::beside::{begin_lockstep, repeat_differences};
use self::case_size::is_scarce;
use self::confirm::confirm;
use self::head::head;
use self::plan::may_observe;
use self::preflight::{observe_refusal_mode, send_preflight};
use self::schedule::run_all;
use self::shared::RunContext;
use self::timeline::Watcher;
pub use self::wait::wait_until_up;
use crate::collect::Collector;
use crate::contract::RefusalMode;
use crate::contract::text::counted;
use crate::execution::{SelectedCase, probe_drops};
use crate::export;
use crate::hooks::{HookContext, HookDone, HookKind, run_hook};
use crate::lockstep::{Against, Lockstep};
use crate::record::{
    CleanedUp, Event, Phase, Recorder, RunTail, Summary, TimelineSlice, now, threshold_rule,
};
use crate::session::{
    Amount, Budget, CancelReason, Environment, KeyLog, Observer, Progress, RunOptions, locked,
    reserve,
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
    run_against(environment, selected, options, observer, None).await
}

/// The same in lockstep with an older target, where one is given.
///
/// # Errors
/// As for [`run`].
pub async fn run_against(
    environment: Arc<Environment>,
    selected: Vec<SelectedCase>,
    options: RunOptions,
    observer: Arc<dyn Observer>,
    against: Option<Against>,
) -> Result<RunReport, EngineError> {
    let started = Instant::now();
    let clock = clock(&environment, &options);
    let before = sent(&environment);
    let watcher = Watcher::start(&environment, started);
    let absent = match options.wait {
        Some(time) => wait_until_up(&environment, time, observer.as_ref()).await,
        None => None,
    };
    // What the target speaks decides which cases apply.
    environment.sender.discover().await;
    environment.sender.begin_patience();
    let planned = plan(&environment, &options, &selected);
    let (executions, requests, items) = planned.totals();
    let mut head = head(&environment, &selected, &options, Amount::new(requests, items));
    head.against = against.as_ref().map(Against::head);
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
        lockstep: OnceLock::new(),
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
    shared.observer.see(Progress::Planned { executions, endless: planned.endless });
    let mut advice = None;
    if let Some(why) = absent {
        shared.end(CancelReason::TargetUnusable(why));
        advice = Some("Does it need longer to start? Is the address right?".to_owned());
    }
    let prepared = prepare(&shared).await;
    if !shared.is_stopped() && shared.options.preflight && executions > 0 {
        advice = run_preflight(&shared).await;
    }
    advice = begin_lockstep(&shared, against.as_ref()).await.or(advice);
    let mut planned = planned;
    if !shared.is_stopped()
        && is_scarce(&shared.options)
        && let Some(refusal_mode) = observe(&shared).await
    {
        planned = plan_for(&shared, refusal_mode, &planned);
    }
    let whole = reserve_of(&shared, planned.of_cases());
    let budget = Arc::clone(&shared.environment.reserve);
    // What is sent again leaves half of the reserve to repeats; a run without end has as many tries.
    let endless = shared.options.duration.is_some();
    budget.set(if endless { Amount::ENDLESS } else { whole.share(2) });
    watcher.phase(Phase::Cases);
    if !shared.is_stopped() {
        run_all(&shared, &planned).await;
    }
    let left = Amount::new(u64::MAX, shared.environment.items_left());
    if endless {
        budget.set(Amount::default());
    }
    budget.add(whole.share(2), left);
    watcher.phase(Phase::Repeats);
    if !shared.is_stopped() {
        probing(&shared, &budget).await;
    }
    judge_run(&shared);
    if !shared.is_stopped() {
        Box::pin(confirming(&shared, &budget)).await;
    }
    if let Some(clock) = clock {
        clock.abort();
    }
    let timeline = watcher.end();
    if let Some(dir) = &shared.options.save_cases {
        let mut collector = locked(&shared.collector);
        let saved = export::all(&shared.environment, &shared.options, &mut collector, dir);
        drop(collector);
        if let Err(source) = saved {
            shared.fail(EngineError::Record { path: dir.display().to_string(), source });
        }
    }
    // What the hooks send is theirs, and not the run's.
    let after = sent(&shared.environment);
    let run = after.minus(before).minus(prepared.sent);
    let cleaned_up = clean_up(&shared, &prepared, run).await;
    finish(&shared, started, timeline, (advice, run, cleaned_up))?;
    let collector = locked(&shared.collector);
    let summary = Summary::from_events(&collector.events).ok_or(EngineError::NoRecord)?;
    Ok(RunReport { summary })
}

/// Whether the profile skips what cases of the user expect.
fn is_skipped(shared: &RunContext) -> bool {
    shared.environment.profile.skip_reason(threshold_rule().id).is_some()
}

/// Judges what only the whole run shows.
fn judge_run(shared: &RunContext) {
    let profile = &shared.environment.profile;
    let judged = locked(&shared.collector)
        .evaluate_run(|rule| profile.skip_reason(rule).is_some(), shared.observer.as_ref());
    shared.io(judged);
    let thresholds = shared
        .selected
        .iter()
        .filter_map(|s| Some((s.case.id.as_str(), s.case.spec.thresholds.as_ref()?)));
    let measured = locked(&shared.collector)
        .judge_thresholds(thresholds.filter(|_| !is_skipped(shared)), shared.observer.as_ref());
    shared.io(measured);
}

/// Ends the run when `--max-time` is over.
fn clock(environment: &Environment, options: &RunOptions) -> Option<tokio::task::JoinHandle<()>> {
    let (time, cancellation) = (options.max_time?, environment.cancellation.clone());
    Some(tokio::spawn(async move {
        tokio::time::sleep(time).await;
        cancellation.cancel(CancelReason::Requested("--max-time is over".to_owned()));
    }))
}

/// Requests that left for the target so far, and their items.
fn sent(environment: &Environment) -> Amount {
    let (requests, items) = environment.sender.sent();
    Amount::new(requests, items)
}

/// What came before a run.
#[derive(Default)]
struct Prepared {
    /// Whether the profile's setup did its work.
    set_up: bool,
    /// What it sent.
    sent: Amount,
}

/// Runs the profile's setup, and has keys taken down for its clean-up.
async fn prepare(shared: &Arc<RunContext>) -> Prepared {
    let mut prepared = Prepared::default();
    let Some(dir) = shared.options.report_dir.as_deref().filter(|_| !shared.is_stopped()) else {
        return prepared;
    };
    let profile = &shared.environment.profile;
    if profile.cleanup.is_some() {
        match KeyLog::create(dir) {
            Ok(log) => _ = shared.environment.key_log.set(log),
            Err(source) => shared.io(Err(source)),
        }
    }
    if let Some(hook) = &profile.setup
        && !shared.is_stopped()
    {
        let before = sent(&shared.environment);
        match run_hook(&hook_context(shared, dir), HookKind::Setup, hook).await {
            Ok(_) => prepared.set_up = true,
            Err(why) => {
                shared.end(CancelReason::TargetUnusable(format!("The setup failed: {why}")));
            }
        }
        prepared.sent = sent(&shared.environment).minus(before);
    }
    prepared
}

/// Runs the profile's clean-up, however the run ended; for how many keys, where it did its work. That it failed
/// changes no verdict.
async fn clean_up(shared: &Arc<RunContext>, prepared: &Prepared, run: Amount) -> Option<CleanedUp> {
    let (Some(dir), Some(hook)) =
        (shared.options.report_dir.as_deref(), &shared.environment.profile.cleanup)
    else {
        return None;
    };
    // Where neither the setup nor the run left anything, there is nothing to remove.
    if !prepared.set_up && run == Amount::default() {
        return None;
    }
    shared.observer.see(Progress::Note("the clean-up runs"));
    let (text, done) = match run_hook(&hook_context(shared, dir), HookKind::Cleanup, hook).await {
        Ok(HookDone { keys, requests }) => {
            let text = format!("the clean-up ran, for {}", counted(keys, "key"));
            (text, Some(CleanedUp { keys, requests }))
        }
        Err(why) => {
            // No record holds a command.
            let with = if hook.command.is_some() { " --profile FILE" } else { "" };
            let text = format!(
                "the clean-up failed: {why}\nWhat the run sent may still be there; `batchproof cleanup {}{with}` runs \
                 the clean-up again.",
                dir.display()
            );
            (text, None)
        }
    };
    let text = locked(&shared.collector).clean(&text);
    let noted = locked(&shared.collector).write(Event::Note { text });
    shared.io(noted);
    done
}

fn hook_context<'a>(shared: &'a RunContext, dir: &'a std::path::Path) -> HookContext<'a> {
    HookContext {
        environment: &shared.environment,
        dir,
        run_id: &shared.options.run_id,
        jobs: shared.options.jobs,
    }
}

async fn run_preflight(shared: &Arc<RunContext>) -> Option<String> {
    let mut exchanges = Vec::new();
    let mut outcome = send_preflight(&shared.environment, &mut exchanges).await;
    if matches!(outcome, Preflight::Passed) {
        outcome = preflight::tenant::send_preflight(&shared.environment, &mut exchanges).await;
    }
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

/// How the target refuses broken items, where the plan depends on it.
async fn observe(shared: &Arc<RunContext>) -> Option<RefusalMode> {
    if !may_observe(&shared.options) {
        return None;
    }
    if let Some(documented) = shared.environment.contract.refusal_mode() {
        return Some(documented);
    }
    observe_refusal_mode(&shared.environment, &mut Vec::new()).await
}

/// Plans again for what the preflight observed, and notes it.
fn plan_for(shared: &Arc<RunContext>, refusal_mode: RefusalMode, before: &Plan) -> Plan {
    let options = RunOptions { refusal_mode: Some(refusal_mode), ..shared.options.clone() };
    let mut planned = plan(&shared.environment, &options, &shared.selected);
    planned.preflight = before.preflight;
    for case in &planned.cases {
        locked(&shared.collector).expects(&case.case, case.runs.len());
    }
    let (executions, requests, items) = planned.totals();
    let noted = locked(&shared.collector).write(Event::Planned { refusal_mode, requests, items });
    shared.io(noted);
    if executions != before.totals().0 {
        shared.observer.see(Progress::Planned { executions, endless: planned.endless });
    }
    planned
}

/// What sending again, confirming and shrinking may spend, within what the profile allows beside what is planned.
fn reserve_of(shared: &RunContext, planned: Amount) -> Amount {
    let parts = shared.options.partition.map_or(1, |(_, parts)| u64::from(parts));
    let whole = reserve(shared.options.depth, planned).share(parts);
    let spare = shared.environment.items_left().saturating_sub(planned.items);
    Amount::new(whole.requests, whole.items.min(spare))
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
    Box::pin(repeat_differences(shared, budget)).await;
    // Nothing else runs now, so the collector can be taken out while repeats go on.
    shared.environment.sender.responses.mark();
    let empty = Collector::new(None, crate::exchange::Redactor::default(), String::new());
    let mut collector = std::mem::replace(&mut *locked(&shared.collector), empty);
    if !collector.order.is_empty() {
        shared.observer.see(Progress::Confirming { findings: collector.order.len() });
        let hopeless = confirm(shared, &mut collector, budget).await;
        shared.observer.see(Progress::Shrinking);
        let (environment, selected) = (&shared.environment, &shared.selected);
        let shrunk =
            Box::pin(shrink(environment, selected, &shared.options, &mut collector, budget)).await;
        shared.io(shrunk);
        if let Some(why) = hopeless {
            shared.end(CancelReason::TargetUnusable(why));
        }
    }
    *locked(&shared.collector) = collector;
}

fn finish(
    shared: &Arc<RunContext>,
    started: Instant,
    timeline: Vec<TimelineSlice>,
    (advice, run, cleaned_up): (Option<String>, Amount, Option<CleanedUp>),
) -> Result<(), EngineError> {
    let mut collector = locked(&shared.collector);
    if collector.lost > 0 {
        let text = format!(
            "{} lost a response and {} sent again: an idle connection may be closed, one in use may not",
            counted(collector.lost, "execution"),
            if collector.lost == 1 { "was" } else { "were" }
        );
        let noted = collector.write(Event::Note { text });
        shared.io(noted);
    }
    if let Some(text) = collector.note_on_size() {
        let noted = collector.write(Event::Note { text });
        shared.io(noted);
    }
    let gone =
        matches!(shared.environment.cancellation.reason(), Some(CancelReason::TargetUnusable(_)));
    if let Some(too_many) = shared.environment.too_many_connections().filter(|_| !gone) {
        let too_many = match too_many {
            0 | 1 => "a further connection while others were open".to_owned(),
            many => format!("{many} connections at once"),
        };
        let text = format!(
            "the target did not take {too_many}: fewer requests were sent at once, each on a connection of its own"
        );
        let noted = collector.write(Event::Note { text });
        shared.io(noted);
    }
    let accepted = collector.accepted();
    for event in shared.lockstep.get().map(Lockstep::events).into_iter().flatten() {
        let compared = collector.write(event);
        shared.io(compared);
    }
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
        timeline,
        left_behind: accepted,
        cleaned_up,
        requests: run.requests,
        items: run.items,
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
