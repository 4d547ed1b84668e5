//! What a target can bear.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the target can bear.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TargetLimits {
    /// Requests under way at once.
    pub jobs: Option<usize>,
    /// Requests in a second, written `20/s`.
    pub rate: Option<Rate>,
    /// Items in a batch.
    pub batch_items: Option<usize>,
    /// Items in a run.
    pub items: Option<u64>,
}

/// Requests in a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate(pub f64);

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "requests in a second, such as 20/s",
            "anyOf": [
                { "type": "number", "exclusiveMinimum": 0 },
                { "type": "string", "pattern": r"^\s*[0-9.]+\s*(/s)?$" }
            ]
        })
    }
}

impl std::str::FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let number = text.strip_suffix("/s").unwrap_or(text).trim();
        match number.parse::<f64>() {
            Ok(n) if n > 0.0 && n.is_finite() => Ok(Rate(n)),
            _ => Err(format!("`{text}` is not a rate; {}", right_rate(text))),
        }
    }
}

/// How a rate is written; where it is one for another time, what it is in a second.
fn right_rate(text: &str) -> String {
    let other = text.split_once('/').and_then(|(count, time)| {
        let seconds = match time.trim() {
            "m" | "min" | "minute" => 60.0,
            "h" | "hour" => 3_600.0,
            _ => return None,
        };
        count.trim().parse::<f64>().ok().filter(|n| *n > 0.0).map(|n| n / seconds)
    });
    match other {
        Some(rate) => format!("a rate is for a second: write it as `{rate:.4}/s`"),
        None => "write requests in a second, such as `20/s` or `0.5/s`".to_owned(),
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let text = match &value {
            Value::String(s) => s.clone(),
            other => other.to_string(),
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}
