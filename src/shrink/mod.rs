//! Shrinker: the smallest execution that still shows a finding.
//!
//! One finding of each cause is written out as a scenario, and candidates of it are sent, each with fresh
//! numbers: fewer requests, fewer items, fewer fields, simpler values. One counts where it shows the same
//! finding at the target and none of that rule at a correct implementation. It draws on a reserve of its own.

mod attempt;
mod candidates;
mod driver;
mod good;
mod passes;
mod shrinker;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::check::RuleViolation;
use crate::collect::{Collector, message};
use crate::execution::Execution;
use crate::execution::SelectedCase;
use crate::export::{CaseOrigin, MISS, case_file};
use crate::record::{
    BodyRecord, Event, ExampleSize, ExchangeRecord, FindingPosition, MinimalExample,
};
use crate::scenario::Scenario;
use crate::session::Environment;
use crate::session::{Amount, Budget, RunOptions};
use crate::triage::Occurrences;
use attempt::{Attempts, Reproduction};
use candidates::{Candidate, DEAR, ShrinkJob, shrink_jobs};
use shrinker::Shrinker;

/// Requests that one of them may take.
const REQUESTS: u64 = 240;
/// Time that one of them may take.
const TIME: Duration = Duration::from_secs(20);
/// Findings that are shrunk at once.
const AT_ONCE: usize = 4;
/// How often the smallest execution is sent at last, to see that it shows.
const CHECKS: u64 = 2;
/// Requests that are released together, where one that is sent alone does not show a finding.
const TOGETHER: usize = 4;
/// How often these are sent, and how often they must show it: once may be luck.
const RACES: (u32, u32) = (3, 2);
/// How often then, where it depends on chance.
const LAST: u64 = 8;
/// An answer that was waited for longer than this is not waited for again and again.
const SLOW: Duration = Duration::from_secs(5);

/// What became of one finding.
struct ShrinkOutcome {
    id: String,
    from: ExampleSize,
    smallest: Option<(Scenario, Arc<Execution>, RuleViolation)>,
    /// A good request beside it.
    good: Option<Execution>,
    note: Option<String>,
    /// How often the smallest showed it in the end, of how many tries.
    showed: (u32, u32),
    /// How many executions of the smallest don't miss it, where it depends on chance.
    runs: Option<u64>,
    sent: Amount,
    accepted: u64,
}

/// Shrinks the findings of a run; what was spent before belongs to the same reserve.
///
/// # Errors
/// Where the record can't be written.
pub async fn shrink(
    environment: &Arc<Environment>,
    selected: &[SelectedCase],
    options: &RunOptions,
    collector: &mut Collector,
    budget: &Arc<Budget>,
) -> std::io::Result<()> {
    if environment.control.is_empty() {
        return Ok(());
    }
    let jobs = shrink_jobs(collector, selected, options.jobs > 1);
    let share = budget.left().requests / jobs.len().max(1) as u64;
    let each = share.clamp(24, REQUESTS);
    let (alone, together): (Vec<ShrinkJob>, Vec<ShrinkJob>) =
        jobs.into_iter().partition(|j| j.alone);
    let mut outcomes: Vec<ShrinkOutcome> = Vec::new();
    let mut tasks = JoinSet::new();
    for job in together {
        if tasks.len() >= AT_ONCE.min(options.jobs.max(1)) {
            outcomes.extend(tasks.join_next().await.and_then(Result::ok).unwrap_or_default());
        }
        let (environment, budget) = (Arc::clone(environment), Arc::clone(budget));
        tasks.spawn(async move { Box::pin(shrink_cause(&environment, &job, &budget, each)).await });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcomes.extend(outcome.unwrap_or_default());
    }
    for job in alone {
        outcomes.extend(Box::pin(shrink_cause(environment, &job, budget, each)).await);
    }
    for outcome in outcomes {
        collector.accepted_beside += outcome.accepted;
        if outcome.smallest.is_none() && outcome.note.is_none() {
            continue;
        }
        if let Some(minimal) = minimal(environment, options, collector, outcome) {
            collector.write(Event::Shrunk(Box::new(minimal)))?;
        }
    }
    Ok(())
}

