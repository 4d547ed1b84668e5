//! Items as lines (NDJSON): how an item is written as one line or several, and how it is read back from them.
//!
//! It must not know what an item means.

use std::ops::Range;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::file::{BlankLines, ItemsPlace, LastNewline};
use super::pointer::Pointer;
use crate::member_texts;

/// The word for the item's own line.
const ITEM: &str = "item";

/// How items are lines.
#[derive(Debug, Clone, PartialEq)]
pub struct LineForm {
    parts: Vec<LinePart>,
    /// What becomes of a body with blank lines, where the contract says it.
    pub blank: Option<BlankLines>,
    /// Whether the last line must end with a newline, where the contract says it.
    pub last: Option<LastNewline>,
}

/// A line of an item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LinePart {
    /// The item itself, without the fields that stand in other lines.
    Own,
    /// A line before or behind it.
    Frame(FrameLine),
}

/// A line that is the same for each item, but for some of its fields.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FrameLine {
    /// The line without those fields.
    constant: Value,
    /// Where each field stands.
    fields: Vec<(Pointer, String)>,
}

impl LineForm {
    /// Reads what a contract says of lines.
    ///
    /// # Errors
    /// What is wrong with them, and the text that it is about.
    pub(super) fn read(place: &ItemsPlace, lines: &[Value]) -> Result<LineForm, (String, String)> {
        let mut parts = Vec::new();
        for line in lines {
            match line {
                Value::String(word) if word == ITEM => parts.push(LinePart::Own),
                Value::Object(_) => parts.push(LinePart::Frame(FrameLine::read(line)?)),
                other => {
                    let word = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
                    let found = format!("`{word}` is neither the word `item` nor an object");
                    return Err((found, word));
                }
            }
        }
        if parts.iter().filter(|part| **part == LinePart::Own).count() != 1 {
            let found = "the lines of an item are not its own line once, and others around it";
            return Err((found.to_owned(), "lines".to_owned()));
        }
        Ok(LineForm { parts, blank: place.blank_lines, last: place.last_newline })
    }

