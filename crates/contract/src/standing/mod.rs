//! Standing: what the contract and its interpretations say of an item or a body, before any answer is seen.
//!
//! The one place where "valid", "refused", "should" and "not judged" are decided; generator, rules and
//! reference server all ask here. It knows values, never requests or answers.

mod body;
mod text;

use chrono::Utc;
use jsonschema::error::ValidationErrorKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use body::BodyStanding;
pub use text::is_plain;

use super::batch::CodeCause;
use super::datetime::{self, Instant};
use super::interpretations::Level;
use super::{Contract, Field};

/// Why an item or a body is to be refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cause {
    /// JSON pointer inside the item (or the body).
    pub pointer: String,
    /// The schema keyword that is broken.
    pub keyword: String,
    /// The class of the value, such as `null`, `text` or `too long`.
    pub class: String,
    /// Whether accepting it is a MUST or a SHOULD finding.
    pub level: Level,
    /// Which error codes fit.
    pub code: CodeCause,
    /// The interpretation or schema position behind it.
    pub source: String,
}

/// A property of a value that moves it out of what is judged, or into SHOULD.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Edge {
    /// JSON pointer inside the item.
    pub pointer: String,
    /// What it is.
    pub what: String,
    /// The interpretation that says so.
    pub interpretation: String,
}

/// What must happen to a fresh item, whatever stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Due {
    /// Accepted; anything else contradicts at this level.
    Accept(Level),
    /// Refused in either refusal mode; accepting contradicts at this level.
    Refuse(Level),
    /// Any answer but a 5xx, a dropped connection or a hang.
    Open,
}

/// All that is known of one item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Reasons to refuse it.
    pub causes: Vec<Cause>,
    /// Reasons not to judge it.
    pub open: Vec<Edge>,
    /// Reasons why refusing it is only a SHOULD finding.
    pub unusual: Vec<Edge>,
    /// A property that the schema does not name, where there is one.
    pub additional: Option<String>,
}

impl Standing {
    /// What must happen to it while its number is unused.
    #[must_use]
    pub fn due(&self) -> Due {
        if self.causes.iter().any(|c| c.level == Level::Must) {
            Due::Refuse(Level::Must)
        } else if !self.open.is_empty() {
            Due::Open
        } else if !self.causes.is_empty() {
            if self.unusual.is_empty() { Due::Refuse(Level::Should) } else { Due::Open }
        } else if self.unusual.is_empty() {
            Due::Accept(Level::Must)
        } else {
            Due::Accept(Level::Should)
        }
    }

    /// An item that is not judged, for one reason.
    #[must_use]
    pub fn not_judged(pointer: &str, what: &str, interpretation: &str) -> Standing {
        Standing { open: vec![edge(pointer, what, interpretation)], ..Standing::default() }
    }

    /// Whether it breaks the schema only by wrong types that Jackson-like parsers see first.
    #[must_use]
    pub fn wrong_types(&self) -> bool {
        self.causes
            .iter()
            .any(|c| c.keyword == "type" && c.class != "null" || c.keyword == "format")
    }
}

pub(super) fn edge(pointer: &str, what: &str, interpretation: &str) -> Edge {
    Edge {
        pointer: pointer.to_owned(),
        what: what.to_owned(),
        interpretation: interpretation.to_owned(),
    }
}

impl Contract {
    /// What the contract says of `item`.
    #[must_use]
    pub fn judge_item(&self, item: &Value) -> Standing {
        let mut standing = Standing::default();
        let Value::Object(map) = item else {
            standing.causes.push(Cause {
                pointer: String::new(),
                keyword: "type".to_owned(),
                class: type_name(item).to_owned(),
                level: Level::Must,
                code: CodeCause::Invalid,
                source: "INTERPRETATION-14".to_owned(),
            });
            return standing;
        };
        for field in self.fields() {
            match map.get(&field.name) {
                None => self.judge_absent(field, &mut standing),
                Some(value) => self.judge_value(field, value, &mut standing),
            }
        }
        if map.len() > self.fields().len() || map.keys().any(|k| self.field(k).is_none()) {
            standing.additional =
                map.keys().find(|k| self.field(k).is_none()).map(|k| format!("/{}", escape(k)));
        }
        if !self.item_validator().is_valid(item) {
            self.judge_keywords(item, &mut standing);
        }
        standing
    }

    fn judge_absent(&self, field: &Field, standing: &mut Standing) {
        let pointer = format!("/{}", escape(&field.name));
        if field.required {
            standing.causes.push(Cause {
                pointer,
                keyword: "required".to_owned(),
                class: "missing".to_owned(),
                level: Level::Must,
                code: CodeCause::Missing,
                source: "INTERPRETATION-01".to_owned(),
            });
        } else if self.demanded.contains(&field.name) {
            standing.open.push(edge(&pointer, "demanded by the profile", "INTERPRETATION-01"));
        }
    }

