//! The odds: how rare a fault may be before a run of this size misses it.
//!
//! A fault that strikes one of N at random escapes n independent looks with (1 - 1/N)^n. Knows counts only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fault at the stated odds, or a more frequent one, escapes with at most this probability.
pub const ESCAPE: f64 = 0.01;

/// A fault more frequent than one in so many is no rare one.
const TELLING: u64 = 10;

/// Rules that are judged once an ordinary answer, once an item with its result, once a race.
const ANSWERS: &str = "STATUS-001";
const ITEMS: &str = "ECHO-001";
const RACES: &str = "RACE-001";

/// One of so many: a fault as frequent as this escapes with a probability of 1 % at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Odds {
    /// Of so many ordinary requests; 0 where none was answered.
    pub requests: u64,
    /// Of so many items; 0 where none had a result.
    pub items: u64,
    /// Of so many rounds of simultaneous requests with one number; 0 where there was none.
    pub races: u64,
}

impl Odds {
    /// From how often each rule was judged.
    pub fn of(judged: impl Fn(&str) -> u64) -> Odds {
        Odds {
            requests: one_in(judged(ANSWERS)),
            items: one_in(judged(ITEMS)),
            races: one_in(judged(RACES)),
        }
    }
}

impl Odds {
    /// In a sentence; nothing where hardly anything was looked at, so that nothing rare could have shown.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let parts: Vec<String> =
            [("requests", self.requests), ("items", self.items), ("races", self.races)]
                .into_iter()
                .filter(|(_, n)| *n >= TELLING)
                .map(|(what, n)| format!("one in {n} {what}"))
                .collect();
        (!parts.is_empty()).then(|| {
            format!("a random fault as frequent as {} escapes with 1 % at most", parts.join(", "))
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
    use super::{Odds, one_in};

    #[test]
    fn hardly_any_looks_tell_no_odds() {
        let odds = |judged: u64| Odds::of(|_| judged).told();
        assert_eq!((odds(0), odds(1), odds(5)), (None, None, None));
        let looked = Odds::of(|rule| if rule == "STATUS-001" { 90 } else { 1 }).told().unwrap();
        assert!(looked.contains("one in 20 requests escapes"), "{looked}");
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
