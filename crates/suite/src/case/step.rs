//! The shape of a written case's steps: requests, and the batches in them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::amount::Span;
use super::expect::Expect;
use super::generated::{Framing, ValuesSpec};
use super::named::Named;

/// A step: one request, or several released at once.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Step {
    /// What later steps call it: `${NAME.status}`, `resend: NAME`.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// A data file (.csv, .jsonl, .json): the step is sent for each row, `${COLUMN}` is that row's.
    #[schemars(with = "Option<String>")]
    pub for_each: Option<Named>,
    /// What reports call it, where that is not its number.
    #[serde(skip)]
    pub label: Option<String>,
    /// Requests that are released together by a barrier.
    pub simultaneously: Option<Vec<Step>>,
    /// Number of copies of this request, each with fresh keys of its own.
    pub times: Option<usize>,
    /// The copies are the same request, keys included.
    pub identical: bool,
    /// The items: a count, a range, or a list.
    pub batch: Option<BatchSpec>,
    /// Items that `body` or `raw` holds as `${item:NAME}`; by themselves they are not sent.
    pub items: Option<Vec<ItemSpec>>,
    /// What kind of values generated items take.
    pub values: Option<ValuesSpec>,
    /// A JSON file whose body is sent; relative to the case file. `${…}` in it reaches captures.
    pub batch_from: Option<String>,
    /// What that file says, once it was read.
    #[serde(skip)]
    pub batch_text: Option<Arc<str>>,
    /// Fresh keys for the items of `batch-from`: equal ones stay equal, in all steps of the case.
    pub fresh_keys: bool,
    /// A body as text.
    pub body: Option<String>,
    /// A body as hexadecimal bytes; white space is ignored.
    pub body_hex: Option<String>,
    /// The body of an earlier step again, byte for byte.
    #[schemars(with = "Option<String>")]
    pub resend: Option<Named>,
    /// A whole request as text, sent unchanged on a connection of its own; line ends become CRLF up
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
    /// Closes the connection halfway.
    pub disconnect: Option<Disconnect>,
    /// On a connection of its own.
    pub new_connection: bool,
    /// Milliseconds to wait before it is sent.
    pub pause: Option<u64>,
    /// Waits until all other trials of the run have ended.
    pub at_end: bool,
    /// What the answer must be.
    pub expect: Option<Expect>,
}

/// Where a client disconnects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Disconnect {
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
    /// The right ones of another tenant, which the profile names.
    OtherTenant,
    /// The right ones, without the API keys that the document demands beside them.
    NoFurtherKey,
}

/// The items of a batch.
#[derive(Debug, Clone)]
pub enum BatchSpec {
    /// This number of valid items.
    Count(Span),
    /// These, each starting from a valid one.
    Items(Vec<ItemSpec>),
}

impl BatchSpec {
    /// Most items of a batch that a step holds in memory.
    pub const MOST: usize = 100_000;
}

/// One item (or several alike) of a batch.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ItemSpec {
    /// What later items and steps call it: `${NAME.field}`.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// Starts as a copy of an earlier item, with a fresh key.
    #[schemars(with = "Option<String>")]
    pub like: Option<Named>,
    /// Fields and their values, each by its name or as `@ROLE`; `${…}` reaches captures. A field that is nothing but
    /// the capture of one that the other item lacks is left out.
    pub set: serde_json::Map<String, Value>,
    /// Fields and their JSON text, sent as it is written.
    pub set_raw: BTreeMap<String, String>,
    /// Fields to leave out.
    #[schemars(with = "Vec<String>")]
    pub unset: Vec<Named>,
    /// A mutation from the catalogue.
    #[schemars(with = "Option<String>")]
    pub mutate: Option<Named>,
    /// The item as JSON text, sent unchanged.
    pub raw: Option<String>,
    /// Number of copies, each with a key of its own.
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
