//! The classes of invalid and of not judged values. Their texts are part of finding ids.
//!
//! Knows no values and no schemas.

use std::fmt;

use serde_json::Value;

use crate::datetime::DateTimeClass;

/// The JSON type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValueKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl ValueKind {
    /// The type of `value`.
    #[must_use]
    pub fn of(value: &Value) -> ValueKind {
        match value {
            Value::Null => ValueKind::Null,
            Value::Bool(_) => ValueKind::Boolean,
            Value::Number(_) => ValueKind::Number,
            Value::String(_) => ValueKind::String,
            Value::Array(_) => ValueKind::Array,
            Value::Object(_) => ValueKind::Object,
        }
    }

    /// Its name in JSON Schema.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ValueKind::Null => "null",
            ValueKind::Boolean => "boolean",
            ValueKind::Number => "number",
            ValueKind::String => "string",
            ValueKind::Array => "array",
            ValueKind::Object => "object",
        }
    }
}

/// What is wrong with an item or a body that must be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InvalidClass {
    /// A mandatory field, or the array of items, is missing.
    Missing,
    /// It is missing, but a member has its name in another letter case.
    OtherLetterCase,
    /// The value has this type, which the schema refuses.
    WrongType(ValueKind),
    /// A scalar of this type, which says the same in the right type (INTERPRETATION-14).
    KeepsMeaning(ValueKind),
    /// Text where a date-time is expected (INTERPRETATION-19).
    DateTime(DateTimeClass),
    /// A key that its result could not carry (INTERPRETATION-17).
    LongerThanResult,
    /// More than `maxLength`, `maxItems` or `maxProperties`.
    TooLong,
    /// Less than `minLength`, `minItems` or `minProperties`.
    TooShort,
    /// Above `maximum` or `exclusiveMaximum`.
    TooLarge,
    /// Below `minimum` or `exclusiveMinimum`.
    TooSmall,
    /// Not one of `enum`, or not `const`.
    NotListed,
    /// Another keyword is broken.
    Unfit,
    /// The body is empty.
    EmptyBody,
    /// Text follows the JSON document.
    TrailingText,
    /// Bytes that are not UTF-8 (INTERPRETATION-15).
    BrokenUtf8,
    /// The JSON document ends too early.
    Truncated,
    /// Not JSON, but what common lenient parsers read as JSON (INTERPRETATION-02).
    LenientSyntax,
    /// Not JSON for any other reason.
    NotJson,
    /// A blank line among lines that are items.
    BlankLine,
    /// The last of lines that are items has no newline.
    NoLastNewline,
}

impl InvalidClass {
    /// Whether the body is not one JSON document, so that there are no items at all.
    #[must_use]
    pub fn is_about_syntax(self) -> bool {
        matches!(
            self,
            InvalidClass::EmptyBody
                | InvalidClass::TrailingText
                | InvalidClass::BrokenUtf8
                | InvalidClass::Truncated
                | InvalidClass::LenientSyntax
                | InvalidClass::NotJson
        )
    }
}

impl fmt::Display for InvalidClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidClass::Missing => "missing",
            InvalidClass::OtherLetterCase => "another letter case",
            InvalidClass::WrongType(kind) => kind.name(),
            InvalidClass::KeepsMeaning(kind) => {
                return write!(f, "{} that keeps its meaning", kind.name());
            }
            InvalidClass::DateTime(class) => return class.fmt(f),
            InvalidClass::LongerThanResult => "longer than its result can carry",
            InvalidClass::TooLong => "too long",
            InvalidClass::TooShort => "too short",
            InvalidClass::TooLarge => "too large",
            InvalidClass::TooSmall => "too small",
            InvalidClass::NotListed => "another value",
            InvalidClass::Unfit => "does not fit",
            InvalidClass::EmptyBody => "an empty body",
            InvalidClass::TrailingText => "text after the document",
            InvalidClass::BrokenUtf8 => "broken UTF-8",
            InvalidClass::Truncated => "truncated",
            InvalidClass::LenientSyntax => "lenient JSON",
            InvalidClass::NotJson => "no JSON",
            InvalidClass::BlankLine => "a blank line",
            InvalidClass::NoLastNewline => "no newline at the end",
        })
    }
}

/// Why a value is not judged, or why refusing it is only a SHOULD finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ExemptClass {
    /// The profile demands a field that the schema does not (INTERPRETATION-01).
    DemandedByProfile,
    /// In traffic that nobody made for the target: it may know no such account, or have another reason of its own.
    OwnReason,
    /// `null` in an optional field (INTERPRETATION-14).
    OptionalNull,
    /// Blank text in an optional field of another type (INTERPRETATION-14).
    BlankOfAnotherType,
    /// Blank text in a string (INTERPRETATION-15).
    BlankString,
    /// U+0000 in a string (INTERPRETATION-15).
    NulCharacter,
    /// A longer string than must be accepted (INTERPRETATION-16).
    LongString,
    /// A valid string that careless services mangle (INTERPRETATION-18).
    UnusualString,
    /// A member whose name parsers block for safety, such as `__proto__` (INTERPRETATION-13).
    BlockedName,
    /// A member that has a documented name in another letter case (INTERPRETATION-13).
    NameInOtherCase,
    /// A date-time on which libraries differ (INTERPRETATION-19).
    DateTime(DateTimeClass),
    /// A larger number than must be accepted (INTERPRETATION-20).
    LargeNumber,
    /// More fractional digits than must be accepted (INTERPRETATION-20).
    ManyFractionalDigits,
    /// The body starts with a byte-order mark (INTERPRETATION-02).
    ByteOrderMark,
    /// The body is UTF-16, or holds U+0000 as a raw byte (INTERPRETATION-02).
    Utf16,
    /// The members, or the lines, around the items are not those that the contract names.
    OtherEnvelope,
    /// Two items whose results would stand under one key of a map.
    SharedKey,
    /// A blank line among lines that are items.
    BlankLine,
    /// The last of lines that are items has no newline.
    NoLastNewline,
    /// UTF-8 that is overlong or encodes a surrogate (INTERPRETATION-15).
    LenientUtf8,
    /// An object of the body has one member twice (INTERPRETATION-15).
    RepeatedMember,
    /// A number beyond every range, such as 1e400 (INTERPRETATION-15).
    HugeNumber,
    /// Deeper nesting than parsers take (INTERPRETATION-15).
    DeepNesting,
    /// An escaped surrogate without its other half (INTERPRETATION-15).
    LoneSurrogate,
}

impl ExemptClass {
    /// Whether it is of the text that is sent, which parsers may refuse to read.
    #[must_use]
    pub fn is_of_syntax(&self) -> bool {
        matches!(
            self,
            ExemptClass::HugeNumber
                | ExemptClass::DeepNesting
                | ExemptClass::LoneSurrogate
                | ExemptClass::LenientUtf8
                | ExemptClass::RepeatedMember
        )
    }
}
