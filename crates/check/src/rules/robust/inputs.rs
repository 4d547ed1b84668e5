//! What is unusual about the input of a request, in words: findings of different inputs are different problems.
//!
//! It knows classes of input, no answers.

use serde_json::Value;

use crate::contract::validity::{ExemptClass, Exemption, InvalidClass, InvalidReason, ValueKind};
use crate::exchange::{BodyIntent, ItemIntent};
use crate::exchange_view::ExchangeView;

/// What is unusual about the body of a request, the most telling first.
pub(super) fn inputs(view: &ExchangeView<'_>) -> Vec<String> {
    let mut list: Vec<&'static str> = Vec::new();
    let mut add = |words: &'static str| {
        if !list.contains(&words) {
            list.push(words);
        }
    };
    match &view.exchange.intent.body {
        BodyIntent::None => {}
        BodyIntent::Open(exemption) => add(exempt_words(exemption, None)),
        BodyIntent::Broken(reason) => add(broken_body(reason)),
        BodyIntent::Batch { items, trailing } => {
            if trailing.is_some() {
                add("text after the document");
            }
            let all = |pick: fn(&ItemIntent) -> &[Exemption]| {
                items
                    .iter()
                    .flat_map(move |i| pick(i).iter().map(move |e| exempt_words(e, Some(&i.value))))
            };
            all(|i| i.validity.exempt.as_slice()).for_each(&mut add);
            all(|i| i.validity.unusual.as_slice()).for_each(&mut add);
            items.iter().flat_map(|i| &i.validity.invalid).map(invalid_item).for_each(&mut add);
            if items.is_empty() {
                add("an empty batch");
            } else if view.may_be_refused_for_size() {
                add("a large batch");
            }
        }
    }
    list.into_iter().map(str::to_owned).collect()
}

/// What is unusual about an item or a body that is not judged, or only with a lower level.
#[must_use]
pub fn exempt_words(exemption: &Exemption, item: Option<&Value>) -> &'static str {
    match exemption.class {
        ExemptClass::DemandedByProfile => "an item without a field that the profile demands",
        ExemptClass::OwnReason => "a value that the target may not know",
        ExemptClass::OptionalNull => "null in an optional field",
        ExemptClass::BlankOfAnotherType => "blank text in a field of another type",
        ExemptClass::BlankString => "blank text",
        ExemptClass::NulCharacter => "U+0000 in a text",
        ExemptClass::LongString => "a long text",
        ExemptClass::UnusualString => {
            let text = item.and_then(|i| i.pointer(&exemption.pointer)).and_then(Value::as_str);
            unusual_text(text.unwrap_or_default())
        }
        ExemptClass::BlockedName => "a name that parsers block",
        ExemptClass::NameInOtherCase => "a name in another letter case",
        ExemptClass::DateTime(_) => "an unusual date-time",
        ExemptClass::LargeNumber => "a large number",
        ExemptClass::ManyFractionalDigits => "many fractional digits",
        ExemptClass::ByteOrderMark => "a byte-order mark",
        ExemptClass::Utf16 => "UTF-16",
        ExemptClass::OtherEnvelope => "other members around the items",
        ExemptClass::SharedKey => "two items with one key in a map",
        ExemptClass::BlankLine => "a blank line",
        ExemptClass::NoLastNewline => "a last line without a newline",
        ExemptClass::LenientUtf8 => "overlong UTF-8, or UTF-8 that encodes a surrogate",
        ExemptClass::RepeatedMember => "a member that is there twice",
        ExemptClass::HugeNumber => "a number beyond every range",
        ExemptClass::DeepNesting => "deep nesting",
        ExemptClass::LoneSurrogate => "a lone surrogate",
    }
}

fn unusual_text(text: &str) -> &'static str {
    if text.chars().any(|c| u32::from(c) > 0xffff) {
        "a character outside the basic plane"
    } else if text.chars().any(char::is_control) {
        "a control character"
    } else if !text.is_ascii() {
        "an unusual character"
    } else {
        "an unusual text"
    }
}

fn broken_body(reason: &InvalidReason) -> &'static str {
    match reason.class {
        InvalidClass::EmptyBody => "an empty body",
        InvalidClass::TrailingText => "text after the document",
        InvalidClass::BrokenUtf8 => "bytes that are not UTF-8",
        InvalidClass::Truncated => "JSON that breaks off",
        InvalidClass::LenientSyntax => "JSON that only lenient parsers read",
        InvalidClass::NotJson => "a body that is not JSON",
        _ => "a broken envelope",
    }
}

fn invalid_item(reason: &InvalidReason) -> &'static str {
    match reason.class {
        InvalidClass::WrongType(_) if reason.pointer.is_empty() => "an item that is not an object",
        InvalidClass::WrongType(ValueKind::Null) => "null in a mandatory field",
        InvalidClass::Missing => "an item without a mandatory field",
        InvalidClass::WrongType(_) | InvalidClass::KeepsMeaning(_) => "a value of another type",
        InvalidClass::LongerThanResult | InvalidClass::TooLong => "a value that is too long",
        InvalidClass::DateTime(_) => "a text that is not a date-time",
        InvalidClass::OtherLetterCase => "a name in another letter case",
        _ => "an invalid value",
    }
}
