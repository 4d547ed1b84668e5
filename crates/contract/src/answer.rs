//! Bodies of answers: their documented media types, and their JSON, whole or a line for each result.
//!
//! It must not know what a result means.

use serde_json::Value;

use crate::Contract;
use crate::json::{Document, read_leniently};

impl Contract {
    /// The documented media type of answers with a status.
    #[must_use]
    pub fn answer_media(&self, status: u16) -> &str {
        self.operation.responses.get(&status).map_or("application/json", |body| &body.media)
    }

    /// The media type of answers to a batch that was processed.
    #[must_use]
    pub fn success_media(&self) -> &str {
        let statuses = self.shape.as_ref().map_or_else(|| vec![200], |shape| shape.statuses(200));
        statuses.first().map_or("application/json", |status| self.answer_media(*status))
    }

    /// The JSON of an answer; where each of its lines is a result, the list of them.
    ///
    /// # Errors
    /// Where it is not JSON; the error of the first line that is not.
    pub fn answer_json(&self, status: u16, body: &[u8]) -> Result<Document, serde_json::Error> {
        if !self.shape.as_ref().is_some_and(|shape| shape.answers_in_lines(status)) {
            return Document::read(body);
        }
        let mut whole = Document { value: Value::Null, repeated: None };
        let mut lines = Vec::new();
        for line in body.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let Document { value, repeated } = Document::read(line)?;
            lines.push(value);
            whole.repeated = whole.repeated.or(repeated);
        }
        whole.value = Value::Array(lines);
        Ok(whole)
    }

    /// The body of an answer under a status that is JSON by its grammar, though our parser does not read it.
    #[must_use]
    pub fn answer_leniently(&self, status: u16, body: &[u8]) -> Option<Value> {
        if !self.shape.as_ref().is_some_and(|shape| shape.answers_in_lines(status)) {
            return read_leniently(body);
        }
        let lines = body.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let values = lines.map(|line| match Document::read(line) {
            Ok(document) => Some(document.value),
            Err(_) => read_leniently(line),
        });
        values.collect::<Option<Vec<Value>>>().map(Value::Array)
    }
}
