//! `report.json`: all of a run for other programs. Its schema is `schemas/report.schema.json`.
//!
//! Fields may be added under the same format; none is renamed or taken away. It must not know how people read
//! them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::curl::CommandContext;
use super::minimal::{flakiness, reproduction, shrunk_finding};
use super::waiver::waiver;
use super::wording::{not_tested, rule_of};
use crate::case::Depth;
use crate::check::RuleCounts;
use crate::contract::Level;
use crate::record::{
    CleanedUp, Conclusion, ExchangeRecord, FindingPosition, FindingRecord, FindingStatus,
    MeasuredThreshold, MinimalExample, RuleOutcome, RunTail, SpecInfo, Summary, TimelineSlice,
    WaiverStatus,
};
use crate::triage::{Problem, ProblemState, problems};
use crate::waiver::Waiver;

mod against;
mod coverage;
mod times;

pub use against::{DifferenceExample, DifferenceInput, ReportAgainst, ReportDifference};
pub(super) use coverage::latency;
pub use coverage::{
    CodeCount, Coverage, CoveragePointCount, CoverageShare, LatencyClass, PositionCount,
    ProvokedFault, RefusalModeCount, RefusedKind, StatusCount,
};
pub use times::HistogramBar;
pub(super) use times::{histogram, thresholds};

/// Version of the format.
pub const FORMAT: u32 = 2;

/// A run, for other programs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "batchproof report")]
pub struct Report {
    /// Version of this format; higher where a field changed its meaning.
    pub format: u32,
    /// The verdict.
    pub conclusion: Conclusion,
    /// The exit status that goes with it.
    pub exit: u8,
    /// Why it is not conformant, in sentences.
    pub reasons: Vec<String>,
    /// What else a reader should know.
    pub notes: Vec<String>,
    /// Root causes, each with its findings: confirmed ones first, MUST before SHOULD, then the most frequent.
    pub problems: Vec<ReportProblem>,
    /// All findings: MUST first, then confirmed ones, then the most frequent.
    pub findings: Vec<ReportFinding>,
    /// All rules, in the order of the registry.
    pub rules: Vec<ReportRule>,
    /// The cases, in the order in which they were to run.
    pub cases: Vec<ReportCase>,
    /// Figures.
    pub stats: Stats,
    /// The rarest intermittent faults that this run would have shown.
    pub detection_limit: crate::record::DetectionLimit,
    /// Seed that all cases' seeds are derived from.
    pub seed: u64,
    /// Unique keys start with it.
    pub run_id: String,
    /// How much was spent.
    pub depth: Depth,
    /// Whether SHOULD findings fail the run too.
    pub strict: bool,
    /// Part of a divided run: which, of how many.
    pub partition: Option<(u32, u32)>,
    /// When it began, RFC 3339.
    pub started: String,
    /// When it ended; null where it was killed.
    pub finished: Option<String>,
    /// What it was judged by.
    pub suite: ReportSuite,
    /// The target's URL, credentials taken out.
    pub target: String,
    /// What the profile said, its header values taken out.
    pub profile: Option<serde_json::Value>,
    /// Rules and families that the profile skips, with their reasons.
    pub skipped: BTreeMap<String, String>,
    /// The waivers that hold, in the order of their file.
    pub waivers: Vec<ReportWaiver>,
    /// What was provoked and seen.
    pub coverage: Coverage,
    /// Latencies by batch size.
    pub latency: Vec<LatencyClass>,
    /// What the requests of the run came to over time; empty for merged parts and a run that was killed.
    pub timeline: Vec<TimelineSlice>,
    /// The comparison with an older target, where there was one; `exit` is then that of the comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<ReportAgainst>,
}

/// A root cause with its findings.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportProblem {
    /// Id of the finding that shows it best.
    pub id: String,
    /// The rule of that finding.
    pub rule: String,
    /// The requirement.
    pub title: String,
    /// Its level.
    pub level: Level,
    /// `confirmed`, `unconfirmed` or `waived`; only confirmed ones count.
    pub state: ProblemState,
    /// Ids of its findings, the one that shows it best first.
    pub findings: Vec<String>,
    /// How often it was seen, in all cases.
    pub count: u64,
    /// The cases that showed it.
    pub cases: Vec<String>,
}

