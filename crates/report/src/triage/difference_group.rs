//! Differences between two targets, grouped by cause: what differs, where, between which answers, and which rule decides.
//! Kinds of input are members of a group.

use std::cmp::Reverse;

use crate::record::{AgainstSummary, DifferenceRecord, DifferenceState, DifferenceVerdict};

/// Differences with one cause.
pub struct DifferenceGroup<'a> {
    /// The one that is shown: confirmed, and the smallest.
    pub lead: &'a DifferenceRecord,
    /// All of them, the most frequent kind of input first.
    pub members: Vec<&'a DifferenceRecord>,
}

impl DifferenceGroup<'_> {
    /// What repeats say: the best of its members.
    #[must_use]
    pub fn state(&self) -> DifferenceState {
        self.lead.state
    }

    /// Whether it counts.
    #[must_use]
    pub fn counts(&self) -> bool {
        matches!(self.state(), DifferenceState::Confirmed | DifferenceState::Flaky)
    }

    /// Whether it counts and the newer target violates a rule.
    #[must_use]
    pub fn is_violation(&self) -> bool {
        let verdict = self.lead.verdict;
        let violates =
            matches!(verdict, DifferenceVerdict::Regression | DifferenceVerdict::BothViolate);
        self.counts() && violates
    }

    /// Executions that showed it.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.members.iter().map(|d| d.count).sum()
    }

    /// The cases that showed it.
    #[must_use]
    pub fn cases(&self) -> Vec<&str> {
        let mut cases: Vec<&str> = Vec::new();
        for case in self.members.iter().flat_map(|d| &d.cases) {
            if !cases.contains(&case.as_str()) {
                cases.push(case);
            }
        }
        cases
    }
}

/// The differences of a run by cause: those that count first, then the worst, then the most frequent.
#[must_use]
pub fn difference_groups(against: &AgainstSummary) -> Vec<DifferenceGroup<'_>> {
    let mut groups: Vec<DifferenceGroup<'_>> = Vec::new();
    for difference in &against.differences {
        match groups.iter_mut().find(|group| is_one(group.lead, difference)) {
            Some(group) => group.members.push(difference),
            None => groups.push(DifferenceGroup { lead: difference, members: vec![difference] }),
        }
    }
    for group in &mut groups {
        group.members.sort_by_key(|d| Reverse(d.count));
        let best = group.members.iter().min_by_key(|d| (d.evidence.is_empty(), d.state, size(d)));
        group.lead = best.copied().unwrap_or(group.lead);
    }
    groups.sort_by_key(|group| {
        (!group.counts(), group.lead.verdict, group.lead.level, Reverse(group.count()))
    });
    groups
}

/// How many groups that count have each verdict, the worst first; those without any are left out.
#[must_use]
pub fn verdict_counts(groups: &[DifferenceGroup<'_>]) -> Vec<(DifferenceVerdict, usize)> {
    let count = |verdict| groups.iter().filter(|g| g.counts() && g.lead.verdict == verdict).count();
    let all = DifferenceVerdict::ALL.into_iter().map(|verdict| (verdict, count(verdict)));
    all.filter(|(_, count)| *count > 0).collect()
}

fn is_one(a: &DifferenceRecord, b: &DifferenceRecord) -> bool {
    let key = |d: &DifferenceRecord| (d.kind, d.verdict);
    key(a) == key(b) && a.place == b.place && a.old == b.old && a.new == b.new && a.rule == b.rule
}

fn size(difference: &DifferenceRecord) -> usize {
    difference.evidence.iter().map(|pair| pair.new.size()).sum()
}
