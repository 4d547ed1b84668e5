//! Judges exchanges that others made: recorded ones, or those that go through a proxy. Nothing is sent.
//!
//! What is not known is not claimed: no order among exchanges that overlap, no fresh key that nobody saw being fresh, no
//! body that was not recorded. It must not know where exchanges come from.

mod head;
mod history;
mod overlap;
mod prepare;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use crate::check::{Evaluation, evaluate_since, rules};
use crate::collect::Collector;
use crate::contract::text::counted;
use crate::contract::{Contract, FileError, Profile};
use crate::exchange::{Exchange, Redactor};
use crate::execution::Execution;
use crate::generate::Generator;
use crate::har::TrafficEntry;
use crate::record::{Event, Recorder, RunTail, Summary, now};
use crate::session::Observer;

use history::History;
use overlap::{OverlapGroup, Overlaps};
use prepare::{Preparation, PreparedExchange, Preparer};

pub use head::TrafficOptions;
pub use prepare::base_of;

/// Judges exchanges in the order in which they began.
pub struct TrafficJudge {
    contract: Arc<Contract>,
    profile: Profile,
    generator: Generator,
    preparer: Preparer,
    collector: Collector,
    redactor: Redactor,
    observer: Arc<dyn Observer>,
    overlaps: Overlaps,
    history: History,
    freshness: Freshness,
    counts: TrafficCounts,
    /// Groups of each source that were judged.
    runs: BTreeMap<usize, u64>,
    sources: Vec<String>,
    groups: usize,
    /// When the first exchange began, and when the last one ended, in microseconds since 1970.
    times: Option<(i64, i64)>,
    began: Instant,
}

/// Which keys are known not to have been used before the recording.
#[derive(Default)]
struct Freshness {
    /// Everything that was ever sent is in the recording.
    is_whole: bool,
    /// Ends of the beginnings of keys, in lower case: of runs of ours of which every request is here.
    own: Vec<String>,
    /// Keys that requests held which are not judged.
    spoiled: HashSet<String>,
    /// A request that nobody knows the keys of was sent.
    is_spoiled: bool,
}

impl Freshness {
    fn knows(&self, key: &str) -> bool {
        if self.is_spoiled || self.spoiled.contains(key) {
            return false;
        }
        let folded = || key.to_ascii_lowercase();
        self.is_whole || !self.own.is_empty() && self.own.iter().any(|own| folded().contains(own))
    }
}

/// What became of the exchanges.
#[derive(Default)]
struct TrafficCounts {
    judged: u64,
    items: u64,
    elsewhere: u64,
    /// By reason.
    unjudged: BTreeMap<&'static str, u64>,
    /// Exchanges beside others that share a key with them.
    overlapping: u64,
    /// Items called used of whose keys nothing was known.
    unknown_used: u64,
}

impl TrafficJudge {
    /// A judge for exchanges with the target at `base`.
    ///
    /// # Errors
    /// A [`FileError`] where contract and profile don't fit.
    pub fn new(
        contract: Arc<Contract>,
        profile: Profile,
        base: &str,
        options: &TrafficOptions,
        observer: Arc<dyn Observer>,
    ) -> Result<TrafficJudge, FileError> {
        let generator = Generator::new(Arc::clone(&contract), &profile)?;
        let profile = profile.for_document(&contract);
        let redactor = Redactor::default();
        profile.secrets.iter().for_each(|secret| redactor.add(secret));
        let recorder = options.report_dir.as_deref().map(Recorder::new);
        let collector = Collector::new(recorder, redactor.clone(), base.to_owned());
        Ok(TrafficJudge {
            preparer: Preparer::new(Arc::clone(&contract), &profile, base),
            overlaps: Overlaps::new(options.sources.len() > 1, options.is_live),
            freshness: Freshness { is_whole: options.fresh_store, ..Freshness::default() },
            contract,
            profile,
            generator,
            collector,
            redactor,
            observer,
            history: History::default(),
            counts: TrafficCounts::default(),
            runs: BTreeMap::new(),
            sources: options.sources.clone(),
            groups: 0,
            times: None,
            began: Instant::now(),
        })
    }

    /// Writes down what is to be judged, by what.
    ///
    /// # Errors
    /// Where the record can't be written.
    pub fn begin(&mut self, options: &TrafficOptions) -> std::io::Result<()> {
        let cells = self.generator.coverage().list().to_vec();
        let head = head::head(&self.contract, &self.profile, options, cells);
        self.collector.write(Event::RunStarted(Box::new(head)))
    }

