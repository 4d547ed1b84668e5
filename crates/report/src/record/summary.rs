//! The sum of a record: the one model that every report, exit code and certificate is made from.

mod conclude;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::against::{AgainstSummary, DifferenceRecord};
use super::detection_limit::DetectionLimit;
use super::event::{CaseRecord, Event, FindingRecord, FindingStatus, RuleInfo, RunHead, RunTail};
use super::exchange::ExchangeRecord;
use super::minimal_example::MinimalExample;
use super::reason::{NotTested, Reason};
use super::waiver_status::{WaiverStatus, WaiverSummary, waive};
use crate::check::rules::is_of_suite;
use crate::check::{CoverageCounts, RuleCounts, RunTally, Scope};
use crate::contract::Level;

/// The verdict on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Conclusion {
    /// No MUST rule failed, and all that apply were tested.
    Conformant,
    /// A MUST rule failed.
    NonConformant,
    /// Neither is known.
    Inconclusive,
}

impl Conclusion {
    /// The exit status of `run`.
    #[must_use]
    pub fn exit(self) -> u8 {
        match self {
            Conclusion::Conformant => 0,
            Conclusion::NonConformant => 1,
            Conclusion::Inconclusive => 3,
        }
    }
}

impl std::fmt::Display for Conclusion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Conclusion::Conformant => "conformant",
            Conclusion::NonConformant => "nonconformant",
            Conclusion::Inconclusive => "inconclusive",
        })
    }
}

/// The outcome of a rule over a whole run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RuleOutcome {
    /// It was judged and held.
    Passed,
    /// It was contradicted.
    Failed,
    /// It was contradicted, and a waiver covers each finding.
    Waived,
    /// It was contradicted once, and no repeat showed it.
    Unconfirmed,
    /// It never applied.
    NotApplicable,
    /// It applied, but was always masked by the failure of another.
    Masked,
    /// It applied, but the target did not answer.
    Unanswered,
    /// It panicked.
    Errored,
}

/// A rule over a whole run.
#[derive(Debug, Clone)]
pub struct RuleSummary {
    /// The rule.
    pub rule: RuleInfo,
    /// Its outcome.
    pub outcome: RuleOutcome,
    /// How often.
    pub counts: RuleCounts,
    /// Why the profile skips it, where it does.
    pub skipped: Option<String>,
    /// Why a case that leads to it could not be run against this target, where that is so.
    pub excluded: Option<String>,
    /// Whether the target stopped answering during the run.
    pub stopped: bool,
}

/// A case over a whole run.
#[derive(Debug, Clone)]
pub struct CaseSummary {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What was counted; nothing where it never ended.
    pub record: Option<CaseRecord>,
    /// Positions in [`Summary::findings`].
    pub findings: Vec<usize>,
}

/// Figures of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunStats {
    /// Requests sent, repeats and opening included.
    pub requests: u64,
    /// Items sent.
    pub items: u64,
    /// From start to end.
    pub seconds: f64,
}

/// A run, added up.
#[derive(Debug, Clone)]
pub struct Summary {
    /// What was run.
    pub head: RunHead,
    /// How it ended; nothing where it was killed.
    pub tail: Option<RunTail>,
    /// Notes, in order.
    pub notes: Vec<String>,
    /// Findings with their status: MUST first, then by count.
    pub findings: Vec<(FindingRecord, FindingStatus)>,
    /// Minimal examples by finding.
    pub minimals: BTreeMap<String, MinimalExample>,
    /// What failures of one rule account for of another's, by both rules: they are no findings of their own.
    pub explained: BTreeMap<(String, String), ExplainedFailures>,
    /// The cases, in the order in which they were to run.
    pub cases: Vec<CaseSummary>,
    /// The rules, in the order of the registry.
    pub rules: Vec<RuleSummary>,
    /// The waivers, in the order of their file.
    pub waivers: Vec<WaiverSummary>,
    /// Exchanges kept as examples: case, run, exchange.
    pub samples: Vec<(String, u64, ExchangeRecord)>,
    /// Tallies of all cases.
    pub tally: RunTally,
    /// Which cells of the request schema were exercised.
    pub covered: CoverageCounts,
    /// The verdict.
    pub conclusion: Conclusion,
    /// Why it is not conformant.
    pub reasons: Vec<Reason>,
    /// What the comparison with an older target came to, where there was one.
    pub against: Option<AgainstSummary>,
}

