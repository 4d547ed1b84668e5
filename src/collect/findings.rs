//! Findings as they come: once for each kind, with the evidence that there is room for.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Collector, FindingState};
use crate::check::{ProbeResult, RuleViolation};
use crate::exchange::Exchange;
use crate::execution::Execution;
use crate::record::{
    BodyRecord, Event, ExchangeRecord, FindingRecord, FindingStatus, RUN, finding_id,
    finding_message,
};
use crate::session::{Observer, Progress};
use crate::triage::{by_cause, explained, is_flaky, tries_needed};

/// Findings above this many keep no evidence of their own.
const FINDINGS: usize = 2_000;
/// Exchanges that a finding keeps.
const EVIDENCE: usize = 12;
/// Bytes of evidence after which a finding keeps only the exchange that shows it.
const PLENTY: usize = 8 * 1024 * 1024;
/// Bytes of evidence after which a finding keeps none.
const TOO_MUCH: usize = 4 * PLENTY;
/// Bytes of a body that the smallest execution of a finding keeps whole.
const LARGEST: usize = 1024 * 1024;
/// Items of all executions that are kept for shrinking.
const KEPT_ITEMS: usize = 200_000;
/// Bytes of their answers.
const KEPT_BYTES: usize = 32 * 1024 * 1024;

impl Collector {
    pub(super) fn add_finding(
        &mut self,
        case: &str,
        (run, seed): (u64, u64),
        execution: &Arc<Execution>,
        (violation, times): (&RuleViolation, u64),
        observer: &dyn Observer,
    ) -> std::io::Result<()> {
        let place = violation.finding.place();
        let id = finding_id(violation.rule.id, case, &place, &violation.finding.kind);
        if let Some(found) = self.findings.get_mut(&id) {
            found.count += times;
            if found.trials.1 != run {
                found.trials = (found.trials.0 + 1, run);
            }
            return Ok(());
        }
        if self.findings.len() >= FINDINGS {
            return Ok(());
        }
        let (evidence, exchange) = match self.kept {
            _ if self.verdicts_only => (Vec::new(), 0),
            TOO_MUCH.. => (Vec::new(), 0),
            PLENTY.. => {
                let (mut all, at) = self.evidence(execution, violation.exchange);
                (all.drain(at..).take(1).collect(), 0)
            }
            _ => self.evidence(execution, violation.exchange),
        };
        self.kept += evidence.iter().map(ExchangeRecord::size).sum::<usize>();
        let mut record =
            FindingRecord::of(violation.rule, &violation.finding, (case, run, seed), |text| {
                self.clean(text)
            });
        record.evidence = evidence;
        record.position.exchange = exchange;
        observer.see(Progress::Found(&record));
        self.write(Event::Finding(Box::new(record.clone())))?;
        let confirmed = record.proven;
        let kept = self.keep(execution);
        self.findings.insert(
            id.clone(),
            FindingState {
                record,
                count: times,
                confirmed,
                shown: 0,
                of: 0,
                trials: (1, run),
                step: execution.step(violation.exchange).to_owned(),
                amount: execution.amount(),
                execution: kept,
            },
        );
        self.order.push(id);
        Ok(())
    }

    /// The execution of a finding, while there is room for it.
    fn keep(&mut self, execution: &Arc<Execution>) -> Option<Arc<Execution>> {
        // A giant batch was never whole in memory.
        if execution.streamed.is_some() || self.verdicts_only {
            return None;
        }
        let items = usize::try_from(execution.amount().items).unwrap_or(usize::MAX);
        // Findings of one execution come together and share it.
        if Arc::strong_count(execution) == 1 {
            let bytes = execution.held_bytes();
            if self.kept_bytes.saturating_add(bytes) > KEPT_BYTES {
                return None;
            }
            self.kept_bytes += bytes;
            self.kept_items = self.kept_items.saturating_add(items);
        }
        let room = !execution.exchanges.is_empty() && self.kept_items <= KEPT_ITEMS;
        room.then(|| Arc::clone(execution))
    }

    /// The exchanges that show a finding, and the position among them of the one that it is about.
    fn evidence(&self, execution: &Execution, exchange: usize) -> (Vec<ExchangeRecord>, usize) {
        self.exchanges(execution, exchange, BodyRecord::WHOLE)
    }

    /// The same with bodies so large that whatever a batch holds can be sent again.
    pub(crate) fn whole_evidence(
        &self,
        execution: &Execution,
        exchange: usize,
    ) -> (Vec<ExchangeRecord>, usize) {
        self.exchanges(execution, exchange, LARGEST)
    }

