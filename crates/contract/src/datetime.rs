//! Classifies text where a date-time is expected (INTERPRETATION-19).
//!
//! A pure function of the text and the present time; knows nothing of schemas.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

use crate::Level;

/// What a text is where a date-time is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DateTimeClass {
    /// RFC 3339 within the judged range.
    Valid,
    /// Empty, or white space alone.
    Blank,
    /// A number in quotes, as epoch seconds are written.
    NumericText,
    /// It starts with a sign.
    SignedYear,
    /// Date and time are separated by something other than `T`.
    UnusualSeparator,
    /// A date, then something that is not `hh:mm:ss` with an optional fraction.
    UnusualTime,
    /// Midnight as the end of the day.
    EndOfDay,
    /// Second 60.
    LeapSecond,
    /// `z` in place of `Z`.
    LowerCaseZ,
    /// `+0200`, `-00:00`, or beyond ±14:00.
    UnusualOffset,
    /// More fractional digits than must be accepted.
    ManyFractionalDigits,
    /// Before 1970, or in the future.
    OtherYear,
    /// A day that no calendar has.
    ImpossibleDate,
    /// An hour, minute or second that no day has.
    ImpossibleTime,
    /// Neither `Z` nor an offset.
    NoOffset,
    /// An offset of more than a day.
    ImpossibleOffset,
    /// A date-time with text after it.
    TrailingText,
    /// A date without a time.
    DateAlone,
    /// A date and a time in another notation: unpadded, basic, dotted, an HTTP date.
    OtherNotation,
    /// Any other text.
    Text,
}

/// What follows from a [`DateTimeClass`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateTimeOutcome {
    /// Accepted.
    Accept,
    /// Libraries differ legitimately: not judged.
    NotJudged,
    /// Refused; accepting it is a finding of this level.
    Refuse(Level),
}

impl DateTimeClass {
    /// What must happen to a text of this class.
    #[must_use]
    pub fn outcome(self) -> DateTimeOutcome {
        match self {
            DateTimeClass::Valid => DateTimeOutcome::Accept,
            DateTimeClass::Blank
            | DateTimeClass::SignedYear
            | DateTimeClass::UnusualSeparator
            | DateTimeClass::UnusualTime
            | DateTimeClass::EndOfDay
            | DateTimeClass::LeapSecond
            | DateTimeClass::LowerCaseZ
            | DateTimeClass::UnusualOffset
            | DateTimeClass::ManyFractionalDigits
            | DateTimeClass::OtherYear => DateTimeOutcome::NotJudged,
            DateTimeClass::ImpossibleDate
            | DateTimeClass::ImpossibleTime
            | DateTimeClass::NoOffset
            | DateTimeClass::ImpossibleOffset
            | DateTimeClass::TrailingText
            | DateTimeClass::NumericText
            | DateTimeClass::OtherNotation => DateTimeOutcome::Refuse(Level::Should),
            DateTimeClass::DateAlone | DateTimeClass::Text => DateTimeOutcome::Refuse(Level::Must),
        }
    }
}

impl fmt::Display for DateTimeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            DateTimeClass::Valid => "a date-time",
            DateTimeClass::Blank => "blank",
            DateTimeClass::NumericText => "numeric text",
            DateTimeClass::SignedYear => "signed year",
            DateTimeClass::UnusualSeparator => "unusual separator",
            DateTimeClass::UnusualTime => "unusual time",
            DateTimeClass::EndOfDay => "24:00",
            DateTimeClass::LeapSecond => "leap second",
            DateTimeClass::LowerCaseZ => "lower-case z",
            DateTimeClass::UnusualOffset => "unusual offset",
            DateTimeClass::ManyFractionalDigits => "many fractional digits",
            DateTimeClass::OtherYear => "other year",
            DateTimeClass::ImpossibleDate => "impossible date",
            DateTimeClass::ImpossibleTime => "impossible time",
            DateTimeClass::NoOffset => "no offset",
            DateTimeClass::ImpossibleOffset => "impossible offset",
            DateTimeClass::TrailingText => "text behind it",
            DateTimeClass::DateAlone => "date alone",
            DateTimeClass::OtherNotation => "another notation",
            DateTimeClass::Text => "text",
        })
    }
}