/// Failures of a rule for which a failure of another rule accounts.
#[derive(Debug, Clone, Default)]
pub struct ExplainedFailures {
    /// How often it failed.
    pub count: u64,
    /// The cases that showed it.
    pub cases: BTreeSet<String>,
}

fn explained(
    findings: &[(FindingRecord, FindingStatus)],
) -> BTreeMap<(String, String), ExplainedFailures> {
    let mut explained: BTreeMap<(String, String), ExplainedFailures> = BTreeMap::new();
    for (finding, update) in findings {
        let Some(by) = &update.masked_by else { continue };
        let failures = explained.entry((by.clone(), finding.rule.clone())).or_default();
        failures.count += update.count;
        failures.cases.insert(finding.case.clone());
    }
    explained
}

impl Summary {
    /// Adds up the events of a record; nothing where they don't begin with a run.
    #[must_use]
    pub fn from_events(events: &[Event]) -> Option<Summary> {
        let mut head: Option<RunHead> = None;
        let mut tail = None;
        let mut notes = Vec::new();
        let mut findings: Vec<(FindingRecord, FindingStatus)> = Vec::new();
        let mut records: BTreeMap<String, CaseRecord> = BTreeMap::new();
        let mut samples = Vec::new();
        let mut minimals = BTreeMap::new();
        for event in events {
            match event {
                Event::RunStarted(h) => head = Some((**h).clone()),
                Event::Planned { refusal_mode, requests, items } => {
                    if let Some(head) = &mut head {
                        head.refusal_mode = Some(*refusal_mode);
                        head.planned = (*requests, *items);
                    }
                }
                Event::Note { text } => notes.push(text.clone()),
                Event::Finding(f) => {
                    findings.push(((**f).clone(), FindingStatus::first_seen(f)));
                }
                Event::FindingUpdated(update) => {
                    if let Some(found) = findings.iter_mut().find(|(f, _)| f.id == update.id) {
                        found.1 = update.clone();
                    }
                }
                Event::Shrunk(minimal) => {
                    minimals.insert(minimal.id.clone(), (**minimal).clone());
                }
                Event::Sample { case, run, exchange } => {
                    samples.push((case.clone(), *run, (**exchange).clone()));
                }
                Event::Compared(_) | Event::Difference(_) => {}
                Event::CaseSoFar(record) | Event::CaseFinished(record) => {
                    records.insert(record.case.clone(), (**record).clone());
                }
                Event::RunFinished(t) => tail = Some((**t).clone()),
            }
        }
        let head = head?;
        let waivers = waive(&head, tail.as_ref(), &records, &mut findings);
        for (finding, update) in findings.iter().filter(|(_, u)| u.masked_by.is_some()) {
            let case = records.get_mut(&finding.case);
            if let Some(counts) = case.and_then(|c| c.rules.get_mut(&finding.rule)) {
                counts.failed = counts.failed.saturating_sub(update.count);
                counts.masked += update.count;
            }
        }
        let explained = explained(&findings);
        findings.retain(|(_, u)| u.masked_by.is_none());
        findings.sort_by(|(a, u), (b, v)| {
            let key = |f: &FindingRecord, u: &FindingStatus| {
                (f.level, !u.confirmed, std::cmp::Reverse(u.count), f.rule.clone(), f.case.clone())
            };
            key(a, u).cmp(&key(b, v))
        });
        let (mut tally, mut covered) = (RunTally::default(), CoverageCounts::default());
        for record in records.values() {
            tally.add(&record.tally);
            covered.add(&record.covered);
        }
        let cases = head
            .cases
            .iter()
            .map(|(id, title)| CaseSummary {
                id: id.clone(),
                title: title.clone(),
                record: records.get(id).cloned(),
                findings: (0..findings.len()).filter(|i| &findings[*i].0.case == id).collect(),
            })
            .collect();
        let stopped = tail.as_ref().is_some_and(|tail| tail.stopped.is_some());
        let rules = head
            .rules
            .iter()
            .map(|rule| RuleSummary { stopped, ..rule_summary(rule, &head, &records, &findings) })
            .collect();
        let against = against(&head, tail.as_ref(), events);
        let mut summary = Summary {
            explained,
            against,
            head,
            tail,
            notes,
            findings,
            minimals,
            cases,
            rules,
            waivers,
            samples,
            tally,
            covered,
            conclusion: Conclusion::Inconclusive,
            reasons: Vec::new(),
        };
        summary.conclude();
        Some(summary)
    }

