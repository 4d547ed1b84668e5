//! The passes for large batches: each request's batch on its own gets as few items as show it.
//!
//! A fault may begin beyond some number of items, and every try of such a batch is dear. So items are made plain while
//! they are tried anyway, few items are tried before many, and between too few and enough the counts that people
//! choose for bounds come first. It must not know what a bound is for.

use std::collections::HashSet;

use crate::scenario::ItemPlace;
use crate::shrink::shrinker::{ItemChoice, MANY, Shrinker};

/// How the first counts grow.
const GROWTH: usize = 4;
/// How far below a bound smaller counts are tried one by one: items that stay count too.
const BELOW: usize = 4;
/// How many of the last items are tried alone, where the first ones did not do.
const LAST: [usize; 3] = [1, 4, 16];

impl Shrinker<'_> {
    /// Leaves each request as few items as show it; the request that shows it comes first.
    pub(in crate::shrink) async fn fewer_items(&mut self) {
        if self.scenario.items().count() <= MANY {
            return;
        }
        self.drop_large_sends().await;
        if !self.make_plain(ItemChoice::All).await
            && let Some(unit) = self.unit_of_finding()
        {
            self.make_plain(ItemChoice::But(unit)).await;
        }
        self.bare_small_sends().await;
        let mut at = self.scenario.requests.len();
        while at > 0 && self.attempts.ended.is_none() {
            at -= 1;
            // A request that lost all of its items is gone.
            at = at.min(self.scenario.requests.len().saturating_sub(1));
            self.fewer_of(at).await;
        }
    }

    /// Takes out whole requests, the largest first: what is left is cheaper to try.
    async fn drop_large_sends(&mut self) {
        let mut by_size: Vec<usize> = (0..self.scenario.requests.len()).collect();
        by_size.sort_by_key(|send| std::cmp::Reverse(self.items_of(*send)));
        let mut gone: Vec<usize> = Vec::new();
        for send in by_size {
            let now = send - gone.iter().filter(|g| **g < send).count();
            if now == self.shown.violation.exchange || self.scenario.requests.len() < 2 {
                continue;
            }
            let out = HashSet::from([now]);
            let contract = &self.environment.contract;
            if self.try_out(self.scenario.without_sends(contract, &out)).await {
                gone.push(send);
            }
        }
    }

    fn items_of(&self, send: usize) -> usize {
        let batch = self.scenario.requests.get(send).and_then(|s| s.batch.as_ref());
        batch.map_or(0, |b| b.items.len())
    }

    /// Takes out what small requests hold beside the item that the finding is about, all at once.
    async fn bare_small_sends(&mut self) {
        let small = |send: &usize| (2..=MANY).contains(&self.items_of(*send));
        let beside = (0..self.scenario.requests.len()).filter(small).map(|send| self.others(send));
        let has_more = |others: &Vec<ItemPlace>| {
            others.first().is_some_and(|place| others.len() < self.items_of(place.0))
        };
        let out: HashSet<ItemPlace> = beside.filter(has_more).flatten().collect();
        if !out.is_empty() {
            self.try_out(self.scenario.without_items(&self.environment.contract, &out)).await;
        }
    }

    /// The items of a request that the finding is not about, in order.
    fn others(&self, send: usize) -> Vec<ItemPlace> {
        let unit = self.unit_of_finding();
        let here = self.scenario.places().filter(|(place, _)| place.0 == send);
        here.filter(|(_, item)| Some(item.unit) != unit).map(|(place, _)| place).collect()
    }

    /// Leaves a request as few of its items as show it.
    async fn fewer_of(&mut self, send: usize) {
        if self.items_of(send) <= MANY {
            return;
        }
        let few = self.fewest_of(send, false).await;
        // Where a single item matters, it is the last of those that had to stay.
        for count in LAST.into_iter().filter(|count| *count < few) {
            if self.keep_others(send, count, true).await {
                self.fewest_of(send, true).await;
                return;
            }
        }
        if few > LAST[LAST.len() - 1] && !is_near_bound(self.items_of(send)) {
            self.keep_others(send, few / 2, true).await;
        }
    }

    /// Searches the fewest of the first or the last other items of a request that show it; how many are left.
    async fn fewest_of(&mut self, send: usize, from_end: bool) -> usize {
        let all = self.others(send).len();
        let kept = self.items_of(send) - all;
        // One that loses all of its items would be gone, which was tried.
        let least = usize::from(kept == 0);
        let (mut too_few, mut enough) = (None::<usize>, all);
        let mut next = least;
        while next < enough && self.attempts.ended.is_none() {
            if self.keep_others(send, next, from_end).await {
                enough = next;
                break;
            }
            too_few = Some(next);
            next = (next * GROWTH).max(1);
        }
        let Some(mut too_few) = too_few else { return enough };
        // The counts of the whole batch are those that a bound is about.
        let mut below = 0;
        while enough - too_few > 1 && self.attempts.ended.is_none() {
            let next = if below > 0 && below <= BELOW {
                enough - 1
            } else {
                between(too_few + kept, enough + kept) - kept
            };
            if self.keep_others(send, next, from_end).await {
                // Just above a round one; items that stay count too.
                below += 1;
                enough = next;
            } else {
                below = 0;
                too_few = next;
            }
        }
        enough
    }

    /// Tries a request with this number of its first or last other items.
    async fn keep_others(&mut self, send: usize, count: usize, from_end: bool) -> bool {
        let others = self.others(send);
        if count >= others.len() {
            return false;
        }
        let out = if from_end { &others[..others.len() - count] } else { &others[count..] };
        let out: HashSet<ItemPlace> = out.iter().copied().collect();
        self.try_out(self.scenario.without_items(&self.environment.contract, &out)).await
    }
}

