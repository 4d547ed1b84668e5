//! A scenario whose decisive request is sent several times at once: what only overlapping requests show needs others
//! beside it. It must not know what overlaps in a run.

use std::collections::HashSet;

use super::{FreshKeys, ItemText, Scenario, ScenarioRequest};
use crate::contract::Contract;
use crate::generate::KeyGenerator;

impl Scenario {
    /// The same up to the request at `at`, which is released together with copies of itself, `together` in all; each
    /// copy has keys of its own. Nothing where the request can't have copies.
    #[must_use]
    pub fn raced(
        &self,
        contract: &Contract,
        keys: &KeyGenerator,
        at: usize,
        together: usize,
    ) -> Option<Scenario> {
        let decisive = self.requests.get(at)?;
        let is_ordinary = decisive.request.raw.is_none() && decisive.request.hang_up.is_none();
        if !is_ordinary || decisive.group.is_some() || together < 2 {
            return None;
        }
        let later: HashSet<usize> = (at + 1..self.requests.len()).collect();
        let mut raced = self.without_sends(contract, &later)?;
        let group = raced.requests.iter().filter_map(|r| r.group).max().map_or(0, |g| g + 1);
        let mut first = raced.requests.pop()?;
        first.group = Some(group);
        let mut copies = Vec::with_capacity(together);
        for _ in 1..together {
            let mut fresh = FreshKeys::new(keys, &self.prefixes);
            copies.push(copy(contract, &first, &mut fresh));
            raced.prefixes.add(fresh.prefixes());
        }
        raced.requests.push(first);
        raced.requests.extend(copies);
        Some(raced)
    }
}

/// A request with fresh keys.
fn copy(
    contract: &Contract,
    original: &ScenarioRequest,
    fresh: &mut FreshKeys<'_>,
) -> ScenarioRequest {
    let mut copy = original.clone();
    copy.pause = 0;
    copy.request.path = fresh.text(&copy.request.path);
    for (_, value) in &mut copy.request.headers {
        *value = fresh.text(value);
    }
    copy.request.body = copy.request.body.map(|body| fresh.bytes(&body).into());
    for item in copy.batch.iter_mut().flat_map(|batch| &mut batch.items) {
        let mut fresh_item = ItemText::new(&fresh.item(contract, item));
        fresh_item.unit = item.unit;
        fresh_item.mutations = std::mem::take(&mut item.mutations);
        *item = fresh_item;
    }
    copy
}
