//! The language of `batch.yaml`: what a person may write, short forms and long ones.
//!
//! It must not know what the OpenAPI document says.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use super::echo_file::EchoFile;
use super::read::ReadFile;
use crate::batch::{ElapsedFields, ErrorCode, Limits, Sample};
use crate::unique_key::{Again, KeyScope, SameKey};

/// What `batch.yaml` says. Places are JSON pointers: a name without a slash is that of a member of the root, the empty
/// text is the root itself, and `*` is the first member that is not null.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "batchproof batch contract")]
pub struct BatchFile {
    /// The endpoint's name, for people.
    pub title: String,
    /// Where in the OpenAPI document the endpoint stands.
    pub operation: OperationFile,
    /// Constant members of the request around the items. Others that the schema requires are filled in.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub around: Map<String, Value>,
    /// Where in the request the items stand: the pointer to their array, or the items as lines.
    pub items: ItemsFile,
    /// Where in the answer the results stand: a place, or several.
    pub results: ResultsFile,
    /// How results are matched with items.
    #[serde(default, rename = "match")]
    pub matching: MatchFile,
    /// What it means that an item has no result; without it, that is a mistake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<Says>,
    /// The field of an item that must not be used twice, several of them, or `none`.
    pub unique: UniqueFile,
    /// Whether tenants share their unique keys; without it, each tenant has keys of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique_across_tenants: bool,
    /// Item fields that a result repeats: a list where both have the same place, else item pointers with result pointers.
    #[serde(default)]
    pub echo: EchoFile,
    /// How a result says accepted or rejected.
    #[serde(default)]
    pub verdict: VerdictFile,
    /// Where a result says why it is rejected, and a refused request too where `refusal` does not say otherwise.
    #[serde(default)]
    pub error: ErrorFile,
    /// How a request is refused as a whole.
    #[serde(default)]
    pub refusal: RefusalFile,
    /// Whether a batch is taken item by item or as a whole.
    #[serde(default)]
    pub batch: BatchModeFile,
    /// The request that shows one item, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<ReadFile>,
    /// Elapsed fields, in milliseconds.
    #[serde(default)]
    pub elapsed: ElapsedFields,
    /// Item fields that name something the target must know already.
    #[serde(default)]
    pub references: Vec<String>,
    /// Documented error codes.
    #[serde(default)]
    pub codes: BTreeMap<String, ErrorCode>,
    /// What generated values look like.
    #[serde(default)]
    pub samples: BTreeMap<String, Sample>,
    /// The figures that interpretations name.
    #[serde(default)]
    pub limits: Limits,
}

impl BatchFile {
    /// The places of results.
    pub(super) fn places(&self) -> Vec<PlaceFile> {
        match &self.results {
            ResultsFile::At(at) => {
                vec![PlaceFile { at: at.clone(), ..PlaceFile::default() }]
            }
            ResultsFile::One(place) => vec![place.clone()],
            ResultsFile::Several(places) => places.clone(),
        }
    }

    /// Where the items stand.
    pub(super) fn items_place(&self) -> ItemsPlace {
        match &self.items {
            ItemsFile::At(at) => ItemsPlace { at: Some(at.clone()), ..ItemsPlace::default() },
            ItemsFile::Place(place) => place.clone(),
        }
    }

    /// The unique keys, as far as there are any: the first one, and the others.
    pub(super) fn keys(&self) -> (Option<UniqueKeyFile>, Vec<UniqueKeyFile>) {
        let mut keys = match &self.unique {
            UniqueFile::At(word) if word == "none" => Vec::new(),
            UniqueFile::At(at) => {
                vec![UniqueKeyFile { at: at.clone(), ..UniqueKeyFile::default() }]
            }
            UniqueFile::Key(key) => vec![key.clone()],
            UniqueFile::Several(keys) => keys.clone(),
        };
        let others = keys.split_off(keys.len().min(1));
        (keys.pop(), others)
    }
}

/// Position of the operation in the OpenAPI document.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationFile {
    /// Path template key under `paths`.
    pub path: String,
    /// Lower-case method key.
    pub method: String,
    /// Media type of its request, where the document names several, or none of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// Values of its path, query and header parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Value>,
}

/// Where items stand.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ItemsFile {
    /// In an array at this pointer.
    At(String),
    /// The same in its long form, or lines.
    Place(ItemsPlace),
}

/// Where items stand, and how.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ItemsPlace {
    /// Pointer to the array, or to the map; not beside `lines`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The items are the values of a map: `true` where its keys only tell them apart, or the pointer to the item's field
    /// that stands as the map's key and not in the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyed: Option<KeyedFile>,
    /// Each item is one line, or several, of a body that is not one JSON document (NDJSON): the word `item`, and objects
    /// for the lines before or behind it. The text `${/field}` in such an object is the item's field of that name, which
    /// then stands there and not in the item's own line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<Value>>,
    /// Reference to the schema of an item, where the schema of a body of lines does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What becomes of a body with blank lines; without it, any answer to one is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blank_lines: Option<BlankLines>,
    /// Whether the last line must end with a newline; without it, any answer to a body that lacks it is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_newline: Option<LastNewline>,
}

