//! Confirms findings: each is tried again with fresh numbers.
//!
//! What an answer's own bytes prove is confirmed already, and repeats only say how often it shows. Time-outs,
//! resets, gateway statuses and elapsed times count only when two of three repeats show them too, each
//! after a good plain batch.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::collect::{Collector, RUN, finding_id};
use crate::execution::accepts_plain_batch;
use crate::execution::is_streamed;
use crate::execution::{SelectedCase, execute};
use crate::send::FRESH_CONNECTIONS;
use crate::session::{Environment, RESERVE};
use crate::triage::Cause;

const REPEATS: u32 = 3;
/// Of them, those that decide.
const ENOUGH: u32 = 2;
/// Proven findings of which repeats are made.
const PROVEN: usize = 24;
/// Items that repeats may send in any run, however small.
const LEAST_ITEMS: u64 = 600;

struct RepeatJob {
    id: String,
    case: usize,
    run: u64,
    proven: bool,
    /// Items of all its repeats.
    items: u64,
    /// How many findings of its cause take no more items.
    rank: u32,
}

/// Tries findings again, within a third of the budget; returns requests and items sent.
pub async fn confirm(
    environment: &Arc<Environment>,
    selected: &Arc<Vec<SelectedCase>>,
    seed: u64,
    collector: &mut Collector,
    planned: (u64, u64),
    verdicts_only: bool,
) -> (u64, u64) {
    let positions: HashMap<&str, usize> =
        selected.iter().enumerate().map(|(i, s)| (s.case.id.as_str(), i)).collect();
    let mut jobs: Vec<RepeatJob> = collector
        .order
        .iter()
        .filter_map(|id| collector.findings.get(id))
        .filter(|f| f.record.case != RUN)
        .filter_map(|f| {
            let case = *positions.get(f.record.case.as_str())?;
            // A giant batch is not sent again for what one has proven.
            let generate = selected.get(case)?.case.spec.generate.as_ref();
            if f.record.proven && generate.is_some_and(|g| is_streamed(environment, g)) {
                return None;
            }
            let (run, proven) = (f.record.run, f.record.proven);
            // One that was too large to keep is too large to be sent again.
            let items = f.execution.as_ref().map_or(u64::MAX, |t| t.size().1);
            let items = items.saturating_mul(u64::from(REPEATS));
            Some(RepeatJob { id: f.record.id.clone(), case, run, proven, items, rank: 0 })
        })
        .collect();
    // What still needs it comes first, then the smallest of each cause.
    jobs.sort_by_key(|j| j.items);
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
    jobs.truncate(if verdicts_only { unproven } else { unproven + PROVEN });
    let mut reserve = (planned.0 / RESERVE).max(60);
    // Half of the reserve is for shrinking.
    let mut items_left = (planned.1 / RESERVE / 2).saturating_sub(collector.sent_again.1);
    items_left = items_left.max(LEAST_ITEMS);
    let mut sent = (0, 0);
    let mut tasks = JoinSet::new();
    for job in jobs {
        let cost = u64::from(REPEATS) * 4;
        if reserve < cost {
            break;
        }
        // What its own bytes prove needs no repeat. Anything else counts only with repeats, for one finding of each
        // cause at least.
        if job.items > items_left && (job.proven || job.rank > 0) {
            continue;
        }
        let brief = job.items > items_left;
        items_left = items_left.saturating_sub(job.items);
        reserve -= cost;
        let environment = Arc::clone(environment);
        let selected = Arc::clone(selected);
        if tasks.len() >= 4 {
            gather(&mut tasks, collector, &mut sent).await;
        }
        tasks.spawn(async move {
            let selected = &selected[job.case];
            let (shown, of, spent) = repeat(&environment, selected, &job, seed, brief).await;
            (job, shown, of, spent)
        });
    }
    while !tasks.is_empty() {
        gather(&mut tasks, collector, &mut sent).await;
    }
    sent
}

type RepeatOutcome = (RepeatJob, u32, u32, (u64, u64));

async fn gather(
    tasks: &mut JoinSet<RepeatOutcome>,
    collector: &mut Collector,
    sent: &mut (u64, u64),
) {
    let Some(Ok((job, shown, of, spent))) = tasks.join_next().await else { return };
    sent.0 += spent.0;
    sent.1 += spent.1;
    if let Some(found) = collector.findings.get_mut(&job.id) {
        found.shown = shown;
        found.of = of;
        found.confirmed = job.proven || shown >= ENOUGH;
    }
}

/// Runs the execution of a finding again and again; how many runs showed the same finding, of how many. A brief one ends
/// once it is decided.
async fn repeat(
    environment: &Arc<Environment>,
    selected: &SelectedCase,
    job: &RepeatJob,
    seed: u64,
    brief: bool,
) -> (u32, u32, (u64, u64)) {
    let mut shown = 0;
    let mut of = 0;
    let mut sent = (0, 0);
    for _ in 0..REPEATS {
        if brief && (shown >= ENOUGH || of - shown >= ENOUGH) {
            break;
        }
        if !job.proven {
            sent.0 += 1;
            sent.1 += 1;
            if !accepts_plain_batch(environment).await {
                if environment.cancellation.is_cancelled() {
                    break;
                }
                of += 1;
                continue;
            }
        }
        // A server that closes idle connections must not meet its own habit again.
        let execution =
            FRESH_CONNECTIONS.scope(!job.proven, execute(environment, selected, job.run, seed));
        let Ok(execution) = execution.await else { break };
        let (requests, items) = execution.size();
        sent.0 += requests;
        sent.1 += items;
        let evaluation = execution.judge(environment);
        if environment.cancellation.is_cancelled() {
            break;
        }
        of += 1;
        let again = evaluation.violations.iter().any(|h| {
            finding_id(h.rule.id, &selected.case.id, &h.finding.place(), &h.finding.kind) == job.id
        });
        shown += u32::from(again);
    }
    (shown, of, sent)
}
