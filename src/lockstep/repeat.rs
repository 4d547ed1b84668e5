//! Repeats of differences, with fresh keys on both targets: what only one of three shows is flaky, and what two answers
//! of the older target differ in says nothing of the newer one.

use std::sync::Arc;

use super::Lockstep;
use super::compare::SeenDifference;
use crate::attempt::{AttemptOutcome, ExecutionSource};
use crate::execution::{Execution, SelectedCase};
use crate::record::{DifferenceKind, DifferenceRecord, DifferenceState};
use crate::session::{Amount, Budget, locked};

/// Repeats of a difference.
const REPEATS: u32 = 3;
/// Of them, those that decide.
const ENOUGH: u32 = 2;
/// Differences of one kind and rule that are repeated, whatever the input.
pub(super) const OF_A_KIND: usize = 2;

/// What repeats are made of.
pub(crate) struct RepeatSource<'a> {
    /// The cases of the run.
    pub selected: &'a Arc<Vec<SelectedCase>>,
    /// The seed of all seeds.
    pub seed: u64,
    /// What may be sent again.
    pub budget: &'a Budget,
}

/// What repeats of a difference showed.
#[derive(Default)]
struct RepeatedPairs {
    shown: u32,
    of: u32,
    /// The executions on the older target.
    old: Vec<Execution>,
    /// One on the newer target that showed it.
    new: Option<(Execution, SeenDifference)>,
}

impl Lockstep {
    /// Repeats the differences, as far as the budget goes.
    pub(crate) async fn repeat(&self, source: &RepeatSource<'_>) {
        let jobs = locked(&self.tally).to_repeat(OF_A_KIND);
        for id in jobs {
            if self.new.cancellation.is_cancelled() {
                return;
            }
            let found = locked(&self.tally).get(&id).map(|f| (f.record.clone(), f.case));
            // It may be gone with others that turned out to be volatile.
            let Some((record, case)) = found else { continue };
            let Some(selected) = source.selected.get(case) else { continue };
            let repeated = self.repeat_one(source, &record, selected).await;
            self.settle(&record, &repeated);
            if let Some((new, seen)) = &repeated.new {
                self.shrink(&record, case, (new, seen), source.budget).await;
            }
        }
    }

    async fn repeat_one(
        &self,
        source: &RepeatSource<'_>,
        record: &DifferenceRecord,
        selected: &SelectedCase,
    ) -> RepeatedPairs {
        let mut repeated = RepeatedPairs::default();
        let run = ExecutionSource::Case { selected, run: record.run, seed: source.seed };
        let amount = amount(record);
        for _ in 0..2 * REPEATS {
            if repeated.of == REPEATS || !source.budget.take(amount) {
                break;
            }
            let (Ok(new), Ok(old)) = self.both(run, true).await else { break };
            let (AttemptOutcome::Answered(new), AttemptOutcome::Answered(old)) =
                (new.outcome, old.outcome)
            else {
                continue;
            };
            let (judged, judged_old) = (new.judge(&self.new), old.judge(&self.old));
            let volatile = locked(&self.tally).record.volatile.clone();
            let comparison = self.comparison(&volatile);
            let (seen, _) = comparison.executions((&old, &judged_old), (&new, &judged));
            repeated.of += 1;
            if let Some(seen) = seen.into_iter().find(|seen| is_same(seen, record)) {
                repeated.shown += 1;
                repeated.new = Some((new, seen));
            }
            repeated.old.push(old);
            let decided = repeated.shown >= ENOUGH || repeated.of - repeated.shown >= ENOUGH;
            if decided && repeated.of > repeated.shown {
                break;
            }
        }
        repeated
    }

    /// Takes note of what repeats say.
    fn settle(&self, record: &DifferenceRecord, repeated: &RepeatedPairs) {
        let is_value = matches!(record.kind, DifferenceKind::Value | DifferenceKind::Text);
        let unsteady = self.is_unsteady(record, &repeated.old);
        let mut tally = locked(&self.tally);
        if is_value && (unsteady || repeated.of > 0 && repeated.shown < ENOUGH) {
            tally.is_volatile(&record.place);
            return;
        }
        let Some(found) = tally.get_mut(&record.id) else { return };
        found.record.shown = repeated.shown;
        found.record.of = repeated.of;
        found.record.state = match repeated {
            RepeatedPairs { of: 0, .. } => DifferenceState::NotRepeated,
            _ if unsteady => DifferenceState::Unsteady,
            RepeatedPairs { shown, .. } if *shown >= ENOUGH => DifferenceState::Confirmed,
            // What the answer's own bytes prove needs no second sight.
            _ if found.proven || repeated.shown > 0 => DifferenceState::Flaky,
            _ => DifferenceState::NotSeenAgain,
        };
    }

    /// Whether two answers of the older target to the same request differ in the same place.
    fn is_unsteady(&self, record: &DifferenceRecord, old: &[Execution]) -> bool {
        let comparison = self.comparison(&[]);
        old.windows(2).any(|pair| {
            let [before, after] = pair else { return false };
            let judged = (before.judge(&self.old), after.judge(&self.old));
            let (seen, _) = comparison.executions((before, &judged.0), (after, &judged.1));
            seen.iter().any(|seen| {
                let difference = &seen.difference;
                difference.kind == record.kind && difference.place() == record.place
            })
        })
    }
}

/// Whether a difference is the one that was recorded, whatever decides it.
pub(super) fn is_same(seen: &SeenDifference, record: &DifferenceRecord) -> bool {
    let difference = &seen.difference;
    difference.kind == record.kind
        && difference.place() == record.place
        && difference.old == record.old
        && difference.new == record.new
}

/// What a repeat sends to one target, as far as the example shows.
fn amount(record: &DifferenceRecord) -> Amount {
    let requests = record.evidence.len().max(1) as u64;
    Amount::new(requests, requests)
}
