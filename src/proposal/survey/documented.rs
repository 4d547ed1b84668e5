//! Whether a documented operation takes a batch, and how likely that is.

use serde_json::Value;

use super::{
    ASIDE, BatchOperation, DEEPEST, ItemsForm, READING, answer, is_fixed, is_json, lists_of,
};
use crate::contract::SchemaDocument;
use crate::contract::validity::escape;
use crate::proposal::view::{self, SchemaShape};
use crate::proposal::words::{MANY, READS, REMOVES, has, judges, speaks, words};

/// A list of objects in a request.
struct FoundList<'a> {
    pointer: String,
    items: &'a Value,
    form: ItemsForm,
}

/// One operation of the document.
pub(super) struct DocumentedOperation<'a> {
    pub(super) document: &'a SchemaDocument,
    pub(super) operation: &'a Value,
    pub(super) path: &'a str,
    pub(super) method: &'static str,
}

impl<'a> DocumentedOperation<'a> {
    pub(super) fn id(&self) -> Option<&'a str> {
        self.operation.get("operationId").and_then(Value::as_str)
    }

    pub(super) fn name(&self) -> String {
        let name = format!("{} {}", self.method.to_uppercase(), self.path);
        self.id().map_or(name.clone(), |id| format!("{name} ({id})"))
    }

    /// What the operation takes, or why it takes no batch.
    pub(super) fn look(&self) -> Result<BatchOperation, String> {
        if matches!(self.method, "get" | "head" | "options" | "trace") {
            return Err("reads only".to_owned());
        }
        let body = self.operation.get("requestBody").map(|body| self.document.resolve(body));
        let content = body.and_then(|body| body.get("content")).and_then(Value::as_object);
        let Some(content) = content.filter(|content| !content.is_empty()) else {
            return Err("the request has no body".to_owned());
        };
        if let Some(found) = self.lines(body, content) {
            return Ok(found);
        }
        let json = content.iter().find(|(media, _)| is_json(media));
        let Some((_, media)) = json else {
            let first = content.keys().next().map_or("nothing", String::as_str);
            return Err(format!("the request is {first}, not JSON"));
        };
        let Some(schema) = self.document.resolve(media).get("schema") else {
            return Err("the request's JSON has no schema".to_owned());
        };
        self.json(schema)
    }

    /// An operation that takes a line of JSON for each item.
    fn lines(
        &self,
        body: Option<&Value>,
        content: &serde_json::Map<String, Value>,
    ) -> Option<BatchOperation> {
        const LINES: &[&str] = &["ndjson", "jsonl", "json-seq", "jsonlines", "x-ldjson"];
        let by_media = content.keys().any(|media| speaks(media, LINES));
        let texts = [body.map(view::description), Some(view::description(self.operation))];
        let spoken = texts.into_iter().flatten().any(|text| {
            speaks(
                text,
                &[
                    "jsonl",
                    "ndjson",
                    "newline delimited json",
                    "newline-delimited json",
                    "json lines",
                ],
            )
        });
        let binary = ["application/octet-stream", "text/plain", "text/x-ndjson"];
        let by_words = spoken && content.keys().any(|media| binary.contains(&media.as_str()));
        if !by_media && !by_words {
            return None;
        }
        let mut found = self.found(String::new(), ItemsForm::Lines);
        found.score += 6;
        found.reasons.push("the request has a line for each item");
        self.judge_name(&mut found);
        Some(found)
    }

    fn found(&self, items: String, form: ItemsForm) -> BatchOperation {
        BatchOperation {
            method: self.method.to_uppercase(),
            path: self.path.to_owned(),
            id: self.id().map(str::to_owned),
            pointer: format!("/paths/{}/{}", escape(self.path), self.method),
            items,
            form,
            score: 0,
            reasons: Vec::new(),
        }
    }

    fn json(&self, schema: &'a Value) -> Result<BatchOperation, String> {
        let document = self.document;
        match view::shape(document, schema) {
            SchemaShape::List(items) => {
                if !view::is_object(document, items) {
                    return Err("the request is a list, but not of objects".to_owned());
                }
                let mut found = self.found(String::new(), ItemsForm::List);
                found.score += 4;
                found.reasons.push("the request is a list of objects");
                self.judge_name(&mut found);
                self.judge_answer(&mut found, None, items);
                Ok(found)
            }
            SchemaShape::Object => self.object(schema),
            SchemaShape::Map(_) => Err("the request is a map without properties".to_owned()),
            SchemaShape::Scalar(_) | SchemaShape::Unknown => {
                Err("the request is not an object or a list".to_owned())
            }
        }
    }

    fn object(&self, schema: &'a Value) -> Result<BatchOperation, String> {
        let document = self.document;
        let all: Vec<_> = view::properties(document, schema)
            .into_iter()
            .filter(|property| !view::is_read_only(property.schema) && !has(property.name, ASIDE))
            .collect();
        let depth = if self.is_about_many() { DEEPEST } else { 0 };
        let mut lists = Vec::new();
        self.lists(schema, "", depth, &mut lists);
        let best = lists.iter().map(|list| {
            let mut found = self.found(list.pointer.clone(), list.form);
            let first = list.pointer.split('/').nth(1).unwrap_or_default();
            let is_it = |name: &str| escape(name) == first;
            let required = all.iter().any(|p| p.required && is_it(p.name));
            let others = all.iter().filter(|p| p.required && !is_it(p.name));
            let others = others.filter(|p| !is_fixed(document, p.schema)).count();
            let alone = all.len() == 1;
            if alone {
                found.score += 4;
                found.reasons.push("the request has nothing but a list of objects");
            } else if required && others == 0 {
                found.score += 3;
                found.reasons.push("nothing but the list is required");
            }
            found.score -= 2 * i32::try_from(others.min(4)).unwrap_or(4);
            if !alone && !self.is_about_many() {
                found.score -= i32::try_from(all.len().saturating_sub(1).min(4)).unwrap_or(4);
            }
            if lists.len() > 1 && !required {
                found.score -= 2;
            }
            self.judge_name(&mut found);
            self.judge_answer(&mut found, list.pointer.strip_prefix('/'), list.items);
            found
        });
        // Of equal ones the first.
        let best = best.rev().max_by_key(|found| found.score);
        best.ok_or_else(|| "the request has no list of objects".to_owned())
    }

    /// The lists of objects among the properties of an object, and in objects within them.
    fn lists(&self, schema: &'a Value, at: &str, depth: usize, found: &mut Vec<FoundList<'a>>) {
        let document = self.document;
        for property in view::properties(document, schema) {
            if view::is_read_only(property.schema) || has(property.name, ASIDE) {
                continue;
            }
            let pointer = format!("{at}/{}", escape(property.name));
            match view::shape(document, property.schema) {
                SchemaShape::List(items) if view::is_object(document, items) => {
                    found.push(FoundList { pointer, items, form: ItemsForm::List });
                }
                SchemaShape::Map(items)
                    if view::is_object(document, items) && self.is_about_many() =>
                {
                    found.push(FoundList { pointer, items, form: ItemsForm::Map });
                }
                SchemaShape::Object if depth > 0 => {
                    self.lists(property.schema, &pointer, depth - 1, found);
                }
                _ => {}
            }
        }
    }

    /// Whether its name says that it takes many at once.
    fn is_about_many(&self) -> bool {
        has(self.path, MANY) || self.id().is_some_and(|id| has(id, MANY))
    }

    fn judge_name(&self, found: &mut BatchOperation) {
        let id = self.id().unwrap_or_default();
        let summary = self.operation.get("summary").and_then(Value::as_str).unwrap_or_default();
        let last = self.path.rsplit('/').find(|step| !step.starts_with('{')).unwrap_or_default();
        // The end of a path says what is done, and the beginning of an id.
        let verb = words(id).into_iter().find(|word| !MANY.contains(&word.as_str()));
        let is = |list: &[&str]| {
            has(last, list) || verb.as_deref().is_some_and(|verb| list.contains(&verb))
        };
        if self.is_about_many() {
            found.score += 5;
            found.reasons.push("its name says that it takes many at once");
        } else if has(summary, MANY) {
            found.score += 3;
            found.reasons.push("its summary says that it takes many at once");
        }
        if is(READS) {
            found.score -= READING;
        }
        // One thing that is changed, and has a list.
        if self.path.ends_with('}') && !self.is_about_many() {
            found.score -= READING;
        }
        if is(REMOVES) {
            found.score -= 3;
        }
        if self.method == "delete" {
            found.score -= 3;
        }
        if self.operation.get("deprecated") == Some(&Value::Bool(true)) {
            found.score -= 2;
        }
    }

    /// A batch is answered with a list.
    fn judge_answer(&self, found: &mut BatchOperation, property: Option<&str>, items: &'a Value) {
        let document = self.document;
        let Some(schema) = answer(document, self.operation) else {
            found.score -= 4;
            return;
        };
        let has_status =
            |code: &str| self.operation.get("responses").is_some_and(|r| r.get(code).is_some());
        if has_status("207") {
            found.score += 3;
            found.reasons.push("it answers 207, with a status for each item");
        }
        let lists: Vec<(&str, &Value)> = lists_of(document, schema);
        if lists.is_empty() {
            found.score -= 4;
            return;
        }
        found.score += 2;
        found.reasons.push("the answer has a list of objects");
        // What was made is one thing with an identity of its own.
        let is_one = |name: &str| {
            let words = words(name);
            words.len() == 1
                && ["id", "uid", "sha", "url", "slug", "metadata"].contains(&&*words[0])
        };
        if view::properties(document, schema).iter().any(|p| is_one(p.name)) {
            found.score -= 4;
        }
        if lists.iter().any(|(name, _)| property.is_some_and(|p| p.eq_ignore_ascii_case(name))) {
            found.score += 2;
            found.reasons.push("the answer repeats the list of the request");
        }
        let of_items: Vec<&str> =
            view::properties(document, items).iter().map(|p| p.name).collect();
        if of_items.len() < 2 {
            found.score -= 1;
        }
        let of_results = lists.iter().flat_map(|(_, result)| view::properties(document, result));
        let of_results: Vec<&str> = of_results.map(|p| p.name).collect();
        if of_results.iter().any(|name| of_items.contains(name)) {
            found.score += 1;
            found.reasons.push("results repeat fields of their items");
        }
        if of_results.iter().any(|name| {
            judges(name).is_some() || has(name, &["status", "result", "outcome", "verdict", "code"])
        }) {
            found.score += 2;
            found.reasons.push("results say what became of their items");
        }
    }
}
