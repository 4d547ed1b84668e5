//! What a run may spend: the budget of each depth, and the reserve for confirming and shrinking.

use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::sync::Mutex;

use super::locked;
use crate::case::Depth;

/// The share of the budget that confirming and shrinking may add: a third.
const RESERVE: u64 = 3;

/// How much was sent, or may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Requests.
    pub requests: u64,
    /// Items of all batches in them.
    pub items: u64,
}

impl Amount {
    /// More than anybody will ever send.
    pub const ENDLESS: Amount = Amount::new(u64::MAX, u64::MAX);

    /// This number of requests, with this number of items in all.
    #[must_use]
    pub const fn new(requests: u64, items: u64) -> Amount {
        Amount { requests, items }
    }

    /// So many times as much.
    #[must_use]
    pub fn times(self, count: u64) -> Amount {
        Amount::new(self.requests.saturating_mul(count), self.items.saturating_mul(count))
    }

    /// The part that one of `parts` equal shares has.
    #[must_use]
    pub fn share(self, parts: u64) -> Amount {
        let parts = parts.max(1);
        Amount::new(self.requests / parts, self.items / parts)
    }

    /// Whether `whole` has room for it.
    #[must_use]
    pub fn fits(self, whole: Amount) -> bool {
        self.requests <= whole.requests && self.items <= whole.items
    }

    /// What is left without `other`, nothing at least.
    #[must_use]
    pub fn minus(self, other: Amount) -> Amount {
        Amount::new(
            self.requests.saturating_sub(other.requests),
            self.items.saturating_sub(other.items),
        )
    }
}

impl Add for Amount {
    type Output = Amount;

    fn add(self, other: Amount) -> Amount {
        Amount::new(
            self.requests.saturating_add(other.requests),
            self.items.saturating_add(other.items),
        )
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        *self = *self + other;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Amount {
        amounts.fold(Amount::default(), Add::add)
    }
}

/// An amount that several tasks draw on.
#[derive(Debug)]
pub struct Budget(Mutex<Amount>);

impl Budget {
    /// So much.
    #[must_use]
    pub fn new(amount: Amount) -> Budget {
        Budget(Mutex::new(amount))
    }

    /// Takes an amount, all of it or nothing; says whether there was as much.
    #[must_use]
    pub fn take(&self, amount: Amount) -> bool {
        let mut left = locked(&self.0);
        let fits = amount.fits(*left);
        if fits {
            *left = left.minus(amount);
        }
        fits
    }

    /// Takes what was spent already.
    pub fn charge(&self, amount: Amount) {
        let mut left = locked(&self.0);
        *left = left.minus(amount);
    }

    /// Adds so much, but no more than `most` stays in the end.
    pub fn add(&self, amount: Amount, most: Amount) {
        let mut left = locked(&self.0);
        *left += amount;
        *left = Amount::new(left.requests.min(most.requests), left.items.min(most.items));
    }

    /// So much is left, whatever was.
    pub fn set(&self, amount: Amount) {
        *locked(&self.0) = amount;
    }

    /// What is left.
    #[must_use]
    pub fn left(&self) -> Amount {
        *locked(&self.0)
    }
}

/// What the planned executions of a depth may spend; deep runs have no bound.
#[must_use]
pub fn depth_budget(depth: Depth) -> Option<Amount> {
    match depth {
        Depth::Quick => Some(Amount::new(200, 1_000)),
        Depth::Standard => Some(Amount::new(3_000, 30_000)),
        Depth::Deep => None,
    }
}

/// What sending again, confirming and shrinking may spend together: a third of the depth's budget. A deep run has a
/// third of what it plans, and not less than a standard run. Who asks for more than the depth's budget gets as much
/// again.
#[must_use]
pub fn reserve(depth: Depth, planned: Amount) -> Amount {
    let standard = depth_budget(Depth::Standard).unwrap_or_default();
    let least =
        Amount::new(planned.requests.max(standard.requests), planned.items.max(standard.items));
    let whole = depth_budget(depth).unwrap_or(least);
    if planned.fits(whole) { whole.share(RESERVE) } else { planned }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_never_exceeded() {
        let budget = Budget::new(Amount::new(3, 10));
        assert!(budget.take(Amount::new(1, 10)));
        assert!(!budget.take(Amount::new(1, 1)), "no item is left");
        assert_eq!(budget.left(), Amount::new(2, 0));
        budget.charge(Amount::new(5, 5));
        assert_eq!(budget.left(), Amount::default());
    }
}
