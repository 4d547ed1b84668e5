//! A run: opening, trials, confirmation, rules of the run's scope, and the record of it all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::collect::Collector;
use super::confirm::confirm;
use super::environment::Environment;
use super::opening::{Opening, open};
use super::options::{RunOptions, Stop};
use super::plan::{held_back, plan};
use super::progress::{Observer, Progress};
use super::schedule::all_trials;
use super::select::Selected;
use super::stint::{Known, Worker};
use crate::check::rules;
use crate::contract::{Problem, hex};
use crate::record::{Event, Recorder, RuleInfo, RunHead, RunTail, SpecInfo, Summary, VERSION};

/// Why a run could not do its job.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The record can't be written.
    #[error("{path}: {source}\n  expected: a directory that can be written to")]
    Record {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file that a case names can't be used.
    #[error("{0}")]
    Case(#[from] Problem),
    /// The record does not add up.
    #[error("the run left no record: a defect of batchproof")]
    NoRecord,
}

/// What is under way when a run is cut short has this long to end.
const GRACE: Duration = Duration::from_secs(1);

/// What a run came to.
pub struct RunReport {
    /// Everything that was found.
    pub summary: Summary,
    /// What the user should do, where the opening failed.
    pub advice: Option<String>,
}

/// What all trials of a run share.
pub(super) struct Shared {
    pub environment: Arc<Environment>,
    pub selected: Arc<Vec<Selected>>,
    pub collector: Mutex<Collector>,
    pub observer: Arc<dyn Observer>,
    pub options: RunOptions,
    /// What is known of plainly right answers, by case.
    pub known: Vec<Mutex<Known>>,
    /// Workers between two stints.
    idle: Mutex<Vec<Worker>>,
    stopped: AtomicBool,
    stop: Mutex<Option<Stop>>,
    failure: Mutex<Option<EngineError>>,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}

impl Shared {
    pub fn end(&self, stop: Stop) {
        let mut place = locked(&self.stop);
        if place.is_none() {
            *place = Some(stop);
        }
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub fn fail(&self, error: EngineError) {
        let mut place = locked(&self.failure);
        if place.is_none() {
            *place = Some(error);
        }
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    pub fn io(&self, result: std::io::Result<()>) {
        if let Err(source) = result {
            self.fail(EngineError::Record { path: self.path(), source });
        }
    }

    /// A worker with nothing to do.
    pub fn worker(&self) -> Worker {
        let idle = locked(&self.idle).pop();
        idle.unwrap_or_else(|| Worker::new(&self.environment))
    }

    /// Takes a worker back.
    pub fn give_back(&self, worker: Worker) {
        locked(&self.idle).push(worker);
    }

    fn path(&self) -> String {
        self.options.report_dir.as_ref().map(|d| d.display().to_string()).unwrap_or_default()
    }
}

/// Runs `selected` against the environment's target.
///
/// # Errors
/// [`EngineError`] where the record can't be written or a case's file can't be used. What the target did
/// wrong is in the summary.
pub async fn run(
    environment: Arc<Environment>,
    selected: Vec<Selected>,
    options: RunOptions,
    observer: Arc<dyn Observer>,
) -> Result<RunReport, EngineError> {
    let started = Instant::now();
    let planned = plan(&environment, &options, &selected);
    let (trials, requests, items) = planned.totals();
    let head = head(&environment, &selected, &options, (requests, items));
    let headers: Vec<String> = environment.profile.headers.values().cloned().collect();
    let redactor = environment.sender.token().redactor(&headers);
    let recorder = options.report_dir.as_deref().map(Recorder::new);
    let collector = Collector::new(recorder, redactor, environment.sender.target.base.clone());
    let shared = Arc::new(Shared {
        known: selected.iter().map(|_| Mutex::default()).collect(),
        idle: Mutex::default(),
        environment,
        selected: Arc::new(selected),
        collector: Mutex::new(collector),
        observer,
        options,
        stopped: AtomicBool::new(false),
        stop: Mutex::new(None),
        failure: Mutex::new(None),
    });
    let begun = locked(&shared.collector).write(Event::RunStarted(Box::new(head)));
    shared.io(begun);
    for chosen in shared.selected.iter() {
        if let Some(reason) = held_back(&shared.environment, chosen) {
            let text = format!("{} was not run: {reason}", chosen.case.id);
            let noted = locked(&shared.collector).write(Event::Note { text });
            shared.io(noted);
        }
    }
    shared.observer.see(Progress::Planned { trials, requests, items });
    let mut advice = None;
    if shared.options.opening && trials > 0 {
        advice = opening(&shared).await;
    }
    if !shared.is_stopped() {
        let mut work = std::pin::pin!(all_trials(&shared, &planned));
        tokio::select! {
            () = &mut work => {}
            stop = interrupted(shared.options.max_time.map(|t| t.saturating_sub(started.elapsed()))) => {
                shared.end(stop);
                // What is under way may end, and be counted.
                let _ = tokio::time::timeout(GRACE, work).await;
            }
        }
    }
    let cut = shared.is_stopped();
    if !cut {
        confirming(&shared, requests).await;
    }
    finish(&shared, started)?;
    let collector = locked(&shared.collector);
    let summary = Summary::of(&collector.events).ok_or(EngineError::NoRecord)?;
    Ok(RunReport { summary, advice })
}

/// Waits for Ctrl-C, SIGTERM or the end of the time.
async fn interrupted(max_time: Option<Duration>) -> Stop {
    let clock = async {
        match max_time {
            Some(time) => tokio::time::sleep(time).await,
            None => std::future::pending().await,
        }
    };
    let term = async {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            if let Ok(mut stream) = signal(SignalKind::terminate()) {
                stream.recv().await;
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = clock => Stop::Cut("--max-time is over".to_owned()),
        _ = tokio::signal::ctrl_c() => Stop::Cut("interrupted".to_owned()),
        () = term => Stop::Cut("terminated".to_owned()),
    }
}

async fn opening(shared: &Arc<Shared>) -> Option<String> {
    let mut exchanges = Vec::new();
    let outcome = open(&shared.environment, &mut exchanges).await;
    let items = exchanges.iter().map(|e| e.intent.items().len() as u64).sum();
    locked(&shared.collector).add_sent((exchanges.len() as u64, items));
    match outcome {
        Opening::Good => None,
        Opening::Stop { why, advice } => {
            let why = locked(&shared.collector).clean(&why);
            let advice = locked(&shared.collector).clean(&advice);
            shared.end(Stop::Trouble(why));
            Some(advice)
        }
    }
}

async fn confirming(shared: &Arc<Shared>, planned: u64) {
    // Nothing else runs now, so the collector can be taken out while repeats go on.
    let empty = Collector::new(None, crate::send::Redactor::default(), String::new());
    let mut collector = std::mem::replace(&mut *locked(&shared.collector), empty);
    if !collector.order.is_empty() {
        shared.observer.see(Progress::Confirming { findings: collector.order.len() });
        let sent = confirm(
            &shared.environment,
            &shared.selected,
            shared.options.seed,
            &mut collector,
            planned,
            shared.options.repeat_proven,
        )
        .await;
        collector.sent.0 += sent.0;
        collector.sent.1 += sent.1;
    }
    *locked(&shared.collector) = collector;
}

fn finish(shared: &Arc<Shared>, started: Instant) -> Result<(), EngineError> {
    let mut collector = locked(&shared.collector);
    let profile = &shared.environment.profile;
    let judged =
        collector.judge_run(|rule| profile.skip_reason(rule).is_some(), shared.observer.as_ref());
    shared.io(judged);
    if collector.lost > 0 {
        let text = format!(
            "{} lost an answer and were sent again: an idle connection may be closed, one in use may not",
            counted(collector.lost, "trial")
        );
        let noted = collector.write(Event::Note { text });
        shared.io(noted);
    }
    let accepted = collector.accepted();
    let finished = collector.finish();
    shared.io(finished);
    let stop = locked(&shared.stop).clone();
    let (trouble, cut_short) = match stop {
        None => (Vec::new(), false),
        Some(Stop::Cut(why)) => (vec![why], true),
        Some(Stop::Trouble(why)) => (vec![why], false),
    };
    let tail = RunTail {
        finished: now(),
        seconds: started.elapsed().as_secs_f64(),
        trouble,
        cut_short,
        left_behind: accepted,
        requests: collector.sent.0,
        items: collector.sent.1,
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

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn head(
    environment: &Environment,
    selected: &[Selected],
    options: &RunOptions,
    planned: (u64, u64),
) -> RunHead {
    let contract = &environment.contract;
    let mut hasher = Sha256::new();
    for chosen in selected {
        hasher.update(chosen.case.id.as_bytes());
        hasher.update(chosen.case.hash.as_bytes());
    }
    let profile = &environment.profile;
    let mut shown = serde_json::to_value(profile.as_ref()).unwrap_or_default();
    if let Some(headers) = shown.get_mut("headers").and_then(|h| h.as_object_mut()) {
        headers.values_mut().for_each(|v| *v = crate::send::REDACTED.into());
    }
    RunHead {
        version: VERSION,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: options.run_id.clone(),
        seed: options.seed,
        depth: options.depth,
        started: now(),
        target: options.target.clone(),
        strict: options.strict,
        partition: options.partition,
        specification: SpecInfo {
            title: contract.batch.title.clone(),
            endpoint: format!("{} {}", contract.operation.method, contract.operation.path),
            hash: contract.hash.clone(),
        },
        suite: hex(&hasher.finalize()),
        cases: selected.iter().map(|s| (s.case.id.clone(), s.case.spec.title.clone())).collect(),
        files: selected
            .iter()
            .filter(|s| s.case.dir.is_some())
            .map(|s| (s.case.id.clone(), s.case.file.clone()))
            .collect(),
        whole_suite: options.whole_suite,
        rules: rules::all()
            .iter()
            .map(|r| RuleInfo {
                id: r.id.to_owned(),
                level: r.level,
                title: r.title.to_owned(),
                cite: r.cite.to_owned(),
            })
            .collect(),
        profile: Some(shown),
        skipped: profile.skip.clone(),
        planned,
    }
}
