//! Shrinking: the smallest trial that still shows a finding.
//!
//! One finding of each cause is written out as a script, and candidates of it are sent, each with fresh
//! numbers: fewer requests, fewer items, fewer fields, simpler values. One counts where it shows the same
//! finding at the target and none of that rule at a correct implementation. It draws on a reserve of its own.

mod attempt;
mod simpler;
mod smaller;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::collect::{Collector, Found, RUN, message, size as trial_size};
use super::environment::Environment;
use super::options::RunOptions;
use super::plan::{RESERVE, budget};
use super::save::{About, case_file};
use super::script::Script;
use super::select::Selected;
use super::trial::Trial;
use crate::check::Hit;
use crate::record::{Event, Minimal, Position, Size};
use attempt::{Attempts, Reserve, Sought};
use smaller::Shrinking;

/// Causes that are shrunk.
const MOST: usize = 24;
/// Requests that one of them may take.
const REQUESTS: usize = 240;
/// Time that one of them may take.
const TIME: Duration = Duration::from_secs(20);
/// Findings that are shrunk at once.
const AT_ONCE: usize = 4;
/// How often a script is sent where a finding does not show every time.
const TRIES: u32 = 6;
/// An answer that was waited for longer than this is not waited for again and again.
const SLOW: Duration = Duration::from_secs(5);

struct Job {
    sought: Sought,
    trial: Arc<Trial>,
    alone: bool,
}

/// What became of one finding.
struct Outcome {
    id: String,
    from: Size,
    smallest: Option<(Script, Trial, Hit)>,
    note: Option<String>,
    sent: (u64, u64),
    accepted: u64,
}

/// Shrinks the findings of a run; what was spent before belongs to the same reserve.
///
/// # Errors
/// Where the record can't be written.
pub async fn shrink(
    environment: &Arc<Environment>,
    selected: &[Selected],
    options: &RunOptions,
    collector: &mut Collector,
    planned: (u64, u64),
    spent: (u64, u64),
) -> std::io::Result<()> {
    if environment.control.is_empty() {
        return Ok(());
    }
    let floor = (planned.0.max(180), planned.1.max(1_200));
    let (requests, items) = budget(options.depth).unwrap_or(floor);
    // What confirming left, and half of the reserve at least.
    let left = |all: u64, spent: u64| (all / RESERVE).saturating_sub(spent).max(all / RESERVE / 2);
    let (requests, items) = (left(requests, spent.0), left(items, spent.1));
    let reserve = Arc::new(Reserve::new(requests, items));
    let jobs = jobs(collector, selected);
    let share = usize::try_from(requests).unwrap_or(REQUESTS) / jobs.len().max(1);
    let each = share.clamp(24, REQUESTS);
    let (alone, together): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|j| j.alone);
    let mut outcomes = Vec::new();
    let mut tasks = JoinSet::new();
    for job in together {
        if tasks.len() >= AT_ONCE.min(options.jobs.max(1)) {
            outcomes.extend(tasks.join_next().await.and_then(Result::ok));
        }
        let (environment, reserve) = (Arc::clone(environment), Arc::clone(&reserve));
        tasks.spawn(async move { one(&environment, &job, &reserve, each).await });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcomes.extend(outcome.ok());
    }
    for job in alone {
        outcomes.push(one(environment, &job, &reserve, each).await);
    }
    for outcome in outcomes {
        collector.sent.0 += outcome.sent.0;
        collector.sent.1 += outcome.sent.1;
        collector.accepted_beside += outcome.accepted;
        if let Some(minimal) = minimal(environment, options, collector, outcome) {
            collector.write(Event::Shrunk(Box::new(minimal)))?;
        }
    }
    Ok(())
}

/// Of each cause that counts, the finding with the smallest trial: those that must not be first.
fn jobs(collector: &Collector, selected: &[Selected]) -> Vec<Job> {
    let mut found: Vec<&Found> = collector
        .causes()
        .into_iter()
        .filter_map(|cause| {
            let steady = |f: &Found| f.of == 0 || f.shown == f.of;
            let known = cause.into_iter().filter(|f| f.record.case != RUN);
            known
                .filter_map(|f| Some((!steady(f), trial_size(f.trial.as_ref()?), f)))
                .min_by_key(|(unsteady, size, _)| (*unsteady, *size))
                .map(|(_, _, f)| f)
        })
        .collect();
    found.sort_by_key(|f| f.record.level);
    found
        .into_iter()
        .take(MOST)
        .filter_map(|f| {
            let case = selected.iter().find(|s| s.case.id == f.record.case)?;
            let always = f.of == 0 || f.shown == f.of;
            let (tries, needed) = match (f.record.proven, always) {
                (true, true) => (1, 1),
                (true, false) => (TRIES, 1),
                (false, _) => (3, 2),
            };
            Some(Job {
                sought: Sought {
                    case: f.record.case.clone(),
                    id: f.record.id.clone(),
                    rule: f.record.rule.clone(),
                    tries,
                    needed,
                },
                trial: Arc::clone(f.trial.as_ref()?),
                alone: case.case.spec.alone,
            })
        })
        .collect()
}

