//! Date-times: RFC 3339 read strictly, and the two formats that answers carry.

use super::choices::{Choice, Choices};
use std::time::{SystemTime, UNIX_EPOCH};

/// Reads a date-time: seconds since 1970, or nothing where it is none.
pub fn read(text: &str, choices: Choices) -> Option<i64> {
    let lenient = choices.has(Choice::LenientDates);
    let mut rest = Rest(text.as_bytes());
    let year = rest.number(4)?;
    rest.expect(b"-")?;
    let month = rest.number(2)?;
    rest.expect(b"-")?;
    let day = rest.number(2)?;
    rest.expect(if choices.has(Choice::LowercaseT) { b"T" } else { b"Tt" })?;
    let hour = rest.number(2)?;
    rest.expect(b":")?;
    let minute = rest.number(2)?;
    let mut second = 0;
    if rest.expect(b":").is_some() {
        second = rest.number(2)?;
        if rest.expect(b".").is_some() {
            let digits = rest.digits();
            if digits == 0 || digits > 9 && !lenient {
                return None;
            }
        }
    } else if !lenient {
        return None;
    }
    let offset = rest.offset(choices)?;
    // SQL knows no year 0.
    if !rest.0.is_empty() || year == 0 || day == 0 || day > days_in(year, month)? {
        return None;
    }
    let midnight_after = hour == 24 && minute == 0 && second == 0 && lenient;
    if hour > 23 && !midnight_after || minute > 59 || second > 60 {
        return None;
    }
    let seconds =
        days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second.min(59)
            - offset * 60;
    // A leap second is the last of a day in UTC.
    if second == 60
        && (choices.has(Choice::LeapSecond) || !lenient && seconds.rem_euclid(86_400) != 86_399)
    {
        return None;
    }
    let known = 0..=now().0;
    (!choices.has(Choice::UnknownYears) || known.contains(&seconds)).then_some(seconds)
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn expect(&mut self, any_of: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        any_of.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
        number.iter().try_fold(0, |sum, byte| Some(sum * 10 + digit(byte)?))
    }

    fn digits(&mut self) -> usize {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.0 = &self.0[count..];
        count
    }

    /// The offset in minutes.
    fn offset(&mut self, choices: Choices) -> Option<i64> {
        let lenient = choices.has(Choice::LenientDates);
        if self.0.is_empty() && choices.has(Choice::NoOffset) {
            return Some(0);
        }
        let sign =
            match self.expect(if choices.has(Choice::LowercaseT) { b"Z+-" } else { b"Zz+-" })? {
                b'+' => 1,
                b'-' => -1,
                _ => return Some(0),
            };
        let hours = self.number(2)?;
        if self.expect(b":").is_none() && !lenient {
            return None;
        }
        let minutes = self.number(2)?;
        let limit = match () {
            () if choices.has(Choice::Offset14) => 14 * 60,
            () if lenient => 23 * 60 + 59,
            () => 18 * 60,
        };
        let total = hours * 60 + minutes;
        (minutes < 60 && total <= limit).then_some(sign * total)
    }
}

fn days_in(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

/// Days from 1970-01-01 to this date.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    // Years are counted from March, so that the leap day is a year's last.
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (month * 153 + 2) / 5
        + day
        - 1
        - 719_468
}

/// Year, month and day that lie this number of days after 1970-01-01.
fn date_after(days: i64) -> (i64, i64, i64) {
    let mut year = 1970 + days.div_euclid(366);
    while days_before(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut left = days - days_before(year, 1, 1);
    let mut month = 1;
    while let Some(length) = days_in(year, month) {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, left + 1)
}

/// Now: seconds since 1970 and milliseconds.
fn now() -> (i64, u32) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_millis())
}

/// Now as Spring's error answers write it.
pub fn timestamp() -> String {
    let (seconds, millis) = now();
    let ((year, month, day), [hour, minute, second]) = split(seconds);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}+00:00")
}

