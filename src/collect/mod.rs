//! Collects what executions brought: counts for all, whole evidence for findings, a bounded sample of the rest.

mod findings;
mod pass_batch;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use findings::message;
use findings::status;
pub use pass_batch::PassBatch;

use crate::case::Thresholds;
use crate::check::{Evaluation, Rule, RuleCounts, RuleViolation, RunTally, evaluate_run, rules};
use crate::exchange::Answer;
use crate::exchange::Redactor;
use crate::execution::{DropProbe, Execution};
use crate::record::{
    CaseRecord, Event, ExchangeRecord, FindingRecord, Recorder, threshold_findings, threshold_rule,
};
pub use crate::record::{RUN, finding_id};
use crate::session::{Amount, Observer};

/// Cases of which one exchange is kept as an example.
const SAMPLES: usize = 200;

/// So often counts are written down while a case goes on.
const EVERY: Duration = Duration::from_secs(2);

/// What became of a finding so far.
#[derive(Debug, Clone)]
pub struct FindingState {
    /// As it is recorded.
    pub record: FindingRecord,
    /// How often it was seen.
    pub count: u64,
    /// Whether it counts.
    pub confirmed: bool,
    /// Repeats that showed it.
    pub shown: u32,
    /// Repeats that were tried.
    pub of: u32,
    /// Runs of its case that showed it, and the last of them.
    pub trials: (u64, u64),
    /// The step that showed it first.
    pub step: String,
    /// What the execution that showed it first sent.
    pub amount: Amount,
    /// The execution that showed it first; none where it is too large to keep, or there was none.
    pub execution: Option<Arc<Execution>>,
}

/// Everything that a run has brought so far.
pub struct Collector {
    /// Findings by id.
    pub findings: HashMap<String, FindingState>,
    /// Ids in the order in which they were first seen.
    pub order: Vec<String>,
    /// Every event, for the summary.
    pub events: Vec<Event>,
    /// Executions that lost an answer and were sent again.
    pub lost: u64,
    /// A plain batch that got no answer, sent by itself.
    lost_alone: Option<Arc<Execution>>,
    /// Numbers that were accepted beside the cases' own runs, and stay behind too.
    pub accepted_beside: u64,
    kept_items: usize,
    kept_bytes: usize,
    cases: BTreeMap<String, CaseRecord>,
    /// Runs of each case that are still to come.
    pending: HashMap<String, u64>,
    /// Cases that are written down as they stand.
    written: HashSet<String>,
    sampled: usize,
    /// Bytes of evidence.
    kept: usize,
    /// Answers that were too large to be held, and the length of the largest.
    outlined: (u64, u64),
    verdicts_only: bool,
    recorder: Option<Recorder>,
    /// When counts were written down before their case had ended.
    noted: Instant,
    redactor: Redactor,
    base: String,
}

impl Collector {
    /// A collector that writes to `recorder`, where there is one.
    #[must_use]
    pub fn new(recorder: Option<Recorder>, redactor: Redactor, base: String) -> Collector {
        Collector {
            findings: HashMap::new(),
            order: Vec::new(),
            events: Vec::new(),
            lost: 0,
            lost_alone: None,
            accepted_beside: 0,
            kept_items: 0,
            kept_bytes: 0,
            outlined: (0, 0),
            cases: BTreeMap::new(),
            pending: HashMap::new(),
            written: HashSet::new(),
            sampled: 0,
            kept: 0,
            verdicts_only: false,
            recorder,
            noted: Instant::now(),
            redactor,
            base,
        }
    }

    /// Whether nothing is kept as evidence.
    #[must_use]
    pub fn for_verdicts_only(self, verdicts_only: bool) -> Collector {
        Collector { verdicts_only, ..self }
    }

    /// Writes an event down.
    ///
    /// # Errors
    /// Where the record can't be written.
    pub fn write(&mut self, event: Event) -> std::io::Result<()> {
        let event = self.without_secrets(event);
        if let Some(recorder) = &mut self.recorder {
            recorder.write(&event)?;
        }
        self.events.push(event);
        Ok(())
    }

    /// Whatever a target said may have come into an event by a way that nobody thought of.
    fn without_secrets(&self, event: Event) -> Event {
        let Ok(text) = serde_json::to_string(&event) else { return event };
        let cleaned = self.redactor.clean(&text);
        if cleaned == text {
            return event;
        }
        // A secret that is a word of the format itself can't be told from it; texts were cleaned one by one.
        serde_json::from_str(&cleaned).unwrap_or(event)
    }

