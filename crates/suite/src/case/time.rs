//! Times as case files write them: `500ms`, `1m 30s`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// A time with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let time = value.as_str().and_then(|text| humantime::parse_duration(text.trim()).ok());
        time.filter(|time| !time.is_zero()).map(Time).ok_or_else(|| {
            let unit = if value.is_number() { " (a number needs its unit)" } else { "" };
            de::Error::custom(format!("{value} is not a time{unit}: expected 500ms, 2s or 1m 30s"))
        })
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a time with its unit, such as 500ms, 2s or 1m 30s",
            "type": "string",
            "examples": ["500ms", "2s"]
        })
    }
}
