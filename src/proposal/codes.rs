//! Error codes that a document shows: in its examples, in an `enum`, in its texts.
//!
//! It must not know how a batch contract is written.

use serde_json::Value;

use super::survey::{json_schema, lists_of};
use super::view;
use super::words::speaks;
use crate::contract::{SchemaDocument, code_text};

/// A code that the document shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentedCode {
    /// The code, as text.
    pub code: String,
    /// What the document says beside it; empty where it says nothing.
    pub means: String,
    /// `missing`, `used` or `invalid`, where the words say so.
    pub cause: Option<&'static str>,
}

/// Values of examples that are looked through.
const VALUES: usize = 20_000;
/// Codes at most: a longer list is a catalogue of the whole API.
const MOST: usize = 60;

/// All examples of an operation's answers.
pub fn examples(document: &SchemaDocument, operation: &Value) -> Vec<Value> {
    let responses = operation.get("responses").map(|r| document.resolve(r));
    let all = responses.and_then(Value::as_object).into_iter().flatten();
    all.flat_map(|(_, response)| examples_in(document, document.resolve(response))).collect()
}

/// The examples of a request or of one answer.
pub fn examples_in(document: &SchemaDocument, holder: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let content = holder.get("content").and_then(Value::as_object);
    for media in content.into_iter().flatten().map(|(_, media)| document.resolve(media)) {
        found.extend(media.get("example").cloned());
        let named = media.get("examples").and_then(Value::as_object).into_iter().flatten();
        found.extend(named.filter_map(|(_, e)| document.resolve(e).get("value").cloned()));
        let schema = media.get("schema").map(|schema| document.resolve(schema));
        found.extend(schema.and_then(|s| s.get("example")).cloned());
        let list = schema.and_then(|s| s.get("examples")).and_then(Value::as_array);
        found.extend(list.into_iter().flatten().cloned());
    }
    // Some documents write an example as text.
    for example in &mut found {
        if let Value::String(text) = example
            && let Ok(read) = serde_json::from_str(text)
        {
            *example = read;
        }
    }
    found
}

/// The texts that examples have in a member of that name.
pub fn texts_of(examples: &[Value], name: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    objects(examples, &mut |object| {
        if let Some(text) = object.get(name).and_then(Value::as_str)
            && !texts.iter().any(|known| known == text)
        {
            texts.push(text.to_owned());
        }
    });
    texts
}

/// Calls `each` with every object inside the values.
fn objects(values: &[Value], each: &mut dyn FnMut(&serde_json::Map<String, Value>)) {
    let mut open: Vec<&Value> = values.iter().rev().collect();
    let mut left = VALUES;
    while let Some(value) = open.pop() {
        left = match left.checked_sub(1) {
            Some(left) => left,
            None => return,
        };
        match value {
            Value::Object(map) => {
                each(map);
                open.extend(map.values().collect::<Vec<_>>().into_iter().rev());
            }
            Value::Array(list) => open.extend(list.iter().rev()),
            _ => {}
        }
    }
}

/// The codes of an operation: what its examples show beside `code`, what the schema of the code lists, and lines of its texts
/// that look like `CODE: meaning`.
pub fn find(
    document: &SchemaDocument,
    operation: &Value,
    code: Option<&str>,
    description: Option<&str>,
) -> Vec<DocumentedCode> {
    let last = |pointer: &str| pointer.rsplit('/').next().unwrap_or_default().to_owned();
    let (code, description) = (code.map(last), description.map(last));
    let mut found: Vec<DocumentedCode> = Vec::new();
    if let Some(code) = &code {
        objects(&examples(document, operation), &mut |object| {
            let Some(text) = object.get(code).and_then(code_text) else { return };
            let means = description.as_ref().and_then(|d| object.get(d)).and_then(Value::as_str);
            add(&mut found, &text, means.unwrap_or_default());
        });
        for listed in listed_codes(document, operation, code) {
            add(&mut found, listed, "");
        }
    }
    for text in texts(document, operation) {
        for (code, means) in text.lines().filter_map(code_line) {
            add(&mut found, code, means);
        }
    }
    found.truncate(MOST);
    found
}