    /// The exit status: of the comparison with an older target, where there was one.
    #[must_use]
    pub fn exit(&self) -> u8 {
        let conformance = self.conclusion.exit();
        self.against.as_ref().map_or(conformance, |against| against.conclusion.exit())
    }

    /// Figures.
    #[must_use]
    pub fn stats(&self) -> RunStats {
        if let Some(tail) = &self.tail {
            RunStats { requests: tail.requests, items: tail.items, seconds: tail.seconds }
        } else {
            let records = self.cases.iter().filter_map(|c| c.record.as_ref());
            records.fold(RunStats::default(), |s, r| RunStats {
                requests: s.requests + r.requests,
                items: s.items + r.items,
                seconds: s.seconds,
            })
        }
    }

    /// The rarest intermittent faults that this run would have shown.
    #[must_use]
    pub fn detection_limit(&self) -> DetectionLimit {
        let judged =
            |id: &str| self.rules.iter().find(|r| r.rule.id == id).map_or(0, |r| r.counts.judged());
        DetectionLimit::from_checks(judged)
    }

    /// Executions of the cases that checked a rule.
    #[must_use]
    pub fn runs_judged(&self, rule: &str) -> u64 {
        let records = self.cases.iter().filter_map(|c| c.record.as_ref());
        records.filter(|r| r.judged(rule)).map(|r| r.runs).sum()
    }

    /// The minimal example of a finding, if one was found that is smaller than the first execution.
    #[must_use]
    pub fn minimal_example(&self, finding: &FindingRecord) -> Option<&MinimalExample> {
        self.minimals.get(&finding.id).filter(|m| m.is_smaller())
    }

    /// The exchanges that show a finding best: those of its minimal example, or of its first execution.
    #[must_use]
    pub fn shortest_evidence<'a>(&'a self, finding: &'a FindingRecord) -> &'a [ExchangeRecord] {
        self.minimal_example(finding).map_or(&finding.evidence, |m| &m.evidence)
    }

    /// Confirmed findings of a level that no waiver covers.
    pub fn confirmed(&self, level: Level) -> impl Iterator<Item = &(FindingRecord, FindingStatus)> {
        self.findings
            .iter()
            .filter(move |(f, u)| f.level == level && u.confirmed && u.waived.is_none())
    }

    /// Waivers with this status.
    pub fn waivers_with(&self, status: WaiverStatus) -> impl Iterator<Item = &WaiverSummary> {
        self.waivers.iter().filter(move |w| w.status == status)
    }

    /// Rules of the suite that were tested, and all of them: the one total of every report.
    #[must_use]
    pub fn rules_tested(&self) -> (usize, usize) {
        let suite = || self.rules.iter().filter(|r| is_of_suite(&r.rule.id));
        (suite().filter(|r| r.counts.judged() > 0).count(), suite().count())
    }

