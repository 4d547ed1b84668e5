//! A smaller example of a difference: its last request alone, and of its batch the one item alone, where that still shows it.

use super::Lockstep;
use super::compare::SeenDifference;
use super::repeat::is_same;
use super::tally::ExecutionPair;
use crate::execution::Execution;
use crate::generate::KeyPrefixes;
use crate::record::DifferenceRecord;
use crate::scenario::{Scenario, send_scenario};
use crate::session::{Budget, locked};

impl Lockstep {
    /// Tries smaller scenarios than `new`, in which the difference was seen, the smallest first.
    pub(super) async fn shrink(
        &self,
        record: &DifferenceRecord,
        case: usize,
        (new, seen): (&Execution, &SeenDifference),
        budget: &Budget,
    ) {
        // Where both store into one database, the same bytes can't be sent twice.
        if self.old.keys.prefix() != self.new.keys.prefix() {
            return;
        }
        for scenario in self.candidates(new, seen) {
            if self.new.cancellation.is_cancelled() || !budget.take(scenario.amount()) {
                return;
            }
            let new = send_scenario(&self.new, &scenario).await;
            // With no prefix to exchange, it is sent byte for byte as it was.
            let mut same = Scenario::of(&self.new, &new);
            same.prefixes = KeyPrefixes::default();
            let old = send_scenario(&self.old, &same).await;
            let (judged, judged_old) = (new.judge(&self.new), old.judge(&self.old));
            let volatile = locked(&self.tally).record.volatile.clone();
            let comparison = self.comparison(&volatile);
            let (found, _) = comparison.executions((&old, &judged_old), (&new, &judged));
            let Some(found) = found.iter().find(|found| is_same(found, record)) else { continue };
            let pair =
                ExecutionPair { case: (case, &record.case), run: record.run, old: &old, new: &new };
            locked(&self.tally).use_example(&record.id, &pair, found, &self.shown());
            return;
        }
    }

    /// Smaller scenarios, the smallest first.
    fn candidates(&self, new: &Execution, seen: &SeenDifference) -> Vec<Scenario> {
        let mut whole = Scenario::of(&self.new, new);
        whole.expectations.clear();
        whole.relating = None;
        whole.requests.truncate(seen.exchange + 1);
        for request in &mut whole.requests {
            request.pause = 0;
        }
        let alone = |scenario: &Scenario| {
            let mut scenario = scenario.clone();
            scenario.requests.drain(..seen.exchange);
            scenario.requests.iter_mut().for_each(|request| request.group = None);
            scenario
        };
        let of_item = |scenario: &Scenario| {
            let item = seen.difference.item?;
            let mut scenario = scenario.clone();
            let batch = scenario.requests.last_mut()?.batch.as_mut()?;
            if batch.items.len() < 2 {
                return None;
            }
            batch.items = vec![batch.items.get(item)?.clone()];
            Some(scenario)
        };
        let mut candidates = Vec::new();
        if seen.exchange > 0 {
            let last = alone(&whole);
            candidates.extend(of_item(&last));
            candidates.push(last);
        }
        candidates.extend(of_item(&whole));
        candidates
    }
}
