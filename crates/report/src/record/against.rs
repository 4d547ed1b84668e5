//! What a run in lockstep with a second target brought: how much was compared, and each difference with both answers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exchange::ExchangeRecord;
use crate::contract::Level;

/// What a run was compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgainstHead {
    /// The URL of the older target, credentials taken out.
    pub target: String,
    /// Pointers that were left out of the comparison on request.
    pub ignored: Vec<String>,
}

/// How much was compared; the last one of a record holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgainstRecord {
    /// Executions of cases that both targets answered.
    pub executions: u64,
    /// Requests whose two answers were compared.
    pub requests: u64,
    /// Executions that were not compared, by reason.
    pub not_compared: BTreeMap<String, u64>,
    /// Whether the unique keys of both targets were different, because they share what they store.
    pub distinct_keys: bool,
    /// Values that change from answer to answer of one target: they were not compared.
    pub volatile: Vec<String>,
    /// Requests that left for the older target, and their items.
    pub sent: (u64, u64),
    /// Why nothing, or not all, could be compared, where that is so.
    pub trouble: Option<String>,
}

/// What differs between two answers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// Only one target answered.
    Answer,
    /// The status.
    Status,
    /// A header.
    Header,
    /// Only one body is JSON.
    Json,
    /// The number of results.
    Count,
    /// The order of the results.
    Order,
    /// The verdict on an item.
    Verdict,
    /// The error code of an item or a request.
    Code,
    /// A member that only the older target sends.
    Missing,
    /// A member that only the newer target sends.
    Additional,
    /// The members of an object: several are missing or additional.
    Members,
    /// The type of a value.
    Type,
    /// A value.
    Value,
    /// A body that is not JSON.
    Text,
    /// Both answers look alike, but only one of them keeps a rule.
    Rule,
}

impl DifferenceKind {
    /// For people: `status`, `error code`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            DifferenceKind::Answer => "answer",
            DifferenceKind::Status => "status",
            DifferenceKind::Header => "header",
            DifferenceKind::Json => "JSON body",
            DifferenceKind::Count => "number of results",
            DifferenceKind::Order => "order of results",
            DifferenceKind::Verdict => "verdict",
            DifferenceKind::Code => "error code",
            DifferenceKind::Missing => "missing member",
            DifferenceKind::Additional => "additional member",
            DifferenceKind::Members => "members",
            DifferenceKind::Type => "type",
            DifferenceKind::Value => "value",
            DifferenceKind::Text => "body",
            DifferenceKind::Rule => "rule",
        }
    }
}

/// What the specification says of a difference.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceVerdict {
    /// The newer target violates a rule that the older one keeps.
    Regression,
    /// Both violate the rule, in different ways.
    BothViolate,
    /// The specification allows both answers.
    Allowed,
    /// The newer target keeps a rule that the older one violates.
    Fixed,
}

impl DifferenceVerdict {
    /// All of them, the worst first.
    pub const ALL: [DifferenceVerdict; 4] = [
        DifferenceVerdict::Regression,
        DifferenceVerdict::BothViolate,
        DifferenceVerdict::Allowed,
        DifferenceVerdict::Fixed,
    ];

    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            DifferenceVerdict::Regression => "regression",
            DifferenceVerdict::BothViolate => "both violate",
            DifferenceVerdict::Allowed => "allowed",
            DifferenceVerdict::Fixed => "fixed",
        }
    }
}

/// What repeats of a difference showed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceState {
    /// At least two of three repeats show it.
    Confirmed,
    /// Fewer do: equal requests got different answers.
    Flaky,
    /// It was not repeated.
    NotRepeated,
    /// No repeat shows it, and no answer proves it: it does not count.
    NotSeenAgain,
    /// Two answers of the older target differ so too: it does not count.
    Unsteady,
}

impl DifferenceState {
    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            DifferenceState::Confirmed => "confirmed",
            DifferenceState::Flaky => "flaky",
            DifferenceState::NotRepeated => "not repeated",
            DifferenceState::NotSeenAgain => "not seen again",
            DifferenceState::Unsteady => "the older target is unsteady",
        }
    }
}

/// One request and what both targets answered.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExchangePair {
    /// With the older target.
    pub old: ExchangeRecord,
    /// With the newer target.
    pub new: ExchangeRecord,
}