/// A finding with its status.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportFinding {
    /// Hash of rule, case, place and kind: the same from run to run.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// Its level.
    pub level: Level,
    /// The requirement.
    pub title: String,
    /// Where the requirement comes from.
    pub cite: String,
    /// The case.
    pub case: String,
    /// In one sentence.
    pub message: String,
    /// How often it was seen.
    pub count: u64,
    /// Whether it counts: proven by an answer's bytes, or shown by enough repeats.
    pub confirmed: bool,
    /// Whether an answer's bytes prove it.
    pub proven: bool,
    /// Why it was waived, where it was.
    pub waived: Option<String>,
    /// Repeats.
    pub repeats: Repeats,
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
    /// Which run of the case showed it first.
    pub run: u64,
    /// The seed of that run of the case.
    pub seed: u64,
    /// The exchanges that show it, in order.
    pub evidence: Vec<ExchangeRecord>,
    /// Its minimal example, if shrinking was tried.
    pub minimal: Option<MinimalExample>,
    /// Lines of bash that send the requests of the minimal example of its cause again, with fresh keys;
    /// `$BATCHPROOF_TOKEN` holds the token.
    pub curl: Vec<String>,
    /// The finding that `curl` shows, where that is another one of the same cause.
    pub curl_shows: Option<String>,
    /// How often they show it, where that may not be each time.
    pub chance: Option<String>,
    /// An entry for a waivers file.
    pub waiver: String,
}

/// A waiver with its status.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportWaiver {
    /// The entry of the waivers file.
    #[serde(flatten)]
    pub waiver: Waiver,
    /// Its status in this run.
    pub status: WaiverStatus,
    /// Ids of the findings that it covers, or would cover had it not expired.
    pub findings: Vec<String>,
}

/// Repeats of a finding: k of n.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Repeats {
    /// How many showed it again.
    pub shown: u32,
    /// How many were tried.
    pub of: u32,
}

/// A rule over a whole run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportRule {
    /// Its id.
    pub id: String,
    /// Its level.
    pub level: Level,
    /// The requirement.
    pub title: String,
    /// Where it comes from.
    pub cite: String,
    /// Its outcome.
    pub outcome: RuleOutcome,
    /// How often.
    pub counts: RuleCounts,
    /// Why the profile skips it, where it does.
    pub skipped: Option<String>,
    /// Why it was not tested, if it was not.
    pub not_tested: Option<String>,
    /// Ids of its findings.
    pub findings: Vec<String>,
}

/// A case over a whole run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportCase {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Why it was not run: what the contract lacks, or what profile or transport exclude.
    pub not_run: Option<String>,
    /// What is to be known of it beside its results: values that the profile replaces, steps that are left out, keys that
    /// may be used already.
    pub notes: Vec<String>,
    /// Whether all its runs ended.
    pub ended: bool,
    /// Runs that ended.
    pub runs: u64,
    /// Runs that met load, or were lost, and stayed so.
    pub unanswered: u64,
    /// Requests sent.
    pub requests: u64,
    /// Items sent.
    pub items: u64,
    /// Seconds, all runs added.
    pub seconds: f64,
    /// What its answers together had to stay within, and what was measured.
    pub thresholds: Vec<MeasuredThreshold>,
    /// How long its answers took; of cases with thresholds, and of those with a thousand answers.
    pub histogram: Vec<HistogramBar>,
    /// Ids of its findings.
    pub findings: Vec<String>,
}

/// Figures.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Stats {
    /// Requests sent, repeats and opening included.
    pub requests: u64,
    /// Items sent.
    pub items: u64,
    /// From start to end.
    pub seconds: f64,
    /// Accepted items that stay on the target, none after a clean-up that did its work; null if the run was killed.
    pub left_behind: Option<u64>,
    /// What the profile's clean-up did after the run, where it did its work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleaned_up: Option<CleanedUp>,
}

/// What a run was judged by.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportSuite {
    /// Version of batchproof.
    pub version: String,
    /// The specification, with the SHA-256 of its files.
    pub specification: SpecInfo,
    /// SHA-256 over all cases that were to run, in hexadecimal.
    pub cases: String,
    /// Whether these are all shipped cases.
    pub whole: bool,
}

