//! Composes requests from what a case says: drafts get their numbers, bodies their bytes and intents.
//!
//! Deterministic but for numbers and captured answers; it never sends.

mod captures;
mod read;
mod relate;
mod sequence;
mod size;
mod steps;

pub use captures::Captures;
pub use read::read_request;
pub(crate) use relate::turn;
pub use relate::{FirstRequest, derive};
pub use sequence::{SequenceMemory, next};
pub use size::{group_seed, size, varies};
pub(crate) use steps::style;
pub use steps::{ComposedRequest, StepSource, compose};

use bytes::Bytes;
use serde_json::Value;

use crate::case::{Credential, Framing};
use crate::contract::Contract;
use crate::contract::validity::Validity;
use crate::exchange::{BodyIntent, Intent, ItemIntent, Request, key_of, situation_of};
use crate::generate::{AppliedMutation, Draft};
use crate::session::Environment;

/// An item about to be sent.
#[derive(Debug, Clone)]
pub struct OutgoingItem {
    /// What it is to be.
    pub draft: Draft,
    /// Its number, minted; nothing where it has none.
    pub number: Option<Value>,
    /// Its JSON text, where a case wrote it out.
    pub raw: Option<String>,
    /// How it was bent on purpose.
    pub mutations: Vec<AppliedMutation>,
}

impl OutgoingItem {
    /// A draft with a number of its own.
    #[must_use]
    pub fn with_fresh_key(environment: &Environment, mut draft: Draft) -> OutgoingItem {
        let number = environment.keys.with_shape(&draft.key);
        environment.keys.mint(&mut draft);
        OutgoingItem { draft, number, raw: None, mutations: Vec::new() }
    }

    /// The same item with a fresh number.
    #[must_use]
    pub fn renumbered(&self, environment: &Environment) -> OutgoingItem {
        let mut other = self.clone();
        other.number = environment.keys.with_shape(&other.draft.key);
        environment.keys.mint(&mut other.draft);
        other
    }

    /// The item as a value.
    #[must_use]
    pub fn value(&self, environment: &Environment) -> Value {
        match &self.raw {
            Some(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            None => self.draft.with_key(&environment.contract, self.number.clone()),
        }
    }

    fn write(&self, environment: &Environment, out: &mut Vec<u8>) {
        match &self.raw {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None => self.draft.write(out, &environment.contract, self.number.as_ref()),
        }
    }

    fn text(&self, environment: &Environment) -> String {
        match &self.raw {
            Some(text) => text.clone(),
            None => self.draft.text(&environment.contract, self.number.as_ref()),
        }
    }
}

/// How the body of a compact batch begins.
#[must_use]
pub fn batch_start(environment: &Environment) -> String {
    environment.contract.envelope().0
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyStyle {
    /// Compact.
    #[default]
    Compact,
    /// With white space wherever it may stand.
    Spacious,
    /// With the first letter of every name as an escape.
    Escaped,
}

/// The bytes of a batch, and what they mean.
#[must_use]
pub fn batch(
    environment: &Environment,
    entries: &[OutgoingItem],
    writing: BodyStyle,
) -> (Bytes, BodyIntent) {
    let contract = &environment.contract;
    let (before, after) = contract.envelope();
    let in_lines = contract.shape.as_ref().is_some_and(|shape| shape.form.lines().is_some());
    let (open, between, close) = match writing {
        BodyStyle::Compact => (before, contract.separator(), after),
        BodyStyle::Escaped => (with_escaped_name(&before), contract.separator(), after),
        // White space around a line is part of it.
        BodyStyle::Spacious if in_lines => (before, " \n\t", format!(" {after}")),
        BodyStyle::Spacious => spacious(&before, &after),
    };
    let form = contract.shape.as_ref().map(|shape| &shape.form).filter(|form| !form.is_plain());
    let mut text = open.into_bytes();
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            text.extend_from_slice(between.as_bytes());
        }
        match writing {
            BodyStyle::Compact if form.is_some() => {
                let item = entry.text(environment);
                let item = form.map_or_else(|| item.clone(), |form| form.write(&item, index));
                text.extend_from_slice(item.as_bytes());
            }
            BodyStyle::Compact => entry.write(environment, &mut text),
            BodyStyle::Escaped => {
                let item = entry.text(environment);
                // In a value, the quotes of such a text are escaped.
                let spelt = contract.fields().iter().fold(item, |item, field| {
                    let name = Value::from(field.name.as_str());
                    item.replace(&format!("{name}:"), &format!("{}:", escaped(&field.name)))
                });
                let spelt = form.map_or_else(|| spelt.clone(), |form| form.write(&spelt, index));
                text.extend_from_slice(spelt.as_bytes());
            }
            BodyStyle::Spacious => {
                let item = entry.text(environment);
                let item = form.map_or_else(|| item.clone(), |form| form.write(&item, index));
                let spaced = |text: &str| -> Option<String> {
                    let value: Value = serde_json::from_str(text).ok()?;
                    serde_json::to_string_pretty(&value).ok()
                };
                let spaced = if in_lines {
                    let line = |line: &str| spaced(line).map(|spaced| spaced.replace('\n', "\t"));
                    let lines: Option<Vec<String>> = item.split('\n').map(line).collect();
                    lines.map(|lines| lines.join("\n"))
                } else {
                    spaced(&item)
                };
                text.extend_from_slice(spaced.as_deref().unwrap_or(&item).as_bytes());
            }
        }
    }
    text.extend_from_slice(close.as_bytes());
    let literal = form.is_some() || entries.iter().any(|e| e.raw.is_some() || e.draft.needs_text());
    let with_bytes = |e: &OutgoingItem| {
        e.raw.as_deref().is_some_and(captures::has_bytes)
            || e.draft.raw.iter().any(|raw| captures::has_bytes(&raw.text))
    };
    let bytes = if entries.iter().any(with_bytes) {
        captures::body_bytes(&String::from_utf8_lossy(&text))
    } else {
        text
    };
    let intent = if literal {
        let mut body = BodyIntent::of(contract.body_validity(&bytes), contract.judged_key());
        if let BodyIntent::Batch { items, .. } = &mut body {
            for (item, entry) in items.iter_mut().zip(entries) {
                item.mutations.clone_from(&entry.mutations);
            }
        }
        body
    } else {
        BodyIntent::Batch {
            items: entries.iter().map(|e| item_intent(environment, e)).collect(),
            trailing: None,
        }
    };
    (Bytes::from(bytes), intent)
}