fn add(found: &mut Vec<DocumentedCode>, code: &str, means: &str) {
    let means = means.split_whitespace().collect::<Vec<_>>().join(" ");
    if code.trim().is_empty() {
        return;
    }
    match found.iter_mut().find(|known| known.code == code) {
        Some(known) if known.means.is_empty() => {
            known.cause = known.cause.or(cause(&means));
            known.means = means;
        }
        Some(_) => {}
        None => found.push(DocumentedCode {
            code: code.to_owned(),
            cause: cause(&means).or(cause(code)),
            means,
        }),
    }
}

/// What provokes a code, as far as words say it.
fn cause(text: &str) -> Option<&'static str> {
    if speaks(
        text,
        &["already", "duplicate", "was used", "in use", "not unique", "conflict", "exists"],
    ) && !speaks(text, &["not exist", "doesn't exist", "no longer exists"])
    {
        return Some("used");
    }
    if speaks(
        text,
        &["mandatory", "missing", "required", "incomplete", "must not be null", "must be present"],
    ) {
        return Some("missing");
    }
    let invalid = [
        "invalid",
        "not exist",
        "unknown",
        "not found",
        "wrong",
        "malformed",
        "too long",
        "format",
        "not allowed",
        "unsupported",
        "range",
    ];
    speaks(text, &invalid).then_some("invalid")
}

/// What the schema of a result lists as its codes.
fn listed_codes<'a>(
    document: &'a SchemaDocument,
    operation: &'a Value,
    code: &str,
) -> Vec<&'a str> {
    let responses = operation.get("responses").map(|r| document.resolve(r));
    let mut codes = Vec::new();
    for (_, response) in responses.and_then(Value::as_object).into_iter().flatten() {
        let Some(schema) = json_schema(document, document.resolve(response)) else { continue };
        let lists = lists_of(document, schema);
        for holder in std::iter::once(schema).chain(lists.iter().map(|(_, result)| *result)) {
            for property in view::properties(document, holder).iter().filter(|p| p.name == code) {
                codes.extend(view::listed(document, property.schema));
            }
        }
    }
    codes
}

/// The texts of an operation.
fn texts<'a>(document: &'a SchemaDocument, operation: &'a Value) -> Vec<&'a str> {
    let responses = operation.get("responses").map(|r| document.resolve(r));
    let of_responses = responses.and_then(Value::as_object).into_iter().flatten();
    let of_responses =
        of_responses.map(|(_, response)| view::description(document.resolve(response)));
    let body = operation.get("requestBody").map(|b| view::description(document.resolve(b)));
    std::iter::once(view::description(operation)).chain(body).chain(of_responses).collect()
}

/// A code and what it means, of a line such as `- O001: a mandatory field is missing` or `| O001 | … |`.
fn code_line(line: &str) -> Option<(&str, &str)> {
    let line = line
        .trim()
        .trim_start_matches(['-', '*', '|', '•', ' '])
        .trim_start_matches(['`', '*', '"']);
    let end =
        line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.'))?;
    let (code, rest) = line.split_at(end);
    let letters = code.chars().filter(char::is_ascii_uppercase).count();
    let looks = letters > 0
        && code.len() >= 3
        && !code.chars().any(|c| c.is_ascii_lowercase())
        && (code.chars().any(|c| c.is_ascii_digit() || c == '_'));
    let rest = rest.trim_start_matches(['`', '*', '"', ' ']);
    let separator = [":", "|", "-", "–", "—", "="].into_iter().find(|s| rest.starts_with(s))?;
    let means = rest[separator.len()..].trim().trim_end_matches('|').trim();
    let means = means.split('|').next().unwrap_or_default().trim().trim_end_matches(['.', ';']);
    (looks && means.chars().any(char::is_alphabetic)).then_some((code, means))
}

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_read_from_lists_and_tables_and_nothing_else() {
        for (line, expected) in [
            (
                "- O001: a mandatory field is missing",
                Some(("O001", "a mandatory field is missing")),
            ),
            ("| `E_DUP` | key used before | x |", Some(("E_DUP", "key used before"))),
            ("* B017 – unknown branch.", Some(("B017", "unknown branch"))),
            ("JSON: a format", None),
            ("The code O001: is text", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(super::code_line(line), expected, "{line}");
        }
    }
}
