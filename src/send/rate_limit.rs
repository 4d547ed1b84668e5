//! What an answer says of the target's limits: `Retry-After`, `RateLimit`, `RateLimit-Policy`, `X-RateLimit-*`.
//!
//! Sources: RFC 9110 section 10.2.3; the IETF drafts of the `RateLimit` header fields, versions 3 to 10; custom.

use std::time::Duration;

use tokio::time::Instant;

/// A policy's window up to which its average is kept: a longer one is left to what remains of the quota.
const SHORT: f64 = 10.0;

/// What an answer advises.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Advice {
    /// How long to wait, where it is a refusal that says so.
    pub pause: Option<Duration>,
    /// Requests that are left, and for how long.
    pub left: Option<(u64, Duration)>,
    /// Requests a second.
    pub policy: Option<f64>,
    is_refusal: bool,
}

/// Requests that are left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quota {
    pub left: u64,
    pub until: Instant,
    /// When the target's word of it arrived.
    pub heard: Instant,
}

impl Advice {
    /// Reads the header fields of an answer; `header` gives them by their lower-case names.
    pub fn of(status: u16, header: &dyn Fn(&str) -> Option<String>) -> Advice {
        let now = chrono::Utc::now();
        let is_refusal = matches!(status, 429 | 503);
        let left = left(header, now);
        let pause = header("retry-after").and_then(|v| retry_after(&v, now));
        // Without Retry-After, nothing is served before the quota is renewed.
        let renewed = left.filter(|(left, _)| *left == 0).map(|(_, reset)| reset);
        Advice {
            pause: pause.or(renewed).filter(|_| is_refusal),
            left,
            policy: header("ratelimit-policy").and_then(|v| policy(&v)),
            is_refusal,
        }
    }

    /// Whether there is nothing to take note of.
    pub fn is_nothing(&self) -> bool {
        !self.is_refusal && self.left.is_none() && self.policy.is_none()
    }

    /// The quota from now on, for `most` at most.
    pub fn quota(&self, now: Instant, most: Duration) -> Option<Quota> {
        self.left.map(|(left, reset)| Quota { left, until: now + reset.min(most), heard: now })
    }
}

/// What the header fields of an answer say of a target's limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdvisedLimits {
    /// Requests a second, of policies with short windows.
    pub rate: Option<f64>,
    /// Requests that are left.
    pub left: Option<u64>,
}

/// What an answer says of limits; `header` gives fields by their lower-case names.
#[must_use]
pub fn advised_rate(status: u16, header: &dyn Fn(&str) -> Option<String>) -> AdvisedLimits {
    let advice = Advice::of(status, header);
    AdvisedLimits { rate: advice.policy, left: advice.left.map(|(left, _)| left) }
}

/// How long `Retry-After` asks to wait: seconds, or until a date (RFC 9110 section 10.2.3).
pub(super) fn retry_after(value: &str, now: chrono::DateTime<chrono::Utc>) -> Option<Duration> {
    let value = value.trim();
    value.parse().ok().map(Duration::from_secs).or_else(|| {
        let date = chrono::DateTime::parse_from_rfc2822(value).ok()?;
        let wait = date.signed_duration_since(now).to_std().unwrap_or_default();
        Some(Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)))
    })
}

fn left(
    header: &dyn Fn(&str) -> Option<String>,
    now: chrono::DateTime<chrono::Utc>,
) -> Option<(u64, Duration)> {
    if let Some(value) = header("ratelimit") {
        return if value.contains("remaining=") {
            one_left(&value, ("remaining", "reset"))
        } else {
            // Of several policies, the one that leaves least.
            let all = value.split(',').filter_map(|policy| one_left(policy, ("r", "t")));
            all.min_by_key(|(left, reset)| (*left, std::cmp::Reverse(*reset)))
        };
    }
    ["ratelimit", "x-ratelimit", "x-rate-limit"].iter().find_map(|prefix| {
        let left = header(&format!("{prefix}-remaining"))?.trim().parse::<f64>().ok()?;
        let reset = header(&format!("{prefix}-reset"))?;
        let reset = seconds_until(reset.trim(), now)?;
        Some((Duration::try_from_secs_f64(left.max(0.0)).ok()?.as_secs(), reset))
    })
}