/// Shrinks the first finding of a cause that shows again.
async fn shrink_cause(
    environment: &Arc<Environment>,
    job: &ShrinkJob,
    budget: &Budget,
    requests: u64,
) -> Vec<ShrinkOutcome> {
    let mut outcomes = Vec::new();
    for candidate in &job.candidates {
        let outcome = Box::pin(shrink_finding(environment, candidate, budget, requests)).await;
        let done = outcome.smallest.is_some();
        outcomes.push(outcome);
        if done {
            break;
        }
    }
    // One of them is reported: the smallest, or why there is none.
    let told = outcomes.iter().position(|o| o.smallest.is_some()).unwrap_or(0);
    for (at, outcome) in outcomes.iter_mut().enumerate() {
        outcome.note = outcome.note.take().filter(|_| at == told);
    }
    outcomes
}

async fn shrink_finding(
    environment: &Arc<Environment>,
    candidate: &Candidate,
    budget: &Budget,
    requests: u64,
) -> ShrinkOutcome {
    let Candidate { sought, execution, .. } = candidate;
    let mut scenario = Scenario::of(environment, execution);
    let mut outcome = ShrinkOutcome {
        id: sought.id.clone(),
        from: size_of(&scenario),
        smallest: None,
        good: None,
        note: None,
        showed: (0, 0),
        runs: None,
        sent: Amount::default(),
        accepted: 0,
    };
    if let Some(why) = why_not_shrunk(environment, &scenario, execution) {
        outcome.note = Some(why.to_owned());
        return outcome;
    }
    let mut attempts = Attempts::new(environment, sought, budget, requests, TIME);
    if attempts.fails_control(&scenario).await {
        outcome.note = Some(
            "the reference server breaks this rule for the same requests, so that a smaller example could show \
             something else"
                .to_owned(),
        );
        return outcome;
    }
    // What is dear to send is not sent as it was before something smaller is.
    let is_dear = scenario.items().count() > DEAR && !candidate.by_chance && sought.needed == 1;
    let before = if is_dear { attempts.showed(execution) } else { None };
    let mut shown = match before {
        Some(shown) => Some(shown),
        None => attempts.shows(&scenario).await,
    };
    if shown.is_none() && candidate.overlapped && attempts.ended.is_none() {
        shown = apart(&mut scenario, &mut attempts).await;
    }
    let alone = shown.is_some();
    if !alone && candidate.overlapped && attempts.ended.is_none() {
        shown = race(environment, execution, &mut scenario, &mut attempts).await;
    }
    let Some(shown) = shown else {
        outcome.sent = attempts.sent;
        outcome.accepted = attempts.accepted;
        if attempts.ended.is_none() {
            outcome.showed = (0, sought.tries);
        }
        let tries = match sought.tries {
            1 if sought.fresh_connections => {
                "sent again, as it was, on connections of its own, it did not show: it may hang on what the \
                 target remembers of a connection"
                    .to_owned()
            }
            1 => "it was sent again, as it was, and did not show".to_owned(),
            n => format!(
                "it was sent up to {n} times more, as it was, and did not show often enough"
            ),
        };
        outcome.note = Some(attempts.ended.map_or(tries, str::to_owned));
        return outcome;
    };
    let mut shrinking = Shrinker { environment, attempts, scenario, shown, taken: 0 };
    shrinking.run().await;
    let Shrinker { mut attempts, scenario, shown, .. } = shrinking;
    outcome.note = attempts.ended.map(|why| format!("{why}: a smaller one may show it"));
    if !alone && outcome.note.is_none() {
        outcome.note = Some("sent alone, it does not show".to_owned());
    }
    // What was taken may have shown by luck. What depends on chance is sent a few times more, to say how often.
    let checks = if scenario.items().count() > DEAR { 1 } else { CHECKS };
    let mut again = attempts.repeat(&scenario, checks).await;
    let overlaps = scenario.requests.iter().any(|s| s.group.is_some());
    if candidate.by_chance || overlaps || again.shown < again.of {
        let more = attempts.repeat(&scenario, LAST).await;
        again = Occurrences { shown: again.shown + more.shown, of: again.of + more.of };
        // What it was chosen for says nothing of how often it shows.
        outcome.runs = Some(again.tries_needed(MISS));
    }
    if let Some(good) = good::good_scenario(environment, &scenario) {
        outcome.good = attempts.answered_well(&good).await;
    }
    let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    outcome.showed = (shown.tries.0 + count(again.shown), shown.tries.1 + count(again.of));
    outcome.sent = attempts.sent;
    outcome.accepted = attempts.accepted;
    outcome.smallest = Some((scenario, shown.execution, shown.violation));
    outcome
}

