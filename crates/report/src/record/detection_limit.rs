//! The detection limit: the smallest rate of an intermittent fault that a run of this size misses at most 1 % of
//! the time.
//!
//! A fault that strikes one of N at random escapes n independent looks with (1 - 1/N)^n. Knows counts only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::rules;
use crate::contract::text::thousands;

/// Probability that a fault at the detection limit is missed.
pub const ESCAPE: f64 = 0.01;

/// Below this many, a fault is not rare, and nothing is said.
const RARE: u64 = 10;

/// The detection limit: a fault that affects 1 in N is missed at most 1 % of the time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DetectionLimit {
    /// N of ordinary requests; 0 if none got a response.
    pub requests: u64,
    /// N of items; 0 if none had a result.
    pub items: u64,
    /// Rounds of simultaneous requests with one key; 0 where there was none.
    pub races: u64,
}

impl DetectionLimit {
    /// From how often each rule was judged.
    pub fn from_checks(judged: impl Fn(&str) -> u64) -> DetectionLimit {
        DetectionLimit {
            requests: one_in(judged(rules::JUDGED_PER_REQUEST)),
            items: one_in(judged(rules::JUDGED_PER_ITEM)),
            races: one_in(judged(rules::JUDGED_PER_RACE)),
        }
    }
}

impl DetectionLimit {
    /// In words; nothing if too little was checked for a rare fault to show.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let parts: Vec<String> =
            [("requests", self.requests), ("items", self.items), ("races", self.races)]
                .into_iter()
                .filter(|(_, n)| *n >= RARE)
                .map(|(what, n)| format!("1 in {} {what}", thousands(n)))
                .collect();
        (!parts.is_empty()).then(|| {
            format!("intermittent faults that affect at least {} (99 % sure)", parts.join(", or "))
        })
    }
}

/// The largest N of which `looks` looks miss a one-in-N fault with a probability of 1 % at most; 0 for no looks.
#[must_use]
pub fn one_in(looks: u64) -> u64 {
    if looks == 0 {
        return 0;
    }
    let chance = 1.0 - ESCAPE.powf(1.0 / looks as f64);
    // Within what a count of requests can be; fractions are cut, so that the promise holds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let n = (1.0 / chance) as u64;
    n
}

#[cfg(test)]
mod tests {
    use super::{DetectionLimit, one_in};

    #[test]
    fn hardly_any_looks_tell_no_odds() {
        let odds = |judged: u64| DetectionLimit::from_checks(|_| judged).sentence();
        assert_eq!((odds(0), odds(1), odds(5)), (None, None, None));
        let looked = DetectionLimit::from_checks(|rule| {
            if rule == crate::check::rules::JUDGED_PER_REQUEST { 90 } else { 1 }
        })
        .sentence()
        .unwrap();
        assert!(looked.contains("at least 1 in 20 requests (99 %"), "{looked}");
    }

    #[test]
    fn as_many_looks_as_promised_miss_with_one_percent() {
        assert_eq!(one_in(0), 0);
        assert_eq!(one_in(1), 1);
        for looks in [10, 100, 1_791, 16_500] {
            let n = one_in(looks) as f64;
            let missed = |n: f64| (1.0 - 1.0 / n).powf(looks as f64);
            assert!(missed(n) <= 0.01 && missed(n + 1.0) > 0.01, "{looks}: {n}");
        }
    }
}