impl Report {
    /// The report of a run.
    #[must_use]
    pub fn from_summary(summary: &Summary) -> Report {
        let head = &summary.head;
        let how = CommandContext::from_summary(summary);
        let stats = summary.stats();
        let ids = |keep: &dyn Fn(&FindingRecord) -> bool| -> Vec<String> {
            summary.findings.iter().filter(|(f, _)| keep(f)).map(|(f, _)| f.id.clone()).collect()
        };
        Report {
            format: FORMAT,
            conclusion: summary.conclusion,
            exit: summary.exit(),
            reasons: summary.reasons.iter().map(ToString::to_string).collect(),
            notes: summary.notes.clone(),
            problems: problems(summary).iter().map(|group| problem(summary, group)).collect(),
            findings: summary.findings.iter().map(|found| finding(summary, &how, found)).collect(),
            rules: summary
                .rules
                .iter()
                .map(|r| ReportRule {
                    id: r.rule.id.clone(),
                    level: r.rule.level,
                    title: r.rule.title.clone(),
                    cite: r.rule.cite.clone(),
                    outcome: r.outcome,
                    counts: r.counts,
                    skipped: r.skipped.clone(),
                    not_tested: not_tested(r),
                    findings: ids(&|f| f.rule == r.rule.id),
                })
                .collect(),
            cases: summary
                .cases
                .iter()
                .map(|case| {
                    let record = case.record.clone().unwrap_or_default();
                    ReportCase {
                        id: case.id.clone(),
                        title: case.title.clone(),
                        not_run: summary.head.not_run.get(&case.id).map(|not| not.why.clone()),
                        notes: summary.head.notes.get(&case.id).cloned().unwrap_or_default(),
                        ended: case.record.is_some(),
                        runs: record.runs,
                        unanswered: record.unanswered,
                        requests: record.requests,
                        items: record.items,
                        seconds: std::time::Duration::from_millis(record.millis).as_secs_f64(),
                        thresholds: thresholds(summary, &case.id, &record),
                        histogram: histogram(summary, &case.id, &record),
                        findings: ids(&|f| f.case == case.id),
                    }
                })
                .collect(),
            detection_limit: summary.detection_limit(),
            stats: Stats {
                requests: stats.requests,
                items: stats.items,
                seconds: stats.seconds,
                left_behind: summary.tail.as_ref().map(RunTail::left),
                cleaned_up: summary.tail.as_ref().and_then(|t| t.cleaned_up),
            },
            seed: head.seed,
            run_id: head.run_id.clone(),
            depth: head.depth,
            strict: head.strict,
            partition: head.partition,
            started: head.started.clone(),
            finished: summary.tail.as_ref().map(|t| t.finished.clone()),
            suite: ReportSuite {
                version: head.tool.clone(),
                specification: head.specification.clone(),
                cases: head.suite.clone(),
                whole: head.whole_suite,
            },
            target: head.target.clone(),
            profile: head.profile.clone(),
            skipped: head.skipped.clone(),
            waivers: summary
                .waivers
                .iter()
                .map(|w| ReportWaiver {
                    waiver: w.waiver.clone(),
                    status: w.status,
                    findings: w.findings.clone(),
                })
                .collect(),
            coverage: Coverage::from_summary(summary),
            latency: latency(summary),
            against: summary.against.as_ref().map(ReportAgainst::new),
            timeline: summary.tail.as_ref().map(|tail| tail.timeline.clone()).unwrap_or_default(),
        }
    }
}

fn problem(summary: &Summary, group: &Problem<'_>) -> ReportProblem {
    let rule = rule_of(summary, group.rule()).map(|r| &r.rule);
    ReportProblem {
        id: group.lead.0.id.clone(),
        rule: group.rule().to_owned(),
        title: rule.map(|r| r.title.clone()).unwrap_or_default(),
        level: group.level,
        state: group.state,
        findings: group.findings.iter().map(|(f, _)| f.id.clone()).collect(),
        count: group.count(),
        cases: group.cases().into_iter().map(str::to_owned).collect(),
    }
}

fn finding(
    summary: &Summary,
    how: &CommandContext,
    found: &(FindingRecord, FindingStatus),
) -> ReportFinding {
    let (f, u) = found;
    let shrunk = shrunk_finding(summary, f);
    let rule = rule_of(summary, &f.rule).map(|r| &r.rule);
    ReportFinding {
        id: f.id.clone(),
        rule: f.rule.clone(),
        level: f.level,
        title: rule.map(|r| r.title.clone()).unwrap_or_default(),
        cite: rule.map(|r| r.cite.clone()).unwrap_or_default(),
        case: f.case.clone(),
        message: f.message.clone(),
        count: u.count,
        confirmed: u.confirmed,
        proven: f.proven,
        waived: u.waived.clone(),
        repeats: Repeats { shown: u.shown, of: u.of },
        place: f.place.clone(),
        kind: f.kind.clone(),
        position: f.position.clone(),
        expected: f.expected.clone(),
        actual: f.actual.clone(),
        run: f.run,
        seed: f.seed,
        evidence: f.evidence.clone(),
        minimal: summary.minimals.get(&f.id).cloned(),
        curl: reproduction(summary, shrunk, how),
        curl_shows: (shrunk.id != f.id).then(|| shrunk.id.clone()),
        chance: if shrunk.id == f.id { flakiness(summary, found) } else { None },
        waiver: waiver(f),
    }
}

/// `report.json`.
///
/// # Errors
/// Where it can't be written as JSON, which no run brings about.
pub fn json(summary: &Summary) -> std::io::Result<String> {
    let mut text = serde_json::to_string_pretty(&Report::from_summary(summary))?;
    text.push('\n');
    Ok(text)
}

/// `schemas/report.schema.json`, JSON Schema draft 2020-12.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
