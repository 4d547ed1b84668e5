//! Confirms findings: each is tried again with fresh numbers.
//!
//! What an answer's own bytes prove is confirmed already, and repeats only say how often it shows. Time-outs,
//! resets, gateway statuses and elapsed times count only when two of three repeats show them too, each
//! after a good plain batch.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::shared::RunContext;
use crate::attempt::{AttemptOutcome, ExecutionSource, attempt, give_up_where_hopeless};
use crate::collect::{Collector, RUN, finding_id};
use crate::execution::{Execution, accepts_plain_batch, is_streamed};
use crate::record::is_of_threshold;
use crate::session::{Amount, Budget};
use crate::triage::Cause;

/// Repeats of a finding that count.
const REPEATS: u32 = 3;
/// Of them, those that decide.
const ENOUGH: u32 = 2;
/// Repeats that are made at most: one that met load, or failed before the step in question, is made again.
const MOST_MADE: u32 = 2 * REPEATS;
/// Proven findings of which repeats are made.
const PROVEN: usize = 24;
/// Findings of one cause that may use up the reserve; further ones leave half of it to the shrinker.
const FIRST: u32 = 2;
/// The plain batch before a repeat.
const PLAIN: Amount = Amount::new(1, 1);
/// Findings that are repeated at once.
const AT_ONCE: usize = 4;

struct RepeatJob {
    id: String,
    case: usize,
    run: u64,
    proven: bool,
    /// Whether the target called itself busy: nothing else may be under way.
    busy: bool,
    /// The step that showed it.
    step: String,
    /// What one repeat sends.
    amount: Amount,
    /// How many findings of its cause take no more items.
    rank: u32,
}

/// Repeats findings, as far as the reserve goes: what still needs it first, then one of each cause.
///
/// Why nothing more can be told about the target, where it no longer accepts the plain batches before repeats.
pub async fn confirm(
    shared: &Arc<RunContext>,
    collector: &mut Collector,
    budget: &Arc<Budget>,
) -> Option<String> {
    let mut hopeless = None;
    // What an answer's bytes prove leaves half of the reserve to the shrinker.
    let half = budget.left().share(2);
    let mut tasks = JoinSet::new();
    // What those under way may still need: two that share a small reserve would both end without a verdict.
    let mut promised = Amount::default();
    for job in jobs(shared, collector) {
        if tasks.len() >= AT_ONCE {
            hopeless = gather(&mut tasks, collector).await.or(hopeless);
        }
        let needed = (job.amount + PLAIN).times(u64::from(ENOUGH));
        if !(promised + needed).fits(budget.left()) {
            while !tasks.is_empty() {
                hopeless = gather(&mut tasks, collector).await.or(hopeless);
            }
            promised = Amount::default();
        }
        promised += needed;
        let all = job.amount.times(u64::from(REPEATS));
        let leaves_half = job.proven || job.rank >= FIRST;
        if leaves_half && !(all + half).fits(budget.left()) {
            continue;
        }
        let (shared, budget) = (Arc::clone(shared), Arc::clone(budget));
        tasks.spawn(async move {
            let repeating = repeat(&shared, &job, &budget);
            let repeats = if job.busy {
                Box::pin(shared.environment.quietly(repeating)).await
            } else {
                repeating.await
            };
            (job, repeats)
        });
    }
    while !tasks.is_empty() {
        hopeless = gather(&mut tasks, collector).await.or(hopeless);
    }
    hopeless
}

