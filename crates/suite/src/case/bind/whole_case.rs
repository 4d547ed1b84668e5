//! The names that a whole case gives to items and fields.

use std::collections::{HashMap, HashSet};

use super::names::items;
use crate::case::{Case, Step};
use crate::contract::Contract;

/// Names of items.
pub(super) fn item_names(case: &Case) -> HashSet<String> {
    fn collect(step: &Step, into: &mut HashSet<String>) {
        into.extend(items(step).filter_map(|item| item.name.clone()));
        step.simultaneously.iter().flatten().for_each(|inner| collect(inner, into));
    }
    let mut names = HashSet::new();
    case.spec.steps.iter().flatten().for_each(|step| collect(step, &mut names));
    names
}

/// Names that stand for several items, each with how many: copies of one item that a batch has.
pub(super) fn several(case: &Case) -> HashMap<String, usize> {
    fn collect(step: &Step, into: &mut HashMap<String, usize>) {
        into.extend(
            items(step).filter_map(|item| {
                Some((item.name.clone()?, item.times.filter(|times| *times > 1)?))
            }),
        );
        step.simultaneously.iter().flatten().for_each(|inner| collect(inner, into));
    }
    let mut names = HashMap::new();
    case.spec.steps.iter().flatten().for_each(|step| collect(step, &mut names));
    names
}

/// Names of fields that an item can have: the contract's, and those that the case sets itself.
pub(super) fn parts(case: &Case, contract: &Contract) -> HashSet<String> {
    let mut parts: HashSet<String> = contract.fields().iter().map(|f| f.name.clone()).collect();
    for step in case.spec.steps.iter().flatten() {
        set_names(step, &mut parts);
    }
    parts
}

fn set_names(step: &Step, into: &mut HashSet<String>) {
    for item in items(step) {
        into.extend(item.set.keys().chain(item.set_raw.keys()).cloned());
    }
    step.simultaneously.iter().flatten().for_each(|inner| set_names(inner, into));
}
