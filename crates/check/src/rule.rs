//! What a rule is, and what it says.

use crate::contract::Level;

use super::exchange_view::{ExchangeView, ExecutionView, ItemView};
use super::finding::{Symptom, Verdict};
use super::run_tally::{ProbeResult, RunTally};

/// A requirement that answers are checked for.
pub struct Rule {
    /// Permanent id: never reused, never renumbered.
    pub id: &'static str,
    /// What a contradiction weighs.
    pub level: Level,
    /// The requirement, as a sentence.
    pub title: &'static str,
    /// Where it comes from: `INTERPRETATION-NN`, an RFC section, or a role in the OpenAPI document.
    pub cite: &'static str,
    /// What it requires and why it matters.
    pub doc: &'static str,
    /// What is sent, and a right and a wrong answer to it: `sent`, `right` and `wrong`, each with indented lines below it.
    pub example: &'static str,
    /// Rules whose failure on the same item or exchange makes this one not applicable there.
    pub needs: &'static [&'static str],
    /// How it is judged.
    pub check: Check,
    /// Findings of other rules that its failure accounts for.
    pub explains: &'static [Explains],
    /// Which of its findings are one problem.
    pub grouping: Grouping,
    /// Whether its failure is about the whole answer, whichever item shows it.
    pub concerns_whole_answer: bool,
    /// Whether it fails once for an answer, however many items show it.
    pub fails_once_per_answer: bool,
    /// Whether a server without faults may never give it anything to judge.
    pub may_lack_occasion: bool,
    /// The headers of answers that it is about, in lower case.
    pub headers: &'static [&'static str],
}

/// Findings of other rules that a confirmed failure of this one accounts for: they are not problems of their own.
///
/// A rule never accounts for a finding of a higher level.
#[derive(Debug, Clone, Copy)]
pub struct Explains {
    /// What these findings show; nothing where it may be anything.
    pub symptom: Option<Symptom>,
    /// The rules that make them.
    pub by: By,
    /// Where it does.
    pub reach: Reach,
}

impl Explains {
    /// Whatever the rules find that need this one, themselves or by way of others.
    pub(crate) const DEPENDENTS: Explains =
        Explains { symptom: None, by: By::Dependents, reach: Reach::Run };

    /// Findings of any rule.
    pub(crate) const fn any(symptom: Symptom) -> Explains {
        Explains { symptom: Some(symptom), by: By::Any, reach: Reach::Run }
    }

    /// Findings of these rules.
    pub(crate) const fn of(symptom: Symptom, rules: &'static [&'static str]) -> Explains {
        Explains { symptom: Some(symptom), by: By::Rules(rules), reach: Reach::Run }
    }

    /// Findings of any rule, as long as chance accounts for how often they showed.
    pub(crate) const fn by_chance(symptom: Symptom) -> Explains {
        Explains { symptom: Some(symptom), by: By::Any, reach: Reach::RunByChance }
    }

    /// Findings of any rule in the same execution, from the same exchange on.
    pub(crate) const fn in_execution(symptom: Symptom) -> Explains {
        Explains { symptom: Some(symptom), by: By::Any, reach: Reach::Execution }
    }
}

/// The rules whose findings another one accounts for.
#[derive(Debug, Clone, Copy)]
pub enum By {
    /// Any rule.
    Any,
    /// Those that need it, themselves or by way of others.
    Dependents,
    /// These.
    Rules(&'static [&'static str]),
}

/// How far the failure of a rule accounts for findings of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere in the run.
    Run,
    /// Anywhere in the run, as long as chance accounts for how often they showed.
    RunByChance,
    /// In the same execution, from the same exchange on.
    Execution,
}

/// Which findings of a rule are one problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// Those of one place and kind of difference.
    ByKind,
    /// Those of one place.
    ByPlace,
    /// Those of one place and kind, and those of the other rules of this group: what they say of a target is the
    /// same, and which of them says it depends on the request alone.
    Shared(&'static str),
    /// Those that show one change of texts, in any field, and those of other rules that are grouped so: a service that
    /// trims texts does it everywhere. Others are grouped by their kind.
    ByChange,
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
    /// What a rule says of itself where it says nothing: literals are completed with it.
    pub(crate) const BASE: Rule = Rule {
        id: "",
        level: Level::Must,
        title: "",
        cite: "",
        doc: "",
        example: "",
        needs: &[],
        check: Check::Asserted,
        explains: &[],
        grouping: Grouping::ByKind,
        concerns_whole_answer: false,
        fails_once_per_answer: false,
        may_lack_occasion: false,
        headers: &[],
    };

    /// Whether it is judged on what became of requests that a run sent one by one.
    #[must_use]
    pub fn is_judged_by_probe(&self) -> bool {
        matches!(self.check, Check::Probe(_))
    }

    /// The family: the id's first part.
    #[must_use]
    pub fn family(&self) -> &'static str {
        family_of(self.id)
    }

    /// Whether its failure accounts for others only as far as chance does.
    #[must_use]
    pub fn explains_by_chance(&self) -> bool {
        self.explains.iter().any(|e| e.reach == Reach::RunByChance)
    }

    /// Whether its failure accounts for findings of the same execution that show this.
    #[must_use]
    pub fn explains_in_execution(&self, symptom: Symptom) -> bool {
        self.explains.iter().any(|e| e.reach == Reach::Execution && e.symptom == Some(symptom))
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

/// The family of a rule by its id: the first part.
#[must_use]
pub fn family_of(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}