/// The class of `text`; `max_digits` is how many fractional digits must be accepted.
#[must_use]
pub fn classify(text: &str, max_digits: usize, now: DateTime<Utc>) -> DateTimeClass {
    if text.trim().is_empty() {
        return DateTimeClass::Blank;
    }
    let bytes = text.as_bytes();
    if !text.is_ascii() {
        return DateTimeClass::Text;
    }
    if bytes.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'))
        && text.parse::<f64>().is_ok()
    {
        return DateTimeClass::NumericText;
    }
    if matches!(bytes[0], b'+' | b'-') {
        return DateTimeClass::SignedYear;
    }
    let Some((date, rest)) = leading_date(text) else {
        return if is_other_notation(text) {
            DateTimeClass::OtherNotation
        } else {
            DateTimeClass::Text
        };
    };
    let (year, month, day) = date;
    let calendar = i32::try_from(year).ok().and_then(|y| NaiveDate::from_ymd_opt(y, month, day));
    if rest.is_empty() || rest == "Z" || offset_minutes(rest).is_some() {
        return DateTimeClass::DateAlone;
    }
    let separator = rest.as_bytes()[0];
    if !matches!(separator, b'T' | b't' | b' ') {
        return DateTimeClass::UnusualSeparator;
    }
    let Some(clock) = ClockTime::parse(&rest[1..]) else {
        return DateTimeClass::UnusualTime;
    };
    if calendar.is_none() {
        return DateTimeClass::ImpossibleDate;
    }
    if clock.hour == 24 && clock.minute == 0 && clock.second == 0 {
        return DateTimeClass::EndOfDay;
    }
    if clock.second == 60 {
        return DateTimeClass::LeapSecond;
    }
    if clock.hour > 23 || clock.minute > 59 || clock.second > 60 {
        return DateTimeClass::ImpossibleTime;
    }
    if separator != b'T' {
        return DateTimeClass::UnusualSeparator;
    }
    let offset = match clock.offset {
        "" => return DateTimeClass::NoOffset,
        "Z" => 0,
        "z" => return DateTimeClass::LowerCaseZ,
        other => match offset_minutes(other) {
            Some(minutes) if minutes.abs() <= 14 * 60 && other != "-00:00" => minutes,
            Some(minutes) if minutes.abs() > 24 * 60 => return DateTimeClass::ImpossibleOffset,
            None if other.starts_with('Z') && other.as_bytes()[1].is_ascii_alphanumeric() => {
                return DateTimeClass::TrailingText;
            }
            _ => return DateTimeClass::UnusualOffset,
        },
    };
    if clock.fraction > max_digits {
        return DateTimeClass::ManyFractionalDigits;
    }
    let seconds = calendar
        .and_then(|d| d.and_hms_opt(clock.hour, clock.minute, clock.second))
        .map(|t| t.and_utc().timestamp() - i64::from(offset) * 60);
    match seconds {
        Some(s) if (0..=now.timestamp()).contains(&s) => DateTimeClass::Valid,
        _ => DateTimeClass::OtherYear,
    }
}

struct ClockTime<'a> {
    hour: u32,
    minute: u32,
    second: u32,
    /// How many fractional digits there are.
    fraction: usize,
    offset: &'a str,
}

impl<'a> ClockTime<'a> {
    fn parse(text: &'a str) -> Option<ClockTime<'a>> {
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
        Some(ClockTime { hour, minute, second, fraction, offset: rest })
    }
}

/// Whether `text` states a date and a time that some library reads, though not as RFC 3339.
fn is_other_notation(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    if digits(0..8) && bytes.get(8) == Some(&b'T') && digits(9..15) {
        return true;
    }
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        match groups.last_mut() {
            _ if !byte.is_ascii_digit() => {}
            Some((_, end)) if *end == at => *end = at + 1,
            _ => groups.push((at, at + 1)),
        }
    }
    // The numbers of a clock are parted by colons; a date has two others, or one and a month in letters.
    let is_clock = |(start, end): &&(usize, usize)| {
        bytes.get(*end) == Some(&b':') || *start > 0 && bytes[start - 1] == b':'
    };
    let clock = groups.iter().filter(is_clock).count();
    let calendar = groups.len() - clock;
    let lower = text.to_ascii_lowercase();
    let months =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let has_month = months.iter().any(|month| lower.contains(month));
    let is_plain = bytes.iter().all(|b| b.is_ascii_alphanumeric() || b" ,.:/+-".contains(b));
    is_plain && clock >= 2 && calendar + usize::from(has_month) >= 2 && calendar >= 1
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
            ("2023-09-05T08:07:34.605Z", DateTimeClass::Valid),
            ("2023-09-05T08:07:34+14:00", DateTimeClass::Valid),
            ("2024-02-29T23:59:59.123456789-03:30", DateTimeClass::Valid),
            ("1970-01-01T00:00:00Z", DateTimeClass::Valid),
            ("", DateTimeClass::Blank),
            ("+2023-09-05T08:07:34Z", DateTimeClass::SignedYear),
            ("1970-01-01T00:00:00+01:00", DateTimeClass::OtherYear),
            ("2999-01-01T00:00:00Z", DateTimeClass::OtherYear),
            ("2023-02-29T00:00:00Z", DateTimeClass::ImpossibleDate),
            ("2023-13-01T00:00:00Z", DateTimeClass::ImpossibleDate),
            ("2023-01-01T25:00:00Z", DateTimeClass::ImpossibleTime),
            ("2023-01-01T12:00:00+99:00", DateTimeClass::ImpossibleOffset),
            ("2023-01-01T12:00:00Zulu", DateTimeClass::TrailingText),
            ("2024-05-26T16:49:50.237", DateTimeClass::NoOffset),
            ("2023-09-05", DateTimeClass::DateAlone),
            ("2023-09-05+02:00", DateTimeClass::DateAlone),
            ("yesterday", DateTimeClass::Text),
            ("05.09.2023", DateTimeClass::Text),
            ("1693901254", DateTimeClass::NumericText),
            ("2023-09-05T08:07Z", DateTimeClass::UnusualTime),
            ("2023-09-05T08:07:34+0200", DateTimeClass::UnusualOffset),
            ("2016-12-31T23:59:60Z", DateTimeClass::LeapSecond),
            ("2023-09-05T24:00:00Z", DateTimeClass::EndOfDay),
            ("2023-09-05t08:07:34z", DateTimeClass::UnusualSeparator),
            ("2023-09-05T08:07:34z", DateTimeClass::LowerCaseZ),
            ("2023-09-05T08:07:34.1234567890Z", DateTimeClass::ManyFractionalDigits),
        ] {
            assert_eq!(classify(text, 9, now), expected, "{text}");
        }
    }
}
