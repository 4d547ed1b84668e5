//! A run: opening, trials, confirmation, rules of the run's scope, and the record of it all.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::collect::{Collector, Hindrance, hindrance, overloaded};
use super::confirm::confirm;
use super::environment::Environment;
use super::opening::{self, Opening, open};
use super::options::{RunOptions, Stop};
use super::plan::{Plan, case_seed, not_run, plan};
use super::progress::{Observer, Progress};
use super::save;
use super::select::Selected;
use super::shrink::shrink;
use super::trial::{Trial, execute};
use crate::check::{Judgement, judge, rules};
use crate::contract::{Problem, hex};
use crate::record::{Event, Recorder, RuleInfo, RunHead, RunTail, SpecInfo, Summary, VERSION};
use crate::send::FRESH_CONNECTIONS;

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
struct Shared {
    environment: Arc<Environment>,
    selected: Arc<Vec<Selected>>,
    collector: Mutex<Collector>,
    observer: Arc<dyn Observer>,
    options: RunOptions,
    failure: Mutex<Option<EngineError>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}

impl Shared {
    fn end(&self, stop: Stop) {
        self.environment.halt.end(stop);
    }

    fn fail(&self, error: EngineError) {
        self.end(Stop::Trouble(error.to_string()));
        locked(&self.failure).get_or_insert(error);
    }

    fn is_stopped(&self) -> bool {
        self.environment.halt.is_reached()
    }

    fn io(&self, result: std::io::Result<()>) {
        if let Err(source) = result {
            self.fail(EngineError::Record { path: self.path(), source });
        }
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
    let collector = Collector::new(recorder, redactor, environment.sender.target.base.clone());
    let shared = Arc::new(Shared {
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
        locked(&shared.collector).expects(&case.case, case.runs.len() as u64);
    }
    let begun = locked(&shared.collector).write(Event::RunStarted(Box::new(head)));
    shared.io(begun);
    shared.observer.see(Progress::Planned { trials, requests, items });
    let mut advice = None;
    if shared.options.opening && trials > 0 {
        advice = opening(&shared).await;
    }
    if !shared.is_stopped() {
        all_trials(&shared, &planned).await;
    }
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
    locked(&shared.collector).add_sent(&exchanges);
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

async fn all_trials(shared: &Arc<Shared>, planned: &Plan) {
    let permits = Arc::new(Semaphore::new(shared.options.jobs.max(1)));
    let mut tasks = JoinSet::new();
    // Trials that span the run begin before all others, and hold no permit while they wait.
    let mut spanning = JoinSet::new();
    for (index, case) in planned.cases.iter().enumerate() {
        if spans(&shared.selected[index]) {
            for &run in &case.runs {
                let shared = Arc::clone(shared);
                spanning.spawn(async move { one(&shared, index, run).await });
            }
        }
    }
    for alone in [false, true] {
        for (index, case) in planned.cases.iter().enumerate() {
            let selected = &shared.selected[index];
            if selected.case.spec.alone != alone || spans(selected) {
                continue;
            }
            for &run in &case.runs {
                if shared.is_stopped() {
                    break;
                }
                if alone {
                    one(shared, index, run).await;
                    continue;
                }
                let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
                let shared = Arc::clone(shared);
                tasks.spawn(async move {
                    one(&shared, index, run).await;
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

/// How often a trial is sent to a target that answers with load: long ones meet it more often than not.
const LOAD_ATTEMPTS: u32 = 4;

/// One trial, tried once more where it was hindered.
async fn one(shared: &Arc<Shared>, index: usize, run: u64) {
    if shared.is_stopped() {
        return;
    }
    let selected = &shared.selected[index];
    let case = &selected.case.id;
    let seed = case_seed(shared.options.seed, case, run);
    let mut fresh = false;
    for attempt in 0..LOAD_ATTEMPTS {
        let work = execute(&shared.environment, selected, run, shared.options.seed);
        let trial = match FRESH_CONNECTIONS.scope(fresh, work).await {
            Ok(trial) => trial,
            Err(problem) => return shared.fail(problem.into()),
        };
        shared.observer.see(Progress::Trial { case, requests: trial.exchanges.len() as u64 });
        if trial.cut {
            if trial.exchanges.iter().all(|e| e.answer.response().is_none()) {
                return locked(&shared.collector).add_sent(&trial.exchanges);
            }
            return settle(shared, case, run, seed, &Arc::new(trial));
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
                    return shared.io(told);
                }
                locked(&shared.collector).add_sent(&trial.exchanges);
            }
            Some(Hindrance::Lost) if attempt == 0 => {
                let mut collector = locked(&shared.collector);
                collector.add_sent(&trial.exchanges);
                collector.lost += 1;
                fresh = true;
            }
            Some(Hindrance::Credentials) if attempt == 0 => {
                locked(&shared.collector).add_sent(&trial.exchanges);
                if opening::credentials_are_refused(&shared.environment).await {
                    shared.end(Stop::Trouble(
                        "the target refuses the credentials since a while: has the token expired?"
                            .to_owned(),
                    ));
                    return;
                }
            }
            _ => return settle(shared, case, run, seed, &Arc::new(trial)),
        }
    }
}

fn settle(shared: &Arc<Shared>, case: &str, run: u64, seed: u64, trial: &Arc<Trial>) {
    let mut judgement: Judgement = judge(
        &shared.environment.contract,
        &shared.environment.profile,
        &trial.exchanges,
        &trial.expectations,
        trial.relating.as_ref(),
    );
    for exchange in &trial.exchanges {
        judgement.covered.count(shared.environment.generator.cells(), exchange);
    }
    let mut collector = locked(&shared.collector);
    let taken = collector.take(case, run, seed, trial, &judgement, shared.observer.as_ref());
    let found = collector.found.len();
    drop(collector);
    shared.io(taken);
    if shared.options.max_findings.is_some_and(|max| found >= max) {
        shared.end(Stop::Cut(format!("{found} findings: --max-findings is reached")));
    }
}

async fn confirming(shared: &Arc<Shared>, planned: (u64, u64)) {
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
            planned.0,
            shared.options.repeat_proven,
        )
        .await;
        collector.sent.0 += sent.0;
        collector.sent.1 += sent.1;
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
        runs: options.runs,
        strict: options.strict,
        partition: options.partition,
        specification: SpecInfo {
            title: contract.batch.title.clone(),
            endpoint: format!("{} {}", contract.operation.method, contract.operation.path),
            hash: contract.hash.clone(),
            codes: contract.batch.codes.clone(),
            readings: contract.readings.clone(),
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
