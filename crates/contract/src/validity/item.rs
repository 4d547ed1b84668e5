//! The validity of one item.

use chrono::Utc;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Number, Value};

use super::class::{ExemptClass, InvalidClass, ValueKind};
use super::{Exemption, InvalidReason, Validity, escape, text};
use crate::batch::CodeCause;
use crate::datetime::{self, DateTimeOutcome};
use crate::{Contract, Field, Level};

/// Names that parsers refuse or drop to protect JavaScript's prototypes.
const BLOCKED_NAMES: [&str; 3] = ["__proto__", "constructor", "prototype"];

impl Contract {
    /// What the contract says of `item`.
    #[must_use]
    pub fn item_validity(&self, item: &Value) -> Validity {
        let mut validity = Validity::default();
        let Value::Object(map) = item else {
            validity.invalid.push(InvalidReason {
                pointer: String::new(),
                keyword: "type".to_owned(),
                class: InvalidClass::WrongType(ValueKind::of(item)),
                level: Level::Must,
                code: CodeCause::Invalid,
            });
            return validity;
        };
        let (values, has_additional) = self.by_field(map);
        for (field, value) in self.fields().iter().zip(values) {
            match value {
                None if field.required
                    && map.keys().any(|k| k.eq_ignore_ascii_case(&field.name)) =>
                {
                    validity.invalid.push(InvalidReason {
                        pointer: pointer_of(field),
                        keyword: "required".to_owned(),
                        class: InvalidClass::OtherLetterCase,
                        level: Level::Should,
                        code: CodeCause::Missing,
                    });
                }
                None => self.check_absent(field, &mut validity),
                Some(value) => self.check_value(field, value, &mut validity),
            }
        }
        if has_additional {
            validity.additional =
                map.keys().find(|k| self.field(k).is_none()).map(|k| format!("/{}", escape(k)));
            for name in map.keys().filter(|k| self.field(k).is_none()) {
                validity.exempt.extend(self.exempt_name(name, &|n| map.contains_key(n)));
            }
        }
        if !self.item_validator().is_valid(item) {
            self.check_keywords(item, &mut validity);
        }
        validity
    }