/// A difference: one for each kind, place, pair of values, kind of input and rule.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DifferenceRecord {
    /// Hash of all that makes it one.
    pub id: String,
    /// What differs.
    pub kind: DifferenceKind,
    /// Where: a header's name, or a pointer with `*` for indexes.
    pub place: String,
    /// What the older target answers, such as `200`, `absent` or `string`.
    pub old: String,
    /// What the newer target answers.
    pub new: String,
    /// What the specification says.
    pub verdict: DifferenceVerdict,
    /// The rule that decides, where one does.
    pub rule: Option<String>,
    /// Its level.
    pub level: Option<Level>,
    /// The kind of input that shows it.
    pub input: String,
    /// Executions that showed it.
    pub count: u64,
    /// The cases that showed it.
    pub cases: Vec<String>,
    /// What repeats say.
    pub state: DifferenceState,
    /// Repeats that showed it again.
    pub shown: u32,
    /// Repeats that count.
    pub of: u32,
    /// The case of the smallest example.
    pub case: String,
    /// Which run of the case.
    pub run: u64,
    /// The item, from 0, where it is about one.
    pub item: Option<usize>,
    /// The value of the older target in the example.
    pub old_value: String,
    /// The value of the newer target in the example.
    pub new_value: String,
    /// The requests of the example up to the one that shows it, each with both answers; the last one shows it.
    pub evidence: Vec<ExchangePair>,
}

/// What a comparison came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AgainstConclusion {
    /// No confirmed difference.
    Same,
    /// At least one.
    Different,
    /// At least one of the targets could not be compared.
    NotCompared,
}

impl AgainstConclusion {
    /// The exit status of `run --against`.
    #[must_use]
    pub fn exit(self) -> u8 {
        match self {
            AgainstConclusion::Same => 0,
            AgainstConclusion::Different => 1,
            AgainstConclusion::NotCompared => 3,
        }
    }
}

impl std::fmt::Display for AgainstConclusion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            AgainstConclusion::Same => "same",
            AgainstConclusion::Different => "different",
            AgainstConclusion::NotCompared => "not compared",
        })
    }
}

/// A comparison, added up.
#[derive(Debug, Clone)]
pub struct AgainstSummary {
    /// What the run was compared with.
    pub head: AgainstHead,
    /// How much was compared.
    pub record: AgainstRecord,
    /// The differences, in the order in which they were first seen.
    pub differences: Vec<DifferenceRecord>,
    /// What it came to.
    pub conclusion: AgainstConclusion,
    /// Why nothing, or not all, was compared.
    pub reasons: Vec<String>,
}

impl AgainstSummary {
    /// From the events of a run, and the trouble that it met; none where it was killed.
    pub(super) fn new(
        head: &AgainstHead,
        record: Option<AgainstRecord>,
        differences: Vec<DifferenceRecord>,
        trouble: Option<&[String]>,
    ) -> AgainstSummary {
        let record = record.unwrap_or_default();
        let mut reasons: Vec<String> = record.trouble.iter().cloned().collect();
        match trouble {
            None => reasons.push("the run was killed".to_owned()),
            Some(trouble) => {
                let further = trouble.iter().filter(|why| !reasons.contains(why)).cloned();
                let further: Vec<String> = further.collect();
                reasons.extend(further);
            }
        }
        let left: u64 = record.not_compared.values().sum();
        if record.requests == 0 {
            reasons.push("no request was answered by both targets".to_owned());
        } else if left * 100 > record.executions + left {
            reasons.push(format!(
                "{left} of {} executions were not compared",
                record.executions + left
            ));
        }
        let is = |state: DifferenceState| differences.iter().any(|d| d.state == state);
        let differs = is(DifferenceState::Confirmed) || is(DifferenceState::Flaky);
        if !differs && is(DifferenceState::NotRepeated) {
            reasons.push("differences were seen, and could not be repeated".to_owned());
        }
        let conclusion = match (differs, reasons.is_empty()) {
            (true, _) => AgainstConclusion::Different,
            (false, true) => AgainstConclusion::Same,
            (false, false) => AgainstConclusion::NotCompared,
        };
        AgainstSummary { head: head.clone(), record, differences, conclusion, reasons }
    }
}

/// Adds the comparison of a part of a run to that of the parts before it.
pub(crate) fn add_against(sum: &mut AgainstRecord, part: &AgainstRecord) {
    sum.executions += part.executions;
    sum.requests += part.requests;
    for (why, count) in &part.not_compared {
        *sum.not_compared.entry(why.clone()).or_default() += count;
    }
    sum.distinct_keys |= part.distinct_keys;
    for volatile in &part.volatile {
        if !sum.volatile.contains(volatile) {
            sum.volatile.push(volatile.clone());
        }
    }
    sum.sent = (sum.sent.0 + part.sent.0, sum.sent.1 + part.sent.1);
    if sum.trouble.is_none() {
        sum.trouble.clone_from(&part.trouble);
    }
}

/// Adds a difference that another part of the run saw too.
pub(crate) fn add_difference(sum: &mut DifferenceRecord, part: DifferenceRecord) {
    let (count, mut cases) = (sum.count + part.count, sum.cases.clone());
    cases.extend(part.cases.iter().filter(|case| !sum.cases.contains(case)).cloned());
    // The evidence of a part that repeats confirmed stays.
    if (part.state, part.evidence.len()) < (sum.state, sum.evidence.len()) {
        *sum = part;
    }
    (sum.count, sum.cases) = (count, cases);
}