/// What is left by the parameters of that name.
fn one_left(text: &str, (left, reset): (&str, &str)) -> Option<(u64, Duration)> {
    let parameter = |name: &str| -> Option<u64> {
        let pairs = text.split([';', ',']).filter_map(|part| part.trim().split_once('='));
        pairs.into_iter().find(|(n, _)| *n == name)?.1.trim().parse().ok()
    };
    Some((parameter(left)?, Duration::from_secs(parameter(reset)?)))
}

/// Seconds, or the time since 1970 in seconds or milliseconds.
fn seconds_until(text: &str, now: chrono::DateTime<chrono::Utc>) -> Option<Duration> {
    let number: f64 = text.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0)?;
    let now = now.timestamp_millis() as f64 / 1000.0;
    let seconds = match number {
        n if n > 1e11 => n / 1000.0 - now,
        n if n > 1e9 => n - now,
        n => n,
    };
    Some(Duration::from_secs_f64(seconds.clamp(0.0, 1e6)))
}

/// The slowest average of short policies: `"burst";q=20;w=1`, or `20;w=1`.
fn policy(value: &str) -> Option<f64> {
    let rate = |policy: &str| -> Option<f64> {
        let mut parts = policy.split(';').map(str::trim);
        let first = parts.next()?;
        let mut quota: Option<f64> = first.parse().ok();
        let mut window = None;
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim() {
                "q" => quota = value.trim().parse().ok(),
                "w" => window = value.trim().parse::<f64>().ok(),
                _ => {}
            }
        }
        let window = window.filter(|w| (1.0..=SHORT).contains(w))?;
        quota.filter(|q| *q >= 1.0).map(|q| q / window)
    };
    value.split(',').filter_map(rate).reduce(f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_says_in_seconds_or_by_date_when_to_come_back() {
        let now = chrono::DateTime::from_timestamp(784_111_770, 500_000_000).unwrap();
        for (value, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("86400", Some(86_400)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("soon", None),
        ] {
            assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn the_rest_of_a_quota_is_read_in_every_dialect() {
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for (fields, expected) in [
            (&[("ratelimit", "\"default\";r=50;t=30")][..], Some((50, 30))),
            (&[("ratelimit", "\"burst\";r=0;t=1, \"day\";r=900;t=4000")], Some((0, 1))),
            (&[("ratelimit", "limit=100, remaining=3, reset=5")], Some((3, 5))),
            (&[("ratelimit-remaining", "4"), ("ratelimit-reset", "9")], Some((4, 9))),
            (&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000012")], Some((0, 12))),
            (
                &[("x-rate-limit-remaining", "1"), ("x-rate-limit-reset", "1800000012000")],
                Some((1, 12)),
            ),
            (&[("x-ratelimit-remaining", "1")], None),
            (&[("ratelimit", "odd")], None),
        ] {
            let header =
                |name: &str| fields.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            let expected = expected.map(|(left, s)| (left, Duration::from_secs(s)));
            assert_eq!(left(&header, now), expected, "{fields:?}");
        }
    }

    #[test]
    fn a_policy_of_a_short_window_is_a_rate() {
        for (value, rate) in [
            ("\"burst\";q=20;w=1", Some(20.0)),
            ("20;w=1, 1000;w=3600", Some(20.0)),
            ("\"a\";q=30;w=10, \"b\";q=5;w=1", Some(3.0)),
            ("\"day\";q=1000;w=86400", None),
            ("odd", None),
        ] {
            assert_eq!(policy(value), rate, "{value}");
        }
    }
}