/// Now as the Date header writes it.
pub fn http_date() -> String {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (seconds, _) = now();
    let ((year, month, day), [hour, minute, second]) = split(seconds);
    let pick = |names: &[&'static str], index: i64| {
        usize::try_from(index).ok().and_then(|index| names.get(index).copied()).unwrap_or("")
    };
    let weekday = pick(&WEEKDAYS, seconds.div_euclid(86_400).rem_euclid(7));
    let month = pick(&MONTHS, month - 1);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

fn split(seconds: i64) -> ((i64, i64, i64), [i64; 3]) {
    let of_day = seconds.rem_euclid(86_400);
    (date_after(seconds.div_euclid(86_400)), [of_day / 3600, of_day / 60 % 60, of_day % 60])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Option<i64> {
        read(text, Choices::default())
    }

    #[test]
    fn dates_are_counted_right() {
        assert_eq!(plain("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(plain("2023-09-05T08:07:34.605Z"), Some(1_693_901_254));
        assert_eq!(plain("2000-02-29T23:59:59.123456789-14:00"), Some(951_919_199));
        assert_eq!(plain("1970-01-01T00:00:00+14:00"), Some(-50_400));
        assert_eq!(plain("9999-12-31T23:59:59Z"), Some(253_402_300_799));
        for days in (-800_000..3_000_000).step_by(13) {
            let (year, month, day) = date_after(days);
            assert_eq!(days_before(year, month, day), days);
        }
    }

    #[test]
    fn what_is_no_date_time_is_refused() {
        for text in [
            "",
            "2023",
            "2023-09-05",
            "2023-09-05T08:07:34",
            "2023-09-05 08:07:34Z",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2023-04-31T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-01-00T00:00:00Z",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:60:00Z",
            "2023-01-01T00:00:61Z",
            "2023-01-01T00:00:60Z",
            "2023-01-01T00:00Z",
            "2023-01-01T00:00:00.Z",
            "2023-01-01T00:00:00,5Z",
            "2023-01-01T00:00:00.1234567890Z",
            "2023-01-01T00:00:00+0200",
            "2023-01-01T00:00:00+02",
            "2023-01-01T00:00:00+02:60",
            "2023-01-01T00:00:00+24:00",
            "2023-01-01T00:00:00+18:01",
            "2023-01-01T00:00:00Z ",
            " 2023-01-01T00:00:00Z",
            "2023-01-01T00:00:00ZZ",
            "+2023-01-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "12023-01-01T00:00:00Z",
            "２０23-01-01T00:00:00Z",
            "2023-1-1T0:0:0Z",
            "1693901254",
            "yesterday",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn choices_differ_only_where_they_may() {
        let with = |name: &str, text: &str| read(text, Choices::parse([name]).unwrap()).is_some();
        let leap = "2016-12-31T23:59:60Z";
        assert!(plain(leap).is_some() && plain("2017-01-01T01:59:60+02:00").is_some());
        assert!(!with("leap-second-refused", leap));
        assert!(plain("2016-12-31t23:59:59z").is_some());
        assert!(
            !with("lowercase-t-refused", "2016-12-31t23:59:59Z")
                && !with("lowercase-t-refused", "2016-12-31T23:59:59z")
        );
        assert!(
            plain("1969-12-31T23:59:59Z").is_some()
                && !with("unknown-years-refused", "1969-12-31T23:59:59Z")
        );
        assert!(
            with("unknown-years-refused", "1970-01-01T00:00:00Z")
                && !with("unknown-years-refused", "9999-01-01T00:00:00Z")
        );
        assert!(
            plain("2020-01-01T00:00:00+14:01").is_some()
                && !with("offset-beyond-14-refused", "2020-01-01T00:00:00+14:01")
        );
        for text in [
            "2020-01-01T24:00:00Z",
            "2020-01-01T00:00Z",
            "2020-01-01T00:00:00+0200",
            "2020-01-01T00:00:00+23:59",
            "2020-01-01T00:00:60Z",
            "2020-01-01T00:00:00.1234567890Z",
        ] {
            assert!(plain(text).is_none() && with("lenient-dates", text), "{text}");
        }
        for text in
            ["2020-01-01T24:00:01Z", "2020-02-30T00:00:00Z", "2020-01-01T00:00:00", "2020-01-01"]
        {
            assert!(!with("lenient-dates", text), "{text}");
        }
        assert!(
            with("no-offset-accepted", "2020-01-01T00:00:00")
                && !with("no-offset-accepted", "2020-01-01")
        );
    }
}