    /// The fields that stand in other lines than the item's own.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.frames().flat_map(|frame| frame.fields.iter().map(|(_, name)| name.as_str()))
    }

    fn frames(&self) -> impl Iterator<Item = &FrameLine> {
        self.parts.iter().filter_map(|part| match part {
            LinePart::Own => None,
            LinePart::Frame(frame) => Some(frame),
        })
    }

    /// The lines of an item.
    pub(crate) fn parts(&self) -> &[LinePart] {
        &self.parts
    }

    /// The lines of an item with this text, without the last newline.
    pub(super) fn write(&self, text: &str) -> String {
        let mut own = text.to_owned();
        let mut found: Vec<(&str, String)> = Vec::new();
        for name in self.fields() {
            if let Some((rest, value)) = without_member(&own, name) {
                own = rest;
                found.push((name, value));
            }
        }
        let lines = self.parts.iter().map(|part| match part {
            LinePart::Own => one_line(&own),
            LinePart::Frame(frame) => frame.write(&found),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The text of an item from its lines; nothing where those around its own say something else.
    fn joined(&self, lines: &[&str]) -> Option<String> {
        let mut members = Vec::new();
        let mut own = "";
        for (part, line) in self.parts.iter().zip(lines) {
            match part {
                LinePart::Own => own = line,
                LinePart::Frame(frame) => {
                    let line: Value = serde_json::from_str(line).ok()?;
                    let fields = frame.fields_of(&line)?;
                    members.extend(fields.into_iter().map(|(name, value)| member(&name, &value)));
                }
            }
        }
        if members.is_empty() {
            return Some(own.to_owned());
        }
        let Some(rest) = member_texts(own) else { return Some(own.to_owned()) };
        members.extend(rest.iter().map(|(name, value)| member(name, value.get())));
        Some(format!("{{{}}}", members.join(",")))
    }

    /// The items of a body, as texts; nothing where it is not made of whole items alone.
    #[must_use]
    pub fn items(&self, body: &str) -> Option<Vec<String>> {
        let lines: Vec<&str> = body.strip_suffix('\n')?.split('\n').collect();
        let whole = lines.len().is_multiple_of(self.parts.len())
            && lines.iter().all(|line| !line.trim().is_empty());
        if !whole {
            return None;
        }
        lines.chunks(self.parts.len()).map(|lines| self.joined(lines)).collect()
    }
}

impl FrameLine {
    fn read(line: &Value) -> Result<FrameLine, (String, String)> {
        let mut frame = FrameLine { constant: line.clone(), fields: Vec::new() };
        let mut texts = Vec::new();
        templates(line, &Pointer::default(), &mut texts);
        for (at, text) in texts {
            let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            let field = name.map(Pointer::parse);
            let Some(name) = field.as_ref().and_then(Pointer::name) else {
                let found = format!("`{text}` does not name a field of the item");
                return Err((found, text));
            };
            if at.take(&mut frame.constant).is_none() {
                return Err((format!("`{text}` is not the value of a member"), text));
            }
            frame.fields.push((at, name.to_owned()));
        }
        Ok(frame)
    }

    fn write(&self, found: &[(&str, String)]) -> String {
        let mut line = self.constant.clone();
        let mut marks = Vec::new();
        for (nth, (at, name)) in self.fields.iter().enumerate() {
            if let Some((_, text)) = found.iter().find(|(known, _)| known == name) {
                let mark = Value::from(format!("(field {nth})"));
                marks.push((mark.to_string(), one_line(text)));
                at.set(&mut line, mark);
            }
        }
        let fill = |line: String, (mark, text): (String, String)| line.replacen(&mark, &text, 1);
        marks.into_iter().fold(line.to_string(), fill)
    }

    /// The fields that stand in a line, each with its text; nothing where the line says something else.
    pub(crate) fn fields_of(&self, line: &Value) -> Option<Vec<(String, String)>> {
        let mut rest = line.clone();
        let mut fields = Vec::new();
        for (at, name) in &self.fields {
            if let Some(value) = at.take(&mut rest) {
                fields.push((name.clone(), value.to_string()));
            }
        }
        (rest == self.constant).then_some(fields)
    }

    /// The same as values.
    pub(crate) fn values_of(&self, line: &Value) -> Option<Map<String, Value>> {
        let values = self.fields_of(line)?.into_iter();
        Some(
            values
                .map(|(name, text)| (name, serde_json::from_str(&text).unwrap_or_default()))
                .collect(),
        )
    }
}

/// The texts with `${` in a value, and where each stands.
fn templates(value: &Value, at: &Pointer, into: &mut Vec<(Pointer, String)>) {
    match value {
        Value::String(text) if text.contains("${") => into.push((at.clone(), text.clone())),
        Value::Object(map) => {
            map.iter().for_each(|(name, inner)| templates(inner, &at.with(name), into));
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(nth, inner)| templates(inner, &at.with(&nth.to_string()), into)),
        _ => {}
    }
}

fn member(name: &str, text: &str) -> String {
    format!("{}:{text}", Value::from(name))
}

/// A text without line ends: a tab is white space between JSON tokens, too, and stands in no string either.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], "\t")
}

/// The text of an object without the first member of a name, and the text of that.
pub(super) fn without_member(text: &str, name: &str) -> Option<(String, String)> {
    if let Some(members) = member_texts(text) {
        let at = members.iter().position(|(known, _)| known == name)?;
        let rest = members.iter().enumerate().filter(|(nth, _)| *nth != at);
        let rest: Vec<String> = rest.map(|(_, (name, value))| member(name, value.get())).collect();
        return Some((format!("{{{}}}", rest.join(",")), members[at].1.get().to_owned()));
    }
    // The text is not JSON: what is wrong with it may stand anywhere else.
    let start = text.find(&format!("{}:", Value::from(name)))?;
    let value_at = start + Value::from(name).to_string().len() + 1;
    let value = serde_json::Deserializer::from_str(&text[value_at..])
        .into_iter::<&RawValue>()
        .next()?
        .ok()?;
    let mut cut: Range<usize> = start..value_at + value.get().len();
    if text[cut.end..].starts_with(',') {
        cut.end += 1;
    } else if text[..cut.start].ends_with(',') {
        cut.start -= 1;
    }
    Some((format!("{}{}", &text[..cut.start], &text[cut.end..]), value.get().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_stands_in_the_line_that_names_it_and_is_read_back() {
        let lines = [json!({ "create": { "_id": "${/key}", "_index": "parcels" } }), json!("item")];
        let form = LineForm::read(&ItemsPlace::default(), &lines).unwrap();
        let text = "{\"weight\":1.50,\"key\":\"a\\u0041\",\"note\":\"x\"}";
        let sent = form.write(text);
        assert_eq!(
            sent,
            "{\"create\":{\"_index\":\"parcels\",\"_id\":\"a\\u0041\"}}\n{\"weight\":1.50,\"note\":\"x\"}"
        );
        let back = form.items(&format!("{sent}\n{sent}\n")).unwrap();
        assert_eq!(back.len(), 2);
        assert_eq!(
            serde_json::from_str::<Value>(&back[1]).unwrap(),
            serde_json::from_str::<Value>(text).unwrap()
        );
        let broken = form.write("{\"key\":\"k\",\"weight\":NaN}");
        assert_eq!(broken, "{\"create\":{\"_index\":\"parcels\",\"_id\":\"k\"}}\n{\"weight\":NaN}");
        assert_eq!(form.write("7"), "{\"create\":{\"_index\":\"parcels\"}}\n7");
        assert_eq!(form.write("{\"a\":\n1}").lines().count(), 2);
        for odd in ["", "\n", "{}\n", "{\"create\":{}}\n{}\n", "{\"index\":{}}\n{}\n"] {
            assert!(form.items(odd).is_none(), "{odd:?}");
        }
    }

    #[test]
    fn what_is_no_line_is_named() {
        for lines in [
            json!(["itme"]),
            json!([]),
            json!([{ "create": {} }]),
            json!(["item", "item"]),
            json!([{ "create": { "_id": "${fresh}x" } }, "item"]),
        ] {
            let lines = lines.as_array().unwrap();
            assert!(LineForm::read(&ItemsPlace::default(), lines).is_err(), "{lines:?}");
        }
    }
}