async fn one(
    environment: &Arc<Environment>,
    job: &Job,
    reserve: &Reserve,
    requests: usize,
) -> Outcome {
    let script = Script::of(environment, &job.trial);
    let mut outcome = Outcome {
        id: job.sought.id.clone(),
        from: size(&script),
        smallest: None,
        note: None,
        sent: (0, 0),
        accepted: 0,
    };
    if let Some(why) = unfit(environment, &script, &job.trial) {
        outcome.note = Some(why.to_owned());
        return outcome;
    }
    let mut attempts = Attempts::new(environment, &job.sought, reserve, requests, TIME);
    if attempts.fails_control(&script).await {
        outcome.note = Some(
            "the reference implementation fails it too, so nothing tells a smaller trial that shows it from \
             one that shows something else"
                .to_owned(),
        );
        return outcome;
    }
    let Some(shown) = attempts.shows(&script).await else {
        outcome.sent = attempts.sent;
        outcome.accepted = attempts.accepted;
        let tries = match job.sought.tries {
            1 => "it was sent again, as it was, and did not show".to_owned(),
            n => format!(
                "it was sent up to {n} times more, as it was, and did not show often enough"
            ),
        };
        outcome.note = Some(attempts.ended.map_or(tries, str::to_owned));
        return outcome;
    };
    let mut shrinking = Shrinking { environment, attempts, script, shown, taken: 0 };
    shrinking.run().await;
    let Shrinking { attempts, script, shown, .. } = shrinking;
    outcome.sent = attempts.sent;
    outcome.accepted = attempts.accepted;
    outcome.note = attempts.ended.map(|why| format!("{why}: a smaller one may show it"));
    outcome.smallest = Some((script, shown.trial, shown.hit));
    outcome
}

/// Why a trial is not sent again and again.
fn unfit(environment: &Environment, script: &Script, trial: &Trial) -> Option<&'static str> {
    if script.has_literal_numbers(&environment.contract) {
        return Some("it sends numbers of somebody's own, which can't be made fresh");
    }
    let slow = trial.exchanges.iter().any(|e| match &e.answer {
        crate::exchange::Answer::Received(r) => r.elapsed > SLOW,
        crate::exchange::Answer::Lost(l) => l.elapsed > SLOW,
    });
    slow.then_some("its answer takes too long to be waited for again and again")
}

fn size(script: &Script) -> Size {
    let (requests, items) = script.size();
    let bytes = script
        .sends
        .iter()
        .map(|s| {
            s.request.raw.as_ref().map(bytes::Bytes::len).or_else(|| s.body().map(|b| b.len()))
        })
        .map(|length| length.unwrap_or(0) as u64)
        .sum();
    Size { requests: requests as u64, items: items as u64, bytes }
}

fn minimal(
    environment: &Environment,
    options: &RunOptions,
    collector: &Collector,
    outcome: Outcome,
) -> Option<Minimal> {
    let record = collector.found.get(&outcome.id)?.record.clone();
    let about = About::of(&record, options);
    let mut minimal = Minimal {
        id: outcome.id,
        from: outcome.from,
        to: outcome.from,
        requests: outcome.sent.0,
        items: outcome.sent.1,
        note: outcome.note,
        position: record.position.clone(),
        expected: record.expected.clone(),
        actual: record.actual.clone(),
        message: record.message.clone(),
        evidence: Vec::new(),
        case_file: String::new(),
    };
    let Some((script, trial, hit)) = outcome.smallest else { return Some(minimal) };
    minimal.to = size(&script);
    minimal.case_file = collector.clean(&case_file(environment, &script, &about));
    if minimal.to != minimal.from {
        let (evidence, exchange) = collector.evidence(&trial, hit.exchange);
        minimal.position = Position {
            exchange,
            item: hit.finding.item,
            pointer: collector.clean(&hit.finding.pointer),
        };
        minimal.expected = collector.clean(&hit.finding.expected);
        minimal.actual = collector.clean(&hit.finding.actual);
        minimal.message = collector.clean(&message(&hit));
        minimal.evidence = evidence;
    }
    Some(minimal)
}
