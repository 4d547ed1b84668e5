//! SCHEMA: bodies fit their schemas, and carry what a client can't do without.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::common::not_json;
use crate::contract::validity::{InvalidClass, ValueKind};
use crate::contract::{Level, Shape, member};
use crate::exchange::BodyIntent;
use crate::exchange_view::{ExchangeView, ItemView, ParsedBody};
use crate::finding::{Finding, Symptom, Verdict};
use crate::rule::{Check, Explains, Rule};
use crate::text::{shown, shown_bytes};

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "SCHEMA-001",
        level: Level::Must,
        title: "A 200 carries JSON that fits the documented schema",
        cite: "OpenAPI: responses/200",
        doc: "Every 200 is parsed and validated against the response schema (draft 2020-12, formats and \
              int64 bounds checked). A client generated from the document can't read anything else. \
              Example: `\"timeElapsedMs\": \"12\"` where an integer is documented.",
        example: include_str!("examples/SCHEMA-001.txt"),
        needs: &["HTTP-009"],
        check: Check::Exchange(fits_documented_schema),
        ..Rule::BASE
    },
    Rule {
        id: "SCHEMA-002",
        level: Level::Must,
        title: "The body of a 400 or 404 fits the documented error schema",
        cite: "OpenAPI: responses/400, responses/404; INTERPRETATION-08",
        doc: "Judged under a 400 to well-framed JSON and under a 404. The adapter's own shape and the \
              framework's both fit the schema; HTML, plain text or wrong types do not.",
        example: include_str!("examples/SCHEMA-002.txt"),
        needs: &["HTTP-009"],
        check: Check::Exchange(errors_fit_schema),
        ..Rule::BASE
    },
    Rule {
        id: "SCHEMA-003",
        level: Level::Must,
        title: "A 200 carries the array of results",
        cite: "INTERPRETATION-06",
        doc: "Nothing is `required` in the response schema, so `{}` fits it. Without the array of results a \
              client can't know what happened to any item. Only an empty batch may be answered without.",
        example: include_str!("examples/SCHEMA-003.txt"),
        needs: &["HTTP-009", "SCHEMA-001"],
        check: Check::Exchange(results_present),
        explains: &[Explains::any(Symptom::ErrorInSuccess)],
        ..Rule::BASE
    },
    Rule {
        id: "SCHEMA-004",
        level: Level::Must,
        title: "Each result has its verdict and the echoed fields of its item",
        cite: "INTERPRETATION-06",
        doc: "A result without a verdict says nothing; one without the echoed fields can't be matched. A \
              result may leave out a field whose request value was missing, no string, longer than the \
              result schema allows, or held U+0000.",
        example: include_str!("examples/SCHEMA-004.txt"),
        needs: &["SCHEMA-001", "ORDER-001", "ORDER-002", "ORDER-003"],
        check: Check::Item(result_is_complete),
        ..Rule::BASE
    },
    Rule {
        id: "SCHEMA-005",
        level: Level::Should,
        title: "Elapsed times are present",
        cite: "INTERPRETATION-06",
        doc: "The documented examples show an elapsed time in each result and in the answer; clients use \
              them to size their batches.",
        example: include_str!("examples/SCHEMA-005.txt"),
        needs: &["SCHEMA-001"],
        check: Check::Exchange(elapsed_present),
        ..Rule::BASE
    },
    Rule {
        id: "SCHEMA-006",
        level: Level::Should,
        title: "No object in a response has a key twice",
        cite: "RFC 8259 section 4",
        doc: "Names within an object should be unique: parsers differ in which of two values they keep, so \
              two clients can read two different answers.",
        example: include_str!("examples/SCHEMA-006.txt"),
        needs: &["SCHEMA-001"],
        check: Check::Exchange(keys_once),
        ..Rule::BASE
    },
];

/// The rule about the documented schema.
pub(crate) const FITS: &Rule = &RULES[0];

