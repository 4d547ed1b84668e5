//! Shrinking: a drawn batch as a proptest value tree.
//!
//! Every candidate costs a request to the target, so the tree goes for the largest steps first and never
//! offers the same batch twice. It must not know why a batch failed.

use std::fmt;
use std::sync::Arc;

use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::draft::{Draft, NumberShape};
use super::{Core, Shape};

/// Batches of one shape, as a strategy; each is drawn from one number of the runner's.
#[derive(Clone)]
pub struct Batches {
    core: Arc<Core>,
    shape: Shape,
}

impl Batches {
    pub(super) fn new(core: Arc<Core>, shape: Shape) -> Batches {
        Batches { core, shape }
    }
}

impl fmt::Debug for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Batches").field(&self.shape).finish()
    }
}

impl Strategy for Batches {
    type Tree = BatchTree;
    type Value = Vec<Draft>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let seed = proptest::num::u64::ANY.new_tree(runner)?.current();
        Ok(BatchTree::new(self.core.clone(), seed, &self.shape))
    }
}

/// A batch that shrinks.
pub struct BatchTree {
    core: Arc<Core>,
    /// The smallest batch that is known to fail.
    failing: Vec<Draft>,
    /// What is on trial in its place.
    trial: Option<Vec<Draft>>,
    fewest: usize,
    stage: Stage,
}

/// Where shrinking stands. Each stage is left when its candidates are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Taking away `size` items from `at` on.
    Items { size: usize, at: usize },
    /// Taking away an optional field: from every item, then item by item.
    Fields { field: usize, item: Option<usize> },
    /// Setting a field to its simplest value: everything at once, a field everywhere, then item by item.
    Simplest { field: Option<usize>, item: Option<usize> },
    /// Cutting one string: the `step`th way.
    Cut { field: usize, item: usize, step: usize },
    /// Nothing is left to try.
    Done,
}

impl BatchTree {
    pub(super) fn new(core: Arc<Core>, seed: u64, shape: &Shape) -> BatchTree {
        let failing = core.batch(seed, shape);
        let size = failing.len().saturating_sub(*shape.items.start());
        let stage = Stage::Items { size, at: 0 };
        BatchTree { core, failing, trial: None, fewest: *shape.items.start(), stage }
    }

    /// Goes through the stages until one offers something that differs from what is known to fail.
    fn propose(&mut self) -> bool {
        self.trial = None;
        while self.stage != Stage::Done {
            let (candidate, next) = self.candidate();
            self.stage = next;
            if let Some(candidate) = candidate
                && candidate != self.failing
            {
                self.trial = Some(candidate);
                return true;
            }
        }
        false
    }

    /// The stage's candidate, and the stage after it should it not fail.
    fn candidate(&self) -> (Option<Vec<Draft>>, Stage) {
        match self.stage {
            Stage::Items { size, at } => self.without_items(size, at),
            Stage::Fields { field, item } => self.without_field(field, item),
            Stage::Simplest { field, item } => self.simplest(field, item),
            Stage::Cut { field, item, step } => self.cut(field, item, step),
            Stage::Done => (None, Stage::Done),
        }
    }

    fn without_items(&self, size: usize, at: usize) -> (Option<Vec<Draft>>, Stage) {
        let length = self.failing.len();
        let halved = size / 2;
        let size = size.min(length.saturating_sub(self.fewest));
        if size == 0 {
            return (None, Stage::Fields { field: 0, item: None });
        }
        if at >= length {
            return (None, Stage::Items { size: halved, at: 0 });
        }
        let from = at.min(length - size);
        let mut candidate = self.failing.clone();
        candidate.drain(from..from + size);
        (Some(candidate), Stage::Items { size, at: at + size })
    }

    fn without_field(&self, field: usize, item: Option<usize>) -> (Option<Vec<Draft>>, Stage) {
        let Some(plan) = self.core.plan.fields.get(field) else {
            return (None, Stage::Simplest { field: None, item: None });
        };
        let following = Stage::Fields { field: field + 1, item: None };
        if plan.always {
            return (None, following);
        }
        let next = match item {
            // With a single item both are the same.
            None if self.failing.len() < 2 => following,
            None => Stage::Fields { field, item: Some(0) },
            Some(i) if i + 1 >= self.failing.len() => following,
            Some(i) => Stage::Fields { field, item: Some(i + 1) },
        };
        let change = |draft: &mut Draft| draft.remove(&self.core.contract, &plan.name);
        (Some(self.changed(item, change)), next)
    }

    /// The unique number counts as the field after the last.
    fn simplest(&self, field: Option<usize>, item: Option<usize>) -> (Option<Vec<Draft>>, Stage) {
        let Some(field) = field else {
            let all = |draft: &mut Draft| {
                for field in 0..=self.core.plan.fields.len() {
                    self.simplify_field(draft, field);
                }
            };
            return (Some(self.changed(None, all)), Stage::Simplest { field: Some(0), item: None });
        };
        if field > self.core.plan.fields.len() {
            return (None, Stage::Cut { field: 0, item: 0, step: 0 });
        }
        let following = Stage::Simplest { field: Some(field + 1), item: None };
        let next = match item {
            None if self.failing.len() < 2 => following,
            None => Stage::Simplest { field: Some(field), item: Some(0) },
            Some(i) if i + 1 >= self.failing.len() => following,
            Some(i) => Stage::Simplest { field: Some(field), item: Some(i + 1) },
        };
        (Some(self.changed(item, |draft| self.simplify_field(draft, field))), next)
    }