    /// The item's value of each field, and whether it has members beside them.
    fn by_field<'a>(&self, map: &'a Map<String, Value>) -> (Vec<Option<&'a Value>>, bool) {
        let fields = self.fields();
        let mut values = vec![None; fields.len()];
        let mut has_additional = false;
        let mut next = 0;
        for (name, value) in map {
            // Items mostly have their fields in the document's order.
            let later = fields.iter().skip(next).position(|f| f.name == *name).map(|at| next + at);
            match later.or_else(|| fields.iter().position(|f| f.name == *name)) {
                Some(at) => {
                    values[at] = Some(value);
                    next = at + 1;
                }
                None => has_additional = true,
            }
        }
        (values, has_additional)
    }

    /// Why an additional member with this name is not judged.
    fn exempt_name(&self, name: &str, has: &dyn Fn(&str) -> bool) -> Option<Exemption> {
        // Where the documented name is missing, the other spelling is why.
        let collides = |f: &Field| f.name.eq_ignore_ascii_case(name) && has(&f.name);
        let class = if BLOCKED_NAMES.contains(&name) {
            ExemptClass::BlockedName
        } else if self.fields().iter().any(collides) {
            ExemptClass::NameInOtherCase
        } else {
            return None;
        };
        Some(Exemption { pointer: format!("/{}", escape(name)), class })
    }

    fn check_absent(&self, field: &Field, validity: &mut Validity) {
        if field.required {
            validity.invalid.push(InvalidReason {
                pointer: pointer_of(field),
                keyword: "required".to_owned(),
                class: InvalidClass::Missing,
                level: Level::Must,
                code: CodeCause::Missing,
            });
        } else if self.demanded.contains(&field.name) {
            validity.exempt.push(exemption(field, ExemptClass::DemandedByProfile));
        }
    }

    fn check_value(&self, field: &Field, value: &Value, validity: &mut Validity) {
        if !type_fits(field, value) {
            check_wrong_type(field, value, validity);
            return;
        }
        match value {
            Value::String(text) if field.is_instant() => {
                self.check_date_time(field, text, validity);
            }
            Value::String(text) => self.check_text(field, text, validity),
            Value::Number(number) => self.check_number(field, number, validity),
            _ => {}
        }
    }

    fn check_number(&self, field: &Field, number: &Number, validity: &mut Validity) {
        let limits = &self.batch.limits;
        let size = number.as_f64().unwrap_or(f64::INFINITY).abs();
        if size >= limits.magnitude {
            validity.exempt.push(exemption(field, ExemptClass::LargeNumber));
        } else if !number.is_i64() && fraction_digits(size) > limits.fraction_digits {
            validity.exempt.push(exemption(field, ExemptClass::ManyFractionalDigits));
        }
    }

    fn check_date_time(&self, field: &Field, text: &str, validity: &mut Validity) {
        let class = datetime::classify(text, self.batch.limits.instant_digits, Utc::now());
        match class.outcome() {
            DateTimeOutcome::Accept => {}
            DateTimeOutcome::NotJudged => {
                validity.exempt.push(exemption(field, ExemptClass::DateTime(class)));
            }
            DateTimeOutcome::Refuse(level) => validity.invalid.push(InvalidReason {
                pointer: pointer_of(field),
                keyword: "format".to_owned(),
                class: InvalidClass::DateTime(class),
                level,
                code: CodeCause::Invalid,
            }),
        }
    }

    fn check_text(&self, field: &Field, text: &str, validity: &mut Validity) {
        if text.len() <= 64 && text::is_plain(text) {
            return;
        }
        if text.contains('\0') {
            validity.exempt.push(exemption(field, ExemptClass::NulCharacter));
        }
        if text.trim().is_empty() {
            validity.exempt.push(exemption(field, ExemptClass::BlankString));
        } else if !text::is_plain(text) {
            validity.unusual.push(exemption(field, ExemptClass::UnusualString));
        }
        let length = text.chars().count();
        let bounded = field.schema.get("maxLength").is_some();
        match field.result_max {
            Some(max) if length > max && field.name == self.batch.unique => {
                validity.invalid.push(InvalidReason {
                    pointer: pointer_of(field),
                    keyword: "maxLength".to_owned(),
                    class: InvalidClass::LongerThanResult,
                    level: Level::Must,
                    code: CodeCause::Invalid,
                });
            }
            _ if length > self.batch.limits.plain_string && !bounded => {
                validity.exempt.push(exemption(field, ExemptClass::LongString));
            }
            _ => {}
        }
    }

    /// What the schema's remaining keywords say; types, absences and date-times of the item's own
    /// fields are covered by the interpretations.
    fn check_keywords(&self, item: &Value, validity: &mut Validity) {
        for error in self.item_validator().iter_errors(item) {
            let mut pointer = error.instance_path().to_string();
            let keyword = error.kind().keyword().to_owned();
            let own = pointer.matches('/').count() <= 1;
            let field = pointer.get(1..).and_then(|name| self.field(name));
            let covered = match keyword.as_str() {
                "required" => pointer.is_empty(),
                "type" => own && field.is_some_and(|f| is_mistyped(f, item)),
                "format" => own && field.is_some_and(Field::is_instant),
                // A wrong type breaks every other keyword of the field with it.
                _ => own && field.is_some_and(|f| is_mistyped(f, item)),
            };
            if covered {
                continue;
            }
            // As for the item's own fields, what is missing is named, not what lacks it.
            if let ValidationErrorKind::Required { property: Value::String(name) } = error.kind() {
                pointer = format!("{pointer}/{}", escape(name));
            }
            let code = if keyword == "required" { CodeCause::Missing } else { CodeCause::Invalid };
            let class = class_of_keyword(&keyword, error.instance());
            validity.invalid.push(InvalidReason {
                pointer,
                keyword,
                class,
                level: Level::Must,
                code,
            });
        }
    }
}

