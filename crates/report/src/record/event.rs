//! The events of a run, as `record.jsonl` holds them: one JSON object a line.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::against::{AgainstHead, AgainstRecord, DifferenceRecord};
use super::exchange::{ExchangeRecord, FindingPosition};
use super::latency::Latencies;
use super::minimal_example::MinimalExample;
use super::timeline::TimelineSlice;
use crate::case::{Depth, Thresholds};
use crate::check::{CoverageCounts, RuleCounts, RunTally, Scope, family_of};
use crate::contract::{ErrorCode, Interpretation, Level, RefusalMode};
use crate::generate::coverage::CoveragePoint;
use crate::waiver::Waiver;

/// Version of the record's format; readers refuse every other one.
pub const VERSION: u32 = 2;

/// A clean-up that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CleanedUp {
    /// Keys that it was given: all that the run had sent.
    pub keys: u64,
    /// Requests that it sent itself.
    pub requests: u64,
}

/// One line of `record.jsonl`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first line.
    RunStarted(Box<RunHead>),
    /// What the preflight observed, and what is therefore planned.
    Planned {
        /// How the target refuses broken items.
        refusal_mode: RefusalMode,
        /// Requests that are planned.
        requests: u64,
        /// Items that are planned.
        items: u64,
    },
    /// Something that a reader of the report should know.
    Note {
        /// In a sentence.
        text: String,
    },
    /// A finding of its kind, when it was first seen; its evidence with it.
    Finding(Box<FindingRecord>),
    /// The status of a finding since.
    FindingUpdated(FindingStatus),
    /// The minimal example of a finding.
    Shrunk(Box<MinimalExample>),
    /// An exchange kept as an example.
    Sample {
        /// The case.
        case: String,
        /// Which run of it.
        run: u64,
        /// The exchange.
        exchange: Box<ExchangeRecord>,
    },
    /// How much was compared with the older target; the last one holds.
    Compared(Box<AgainstRecord>),
    /// A difference from the older target; the last one with its id holds.
    Difference(Box<DifferenceRecord>),
    /// What was counted of a case that goes on; the last word on it holds.
    CaseSoFar(Box<CaseRecord>),
    /// All runs of a case have ended.
    CaseFinished(Box<CaseRecord>),
    /// The last line; missing where a run was killed.
    RunFinished(Box<RunTail>),
}

/// What was run, against what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunHead {
    /// [`VERSION`].
    pub version: u32,
    /// Version of batchproof.
    pub tool: String,
    /// Unique keys start with it.
    pub run_id: String,
    /// Seed that all cases' seeds are derived from.
    pub seed: u64,
    /// How much was spent.
    pub depth: Depth,
    /// When it began, RFC 3339.
    pub started: String,
    /// The target's URL, credentials taken out; `embedded reference server` where there was none.
    pub target: String,
    /// Runs of each case, where the command line gave a number.
    #[serde(default)]
    pub runs: Option<u64>,
    /// Whether SHOULD findings fail the run too.
    pub strict: bool,
    /// Which part of a divided run this is: part, of how many.
    pub partition: Option<(u32, u32)>,
    /// The specification.
    pub specification: SpecInfo,
    /// SHA-256 over all cases that were to run, in hexadecimal.
    pub suite: String,
    /// The cases that were to run: id and title.
    pub cases: Vec<(String, String)>,
    /// Files of the cases that are not shipped, by id.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Whether these are all shipped cases.
    pub whole_suite: bool,
    /// The rules, as they were then.
    pub rules: Vec<RuleInfo>,
    /// What the profile says, its header values taken out.
    pub profile: Option<serde_json::Value>,
    /// Rules and families that the profile skips, with their reasons.
    pub skipped: BTreeMap<String, String>,
    /// How the target refuses broken items, where the user said it or the preflight observed it.
    #[serde(default)]
    pub refusal_mode: Option<RefusalMode>,
    /// Requests and items that are planned.
    pub planned: (u64, u64),
    /// Cases that have no execution at this depth, but at a greater one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deeper: Vec<String>,
    /// Cases that were not run, and why.
    #[serde(default)]
    pub not_run: BTreeMap<String, NotRun>,
    /// Rules that the contract leaves nothing to judge for, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub excluded: BTreeMap<String, String>,
    /// What is to be known of cases beside their results: values that the profile replaces, steps that are left out, keys
    /// that may be used already.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, Vec<String>>,
    /// What the answers of cases must stay within, by case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<String, Thresholds>,
    /// What a request can hold, as far as the request schema tells it apart.
    #[serde(default)]
    pub cells: Vec<CoveragePoint>,
    /// Whether a token was given; unknown in records of older versions.
    #[serde(default)]
    pub token_given: Option<bool>,
    /// Whether the target speaks HTTP/2 and nothing else.
    #[serde(default)]
    pub only_http_2: bool,
    /// Waivers that hold for the run, in the order of their file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
    /// Where the traffic came from, where nothing was sent: others' exchanges were judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traffic: Vec<String>,
    /// The older target that every answer was compared with, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<AgainstHead>,
}

impl RunHead {
    /// Why the profile skips a rule or its family, where it does.
    #[must_use]
    pub fn skip_reason(&self, rule: &str) -> Option<&str> {
        let skipped = self.skipped.get(rule).or_else(|| self.skipped.get(family_of(rule)));
        skipped.map(String::as_str)
    }
}

/// Why a case was not run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotRun {
    /// In a few words.
    pub why: String,
    /// Whether the contract gives no occasion for it, so that nothing is missed.
    pub by_contract: bool,
    /// Rules that it would have tested, where the transport to the target excludes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}

