//! What a rule is, and what it says.

use crate::contract::Level;

use super::tally::{Alone, Tally};
use super::view::{ExchangeView, ItemView, TrialView};

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
    /// The exchanges of one run of one case.
    Trial(fn(&TrialView<'_>) -> Verdict),
    /// The tallies of a run.
    Run(fn(&Tally) -> Verdict),
    /// What became of plain batches that a run sent one by one, because answers had got lost.
    Asked(fn(Alone) -> Verdict),
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
    /// The exchanges of one run of one case.
    Trial,
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
    pub fn is_about_asking(&self) -> bool {
        matches!(self.check, Check::Asked(_))
    }

    /// The family: the id's first part.
    #[must_use]
    pub fn family(&self) -> &'static str {
        self.id.split('-').next().unwrap_or(self.id)
    }

    /// Whether its failure is about the whole answer, whichever item shows it.
    #[must_use]
    pub fn concerns_all(&self) -> bool {
        self.family() == "ORDER" || self.id == "RACE-002"
    }

    /// Whether it needs that rule, itself or by way of others.
    #[must_use]
    pub fn relies_on(&self, id: &str) -> bool {
        let mut needed: Vec<&str> = self.needs.to_vec();
        let mut at = 0;
        while let Some(next) = needed.get(at).copied() {
            for further in super::rules::find(next).map_or(&[][..], |rule| rule.needs) {
                if !needed.contains(further) {
                    needed.push(further);
                }
            }
            at += 1;
        }
        needed.contains(&id)
    }

    /// What it sees.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self.check {
            Check::Item(_) => Scope::Item,
            Check::Exchange(_) => Scope::Exchange,
            Check::Trial(_) | Check::Asserted => Scope::Trial,
            Check::Run(_) | Check::Asked(_) => Scope::Run,
        }
    }
}

/// What a rule says of what it saw.
#[derive(Debug)]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not.
    Fail(Vec<Finding>),
    /// It does not apply here, and why.
    NotApplicable(&'static str),
}

impl Verdict {
    /// One finding.
    #[must_use]
    pub fn fail(finding: Finding) -> Verdict {
        Verdict::Fail(vec![finding])
    }

    /// Pass where there is nothing to find.
    #[must_use]
    pub fn of(findings: Vec<Finding>) -> Verdict {
        if findings.is_empty() { Verdict::Pass } else { Verdict::Fail(findings) }
    }
}

/// A contradiction between an answer and a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The item, from 0, where it is about one.
    pub item: Option<usize>,
    /// Position in the answer's body, or in the request's where nothing was answered.
    pub pointer: String,
    /// What had to be.
    pub expected: String,
    /// What was.
    pub actual: String,
    /// The kind of difference: findings of one rule, case, pointer and kind are one.
    pub kind: String,
    /// The exchange, where the rule saw several.
    pub exchange: Option<usize>,
    /// Whether the answer's own bytes prove it; otherwise it counts only when repeats show it too.
    pub proven: bool,
    /// Rules whose confirmed failure anywhere in the run is the likelier cause: it is masked by them.
    pub explained_by: &'static [&'static str],
}

impl Finding {
    /// A finding that the answer's bytes prove.
    #[must_use]
    pub fn new(
        kind: impl Into<String>,
        pointer: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Finding {
        Finding {
            item: None,
            pointer: pointer.into(),
            expected: expected.into(),
            actual: actual.into(),
            kind: kind.into(),
            exchange: None,
            proven: true,
            explained_by: &[],
        }
    }

    /// Names the item.
    #[must_use]
    pub fn item(mut self, index: usize) -> Finding {
        self.item = Some(index);
        self
    }

    /// Names the exchange.
    #[must_use]
    pub fn exchange(mut self, index: usize) -> Finding {
        self.exchange = Some(index);
        self
    }

    /// It counts only when repeats show it too.
    #[must_use]
    pub fn unproven(mut self) -> Finding {
        self.proven = false;
        self
    }

    /// A confirmed failure of one of these rules anywhere in the run explains it.
    #[must_use]
    pub fn explained_by(mut self, rules: &'static [&'static str]) -> Finding {
        self.explained_by = rules;
        self
    }

    /// The pointer with `*` for indexes.
    #[must_use]
    pub fn place(&self) -> String {
        self.pointer
            .split('/')
            .map(|part| {
                let index = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
                if index { "*" } else { part }
            })
            .collect::<Vec<_>>()
            .join("/")
    }
}

/// A value as a report shows it: short, and never broken in the middle of a character.
#[must_use]
pub fn shown(value: &serde_json::Value) -> String {
    shorten(&value.to_string())
}

/// Text as a report shows it.
#[must_use]
pub fn shorten(text: &str) -> String {
    const LIMIT: usize = 160;
    if text.chars().count() <= LIMIT {
        return text.to_owned();
    }
    let head: String = text.chars().take(LIMIT - 20).collect();
    format!("{head}… ({} characters)", text.chars().count())
}
