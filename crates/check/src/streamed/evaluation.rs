//! What came of a batch that was judged as a stream: each kind of finding once, with the few items and results
//! around it, and how often it was seen. It must not know how an answer is taken apart.

use std::collections::HashMap;

use super::StreamContext;
use super::window::{Window, answer, exchange, with_body};
use crate::evaluation::{Evaluation, RuleCounts, RuleViolation};
use crate::exchange::{Exchange, Response};
use crate::rule::Check;
use crate::rules;

/// Findings of different kinds that are kept.
const KINDS: usize = 256;

/// What came of it.
pub struct StreamEvaluation {
    /// What the rules say; the exchange of a violation is 0 for the whole, and n for the excerpt n - 1.
    pub evaluation: Evaluation,
    /// How often each violation was seen, by its position.
    pub times: Vec<u64>,
    /// The exchange, with its first items in place of all.
    pub exchange: Option<Exchange>,
    /// What violations are about.
    pub excerpts: Vec<Excerpt>,
    kinds: HashMap<(&'static str, String, String), usize>,
}

/// A few items of a batch with their results.
#[derive(Debug)]
pub struct Excerpt {
    /// Which item of the batch is the first.
    pub first: usize,
    /// The items and results, as an exchange.
    pub exchange: Exchange,
}

impl Default for StreamEvaluation {
    fn default() -> StreamEvaluation {
        let counts = vec![RuleCounts::default(); rules::all().len()];
        StreamEvaluation {
            evaluation: Evaluation { counts, ..Evaluation::default() },
            times: Vec::new(),
            exchange: None,
            excerpts: Vec::new(),
            kinds: HashMap::new(),
        }
    }
}

impl StreamEvaluation {
    /// Keeps a violation of a window, where it is of a new kind, and counts it.
    pub(super) fn keep(
        &mut self,
        about: &StreamContext<'_>,
        head: &Response,
        window: &Window,
        items: usize,
        violation: RuleViolation,
    ) {
        match self.kinds.get(&kind(&violation)) {
            // Some fail once for an answer, in however many windows that shows.
            Some(at) => self.times[*at] += u64::from(!violation.rule.fails_once_per_answer),
            None => self.keep_new(about, head, window, items, violation),
        }
    }

    /// Keeps a violation of a new kind, with the few items and results around it.
    pub(super) fn keep_new(
        &mut self,
        about: &StreamContext<'_>,
        head: &Response,
        window: &Window,
        items: usize,
        mut violation: RuleViolation,
    ) {
        if self.kinds.len() >= KINDS || self.kinds.contains_key(&kind(&violation)) {
            return;
        }
        let local = violation.finding.item.unwrap_or(0);
        let range = (local.saturating_sub(1), (local + 2).min(window.len()));
        self.add_excerpt(about, head, window, range, items);
        violation.exchange = self.excerpts.len();
        violation.finding.item = violation.finding.item.map(|item| item + window.base);
        violation.finding.pointer = moved(&violation.finding.pointer, window.base);
        for message in [&mut violation.finding.expected, &mut violation.finding.actual] {
            message.move_items(window.base);
        }
        self.push(violation);
    }

    pub(super) fn add_excerpt(
        &mut self,
        about: &StreamContext<'_>,
        head: &Response,
        window: &Window,
        (from, to): (usize, usize),
        items: usize,
    ) {
        let contract = about.contract;
        let (first, last) = (window.base + from, window.base + to.max(1) - 1);
        let step = format!("items {first} to {last} of {items}");
        let body = window.body(contract, from, to);
        let results = answer(contract, &window.answer(from, to), None);
        let exchange = exchange(contract, &about.request, &step, body, with_body(head, results));
        self.excerpts.push(Excerpt { first, exchange });
    }

    /// Keeps a violation about the exchange as a whole.
    pub(super) fn keep_whole(&mut self, mut violation: RuleViolation) {
        if !self.kinds.contains_key(&kind(&violation)) {
            violation.exchange = 0;
            self.push(violation);
        }
    }

    pub(super) fn push(&mut self, violation: RuleViolation) {
        self.kinds.insert(kind(&violation), self.evaluation.violations.len());
        self.evaluation.violations.push(violation);
        self.times.push(1);
    }

    /// A rule about the exchange that failed on some of it has failed on it.
    pub(super) fn settle(&mut self) {
        for violation in &self.evaluation.violations {
            if !matches!(violation.rule.check, Check::Item(_))
                && let Some(index) = rules::index(violation.rule.id)
            {
                self.evaluation.counts[index] = RuleCounts { failed: 1, ..RuleCounts::default() };
            }
        }
    }
}

fn kind(violation: &RuleViolation) -> (&'static str, String, String) {
    (violation.rule.id, violation.finding.place(), violation.finding.kind.clone())
}

/// A pointer to an element of a window as one to the same element of the whole.
fn moved(pointer: &str, base: usize) -> String {
    let mut parts = pointer.splitn(4, '/');
    let (Some(""), Some(list), Some(index)) = (parts.next(), parts.next(), parts.next()) else {
        return pointer.to_owned();
    };
    let Ok(index) = index.parse::<usize>() else { return pointer.to_owned() };
    match parts.next() {
        Some(rest) => format!("/{list}/{}/{rest}", index + base),
        None => format!("/{list}/{}", index + base),
    }
}
