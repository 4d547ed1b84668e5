//! Texts of the specification, where the run was judged by the one that this version ships with.
//!
//! A record names its specification by hash and readings by number. Another specification's texts are not
//! known here, and nothing is made up for them.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::{Contract, Reading};
use crate::record::Summary;

/// What is known of a run's specification.
#[derive(Default)]
pub(super) struct Docs {
    readings: BTreeMap<String, Reading>,
    /// Documented error codes, those of the profile with them; nothing where they aren't known.
    pub(super) codes: Option<BTreeSet<String>>,
}

impl Docs {
    pub(super) fn of(summary: &Summary) -> Docs {
        let shipped =
            Contract::shipped().ok().filter(|c| c.hash == summary.head.specification.hash);
        let Some(contract) = shipped else { return Docs::default() };
        let mut codes: BTreeSet<String> = contract.batch.codes.keys().cloned().collect();
        let profile = summary.head.profile.as_ref().and_then(|p| p.get("error-codes"));
        if let Some(more) = profile.and_then(|c| c.as_object()) {
            codes.extend(more.keys().cloned());
        }
        Docs {
            readings: contract.readings.into_iter().map(|r| (r.id.clone(), r)).collect(),
            codes: Some(codes),
        }
    }

    /// The readings that a citation names.
    pub(super) fn cited(&self, cite: &str) -> Vec<&Reading> {
        cite.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .filter_map(|word| self.readings.get(word))
            .collect()
    }
}