    fn exchanges(
        &self,
        execution: &Execution,
        exchange: usize,
        whole: usize,
    ) -> (Vec<ExchangeRecord>, usize) {
        let excerpt =
            execution.streamed.as_ref().and_then(|s| s.excerpts.get(exchange.wrapping_sub(1)));
        if let Some(excerpt) = excerpt {
            let record =
                ExchangeRecord::from_exchange(&excerpt.exchange, &self.base, &self.redactor);
            return (vec![ExchangeRecord { first: excerpt.first, ..record }], 0);
        }
        let group = execution.exchanges.get(exchange).and_then(|e| e.group);
        // What came before can matter; what came after matters only where it overlapped.
        let related: Vec<&Exchange> = execution
            .exchanges
            .iter()
            .filter(|e| e.index <= exchange || (group.is_some() && e.group == group))
            .collect();
        let skip = if group.is_some() { 0 } else { related.len().saturating_sub(EVIDENCE) };
        let kept: Vec<&&Exchange> = related.iter().skip(skip).take(EVIDENCE.max(skip)).collect();
        let position = kept.iter().position(|e| e.index == exchange).unwrap_or(0);
        let records = kept
            .iter()
            .take(EVIDENCE * 2)
            .map(|e| ExchangeRecord::up_to(whole, e, &self.base, &self.redactor))
            .collect();
        (records, position)
    }

    /// How many executions of findings of one cause miss it with a probability of at most `escape`; one where it
    /// showed in every repeat.
    #[must_use]
    pub fn tries_needed(&self, cause: &[&FindingState], escape: f64) -> u64 {
        let runs = |case: &str| self.cases.get(case).map_or(0, |c| c.runs);
        let rule = cause.first().map_or("", |f| f.record.rule.as_str());
        let statuses = |findings: &[&FindingState]| -> Vec<FindingStatus> {
            findings.iter().map(|f| status(f, runs(&f.record.case))).collect()
        };
        let mut updates = statuses(cause);
        if !updates.iter().any(is_flaky) {
            if !self.is_intermittent(rule) {
                return 1;
            }
            // Its repeats may have shown it by luck alone.
            let all: Vec<&FindingState> =
                self.findings.values().filter(|f| f.record.rule == rule).collect();
            updates = statuses(&all);
        }
        let judged = self.cases.values().filter(|c| c.judged(rule)).map(|c| c.runs).sum();
        tries_needed(&updates.iter().collect::<Vec<_>>(), judged, escape)
    }

    /// Whether most findings of a rule that were repeated did not show in each repeat: those that did may owe it to luck.
    #[must_use]
    pub fn is_intermittent(&self, rule: &str) -> bool {
        let repeated = || self.findings.values().filter(|f| f.record.rule == rule && f.of > 0);
        let flaky = repeated().filter(|f| f.shown < f.of).count();
        flaky > 0 && flaky * 2 >= repeated().count()
    }

    /// Findings that the confirmed failure of another rule explains, with that rule.
    pub(crate) fn masked(&self) -> HashMap<String, String> {
        let updates: Vec<FindingStatus> = self.findings.values().map(|f| status(f, 0)).collect();
        let pairs: Vec<_> = self.findings.values().map(|f| &f.record).zip(&updates).collect();
        explained(
            &pairs,
            self.cases.get(RUN).map_or_else(ProbeResult::default, |run| run.tally.probe),
        )
    }

    /// Findings that count, those of one cause together: same rule, place and kind, in any case.
    #[must_use]
    pub fn causes(&self) -> Vec<Vec<&FindingState>> {
        let masked = self.masked();
        let found = self.order.iter().filter_map(|id| self.findings.get(id));
        let counts =
            |found: &&FindingState| found.confirmed && !masked.contains_key(&found.record.id);
        by_cause(found.filter(counts), |found| &found.record)
    }
}

/// What became of a finding of a case with this number of runs.
pub(super) fn status(found: &FindingState, runs: u64) -> FindingStatus {
    FindingStatus {
        id: found.record.id.clone(),
        count: found.count,
        confirmed: found.confirmed,
        shown: found.shown,
        of: found.of,
        runs_shown: found.trials.0,
        runs,
        waived: None,
        masked_by: None,
    }
}

pub(crate) fn message(violation: &RuleViolation) -> String {
    finding_message(&violation.finding)
}