    fn judge_value(&self, field: &Field, value: &Value, standing: &mut Standing) {
        let pointer = || format!("/{}", escape(&field.name));
        if !type_fits(&field.schema, value) {
            if value.is_null() && !field.required {
                standing.open.push(edge(
                    &pointer(),
                    "null in an optional field",
                    "INTERPRETATION-14",
                ));
                return;
            }
            // Widespread parsers take blank text for null where no text belongs.
            if !field.required && value.as_str().is_some_and(|t| t.trim().is_empty()) {
                standing.open.push(edge(&pointer(), "a blank string", "INTERPRETATION-14"));
                return;
            }
            let coercible = keeps_meaning(field, value);
            let level = if coercible || !field.required { Level::Should } else { Level::Must };
            standing.causes.push(Cause {
                pointer: pointer(),
                keyword: "type".to_owned(),
                class: if coercible {
                    format!("{} that keeps its meaning", type_name(value))
                } else {
                    type_name(value).to_owned()
                },
                level,
                code: if value.is_null() { CodeCause::Missing } else { CodeCause::Invalid },
                source: "INTERPRETATION-14".to_owned(),
            });
            return;
        }
        match value {
            Value::String(text) => self.judge_text(field, text, standing),
            Value::Number(number) => {
                let limits = &self.batch.limits;
                let size = number.as_f64().unwrap_or(f64::INFINITY).abs();
                if size >= limits.magnitude {
                    standing.open.push(edge(
                        &pointer(),
                        "a very large number",
                        "INTERPRETATION-20",
                    ));
                } else if !number.is_i64() && fraction_digits(size) > limits.fraction_digits {
                    standing.open.push(edge(
                        &pointer(),
                        "many fractional digits",
                        "INTERPRETATION-20",
                    ));
                }
            }
            _ => {}
        }
    }

    fn judge_text(&self, field: &Field, text: &str, standing: &mut Standing) {
        let pointer = || format!("/{}", escape(&field.name));
        if field.is_instant() {
            let limits = &self.batch.limits;
            let (class, level) = match datetime::sort(text, limits.instant_digits, Utc::now()) {
                Instant::Plain => return,
                Instant::Edge(what) => {
                    standing.open.push(edge(&pointer(), what, "INTERPRETATION-19"));
                    return;
                }
                Instant::Doubtful(what) => (what, Level::Should),
                Instant::Nonsense(what) => (what, Level::Must),
            };
            standing.causes.push(Cause {
                pointer: pointer(),
                keyword: "format".to_owned(),
                class: class.to_owned(),
                level,
                code: CodeCause::Invalid,
                source: "INTERPRETATION-19".to_owned(),
            });
            return;
        }
        if text.len() <= 64 && text::is_plain(text) {
            return;
        }
        if text.contains('\0') {
            standing.open.push(edge(&pointer(), "U+0000", "INTERPRETATION-15"));
        }
        if text.trim().is_empty() {
            standing.open.push(edge(&pointer(), "a blank string", "INTERPRETATION-15"));
        } else if !text::is_plain(text) {
            standing.unusual.push(edge(&pointer(), "an unusual string", "INTERPRETATION-18"));
        }
        let length = text.chars().count();
        let bounded = field.schema.get("maxLength").is_some();
        match field.result_max {
            Some(max) if length > max && field.name == self.batch.unique => {
                standing.causes.push(Cause {
                    pointer: pointer(),
                    keyword: "maxLength".to_owned(),
                    class: "longer than its result can carry".to_owned(),
                    level: Level::Must,
                    code: CodeCause::Invalid,
                    source: "INTERPRETATION-17".to_owned(),
                });
            }
            _ if length > self.batch.limits.plain_string && !bounded => {
                standing.open.push(edge(&pointer(), "a long string", "INTERPRETATION-16"));
            }
            _ => {}
        }
    }

    /// What the schema's remaining keywords say; types, absences and date-times of the item's own
    /// fields were judged by the interpretations before.
    fn judge_keywords(&self, item: &Value, standing: &mut Standing) {
        for error in self.item_validator().iter_errors(item) {
            let mut pointer = error.instance_path().to_string();
            let keyword = error.kind().keyword().to_owned();
            let own = pointer.matches('/').count() <= 1;
            let field = pointer.get(1..).and_then(|name| self.field(name));
            let judged = match keyword.as_str() {
                "required" => pointer.is_empty(),
                "type" => own && field.is_some_and(|f| mistyped(f, item)),
                "format" => own && field.is_some_and(Field::is_instant),
                _ => {
                    // A wrong type breaks every other keyword of the field with it.
                    own && field.is_some_and(|f| mistyped(f, item))
                }
            };
            if judged {
                continue;
            }
            let class = match keyword.as_str() {
                "maxLength" | "maxItems" | "maxProperties" => "too long",
                "minLength" | "minItems" | "minProperties" => "too short",
                "maximum" | "exclusiveMaximum" => "too large",
                "minimum" | "exclusiveMinimum" => "too small",
                "enum" | "const" => "another value",
                "required" => "missing",
                "type" => type_name(error.instance()),
                _ => "does not fit",
            };
            // As for the item's own fields, what is missing is named, not what lacks it.
            if let ValidationErrorKind::Required { property: Value::String(name) } = error.kind() {
                pointer = format!("{pointer}/{}", escape(name));
            }
            let code = if keyword == "required" { CodeCause::Missing } else { CodeCause::Invalid };
            standing.causes.push(Cause {
                pointer,
                keyword,
                class: class.to_owned(),
                level: Level::Must,
                code,
                source: error.schema_path().to_string(),
            });
        }
    }
}

/// The JSON type of a value, as JSON Schema names it.
#[must_use]
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Escapes a property name for a JSON pointer (RFC 6901 section 3).
#[must_use]
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn type_fits(schema: &Value, value: &Value) -> bool {
    let fits = |name: &str| match name {
        "integer" => match value {
            Value::Number(n) => {
                n.is_i64() || n.is_u64() || n.as_f64().is_some_and(|f| f.fract() == 0.0)
            }
            _ => false,
        },
        other => other == type_name(value),
    };
    match schema.get("type") {
        Some(Value::String(name)) => fits(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(fits),
        _ => true,
    }
}

/// Whether `item` has the field with a value that its schema's own `type` refuses.
fn mistyped(field: &Field, item: &Value) -> bool {
    item.get(&field.name).is_some_and(|v| !type_fits(&field.schema, v))
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
