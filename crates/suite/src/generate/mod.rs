//! Generation: valid items from the item schema, and mutations from the schema's own keywords.
//!
//! Reads the contract and a profile. It must not know requests, answers, rules or cases, and names no field
//! of any one endpoint: a draft says what an item is to be, its unique number is minted by whoever sends it.

pub mod coverage;
mod draft;
mod item;
mod mint;
mod minted;
mod mutation;
mod plan;
mod random;
mod sequence;
mod sink;
mod stream;
mod tree;
mod unusual;

#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use proptest::strategy::ValueTree;
use serde_json::Value;

pub use draft::{Draft, NUMBER_PLACE, NumberShape, Raw};
pub use mint::{Mint, Numbers, default_run_id};
pub use minted::{Minted, Prefixes};
pub use mutation::{Change, Mutated, Mutation, Promise};
pub use sequence::{Manner, Origin, Part, Turn, sequence, sequences};
pub use stream::{Place, Stream};
pub use tree::{Batches, cut_text};

use crate::contract::validity::ExpectedOutcome;
use crate::contract::{Contract, Problem, Profile};
use item::ItemPlan;
use random::Random;

/// Draws valid batches and knows every mutation of them. Built once a run, shared by all workers.
pub struct Generator {
    core: Arc<Core>,
    /// Made when they are first asked for: most runs of one's own cases never do.
    mutations: OnceLock<Vec<(&'static str, Vec<Mutation>)>>,
    cells: coverage::Cells,
    profile: Profile,
}

/// What a value tree keeps hold of.
struct Core {
    contract: Arc<Contract>,
    plan: ItemPlan,
}

/// What a batch is to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// How many items.
    pub items: RangeInclusive<usize>,
    /// Which values.
    pub style: Style,
}

/// Which values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Everyday values, as a bank sends them.
    Plain,
    /// Weight on bounds: lengths, signs, digits, calendars, offsets.
    Boundary,
    /// Valid strings of every kind that JSON can carry, in the unique number and the other echoed fields.
    Unusual,
}

/// Which optional fields an item has. What the profile omits is never there, what it demands always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Optional<'a> {
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
    /// A [`Problem`] where nothing satisfies the schema as far as can be seen, or where the profile's values
    /// do not.
    pub fn new(contract: Arc<Contract>, profile: &Profile) -> Result<Generator, Problem> {
        let plan = ItemPlan::new(&contract, profile)?;
        let core = Arc::new(Core { contract, plan });
        core.try_out()?;
        let cells = coverage::Cells::of(&core, profile.limits.batch_items.unwrap_or(usize::MAX));
        Ok(Generator { core, mutations: OnceLock::new(), cells, profile: profile.clone() })
    }

    /// A batch: the same for the same seed and shape, always.
    #[must_use]
    pub fn batch(&self, seed: u64, shape: &Shape) -> Vec<Draft> {
        self.core.batch(seed, shape)
    }

    /// The same batch item by item.
    #[must_use]
    pub fn stream(&self, seed: u64, shape: &Shape) -> Stream<'_> {
        Stream::new(&self.core, seed, shape)
    }

    /// The same batch as a tree that shrinks: items away first, then optional fields, then each field to its
    /// simplest valid value.
    #[must_use]
    pub fn tree(&self, seed: u64, shape: &Shape) -> Box<dyn ValueTree<Value = Vec<Draft>>> {
        Box::new(tree::BatchTree::new(self.core.clone(), seed, shape))
    }

    /// Batches of that shape as a proptest strategy.
    #[must_use = "a strategy does nothing unless used"]
    pub fn batches(&self, shape: Shape) -> Batches {
        Batches::new(self.core.clone(), shape)
    }

    /// One everyday valid item.
    #[must_use]
    pub fn item(&self, seed: u64, with: Optional<'_>) -> Draft {
        let mut random = Random::new(seed);
        self.core.plan.draw(&self.core.contract, &mut random, Style::Plain, with)
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
    pub fn cells(&self) -> &coverage::Cells {
        &self.cells
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

impl Core {
    fn batch(&self, seed: u64, shape: &Shape) -> Vec<Draft> {
        Stream::new(self, seed, shape).collect()
    }

    /// Whether the contract wants a draft accepted, at whatever level.
    fn is_due(&self, draft: &Draft) -> bool {
        let item = draft.with_number(&self.contract, item::specimen(&draft.number));
        matches!(self.contract.item_validity(&item).expected_outcome(), ExpectedOutcome::Accept(_))
    }

    /// Draws a few items of each style, so that a schema that can't be met is reported before a run begins.
    fn try_out(&self) -> Result<(), Problem> {
        for style in [Style::Plain, Style::Boundary, Style::Unusual] {
            for draft in self.batch(1, &Shape { items: 24..=24, style }) {
                if !item::fits(&self.contract, &draft) {
                    let item: Value =
                        draft.with_number(&self.contract, item::specimen(&draft.number));
                    return Err(Problem::new(
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
