//! A calendar day, written `2027-01-31`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A calendar day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(NaiveDate);

impl Day {
    /// The day on which an RFC 3339 instant lies, in UTC; none where it is no instant.
    #[must_use]
    pub fn of(instant: &str) -> Option<Day> {
        let instant = DateTime::parse_from_rfc3339(instant).ok()?;
        Some(Day(instant.with_timezone(&Utc).date_naive()))
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Day, String> {
        let shaped = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(day) if shaped => Ok(Day(day)),
            _ => Err(format!("`{text}` is not a date")),
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Day {
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A calendar day in UTC, such as 2027-01-31.",
            "type": "string",
            "format": "date",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_one_way() {
        let day: Day = "2027-01-31".parse().unwrap();
        assert_eq!(day.to_string(), "2027-01-31");
        assert_eq!(Day::of("2027-02-01T01:30:00+02:00"), Some(day));
        for text in ["", "YYYY-MM-DD", "31.01.2027", "2027-1-31", "2027-02-30", "+2027-01-3"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }
}
