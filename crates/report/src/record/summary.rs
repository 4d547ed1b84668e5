//! What a record adds up to: the one model that every report, exit code and certificate is made from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::{CaseRecord, Event, FindingRecord, RuleInfo, RunHead, RunTail, Update};
use super::exchange::ExchangeRecord;
use super::minimal::Minimal;
use super::odds::Odds;
use super::waiving::{Fate, WaiverSummary, waive};
use crate::check::{CoverageCounts, RuleCounts, RunTally};
use crate::contract::Level;

/// The verdict on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Conclusion {
    /// Nothing that must hold was contradicted, and all of it was judged.
    Conformant,
    /// Something that must hold was contradicted.
    NonConformant,
    /// Neither can be said.
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

/// What became of a rule.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was judged and held.
    Passed,
    /// It was contradicted.
    Failed,
    /// It was contradicted, and a waiver covers each finding.
    Waived,
    /// It was contradicted once, and no repeat showed it.
    SeenOnce,
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
    /// What became of it.
    pub outcome: Outcome,
    /// How often.
    pub counts: RuleCounts,
    /// Why the profile skips it, where it does.
    pub skipped: Option<String>,
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
pub struct Stats {
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
    /// Findings with what became of them: MUST first, then by count.
    pub findings: Vec<(FindingRecord, Update)>,
    /// What shrinking came to, by finding.
    pub minimals: BTreeMap<String, Minimal>,
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
    /// Why it is not conformant, in sentences.
    pub reasons: Vec<String>,
}

