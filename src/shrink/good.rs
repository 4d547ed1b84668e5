//! A good request beside the smallest one that shows a finding: the same, with nothing but what every plain batch has.
//!
//! What the shrinker could not take away is where the two differ.

use super::passes::{bare_number, plain_item};
use crate::case::{Credential, Framing};
use crate::compose::documented_headers;
use crate::scenario::{BatchText, ItemText, Scenario};
use crate::session::Environment;

/// Items above which a comparison says little.
const MOST: usize = 12;

/// The good request beside a scenario of one batch; nothing where it would be the same one.
pub(super) fn good_scenario(environment: &Environment, scenario: &Scenario) -> Option<Scenario> {
    let contract = &environment.contract;
    let [only] = scenario.requests.as_slice() else { return None };
    if only.request.raw.is_some() || only.group.is_some() {
        return None;
    }
    let items = &only.batch.as_ref()?.items;
    if items.is_empty() || items.len() > MOST {
        return None;
    }
    let plain = |item: &ItemText| {
        let plain = plain_item(environment, item)?;
        Some(bare_number(environment, &plain).unwrap_or(plain))
    };
    let items = items.iter().map(plain).collect::<Option<Vec<_>>>()?;
    let mut good = scenario.clone();
    good.expectations.clear();
    good.relating = None;
    let request = &mut good.requests[0];
    request.batch = Some(BatchText::compact(contract, items));
    request.request.method.clone_from(&contract.operation.method);
    request.request.path = crate::compose::documented_path(contract);
    request.request.headers = documented_headers(contract);
    request.request.credential = Credential::Good;
    request.request.framing = Framing::Sized;
    request.request.hang_up = None;
    let same_head = only.request.method == request.request.method
        && only.request.path == request.request.path
        && only.request.headers == request.request.headers
        && only.request.credential == Credential::Good
        && only.request.framing == Framing::Sized;
    let same_body = only.body() == request.body();
    (!(same_head && same_body)).then_some(good)
}
