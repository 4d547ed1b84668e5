//! A proposal as the text of `batch.yaml`: what was inferred, and comments where a person must decide.
//!
//! It must not know documents.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::infer::Proposal;
use super::results::ResultsPlace;
use super::survey::ItemsForm;
use super::verdict::VerdictValue;
use crate::contract::validity::escape;
use crate::contract::yaml::{flow, scalar};

/// Column of the comments.
const COMMENTS: usize = 33;

/// The text of a batch contract, and what it has no words for.
#[derive(Debug, Clone)]
pub struct ProposedText {
    /// `batch.yaml`.
    pub yaml: String,
    /// What the language of batch contracts cannot say of this operation, or the document leaves out.
    pub cannot: Vec<String>,
}

impl ProposedText {
    /// Comments that a person must answer.
    #[must_use]
    pub fn decisions(&self) -> usize {
        self.yaml.matches("# DECIDE").count()
    }
}

/// Writes the proposal; `source` is the document as the user named it.
#[must_use]
pub fn write(proposal: &Proposal, source: &str) -> ProposedText {
    let mut writer = Writer { out: String::new(), cannot: Vec::new(), proposal };
    writer.head(source);
    writer.places();
    writer.key();
    writer.verdict();
    writer.errors();
    writer.rest();
    writer.promises();
    ProposedText { yaml: writer.out, cannot: writer.cannot }
}

struct Writer<'a> {
    out: String,
    cannot: Vec<String>,
    proposal: &'a Proposal,
}

/// A pointer as people write it: a bare name where it is one.
fn place(pointer: &str) -> String {
    match pointer.strip_prefix('/') {
        Some(name) if !name.is_empty() && !name.contains(['/', '~']) => scalar(name),
        _ => scalar_or_empty(pointer),
    }
}

fn scalar_or_empty(text: &str) -> String {
    if text.is_empty() { "\"\"".to_owned() } else { scalar(text) }
}

fn as_is(value: &Value) -> String {
    flow(value, &str::to_owned)
}