    /// The rules of the suite, and those of users' own cases where they were checked or failed.
    pub fn rules_shown(&self) -> impl Iterator<Item = &RuleSummary> {
        let concerned = |r: &&RuleSummary| r.outcome != RuleOutcome::NotApplicable;
        self.rules.iter().filter(move |r| is_of_suite(&r.rule.id) || concerned(r))
    }
}

/// What the comparison with an older target came to, where there was one.
fn against(head: &RunHead, tail: Option<&RunTail>, events: &[Event]) -> Option<AgainstSummary> {
    let (mut compared, mut differences) = (None, Vec::<DifferenceRecord>::new());
    for event in events {
        match event {
            // What follows is the last word; what repeats took back is not among it.
            Event::Compared(record) => {
                compared = Some((**record).clone());
                differences.clear();
            }
            Event::Difference(difference) => {
                let difference = (**difference).clone();
                match differences.iter_mut().find(|d| d.id == difference.id) {
                    Some(known) => *known = difference,
                    None => differences.push(difference),
                }
            }
            _ => {}
        }
    }
    let trouble = tail.map(|tail| tail.trouble.as_slice());
    Some(AgainstSummary::new(head.against.as_ref()?, compared, differences, trouble))
}

fn rule_summary(
    rule: &RuleInfo,
    head: &RunHead,
    records: &BTreeMap<String, CaseRecord>,
    findings: &[(FindingRecord, FindingStatus)],
) -> RuleSummary {
    let mut counts = RuleCounts::default();
    for record in records.values() {
        if let Some(more) = record.rules.get(&rule.id) {
            counts.add(more);
        }
    }
    let mine: Vec<&FindingStatus> =
        findings.iter().filter(|(f, _)| f.rule == rule.id).map(|(_, u)| u).collect();
    let skipped = head.skip_reason(&rule.id).map(str::to_owned);
    let outcome = if counts.errored > 0 {
        RuleOutcome::Errored
    } else if mine.iter().any(|u| u.confirmed && u.waived.is_none()) {
        RuleOutcome::Failed
    } else if mine.iter().any(|u| u.waived.is_some()) {
        RuleOutcome::Waived
    } else if !mine.is_empty() {
        RuleOutcome::Unconfirmed
    } else if counts.judged() > 0 {
        RuleOutcome::Passed
    } else if counts.masked > 0 {
        RuleOutcome::Masked
    } else if counts.unanswered > 0 {
        RuleOutcome::Unanswered
    } else {
        RuleOutcome::NotApplicable
    };
    let mut not_run = head.not_run.values();
    let excluded = head.excluded.get(&rule.id).cloned().or_else(|| {
        not_run.find(|case| case.rules.contains(&rule.id)).map(|case| case.why.clone())
    });
    RuleSummary { rule: rule.clone(), outcome, counts, skipped, excluded, stopped: false }
}

impl RuleSummary {
    /// Why it was not tested; nothing where it was.
    #[must_use]
    pub fn not_tested(&self) -> Option<NotTested> {
        match self.outcome {
            RuleOutcome::NotApplicable => Some(match (&self.skipped, &self.excluded) {
                (Some(reason), _) => NotTested::Skipped(reason.clone()),
                (None, Some(why)) => NotTested::Excluded(why.clone()),
                _ if self.rule.scope == Some(Scope::Run) => NotTested::NotTriggered,
                _ if self.counts.not_applicable > 0 => NotTested::NeverApplied,
                _ => NotTested::NoCase,
            }),
            RuleOutcome::Masked | RuleOutcome::Unanswered if self.stopped => {
                Some(NotTested::Stopped)
            }
            RuleOutcome::Masked => Some(NotTested::Masked),
            RuleOutcome::Unanswered => Some(NotTested::Unanswered),
            RuleOutcome::Errored => Some(NotTested::Panicked),
            RuleOutcome::Passed
            | RuleOutcome::Failed
            | RuleOutcome::Waived
            | RuleOutcome::Unconfirmed => None,
        }
    }
}