/// Gives each request a connection of its own: a target that remembers something per connection shows it so, without
/// any overlap.
async fn apart(scenario: &mut Scenario, attempts: &mut Attempts<'_>) -> Option<Reproduction> {
    let mut apart = scenario.clone();
    for send in apart.requests.iter_mut().filter(|send| send.request.raw.is_none()) {
        send.request.new_connection = true;
    }
    let shown = attempts.shows(&apart).await?;
    *scenario = apart;
    Some(shown)
}

/// What showed beside other requests only may show beside its like: the request that did takes copies of itself,
/// which are sent at the same time. Gives `scenario` these where that shows the finding.
async fn race(
    environment: &Environment,
    execution: &Arc<Execution>,
    scenario: &mut Scenario,
    attempts: &mut Attempts<'_>,
) -> Option<Reproduction> {
    let at = attempts.showed(execution)?.violation.exchange;
    let together = TOGETHER.min(environment.at_once());
    let raced = scenario.raced(&environment.contract, &environment.keys, at, together)?;
    let before = std::mem::replace(&mut attempts.tries, RACES);
    let shown = attempts.shows(&raced).await;
    if shown.is_some() {
        *scenario = raced;
    } else {
        attempts.tries = before;
    }
    shown
}

/// Why an execution is not sent again and again.
fn why_not_shrunk(
    environment: &Environment,
    scenario: &Scenario,
    execution: &Execution,
) -> Option<&'static str> {
    if scenario.has_literal_numbers(&environment.contract) {
        return Some("its keys are fixed, so that none can be made fresh");
    }
    let slow = execution.exchanges.iter().any(|e| match &e.answer {
        crate::exchange::Answer::Received(r) => r.elapsed > SLOW,
        crate::exchange::Answer::Lost(l) => l.elapsed > SLOW,
    });
    slow.then_some("its answer takes too long to be waited for again and again")
}

fn size_of(scenario: &Scenario) -> ExampleSize {
    let Amount { requests, items } = scenario.amount();
    let bytes = scenario
        .requests
        .iter()
        .map(|s| {
            s.request.raw.as_ref().map(bytes::Bytes::len).or_else(|| s.body().map(|b| b.len()))
        })
        .map(|length| length.unwrap_or(0) as u64)
        .sum();
    ExampleSize { requests, items, bytes }
}

fn minimal(
    environment: &Environment,
    options: &RunOptions,
    collector: &Collector,
    outcome: ShrinkOutcome,
) -> Option<MinimalExample> {
    let record = collector.findings.get(&outcome.id)?.record.clone();
    let about = CaseOrigin::of(&record, options, outcome.runs.unwrap_or(1));
    let mut minimal = MinimalExample {
        id: outcome.id,
        from: outcome.from,
        to: outcome.from,
        requests: outcome.sent.requests,
        items: outcome.sent.items,
        shown: outcome.showed.0,
        of: outcome.showed.1,
        note: outcome.note,
        position: record.position.clone(),
        expected: record.expected.clone(),
        actual: record.actual.clone(),
        message: record.message.clone(),
        inputs: record.inputs.clone(),
        evidence: Vec::new(),
        good: None,
        case_file: String::new(),
    };
    if let Some(good) = outcome.good {
        let (evidence, _) = collector.whole_evidence(&good, 0);
        minimal.good = evidence.into_iter().next().map(Box::new);
    }
    let Some((scenario, execution, violation)) = outcome.smallest else { return Some(minimal) };
    minimal.to = size_of(&scenario);
    minimal.inputs.clone_from(&violation.finding.inputs);
    minimal.case_file = collector.clean(&case_file(environment, &scenario, &about));
    let is_cut = |e: &ExchangeRecord| matches!(e.request.body, BodyRecord::Excerpt { .. });
    if minimal.to != minimal.from || record.evidence.iter().any(is_cut) {
        let (evidence, exchange) = collector.whole_evidence(&execution, violation.exchange);
        minimal.position = FindingPosition {
            exchange,
            item: violation.finding.item,
            pointer: collector.clean(&violation.finding.pointer),
        };
        minimal.expected = collector.clean(&violation.finding.expected.to_string());
        minimal.actual = collector.clean(&violation.finding.actual.to_string());
        minimal.message = collector.clean(&message(&violation));
        minimal.evidence = evidence;
    }
    Some(minimal)
}
