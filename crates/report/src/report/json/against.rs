//! The comparison with an older target, for other programs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Repeats;
use crate::contract::Level;
use crate::record::{
    AgainstConclusion, AgainstSummary, DifferenceKind, DifferenceRecord, DifferenceState,
    DifferenceVerdict, ExchangePair,
};
use crate::triage::{DifferenceGroup, difference_groups};

/// What a comparison with an older target came to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportAgainst {
    /// The URL of the older target, credentials taken out.
    pub target: String,
    /// Whether the targets differ; the exit status of the run follows from it.
    pub conclusion: AgainstConclusion,
    /// Why nothing, or not all, was compared, in sentences.
    pub reasons: Vec<String>,
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
    /// Pointers and headers that were left out on request.
    pub ignored: Vec<String>,
    /// Requests that left for the older target.
    pub sent: u64,
    /// The differences by cause: those that count first, then the worst, then the most frequent.
    pub differences: Vec<ReportDifference>,
}

/// Differences with one cause.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportDifference {
    /// Id of the difference that is shown.
    pub id: String,
    /// What differs.
    pub kind: DifferenceKind,
    /// Where: a header's name, or a pointer with `*` for indexes.
    pub place: String,
    /// What the older target answers.
    pub old: String,
    /// What the newer target answers.
    pub new: String,
    /// What the specification says.
    pub verdict: DifferenceVerdict,
    /// The rule that decides, where one does.
    pub rule: Option<String>,
    /// Its level.
    pub level: Option<Level>,
    /// Whether it counts: it is confirmed, or flaky but proven.
    pub counts: bool,
    /// What repeats of the example say.
    pub state: DifferenceState,
    /// Repeats of the example.
    pub repeats: Repeats,
    /// Executions that showed it.
    pub count: u64,
    /// The cases that showed it.
    pub cases: Vec<String>,
    /// The kinds of input that show it, the most frequent first.
    pub inputs: Vec<DifferenceInput>,
    /// The smallest example.
    pub example: DifferenceExample,
}

/// A kind of input that shows a difference.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DifferenceInput {
    /// In a few words.
    pub input: String,
    /// Executions that showed it.
    pub count: u64,
    /// What repeats say.
    pub state: DifferenceState,
}

/// The smallest execution that shows a difference.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DifferenceExample {
    /// Its case.
    pub case: String,
    /// Which run of the case.
    pub run: u64,
    /// The item, from 0, where it is about one.
    pub item: Option<usize>,
    /// The value of the older target.
    pub old_value: String,
    /// The value of the newer target.
    pub new_value: String,
    /// The requests up to the one that shows it, each with both answers; the last one shows it.
    pub evidence: Vec<ExchangePair>,
}

impl ReportAgainst {
    pub(super) fn new(against: &AgainstSummary) -> ReportAgainst {
        let record = &against.record;
        ReportAgainst {
            target: against.head.target.clone(),
            conclusion: against.conclusion,
            reasons: against.reasons.clone(),
            executions: record.executions,
            requests: record.requests,
            not_compared: record.not_compared.clone(),
            distinct_keys: record.distinct_keys,
            volatile: record.volatile.clone(),
            ignored: against.head.ignored.clone(),
            sent: record.sent.0,
            differences: difference_groups(against).iter().map(difference).collect(),
        }
    }
}

fn difference(group: &DifferenceGroup<'_>) -> ReportDifference {
    let lead = group.lead;
    let input = |d: &&DifferenceRecord| DifferenceInput {
        input: d.input.clone(),
        count: d.count,
        state: d.state,
    };
    ReportDifference {
        id: lead.id.clone(),
        kind: lead.kind,
        place: lead.place.clone(),
        old: lead.old.clone(),
        new: lead.new.clone(),
        verdict: lead.verdict,
        rule: lead.rule.clone(),
        level: lead.level,
        counts: group.counts(),
        state: group.state(),
        repeats: Repeats { shown: lead.shown, of: lead.of },
        count: group.count(),
        cases: group.cases().into_iter().map(str::to_owned).collect(),
        inputs: group.members.iter().map(input).collect(),
        example: DifferenceExample {
            case: lead.case.clone(),
            run: lead.run,
            item: lead.item,
            old_value: lead.old_value.clone(),
            new_value: lead.new_value.clone(),
            evidence: lead.evidence.clone(),
        },
    }
}
