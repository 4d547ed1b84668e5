//! Error codes of the contract in the place of causes, in what a case expects.

use std::sync::Arc;

use jsonschema::Validator;

use super::{Binder, Unbound};
use crate::case::{Expect, HeaderPin, Outcome, Results, SchemaPin};
use crate::contract::CodeCause;

impl Binder<'_> {
    pub(super) fn expect(&self, expect: &mut Expect) -> Result<(), Unbound> {
        let line = expect.line;
        if let Some(code) = &mut expect.refused {
            self.code(code, line)?;
        }
        match &mut expect.results {
            None => {}
            Some(Results::All(outcome)) => self.outcome(outcome, line)?,
            Some(Results::Each(list)) => {
                list.iter_mut().try_for_each(|outcome| self.outcome(outcome, line))?;
            }
            Some(Results::ExactlyOne { one, others }) => {
                self.outcome(one, line)?;
                self.outcome(others, line)?;
            }
        }
        let pins = std::mem::take(&mut expect.body);
        for (pointer, mut pin) in pins {
            for value in pin.values_mut() {
                *value = self.value(value)?;
            }
            expect.body.insert(self.text(&pointer)?, pin);
        }
        for value in expect.headers.values_mut().flat_map(HeaderPin::values_mut) {
            *value = self.value(value)?;
        }
        let schemas: Vec<_> = expect.schemas_mut().collect();
        for pin in schemas {
            pin.validator = Some(self.validator(pin, line)?);
        }
        Ok(())
    }

    /// A schema of an expectation, compiled inside the OpenAPI document.
    fn validator(&self, pin: &SchemaPin, line: u64) -> Result<Arc<Validator>, Unbound> {
        let operation = &self.contract.operation;
        let schema = pin.schema();
        let written = pin.written.as_str();
        if let Some(pointer) = written
            && std::ptr::eq(operation.resolve(&schema), &raw const schema)
        {
            let problem = self
                .case
                .problem_from(
                    line,
                    format!("{} has nothing at `{pointer}`", operation.file()),
                    pointer,
                )
                .expected("a pointer to a schema of the OpenAPI document")
                .nearest(pointer, operation.schema_pointers());
            return Err(problem.into());
        }
        operation.compile(&schema).map(Arc::new).map_err(|error| {
            let problem = self.case.problem_from(line, error.found, written.unwrap_or("schema"));
            problem.expected("a JSON Schema 2020-12; `$ref` reaches the OpenAPI document").into()
        })
    }

    fn outcome(&self, outcome: &mut Outcome, line: u64) -> Result<(), Unbound> {
        match outcome {
            Outcome::Rejected(code) => self.code(code, line),
            Outcome::Accepted | Outcome::Any => Ok(()),
        }
    }

    /// A cause becomes the code that the contract documents for it; without one, any code fits.
    fn code(&self, code: &mut Option<String>, line: u64) -> Result<(), Unbound> {
        let Some(word) = code.take() else { return Ok(()) };
        let codes = &self.contract.batch.codes;
        let cause = match word.as_str() {
            "used" => Some(CodeCause::Used),
            "missing" => Some(CodeCause::Missing),
            _ => None,
        };
        match cause {
            _ if codes.contains_key(&word) => *code = Some(word),
            // Which of several codes fits depends on the field, which CODE-003 looks at.
            Some(cause) if codes.values().any(|c| c.cause == cause && c.field.is_some()) => {}
            Some(cause) => *code = self.contract.code_for(cause).map(str::to_owned),
            None => {
                let known = codes.keys().map(String::as_str).chain(["used", "missing"]);
                let found = format!("the contract has no error code `{word}`");
                let problem = self.case.problem_from(line, found, &word);
                let problem = problem.expected(
                    "a code of the contract or of the profile, or a cause: used, missing",
                );
                return Err(problem.nearest(&word, known).into());
            }
        }
        Ok(())
    }
}
