//! What one execution of a case sent and got, and what its case expects of it.

use std::collections::HashMap;

use bytes::Bytes;

use super::SelectedCase;
use crate::case::Expect;
use crate::check::{
    Evaluation, Excerpt, Expectation, ExpectationSource, Rule, VerdictRelation, evaluate, rules,
};
use crate::exchange::{Answer, Exchange, Intent, LossKind, Request};
use crate::session::{Amount, Environment};

/// What the step of a generated batch is called.
pub(super) const BATCH: &str = "the batch";
/// What an execution sent and got, and what its case expects of it.
#[derive(Debug, Default)]
pub struct Execution {
    /// The exchanges, in the order in which they were sent.
    pub exchanges: Vec<Exchange>,
    /// What the case expects.
    pub expectations: Vec<Expectation>,
    /// How the exchanges must relate.
    pub relating: Option<VerdictRelation>,
    /// Milliseconds that passed on purpose before an exchange, by its index.
    pub pauses: HashMap<usize, u64>,
    /// Exchanges at its beginning that another execution counts: they say what became of keys.
    pub before: usize,
    /// What was sent of it before, and refused for its pace alone.
    pub resent: Amount,
    /// Reads that were made again, because what was stored may take a while to be seen.
    pub read_again: Amount,
    /// Whether the run ended before the execution did: what it expects of all its exchanges was not seen.
    pub cut: bool,
    /// Set where the only batch was never whole in memory: its exchange then holds the first items alone.
    pub streamed: Option<Box<StreamedExecution>>,
}

/// What was judged while it came.
#[derive(Debug)]
pub struct StreamedExecution {
    /// How many items were sent.
    pub items: u64,
    /// What the rules say; the exchange of a violation is 0 for the whole, and n for the excerpt n - 1.
    pub evaluation: Evaluation,
    /// How often each violation was seen, by its position.
    pub times: Vec<u64>,
    /// What violations are about.
    pub excerpts: Vec<Excerpt>,
}

impl Execution {
    /// An execution of one generated batch that was sent already.
    pub(crate) fn of_batch(
        selected: &SelectedCase,
        request: Request,
        intent: Intent,
        answer: Answer,
    ) -> Execution {
        let mut execution = Execution::default();
        execution.push(BATCH, None, request, intent, answer);
        execution.expect_of_batch(selected);
        execution
    }

    /// Bytes of the answers that it holds.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.exchanges.iter().filter_map(|e| e.answer.response()).map(|r| r.body.len()).sum()
    }

    /// Keeps answers without the room that was set aside to parse them: it may be kept to the end of the run.
    pub(crate) fn give_back_room(&mut self) {
        for exchange in &mut self.exchanges {
            if let Answer::Received(response) = &mut exchange.answer {
                response.body = Bytes::copy_from_slice(&response.body);
            }
        }
    }

    /// What the case expects of its only batch.
    pub(super) fn expect_of_batch(&mut self, selected: &SelectedCase) {
        self.expect(selected, selected.case.spec.expect.as_ref(), vec![0], BATCH);
    }

    /// What the rules say of it.
    #[must_use]
    pub fn judge(&self, environment: &Environment) -> Evaluation {
        match &self.streamed {
            Some(streamed) => streamed.evaluation.clone(),
            None => evaluate(
                &environment.contract,
                &environment.profile,
                &self.exchanges,
                &self.expectations,
                self.relating.as_ref(),
            ),
        }
    }

    /// What it sent: what left, and not what waited for its turn or found no connection.
    #[must_use]
    pub fn amount(&self) -> Amount {
        let stayed = |answer: &Answer| match answer {
            Answer::Lost(loss) => loss.kind.is_unreached() || loss.kind == LossKind::Ended,
            Answer::Received(_) => false,
        };
        let left = self.exchanges.iter().skip(self.before).filter(|e| !stayed(&e.answer));
        let items = match &self.streamed {
            Some(streamed) => streamed.items,
            None => left.clone().map(|e| e.intent.items().len() as u64).sum(),
        };
        Amount::new(left.count() as u64, items) + self.read_again
    }

    pub(super) fn expect(
        &mut self,
        selected: &SelectedCase,
        expect: Option<&Expect>,
        about: Vec<usize>,
        step: &str,
    ) {
        let Some(expect) = expect else { return };
        let rule: &'static Rule = expect
            .asserts
            .as_ref()
            .and_then(|named| rules::find(&named.name))
            .unwrap_or(selected.rule);
        self.expectations.push(Expectation {
            exchanges: about,
            expect: expect.clone(),
            rule,
            source: ExpectationSource {
                file: format!("{}:{}", selected.case.file, selected.case.line(expect.line)),
                step: match &selected.case.row {
                    Some(row) => format!("{step}, {row}"),
                    None => step.to_owned(),
                },
            },
        });
    }

    /// The step of an exchange; empty where the execution has no such exchange.
    #[must_use]
    pub fn step(&self, exchange: usize) -> &str {
        self.exchanges.get(exchange).map_or("", |e| e.step.as_str())
    }

    /// Whether no request of that step was answered as a server does that works, because an earlier one was lost or
    /// met an error of the server or the load on it.
    #[must_use]
    pub fn failed_before(&self, step: &str) -> bool {
        let at = self.exchanges.iter().position(|e| e.step == step);
        let before = self.exchanges.iter().take(at.unwrap_or(self.exchanges.len()));
        let failed = |answer: &Answer| match answer {
            Answer::Received(response) => matches!(response.status, 408 | 429 | 500..=599),
            Answer::Lost(_) => true,
        };
        before.into_iter().any(|e| failed(&e.answer))
    }

    /// Whether a request of it was left before its time limit was over.
    #[must_use]
    pub fn was_cut_short(&self) -> bool {
        let cut = |answer: &Answer| match answer {
            Answer::Lost(loss) => matches!(loss.kind, LossKind::CutShort | LossKind::Ended),
            Answer::Received(_) => false,
        };
        self.exchanges.iter().any(|e| cut(&e.answer))
    }

    /// Whether the run ended while a request of it was under way.
    pub(crate) fn was_left(&self) -> bool {
        let left = |a: &Answer| matches!(a, Answer::Lost(loss) if loss.kind == LossKind::Ended);
        self.exchanges.iter().any(|e| left(&e.answer))
    }

    pub(crate) fn push(
        &mut self,
        step: &str,
        group: Option<usize>,
        request: Request,
        intent: Intent,
        answer: Answer,
    ) -> usize {
        let index = self.exchanges.len();
        self.exchanges.push(Exchange {
            index,
            step: step.to_owned(),
            group,
            request,
            intent,
            answer,
            always_busy: false,
        });
        index
    }
}
