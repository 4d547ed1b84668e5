//! The runs of a case that fall to one part of a divided run: an arithmetic progression, so that a soak of a
//! million runs costs no more to plan than one.

/// Runs of a case, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunRange {
    first: u64,
    step: u64,
    count: u64,
}

impl RunRange {
    /// Runs 0 to `count`, this excluded.
    #[must_use]
    pub fn all(count: u64) -> RunRange {
        RunRange { first: 0, step: 1, count }
    }

    /// What part `part` (from 1) of `parts` has of `count` runs, where `before` executions were dealt already:
    /// executions are dealt one by one, so that each part gets its share of every case.
    #[must_use]
    pub fn of_partition(count: u64, before: u64, part: u32, parts: u32) -> RunRange {
        let (part, step) = (u64::from(part.max(1)) - 1, u64::from(parts.max(1)));
        let first = (part + step - before % step) % step;
        RunRange { first, step, count: count.saturating_sub(first).div_ceil(step) }
    }

    /// How many they are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The runs.
    #[must_use = "an iterator does nothing unless used"]
    pub fn iter(&self) -> impl Iterator<Item = u64> + use<> {
        let RunRange { first, step, count } = *self;
        (0..count).map(move |nth| first + nth * step)
    }

    /// The same runs, at most `most` at a time.
    #[must_use = "an iterator does nothing unless used"]
    pub fn chunks(&self, most: u64) -> impl Iterator<Item = RunRange> + use<> {
        let RunRange { first, step, count } = *self;
        let most = most.max(1);
        (0..count.div_ceil(most)).map(move |nth| {
            let before = nth * most;
            RunRange { first: first + before * step, step, count: most.min(count - before) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::RunRange;

    #[test]
    fn shares_are_dealt_one_by_one_and_add_up() {
        let mut before = 0;
        for count in [0, 1, 2, 7, 100] {
            for parts in 1..=5_u32 {
                for part in 1..=parts {
                    let share = RunRange::of_partition(count, before, part, parts);
                    let wanted: Vec<u64> = (0..count)
                        .filter(|run| (before + run) % u64::from(parts) == u64::from(part - 1))
                        .collect();
                    assert_eq!(share.iter().collect::<Vec<_>>(), wanted);
                    assert_eq!(share.len(), wanted.len() as u64);
                    for most in 1..4 {
                        let again: Vec<u64> = share.chunks(most).flat_map(|p| p.iter()).collect();
                        assert_eq!(again, wanted);
                    }
                }
            }
            before += count;
        }
        assert_eq!(RunRange::all(3).iter().collect::<Vec<_>>(), [0, 1, 2]);
    }
}