/// What stands before the items, its last name escaped.
fn with_escaped_name(before: &str) -> String {
    let name = before.strip_suffix(":[").and_then(|rest| {
        let quoted = rest.strip_suffix('"')?;
        let at = quoted.rfind('"')?;
        Some((&rest[..at], serde_json::from_str::<String>(&rest[at..]).ok()?))
    });
    match name {
        Some((start, name)) => format!("{start}{}:[", escaped(&name)),
        None => before.to_owned(),
    }
}

/// What stands around the items, and between two, with white space wherever it may be.
fn spacious(before: &str, after: &str) -> (String, &'static str, String) {
    let between = " ,\r\n\t\t";
    match (before.strip_prefix('{').and_then(|rest| rest.strip_suffix(":[")), after) {
        (Some(name), "]}") => {
            (format!(" {{\r\n\t{name} :\n [ "), between, "\n ]\t}\r\n ".to_owned())
        }
        _ => (format!(" \r\n{before}\n\t "), between, format!("\n {after}\t\r\n ")),
    }
}

/// A name in quotes with its first letter as an escape (RFC 8259 section 7).
fn escaped(name: &str) -> String {
    let quoted = Value::from(name).to_string();
    match name.chars().next() {
        Some(first) if first.is_ascii_alphanumeric() => {
            format!("\"\\u{:04x}{}", u32::from(first), &quoted[2..])
        }
        _ => quoted,
    }
}

fn item_intent(environment: &Environment, entry: &OutgoingItem) -> ItemIntent {
    let value = entry.value(environment);
    let validity: Validity = environment.contract.item_validity(&value);
    ItemIntent {
        number: key_of(&value, environment.contract.judged_key()),
        value,
        literal: false,
        validity,
        mutations: entry.mutations.clone(),
    }
}

/// The documented request with this body.
#[must_use]
pub fn plain_request(environment: &Environment, body: Bytes) -> Request {
    Request {
        method: environment.contract.operation.method.clone(),
        path: documented_path(&environment.contract),
        headers: documented_headers(&environment.contract),
        credential: Credential::Good,
        body: Some(body),
        framing: Framing::Sized,
        hang_up: None,
        new_connection: false,
        trace: None,
        raw: None,
    }
}

/// Path and query of the documented request.
#[must_use]
pub fn documented_path(contract: &Contract) -> String {
    let query = contract.shape.as_ref().map_or("", |shape| &shape.query);
    format!("{}{query}", contract.operation.path)
}

/// Its headers: the usual ones, and those that the contract names.
#[must_use]
pub fn documented_headers(contract: &Contract) -> Vec<(String, String)> {
    let mut headers = usual_headers();
    for (name, value) in &mut headers {
        match name.as_str() {
            "Content-Type" => contract.request_media().clone_into(value),
            // Errors are JSON, whatever batches are answered with.
            "Accept" if contract.success_media() != value => {
                *value = format!("{}, {value}", contract.success_media());
            }
            _ => {}
        }
    }
    headers.extend(contract.shape.iter().flat_map(|shape| shape.headers.iter().cloned()));
    headers
}

/// What every request says unless a case says otherwise.
#[must_use]
pub fn usual_headers() -> Vec<(String, String)> {
    [
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
    ]
    .map(|(n, v)| (n.to_owned(), v.to_owned()))
    .to_vec()
}

/// The intent of a request with that body.
#[must_use]
pub fn intent(environment: &Environment, request: &Request, body: BodyIntent) -> Intent {
    Intent { situation: situation_of(&environment.contract, request), body }
}
