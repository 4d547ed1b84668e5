//! Ranges and counts as case files write them: `2..50`, `{ quick: 4, standard: 64, deep: 512 }`.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::Depth;

/// A count or a range of counts, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Smallest.
    pub low: usize,
    /// Largest.
    pub high: usize,
}

impl Span {
    /// The same as a range.
    #[must_use]
    pub fn range(self) -> RangeInclusive<usize> {
        self.low..=self.high
    }
}

impl Span {
    /// The same of `gone` things less.
    #[must_use]
    pub fn less(self, gone: usize) -> Span {
        Span { low: self.low.saturating_sub(gone), high: self.high.saturating_sub(gone) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high {
            write!(f, "{}", self.low)
        } else {
            write!(f, "{}..{}", self.low, self.high)
        }
    }
}

struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a count such as 10, or a range such as 2..50")
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<Span, E> {
        let n = usize::try_from(n).map_err(E::custom)?;
        Ok(Span { low: n, high: n })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
        let number = |t: &str| t.trim().replace('_', "").parse::<usize>().ok();
        let span = match text.split_once("..") {
            Some((low, high)) => number(low).zip(number(high.trim_start_matches('='))),
            None => number(text).map(|n| (n, n)),
        };
        match span {
            Some((low, high)) if low <= high => Ok(Span { low, high }),
            Some((low, high)) => Err(E::custom(format!(
                "the range {low}..{high} ends before it begins; write it as {high}..{low}"
            ))),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        deserializer.deserialize_any(SpanVisitor)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a count, or a range with both ends included: 2..50",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^[0-9_]+(\\.\\.[0-9_]+)?$" }
            ]
        })
    }
}

/// How often a case runs at each depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runs {
    quick: u64,
    standard: u64,
    deep: u64,
}

impl Runs {
    /// The count at `depth`.
    #[must_use]
    pub fn at(&self, depth: Depth) -> u64 {
        match depth {
            Depth::Quick => self.quick,
            Depth::Standard => self.standard,
            Depth::Deep => self.deep,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunsMap {
    #[serde(default)]
    quick: u64,
    standard: Option<u64>,
    deep: Option<u64>,
}

struct RunsVisitor;

impl<'de> Visitor<'de> for RunsVisitor {
    type Value = Runs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a count, or { quick: N, standard: N, deep: N }")
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<Runs, E> {
        Ok(Runs { quick: n, standard: n, deep: n })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Runs, A::Error> {
        let m = RunsMap::deserialize(de::value::MapAccessDeserializer::new(map))?;
        let standard = m.standard.unwrap_or(m.quick);
        Ok(Runs { quick: m.quick, standard, deep: m.deep.unwrap_or(standard) })
    }
}

impl<'de> Deserialize<'de> for Runs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Runs, D::Error> {
        deserializer.deserialize_any(RunsVisitor)
    }
}

impl JsonSchema for Runs {
    fn schema_name() -> Cow<'static, str> {
        "Runs".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "how often: one count, or one for each depth (quick 0, the others as the one before)",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                {
                    "type": "object",
                    "properties": {
                        "quick": { "type": "integer", "minimum": 0 },
                        "standard": { "type": "integer", "minimum": 0 },
                        "deep": { "type": "integer", "minimum": 0 }
                    },
                    "additionalProperties": false
                }
            ]
        })
    }
}
