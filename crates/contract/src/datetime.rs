//! Sorts text that stands where a date-time belongs (INTERPRETATION-19).
//!
//! A pure function of the text and the present day; knows nothing of schemas.

use chrono::{DateTime, NaiveDate, Utc};

/// What a text is when a date-time is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instant {
    /// RFC 3339 within the judged range.
    Plain,
    /// At an edge where libraries differ legitimately; the name of that edge.
    Edge(&'static str),
    /// Wrong, but commonly taken: the name of what is wrong.
    Doubtful(&'static str),
    /// Plainly no date-time: the name of what it is instead.
    Nonsense(&'static str),
}

/// Sorts `text`; `digits` is how many fractional digits must be accepted.
#[must_use]
pub fn sort(text: &str, digits: usize, now: DateTime<Utc>) -> Instant {
    if text.trim().is_empty() {
        return Instant::Edge("blank");
    }
    let bytes = text.as_bytes();
    if !text.is_ascii() {
        return Instant::Nonsense("text");
    }
    if bytes.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'))
        && text.parse::<f64>().is_ok()
    {
        return Instant::Edge("numeric text");
    }
    if matches!(bytes[0], b'+' | b'-') {
        return Instant::Edge("signed year");
    }
    let Some((date, rest)) = leading_date(text) else {
        return Instant::Nonsense("text");
    };
    let (year, month, day) = date;
    let calendar = i32::try_from(year).ok().and_then(|y| NaiveDate::from_ymd_opt(y, month, day));
    if rest.is_empty() {
        return Instant::Nonsense("date alone");
    }
    if rest == "Z" || offset_minutes(rest).is_some() {
        return Instant::Nonsense("date alone");
    }
    let separator = rest.as_bytes()[0];
    if !matches!(separator, b'T' | b't' | b' ') {
        return Instant::Edge("unusual separator");
    }
    let Some(clock) = Clock::parse(&rest[1..]) else {
        return Instant::Edge("unusual time");
    };
    if calendar.is_none() {
        return Instant::Doubtful("impossible date");
    }
    if clock.hour == 24 && clock.minute == 0 && clock.second == 0 {
        return Instant::Edge("24:00");
    }
    if clock.second == 60 {
        return Instant::Edge("leap second");
    }
    if clock.hour > 23 || clock.minute > 59 || clock.second > 60 {
        return Instant::Doubtful("impossible time");
    }
    if separator != b'T' {
        return Instant::Edge("unusual separator");
    }
    let offset = match clock.offset {
        "" => return Instant::Doubtful("no offset"),
        "Z" => 0,
        "z" => return Instant::Edge("lower-case z"),
        other => match offset_minutes(other) {
            Some(minutes) if minutes.abs() <= 14 * 60 && other != "-00:00" => minutes,
            Some(minutes) if minutes.abs() > 24 * 60 => {
                return Instant::Doubtful("impossible offset");
            }
            None if other.starts_with('Z') && other.as_bytes()[1].is_ascii_alphanumeric() => {
                return Instant::Doubtful("text behind it");
            }
            _ => return Instant::Edge("unusual offset"),
        },
    };
    if clock.fraction > digits {
        return Instant::Edge("many fractional digits");
    }
    let seconds = calendar
        .and_then(|d| d.and_hms_opt(clock.hour, clock.minute, clock.second))
        .map(|t| t.and_utc().timestamp() - i64::from(offset) * 60);
    match seconds {
        Some(s) if (0..=now.timestamp()).contains(&s) => Instant::Plain,
        _ => Instant::Edge("other year"),
    }
}

struct Clock<'a> {
    hour: u32,
    minute: u32,
    second: u32,
    fraction: usize,
    offset: &'a str,
}

impl<'a> Clock<'a> {
    fn parse(text: &'a str) -> Option<Clock<'a>> {
        let two = |at: usize| -> Option<u32> {
            let part = text.get(at..at + 2)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let hour = two(0)?;
        (text.get(2..3)? == ":").then_some(())?;
        let minute = two(3)?;
        (text.get(5..6)? == ":").then_some(())?;
        let second = two(6)?;
        let mut rest = &text[8..];
        let mut fraction = 0;
        if let Some(after) = rest.strip_prefix('.') {
            fraction = after.bytes().take_while(u8::is_ascii_digit).count();
            if fraction == 0 {
                return None;
            }
            rest = &after[fraction..];
        }
        Some(Clock { hour, minute, second, fraction, offset: rest })
    }
}

fn leading_date(text: &str) -> Option<((u32, u32, u32), &str)> {
    let number = |range: std::ops::Range<usize>| -> Option<u32> {
        let part = text.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let year = number(0..4)?;
    (text.get(4..5)? == "-").then_some(())?;
    let month = number(5..7)?;
    (text.get(7..8)? == "-").then_some(())?;
    let day = number(8..10)?;
    Some(((year, month, day), &text[10..]))
}

fn offset_minutes(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 6 || bytes[3] != b':' {
        return None;
    }
    let sign = match bytes[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours: i32 = text.get(1..3)?.parse().ok()?;
    let minutes: i32 = text.get(4..6)?.parse().ok()?;
    (minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times_are_classified() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for (text, expected) in [
            ("2023-09-05T08:07:34.605Z", Instant::Plain),
            ("2023-09-05T08:07:34+14:00", Instant::Plain),
            ("2024-02-29T23:59:59.123456789-03:30", Instant::Plain),
            ("1970-01-01T00:00:00Z", Instant::Plain),
            ("1970-01-01T00:00:00+01:00", Instant::Edge("other year")),
            ("2999-01-01T00:00:00Z", Instant::Edge("other year")),
            ("2023-02-29T00:00:00Z", Instant::Doubtful("impossible date")),
            ("2023-13-01T00:00:00Z", Instant::Doubtful("impossible date")),
            ("2023-01-01T25:00:00Z", Instant::Doubtful("impossible time")),
            ("2024-05-26T16:49:50.237", Instant::Doubtful("no offset")),
            ("2023-09-05", Instant::Nonsense("date alone")),
            ("2023-09-05+02:00", Instant::Nonsense("date alone")),
            ("yesterday", Instant::Nonsense("text")),
            ("05.09.2023", Instant::Nonsense("text")),
            ("1693901254", Instant::Edge("numeric text")),
            ("2023-09-05T08:07Z", Instant::Edge("unusual time")),
            ("2023-09-05T08:07:34+0200", Instant::Edge("unusual offset")),
            ("2016-12-31T23:59:60Z", Instant::Edge("leap second")),
            ("2023-09-05T24:00:00Z", Instant::Edge("24:00")),
            ("2023-09-05t08:07:34z", Instant::Edge("unusual separator")),
            ("2023-09-05T08:07:34.1234567890Z", Instant::Edge("many fractional digits")),
        ] {
            assert_eq!(sort(text, 9, now), expected, "{text}");
        }
    }
}
