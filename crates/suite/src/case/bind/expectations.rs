//! Error codes of the contract in the place of causes, in what a case expects.

use super::{Binder, Unbound};
use crate::case::{BodyPin, Expect, Outcome, Results};
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
            if let BodyPin::Equals(value) = &mut pin {
                *value = self.value(value)?;
            }
            expect.body.insert(self.text(&pointer)?, pin);
        }
        Ok(())
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