fn fits_documented_schema(view: &ExchangeView<'_>) -> Verdict {
    if view.status() != Some(200) || !view.is_ordinary() {
        return Verdict::NotApplicable("no 200 to the documented request");
    }
    let body = match view.wire_json() {
        ParsedBody::Value(value) => value,
        ParsedBody::Broken(_) => {
            let finding = Finding::new("not JSON", "", "a JSON body", not_json(view));
            // A document that merely ends too early may have been cut on its way, as a reset does.
            return Verdict::fail(if view.is_cut_short() {
                finding.unproven().shows(Symptom::CutOff)
            } else {
                finding
            });
        }
        ParsedBody::Absent => return Verdict::NotApplicable("no answer"),
    };
    let status = view.wire_status().unwrap_or(200);
    let Some(documented) = view.contract.operation.responses.get(&status) else {
        return Verdict::NotApplicable("no schema is documented");
    };
    if documented.validator.is_valid(body) {
        return Verdict::Pass;
    }
    let prefix = format!("/{}/", view.contract.batch.results);
    Verdict::of(
        documented
            .validator
            .iter_errors(body)
            .take(1000)
            .map(|error| {
                let pointer = error.instance_path().to_string();
                let item = match &view.shaped {
                    Some((_, reading)) => Shape::result_at(reading, &pointer),
                    None => pointer
                        .strip_prefix(&prefix)
                        .and_then(|rest| rest.split('/').next())
                        .and_then(|index| index.parse::<usize>().ok()),
                };
                let mut finding = Finding::new(
                    error.kind().keyword(),
                    pointer,
                    wanted(&error),
                    shown(error.instance()),
                );
                finding.item = item;
                finding
            })
            .collect(),
    )
}

/// What the schema asks for in the place of the value, and where it does.
pub(crate) fn wanted(error: &ValidationError<'_>) -> String {
    use ValidationErrorKind as Kind;
    let one_of = |options: &Value| -> String {
        let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
        options.iter().map(shown).collect::<Vec<_>>().join(" or ")
    };
    let what = match error.kind() {
        Kind::Type { kind: TypeKind::Single(one) } => a_type(*one).to_owned(),
        Kind::Type { kind: TypeKind::Multiple(several) } => {
            several.iter().map(a_type).collect::<Vec<_>>().join(" or ")
        }
        Kind::Format { format } => format!("a {format}"),
        Kind::Enum { options } => one_of(options),
        Kind::Constant { expected_value } => shown(expected_value),
        Kind::MaxLength { limit } => format!("at most {limit} characters"),
        Kind::MinLength { limit } => format!("at least {limit} characters"),
        Kind::Maximum { limit } => format!("{limit} at most"),
        Kind::Minimum { limit } => format!("{limit} at least"),
        Kind::MaxItems { limit } => format!("at most {limit} elements"),
        Kind::MinItems { limit } => format!("at least {limit} elements"),
        Kind::Required { property } => format!("an object with {}", shown(property)),
        Kind::Pattern { pattern } => format!("what matches {pattern}"),
        _ => return format!("what {} says", error.schema_path()),
    };
    format!("{what}, as {} says", error.schema_path())
}

fn a_type(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "an array",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "an integer",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "a string",
    }
}

fn errors_fit_schema(view: &ExchangeView<'_>) -> Verdict {
    let status = view.status();
    // Only the documented request reaches the endpoint for certain: what the HTTP layer or a router refuses first
    // has no documented body (INTERPRETATION-08).
    let reaches =
        view.is_ordinary() && view.feature().is_none() && view.exchange.request.raw.is_none();
    // A scalar in the place of the document is not JSON to parsers that read RFC 4627 strictly.
    let framed = match &view.exchange.intent.body {
        BodyIntent::Broken(reason) => {
            let is_scalar = reason.pointer.is_empty()
                && reason.class != InvalidClass::WrongType(ValueKind::Array);
            reason.keyword != "json" && !is_scalar
        }
        BodyIntent::Batch { trailing, .. } => trailing.is_none(),
        BodyIntent::Open(_) | BodyIntent::None => false,
    };
    let judged = match status {
        Some(400) => framed && reaches,
        Some(404) => reaches,
        _ => false,
    };
    let documented = view.wire_status().and_then(|s| view.contract.operation.responses.get(&s));
    let (true, Some(documented)) = (judged, documented) else {
        return Verdict::NotApplicable("no error whose body is documented");
    };
    match view.wire_json() {
        ParsedBody::Broken(_) => {
            Verdict::fail(Finding::new("not JSON", "", "a JSON body", not_json(view)))
        }
        ParsedBody::Absent => Verdict::NotApplicable("no answer"),
        // The documented schema names no type, so anything but an object would pass it.
        ParsedBody::Value(body) if !body.is_object() => {
            Verdict::fail(Finding::new("type", "", "a JSON object", shown(body)))
        }
        ParsedBody::Value(body) => Verdict::of(
            documented
                .validator
                .iter_errors(body)
                .take(1000)
                .map(|error| {
                    Finding::new(
                        error.kind().keyword(),
                        error.instance_path().to_string(),
                        wanted(&error),
                        shown(error.instance()),
                    )
                })
                .collect(),
        ),
    }
}

