//! A level that the target refused: how far to stay below it, and for how long.

use std::time::Duration;

use tokio::time::Instant;

/// Of a level that was refused, so much is tried next.
const LOWER: f64 = 0.7;
/// Of it, so much is reached again at most while it is remembered.
const BELOW: f64 = 0.9;
/// So much is added every second.
const RAISE: f64 = 1.1;
/// How long a refused level is remembered: at first, and at most where it is refused again and again.
const REMEMBERED: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(10));

/// The most that is tried: no limit at first.
#[derive(Default)]
pub(super) struct Ceiling {
    /// None: no limit.
    level: Option<f64>,
    refused: Option<Refused>,
}

/// A level that was refused.
#[derive(Clone, Copy)]
struct Refused {
    level: f64,
    until: Instant,
    remembered: Duration,
}

impl Ceiling {
    /// The most that is tried now.
    pub fn level(&self) -> f64 {
        self.level.unwrap_or(f64::INFINITY)
    }

    /// Whether there is no limit.
    pub fn is_open(&self) -> bool {
        self.level.is_none()
    }

    /// The target refused that level; `least` is tried all the same.
    pub fn lower(&mut self, level: f64, least: f64, now: Instant) {
        let level = level.min(self.level());
        let remembered =
            self.refused.map_or(REMEMBERED.0, |r| (r.remembered * 2).min(REMEMBERED.1));
        self.refused = Some(Refused { level, until: now + remembered, remembered });
        self.level = Some((level * LOWER).max(least));
    }

    /// A second went by without a refusal.
    pub fn raise(&mut self, now: Instant) {
        let (Some(level), Some(refused)) = (self.level, self.refused) else { return };
        let raised = level * RAISE;
        if now >= refused.until {
            // Twice what was refused goes well: it was an accident.
            self.level = Some(raised).filter(|raised| *raised < refused.level * 2.0);
        } else {
            self.level = Some(level.max(raised.min(refused.level * BELOW)));
        }
    }
}