fn class_of_keyword(keyword: &str, value: &Value) -> InvalidClass {
    match keyword {
        "maxLength" | "maxItems" | "maxProperties" => InvalidClass::TooLong,
        "minLength" | "minItems" | "minProperties" => InvalidClass::TooShort,
        "maximum" | "exclusiveMaximum" => InvalidClass::TooLarge,
        "minimum" | "exclusiveMinimum" => InvalidClass::TooSmall,
        "enum" | "const" => InvalidClass::NotListed,
        "required" => InvalidClass::Missing,
        "type" => InvalidClass::WrongType(ValueKind::of(value)),
        _ => InvalidClass::Unfit,
    }
}

fn check_wrong_type(field: &Field, value: &Value, validity: &mut Validity) {
    if value.is_null() && !field.required {
        validity.exempt.push(exemption(field, ExemptClass::OptionalNull));
        return;
    }
    // Widespread parsers take blank text for null where no text belongs.
    if !field.required && value.as_str().is_some_and(|t| t.trim().is_empty()) {
        validity.exempt.push(exemption(field, ExemptClass::BlankOfAnotherType));
        return;
    }
    let kind = ValueKind::of(value);
    let coercible = keeps_meaning(field, value);
    validity.invalid.push(InvalidReason {
        pointer: pointer_of(field),
        keyword: "type".to_owned(),
        class: if coercible {
            InvalidClass::KeepsMeaning(kind)
        } else {
            InvalidClass::WrongType(kind)
        },
        level: if coercible || !field.required { Level::Should } else { Level::Must },
        code: if value.is_null() { CodeCause::Missing } else { CodeCause::Invalid },
    });
}

fn pointer_of(field: &Field) -> String {
    format!("/{}", escape(&field.name))
}

fn exemption(field: &Field, class: ExemptClass) -> Exemption {
    Exemption { pointer: pointer_of(field), class }
}

fn type_fits(field: &Field, value: &Value) -> bool {
    let fits = |name: &str| match name {
        "integer" => match value {
            Value::Number(n) => {
                n.is_i64() || n.is_u64() || n.as_f64().is_some_and(|f| f.fract() == 0.0)
            }
            _ => false,
        },
        other => other == ValueKind::of(value).name(),
    };
    field.types.is_empty() || field.types.iter().any(|name| fits(name))
}

/// Whether `item` has the field with a value that its schema's own `type` refuses.
fn is_mistyped(field: &Field, item: &Value) -> bool {
    item.get(&field.name).is_some_and(|v| !type_fits(field, v))
}

/// Whether a scalar of the wrong type says the same thing in the right one (INTERPRETATION-14).
fn keeps_meaning(field: &Field, value: &Value) -> bool {
    let plain_text = !field.is_instant()
        && ["enum", "const", "pattern", "format"].iter().all(|k| field.schema.get(k).is_none());
    match (field.kind(), value) {
        (Some("string"), Value::Number(_) | Value::Bool(_)) => plain_text,
        (Some("number" | "integer"), Value::String(text)) => {
            text.trim().parse::<f64>().is_ok_and(f64::is_finite)
        }
        // Python and its validators count true as 1.
        (Some("number" | "integer"), Value::Bool(_)) => true,
        (Some("boolean"), Value::String(text)) => text == "true" || text == "false",
        (Some("boolean"), Value::Number(number)) => {
            matches!(number.as_u64(), Some(0 | 1))
        }
        (Some("integer"), Value::Number(_)) => true,
        _ => false,
    }
}

fn fraction_digits(size: f64) -> usize {
    let text = format!("{size}");
    text.split_once('.').map_or(0, |(_, digits)| digits.len())
}
