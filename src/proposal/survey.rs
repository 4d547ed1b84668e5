//! The operations of a document: which take a batch, best first, and why the others do not.
//!
//! It must not know how a batch contract is written.

mod documented;

use serde_json::Value;

use super::view::{self, SchemaShape};
use super::words::speaks;
use crate::contract::SchemaDocument;
use crate::contract::media_type::MediaType;
use documented::DocumentedOperation;

/// The methods of an operation.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/// Statuses of an answer with results, the usual one first.
pub const SUCCESS: [&str; 6] = ["200", "201", "202", "207", "2XX", "default"];
/// What an operation must score to count as one that takes batches.
const ENOUGH: i32 = 5;
/// What it costs to be for reading, or for one thing: more than anything else brings.
const READING: i32 = 100;
/// How much better than all others an operation must be, to be taken without asking.
const CLEARLY: i32 = 3;

/// Properties of an envelope that say nothing of items.
const ASIDE: &[&str] = &["pagination", "paging", "warnings", "links", "meta"];
/// Objects within the request that are looked through for the items.
const DEEPEST: usize = 3;

/// How a request holds its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemsForm {
    /// A list.
    List,
    /// A map, the keys of which are the caller's.
    Map,
    /// A line each.
    Lines,
}

/// An operation that may take batches.
#[derive(Debug, Clone)]
pub struct BatchOperation {
    /// Upper case.
    pub method: String,
    /// As the document has it.
    pub path: String,
    /// Its `operationId`.
    pub id: Option<String>,
    /// Where the document has the operation.
    pub pointer: String,
    /// Where a request holds the items; empty: it is nothing but the items.
    pub items: String,
    /// How.
    pub form: ItemsForm,
    /// How much speaks for a batch.
    pub score: i32,
    /// What does, in words.
    pub reasons: Vec<&'static str>,
}

/// Operations that take no batches, for one reason.
#[derive(Debug, Clone)]
pub struct SkippedOperations {
    /// Why.
    pub why: String,
    /// Which.
    pub names: Vec<String>,
}

/// What a document has.
#[derive(Debug, Default)]
pub struct Survey {
    /// Those that take batches, the best first.
    pub batch: Vec<BatchOperation>,
    /// Those whose request has a list of objects as a part of something else.
    pub doubtful: Vec<BatchOperation>,
    /// The others.
    pub skipped: Vec<SkippedOperations>,
}

impl Survey {
    /// Looks at all operations of a document.
    #[must_use]
    pub fn of(document: &SchemaDocument) -> Survey {
        let mut survey = Survey::default();
        let paths = document.value().get("paths").and_then(Value::as_object);
        for (path, item) in paths.into_iter().flatten() {
            let item = document.resolve(item);
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                let place = DocumentedOperation { document, operation, path, method };
                match place.look() {
                    Ok(found) if found.score >= ENOUGH => survey.batch.push(found),
                    Ok(found) => survey.doubtful.push(found),
                    Err(why) => survey.skip(why, place.name()),
                }
            }
        }
        // Equal ones stay in the document's order.
        survey.batch.sort_by_key(|found| -found.score);
        survey.doubtful.sort_by_key(|found| -found.score);
        survey
    }

    fn skip(&mut self, why: String, name: String) {
        match self.skipped.iter_mut().find(|group| group.why == why) {
            Some(group) => group.names.push(name),
            None => self.skipped.push(SkippedOperations { why, names: vec![name] }),
        }
    }

    /// The operation that clearly stands out, where one does.
    #[must_use]
    pub fn clear(&self) -> Option<&BatchOperation> {
        match self.batch.as_slice() {
            [only] => Some(only),
            [first, second, ..] if first.score - second.score >= CLEARLY => Some(first),
            _ => None,
        }
    }

    /// The operation of that id, or with that method and path.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&BatchOperation> {
        self.batch.iter().chain(&self.doubtful).find(|found| found.is_named(name))
    }

    /// All names that an operation can be asked for by.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let all = self.batch.iter().chain(&self.doubtful);
        all.flat_map(|o| [Some(format!("{} {}", o.method, o.path)), o.id.clone()]).flatten()
    }

    /// Why the operation of that name takes no batches.
    #[must_use]
    pub fn why_not(&self, name: &str) -> Option<&str> {
        let is_it = |known: &String| {
            known == name
                || known.split(" (").next() == Some(name)
                || known
                    .strip_suffix(')')
                    .and_then(|k| k.rsplit_once(" ("))
                    .is_some_and(|(_, id)| id == name)
        };
        self.skipped.iter().find(|group| group.names.iter().any(is_it)).map(|group| &*group.why)
    }
}

impl BatchOperation {
    fn is_named(&self, name: &str) -> bool {
        let mut parts = name.split_whitespace();
        let (first, second) = (parts.next(), parts.next());
        self.id.as_deref() == Some(name)
            || (first.is_some_and(|m| m.eq_ignore_ascii_case(&self.method))
                && second == Some(&self.path))
    }
}

/// Whether a required property has one value only, or a default, so that nothing is left to say.
fn is_fixed(document: &SchemaDocument, schema: &Value) -> bool {
    schema.get("const").is_some()
        || schema.get("default").is_some()
        || view::listed(document, schema).len() == 1
        || ["idempotency", "request_id", "requestid"]
            .iter()
            .any(|w| speaks(view::description(schema), &[w]))
}

/// Whether a media type is JSON, with a name of its own or not.
fn is_json(media: &str) -> bool {
    let media = MediaType::parse(media);
    media.is_json() || media.essence == "*/*" || media.essence.ends_with("+json")
}

/// The schema of the JSON answer to a success.
pub fn answer<'a>(document: &'a SchemaDocument, operation: &'a Value) -> Option<&'a Value> {
    let responses = document.resolve(operation.get("responses")?);
    SUCCESS.iter().find_map(|status| {
        let response = document.resolve(responses.get(*status)?);
        json_schema(document, response)
    })
}

/// The schema of the JSON of a response or a request.
pub fn json_schema<'a>(document: &'a SchemaDocument, holder: &'a Value) -> Option<&'a Value> {
    let content = holder.get("content")?.as_object()?;
    let (_, media) = content.iter().find(|(media, _)| is_json(media))?;
    document.resolve(media).get("schema")
}

/// The lists and maps of objects of an answer: pointer's name (empty for the whole), and the schema of a result.
pub fn lists_of<'a>(document: &'a SchemaDocument, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
    match view::shape(document, schema) {
        SchemaShape::List(items) if view::is_object(document, items) => vec![("", items)],
        SchemaShape::Object => view::properties(document, schema)
            .into_iter()
            .filter_map(|property| match view::shape(document, property.schema) {
                SchemaShape::List(inner) | SchemaShape::Map(inner)
                    if view::is_object(document, inner) =>
                {
                    Some((property.name, inner))
                }
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
