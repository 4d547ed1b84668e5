//! The validity of a whole body, from its bytes (INTERPRETATION-02, INTERPRETATION-15).

use serde::de::IgnoredAny;
use serde_json::Value;

use super::class::{ExemptClass, InvalidClass, ValueKind};
use super::lenient;
use super::syntax::{SyntaxFault, first_fault};
use super::{Exemption, InvalidReason, Validity};
use crate::batch::CodeCause;
use crate::json::Document;
use crate::shape::{MapKey, NoItems, Shape, name};
use crate::{Contract, Level};

/// What the contract says of a body.
#[derive(Debug, Clone, PartialEq)]
pub enum BodyValidity {
    /// Answered 400; another answer is a finding of the reason's level.
    Invalid(InvalidReason),
    /// Any answer but a 5xx, a dropped connection or a hang.
    Exempt(Exemption),
    /// A batch.
    Batch {
        /// The items as they were read, each with its validity, in order.
        items: Vec<(Value, Validity)>,
        /// Set where text follows the document, which should be answered 400.
        trailing: Option<InvalidReason>,
    },
}

impl Contract {
    /// What the contract says of `body`, when it is sent as the documented media type.
    #[must_use]
    pub fn body_validity(&self, body: &[u8]) -> BodyValidity {
        if let Some(lines) = self.shape.as_ref().and_then(|shape| shape.form.lines()) {
            return self.in_lines(lines, body);
        }
        if let Some(early) = encoding_fault(body) {
            return early;
        }
        let begins = |with: u8| body.trim_ascii_start().first() == Some(&with);
        let is_list = self.shape.as_ref().is_some_and(|shape| shape.items.steps().is_empty());
        if !(begins(b'{') || is_list && begins(b'[')) {
            return self.no_object(body);
        }
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let Document { value, repeated } = match Document::take(&mut deserializer) {
            Ok(document) => document,
            Err(error) => return self.syntax_fault(body, &error),
        };
        let rest = &body[deserializer.into_iter::<IgnoredAny>().byte_offset()..];
        let trailing = rest.iter().any(|b| !b.is_ascii_whitespace()).then(|| InvalidReason {
            level: Level::Should,
            ..not_json(InvalidClass::TrailingText)
        });
        if let Some(shape) = &self.shape {
            return self.shaped(shape, &value, repeated.is_some(), trailing);
        }
        let Value::Object(mut envelope) = value else { return self.no_object(body) };
        let pointer = format!("/{}", self.batch.items);
        let missing = || envelope_reason(&pointer, "required", InvalidClass::Missing);
        match envelope.get(&self.batch.items) {
            None if envelope.keys().any(|k| k.eq_ignore_ascii_case(&self.batch.items)) => {
                return BodyValidity::Invalid(InvalidReason {
                    class: InvalidClass::OtherLetterCase,
                    level: Level::Should,
                    ..missing()
                });
            }
            None => return BodyValidity::Invalid(missing()),
            Some(Value::Array(_)) => {}
            Some(other) => {
                let class = InvalidClass::WrongType(ValueKind::of(other));
                return BodyValidity::Invalid(envelope_reason(&pointer, "type", class));
            }
        }
        if repeated.is_some() {
            return exempt(ExemptClass::RepeatedMember);
        }
        let Some(Value::Array(list)) = envelope.shift_remove(&self.batch.items) else {
            return BodyValidity::Invalid(missing());
        };
        let items = list
            .into_iter()
            .map(|item| {
                let validity = self.item_validity(&item);
                (item, validity)
            })
            .collect();
        BodyValidity::Batch { items, trailing }
    }

    /// What the contract says of a body whose items stand elsewhere.
    fn shaped(
        &self,
        shape: &Shape,
        body: &Value,
        has_repeated: bool,
        trailing: Option<InvalidReason>,
    ) -> BodyValidity {
        let pointer = shape.items.to_string();
        let last = shape.items.steps().last();
        let list = match shape.form.map_key() {
            None => shape.items(body).map(|list| list.iter().map(|item| (None, item)).collect()),
            Some(_) => shape
                .keyed_items(body)
                .map(|map| map.iter().map(|(key, item)| (Some(key), item)).collect::<Vec<_>>()),
        };
        let list = match list {
            Ok(list) => list,
            Err(NoItems::Missing(around)) => {
                let reason = envelope_reason(&pointer, "required", InvalidClass::Missing);
                let has_other_case = last.zip(around).is_some_and(|(name, around)| {
                    around.keys().any(|key| key.eq_ignore_ascii_case(name))
                });
                return BodyValidity::Invalid(if has_other_case {
                    InvalidReason {
                        class: InvalidClass::OtherLetterCase,
                        level: Level::Should,
                        ..reason
                    }
                } else {
                    reason
                });
            }
            Err(NoItems::Other(other, at)) => {
                let class = InvalidClass::WrongType(ValueKind::of(other));
                return BodyValidity::Invalid(envelope_reason(&at, "type", class));
            }
        };
        if has_repeated {
            return exempt(ExemptClass::RepeatedMember);
        }
        if !shape.has_constants(body) {
            return exempt(ExemptClass::OtherEnvelope);
        }
        let mut items = Vec::with_capacity(list.len());
        for (key, item) in list {
            let mut item = item.clone();
            if let (Some(MapKey::Field(name)), Some(key), Value::Object(map)) =
                (shape.form.map_key(), key, &mut item)
                && map.shift_insert(0, name.clone(), Value::from(key.as_str())).is_some()
            {
                // The field stands in the item all the same.
                return exempt(ExemptClass::RepeatedMember);
            }
            let mut item = shape.form.read(item);
            let validity = self.item_validity(&item);
            if let (Some(MapKey::Mark), Some(key), Value::Object(map)) =
                (shape.form.map_key(), key, &mut item)
            {
                map.insert(name::KEY.to_owned(), Value::from(key.as_str()));
            }
            items.push((item, validity));
        }
        if shape.share_result(items.iter().map(|(item, _)| item)) {
            return exempt(ExemptClass::SharedKey);
        }
        BodyValidity::Batch { items, trailing }
    }

