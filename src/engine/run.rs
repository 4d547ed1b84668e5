//! A run: opening, trials, confirmation, rules of the run's scope, and the record of it all.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use chrono::{SecondsFormat, Utc};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::collect::Collector;
use super::confirm::confirm;
use super::environment::Environment;
use super::lost::ask;
use super::opening::{Opening, open};
use super::options::{RunOptions, Stop};
use super::plan::{RESERVE, not_run, plan};
use super::progress::{Observer, Progress};
use super::save;
use super::schedule::all_trials;
use super::select::Selected;
use super::shrink::shrink;
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

/// What a run came to.
pub struct RunReport {
    /// Everything that was found.
    pub summary: Summary,
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
    /// Held while the first run of a case that is taken on in stints is under way; true once it was judged.
    pub first: Vec<tokio::sync::Mutex<bool>>,
    /// Workers between two stints.
    idle: Mutex<Vec<Worker>>,
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
        self.environment.halt.end(stop);
    }

    pub fn fail(&self, error: EngineError) {
        self.end(Stop::Trouble(error.to_string()));
        locked(&self.failure).get_or_insert(error);
    }

    pub fn is_stopped(&self) -> bool {
        self.environment.halt.is_reached()
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
    let redactor = environment.sender.token().redactor(&environment.profile.secrets);
    let recorder = options.report_dir.as_deref().map(Recorder::new);
    let base = environment.sender.target.base.clone();
    let collector =
        Collector::new(recorder, redactor, base).for_verdicts_only(options.verdicts_only);
    let shared = Arc::new(Shared {
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
        let halt = shared.environment.halt.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            halt.end(Stop::Cut("--max-time is over".to_owned()));
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
    shared.observer.see(Progress::Planned { trials, requests, items });
    let mut advice = None;
    if shared.options.opening && trials > 0 {
        advice = opening(&shared).await;
    }
    if !shared.is_stopped() {
        all_trials(&shared, &planned).await;
    }
    if !shared.is_stopped() {
        asking(&shared, requests).await;
    }
    let profile = &shared.environment.profile;
    let judged = locked(&shared.collector)
        .evaluate_run(|rule| profile.skip_reason(rule).is_some(), shared.observer.as_ref());
    shared.io(judged);
    if !shared.is_stopped() {
        confirming(&shared, (requests, items)).await;
    }
    if let Some(clock) = clock {
        clock.abort();
    }
    if let Some(dir) = &shared.options.save_cases {
        let mut collector = locked(&shared.collector);
        let saved = save::all(&shared.environment, &shared.options, &mut collector, dir);
        drop(collector);
        if let Err(source) = saved {
            shared.fail(EngineError::Record { path: dir.display().to_string(), source });
        }
    }
    finish(&shared, started, advice)?;
    let collector = locked(&shared.collector);
    let summary = Summary::of(&collector.events).ok_or(EngineError::NoRecord)?;
    Ok(RunReport { summary })
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

/// Asks again where answers got lost.
async fn asking(shared: &Arc<Shared>, planned: u64) {
    let lost = locked(&shared.collector).lost;
    let asked = ask(&shared.environment, &shared.selected, lost, (planned / RESERVE).max(60)).await;
    locked(&shared.collector).add_alone(asked);
}

async fn confirming(shared: &Arc<Shared>, planned: (u64, u64)) {
    // Nothing else runs now, so the collector can be taken out while repeats go on.
    let empty = Collector::new(None, crate::exchange::Redactor::default(), String::new());
    let mut collector = std::mem::replace(&mut *locked(&shared.collector), empty);
    if !collector.order.is_empty() {
        shared.observer.see(Progress::Confirming { findings: collector.order.len() });
        let sent = confirm(
            &shared.environment,
            &shared.selected,
            shared.options.seed,
            &mut collector,
            (planned.0, planned.1),
            shared.options.verdicts_only,
        )
        .await;
        collector.sent.0 += sent.0;
        collector.sent.1 += sent.1;
        let again = collector.sent_again;
        let sent = (sent.0 + again.0, sent.1 + again.1);
        shared.observer.see(Progress::Shrinking);
        let (environment, selected) = (&shared.environment, &shared.selected);
        let shrunk =
            shrink(environment, selected, &shared.options, &mut collector, planned, sent).await;
        shared.io(shrunk);
    }
    *locked(&shared.collector) = collector;
}

fn finish(
    shared: &Arc<Shared>,
    started: Instant,
    advice: Option<String>,
) -> Result<(), EngineError> {
    let mut collector = locked(&shared.collector);
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
    let (trouble, cut_short) = match shared.environment.halt.why() {
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
        headers.values_mut().for_each(|v| *v = crate::exchange::REDACTED.into());
    }
    RunHead {
        version: VERSION,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: options.run_id.clone(),
        seed: options.seed,
        depth: options.depth,
        started: now(),
        target: options.target.clone(),
        runs: options.runs,
        strict: options.strict,
        partition: options.partition,
        specification: SpecInfo {
            title: contract.batch.title.clone(),
            endpoint: format!("{} {}", contract.operation.method, contract.operation.path),
            hash: contract.hash.clone(),
            codes: contract.batch.codes.clone(),
            interpretations: contract.interpretations.clone(),
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
                doc: r.doc.to_owned(),
                needs: r.needs.iter().map(|id| (*id).to_owned()).collect(),
                scope: Some(r.scope()),
            })
            .collect(),
        profile: Some(shown),
        skipped: profile.skips(),
        planned,
        not_run: not_run(environment, selected),
        cells: environment.generator.cells().list().to_vec(),
        token_given: Some(environment.sender.token().is_given()),
        waivers: options.waivers.clone(),
    }
}