impl Summary {
    /// Adds up the events of a record; nothing where they don't begin with a run.
    #[must_use]
    pub fn of(events: &[Event]) -> Option<Summary> {
        let mut head = None;
        let mut tail = None;
        let mut notes = Vec::new();
        let mut findings: Vec<(FindingRecord, Update)> = Vec::new();
        let mut records: BTreeMap<String, CaseRecord> = BTreeMap::new();
        let mut samples = Vec::new();
        let mut minimals = BTreeMap::new();
        for event in events {
            match event {
                Event::RunStarted(h) => head = Some((**h).clone()),
                Event::Note { text } => notes.push(text.clone()),
                Event::Finding(f) => {
                    findings.push(((**f).clone(), Update::told_once(f)));
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
        findings.retain(|(_, u)| u.masked_by.is_none());
        findings.sort_by(|(a, u), (b, v)| {
            let key = |f: &FindingRecord, u: &Update| {
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
        let rules =
            head.rules.iter().map(|rule| one_rule(rule, &head, &records, &findings)).collect();
        let mut summary = Summary {
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

    /// Figures.
    #[must_use]
    pub fn stats(&self) -> Stats {
        if let Some(tail) = &self.tail {
            Stats { requests: tail.requests, items: tail.items, seconds: tail.seconds }
        } else {
            let records = self.cases.iter().filter_map(|c| c.record.as_ref());
            records.fold(Stats::default(), |s, r| Stats {
                requests: s.requests + r.requests,
                items: s.items + r.items,
                seconds: s.seconds,
            })
        }
    }

    /// How rare a fault may be before this run misses it.
    #[must_use]
    pub fn odds(&self) -> Odds {
        let judged =
            |id: &str| self.rules.iter().find(|r| r.rule.id == id).map_or(0, |r| r.counts.judged());
        Odds::of(judged)
    }

    /// Trials of the cases that judged a rule.
    #[must_use]
    pub fn trials_judged(&self, rule: &str) -> u64 {
        let records = self.cases.iter().filter_map(|c| c.record.as_ref());
        records.filter(|r| r.judged(rule)).map(|r| r.runs).sum()
    }

    /// The smallest trial that shows a finding, where one was found that is smaller than the first.
    #[must_use]
    pub fn smaller(&self, finding: &FindingRecord) -> Option<&Minimal> {
        self.minimals.get(&finding.id).filter(|m| m.is_smaller())
    }

    /// The exchanges that show a finding best: the smallest trial's, or the first one's.
    #[must_use]
    pub fn shortest<'a>(&'a self, finding: &'a FindingRecord) -> &'a [ExchangeRecord] {
        self.smaller(finding).map_or(&finding.evidence, |m| &m.evidence)
    }

    /// Confirmed findings of a level that no waiver covers.
    pub fn standing(&self, level: Level) -> impl Iterator<Item = &(FindingRecord, Update)> {
        self.findings
            .iter()
            .filter(move |(f, u)| f.level == level && u.confirmed && u.waived.is_none())
    }

    /// Waivers that came to this.
    pub fn waivers_that_are(&self, fate: Fate) -> impl Iterator<Item = &WaiverSummary> {
        self.waivers.iter().filter(move |w| w.fate == fate)
    }

    /// The exit table of DESIGN.md.
    fn conclude(&mut self) {
        let mut reasons = Vec::new();
        let musts = self.standing(Level::Must).count();
        let shoulds = self.standing(Level::Should).count();
        if musts > 0 {
            reasons.push(format!("{musts} confirmed MUST {}", plural(musts, "finding")));
        }
        if shoulds > 0 && self.head.strict {
            reasons.push(format!(
                "{shoulds} confirmed SHOULD {} (strict)",
                plural(shoulds, "finding")
            ));
        }
        let stale = self.waivers_that_are(Fate::Stale).count();
        if stale > 0 && self.head.strict {
            reasons.push(format!("{stale} stale {} (strict)", plural(stale, "waiver")));
        }
        if !reasons.is_empty() {
            match &self.tail {
                None => reasons.push("the run was killed before its end".to_owned()),
                Some(tail) if tail.cut_short => {
                    reasons.extend(tail.trouble.iter().map(|why| format!("cut short: {why}")));
                }
                Some(_) => {}
            }
            self.conclusion = Conclusion::NonConformant;
            self.reasons = reasons;
            return;
        }
        match &self.tail {
            None => reasons.push("the run was killed before its end".to_owned()),
            Some(tail) => {
                reasons.extend(tail.trouble.iter().cloned());
                if tail.cut_short {
                    reasons.push("the run was cut short".to_owned());
                }
            }
        }
        let runs: u64 = self.cases.iter().filter_map(|c| c.record.as_ref()).map(|r| r.runs).sum();
        let unanswered: u64 =
            self.cases.iter().filter_map(|c| c.record.as_ref()).map(|r| r.unanswered).sum();
        if runs == 0 && reasons.is_empty() {
            reasons.push("no case ran".to_owned());
        }
        if unanswered * 100 > runs {
            reasons.push(format!("{unanswered} of {runs} trials stayed unanswered"));
        }
        for rule in &self.rules {
            let id = &rule.rule.id;
            match rule.outcome {
                Outcome::Errored => reasons.push(format!("{id} panicked: a defect of batchproof")),
                Outcome::Masked if rule.rule.level == Level::Must => {
                    reasons.push(format!("{id} was never judged: always masked by another rule"));
                }
                Outcome::Unanswered if rule.rule.level == Level::Must => {
                    reasons.push(format!("{id} was never judged: the target did not answer"));
                }
                _ => {}
            }
        }
        self.conclusion =
            if reasons.is_empty() { Conclusion::Conformant } else { Conclusion::Inconclusive };
        self.reasons = reasons;
    }
}

fn one_rule(
    rule: &RuleInfo,
    head: &RunHead,
    records: &BTreeMap<String, CaseRecord>,
    findings: &[(FindingRecord, Update)],
) -> RuleSummary {
    let mut counts = RuleCounts::default();
    for record in records.values() {
        if let Some(more) = record.rules.get(&rule.id) {
            counts.add(more);
        }
    }
    let mine: Vec<&Update> =
        findings.iter().filter(|(f, _)| f.rule == rule.id).map(|(_, u)| u).collect();
    let family = rule.id.split('-').next().unwrap_or("");
    let skipped = head.skipped.get(&rule.id).or_else(|| head.skipped.get(family)).cloned();
    let outcome = if counts.errored > 0 {
        Outcome::Errored
    } else if mine.iter().any(|u| u.confirmed && u.waived.is_none()) {
        Outcome::Failed
    } else if mine.iter().any(|u| u.waived.is_some()) {
        Outcome::Waived
    } else if !mine.is_empty() {
        Outcome::SeenOnce
    } else if counts.judged() > 0 {
        Outcome::Passed
    } else if counts.masked > 0 {
        Outcome::Masked
    } else if counts.unanswered > 0 {
        Outcome::Unanswered
    } else {
        Outcome::NotApplicable
    };
    RuleSummary { rule: rule.clone(), outcome, counts, skipped }
}

/// `word` in the plural where there isn't exactly one.
fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
