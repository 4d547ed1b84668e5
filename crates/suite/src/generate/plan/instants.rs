//! Draws date-times as RFC 3339 writes them.
//!
//! The days are fixed ones: a draw depends on its seed alone, never on today.

use super::push_ascii;
use crate::generate::random::Random;

/// 2020-01-01 and 2026-06-30, in days since 1970.
const RECENT: (i64, i64) = (18_262, 20_634);
/// Offsets of real places, `Z` most often.
const OFFSETS: [&str; 12] = [
    "Z", "Z", "Z", "Z", "+02:00", "+03:00", "+01:00", "+00:00", "-05:00", "+05:30", "-03:30",
    "+09:00",
];
/// The ends of what must be accepted.
const FAR_OFFSETS: [&str; 6] = ["+14:00", "-14:00", "+13:45", "-12:00", "+00:01", "-00:30"];
/// Days on which calendars go wrong.
const ODD_DAYS: [&str; 8] = [
    "2024-02-29",
    "2000-02-29",
    "2023-02-28",
    "2023-12-31",
    "2024-01-01",
    "2025-03-30",
    "1970-01-02",
    "1999-12-31",
];
/// Moments of a day at which clocks go wrong.
const ODD_TIMES: [&str; 5] = ["00:00:00", "23:59:59", "12:00:00", "02:30:00", "00:00:01"];

/// Appends an everyday date-time; `most` fractional digits at most.
pub(in crate::generate) fn plain(random: &mut Random, most: usize, out: &mut String) {
    push_day(random, out);
    out.push('T');
    push_time(random, out);
    let digits = [3, 3, 0, 6].get(random.index(4)).copied().unwrap_or(0);
    push_fraction(random, digits.min(most), out);
    out.push_str(random.pick(&OFFSETS).copied().unwrap_or("Z"));
}

/// Appends a date-time at an edge of what must be accepted; `most` fractional digits at most.
pub(in crate::generate) fn boundary(random: &mut Random, most: usize, out: &mut String) {
    match random.pick(&ODD_DAYS) {
        Some(day) if random.chance(1, 2) => out.push_str(day),
        _ => push_day(random, out),
    }
    out.push('T');
    match random.pick(&ODD_TIMES) {
        Some(time) if random.chance(1, 2) => out.push_str(time),
        _ => push_time(random, out),
    }
    let digits = random.between(0, most);
    push_fraction(random, digits, out);
    let offsets: &[&str] = if random.chance(1, 2) { &FAR_OFFSETS } else { &OFFSETS };
    out.push_str(random.pick(offsets).copied().unwrap_or("Z"));
}

/// The simplest date-time.
pub(in crate::generate) const SIMPLEST: &str = "2024-01-01T00:00:00Z";

/// A day, such as 2024-05-26.
pub(in crate::generate) fn push_day(random: &mut Random, out: &mut String) {
    let day = random.whole(RECENT.0, RECENT.1);
    let (year, month, day) = date(u32::try_from(day).unwrap_or_default());
    let mut text = *b"0000-00-00";
    for (at, number) in [(0, year / 100), (2, year), (5, month), (8, day)] {
        text[at..at + 2].copy_from_slice(&two(number));
    }
    push_ascii(&text, out);
}

/// Year, month and day of a day since 1970: years are counted from March, so that the leap day is their last.
fn date(since_1970: u32) -> (u32, u32, u32) {
    let day = since_1970 + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

/// A time of day without its offset.
pub(in crate::generate) fn push_time(random: &mut Random, out: &mut String) {
    let second = u32::try_from(random.below(86_400)).unwrap_or(0);
    let mut text = *b"00:00:00";
    for (at, number) in [(0, second / 3600), (3, second / 60 % 60), (6, second % 60)] {
        text[at..at + 2].copy_from_slice(&two(number));
    }
    push_ascii(&text, out);
}

fn push_fraction(random: &mut Random, digits: usize, out: &mut String) {
    if digits > 0 {
        out.push('.');
        for _ in 0..digits {
            out.push(random.letter(b"0123456789"));
        }
    }
}

/// The last two digits.
fn two(number: u32) -> [u8; 2] {
    [number / 10 % 10, number % 10].map(|digit| b'0' + u8::try_from(digit).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::datetime::{DateTimeClass, classify};

    #[test]
    fn days_are_those_of_the_calendar() {
        use chrono::Datelike;
        for day in 0..50_000 {
            let known = chrono::NaiveDate::from_epoch_days(day).unwrap();
            let wanted = (known.year().unsigned_abs(), known.month(), known.day());
            assert_eq!(date(day.unsigned_abs()), wanted);
        }
    }

    #[test]
    fn drawn_date_times_are_beyond_doubt() {
        let mut random = Random::new(11);
        let now = chrono::Utc::now();
        for _ in 0..5000 {
            let (mut everyday, mut edge) = (String::new(), String::new());
            plain(&mut random, 9, &mut everyday);
            boundary(&mut random, 9, &mut edge);
            for text in [everyday, edge] {
                assert_eq!(classify(&text, 9, now), DateTimeClass::Valid, "{text}");
            }
        }
        assert_eq!(classify(SIMPLEST, 9, now), DateTimeClass::Valid);
    }
}
