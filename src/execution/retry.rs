//! What hindered an execution: load, a lost answer, refused credentials. Whether it is tried again,
//! an attempt says.

use super::Execution;
use crate::exchange::{Answer, Exchange, Loss, LossKind};

/// How an execution met load or lost an answer in a way that is no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryReason {
    /// 408, 429 or 503: wait so many seconds.
    Load(u64),
    /// A connection ended without an answer; perhaps it had been idle.
    Lost,
    /// No connection was made: neither the target nor a rule is judged by that.
    Unreached,
    /// 401 or 403 where the credentials are good.
    Credentials,
}

/// Seconds that `Retry-After` asks for: a number, or a date (RFC 9110 section 10.2.3).
fn retry_after(value: &str, now: chrono::DateTime<chrono::Utc>) -> Option<u64> {
    let value = value.trim();
    value.parse().ok().or_else(|| {
        let date = chrono::DateTime::parse_from_rfc2822(value).ok()?;
        let wait = date.signed_duration_since(now).to_std().unwrap_or_default();
        Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
    })
}

/// Seconds to wait where an answer says that the target is under load.
#[must_use]
pub fn load(answer: &Answer) -> Option<u64> {
    let response = answer.response().filter(|r| matches!(r.status, 408 | 429 | 503))?;
    let seconds = response.header("retry-after").and_then(|v| retry_after(v, chrono::Utc::now()));
    Some(seconds.unwrap_or(1))
}

/// The longest pause that the target itself asked for, where it did (`Retry-After`).
#[must_use]
pub fn requested_pause(execution: &Execution) -> Option<std::time::Duration> {
    let asked = |e: &Exchange| {
        let response = e.answer.response().filter(|r| matches!(r.status, 408 | 429 | 503))?;
        response.header("retry-after").and_then(|v| retry_after(v, chrono::Utc::now()))
    };
    execution.exchanges.iter().filter_map(asked).max().map(std::time::Duration::from_secs)
}

/// What hindered an execution, where anything did.
#[must_use]
pub fn retry_reason(execution: &Execution) -> Option<RetryReason> {
    use crate::exchange::Situation;
    execution.exchanges.iter().find_map(|e| match &e.answer {
        answer if load(answer).is_some() => load(answer).map(RetryReason::Load),
        Answer::Received(r)
            if matches!(r.status, 401 | 403) && e.intent.situation == Situation::Ordinary =>
        {
            Some(RetryReason::Credentials)
        }
        Answer::Lost(l) if l.kind == LossKind::Reset => Some(RetryReason::Lost),
        Answer::Lost(l) if l.kind.is_unreached() => Some(RetryReason::Unreached),
        _ => None,
    })
}

/// Why the target was not reached, where it was not.
#[must_use]
pub fn unreached(execution: &Execution) -> Option<&Loss> {
    execution.exchanges.iter().find_map(|e| match &e.answer {
        Answer::Lost(loss) if loss.kind.is_unreached() => Some(loss),
        _ => None,
    })
}

/// How many requests a barrier released together where one of them was answered with load.
#[must_use]
pub fn overloaded_group(execution: &Execution) -> Option<usize> {
    let is_load = |e: &&Exchange| matches!(e.answer.status(), Some(408 | 429 | 503));
    let group = execution.exchanges.iter().find(is_load)?.group?;
    Some(execution.exchanges.iter().filter(|e| e.group == Some(group)).count())
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
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("soon", None),
        ] {
            assert_eq!(retry_after(value, now), seconds, "{value}");
        }
    }
}
