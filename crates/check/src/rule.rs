//! What a rule is, and what it says.

use crate::contract::Level;

use super::exchange_view::{ExchangeView, ExecutionView, ItemView};
use super::finding::Verdict;
use super::run_tally::{ProbeResult, RunTally};

/// A requirement that answers are held against.
pub struct Rule {
    /// Permanent id: never reused, never renumbered.
    pub id: &'static str,
    /// What a contradiction weighs.
    pub level: Level,
    /// The requirement, as a sentence.
    pub title: &'static str,
    /// Where it comes from: `INTERPRETATION-NN`, an RFC section, or a role in the OpenAPI document.
    pub cite: &'static str,
    /// What it requires, why it matters, and an example.
    pub doc: &'static str,
    /// Rules whose failure on the same item or exchange makes this one not applicable there.
    pub needs: &'static [&'static str],
    /// How it is judged.
    pub check: Check,
}

/// How a rule is judged; its scope with it.
pub enum Check {
    /// An item beside its result.
    Item(fn(&ItemView<'_>) -> Verdict),
    /// An exchange.
    Exchange(fn(&ExchangeView<'_>) -> Verdict),
    /// The exchanges of one execution of a case.
    Execution(fn(&ExecutionView<'_>) -> Verdict),
    /// The tallies of a run.
    Run(fn(&RunTally) -> Verdict),
    /// What became of plain batches that a run sent one by one, because answers had got lost.
    Probe(fn(ProbeResult) -> Verdict),
    /// By what cases expect under its name, and nothing else.
    Asserted,
}

/// What a rule sees.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// An item beside its result.
    Item,
    /// An exchange.
    Exchange,
    /// The exchanges of one execution of a case.
    #[serde(alias = "trial")]
    Execution,
    /// The tallies of a run.
    Run,
}

impl Rule {
    /// Whether it is about credentials: what a target remembers of a connection may decide it.
    #[must_use]
    pub fn is_about_credentials(&self) -> bool {
        self.family() == "AUTH"
    }

    /// Whether it is judged on what became of requests that a run sent one by one.
    #[must_use]
    pub fn is_judged_by_probe(&self) -> bool {
        matches!(self.check, Check::Probe(_))
    }

    /// The family: the id's first part.
    #[must_use]
    pub fn family(&self) -> &'static str {
        self.id.split('-').next().unwrap_or(self.id)
    }

    /// Whether its failure is about the whole answer, whichever item shows it.
    #[must_use]
    pub fn concerns_whole_answer(&self) -> bool {
        self.family() == "ORDER" || self.id == "RACE-002"
    }

    /// What it sees.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self.check {
            Check::Item(_) => Scope::Item,
            Check::Exchange(_) => Scope::Exchange,
            Check::Execution(_) | Check::Asserted => Scope::Execution,
            Check::Run(_) | Check::Probe(_) => Scope::Run,
        }
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}