    /// Looks through exchanges that are all there before the first is judged: which of them are whole logs of runs of
    /// ours, and which keys were in requests that nothing is known of.
    pub fn survey<'a>(&mut self, entries: impl Iterator<Item = &'a TrafficEntry>) {
        let mut logs: HashMap<u64, (String, HashSet<u64>)> = HashMap::new();
        for entry in entries {
            if let Some(own) = &entry.own {
                let log = logs.entry(own.log).or_insert_with(|| (own.keys.clone(), HashSet::new()));
                log.1.insert(own.number);
            }
            self.preparer.secrets(entry).iter().for_each(|secret| self.redactor.add(secret));
            if self.preparer.is_elsewhere(entry) {
                self.freshness.spoiled.extend(self.preparer.keys(entry));
            }
        }
        for (keys, numbers) in logs.into_values() {
            let is_whole = (1..=numbers.len() as u64).all(|number| numbers.contains(&number));
            // Nonce and dash tell the keys of a process from all others.
            let mark = keys.len().checked_sub(MARK).and_then(|from| keys.get(from..));
            if let Some(mark) = mark.filter(|_| is_whole) {
                self.freshness.own.push(mark.to_ascii_lowercase());
            }
        }
    }

    /// Takes in an exchange of a source; none began before those that were taken in already.
    ///
    /// # Errors
    /// Where the record can't be written.
    pub fn take(&mut self, source: usize, entry: &TrafficEntry) -> std::io::Result<()> {
        self.close_before(entry.span.begun)?;
        let span = entry.span;
        if span.elapsed().is_some() {
            let times = self.times.get_or_insert((span.begun, span.ended));
            *times = (times.0.min(span.begun), times.1.max(span.ended));
        }
        if self.overlaps.is_live() {
            self.preparer.secrets(entry).iter().for_each(|secret| self.redactor.add(secret));
        }
        match self.preparer.prepare(source, entry) {
            Preparation::Elsewhere(keys) => {
                self.counts.elsewhere += 1;
                self.freshness.spoiled.extend(keys);
            }
            Preparation::Unjudged { why, keys } => {
                *self.counts.unjudged.entry(why).or_default() += 1;
                match keys {
                    Some(keys) => self.freshness.spoiled.extend(keys),
                    None => self.freshness.is_spoiled = true,
                }
            }
            Preparation::Judged(exchange) => self.overlaps.add(*exchange),
        }
        Ok(())
    }

    /// Judges everything that ended before that moment: nothing that began earlier is still to come.
    ///
    /// # Errors
    /// Where the record can't be written.
    pub fn close_before(&mut self, begun: i64) -> std::io::Result<()> {
        while let Some(group) = self.overlaps.next_closed(begun) {
            self.judge(group)?;
        }
        Ok(())
    }

    fn judge(&mut self, group: OverlapGroup) -> std::io::Result<()> {
        self.groups += 1;
        let members = group.members;
        let Some(source) = members.first().map(|first| first.source) else { return Ok(()) };
        let number = (members.len() > 1).then_some(self.groups);
        if number.is_some() {
            self.counts.overlapping += members.len() as u64;
        }
        let keys: HashSet<&str> = members.iter().flat_map(PreparedExchange::keys).collect();
        let (earlier, is_all) = self.history.with(&keys);
        let since = earlier.len();
        let sent =
            members.iter().map(|member| Exchange { group: number, ..member.exchange.clone() });
        let mut exchanges: Vec<Exchange> =
            earlier.iter().map(|earlier| earlier.exchange.clone()).chain(sent).collect();
        let is_known = is_all && !self.history.has_forgotten();
        for (index, exchange) in exchanges.iter_mut().enumerate() {
            exchange.index = index;
            if let crate::exchange::BodyIntent::Batch { items, .. } = &mut exchange.intent.body {
                for item in items {
                    let key = item.number.as_deref().unwrap_or("");
                    item.literal = !(is_known && self.freshness.knows(key));
                }
            }
        }
        self.counts.unknown_used += self.preparer.unknown_used(&exchanges, since);
        let mut evaluation = evaluate_since(&self.contract, &self.profile, &exchanges, since);
        for exchange in &exchanges[since..] {
            evaluation.covered.count(self.generator.coverage(), exchange);
            self.counts.judged += 1;
            self.counts.items += exchange.intent.items().len() as u64;
        }
        self.accuse_earlier(&mut exchanges, since, &mut evaluation);
        for member in members {
            self.history.add(&self.contract, Exchange { group: number, ..member.exchange });
        }
        let run = self.runs.entry(source).or_default();
        let case = self.sources.get(source).cloned().unwrap_or_default();
        let execution = Arc::new(Execution { exchanges, before: since, ..Execution::default() });
        let observer = Arc::clone(&self.observer);
        self.collector.add_execution(&case, *run, 0, &execution, &evaluation, observer.as_ref())?;
        *run += 1;
        Ok(())
    }

    /// A key that was rejected as used, in one request alone, and is accepted now, was not used then.
    fn accuse_earlier(
        &self,
        exchanges: &mut [Exchange],
        since: usize,
        evaluation: &mut Evaluation,
    ) {
        let [sent] = &exchanges[since..] else { return };
        let shown = self.preparer.shown_fresh(&exchanges[..since], sent);
        let Some(first) = shown.iter().map(|(exchange, _)| *exchange).min() else { return };
        let before = evaluate_since(&self.contract, &self.profile, exchanges, first);
        for (exchange, item) in &shown {
            let intent = &mut exchanges[*exchange].intent.body;
            if let crate::exchange::BodyIntent::Batch { items, .. } = intent {
                items[*item].literal = false;
            }
        }
        let after = evaluate_since(&self.contract, &self.profile, exchanges, first);
        let known = |violation: &crate::check::RuleViolation| {
            before.violations.iter().any(|known| {
                known.rule.id == violation.rule.id
                    && known.exchange == violation.exchange
                    && known.finding == violation.finding
            })
        };
        for mut violation in after.violations {
            let item = violation.finding.item.unwrap_or(usize::MAX);
            if shown.contains(&(violation.exchange, item)) && !known(&violation) {
                let expected = "accepted: its key was unused still, since it is accepted later";
                violation.finding.expected = expected.into();
                if let Some(index) = rules::index(violation.rule.id) {
                    evaluation.counts[index].failed += 1;
                }
                evaluation.violations.push(violation);
            }
        }
    }

    /// Judges what is left, and sums up; `further` is what else a reader should know.
    ///
    /// # Errors
    /// Where the record can't be written.
    pub fn finish(mut self, further: &[String]) -> std::io::Result<Option<Summary>> {
        self.close_before(i64::MAX)?;
        let profile = &self.profile;
        self.collector
            .evaluate_run(|rule| profile.skip_reason(rule).is_some(), self.observer.as_ref())?;
        for text in self.notes().into_iter().chain(further.iter().cloned()) {
            self.collector.write(Event::Note { text })?;
        }
        let accepted = self.collector.accepted();
        self.collector.finish()?;
        let operation = &self.contract.operation;
        let mut trouble = Vec::new();
        if self.counts.judged == 0 {
            trouble.push(format!(
                "No exchange of {} {} could be judged.",
                operation.method, operation.path
            ));
        }
        let seconds = match self.times {
            Some((from, to)) => to.saturating_sub(from) as f64 / 1e6,
            None => self.began.elapsed().as_secs_f64(),
        };
        let tail = RunTail {
            stopped: None,
            finished: now(),
            seconds,
            trouble,
            cut_short: false,
            timeline: Vec::new(),
            left_behind: accepted,
            cleaned_up: None,
            requests: self.counts.judged,
            items: self.counts.items,
            advice: None,
        };
        self.collector.write(Event::RunFinished(Box::new(tail)))?;
        Ok(Summary::from_events(&self.collector.events))
    }

    fn notes(&self) -> Vec<String> {
        let counts = &self.counts;
        let mut notes = Vec::new();
        if counts.elsewhere > 0 {
            let exchanges = counted(counts.elsewhere, "exchange");
            notes.push(format!("left out: {exchanges} of other targets, paths and methods"));
        }
        for (why, count) in &counts.unjudged {
            notes.push(format!("not judged: {} ({why})", counted(*count, "exchange")));
        }
        let (open, refused) = self.preparer.not_claimed();
        if open > 0 {
            notes.push(format!(
                "not judged: {} whose response body was not recorded",
                counted(open, "exchange")
            ));
        }
        if refused > 0 {
            notes.push(format!(
                "not judged: {} refused though the contract allows it (the target may know no such value: a profile \
                 with `values` says which it knows)",
                counted(refused, "item")
            ));
        }
        if counts.unknown_used > 0 {
            notes.push(format!(
                "not judged: {} rejected as used at the first appearance of the key, which may have been used {}",
                counted(counts.unknown_used, "item"),
                if self.freshness.is_whole {
                    "by a request that could not be read"
                } else {
                    "before the recording (--fresh-store says that none was)"
                }
            ));
        }
        if counts.overlapping > 0 {
            notes.push(format!(
                "{} overlapped with another that holds one of their keys: judged as simultaneous",
                counted(counts.overlapping, "exchange")
            ));
        }
        if self.history.has_forgotten() {
            notes.push(
                "The memory for earlier exchanges was full: keys of the oldest are no longer compared.".to_owned(),
            );
        }
        notes
    }
}

/// Characters of a nonce, and the dash behind it.
const MARK: usize = 7;