impl Writer<'_> {
    fn line(&mut self, text: &str, comment: &str) {
        if comment.is_empty() {
            let _ = writeln!(self.out, "{text}");
        } else {
            let _ = writeln!(self.out, "{text:<COMMENTS$} # {comment}");
        }
    }

    fn decide(&mut self, question: &str) {
        let _ = writeln!(self.out, "# DECIDE: {question}");
    }

    fn head(&mut self, source: &str) {
        let operation = &self.proposal.operation;
        let id =
            operation.id.as_ref().map_or_else(String::new, |id| format!(" ({})", one_line(id)));
        let _ = writeln!(
            self.out,
            "# Proposed by `batchproof init` from {}: {} {}{id}.\n\
             # A document has names, not promises: answer each line with DECIDE, and then delete it.",
            one_line(source),
            operation.method,
            one_line(&operation.path),
        );
        let title = scalar(&self.proposal.title);
        let _ = writeln!(self.out, "title: {title}");
        let reference =
            json!({ "path": operation.path, "method": operation.method.to_lowercase() });
        let mut reference = reference;
        let (known, open): (Vec<_>, Vec<_>) =
            self.proposal.parameters.iter().partition(|parameter| parameter.value.is_some());
        if !open.is_empty() {
            let names: Vec<String> =
                open.iter().map(|p| format!("{} ({})", one_line(&p.name), p.place)).collect();
            let values: Vec<String> =
                open.iter().map(|p| format!("{}: VALUE", one_line(&p.name))).collect();
            self.decide(&format!(
                "parameters need values: {}. Write operation: {{ …, parameters: {{ {} }} }}",
                names.join(", "),
                values.join(", ")
            ));
            self.cannot.push(format!("parameters have no values: {}", names.join(", ")));
        }
        if !known.is_empty() {
            let values =
                known.iter().map(|p| (p.name.clone(), p.value.clone().unwrap_or_default()));
            reference["parameters"] = Value::Object(values.collect());
        }
        let _ = writeln!(self.out, "operation: {}\n", as_is(&reference));
    }

    fn places(&mut self) {
        let operation = &self.proposal.operation;
        match operation.form {
            ItemsForm::List => {
                self.line(
                    &format!("items: {}", place(&operation.items)),
                    "where the request holds the items",
                );
            }
            ItemsForm::Map => {
                let at = place(&operation.items);
                self.line(
                    &format!("items: {{ at: {at}, keyed: true }}"),
                    "a map: its keys are the caller's",
                );
                self.cannot.push(format!("items are a map, {}", operation.items));
            }
            ItemsForm::Lines => {
                self.line("items: { lines: [item] }", "a line of JSON for each item");
                self.cannot.push("items are lines of JSON".to_owned());
            }
        }
        self.results(operation.form);
        if !self.proposal.other_lists.is_empty() {
            let others = self.proposal.other_lists.join(", ");
            let _ = writeln!(self.out, "# The answer has other lists too: {}.", one_line(&others));
        }
        if let Some((item, result)) = &self.proposal.matching {
            let matching = json!({ "item": format!("/{item}"), "result": format!("/{result}") });
            self.line(
                &format!("match: {}", as_is(&matching)),
                "the result of an item has the same value there",
            );
        }
        if !self.proposal.beside.is_empty() {
            let beside = self.proposal.beside.join(", ");
            let _ = writeln!(
                self.out,
                "# The request requires more than its items: {}.",
                one_line(&beside)
            );
        }
    }

    fn results(&mut self, form: ItemsForm) {
        let usual = |place: &ResultsPlace| place.under.is_empty() || place.under == [200];
        match self.proposal.results.as_slice() {
            [] if form == ItemsForm::Lines => {
                self.line("results: { lines: true }", "a line for each item");
            }
            [] => {
                self.decide("the document shows no list of results in the answer. Where is it?");
                let _ = writeln!(self.out, "# results: results");
                self.cannot.push("the answer has no list of results".to_owned());
            }
            [only] if usual(only) && only.says.is_none() && !only.is_map => {
                self.line(
                    &format!("results: {}", place(&only.at)),
                    "where the answer holds a result for each item",
                );
            }
            places => {
                let written: Vec<String> = places.iter().map(Self::results_place).collect();
                let written = match written.as_slice() {
                    [only] => only.clone(),
                    several => format!("[{}]", several.join(", ")),
                };
                let comment = match places {
                    [_] => "where the answer holds the results, and its statuses",
                    _ => "accepted items are in one list, rejected ones in the other",
                };
                self.line(&format!("results: {written}"), comment);
                if let [one] = places
                    && one.is_map
                {
                    self.cannot.push(format!("results are a map, {}", one.at));
                }
            }
        }
    }

    fn results_place(place: &ResultsPlace) -> String {
        let mut parts = vec![format!("at: {}", scalar_or_empty(&place.at))];
        if let Some(says) = place.says {
            parts.push(format!("says: {}", if says { "accepted" } else { "rejected" }));
        }
        if !place.under.is_empty() && place.under != [200] {
            parts.push(format!("under: {}", as_is(&json!(place.under))));
        }
        if place.is_map {
            parts.push("keyed: true".to_owned());
        }
        format!("{{ {} }}", parts.join(", "))
    }

    fn key(&mut self) {
        let _ = writeln!(self.out);
        let Some(unique) = &self.proposal.unique else {
            self.decide("no field looks like a unique key. Name the one that must not be used twice, or say `none`.");
            self.line("unique: none", "");
            return;
        };
        let mut question =
            "may this value never be used twice, whatever else differs? What does a second item with it get?".to_owned();
        if !unique.others.is_empty() {
            let _ = write!(question, " It may also be: {}.", unique.others.join(", "));
        }
        self.decide(&one_line(&question));
        let name = match &unique.result {
            Some(result) => as_is(&json!({ "at": unique.field, "result": result })),
            None => scalar(&unique.field),
        };
        if unique.required {
            self.line(&format!("unique: {name}"), "the unique key of an item");
        } else {
            self.line(
                &format!("unique: {name}"),
                "the unique key of an item; its schema does not require it",
            );
        }
        if let Some(other) = unique.others.first() {
            let line = format!("# unique: [{name}, {}]", as_is(&json!({ "at": other })));
            self.line(&line, "the same, where both must be unique");
        }
        if self.proposal.echo.is_empty() && unique.result.is_some() {
            return;
        }
        if self.proposal.echo.is_empty() {
            self.line("echo: []", "a result repeats nothing of its item");
        } else {
            let echo = as_is(&json!(self.proposal.echo));
            self.line(&format!("echo: {echo}"), "what a result repeats of its item");
        }
    }

    fn verdict(&mut self) {
        let says = self.proposal.results.iter().any(|place| place.says.is_some());
        let Some(verdict) = &self.proposal.verdict else {
            if !says {
                self.decide("nothing in a result looks like a verdict. How does it say accepted or rejected?");
                let _ = writeln!(
                    self.out,
                    "# verdict: {{ field: status, accepted: OK, rejected: FAILED }}"
                );
                self.cannot.push("no field of a result says what became of its item".to_owned());
            }
            return;
        };
        if !verdict.sure {
            self.decide("which value says accepted, and which rejected?");
        }
        if let (
            VerdictValue::Is(Value::String(accepted)),
            VerdictValue::Is(Value::String(rejected)),
        ) = (&verdict.accepted, &verdict.rejected)
        {
            let value =
                json!({ "field": verdict.field, "accepted": accepted, "rejected": rejected });
            self.line(&format!("verdict: {}", as_is(&value)), "");
            return;
        }
        let matcher = |value: &VerdictValue| {
            let want = match value {
                VerdictValue::Is(value) => value.clone(),
                VerdictValue::IsOrAbsent(value) => json!([value, "absent"]),
                VerdictValue::Present => json!("present"),
                VerdictValue::Absent => json!("absent"),
                VerdictValue::Success(true) => json!("2xx"),
                VerdictValue::Success(false) => json!(["4xx", "5xx"]),
            };
            json!({ format!("/{}", escape(&verdict.field)): want })
        };
        let value = json!({ "accepted": matcher(&verdict.accepted), "rejected": matcher(&verdict.rejected) });
        self.line(&format!("verdict: {}", as_is(&value)), "");
    }

    fn errors(&mut self) {
        let parts: Vec<String> =
            [("code", &self.proposal.code), ("description", &self.proposal.description)]
                .into_iter()
                .filter_map(|(name, pointer)| Some(format!("{name}: {}", place(pointer.as_ref()?))))
                .collect();
        if !parts.is_empty() {
            self.line(&format!("error: {{ {} }}", parts.join(", ")), "where a result says why");
        }
        let elapsed: Vec<String> =
            [("item", &self.proposal.elapsed.0), ("total", &self.proposal.elapsed.1)]
                .into_iter()
                .filter_map(|(name, field)| Some(format!("{name}: {}", scalar(field.as_ref()?))))
                .collect();
        if !elapsed.is_empty() {
            self.line(&format!("elapsed: {{ {} }}", elapsed.join(", ")), "milliseconds");
        }
        let _ = writeln!(self.out);
        if self.proposal.codes.is_empty() {
            if self.proposal.code.is_some() {
                self.decide("the document shows no codes. Which one says that a mandatory field is missing, and which that a key was used?");
            }
            self.line("codes: {}", "CODE: { means: its text, cause: missing | used | invalid }");
            return;
        }
        self.decide("what provokes each code: missing (a mandatory field), used (the unique key), or invalid?");
        let _ = writeln!(self.out, "codes:");
        for code in &self.proposal.codes {
            let means =
                if code.means.is_empty() { "(the document does not say)" } else { &code.means };
            let line = format!(
                "  {}: {{ means: {}, cause: {} }}",
                quoted_if_number(&code.code),
                scalar(&shortened(means)),
                code.cause.unwrap_or("invalid"),
            );
            self.line(&line, if code.cause.is_none() { "a guess" } else { "" });
        }
    }

    fn rest(&mut self) {
        if !self.proposal.references.is_empty() {
            let _ = writeln!(self.out);
            self.decide("which of these must exist in the target beforehand? Their values belong in a profile.");
            self.line(&format!("references: {}", as_is(&json!(self.proposal.references))), "");
        }
        if !self.proposal.samples.is_empty() {
            let _ = writeln!(self.out, "\n# Values from the document's examples.\nsamples:");
            for (field, values) in &self.proposal.samples {
                let _ = writeln!(
                    self.out,
                    "  {}: {{ one-of: {} }}",
                    scalar(field),
                    as_is(&json!(values))
                );
            }
        }
        let _ = writeln!(self.out);
        if let Some(most) = self.proposal.most_items {
            self.line(&format!("limits: {{ batch-items: {most} }}"), "the document's maxItems");
        } else {
            self.decide("the largest batch that is processed as a whole.");
            self.line("# limits: { batch-items: 1000 }", "this is the default");
        }
    }

    fn promises(&mut self) {
        let _ = write!(
            self.out,
            "\n# batchproof requires besides (explain INTERPRETATION-NN says why). Does the API promise it too?\n\
             # - results are in the order of their items;\n\
             # - a batch with an invalid item is refused whole (400), or exactly that item is rejected;\n\
             # - a used key rejects its item, and of two equal keys in one batch the first is accepted;\n\
             # - unknown properties are accepted, unless the schema forbids them.\n"
        );
    }
}

/// A text that cannot end its comment.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A code as a key of YAML: all keys are texts there.
fn quoted_if_number(code: &str) -> String {
    if code.starts_with(|c: char| c.is_ascii_digit()) { format!("'{code}'") } else { scalar(code) }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 120;
    let mut short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
