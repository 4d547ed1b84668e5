//! Causes: findings of one rule, place and kind of difference, in any case.

use crate::check::{Grouping, rules};
use crate::record::FindingRecord;

/// What findings of one cause share, in any case: rule, place, and kind of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cause<'a> {
    rule: &'a str,
    place: &'a str,
    kind: &'a str,
}

impl FindingRecord {
    /// Its cause. What follows a colon in a kind is a variety of it: `type accepted: array`.
    #[must_use]
    pub fn cause(&self) -> Cause<'_> {
        let kind = self.kind.split_once(": ").map_or(self.kind.as_str(), |(kind, _)| kind);
        Cause { rule: &self.rule, place: &self.place, kind }
    }

    /// What it shares with all findings of its problem, as its rule says.
    pub(super) fn root_cause(&self) -> Cause<'_> {
        let cause = self.cause();
        match rules::find(cause.rule).map(|rule| rule.grouping) {
            Some(Grouping::Shared(group)) => Cause { rule: group, ..cause },
            Some(Grouping::ByPlace) => Cause { kind: "", ..cause },
            Some(Grouping::ByKind) | None => cause,
        }
    }
}

/// What was found by its causes, in the order in which they came first.
#[must_use]
pub fn by_cause<'a, T>(
    found: impl IntoIterator<Item = T>,
    finding: impl Fn(&T) -> &'a FindingRecord,
) -> Vec<Vec<T>> {
    let mut causes: Vec<(Cause<'a>, Vec<T>)> = Vec::new();
    for one in found {
        let cause = finding(&one).cause();
        match causes.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, list)) => list.push(one),
            None => causes.push((cause, vec![one])),
        }
    }
    causes.into_iter().map(|(_, list)| list).collect()
}
