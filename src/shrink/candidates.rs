//! What is shrunk, in which order, and how surely each shows again.
//!
//! It sends nothing.

use std::sync::Arc;

use super::attempt::SoughtFinding;
use crate::case::{Credential, Framing};
use crate::check::{Rule, rules};
use crate::collect::{Collector, FindingState, RUN};
use crate::exchange::{BodyIntent, Exchange, Situation};
use crate::execution::{Execution, SelectedCase};
use crate::session::Amount;

/// Causes that are shrunk.
const MOST: usize = 24;
/// How often a scenario is sent where a finding does not show every time.
pub(super) const TRIES: u32 = 6;
/// Items above which an execution is not sent more often than it must be.
pub(super) const DEAR: usize = 300;
/// Findings of one cause that are tried in turn.
const CANDIDATES: usize = 3;

/// A cause, with findings of it that may be shrunk.
pub(super) struct ShrinkJob {
    pub(super) candidates: Vec<Candidate>,
    pub(super) alone: bool,
}

/// A finding that may stand for its cause.
pub(super) struct Candidate {
    pub(super) sought: SoughtFinding,
    pub(super) execution: Arc<Execution>,
    /// Whether not every repeat showed it.
    pub(super) by_chance: bool,
    /// Whether other requests may have been under way when it showed.
    pub(super) overlapped: bool,
}

/// Of each cause that counts the findings that come first: those that showed in every repeat, of these the
/// smallest execution. What must be is shrunk before what should be.
pub(super) fn shrink_jobs(
    collector: &Collector,
    selected: &[SelectedCase],
    overlapped: bool,
) -> Vec<ShrinkJob> {
    let mut causes: Vec<Vec<&FindingState>> = collector.causes();
    causes.sort_by_key(|cause| cause.first().map(|f| f.record.level));
    let mut jobs: Vec<ShrinkJob> = causes
        .into_iter()
        .filter_map(|cause| {
            // Where one of a cause is flaky, so may be those that were never repeated; where most of a rule's are, so may
            // be those that every repeat showed.
            let fickle = cause.iter().any(|f| steadiness(f) == FICKLE);
            let by_luck = collector.is_intermittent(&cause.first()?.record.rule);
            let steadiness = |f| match steadiness(f) {
                _ if by_luck => FICKLE,
                1 if fickle => FICKLE,
                own => own,
            };
            let mut found: Vec<_> = cause
                .into_iter()
                .filter(|f| f.record.case != RUN)
                .filter_map(|f| Some((steadiness(f), effort(f.execution.as_ref()?), f)))
                .collect();
            found.sort_by_key(|(steadiness, effort, _)| (*steadiness, *effort));
            let is_alone = |f: &FindingState| {
                let case = selected.iter().find(|s| s.case.id == f.record.case);
                case.is_none_or(|s| s.case.spec.alone)
            };
            let alone = is_alone(found.first()?.2);
            let candidates: Vec<Candidate> = found
                .iter()
                .take(CANDIDATES)
                .enumerate()
                .filter_map(|(nth, (steadiness, _, f))| {
                    // The simplest tells; races of all would take what shrinking others needs.
                    let overlapped = overlapped && nth == 0 && !is_alone(f);
                    Some(Candidate { overlapped, ..candidate(f, *steadiness)? })
                })
                .collect();
            Some(ShrinkJob { candidates, alone }).filter(|job| !job.candidates.is_empty())
        })
        .take(MOST)
        .collect();
    // What takes little leaves more for what takes much.
    jobs.sort_by_key(|job| {
        job.candidates.first().is_some_and(|c| c.execution.amount().items > DEAR as u64)
    });
    jobs
}

/// How sure it is that a finding shows again; the surest first.
fn steadiness(found: &FindingState) -> u8 {
    match (found.shown, found.of) {
        (_, 0) => 1,
        (shown, of) if shown == of => 0,
        _ => FICKLE,
    }
}

/// The steadiness of what a repeat did not show.
pub(super) const FICKLE: u8 = 2;

/// How much there is to shrink: those of ordinary requests and values first, one at a time, since what is unusual
/// may have to stay though it has no part in it; among these, executions of many items last.
fn effort(execution: &Execution) -> (bool, bool, usize, u64) {
    let Amount { requests, items } = execution.amount();
    let odd = |e: &Exchange| {
        let request = &e.request;
        let is_plain = request.raw.is_none()
            && request.hang_up.is_none()
            && request.framing == Framing::Sized
            && request.credential == Credential::Good
            && e.group.is_none()
            && e.intent.situation == Situation::Ordinary;
        let unusual = e
            .intent
            .items()
            .iter()
            .any(|i| !i.validity.exempt.is_empty() || !i.validity.unusual.is_empty());
        !is_plain || unusual || !matches!(e.intent.body, BodyIntent::Batch { .. })
    };
    let odd = execution.exchanges.iter().filter(|e| odd(e)).count();
    (odd > 0, items > DEAR as u64, odd, items + 4 * requests)
}

fn candidate(found: &FindingState, steadiness: u8) -> Option<Candidate> {
    let (tries, needed) = match (found.record.proven, steadiness) {
        (false, _) => (3, 2),
        // Often enough that a smaller execution does not show it by luck alone.
        (true, FICKLE) => (TRIES, 2),
        (true, _) => (1, 1),
    };
    let sought = SoughtFinding {
        case: found.record.case.clone(),
        id: found.record.id.clone(),
        rule: found.record.rule.clone(),
        place: found.record.place.clone(),
        kind: found.record.kind.clone(),
        inputs: found.record.inputs.clone(),
        tries,
        needed,
        // A pasted command has a connection that was never authenticated.
        fresh_connections: !found.record.proven
            || rules::find(&found.record.rule).is_some_and(Rule::is_about_credentials),
    };
    let by_chance = steadiness == FICKLE;
    let execution = Arc::clone(found.execution.as_ref()?);
    Some(Candidate { sought, execution, by_chance, overlapped: false })
}
