//! Values of any schema of any document, and what breaks it: without a contract, an endpoint or a profile.

use std::sync::Arc;

use jsonschema::Validator;
use serde_json::Value;

use super::mutation::{self, Mutation, SchemaSubject};
use super::plan::{Compiler, ValuePlan};
use super::random::Random;
use crate::contract::{FileError, Limits, SchemaDocument};

/// Draws values of one schema.
pub struct SchemaSampler {
    document: SchemaDocument,
    schema: Value,
    plan: ValuePlan,
    judge: Arc<Validator>,
    limits: Limits,
}

impl SchemaSampler {
    /// A sampler of the schema at `pointer` of the file.
    ///
    /// # Errors
    /// A [`FileError`] where nothing stands there, or nothing can be drawn; it names the keyword.
    pub fn new(document: SchemaDocument, pointer: &str) -> Result<SchemaSampler, FileError> {
        if pointer.is_empty() && !document.is_alone() {
            return Err(FileError::new(document.file(), "the document is no schema").expected(
                "--pointer with the place of a schema, such as /components/schemas/Item",
            ));
        }
        let place = document.place(pointer).ok_or_else(|| {
            FileError::new(document.file(), "nothing stands here")
                .pointer(pointer)
                .expected("a JSON pointer to a schema, such as /components/schemas/Item")
        })?;
        let schema = document.value().pointer(&place).cloned().unwrap_or(Value::Bool(true));
        let original = document.compile_original().filter(|_| pointer.is_empty()).map(Arc::new);
        if let Some(problem) = document.dynamic().filter(|_| original.is_none()) {
            return Err(problem.clone());
        }
        let judge = match &original {
            Some(judge) => Arc::clone(judge),
            None => Arc::new(document.compile_request(&schema)?),
        };
        let limits = Limits::default();
        let compiler = Compiler::of_document(&document, &limits).judged_by(original);
        let plan = compiler.plan(&place, &schema)?;
        Ok(SchemaSampler { document, schema, plan, judge, limits })
    }

    /// The `nth` value of a seed: everyday ones and ones at bounds take turns. The first is the simplest.
    #[must_use]
    pub fn value(&self, seed: u64, nth: u64) -> Value {
        if nth == 0 {
            return self.plan.simplest();
        }
        let mut random = Random::new(seed ^ nth.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.plan.draw(&mut random, nth.is_multiple_of(2))
    }

    /// Everything that breaks the schema at one place, with the value that does.
    #[must_use]
    pub fn mutations(&self) -> Vec<(Mutation, Value)> {
        let full = self.full();
        let subject = SchemaSubject {
            document: &self.document,
            schema: &self.schema,
            judge: &self.judge,
            limits: &self.limits,
        };
        let all = mutation::of_schema(subject, full.clone()).into_iter();
        all.filter_map(|mutation| mutation.changed(&full).map(|value| (mutation, value))).collect()
    }

    /// A valid value with as much in it as can be.
    fn full(&self) -> Value {
        let full = self.plan.full();
        if self.judge.is_valid(&full) { full } else { self.plan.simplest() }
    }
}