    fn simplify_field(&self, draft: &mut Draft, field: usize) {
        let Some(plan) = self.core.plan.fields.get(field) else {
            draft.number = self.core.plan.plain_number.clone();
            return;
        };
        if let Some(value) = draft.fields.get_mut(&plan.name) {
            *value = plan.plain.simplest();
            draft.raw.retain(|r| r.field != plan.name);
        }
    }

    /// Strings that the simplest value does not replace lose their first or their last part.
    fn cut(&self, field: usize, item: usize, step: usize) -> (Option<Vec<Draft>>, Stage) {
        if field > self.core.plan.fields.len() {
            return (None, Stage::Done);
        }
        if item >= self.failing.len() {
            return (None, Stage::Cut { field: field + 1, item: 0, step: 0 });
        }
        let following = Stage::Cut { field, item: item + 1, step: 0 };
        let Some(draft) = self.failing.get(item) else { return (None, following) };
        let cut = match self.core.plan.fields.get(field) {
            None => cut_number(&draft.number, step).map(|number| Draft { number, ..draft.clone() }),
            Some(plan) => match draft.fields.get(&plan.name) {
                Some(Value::String(text)) if *text != plan.plain.simplest() => cut_text(text, step)
                    .map(|shorter| {
                        let mut draft = draft.clone();
                        draft.fields.insert(plan.name.clone(), Value::String(shorter));
                        draft
                    }),
                _ => None,
            },
        };
        let Some(cut) = cut else { return (None, following) };
        let next = Stage::Cut { field, item, step: step + 1 };
        let fits = self.core.is_due(&cut);
        let candidate = fits.then(|| {
            let mut all = self.failing.clone();
            all[item] = cut;
            all
        });
        (candidate, next)
    }

    /// The failing batch with `change` made to one item or to all; an item that would no longer be due to be accepted keeps what it has.
    fn changed(&self, item: Option<usize>, change: impl Fn(&mut Draft)) -> Vec<Draft> {
        let mut candidate = self.failing.clone();
        for (index, draft) in candidate.iter_mut().enumerate() {
            if item.is_none_or(|i| i == index) {
                let before = draft.clone();
                change(draft);
                if !self.core.is_due(draft) {
                    *draft = before;
                }
            }
        }
        candidate
    }
}

impl ValueTree for BatchTree {
    type Value = Vec<Draft>;

    fn current(&self) -> Vec<Draft> {
        self.trial.as_ref().unwrap_or(&self.failing).clone()
    }

    /// The trial failed too (or nothing was tried yet): it is what is simplified from now on.
    fn simplify(&mut self) -> bool {
        if let Some(trial) = self.trial.take() {
            self.failing = trial;
            self.stage = match self.stage {
                // What moved up into the gap is tried next.
                Stage::Items { size, at } => Stage::Items { size, at: at.saturating_sub(size) },
                Stage::Cut { field, item, .. } => Stage::Cut { field, item, step: 0 },
                other => other,
            };
        }
        self.propose()
    }

    /// The trial did not fail: the next candidate takes its place at once, as repeating the failing batch
    /// would cost a request and teach nothing.
    fn complicate(&mut self) -> bool {
        self.trial.is_some() && self.propose()
    }
}

/// The `step`th way to shorten a text: halves, quarters, .. from either end, down to one character.
#[must_use]
pub fn cut_text(text: &str, step: usize) -> Option<String> {
    let length = text.chars().count();
    let part = length >> (step / 2 + 1).min(63);
    if part == 0 || length < 2 {
        return None;
    }
    Some(if step.is_multiple_of(2) {
        text.chars().take(length - part).collect()
    } else {
        text.chars().skip(part).collect()
    })
}

/// The `step`th way to shorten a number's shape: one side away altogether, then each piece by piece.
fn cut_number(number: &NumberShape, step: usize) -> Option<NumberShape> {
    match number {
        NumberShape::Decorated { before, after } => {
            let mut ways = Vec::new();
            if !before.is_empty() && !after.is_empty() {
                ways.push((String::new(), after.clone()));
                ways.push((before.clone(), String::new()));
            }
            ways.extend((0..).map_while(|s| Some((cut_text(before, s)?, after.clone()))));
            ways.extend((0..).map_while(|s| Some((before.clone(), cut_text(after, s)?))));
            let (before, after) = ways.into_iter().nth(step)?;
            Some(NumberShape::Decorated { before, after })
        }
        NumberShape::Padded { length, with } => {
            let part = length.saturating_sub(40) >> (step + 1).min(63);
            (part > 0).then(|| NumberShape::Padded { length: length - part, with: *with })
        }
        _ => None,
    }
}
