//! Sorting a value into the classes that one keyword tells apart.

use chrono::Utc;
use jsonschema::Validator;
use serde_json::{Map, Value};

use super::{TYPES, type_at};
use crate::contract::datetime::{self, DateTimeClass, DateTimeOutcome};
use crate::contract::validity::ValueKind;
use crate::contract::{Contract, Level};
use crate::generate::mutation::site::SchemaSite;

/// Values of an `enum` that have points of their own.
const LISTED: usize = 20;
/// Position of the class of strings of digits alone, the last one.
const DIGITS: usize = 11;
/// Keywords that a validator of their own partitions by, with the type that each speaks of.
const HELD: [(&str, &str); 8] = [
    ("pattern", "string"),
    ("format", "string"),
    ("multipleOf", "number"),
    ("uniqueItems", "array"),
    ("contains", "array"),
    ("propertyNames", "object"),
    ("minProperties", "object"),
    ("maxProperties", "object"),
];

/// What tells values apart.
pub(super) enum Partition {
    /// Their JSON type; where only whole numbers are taken, a fraction is a type of its own.
    Type { whole: bool },
    /// `enum` or `const`.
    Listed { keyword: &'static str, values: Vec<Value> },
    /// `maxLength`, or the figure of an interpretation.
    Longest(usize),
    /// `minLength`.
    Shortest(usize),
    /// The characters of a string; a minted number is never digits alone.
    Characters { minted: bool },
    /// A date-time; how many fractional digits it may have.
    Instant(usize),
    /// Sign, fraction and size of a number; how large it may be.
    Number { whole: bool, magnitude: f64 },
    /// A bound of a number, and whether it is one from above.
    Bound { keyword: &'static str, bound: f64, upper: bool },
    /// A bound of an array's length, and whether it is one from above.
    Count { keyword: &'static str, bound: usize, upper: bool },
    /// Any other keyword: it holds, or it does not.
    Held { keyword: String, kind: &'static str, validator: Validator },
    /// Properties that are not named.
    Further(Vec<String>),
}

/// What tells the values of a place apart.
pub(super) fn partitions(contract: &Contract, site: &SchemaSite) -> Vec<Partition> {
    let flat = &site.flat;
    let mut partitions = Vec::new();
    let whole = site.is_number() && site.is_whole();
    if !flat.types().is_empty() {
        partitions.push(Partition::Type { whole });
    }
    if let Some(value) = flat.keywords.get("const") {
        partitions.push(Partition::Listed { keyword: "const", values: vec![value.clone()] });
    } else if let Some(values) = flat.list("enum") {
        partitions.push(Partition::Listed { keyword: "enum", values: values.to_vec() });
    }
    for (keyword, kind) in HELD {
        if keyword == "format" && site.is_instant() {
            continue;
        }
        if let Some(validator) = held(contract, &flat.keywords, keyword) {
            partitions.push(Partition::Held { keyword: keyword.to_owned(), kind, validator });
        }
    }
    if site.is_instant() {
        partitions.push(Partition::Instant(contract.batch.limits.instant_digits));
    }
    if site.is_text() {
        let own = flat.count("maxLength");
        let plain = site.is_plain_text() && !site.known;
        let interpretation = plain.then_some(contract.batch.limits.plain_string);
        if let Some(bound) = own.or(site.result_max.filter(|_| site.unique)).or(interpretation) {
            partitions.push(Partition::Longest(bound));
        }
        if let Some(bound) = flat.count("minLength").filter(|m| *m > 0) {
            partitions.push(Partition::Shortest(bound));
        }
        if plain {
            partitions.push(Partition::Characters { minted: site.unique });
        }
    }
    if site.is_number() {
        for (keyword, upper) in [
            ("minimum", false),
            ("exclusiveMinimum", false),
            ("maximum", true),
            ("exclusiveMaximum", true),
        ] {
            if let Some(bound) = flat.number(keyword) {
                partitions.push(Partition::Bound { keyword, bound, upper });
            }
        }
        let bounded = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum"]
            .iter()
            .any(|k| flat.keywords.contains_key(*k));
        if !bounded && !site.known {
            partitions
                .push(Partition::Number { whole, magnitude: contract.batch.limits.magnitude });
        }
    }
    for (keyword, upper) in [("minItems", false), ("maxItems", true)] {
        if let Some(bound) = flat.count(keyword).filter(|b| *b > 0) {
            partitions.push(Partition::Count { keyword, bound, upper });
        }
    }
    if let Some(Value::Object(properties)) = flat.keywords.get("properties") {
        partitions.push(Partition::Further(properties.keys().cloned().collect()));
    }
    partitions
}

/// A validator of one keyword alone.
fn held(contract: &Contract, keywords: &Map<String, Value>, keyword: &str) -> Option<Validator> {
    let value = keywords.get(keyword)?;
    let alone = Map::from_iter([(keyword.to_owned(), value.clone())]);
    contract.operation.compile(&Value::Object(alone)).ok()
}

impl Partition {
    /// Its classes, each with the keyword that it belongs to.
    pub(super) fn classes(&self) -> Vec<(String, String)> {
        let named = |keyword: &str, classes: &[&str]| -> Vec<(String, String)> {
            classes.iter().map(|c| (keyword.to_owned(), (*c).to_owned())).collect()
        };
        match self {
            Partition::Type { whole } => {
                let mut classes = named("type", &TYPES);
                if *whole {
                    classes.extend(named("type", &["number with a fraction"]));
                }
                classes
            }
            Partition::Listed { keyword, values } => {
                let shown = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
                let mut classes: Vec<(String, String)> = values
                    .iter()
                    .take(LISTED)
                    .map(|v| ((*keyword).to_owned(), brief(&shown(v))))
                    .collect();
                classes.extend(named(keyword, &["another value"]));
                classes
            }
            Partition::Longest(_) => named(
                "maxLength",
                &[
                    "just inside",
                    "at the bound",
                    "at the bound, in characters of two bytes",
                    "at the bound, in characters of three bytes",
                    "at the bound, in characters of four bytes",
                    "just outside",
                    "further outside",
                ],
            ),
            Partition::Shortest(_) => named("minLength", &["at the bound", "just outside"]),
            Partition::Characters { minted } => {
                let classes = [
                    "string: empty",
                    "string: blank",
                    "string: white space at an end",
                    "string: both letter cases",
                    "string: quotes or backslashes",
                    "string: markup",
                    "string: control characters",
                    "string: U+0000",
                    "string: letters beyond ASCII",
                    "string: combining marks",
                    "string: outside the BMP",
                    "string: digits alone",
                ];
                let known = classes.len() - usize::from(*minted);
                named("type", &classes[..known])
            }
            Partition::Instant(_) => named(
                "format",
                &[
                    "date-time in UTC",
                    "date-time with an offset",
                    "whole seconds",
                    "fraction to milliseconds",
                    "finer fraction",
                    "no offset",
                    "impossible date or time",
                    "date alone",
                    "no date-time",
                    "at an edge that is not judged",
                ],
            ),
            Partition::Number { whole, .. } => {
                let mut classes =
                    named("type", &["number: negative", "number: zero", "number: positive"]);
                if !whole {
                    classes.extend(named("type", &["number: with a fraction"]));
                }
                classes.extend(named("type", &["number: beyond what must be taken"]));
                classes
            }
            Partition::Bound { keyword, .. } | Partition::Count { keyword, .. } => {
                named(keyword, &["inside", "at the bound", "outside"])
            }
            Partition::Held { keyword, .. } => named(keyword, &["holds", "broken"]),
            Partition::Further(_) => named("additionalProperties", &["a further property"]),
        }
    }

    /// Calls `seen` with the position of each class that `value` is in.
    pub(super) fn see(&self, value: &Value, mut seen: impl FnMut(usize)) {
        match self {
            Partition::Type { whole } => {
                let fraction = value.as_f64().is_some_and(|f| f.fract() != 0.0);
                seen(if *whole && fraction { TYPES.len() } else { type_at(value) });
            }
            Partition::Listed { values, .. } => match values.iter().position(|v| v == value) {
                Some(at) if at < LISTED => seen(at),
                Some(_) => {}
                None if values.iter().any(|v| ValueKind::of(v) == ValueKind::of(value)) => {
                    seen(values.len().min(LISTED));
                }
                None => {}
            },
            Partition::Longest(bound) => {
                if let Value::String(text) = value {
                    longest(text, *bound, seen);
                }
            }
            Partition::Shortest(bound) => {
                if let Value::String(text) = value {
                    let length = text.chars().count();
                    if length == *bound {
                        seen(0);
                    } else if length + 1 == *bound {
                        seen(1);
                    }
                }
            }
            Partition::Characters { minted } => {
                if let Value::String(text) = value {
                    characters(text, |class| {
                        if class < DIGITS || !minted {
                            seen(class);
                        }
                    });
                }
            }
            Partition::Instant(digits) => {
                if let Value::String(text) = value {
                    instant(text, *digits, seen);
                }
            }
            Partition::Number { whole, magnitude } => {
                if let Some(number) = value.as_f64() {
                    let size = number.abs();
                    seen(if size == 0.0 {
                        1
                    } else if number < 0.0 {
                        0
                    } else {
                        2
                    });
                    if !whole && number.fract() != 0.0 {
                        seen(3);
                    }
                    if size >= *magnitude {
                        seen(if *whole { 3 } else { 4 });
                    }
                }
            }
            Partition::Bound { bound, upper, .. } => {
                if let Some(number) = value.as_f64() {
                    let beyond = if *upper { number > *bound } else { number < *bound };
                    #[expect(clippy::float_cmp, reason = "at the bound means at it")]
                    let at = number == *bound;
                    seen(if at {
                        1
                    } else if beyond {
                        2
                    } else {
                        0
                    });
                }
            }
            Partition::Count { bound, upper, .. } => {
                if let Value::Array(list) = value {
                    let beyond = if *upper { list.len() > *bound } else { list.len() < *bound };
                    seen(if list.len() == *bound {
                        1
                    } else if beyond {
                        2
                    } else {
                        0
                    });
                }
            }
            Partition::Held { kind, validator, .. } => {
                if ValueKind::of(value).name() == *kind {
                    seen(usize::from(!validator.is_valid(value)));
                }
            }
            Partition::Further(names) => {
                if value.as_object().is_some_and(|map| map.keys().any(|k| !names.contains(k))) {
                    seen(0);
                }
            }
        }
    }
}

/// A listed value as a class is called.
fn brief(text: &str) -> String {
    const LIMIT: usize = 60;
    match text.char_indices().nth(LIMIT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn longest(text: &str, bound: usize, mut seen: impl FnMut(usize)) {
    // No string has more characters than bytes.
    if text.len() + 1 < bound {
        return;
    }
    let length = text.chars().count();
    if length + 1 == bound {
        seen(0);
    } else if length == bound {
        seen(1);
        for (at, width) in [(2, 2), (3, 3), (4, 4)] {
            if text.chars().any(|c| c.len_utf8() == width) {
                seen(at);
            }
        }
    } else if length == bound + 1 {
        seen(5);
    } else if length > bound {
        seen(6);
    }
}

fn characters(text: &str, mut seen: impl FnMut(usize)) {
    if text.is_empty() {
        return seen(0);
    }
    if text.trim().is_empty() {
        seen(1);
    }
    if text.trim().len() != text.len() {
        seen(2);
    }
    let mut flags = [false; 9];
    let (mut lower, mut upper, mut digits) = (false, false, true);
    for c in text.chars() {
        digits &= c.is_ascii_digit();
        match c {
            'a'..='z' => lower = true,
            'A'..='Z' => upper = true,
            '"' | '\'' | '\\' => flags[1] = true,
            '<' | '>' | '&' => flags[2] = true,
            '\0' => flags[4] = true,
            c if c.is_control() => flags[3] = true,
            '\u{300}'..='\u{36f}' => flags[6] = true,
            c if c.len_utf8() == 4 => flags[7] = true,
            c if !c.is_ascii() && c.is_alphabetic() => flags[5] = true,
            _ => {}
        }
    }
    flags[0] = lower && upper;
    flags[DIGITS - 3] = digits;
    for (at, flag) in flags.into_iter().enumerate() {
        if flag {
            seen(3 + at);
        }
    }
}

fn instant(text: &str, digits: usize, mut seen: impl FnMut(usize)) {
    let class = datetime::classify(text, digits, Utc::now());
    match class {
        DateTimeClass::NoOffset => return seen(5),
        DateTimeClass::DateAlone => return seen(7),
        _ => {}
    }
    match class.outcome() {
        DateTimeOutcome::Accept => {
            seen(usize::from(!text.ends_with('Z')));
            let fraction = text
                .split_once('.')
                .map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
            seen(match fraction {
                0 => 2,
                1..=3 => 3,
                _ => 4,
            });
        }
        DateTimeOutcome::Refuse(Level::Should) => seen(6),
        DateTimeOutcome::Refuse(Level::Must) => seen(8),
        DateTimeOutcome::NotJudged => seen(9),
    }
}
