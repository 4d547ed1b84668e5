//! The shape of a generated case: a batch, what is broken in it, and what its answers are checked against.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::amount::{Runs, Span};
use super::named::Named;

/// A generated batch.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Generate {
    /// How many items, such as `2..50`.
    pub items: Span,
    /// A sequence of this number of requests instead of one: keys come back, items are broken, requests can't be
    /// processed; what each item must meet is checked against a model of the endpoint.
    #[serde(default)]
    pub steps: Option<Span>,
    /// How often.
    #[serde(default)]
    pub runs: Option<Runs>,
    /// What kind of values.
    #[serde(default)]
    pub values: ValuesSpec,
    /// How the body is sent.
    #[serde(default)]
    pub framing: Framing,
}

impl Generate {
    /// Above this many items a batch is sent and judged as a stream, and never held in memory as a whole.
    pub const STREAMED: usize = 20_000;
}

/// What kind of valid values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ValuesSpec {
    /// Everyday values.
    Plain,
    /// Everyday values mixed with those at every bound.
    #[default]
    Boundary,
    /// Strings of every kind that JSON can carry.
    Unusual,
}

/// How a body is framed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// With `Content-Length`.
    #[default]
    Sized,
    /// With `Transfer-Encoding: chunked`.
    Chunked,
    /// The same, in chunks of a few bytes.
    TinyChunks,
}

impl Framing {
    /// As case files and records write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Framing::Sized => "sized",
            Framing::Chunked => "chunked",
            Framing::TinyChunks => "tiny-chunks",
        }
    }

    /// Whether the body comes in chunks.
    #[must_use]
    pub fn is_chunked(self) -> bool {
        self != Framing::Sized
    }
}

/// Which items of a batch are mutated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MutatedItems {
    /// First, middle and last in turn, run by run.
    #[default]
    Turns,
    /// The first item.
    First,
    /// An item in the middle.
    Middle,
    /// The last item.
    Last,
    /// Every second item, each by the next mutation of the catalogue.
    Half,
    /// Every item.
    All,
}

/// Mutations of a generated batch.
#[derive(Debug, Clone)]
pub struct Mutate {
    /// Names from the catalogue (`batchproof list --mutations`); their values are taken in turns.
    pub by: Vec<Named>,
    /// Which items.
    pub at: MutatedItems,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MutateMap {
    by: NamedList,
    #[serde(default)]
    at: MutatedItems,
}

struct NamedList(Vec<Named>);

impl<'de> Deserialize<'de> for NamedList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NamedList, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            One(String),
            Many(Vec<String>),
        }
        let spanned = Spanned::<OneOrMany>::deserialize(deserializer)?;
        let (line, column) = (spanned.referenced.line(), spanned.referenced.column());
        let names = match spanned.value {
            OneOrMany::One(name) => vec![name],
            OneOrMany::Many(names) => names,
        };
        Ok(NamedList(names.into_iter().map(|name| Named { name, line, column }).collect()))
    }
}

struct MutateVisitor;

impl<'de> Visitor<'de> for MutateVisitor {
    type Value = (Vec<String>, Option<MutateMap>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a mutation, a list of names, or { by: NAMES, at: POSITION }")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok((vec![name.to_owned()], None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = seq.next_element::<String>()? {
            names.push(name);
        }
        Ok((names, None))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let map = MutateMap::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok((Vec::new(), Some(map)))
    }
}

struct MutateShape((Vec<String>, Option<MutateMap>));

impl<'de> Deserialize<'de> for MutateShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MutateShape, D::Error> {
        deserializer.deserialize_any(MutateVisitor).map(MutateShape)
    }
}

impl<'de> Deserialize<'de> for Mutate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Mutate, D::Error> {
        let spanned = Spanned::<MutateShape>::deserialize(deserializer)?;
        let (line, column) = (spanned.referenced.line(), spanned.referenced.column());
        Ok(match spanned.value.0 {
            (_, Some(map)) => Mutate { by: map.by.0, at: map.at },
            (names, None) => Mutate {
                by: names.into_iter().map(|name| Named { name, line, column }).collect(),
                at: MutatedItems::default(),
            },
        })
    }
}

impl JsonSchema for Mutate {
    fn schema_name() -> Cow<'static, str> {
        "Mutate".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let position = generator.subschema_for::<MutatedItems>();
        json_schema!({
            "description": "names of mutations (batchproof list --mutations), taken in turns",
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" }, "minItems": 1 },
                {
                    "type": "object",
                    "properties": {
                        "by": { "anyOf": [
                            { "type": "string" },
                            { "type": "array", "items": { "type": "string" }, "minItems": 1 }
                        ] },
                        "at": position
                    },
                    "required": ["by"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

/// A second request made from the first, each with fresh keys unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The same bytes again, keys included: what was accepted is now used.
    Replay,
    /// The items in another order: verdicts move with them.
    Permute,
    /// The batch in two halves: no verdict changes.
    Split,
    /// The batch and another one in a single request: no verdict changes.
    Concatenate,
    /// One broken item more: nothing changes for the others, in either refusal mode.
    AddBadItem,
    /// One item a second time: it is used, the others don't change.
    DuplicateItem,
    /// A property that the schema does not name: no verdict changes.
    AddProperty,
    /// The keys of envelope and items in another order: no verdict changes.
    ReorderKeys,
    /// Other insignificant white space: no verdict changes.
    WhiteSpace,
    /// Chunked instead of sized: no verdict changes.
    Chunk,
    /// What was refused is corrected and sent again with the same keys: it is accepted.
    Correct,
}
