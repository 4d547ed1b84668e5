//! Generation: valid items from the item schema, and mutations from the schema's own keywords.
//!
//! Reads the contract and a profile. It must not know requests, answers, rules or cases, and names no field
//! of any one endpoint: a draft says what an item is to be, its key is made when it is sent.

pub mod coverage;
mod draft;
mod item;
mod keys;
mod mutation;
mod plan;
mod random;
mod sample;
mod sequence;
mod stream;
mod unusual;
mod value_writer;

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub use draft::{Draft, KEY_PLACEHOLDER, KeyShape, RawField};
pub use keys::{
    CountSource, FoundKey, KeyBlock, KeyGenerator, KeyParts, KeyPrefixes, NONCE, default_run_id,
};
pub use mutation::{AppliedMutation, Change, Mutation, Promise};
pub use sample::SchemaSampler;
pub use sequence::{KeySource, SequenceItem, SequenceStep, StepKind, sequence, sequences};
pub use stream::{Stream, TextSpan};

use crate::contract::{Contract, FileError, Profile};
use item::ItemPlan;
pub use random::Random;

/// Whether keys have no form that their schema demands, so that they are found again wherever they are.
#[must_use]
pub fn has_everyday_keys(contract: &Contract) -> bool {
    keys::KeyForm::of(contract).is_none()
}

/// Draws valid batches and knows every mutation of them. Built once a run, shared by all workers.
pub struct Generator {
    core: Arc<GeneratorCore>,
    /// Made when they are first asked for: most runs of one's own cases never do.
    mutations: OnceLock<Vec<(&'static str, Vec<Mutation>)>>,
    coverage: coverage::CoverageMap,
    profile: Profile,
}

/// What drawing needs.
struct GeneratorCore {
    contract: Arc<Contract>,
    plan: ItemPlan,
}

/// How many items a batch has, and of which values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchShape {
    /// How many items.
    pub items: RangeInclusive<usize>,
    /// Which values.
    pub style: ValueStyle,
}

/// Which values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueStyle {
    /// Everyday values, as a bank sends them.
    Plain,
    /// Weight on bounds: lengths, signs, digits, calendars, offsets.
    Boundary,
    /// Valid strings of every kind that JSON can carry, in the unique number and the other echoed fields.
    Unusual,
}

/// Which optional fields an item has. What the profile omits is never there, what it demands always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionalFields<'a> {
    /// All of them.
    All,
    /// None of them.
    None,
    /// This one alone.
    Only(&'a str),
    /// Each two times out of three.
    Drawn,
}

impl Generator {
    /// Compiles the contract's item schema.
    ///
    /// # Errors
    /// A [`FileError`] where nothing satisfies the schema as far as can be seen, or where the profile's values
    /// do not.
    pub fn new(contract: Arc<Contract>, profile: &Profile) -> Result<Generator, FileError> {
        let plan = ItemPlan::new(&contract, profile)?;
        let core = Arc::new(GeneratorCore { contract, plan });
        core.try_out()?;
        let coverage =
            coverage::CoverageMap::of(&core, profile.limits.batch_items.unwrap_or(usize::MAX));
        let profile = profile.clone();
        Ok(Generator { core, mutations: OnceLock::new(), coverage, profile })
    }

    /// A batch: the same for the same seed and shape, always.
    #[must_use]
    pub fn batch(&self, seed: u64, shape: &BatchShape) -> Vec<Draft> {
        self.core.batch(seed, shape)
    }

    /// The same batch item by item.
    #[must_use]
    pub fn stream(&self, seed: u64, shape: &BatchShape) -> Stream<'_> {
        Stream::new(&self.core, seed, shape)
    }

    /// One everyday valid item.
    #[must_use]
    pub fn item(&self, seed: u64, with: OptionalFields<'_>) -> Draft {
        let mut random = Random::new(seed);
        self.core.plan.draw(&self.core.contract, &mut random, ValueStyle::Plain, with)
    }

    /// The simplest everyday value of a field; none where items have no such field, or it is the unique one.
    #[must_use]
    pub fn simplest(&self, field: &str) -> Option<Value> {
        self.core.plan.fields.iter().find(|f| f.name == field).map(|f| f.plain.simplest())
    }

    /// Whether every item has the field: the schema, an interpretation or the profile demands it.
    #[must_use]
    pub fn always_has(&self, field: &str) -> bool {
        field == self.core.contract.batch.unique
            || self.core.plan.fields.iter().any(|f| f.name == field && f.always)
    }

    /// Every concrete mutation of that name, in a fixed order; none where there is no such name. A name can
    /// be known and have no mutation under this contract and profile.
    #[must_use]
    pub fn mutations(&self, name: &str) -> Option<&[Mutation]> {
        let all = self.mutations.get_or_init(|| mutation::catalogue(&self.core));
        all.iter().find(|(n, _)| *n == name).map(|(_, list)| list.as_slice())
    }

    /// All names of mutations, each with a sentence about it.
    #[must_use]
    pub fn names() -> &'static [(&'static str, &'static str)] {
        mutation::NAMES
    }

    /// What a request can hold, as far as the request schema tells it apart.
    #[must_use]
    pub fn coverage(&self) -> &coverage::CoverageMap {
        &self.coverage
    }

    /// The profile that it generates for.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The contract that it generates for.
    #[must_use]
    pub fn contract(&self) -> &Arc<Contract> {
        &self.core.contract
    }
}

impl GeneratorCore {
    fn batch(&self, seed: u64, shape: &BatchShape) -> Vec<Draft> {
        Stream::new(self, seed, shape).collect()
    }

    /// Draws a few items of each style, so that a schema that can't be met is reported before a run begins.
    fn try_out(&self) -> Result<(), FileError> {
        for style in [ValueStyle::Plain, ValueStyle::Boundary, ValueStyle::Unusual] {
            for draft in self.batch(1, &BatchShape { items: 24..=24, style }) {
                if !item::fits(&self.contract, &draft) {
                    let item: Value = draft.with_key(&self.contract, item::specimen(&draft.key));
                    return Err(FileError::new(
                        "the item schema",
                        format!("a drawn item breaks it: {item}"),
                    )
                    .expected("an item schema whose fields can be drawn one by one"));
                }
            }
        }
        Ok(())
    }
}
