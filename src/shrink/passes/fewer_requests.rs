//! The passes that take away: requests, then items, halves first, then one by one.

use std::collections::HashSet;

use crate::case::Framing;
use crate::contract::Contract;
use crate::scenario::{BatchText, ItemPlace, Scenario};
use crate::shrink::shrinker::{MANY, Shrinker};

/// How many items are tried for all where there are many.
const PROBES: usize = 5;

impl Shrinker<'_> {
    pub(in crate::shrink) async fn take_sends(&mut self) {
        let contract = &self.environment.contract;
        let count = self.scenario.requests.len();
        if count < 2 {
            return;
        }
        // What came after it had no part in it, unless they overlapped; often nothing else had.
        let at = self.shown.violation.exchange;
        let alone: HashSet<usize> = (0..count).filter(|s| *s != at).collect();
        if self.try_out(self.scenario.without_sends(contract, &alone)).await {
            return;
        }
        let group = self.scenario.requests.get(at).and_then(|s| s.group);
        let after: HashSet<usize> = (at + 1..count)
            .filter(|s| group.is_none() || self.scenario.requests[*s].group != group)
            .collect();
        if !after.is_empty() {
            self.try_out(self.scenario.without_sends(contract, &after)).await;
        }
        let mut size = self.scenario.requests.len().div_ceil(2);
        while size > 0 && self.attempts.ended.is_none() {
            let mut at = 0;
            while at < self.scenario.requests.len() {
                let out: HashSet<usize> =
                    (at..(at + size).min(self.scenario.requests.len())).collect();
                if !self.try_out(self.scenario.without_sends(contract, &out)).await {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    /// The item that the finding is about, alone or with its neighbours: often nothing else had a part in it.
    pub(in crate::shrink) async fn only_the_item(&mut self) {
        let Some(item) = self.shown.violation.finding.item else { return };
        let place = (self.shown.violation.exchange, item);
        let unit = self.scenario.places().find(|(p, _)| *p == place).map(|(_, i)| i.unit);
        let others = self.scenario.places().filter(|(_, i)| Some(i.unit) != unit);
        let out: HashSet<ItemPlace> = others.map(|(p, _)| p).collect();
        if unit.is_some() && !out.is_empty() && !self.try_out(self.without(&out)).await {
            // Next to each other, items know of each other.
            let near = |p: &ItemPlace| p.0 == place.0 && p.1.abs_diff(item) <= 1;
            let beside = self.scenario.places().filter(|(p, i)| !near(p) && Some(i.unit) != unit);
            let out: HashSet<ItemPlace> = beside.map(|(p, _)| p).collect();
            self.try_out(self.without(&out)).await;
        }
    }

    pub(in crate::shrink) async fn take_items(&mut self) {
        if self.scenario.items().count() < 2 {
            return;
        }
        self.only_the_item().await;
        if !self.is_all_needed().await {
            self.take_chunks().await;
        }
        // Items of one unit can be too many too.
        let mut at = 0;
        loop {
            let here = self.scenario.places().nth(at).map(|(place, item)| (place, item.unit));
            let Some((place, unit)) = here else { return };
            let siblings = self.scenario.places().filter(|(_, i)| i.unit == unit).count();
            let out = HashSet::from([place]);
            if siblings < 2 || !self.try_out(self.without(&out)).await {
                at += 1;
            }
        }
    }

    /// Whether none of a few items between the first and the last can go: then it is their number that
    /// counts, and the others need not be tried one by one.
    async fn is_all_needed(&mut self) -> bool {
        let units = self.units();
        if units.len() <= MANY {
            return false;
        }
        for nth in 1..=PROBES {
            let unit = units[nth * units.len() / (PROBES + 1)];
            if self.try_out(self.without_units(&HashSet::from([unit]))).await {
                return false;
            }
        }
        true
    }

    async fn take_chunks(&mut self) {
        let mut size = self.units().len().div_ceil(2);
        while size > 0 && self.attempts.ended.is_none() {
            let mut at = 0;
            loop {
                let units = self.units();
                if at >= units.len() {
                    break;
                }
                let end = (at + size).min(units.len());
                let chunk: HashSet<usize> = units[at..end].iter().copied().collect();
                if !self.try_out(self.without_units(&chunk)).await {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    fn without_units(&self, units: &HashSet<usize>) -> Option<Scenario> {
        let places = self.scenario.places().filter(|(_, item)| units.contains(&item.unit));
        self.without(&places.map(|(place, _)| place).collect())
    }

    fn without(&self, out: &HashSet<ItemPlace>) -> Option<Scenario> {
        self.scenario.without_items(&self.environment.contract, out)
    }

    /// Envelope, framing, connection and pauses as an everyday client has them.
    pub(in crate::shrink) async fn plain_writing(&mut self) {
        let environment = self.environment;
        for way in PLAIN {
            let mut candidate = self.scenario.clone();
            way(&environment.contract, &mut candidate);
            self.try_out(Some(candidate)).await;
        }
    }
}

/// What makes a request an everyday one, each way on its own.
const PLAIN: [fn(&Contract, &mut Scenario); 4] = [
    |contract, scenario| {
        for batch in scenario.requests.iter_mut().filter_map(|s| s.batch.as_mut()) {
            *batch = BatchText::compact(contract, std::mem::take(&mut batch.items));
        }
    },
    |_, scenario| scenario.requests.iter_mut().for_each(|s| s.request.framing = Framing::Sized),
    |_, scenario| {
        for send in scenario.requests.iter_mut().filter(|s| s.request.raw.is_none()) {
            send.request.new_connection = false;
        }
    },
    |_, scenario| scenario.requests.iter_mut().for_each(|s| s.pause = 0),
];
