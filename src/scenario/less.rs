//! Scripts with less in them: what is expected of the rest moves with it.

use std::collections::HashSet;

use super::{ItemText, Scenario};
use crate::case::{BodyPin, Results};
use crate::contract::Contract;

/// An item: position of its request, and its position in the batch.
pub type ItemPlace = (usize, usize);

impl Scenario {
    /// All items with their places.
    pub fn places(&self) -> impl Iterator<Item = (ItemPlace, &ItemText)> {
        self.requests.iter().enumerate().flat_map(|(s, send)| {
            send.batch
                .iter()
                .flat_map(|b| &b.items)
                .enumerate()
                .map(move |(i, item)| ((s, i), item))
        })
    }

    /// The scenario without some requests; nothing where none would be left.
    #[must_use]
    pub fn without_sends(&self, contract: &Contract, out: &HashSet<usize>) -> Option<Scenario> {
        let mut scenario = self.clone();
        let items = self.places().map(|(place, _)| place).filter(|(s, _)| out.contains(s));
        scenario.take_items(contract, &items.collect());
        let moved = |s: usize| {
            (!out.contains(&s)).then(|| s - out.iter().filter(|gone| **gone < s).count())
        };
        let mut at = 0;
        scenario.requests.retain(|_| {
            at += 1;
            !out.contains(&(at - 1))
        });
        for expectation in &mut scenario.expectations {
            expectation.exchanges =
                expectation.exchanges.iter().filter_map(|s| moved(*s)).collect();
        }
        scenario.expectations.retain(|e| !e.exchanges.is_empty());
        if let Some(relating) = &mut scenario.relating {
            relating.pairs = relating
                .pairs
                .iter()
                .filter_map(|((a, i), (b, k))| Some(((moved(*a)?, *i), (moved(*b)?, *k))))
                .collect();
        }
        // A request that is left alone needs no barrier.
        let groups: Vec<Option<usize>> = scenario.requests.iter().map(|s| s.group).collect();
        for send in &mut scenario.requests {
            if groups.iter().filter(|g| **g == send.group).count() == 1 {
                send.group = None;
            }
        }
        (!scenario.requests.is_empty()).then_some(scenario)
    }

    /// The scenario without some items; a batch that loses all of its items goes as a whole.
    #[must_use]
    pub fn without_items(&self, contract: &Contract, out: &HashSet<ItemPlace>) -> Option<Scenario> {
        let emptied: HashSet<usize> = self
            .requests
            .iter()
            .enumerate()
            .filter(|(s, send)| {
                send.batch
                    .as_ref()
                    .is_some_and(|b| (0..b.items.len()).all(|i| out.contains(&(*s, i))))
            })
            .map(|(s, _)| s)
            .collect();
        let mut scenario = self.clone();
        let rest = out.iter().filter(|(s, _)| !emptied.contains(s)).copied().collect();
        scenario.take_items(contract, &rest);
        if emptied.is_empty() { Some(scenario) } else { scenario.without_sends(contract, &emptied) }
    }

    fn take_items(&mut self, contract: &Contract, out: &HashSet<ItemPlace>) {
        let counts: Vec<usize> =
            self.requests.iter().map(|s| s.batch.as_ref().map_or(0, |b| b.items.len())).collect();
        for expectation in &mut self.expectations {
            let all: Vec<ItemPlace> = expectation
                .exchanges
                .iter()
                .flat_map(|s| (0..counts.get(*s).copied().unwrap_or(0)).map(|i| (*s, i)))
                .collect();
            let gone = all.iter().filter(|place| out.contains(place)).count();
            let expect = &mut expectation.expect;
            if let Some(Results::Each(list)) = &mut expect.results
                && list.len() == all.len()
            {
                let mut places = all.iter();
                list.retain(|_| places.next().is_none_or(|place| !out.contains(place)));
            }
            expect.count = expect.count.map(|count| count.less(gone));
            let results = format!("/{}", contract.batch.results);
            if let Some(BodyPin::Holds(held)) = expect.body.get_mut(&results) {
                held.count = held.count.map(|count| count.less(gone));
            }
            if let [s] = expectation.exchanges.as_slice() {
                let pins = std::mem::take(&mut expect.body);
                expect.body = pins
                    .into_iter()
                    .filter_map(|(pointer, pin)| Some((moved(contract, &pointer, *s, out)?, pin)))
                    .collect();
            }
        }
        if let Some(relating) = &mut self.relating {
            let left = |(s, i): ItemPlace| {
                let before = (0..i).filter(|k| out.contains(&(s, *k))).count();
                (!out.contains(&(s, i))).then(|| (s, i - before))
            };
            relating.pairs =
                relating.pairs.iter().filter_map(|(a, b)| Some((left(*a)?, left(*b)?))).collect();
        }
        for (s, send) in self.requests.iter_mut().enumerate() {
            let mut at = 0;
            if let Some(batch) = &mut send.batch {
                batch.items.retain(|_| {
                    at += 1;
                    !out.contains(&(s, at - 1))
                });
            }
        }
    }
}

/// Where a pointer into the results points once items are gone; nothing where its own is.
fn moved(
    contract: &Contract,
    pointer: &str,
    send: usize,
    out: &HashSet<ItemPlace>,
) -> Option<String> {
    let mut steps: Vec<&str> = pointer.split('/').collect();
    let index: Option<usize> = match steps.as_slice() {
        [_, results, index, ..] if *results == contract.batch.results => index.parse().ok(),
        _ => None,
    };
    let Some(index) = index else { return Some(pointer.to_owned()) };
    if out.contains(&(send, index)) {
        return None;
    }
    let place = (index - (0..index).filter(|i| out.contains(&(send, *i))).count()).to_string();
    steps[2] = &place;
    Some(steps.join("/"))
}