fn results_present(view: &ExchangeView<'_>) -> Verdict {
    if view.status() != Some(200) || view.items().is_empty() || !view.is_ordinary() {
        return Verdict::NotApplicable("no 200 to a batch with items");
    }
    if view.results().is_some() {
        return Verdict::Pass;
    }
    let pointer = format!("/{}", view.contract.batch.results);
    let body = view.response().map_or_else(String::new, |response| shown_bytes(&response.body));
    Verdict::fail(Finding::new(
        "missing",
        pointer,
        "an array with one result per item",
        if body.is_empty() { "an empty body".to_owned() } else { format!("none in {body}") },
    ))
}

fn result_is_complete(view: &ItemView<'_>) -> Verdict {
    let batch = &view.within.contract.batch;
    let mut findings = Vec::new();
    if view.verdict.is_none() {
        findings.push(
            Finding::new(
                "missing",
                view.at(&batch.verdict.field),
                format!("{} or {}", batch.verdict.accepted, batch.verdict.rejected),
                view.result.get(&batch.verdict.field).map_or("nothing".to_owned(), shown),
            )
            .item(view.index),
        );
    }
    for name in &batch.echo {
        let Some(sent) = member(&view.intent.value, name).and_then(Value::as_str) else { continue };
        if member(view.result, name).is_some_and(|echoed| !echoed.is_null()) {
            continue;
        }
        if view.within.may_lack(view.index, name) {
            continue;
        }
        // Who can't read a line knows nothing that stands in it (INTERPRETATION-15).
        if view.intent.validity.exempt.iter().any(|exemption| exemption.class.is_of_syntax()) {
            continue;
        }
        // Some stores have no U+0000 (INTERPRETATION-15).
        if sent.contains('\0') {
            continue;
        }
        // Beyond what must be accepted, what becomes of a string is not judged but where it is repeated wrongly.
        let contract = view.within.contract;
        let max = contract.field(name).and_then(|f| f.result_max);
        let plain = contract.batch.limits.plain_string;
        if sent.chars().count() > max.unwrap_or(plain) {
            continue;
        }
        findings.push(
            Finding::new("missing", view.at(name), shown(&Value::from(sent)), "nothing")
                .item(view.index),
        );
    }
    Verdict::of(findings)
}

fn elapsed_present(view: &ExchangeView<'_>) -> Verdict {
    let Some(results) = view.results() else { return Verdict::NotApplicable("no results") };
    let elapsed = &view.contract.batch.elapsed;
    let mut findings = Vec::new();
    if let Some(total) = &elapsed.total
        && view.body().is_some_and(|b| b.get(total).is_none_or(Value::is_null))
    {
        findings.push(Finding::new("missing", format!("/{total}"), "milliseconds", "nothing"));
    }
    if let Some(field) = &elapsed.item {
        let missing = results.iter().position(|r| member(r, field).is_none_or(Value::is_null));
        if let Some(index) = missing {
            let pointer = format!("/{}/{index}/{field}", view.contract.batch.results);
            findings.push(Finding::new("missing", pointer, "milliseconds", "nothing").item(index));
        }
    }
    Verdict::of(findings)
}

fn keys_once(view: &ExchangeView<'_>) -> Verdict {
    if view.body().is_none() {
        return Verdict::NotApplicable("no JSON answer");
    }
    match &view.repeated_key {
        None => Verdict::Pass,
        Some(key) => Verdict::fail(Finding::new(
            "repeated key",
            "",
            "each key once",
            format!("{} is twice in one object", shown(&Value::from(key.as_str()))),
        )),
    }
}
