//! A small, fast source of repeatable randomness.
//!
//! Its sequence is part of the promise that equal seeds send equal bytes: it must never change, and must
//! not know what is drawn from it.

/// `SplitMix64`: one addition and two multiplications a draw, every seed good.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(end);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// An index below `end`; 0 where `end` is 0.
    pub fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(u64::try_from(end).unwrap_or(u64::MAX))).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.index(high.saturating_sub(low).saturating_add(1))
    }

    /// A whole number from `low` to `high`, both included.
    pub fn whole(&mut self, low: i64, high: i64) -> i64 {
        let span = high.wrapping_sub(low).cast_unsigned();
        if span == u64::MAX {
            return self.bits().cast_signed();
        }
        low.wrapping_add(self.below(span + 1).cast_signed())
    }

    /// True in `times` of `of` draws.
    pub fn chance(&mut self, times: u64, of: u64) -> bool {
        self.below(of) < times
    }

    /// One of `list`.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.index(list.len()))
    }

    /// One character of a non-empty ASCII alphabet.
    pub fn letter(&mut self, alphabet: &[u8]) -> char {
        self.pick(alphabet).map_or('x', |b| char::from(*b))
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn draws_stay_within_their_range_and_repeat() {
        let (mut a, mut b) = (Random::new(7), Random::new(7));
        for _ in 0..1000 {
            let drawn = a.whole(-3, 9);
            assert!((-3..=9).contains(&drawn));
            assert_eq!(drawn, b.whole(-3, 9));
        }
        assert_eq!(a.below(0), 0);
        assert_eq!(a.index(0), 0);
        assert_eq!(a.pick::<u8>(&[]), None);
        let _ = a.whole(i64::MIN, i64::MAX);
    }
}
