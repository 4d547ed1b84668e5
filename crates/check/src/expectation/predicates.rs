//! What single values of an answer must satisfy, as a case states it: headers, values of the body, schemas, time.

use std::time::Duration;

use serde_json::Value;

use crate::case::{BodyPin, HeaderPin, Predicates, SchemaPin, Time};
use crate::exchange_view::{ExchangeView, ParsedBody};
use crate::finding::Finding;
use crate::rules::schema::wanted as schema_wanted;
use crate::text::{shorten, shown};

/// Differences from a schema that are findings of their own.
const DIFFERENCES: usize = 20;
/// What is called absent.
const NOTHING: &str = "nothing";

/// What is wrong with a header.
pub(super) fn of_header(name: &str, pin: &HeaderPin, value: Option<&str>) -> Vec<Finding> {
    // Each header is a difference of its own.
    let kind = format!("header {}", name.to_lowercase());
    let unlike = |wanted: String| {
        Finding::new(kind.clone(), "", format!("header {wanted}"), value.unwrap_or("absent"))
    };
    match (pin, value) {
        (HeaderPin::Present, None) => vec![unlike(format!("{name} present"))],
        (HeaderPin::Absent, Some(_)) => vec![unlike(format!("{name} absent"))],
        (HeaderPin::Present | HeaderPin::Absent, _) => Vec::new(),
        (HeaderPin::Holds(held), _) => {
            let text = value.map(Value::from);
            let unmet = unmet(held, text.as_ref(), Spelling::OfHeader);
            unmet.into_iter().map(|u| unlike(format!("{name} {}", u.of_header()))).collect()
        }
    }
}

/// What is wrong with what stands at a pointer.
pub(super) fn of_body(view: &ExchangeView<'_>, pointer: &str, pin: &BodyPin) -> Vec<Finding> {
    let value = view.body().and_then(|body| body.pointer(pointer));
    let actual = || value.map_or(NOTHING.to_owned(), shown);
    let (fits, wanted) = match pin {
        BodyPin::Present => (value.is_some(), "anything".to_owned()),
        BodyPin::Absent => (value.is_none(), NOTHING.to_owned()),
        BodyPin::Equals(wanted) => (value == Some(wanted), shown(wanted)),
        BodyPin::Holds(held) => return of_predicates(view, pointer, held, value),
    };
    if fits { Vec::new() } else { vec![Finding::new("value", pointer, wanted, actual())] }
}

fn of_predicates(
    view: &ExchangeView<'_>,
    pointer: &str,
    held: &Predicates,
    value: Option<&Value>,
) -> Vec<Finding> {
    // A body that is not JSON is a text as a whole.
    let whole = pointer.is_empty().then(|| view.response()).flatten();
    let text = whole.map(|response| String::from_utf8_lossy(&response.body).into_owned());
    let text = text.map(Value::from);
    let of_text = Predicates {
        contains: held.contains.clone(),
        matches: held.matches.clone(),
        ..Predicates::default()
    };
    let of_value = Predicates { contains: None, matches: None, ..held.clone() };
    let unmet = match &text {
        Some(text) => {
            let mut both = unmet(&of_text, Some(text), Spelling::OfBody);
            both.extend(unmet(&of_value, value, Spelling::OfBody));
            both
        }
        None => unmet(held, value, Spelling::OfBody),
    };
    let actual = text.as_ref().filter(|_| value.is_none()).or(value);
    let mut found: Vec<Finding> = unmet
        .into_iter()
        .map(|u| {
            let said = actual.map_or(NOTHING.to_owned(), |value| u.said(value));
            Finding::new(u.kind, pointer, u.wanted, said)
        })
        .collect();
    if let Some(pin) = &held.schema {
        found.extend(differences(pointer, pin, value));
    }
    found
}

/// What in the whole body does not fit a schema.
pub(super) fn of_schema(view: &ExchangeView<'_>, pin: &SchemaPin) -> Vec<Finding> {
    match view.wire_json() {
        ParsedBody::Value(body) => differences("", pin, Some(body)),
        ParsedBody::Broken(_) | ParsedBody::Absent => differences("", pin, None),
    }
}

fn differences(pointer: &str, pin: &SchemaPin, value: Option<&Value>) -> Vec<Finding> {
    let Some(value) = value else {
        return vec![Finding::new("schema", pointer, format!("JSON that fits {pin}"), NOTHING)];
    };
    let Some(validator) = &pin.validator else { return Vec::new() };
    let errors = validator.iter_errors(value).take(DIFFERENCES);
    errors
        .map(|error| {
            let inside = format!("{pointer}{}", error.instance_path());
            let kind = format!("schema {}", error.kind().keyword());
            let wanted = format!("{} ({pin})", schema_wanted(&error));
            Finding::new(kind, inside, wanted, shown(error.instance()))
        })
        .collect()
}