/// What the keys of a map of items are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum KeyedFile {
    /// Marks that tell items apart, made for each request; `false` is an array.
    Mark(bool),
    /// A field of the items.
    Field(String),
}

/// What becomes of a body with blank lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BlankLines {
    /// It is processed as if they were not there.
    Ignored,
    /// It is refused.
    Refused,
}

/// Whether the last line must end with a newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LastNewline {
    /// A body without it is refused.
    Required,
    /// A body without it is processed like any other.
    Optional,
}

/// Accepted or rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Says {
    /// Accepted.
    Accepted,
    /// Rejected.
    Rejected,
}

/// Where results stand.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ResultsFile {
    /// In an array at this pointer, under a 200.
    At(String),
    /// In one place.
    One(PlaceFile),
    /// In several.
    Several(Vec<PlaceFile>),
}

/// One array of results.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceFile {
    /// Pointer to the array, or to the map.
    #[serde(default)]
    pub at: String,
    /// The results are the values of a map, whose keys say which item each is of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keyed: bool,
    /// Pointers to arrays side by side: the first result is made of their first elements, each under the last name of its
    /// pointer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zip: Vec<String>,
    /// Whether the answer is no JSON document, and each of its lines is a result (NDJSON).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lines: bool,
    /// Reference to the schema of a result, where the schema of an answer in lines does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What it means that an item stands in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<Says>,
    /// The statuses under which it is there.
    #[serde(default = "ok", skip_serializing_if = "is_ok")]
    pub under: Vec<u16>,
}

impl Default for PlaceFile {
    fn default() -> Self {
        PlaceFile {
            at: String::new(),
            keyed: false,
            zip: Vec::new(),
            lines: false,
            schema: None,
            says: None,
            under: ok(),
        }
    }
}

fn ok() -> Vec<u16> {
    vec![200]
}

fn is_ok(under: &[u16]) -> bool {
    under == [200]
}

/// How results are matched with items.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum MatchFile {
    /// `order`: the first result is that of the first item.
    #[default]
    #[schemars(skip)]
    Order,
    /// The word `order`.
    Word(OrderWord),
    /// By a member of both, or by the item's position.
    By(MatchBy),
}

/// The first result is that of the first item.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OrderWord {
    /// In request order.
    Order,
}

/// What of a result says which item it is of.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchBy {
    /// Pointer into the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Pointer into the result, which repeats what stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Pointer into the result to the item's position, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
}

/// The unique key.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum UniqueFile {
    /// Its pointer in the item; or `none`.
    At(String),
    /// The same with what becomes of it.
    Key(UniqueKeyFile),
    /// Several of them. The first one is what cases and reports call the unique key.
    Several(Vec<UniqueKeyFile>),
}

/// A unique key.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UniqueKeyFile {
    /// Its pointer in the item.
    pub at: String,
    /// Its pointer in the result, where that repeats it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Within what it must not be used twice.
    #[serde(default)]
    pub within: KeyScope,
    /// What an item gets whose key was used before.
    #[serde(default)]
    pub again: Again,
    /// Which texts are the same key.
    #[serde(default)]
    pub same: SameKey,
    /// Other fields that belong to the key: only items that are equal in all of them have the same key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
}

/// How a result says accepted or rejected: a field with two values, or conditions.
///
/// A condition is a pointer with what stands there: a value with its type, `present`, `absent`, `2xx`, or a list of those.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerdictFile {
    /// Pointer to the field whose value is given below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Its value for an accepted item; without `field`, conditions. Left out: whatever is not rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Value>,
    /// The same for a rejected item. Left out: whatever is not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Value>,
}

/// Where an error is.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorFile {
    /// Pointer to the error code, a text or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Pointer to the description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// How a request is refused as a whole.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusalFile {
    /// Its statuses; 400 where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// Pointer to the error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Pointer to the description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Whether a batch is taken item by item or as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchModeFile {
    /// How.
    #[serde(default)]
    pub mode: BatchMode,
}

/// How a batch with an item that is not valid is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BatchMode {
    /// The item is rejected, and the others are accepted.
    Each,
    /// The whole request is refused.
    Whole,
    /// Either.
    #[default]
    Either,
}

/// The JSON Schema of batch contracts, as text (`schemas/batch.schema.json`).
#[must_use]
pub fn schema() -> String {
    crate::published::published(schemars::schema_for!(BatchFile))
}
