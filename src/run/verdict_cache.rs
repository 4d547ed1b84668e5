//! What is known of answers that are beyond doubt: the judge has seen one of each kind.

use std::collections::HashMap;
use std::sync::Arc;

use crate::check::{CoverageCounts, Evaluation, HeaderCache};

/// What is known of plainly right answers to one case: by the judge, who looked at the first of each kind.
#[derive(Clone, Default)]
pub(super) struct VerdictCache {
    pub heads: HeaderCache,
    /// What the rules say, by number of items.
    pub judged: HashMap<usize, Arc<Evaluation>>,
}

/// Different sizes of batch that are kept apart; further ones are judged the long way.
const SIZES: usize = 4096;

impl VerdictCache {
    /// Takes note of what the judge said of an answer with that head to this number of items.
    pub fn learn(&mut self, head: &[u8], items: usize, mut evaluation: Evaluation) {
        // What one batch covered, the next one doesn't.
        evaluation.covered = CoverageCounts::default();
        if !evaluation.violations.is_empty() {
            return;
        }
        match self.judged.get(&items) {
            // Heads are alike only where the rules count them alike.
            Some(before) if before.counts != evaluation.counts => return,
            Some(_) => {}
            None if self.judged.len() >= SIZES => return,
            None => {
                self.judged.insert(items, Arc::new(evaluation));
            }
        }
        self.heads.learn(head);
    }
}