/// The specification that responses were checked against.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SpecInfo {
    /// Its title.
    pub title: String,
    /// Method and path of the endpoint.
    pub endpoint: String,
    /// SHA-256 of its files, in hexadecimal.
    pub hash: String,
    /// The directory that holds it, as it was named; nothing for the shipped one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// The field of an item that is its unique key.
    #[serde(default)]
    pub key: String,
    /// Documented error codes, those of the profile with them.
    #[serde(default)]
    pub codes: BTreeMap<String, ErrorCode>,
    /// How its silence was read.
    #[serde(default)]
    pub interpretations: Vec<Interpretation>,
}

/// A rule, for readers of the record without this version of batchproof.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RuleInfo {
    /// Its id.
    pub id: String,
    /// Its level.
    pub level: Level,
    /// The requirement.
    pub title: String,
    /// Where it comes from.
    pub cite: String,
    /// What it requires, why it matters, and an example.
    #[serde(default)]
    pub doc: String,
    /// Rules whose failure on the same item or exchange makes it not applicable there.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What it is judged on.
    #[serde(default)]
    pub scope: Option<Scope>,
}

/// A finding: one a rule, case, place and kind of difference.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FindingRecord {
    /// Hash of rule, case, place and kind.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// Its level.
    pub level: Level,
    /// The case.
    pub case: String,
    /// Which run of the case showed it first.
    pub run: u64,
    /// The seed of that run of the case.
    pub seed: u64,
    /// Where: the pointer with `*` for indexes.
    pub place: String,
    /// The kind of difference.
    pub kind: String,
    /// Where exactly.
    pub position: FindingPosition,
    /// What had to be.
    pub expected: String,
    /// What was.
    pub actual: String,
    /// In one sentence.
    pub message: String,
    /// Whether the answer's own bytes prove it.
    pub proven: bool,
    /// Rules whose confirmed failure anywhere in the run is the likelier cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explained_by: Vec<String>,
    /// What was unusual about the request's input, where that matters: the most telling first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// The exchanges of the execution that showed it; the last of them shows the finding, unless `position`
    /// names another.
    pub evidence: Vec<ExchangeRecord>,
}

/// A finding with its status.
pub type RecordedFinding = (FindingRecord, FindingStatus);

/// The status of a finding: how often it was seen, and what repeats and waivers say.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FindingStatus {
    /// Which finding.
    pub id: String,
    /// How often it was seen.
    pub count: u64,
    /// Whether it counts.
    pub confirmed: bool,
    /// Repeats that showed it again.
    pub shown: u32,
    /// Repeats that were tried.
    pub of: u32,
    /// Runs of its case that showed it.
    #[serde(default)]
    pub runs_shown: u64,
    /// Runs of its case.
    #[serde(default)]
    pub runs: u64,
    /// Why it is waived, if it is; set when a record is summed up.
    #[serde(default)]
    pub waived: Option<String>,
    /// The rule whose failure in the same run explains it, if one does: reports leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked_by: Option<String>,
}

impl FindingStatus {
    /// The status of a finding without further events: what its own bytes prove counts.
    #[must_use]
    pub fn first_seen(finding: &FindingRecord) -> FindingStatus {
        FindingStatus {
            id: finding.id.clone(),
            count: 1,
            confirmed: finding.proven,
            shown: 0,
            of: 0,
            runs_shown: 1,
            runs: 0,
            waived: None,
            masked_by: None,
        }
    }
}

/// All runs of one case.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CaseRecord {
    /// The case.
    pub case: String,
    /// Runs that ended.
    pub runs: u64,
    /// Runs that met load, or were lost, and stayed so.
    pub unanswered: u64,
    /// Requests sent.
    pub requests: u64,
    /// Items sent.
    pub items: u64,
    /// Milliseconds, all runs added.
    pub millis: u64,
    /// By rule; rules without any count are left out.
    pub rules: BTreeMap<String, RuleCounts>,
    /// Requests that were refused for load or lost, and sent again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retried: u64,
    /// For rules of the run's scope.
    pub tally: RunTally,
    /// How long the answers took, by batch size.
    pub latencies: Latencies,
    /// Which of the head's cells were exercised.
    #[serde(default)]
    pub covered: CoverageCounts,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl CaseRecord {
    /// Whether a rule was judged in it.
    #[must_use]
    pub fn judged(&self, rule: &str) -> bool {
        self.rules.get(rule).is_some_and(|counts| counts.judged() > 0)
    }
}

/// How the run ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunTail {
    /// When, RFC 3339.
    pub finished: String,
    /// Seconds.
    pub seconds: f64,
    /// Why it is inconclusive at least, where it is.
    pub trouble: Vec<String>,
    /// Whether it was cut short.
    pub cut_short: bool,
    /// What its requests came to over time; none of the parts of a run together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<TimelineSlice>,
    /// The last request that got a response, and how many got none since, where the target stopped answering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<(u64, u64)>,
    /// Accepted items that the run left on the target.
    pub left_behind: u64,
    /// What the profile's clean-up did afterwards, where it did its work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleaned_up: Option<CleanedUp>,
    /// Requests that left, repeats and preflight included; those of setup and clean-up are not the run's.
    pub requests: u64,
    /// Their items.
    pub items: u64,
    /// What to do next, where the run came to nothing.
    #[serde(default)]
    pub advice: Option<String>,
}

impl RunTail {
    /// Accepted items that stay on the target, as far as a clean-up did its work.
    #[must_use]
    pub fn left(&self) -> u64 {
        if self.cleaned_up.is_some() { 0 } else { self.left_behind }
    }
}
