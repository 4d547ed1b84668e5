//! A scenario: an execution written out request by request, so that it can be sent again, made smaller, or kept as a
//! case file.
//!
//! It is made from what was sent, whatever case that came from. It must not know which rule an execution failed.

mod fresh;
mod item;
mod less;
mod raced;
mod recorded;
mod send;

use std::collections::HashMap;

pub use fresh::FreshKeys;
pub use item::{BatchText, ItemText};
pub use less::ItemPlace;
pub use send::send_scenario;

use crate::check::{Expectation, VerdictRelation};
use crate::contract::Contract;
use crate::exchange::{BodyIntent, Exchange, Request};
use crate::execution::Execution;
use crate::generate::KeyPrefixes;
use crate::session::{Amount, Environment};

/// An execution written out.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The requests, in order.
    pub requests: Vec<ScenarioRequest>,
    /// What is expected; exchanges are positions in `requests`.
    pub expectations: Vec<Expectation>,
    /// How the answers must relate; exchanges are positions in `requests`.
    pub relating: Option<VerdictRelation>,
    /// What the numbers in it begin with.
    pub prefixes: KeyPrefixes,
}

/// One request of a scenario.
#[derive(Debug, Clone)]
pub struct ScenarioRequest {
    /// The step's name.
    pub step: String,
    /// Requests of the same group are released together.
    pub group: Option<usize>,
    /// Milliseconds to wait before it.
    pub pause: u64,
    /// The request; where `batch` is something, its body is written from that.
    pub request: Request,
    /// Its body taken apart, where it is a batch with items.
    pub batch: Option<BatchText>,
    /// Whether what it carries is judged as a body.
    pub has_body: bool,
}

impl Scenario {
    /// Writes out what an execution sent.
    #[must_use]
    pub fn of(environment: &Environment, execution: &Execution) -> Scenario {
        let contract = &environment.contract;
        let mut scenario = Scenario {
            requests: execution
                .exchanges
                .iter()
                .map(|e| {
                    let pause = execution.pauses.get(&e.index).copied().unwrap_or(0);
                    ScenarioRequest { pause, ..ScenarioRequest::of(contract, e) }
                })
                .collect(),
            expectations: execution.expectations.clone(),
            relating: execution.relating.clone(),
            prefixes: KeyPrefixes::of_generator(environment.keys.prefix()),
        };
        scenario.link(contract);
        scenario
    }

    /// Requests and items.
    #[must_use]
    pub fn amount(&self) -> Amount {
        Amount::new(self.requests.len() as u64, self.items().count() as u64)
    }

    /// All items.
    pub fn items(&self) -> impl Iterator<Item = &ItemText> {
        self.requests.iter().filter_map(|s| s.batch.as_ref()).flat_map(|b| &b.items)
    }

    /// Whether a number in it is somebody's own, so that nobody can tell what became of it before.
    #[must_use]
    pub fn has_literal_numbers(&self, contract: &Contract) -> bool {
        use crate::contract::validity::ExpectedOutcome;
        self.items().any(|item| {
            let due = item.validity(contract).map(|s| s.expected_outcome());
            let is_plain = crate::generate::has_everyday_keys(contract);
            is_plain
                && matches!(due, Some(ExpectedOutcome::Accept(_)))
                && item
                    .number(contract)
                    .is_some_and(|n| self.prefixes.find(n.as_bytes()).is_empty())
        })
    }

    /// Links items that are the same one in several requests: those that a relation pairs, and those that
    /// share a number.
    fn link(&mut self, contract: &Contract) {
        let mut units: HashMap<(usize, usize), usize> = HashMap::new();
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut next = 0;
        for (s, send) in self.requests.iter().enumerate() {
            for (i, item) in send.batch.iter().flat_map(|b| &b.items).enumerate() {
                let paired = self.relating.iter().flat_map(|r| &r.pairs).find_map(|(a, b)| {
                    (*b == (s, i)).then_some(a).and_then(|a| units.get(a)).copied()
                });
                let number = item.number(contract);
                let known = number.as_ref().and_then(|n| numbers.get(n)).copied();
                let unit = paired.or(known).unwrap_or_else(|| {
                    next += 1;
                    next
                });
                units.insert((s, i), unit);
                if let Some(number) = number {
                    numbers.entry(number).or_insert(unit);
                }
            }
        }
        for (s, send) in self.requests.iter_mut().enumerate() {
            for (i, item) in send.batch.iter_mut().flat_map(|b| &mut b.items).enumerate() {
                item.unit = units.get(&(s, i)).copied().unwrap_or(0);
            }
        }
    }
}

impl ScenarioRequest {
    fn of(contract: &Contract, exchange: &Exchange) -> ScenarioRequest {
        let request = exchange.request.clone();
        let mut batch = match (&request.raw, request.hang_up, &request.body) {
            (None, None, Some(body)) => BatchText::parse(body, contract),
            _ => None,
        };
        let sent = exchange.intent.items();
        for (item, intent) in batch.iter_mut().flat_map(|b| &mut b.items).zip(sent) {
            item.mutations.clone_from(&intent.mutations);
        }
        ScenarioRequest {
            step: exchange.step.clone(),
            group: exchange.group,
            pause: 0,
            request,
            batch,
            has_body: !matches!(exchange.intent.body, BodyIntent::None),
        }
    }

    /// The body as it was sent or as its items make it, with the numbers that it has.
    #[must_use]
    pub fn body(&self) -> Option<Vec<u8>> {
        match &self.batch {
            Some(batch) => Some(batch.body(|item| item.text().to_owned()).into_bytes()),
            None => self.request.body.as_ref().map(|b| b.to_vec()),
        }
    }
}
