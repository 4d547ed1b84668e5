//! Flakiness: how often a cause shows, and how many tries it takes not to miss it. Knows counts only.

use std::collections::BTreeMap;

use crate::record::{FindingRecord, FindingStatus, MinimalExample};

/// Tries above which counting is pointless.
const ENDLESS: u64 = 100_000;

/// Tries of a cause, and how many of them showed it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Occurrences {
    /// Tries that showed it.
    pub shown: u64,
    /// Tries.
    pub of: u64,
}

impl Occurrences {
    /// How many further tries miss it with a probability of at most `escape`; at least one.
    ///
    /// The share that these occurrences show may be luck. So the probability is that over all shares which they leave
    /// possible, each weighted by how well it explains them (Laplace's rule of succession).
    #[must_use]
    pub fn tries_needed(self, escape: f64) -> u64 {
        let missed = self.of.saturating_sub(self.shown) as f64;
        let of = self.of.max(self.shown) as f64;
        let mut escapes = 1.0;
        for done in 0..ENDLESS {
            let further = done as f64;
            escapes *= (missed + 1.0 + further) / (of + 2.0 + further);
            if escapes <= escape {
                return done + 1;
            }
        }
        u64::MAX
    }
}

/// How many further tries at findings of one cause miss it with a probability of at most `escape`. `judged` is
/// in how many executions of the whole run its rule was checked.
#[must_use]
pub fn tries_needed(findings: &[&FindingStatus], judged: u64, escape: f64) -> u64 {
    let sum = |of: fn(&FindingStatus) -> u64| findings.iter().map(|u| of(u)).sum::<u64>();
    let (shown, of) = (sum(|u| u64::from(u.shown)), sum(|u| u64::from(u.of)));
    // Over the whole run: too low where only some cases can show it.
    let everywhere = Occurrences {
        shown: shown + sum(|u| u.runs_shown),
        of: of + judged.max(sum(|u| u.runs_shown)),
    };
    // In the cases that showed it. They are here because they did, so one occurrence of each says nothing.
    let there = Occurrences {
        shown: shown + sum(|u| u.runs_shown.saturating_sub(1)),
        of: of + sum(|u| u.runs.saturating_sub(1)),
    };
    everywhere.tries_needed(escape).min(there.tries_needed(escape))
}

/// Whether a finding is flaky: a repeat did not show it.
#[must_use]
pub fn is_flaky(update: &FindingStatus) -> bool {
    update.shown < update.of
}

/// Whether what findings of one cause were seen to do says that it is flaky: a repeat, or the minimal example, did not
/// always show it, or simultaneous requests did not in each run.
#[must_use]
pub fn is_flaky_cause<'a>(
    cause: impl IntoIterator<Item = (&'a FindingRecord, &'a FindingStatus)>,
    minimals: &BTreeMap<String, MinimalExample>,
) -> bool {
    cause.into_iter().any(|(finding, status)| {
        // What overlaps depends on timing; its runs differ in little else.
        let overlaps = finding.evidence.iter().any(|e| e.group.is_some());
        let example = minimals.get(&finding.id).is_some_and(|m| m.shown < m.of);
        is_flaky(status) || example || (overlaps && status.runs_shown < status.runs)
    })
}

#[cfg(test)]
mod tests {
    use super::Occurrences;

    #[test]
    fn the_rarer_and_the_less_known_the_more_tries() {
        let tries = |shown, of| Occurrences { shown, of }.tries_needed(0.05);
        assert_eq!((tries(3, 3), tries(2, 3), tries(1, 3)), (3, 5, 13));
        // What is known well takes about as many as its share alone says: 5 and 149.
        assert_eq!((tries(500, 1_000), tries(200, 10_000)), (5, 149));
    }

    #[test]
    fn a_lucky_occurrence_does_not_make_a_rare_cause_look_frequent() {
        // One in fifty, shown by two of three repeats: 150 tries would do.
        let lucky = Occurrences { shown: 2 + 30, of: 3 + 1_800 }.tries_needed(0.05);
        assert!(lucky >= 150, "{lucky}");
    }
}