    /// A text without secrets.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        self.redactor.clean(text)
    }

    /// Says how many runs of a case are to come.
    pub fn expects(&mut self, case: &str, runs: u64) {
        self.pending.insert(case.to_owned(), runs);
    }

    /// Writes a case down once all its runs have ended, so that a run which is killed later keeps it.
    fn ended(&mut self, case: &str, runs: u64) -> std::io::Result<()> {
        let Some(pending) = self.pending.get_mut(case) else { return Ok(()) };
        *pending = pending.saturating_sub(runs);
        if *pending > 0 {
            return self.note_counts();
        }
        let Some(record) = self.cases.get(case).cloned() else { return Ok(()) };
        self.written.insert(case.to_owned());
        self.write(Event::CaseFinished(Box::new(record)))
    }

    /// Writes down now and then what was counted so far, so that a soak which is killed is no loss.
    fn note_counts(&mut self) -> std::io::Result<()> {
        if self.noted.elapsed() < EVERY {
            return Ok(());
        }
        self.noted = Instant::now();
        let going = self.cases.iter().filter(|(case, _)| !self.written.contains(*case));
        let events: Vec<Event> = going
            .map(|(_, r)| self.without_secrets(Event::CaseSoFar(Box::new(r.clone()))))
            .collect();
        // Not kept in memory: the last word on a case comes when it ends.
        let Some(recorder) = &mut self.recorder else { return Ok(()) };
        events.iter().try_for_each(|event| recorder.write(event))
    }

    /// Takes in an execution that was judged.
    ///
    /// # Errors
    /// Where the record can't be written.
    pub fn add_execution(
        &mut self,
        case: &str,
        run: u64,
        seed: u64,
        execution: &Arc<Execution>,
        evaluation: &Evaluation,
        observer: &dyn Observer,
    ) -> std::io::Result<()> {
        self.count(case, execution, evaluation);
        for response in execution.exchanges.iter().filter_map(|e| e.answer.response()) {
            if let Some(outline) = &response.outline {
                self.outlined = (self.outlined.0 + 1, self.outlined.1.max(outline.bytes));
            }
        }
        if run == 0
            && !self.verdicts_only
            && self.sampled < SAMPLES
            && let Some(first) = execution.exchanges.first()
        {
            self.sampled += 1;
            let exchange =
                Box::new(ExchangeRecord::from_exchange(first, &self.base, &self.redactor));
            self.write(Event::Sample { case: case.to_owned(), run, exchange })?;
        }
        for (at, violation) in evaluation.violations.iter().enumerate() {
            let times = execution.streamed.as_ref().and_then(|s| s.times.get(at)).copied();
            self.add_finding(
                case,
                (run, seed),
                execution,
                (violation, times.unwrap_or(1)),
                observer,
            )?;
        }
        if execution.cut { Ok(()) } else { self.ended(case, 1) }
    }

    /// Counts plainly right answers of one size; coverage counts what went the judge's way alone.
    ///
    /// # Errors
    /// Where the record can't be written.
    pub fn add_passes(&mut self, case: &str, sum: &PassBatch) -> std::io::Result<()> {
        let (items, count) = (sum.items, sum.count);
        let record = self.case(case);
        record.runs += count;
        record.requests += count;
        record.items += items as u64 * count;
        record.tally.add(&sum.evaluation.tally.times(count));
        for (rule, counts) in rules::all().iter().zip(&sum.evaluation.counts) {
            if *counts != RuleCounts::default() {
                record.rules.entry(rule.id.to_owned()).or_default().add(&counts.times(count));
            }
        }
        record.millis += sum.latencies.classes().map(|(_, class)| class.sum).sum::<u64>() / 1000;
        record.latencies.add(&sum.latencies);
        self.ended(case, count)
    }

    /// Counts an execution that stayed unanswered.
    ///
    /// # Errors
    /// Where the record can't be written.
    pub fn unanswered(
        &mut self,
        case: &str,
        rule: &Rule,
        execution: &Execution,
    ) -> std::io::Result<()> {
        let Amount { requests, items } = execution.amount();
        let record = self.case(case);
        record.runs += 1;
        record.unanswered += 1;
        record.requests += requests;
        record.items += items;
        record.rules.entry(rule.id.to_owned()).or_default().unanswered += 1;
        self.ended(case, 1)
    }

    /// Counts plain batches that were sent one by one because answers had got lost.
    pub fn add_drop_probe(&mut self, DropProbe { result, lost }: DropProbe) {
        self.lost_alone = lost.map(Arc::new);
        self.accepted_beside += result.sent - result.lost;
        self.case(RUN).tally.probe = result;
    }

    /// Counts an execution that lost an answer and is sent again.
    pub fn add_lost(&mut self) {
        self.lost += 1;
    }

    fn case(&mut self, case: &str) -> &mut CaseRecord {
        self.cases
            .entry(case.to_owned())
            .or_insert_with(|| CaseRecord { case: case.to_owned(), ..CaseRecord::default() })
    }

    fn count(&mut self, case: &str, execution: &Execution, evaluation: &Evaluation) {
        let Amount { requests, items } = execution.amount();
        let record = self.case(case);
        record.runs += u64::from(!execution.cut);
        record.requests += requests;
        record.items += items;
        record.tally.add(&evaluation.tally);
        record.covered.add(&evaluation.covered);
        for (rule, counts) in rules::all().iter().zip(&evaluation.counts) {
            if *counts != RuleCounts::default() {
                match record.rules.get_mut(rule.id) {
                    Some(before) => before.add(counts),
                    None => {
                        record.rules.insert(rule.id.to_owned(), *counts);
                    }
                }
            }
        }
        for exchange in execution.exchanges.iter().skip(execution.before) {
            if let Answer::Received(response) = &exchange.answer
                // Nobody timed it otherwise.
                && response.elapsed < Duration::MAX
            {
                let micros = u64::try_from(response.elapsed.as_micros()).unwrap_or(u64::MAX);
                record.millis += micros / 1000;
                let held = exchange.intent.items().len();
                let items = execution.streamed.as_ref().map_or(held as u64, |s| s.items);
                let class = size_class(usize::try_from(items).unwrap_or(usize::MAX));
                record.latencies.count(class, micros);
            }
        }
    }

    /// Adds findings of the run's scope, from what all cases brought together.
    ///
    /// # Errors
    /// Where the record can't be written.
    pub fn evaluate_run(
        &mut self,
        skipped: impl Fn(&str) -> bool,
        observer: &dyn Observer,
    ) -> std::io::Result<()> {
        let mut tally = RunTally::default();
        self.cases.values().for_each(|c| tally.add(&c.tally));
        let nothing = Arc::new(Execution::default());
        let lost_alone = self.lost_alone.clone();
        for verdict in evaluate_run(&tally, skipped) {
            let rule = verdict.rule;
            for finding in verdict.findings {
                // What an exchange shows is of those that were asked one by one.
                let shows = finding.exchange.and(lost_alone.as_ref());
                let execution = Arc::clone(shows.unwrap_or(&nothing));
                let violation = RuleViolation { rule, exchange: 0, finding };
                self.add_finding(RUN, (0, 0), &execution, (&violation, 1), observer)?;
            }
            self.case(RUN).rules.entry(rule.id.to_owned()).or_default().add(&verdict.counts);
        }
        Ok(())
    }

    /// Adds findings about what the answers of cases together must stay within.
    ///
    /// # Errors
    /// Where the record can't be written.
    pub fn judge_thresholds<'a>(
        &mut self,
        thresholds: impl Iterator<Item = (&'a str, &'a Thresholds)>,
        observer: &dyn Observer,
    ) -> std::io::Result<()> {
        let nothing = Arc::new(Execution::default());
        let rule = threshold_rule();
        for (case, thresholds) in thresholds {
            // A case that was not run has nothing to measure.
            let Some(record) = self.cases.get(case) else { continue };
            let (found, counts) = threshold_findings(thresholds, record);
            for finding in found {
                let violation = RuleViolation { rule, exchange: 0, finding };
                self.add_finding(case, (0, 0), &nothing, (&violation, 1), observer)?;
            }
            self.case(RUN).rules.entry(rule.id.to_owned()).or_default().add(&counts);
        }
        Ok(())
    }

    /// Counts requests that were refused for load or lost, and sent again.
    pub fn add_retried(&mut self, case: &str, requests: u64) {
        if requests > 0 {
            self.case(case).retried += requests;
        }
    }

    /// Writes down what is known of every case and finding.
    ///
    /// # Errors
    /// Where the record can't be written.
    pub fn finish(&mut self) -> std::io::Result<()> {
        let masked = self.masked();
        let runs: BTreeMap<String, u64> =
            self.cases.iter().map(|(case, r)| (case.clone(), r.runs)).collect();
        for record in std::mem::take(&mut self.cases).into_values() {
            if self.written.contains(&record.case) {
                continue;
            }
            self.write(Event::CaseFinished(Box::new(record)))?;
        }
        for id in self.order.clone() {
            let Some(found) = self.findings.get(&id) else { continue };
            let runs = runs.get(&found.record.case).copied().unwrap_or(0);
            let mut update = status(found, runs);
            update.masked_by = masked.get(&id).cloned();
            self.write(Event::FindingUpdated(update))?;
        }
        Ok(())
    }

    /// What to say of answers that were too large to be held, where there were any.
    #[must_use]
    pub fn note_on_size(&self) -> Option<String> {
        let (count, largest) = self.outlined;
        (count > 0).then(|| {
            format!(
                "Responses that were too large to be held in memory: {count} (the largest: {largest} bytes). Only their \
                 status and the number of their results were judged."
            )
        })
    }

    /// Numbers that were accepted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted_beside + self.cases.values().map(|c| c.tally.accepted).sum::<u64>()
    }
}

/// 0, 1, 2, 5, 10, 20, 50 … : the class that a batch of `items` belongs to.
pub(crate) fn size_class(items: usize) -> usize {
    let mut class = 1;
    if items == 0 {
        return 0;
    }
    for step in [2, 5, 10]
        .iter()
        .cycle()
        .enumerate()
        .map(|(i, s)| s * 10_usize.pow(u32::try_from(i / 3).unwrap_or(0)))
    {
        if items < step {
            return class;
        }
        class = step;
        if step > 100_000_000 {
            return class;
        }
    }
    class
}