/// The findings that are repeated, in order.
fn jobs(shared: &RunContext, collector: &Collector) -> Vec<RepeatJob> {
    let selected = &shared.selected;
    let positions: HashMap<&str, usize> =
        selected.iter().enumerate().map(|(i, s)| (s.case.id.as_str(), i)).collect();
    let found = collector.order.iter().filter_map(|id| collector.findings.get(id));
    let mut jobs: Vec<RepeatJob> = found
        .filter(|f| f.record.case != RUN && !is_of_threshold(&f.record.kind))
        .filter_map(|f| {
            let case = *positions.get(f.record.case.as_str())?;
            // A streamed batch is not sent again for what its answer has proven.
            let generate = selected.get(case)?.case.spec.generate.as_ref();
            if f.record.proven && generate.is_some_and(|g| is_streamed(&shared.environment, g)) {
                return None;
            }
            Some(RepeatJob {
                id: f.record.id.clone(),
                case,
                run: f.record.run,
                proven: f.record.proven,
                busy: !f.record.proven && f.record.kind.starts_with("status 503"),
                step: f.step.clone(),
                amount: f.amount,
                rank: 0,
            })
        })
        .collect();
    jobs.sort_by_key(|j| j.amount.items);
    let mut ranks: HashMap<Cause<'_>, u32> = HashMap::new();
    for job in &mut jobs {
        if let Some(found) = collector.findings.get(&job.id) {
            let rank = ranks.entry(found.record.cause()).or_default();
            job.rank = *rank;
            *rank += 1;
        }
    }
    jobs.sort_by_key(|j| (j.proven, j.rank));
    let unproven = jobs.iter().filter(|j| !j.proven).count();
    jobs.truncate(if shared.options.verdicts_only { unproven } else { unproven + PROVEN });
    jobs
}

/// What repeats of a finding showed.
#[derive(Default)]
struct RepeatCounts {
    /// Those that showed it.
    shown: u32,
    /// Those that count.
    of: u32,
    /// Those that were not made, since the plain batch before them was not accepted.
    not_made: u32,
}

/// Takes in what the repeats of one finding showed.
async fn gather(
    tasks: &mut JoinSet<(RepeatJob, RepeatCounts)>,
    collector: &mut Collector,
) -> Option<String> {
    let (job, repeats) = tasks.join_next().await?.ok()?;
    if let Some(found) = collector.findings.get_mut(&job.id) {
        found.shown = repeats.shown;
        found.of = repeats.of;
        found.confirmed = job.proven || repeats.shown >= ENOUGH;
    }
    (repeats.not_made == MOST_MADE).then(|| {
        format!("none of {MOST_MADE} plain batches before the repeats of a finding was accepted")
    })
}

/// Repeats the execution of a finding until three repeats count, or the budget is spent.
async fn repeat(shared: &RunContext, job: &RepeatJob, budget: &Budget) -> RepeatCounts {
    let environment = &shared.environment;
    let Some(selected) = shared.selected.get(job.case) else { return RepeatCounts::default() };
    let source = ExecutionSource::Case { selected, run: job.run, seed: shared.options.seed };
    let mut counts = RepeatCounts::default();
    let plain = if job.proven { Amount::default() } else { PLAIN };
    for _ in 0..MOST_MADE {
        // What is decided needs no further batch that may make the target wait.
        let decided = counts.shown >= ENOUGH || counts.of - counts.shown >= ENOUGH;
        if counts.of == REPEATS || (decided && !job.proven) {
            break;
        }
        if environment.cancellation.is_cancelled() || !budget.take(job.amount + plain) {
            break;
        }
        if !job.proven && !accepts_plain_batch(environment).await {
            counts.not_made += 1;
            give_up_where_hopeless(environment).await;
            continue;
        }
        // A server that closes idle connections must not meet its own habit again.
        let Ok(attempted) = attempt(environment, source, None, !job.proven).await else { break };
        let execution = match attempted.outcome {
            AttemptOutcome::Answered(execution) => execution,
            AttemptOutcome::Overloaded(_) => continue,
            AttemptOutcome::CredentialsRefused
            | AttemptOutcome::Unreached(_)
            | AttemptOutcome::Cancelled(_) => break,
        };
        if shows(shared, job, &execution) {
            counts.shown += 1;
        } else if execution.failed_before(&job.step) {
            continue;
        }
        counts.of += 1;
    }
    counts
}

/// Whether an execution shows a finding: the same rule, place and kind of difference, and where repeats decide, in
/// the same step.
fn shows(shared: &RunContext, job: &RepeatJob, execution: &Execution) -> bool {
    let evaluation = execution.judge(&shared.environment);
    let case = shared.selected.get(job.case).map_or("", |s| s.case.id.as_str());
    evaluation.violations.iter().any(|v| {
        let id = finding_id(v.rule.id, case, &v.finding.place(), &v.finding.kind);
        id == job.id && (job.proven || execution.step(v.exchange) == job.step)
    })
}
