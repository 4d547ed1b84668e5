//! A scenario that shows a finding and gets smaller: candidates are tried, and take its place where they show the
//! finding too. It must not know which candidates there are.

use super::attempt::{Attempts, Shown};
use crate::scenario::{Item, Place, Script};
use crate::session::Environment;

/// Items above which it is counted first how many are needed.
pub(super) const MANY: usize = 8;
/// Items above which it is too dear to try them one by one.
const LARGE: usize = 40;

/// A script that shows a finding, getting smaller.
pub struct Shrinking<'a> {
    /// What all trials share.
    pub environment: &'a Environment,
    /// Sends candidates.
    pub attempts: Attempts<'a>,
    /// The smallest script so far.
    pub script: Script,
    /// How it showed the finding.
    pub shown: Shown,
    /// How many candidates took its place.
    pub taken: u32,
}

impl Shrinking<'_> {
    /// Puts `candidate` in the script's place where it shows the finding too.
    pub async fn try_out(&mut self, candidate: Option<Script>) -> bool {
        let Some(candidate) = candidate else { return false };
        if self.attempts.ended.is_some() {
            return false;
        }
        let Some(shown) = self.attempts.shows(&candidate).await else { return false };
        self.script = candidate;
        self.shown = shown;
        self.taken += 1;
        true
    }

    /// The units of the script's items, in order.
    pub fn units(&self) -> Vec<usize> {
        let mut units: Vec<usize> = Vec::new();
        for item in self.script.items() {
            if !units.contains(&item.unit) {
                units.push(item.unit);
            }
        }
        units
    }

    /// Whether it is too dear to be tried again for each item.
    pub(super) fn is_large(&self) -> bool {
        self.script.items().count() > LARGE
    }

    /// The unit of the item that the finding is about.
    pub(super) fn unit_of_finding(&self) -> Option<usize> {
        let place = (self.shown.violation.exchange, self.shown.violation.finding.item?);
        self.script.places().find(|(p, _)| *p == place).map(|(_, item)| item.unit)
    }
}

/// Which items are changed.
#[derive(Clone, Copy)]
pub(super) enum Which {
    All,
    Unit(usize),
    But(usize),
    At(Place),
}

impl Which {
    pub(super) fn is(self, place: Place, item: &Item) -> bool {
        match self {
            Which::All => true,
            Which::Unit(unit) => item.unit == unit,
            Which::But(unit) => item.unit != unit,
            Which::At(own) => own == place,
        }
    }
}