/// An answer that took too long. The clock decides, so it counts only where repeats show it too.
pub(super) fn of_time(elapsed: Duration, most: Time) -> Option<Finding> {
    (elapsed > most.0).then(|| {
        let wanted = format!("the whole answer within {most}");
        let said =
            format!("{} from sending the request to the last byte of the answer", rounded(elapsed));
        Finding::new(Finding::SLOW, "", wanted, said).unproven()
    })
}

/// A measured time, in milliseconds.
fn rounded(elapsed: Duration) -> String {
    format!("{:.1} ms", elapsed.as_secs_f64() * 1000.0)
}

/// How texts are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// Letter case does not matter.
    OfHeader,
    /// As it is written.
    OfBody,
}

/// A predicate that is not met.
struct Unmet {
    kind: &'static str,
    wanted: String,
    /// The number of elements, members or characters, where that was compared.
    counted: Option<String>,
}

impl Unmet {
    fn of_header(&self) -> String {
        match self.kind {
            "contains" => self.wanted.replacen("a text containing", "containing", 1),
            "matches" => self.wanted.replacen("what matches", "matching", 1),
            _ => self.wanted.clone(),
        }
    }

    fn said(&self, value: &Value) -> String {
        match (&self.counted, value) {
            (Some(counted), _) => counted.clone(),
            (None, Value::String(text)) if self.kind != "equals" => shorten(text),
            (None, other) => shown(other),
        }
    }
}

/// What of the predicates is not met, but for the schema.
fn unmet(held: &Predicates, value: Option<&Value>, spelling: Spelling) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    let mut hold = |kind: &'static str, fits: bool, wanted: String, counted: Option<String>| {
        if !fits {
            unmet.push(Unmet { kind, wanted, counted });
        }
    };
    if let Some(wanted) = &held.equals {
        let same_text = || {
            let (Some(Value::String(text)), Spelling::OfHeader) = (value, spelling) else {
                return false;
            };
            wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned) == *text
        };
        hold("equals", value == Some(wanted) || same_text(), shown(wanted), None);
    }
    if let Some(part) = &held.contains {
        let part = part.as_str().map_or_else(|| part.to_string(), str::to_owned);
        let text = value.and_then(Value::as_str);
        let fits = text.is_some_and(|text| match spelling {
            Spelling::OfHeader => text.to_lowercase().contains(&part.to_lowercase()),
            Spelling::OfBody => text.contains(&part),
        });
        hold("contains", fits, format!("a text containing {part}"), None);
    }
    if let Some(pattern) = &held.matches {
        let text = value.and_then(scalar);
        let fits = text.is_some_and(|text| pattern.is_found(&text));
        hold("matches", fits, format!("what matches {}", pattern.text()), None);
    }
    for (kind, bound, words) in [("min", &held.min, "at least"), ("max", &held.max, "at most")] {
        let Some(bound) = bound else { continue };
        let both = value.and_then(|v| number(v, spelling)).zip(number(bound, Spelling::OfHeader));
        let fits = both.is_some_and(
            |(value, bound)| {
                if kind == "min" { value >= bound } else { value <= bound }
            },
        );
        hold(kind, fits, format!("a number, {words} {}", plain(bound)), None);
    }
    if let Some(count) = held.count {
        let counted = value.and_then(counted);
        let fits = counted.is_some_and(|(n, _)| count.range().contains(&n));
        let noun = counted.map_or("element", |(_, noun)| noun);
        let plural = if count.range() == (1..=1) { "" } else { "s" };
        hold(
            "count",
            fits,
            format!("{count} {noun}{plural}"),
            counted.map(|(n, noun)| crate::contract::text::counted(n as u64, noun)),
        );
    }
    unmet
}

/// How many elements, members or characters a value has.
fn counted(value: &Value) -> Option<(usize, &'static str)> {
    match value {
        Value::Array(list) => Some((list.len(), "element")),
        Value::Object(map) => Some((map.len(), "member")),
        Value::String(text) => Some((text.chars().count(), "character")),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The text of a scalar.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The number that a value is; a header is a text always.
fn number(value: &Value, spelling: Spelling) -> Option<f64> {
    match (value, spelling) {
        (Value::String(text), Spelling::OfHeader) => text.trim().parse().ok(),
        _ => value.as_f64(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