/// A count between these two, neither of them: just above the roundest one, as a bound would be, else the middle.
fn between(low: usize, high: usize) -> usize {
    let middle = usize::midpoint(low, high);
    let nearest = |rounds: &mut dyn Iterator<Item = usize>| {
        let counts = rounds.map(|round| round + 1);
        counts.filter(|n| (low + 1..high).contains(n)).min_by_key(|n| n.abs_diff(middle))
    };
    let powers = |base: usize| (1..if base == 2 { 20 } else { 8 }).map(move |n| base.pow(n));
    let few = high < 2 * MANY;
    let end = (!few && is_near_bound(high)).then_some(high - 1);
    let tens =
        nearest(&mut powers(10)).or_else(|| nearest(&mut powers(10).flat_map(|p| [p * 2, p * 5])));
    let twos = || nearest(&mut powers(2));
    let hundreds = || nearest(&mut (low / 100..=high / 100).map(|n| n * 100));
    tens.filter(|_| !few).or(end).or_else(twos).or_else(hundreds).unwrap_or(middle)
}

/// Whether a count is about as large as one that people choose for a bound.
fn is_near_bound(count: usize) -> bool {
    let is_round = |n: usize| {
        let mut digits = n;
        while digits >= 10 && digits.is_multiple_of(10) {
            digits /= 10;
        }
        n >= 10 && (digits < 10 || n.is_multiple_of(50) || n.is_power_of_two())
    };
    (count.saturating_sub(3)..=count + 2).any(is_round)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many tries find a bound between these.
    fn search(bound: usize, mut low: usize, mut high: usize) -> usize {
        let (mut tries, mut below) = (0, 0);
        while high - low > 1 {
            let next = if (1..=BELOW).contains(&below) { high - 1 } else { between(low, high) };
            assert!(low < next && next < high, "{low} {next} {high}");
            tries += 1;
            if next >= bound {
                (high, below) = (next, below + 1);
            } else {
                (low, below) = (next, 0);
            }
        }
        assert_eq!(high, bound);
        tries
    }

    #[test]
    fn bounds_that_people_choose_are_found_at_once() {
        for (bound, low, high) in [(101, 64, 128), (501, 256, 640), (1_000, 256, 1_000)] {
            let tries = search(bound, low, high);
            assert!(tries <= 3, "{bound}: {tries}");
        }
        // Any other is found all the same.
        for bound in 2..=700 {
            assert!(search(bound, 1, 700) <= 40, "{bound}");
        }
    }
}
