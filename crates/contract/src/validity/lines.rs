//! The validity of a body whose items are lines: a line that is not JSON is an item that is not valid, and the others are
//! what they are by themselves.

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::body::{encoding_fault, envelope_reason, exempt, not_json, other_encoding};
use super::class::{ExemptClass, InvalidClass};
use super::{BodyValidity, InvalidReason, Validity};
use crate::json::{Document, read_leniently};
use crate::shape::{BlankLines, LastNewline, LineForm, LinePart};
use crate::{Contract, Level};

impl Contract {
    /// What the contract says of a body whose items are lines.
    pub(super) fn in_lines(&self, form: &LineForm, body: &[u8]) -> BodyValidity {
        if let Some(early) = other_encoding(body) {
            return early;
        }
        let mut lines: Vec<&[u8]> = body.split(|b| *b == b'\n').collect();
        let is_ended = lines.last().is_some_and(|last| last.is_empty());
        if is_ended {
            lines.pop();
        }
        let is_blank = |line: &[u8]| line.trim_ascii().is_empty();
        if lines.iter().all(|line| is_blank(line)) {
            // Whether a batch may be empty is not documented where nothing stands around its items.
            return exempt(ExemptClass::BlankLine);
        }
        if lines.iter().any(|line| is_blank(line)) {
            match form.blank {
                None => return exempt(ExemptClass::BlankLine),
                Some(BlankLines::Refused) => {
                    let reason = envelope_reason("", "lines", InvalidClass::BlankLine);
                    return BodyValidity::Invalid(reason);
                }
                Some(BlankLines::Ignored) => lines.retain(|line| !is_blank(line)),
            }
        }
        match form.last.filter(|_| !is_ended) {
            None if !is_ended => return exempt(ExemptClass::NoLastNewline),
            Some(LastNewline::Required) => {
                let reason = envelope_reason("", "lines", InvalidClass::NoLastNewline);
                return BodyValidity::Invalid(reason);
            }
            None | Some(LastNewline::Optional) => {}
        }
        if !lines.len().is_multiple_of(form.parts().len()) {
            return exempt(ExemptClass::OtherEnvelope);
        }
        let items: Result<Vec<_>, BodyValidity> =
            lines.chunks(form.parts().len()).map(|lines| self.line_item(form, lines)).collect();
        match items {
            Ok(items)
                if self.shape.as_ref().is_some_and(|shape| {
                    shape.share_result(items.iter().map(|(item, _)| item))
                }) =>
            {
                exempt(ExemptClass::SharedKey)
            }
            Ok(items) => BodyValidity::Batch { items, trailing: None },
            Err(other) => other,
        }
    }

    /// The item that some lines are.
    fn line_item(
        &self,
        form: &LineForm,
        lines: &[&[u8]],
    ) -> Result<(Value, Validity), BodyValidity> {
        let mut fields = Map::new();
        let mut own: &[u8] = &[];
        for (part, line) in form.parts().iter().zip(lines) {
            let LinePart::Frame(frame) = part else {
                own = line;
                continue;
            };
            // What becomes of a batch with another line in that place is not documented.
            let other = || exempt(ExemptClass::OtherEnvelope);
            let Document { value, repeated } = Document::read(line).map_err(|_| other())?;
            if repeated.is_some() {
                return Err(exempt(ExemptClass::RepeatedMember));
            }
            fields.extend(frame.values_of(&value).ok_or_else(other)?);
        }
        let document = match self.line_document(own) {
            Ok(document) => document,
            Err(validity) => {
                // Another reader takes what ours does not: its result is known by the fields of the line.
                let text = || Value::from(String::from_utf8_lossy(own));
                let known = match read_leniently(own) {
                    Some(Value::Object(map)) => {
                        fields.extend(map);
                        let shape = self.shape.as_ref();
                        let whole = Value::Object(fields);
                        shape.map_or_else(|| Value::Null, |shape| shape.form.read(whole))
                    }
                    _ if fields.is_empty() => text(),
                    _ => Value::Object(fields),
                };
                return Ok((known, validity));
            }
        };
        let twice = |map: &Map<String, Value>| fields.keys().any(|name| map.contains_key(name));
        if document.repeated.is_some() || document.value.as_object().is_some_and(twice) {
            return Err(exempt(ExemptClass::RepeatedMember));
        }
        let shape = self.shape.as_ref();
        let read = |value| shape.map_or_else(|| Value::Null, |shape| shape.form.read(value));
        match document.value {
            Value::Object(map) => {
                fields.extend(map);
                let item = read(Value::Object(fields));
                let validity = self.item_validity(&item);
                Ok((item, validity))
            }
            other => {
                let validity = self.item_validity(&other);
                Ok((if fields.is_empty() { other } else { Value::Object(fields) }, validity))
            }
        }
    }

    /// The document of an item's own line, or what is wrong with it.
    fn line_document(&self, line: &[u8]) -> Result<Document, Validity> {
        let of_body = |fault: BodyValidity| match fault {
            BodyValidity::Invalid(reason) => {
                Validity { invalid: vec![reason], ..Validity::default() }
            }
            BodyValidity::Exempt(exemption) => {
                Validity { exempt: vec![exemption], ..Validity::default() }
            }
            BodyValidity::Batch { .. } => Validity::default(),
        };
        if let Some(fault) = encoding_fault(line) {
            return Err(of_body(fault));
        }
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        let document = Document::take(&mut deserializer)
            .map_err(|error| of_body(self.syntax_fault(line, &error)))?;
        let rest = &line[deserializer.into_iter::<IgnoredAny>().byte_offset()..];
        if rest.iter().all(u8::is_ascii_whitespace) {
            return Ok(document);
        }
        let reason = InvalidReason { level: Level::Should, ..not_json(InvalidClass::TrailingText) };
        Err(of_body(BodyValidity::Invalid(reason)))
    }
}
