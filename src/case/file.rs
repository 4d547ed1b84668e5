//! The shape of a case file's steps, batches and mutations.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::amount::{Runs, Span};
use super::expect::Expect;

/// A name with its position in the file, resolved before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Its line, from 1.
    pub line: u64,
    /// Its column, from 1.
    pub column: u64,
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Named, D::Error> {
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        Ok(Named {
            line: spanned.referenced.line(),
            column: spanned.referenced.column(),
            name: spanned.value,
        })
    }
}

/// A generated batch.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Generate {
    /// How many items, such as `2..50`.
    pub items: Span,
    /// A sequence of so many requests instead of one: numbers come back, items are broken, requests can't be
    /// processed; what each item must meet is held against a model of the endpoint.
    #[serde(default)]
    pub steps: Option<Span>,
    /// How often.
    #[serde(default)]
    pub runs: Option<Runs>,
    /// What kind of values.
    #[serde(default)]
    pub values: Style,
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
pub enum Style {
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
#[serde(rename_all = "lowercase")]
pub enum Framing {
    /// With `Content-Length`.
    #[default]
    Sized,
    /// With `Transfer-Encoding: chunked`.
    Chunked,
    /// The same, in chunks of a few bytes.
    Slivers,
}

impl Framing {
    /// Whether the body comes in chunks.
    #[must_use]
    pub fn is_chunked(self) -> bool {
        self != Framing::Sized
    }
}

/// Which items of a batch are mutated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Position {
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
    pub at: Position,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MutateMap {
    by: NamedList,
    #[serde(default)]
    at: Position,
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
                at: Position::default(),
            },
        })
    }
}

impl JsonSchema for Mutate {
    fn schema_name() -> Cow<'static, str> {
        "Mutate".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let position = generator.subschema_for::<Position>();
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

/// A second request made from the first, each with numbers of its own unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The same bytes again, numbers included: what was accepted is now used.
    Replay,
    /// The items in another order: verdicts move with them.
    Permute,
    /// The batch in two halves: no verdict changes.
    Split,
    /// The batch and another one in a single request: no verdict changes.
    Concatenate,
    /// One broken item more: nothing changes for the others, by either reading.
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
    /// What was refused is corrected and sent again with the same numbers: it is accepted.
    Correct,
}

/// A step: one request, or several released at once.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Step {
    /// What later steps call it: `${NAME.status}`, `resend: NAME`.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// Requests that are released together by a barrier.
    pub simultaneously: Option<Vec<Step>>,
    /// So many copies of this request, each with numbers of its own where it mints any.
    pub times: Option<usize>,
    /// The copies are the same request, numbers included.
    pub identical: bool,
    /// The items: a count, a range, or a list.
    pub batch: Option<BatchSpec>,
    /// What kind of values generated items take.
    pub values: Option<Style>,
    /// A JSON file whose body is sent; relative to the case file.
    pub batch_from: Option<String>,
    /// Fresh unique numbers for the items of `batch-from`; equal ones stay equal.
    pub renumber: bool,
    /// A body as text.
    pub body: Option<String>,
    /// A body as hexadecimal bytes; white space is ignored.
    pub body_hex: Option<String>,
    /// The body of an earlier step again, byte for byte.
    #[schemars(with = "Option<String>")]
    pub resend: Option<Named>,
    /// A whole request as text, sent as it stands on a connection of its own; line ends become CRLF up
    /// to the first empty line.
    pub raw: Option<String>,
    /// Instead of the documented method.
    pub method: Option<String>,
    /// Instead of the documented path; `${path}` is the documented one.
    pub path: Option<String>,
    /// Headers beside or instead of the usual ones; `null` takes one away.
    pub headers: BTreeMap<String, Option<String>>,
    /// Which credentials.
    pub credential: Credential,
    /// How the body is framed.
    pub framing: Framing,
    /// Hangs up halfway.
    pub hang_up: Option<HangUp>,
    /// On a connection of its own.
    pub new_connection: bool,
    /// Milliseconds to wait before it is sent.
    pub pause: Option<u64>,
    /// Waits until all other trials of the run have ended.
    pub at_end: bool,
    /// What the answer must be.
    pub expect: Option<Expect>,
}

/// Where a client hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HangUp {
    /// After the headers, before the body.
    AfterHeaders,
    /// In the middle of the body.
    HalfBody,
    /// After the whole request, before the answer.
    BeforeAnswer,
}

/// Which credentials a request carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// The right ones.
    #[default]
    Good,
    /// No `Authorization` header.
    None,
    /// An empty `Authorization` header.
    Empty,
    /// The scheme alone.
    SchemeOnly,
    /// Another token of the same length and alphabet.
    Wrong,
    /// The right token with a character more.
    Longer,
    /// The right token less its last character.
    Shorter,
    /// The right token in the other letter case.
    OtherCase,
    /// The right token in double quotes.
    Quoted,
    /// The token without a scheme.
    NoScheme,
    /// The token under a scheme that does not exist.
    WrongScheme,
    /// The token as Basic credentials.
    Basic,
    /// The token in the query instead of the header.
    InQuery,
}

/// The items of a batch.
#[derive(Debug, Clone)]
pub enum BatchSpec {
    /// So many valid items.
    Count(Span),
    /// These, each starting from a valid one.
    Items(Vec<ItemSpec>),
}

/// One item (or several alike) of a batch.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ItemSpec {
    /// What later items and steps call it: `${NAME.field}`.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// Starts as a copy of an earlier item, with a fresh number.
    #[schemars(with = "Option<String>")]
    pub like: Option<Named>,
    /// Fields and their values; `${…}` reaches captures.
    pub set: serde_json::Map<String, Value>,
    /// Fields to leave out.
    pub unset: Vec<String>,
    /// A mutation from the catalogue.
    #[schemars(with = "Option<String>")]
    pub mutate: Option<Named>,
    /// The item as JSON text, sent as it stands.
    pub raw: Option<String>,
    /// So many of it, each with a number of its own.
    pub times: Option<usize>,
}

struct BatchVisitor;

impl<'de> Visitor<'de> for BatchVisitor {
    type Value = BatchSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a count such as 10, a range such as 2..50, or a list of items")
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<BatchSpec, E> {
        let n = usize::try_from(n).map_err(E::custom)?;
        Ok(BatchSpec::Count(Span { low: n, high: n }))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<BatchSpec, E> {
        Span::deserialize(de::value::StrDeserializer::new(text)).map(BatchSpec::Count)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<BatchSpec, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(BatchSpec::Items(items))
    }
}

impl<'de> Deserialize<'de> for BatchSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<BatchSpec, D::Error> {
        deserializer.deserialize_any(BatchVisitor)
    }
}

impl JsonSchema for BatchSpec {
    fn schema_name() -> Cow<'static, str> {
        "Batch".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let span = generator.subschema_for::<Span>();
        let item = generator.subschema_for::<ItemSpec>();
        json_schema!({
            "description": "a count, a range, or a list of items",
            "anyOf": [span, { "type": "array", "items": item }]
        })
    }
}