    /// What the contract says of a body that does not begin as an object does.
    fn no_object(&self, body: &[u8]) -> BodyValidity {
        let mut stream = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
        match stream.next() {
            Some(Ok(document)) => {
                let class = InvalidClass::WrongType(ValueKind::of(&document));
                BodyValidity::Invalid(envelope_reason("", "type", class))
            }
            Some(Err(error)) => self.syntax_fault(body, &error),
            None => BodyValidity::Invalid(not_json(InvalidClass::EmptyBody)),
        }
    }
}

pub(super) fn exempt(class: ExemptClass) -> BodyValidity {
    BodyValidity::Exempt(Exemption { pointer: String::new(), class })
}

pub(super) fn not_json(class: InvalidClass) -> InvalidReason {
    InvalidReason {
        pointer: String::new(),
        keyword: "json".to_owned(),
        class,
        level: Level::Must,
        code: CodeCause::Invalid,
    }
}

pub(super) fn envelope_reason(pointer: &str, keyword: &str, class: InvalidClass) -> InvalidReason {
    let is_missing = match class {
        InvalidClass::Missing => true,
        InvalidClass::WrongType(ValueKind::Null) => !pointer.is_empty(),
        _ => false,
    };
    InvalidReason {
        pointer: pointer.to_owned(),
        keyword: keyword.to_owned(),
        class,
        level: Level::Must,
        code: if is_missing { CodeCause::Missing } else { CodeCause::Invalid },
    }
}

/// A body that is not UTF-8, from its first bytes on.
pub(super) fn other_encoding(body: &[u8]) -> Option<BodyValidity> {
    if body.starts_with(&[0xef, 0xbb, 0xbf]) {
        return Some(exempt(ExemptClass::ByteOrderMark));
    }
    if body.starts_with(&[0xff, 0xfe]) || body.starts_with(&[0xfe, 0xff]) || body.contains(&0) {
        return Some(exempt(ExemptClass::Utf16));
    }
    None
}

pub(super) fn encoding_fault(body: &[u8]) -> Option<BodyValidity> {
    if let Some(other) = other_encoding(body) {
        return Some(other);
    }
    let error = std::str::from_utf8(body).err()?;
    let bad = &body[error.valid_up_to()..];
    let lenient = match bad {
        [0xc0 | 0xc1, ..] => true,
        [0xe0, second, ..] => (0x80..0xa0).contains(second),
        [0xf0, second, ..] => (0x80..0x90).contains(second),
        [0xed, second, ..] => (0xa0..=0xbf).contains(second),
        _ => false,
    };
    Some(if lenient {
        exempt(ExemptClass::LenientUtf8)
    } else {
        // Parsers that replace such bytes, or skip members that they do not know, are lenient.
        BodyValidity::Invalid(InvalidReason {
            level: Level::Should,
            ..not_json(InvalidClass::BrokenUtf8)
        })
    })
}

impl Contract {
    pub(super) fn syntax_fault(&self, body: &[u8], error: &serde_json::Error) -> BodyValidity {
        match first_fault(body, error) {
            SyntaxFault::HugeNumber => exempt(ExemptClass::HugeNumber),
            SyntaxFault::DeepNesting => exempt(ExemptClass::DeepNesting),
            SyntaxFault::LoneSurrogate => exempt(ExemptClass::LoneSurrogate),
            SyntaxFault::Truncated => BodyValidity::Invalid(not_json(InvalidClass::Truncated)),
            SyntaxFault::NotJson => BodyValidity::Invalid(self.lenient_or_not(body)),
        }
    }

    /// Leniency in what the schema does not name changes nothing that is stored: SHOULD.
    fn lenient_or_not(&self, body: &[u8]) -> InvalidReason {
        let is_named = |name: &str| self.field(name).is_some();
        let text = std::str::from_utf8(body).unwrap_or_default();
        match lenient::read(text, &is_named) {
            Some(found) if !found.in_named_member => {
                InvalidReason { level: Level::Should, ..not_json(InvalidClass::LenientSyntax) }
            }
            _ => not_json(InvalidClass::NotJson),
        }
    }
}
