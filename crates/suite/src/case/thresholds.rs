//! What all answers of a case together must stay within: `thresholds: { p95: 800ms, error-rate: 1% }`.
//!
//! Only the shape: it must not know how anything is measured.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::time::Time;

/// What the answers of all runs of a case must stay within.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Thresholds {
    /// Half of the answers take no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50: Option<Time>,
    /// 90 % of the answers take no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90: Option<Time>,
    /// 95 % of the answers take no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95: Option<Time>,
    /// 99 % of the answers take no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<Time>,
    /// 99.9 % of the answers take no longer.
    #[serde(rename = "p99.9", skip_serializing_if = "Option::is_none")]
    pub p99_9: Option<Time>,
    /// No answer takes longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Time>,
    /// The answers take no longer on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<Time>,
    /// The share of requests without an answer, or with a 408, a 429 or a 5xx.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<Share>,
}

/// What a limit of time is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TimeMeasure {
    /// The time that this share of the answers does not exceed.
    Percentile(f64),
    /// The longest.
    Max,
    /// The average.
    Mean,
}

impl Thresholds {
    /// The limits of time, by name.
    pub fn times(&self) -> impl Iterator<Item = (&'static str, TimeMeasure, Time)> {
        use TimeMeasure::{Max, Mean, Percentile};
        let all = [
            ("p50", Percentile(0.5), self.p50),
            ("p90", Percentile(0.9), self.p90),
            ("p95", Percentile(0.95), self.p95),
            ("p99", Percentile(0.99), self.p99),
            ("p99.9", Percentile(0.999), self.p99_9),
            ("max", Max, self.max),
            ("mean", Mean, self.mean),
        ];
        all.into_iter().filter_map(|(name, measure, limit)| Some((name, measure, limit?)))
    }

    /// Whether nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Thresholds::default()
    }
}

/// A share of a whole, written in percent.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(pub f64);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without what a float adds to 0.1 %.
        write!(f, "{}%", (self.0 * 1e8).round() / 1e6)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Share, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let percent = value.as_str().and_then(|text| text.trim().strip_suffix('%'));
        let number = percent.and_then(|number| number.trim().parse::<f64>().ok());
        number
            .filter(|percent| (0.0..=100.0).contains(percent))
            .map(|p| Share(p / 100.0))
            .ok_or_else(|| {
                de::Error::custom(format!(
                    "{value} is not a share: expected 0% to 100%, such as 1% or 0.1%"
                ))
            })
    }
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a share in percent, such as 1% or 0.1%",
            "type": "string",
            "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*%$"
        })
    }
}
