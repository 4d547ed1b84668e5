//! Merges the parts of one run into the record that the undivided run would have left.
//!
//! Counts and tallies are added up, findings of one id become one. Rules of the run's scope, and which findings
//! another one explains, are evaluated on the sum.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Recorded;
use crate::check::{ProbeResult, RunTally, evaluate_run};
use crate::contract::{FileError, Profile};
use crate::record::{
    AgainstRecord, CaseRecord, CleanedUp, DifferenceRecord, Event, ExchangeRecord, FindingRecord,
    FindingStatus, MinimalExample, RUN, RunHead, RunTail, add_against, add_difference,
    is_of_threshold, threshold_findings, threshold_rule,
};
use crate::triage::explained;

/// Exchanges kept as examples.
const SAMPLES: usize = 200;

/// The events of the whole run, from all of its parts.
///
/// # Errors
/// A [`FileError`] where a part is missing, there twice, or of another run.
pub fn merge(parts: &[Recorded]) -> Result<Vec<Event>, FileError> {
    let first = parts.first().ok_or_else(|| FileError::new("report", "no part to merge"))?;
    for part in parts {
        same_run(first, part)?;
    }
    let ordered = in_order(parts)?;
    let mut sum = MergedRun::default();
    for part in &ordered {
        sum.add(part);
    }
    Ok(sum.events(&ordered))
}

/// What all parts of a run share, with names for people.
fn shared(head: &RunHead) -> Vec<(&'static str, String)> {
    let waivers: Vec<String> =
        head.waivers.iter().map(|w| format!("{} {}", w.scope(), w.told())).collect();
    vec![
        ("run id", head.run_id.clone()),
        ("seed", head.seed.to_string()),
        ("depth", head.depth.to_string()),
        ("runs of each case", head.runs.map_or("as the cases say".to_owned(), |n| n.to_string())),
        ("refusal mode", head.refusal_mode.map_or("not given".to_owned(), |m| m.to_string())),
        ("target", head.target.clone()),
        ("number of parts", head.partition.map_or(0, |(_, of)| of).to_string()),
        ("version of batchproof", head.tool.clone()),
        ("specification (SHA-256)", head.specification.hash.clone()),
        ("suite of cases (SHA-256)", head.suite.clone()),
        ("strictness", if head.strict { "strict" } else { "not strict" }.to_owned()),
        ("profile", head.profile.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("waivers", waivers.join("; ")),
        (
            "older target (--against)",
            head.against.as_ref().map(|a| a.target.clone()).unwrap_or_default(),
        ),
    ]
}

fn same_run(first: &Recorded, part: &Recorded) -> Result<(), FileError> {
    for ((what, ours), (_, theirs)) in shared(first.head()).into_iter().zip(shared(part.head())) {
        if ours != theirs {
            let quoted =
                |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
            return Err(FileError::new(
                &*part.name,
                format!(
                    "its {what} is {}, and that of {} is {}",
                    quoted(&theirs),
                    first.name,
                    quoted(&ours)
                ),
            )
            .expected("parts of one run: the same options but for --partition"));
        }
    }
    Ok(())
}

/// The parts by their numbers, each there once.
fn in_order(parts: &[Recorded]) -> Result<Vec<&Recorded>, FileError> {
    let mut by_number: BTreeMap<u32, &Recorded> = BTreeMap::new();
    let mut of = 0;
    for part in parts {
        let (number, all) = part.head().partition.unwrap_or_default();
        of = all;
        if let Some(other) = by_number.insert(number, part) {
            return Err(FileError::new(
                &*part.name,
                format!("it is part {number} of {all}, and so is {}", other.name),
            )
            .expected("each part once"));
        }
    }
    let missing: Vec<u32> = (1..=of).filter(|n| !by_number.contains_key(n)).collect();
    if let (Some(first), Some(any)) = (missing.first(), parts.first()) {
        let names: Vec<&str> = parts.iter().map(|p| p.name.as_str()).collect();
        let list: Vec<String> = missing.iter().map(ToString::to_string).collect();
        let word = if missing.len() == 1 { "part" } else { "parts" };
        return Err(FileError::new(
            names.join(" "),
            format!("{word} {} of {of} missing", list.join(", ")),
        )
        .expected(format!("all {of} parts of the run"))
        .hint(part_command(any.head(), *first, of)));
    }
    Ok(by_number.into_values().collect())
}

/// The command that runs a part that is missing.
fn part_command(head: &RunHead, part: u32, of: u32) -> String {
    let mut command = format!(
        "batchproof run --partition {part}/{of} --seed {} --run-id {} --depth {}",
        head.seed, head.run_id, head.depth
    );
    if let Some(runs) = head.runs {
        let _ = write!(command, " --runs {runs}");
    }
    if let Some(mode) = head.refusal_mode {
        let _ = write!(command, " --refusal-mode {mode}");
    }
    if head.target.starts_with("http") {
        let _ = write!(command, " --target {}", head.target);
    }
    if head.strict {
        command.push_str(" --strict");
    }
    let _ = write!(command, " --report-dir part-{part}");
    let plain = serde_json::to_value(Profile::default()).ok();
    let further: Vec<&str> = [
        ("its profile", head.profile != plain),
        ("its waivers", !head.waivers.is_empty()),
        ("its cases", !head.whole_suite),
    ]
    .into_iter()
    .filter_map(|(what, wanted)| wanted.then_some(what))
    .collect();
    if !further.is_empty() {
        let _ = write!(command, ", and {} as the other parts had them", further.join(", "));
    }
    command
}

/// The sum of the parts.
#[derive(Default)]
struct MergedRun {
    notes: Vec<String>,
    findings: Vec<(FindingRecord, FindingStatus)>,
    cases: BTreeMap<String, CaseRecord>,
    /// What belongs to no case.
    beside: RunTally,
    samples: Vec<(String, u64, ExchangeRecord)>,
    minimals: BTreeMap<String, MinimalExample>,
    compared: Option<AgainstRecord>,
    differences: Vec<DifferenceRecord>,
    tail: Option<RunTail>,
    killed: bool,
}

impl MergedRun {
    fn add(&mut self, part: &Recorded) {
        let mut found: Vec<(FindingRecord, FindingStatus)> = Vec::new();
        let mut cases: BTreeMap<&str, &CaseRecord> = BTreeMap::new();
        if let Some(against) = &part.summary.against {
            add_against(self.compared.get_or_insert_default(), &against.record);
            for difference in against.differences.clone() {
                match self.differences.iter_mut().find(|d| d.id == difference.id) {
                    Some(known) => add_difference(known, difference),
                    None => self.differences.push(difference),
                }
            }
        }
        for event in &part.events {
            match event {
                // Parts observe nothing: they must plan alike.
                Event::RunStarted(_) | Event::Planned { .. } => {}
                // Taken from the part's summary, which knows the last word on each.
                Event::Compared(_) | Event::Difference(_) => {}
                Event::Note { text } => {
                    if !self.notes.contains(text) {
                        self.notes.push(text.clone());
                    }
                }
                Event::Finding(finding) => {
                    found.push(((**finding).clone(), FindingStatus::first_seen(finding)));
                }
                Event::FindingUpdated(update) => {
                    if let Some((_, known)) = found.iter_mut().find(|(f, _)| f.id == update.id) {
                        *known = update.clone();
                    }
                }
                Event::Sample { case, run, exchange } => {
                    if self.samples.len() < SAMPLES {
                        self.samples.push((case.clone(), *run, (**exchange).clone()));
                    }
                }
                // Rules of the run's scope are judged again.
                Event::CaseFinished(record) if record.case == RUN => self.beside.add(&record.tally),
                // The last word on a case holds.
                Event::CaseSoFar(record) | Event::CaseFinished(record) => {
                    cases.insert(&record.case, record);
                }
                Event::Shrunk(minimal) => self.add_minimal(minimal),
                Event::RunFinished(_) => {}
            }
        }
        for (case, record) in cases {
            let sum = self.cases.entry(case.to_owned()).or_default();
            case.clone_into(&mut sum.case);
            add_case(sum, record);
        }
        for (finding, update) in found {
            // Thresholds are about all parts together.
            if finding.case != RUN && !is_of_threshold(&finding.kind) {
                self.add_finding(finding, update);
            }
        }
        match &part.summary.tail {
            None => self.killed = true,
            Some(tail) => match &mut self.tail {
                None => self.tail = Some(tail.clone()),
                Some(sum) => add_tail(sum, tail),
            },
        }
    }

    /// Keeps the smaller of two minimal examples of a finding.
    fn add_minimal(&mut self, minimal: &MinimalExample) {
        let rank = |m: &MinimalExample| (!m.is_smaller(), m.to.requests, m.to.items, m.to.bytes);
        match self.minimals.get_mut(&minimal.id) {
            Some(known) if rank(known) <= rank(minimal) => {}
            Some(known) => *known = minimal.clone(),
            None => {
                self.minimals.insert(minimal.id.clone(), minimal.clone());
            }
        }
    }

    fn add_finding(&mut self, finding: FindingRecord, update: FindingStatus) {
        let Some((known, sum)) = self.findings.iter_mut().find(|(f, _)| f.id == finding.id) else {
            self.findings.push((finding, FindingStatus { masked_by: None, ..update }));
            return;
        };
        // The evidence of a run that counts, and of the first such run, stays.
        if (!update.confirmed, finding.run) < (!sum.confirmed, known.run) {
            *known = finding;
        }
        sum.count += update.count;
        sum.confirmed |= update.confirmed;
        sum.shown += update.shown;
        sum.of += update.of;
        sum.runs_shown += update.runs_shown;
    }
    /// The record of the whole run.
    fn events(mut self, parts: &[&Recorded]) -> Vec<Event> {
        let Some(head) = head(parts) else { return Vec::new() };
        self.evaluate_run(&head);
        let mut events = vec![Event::RunStarted(Box::new(head))];
        self.notes.push(format!("merged from the {} parts of the run", parts.len()));
        events.extend(self.notes.into_iter().map(|text| Event::Note { text }));
        let pairs: Vec<_> = self.findings.iter().map(|(f, u)| (f, u)).collect();
        let alone = self.cases.get(RUN).map_or_else(ProbeResult::default, |run| run.tally.probe);
        let mut masked = explained(&pairs, alone);
        for (finding, update) in self.findings {
            let runs = self.cases.get(&finding.case).map_or(0, |case| case.runs);
            let masked_by = masked.remove(&finding.id);
            events.push(Event::Finding(Box::new(finding)));
            events.push(Event::FindingUpdated(FindingStatus { runs, masked_by, ..update }));
        }
        events.extend(self.minimals.into_values().map(|m| Event::Shrunk(Box::new(m))));
        events.extend(self.compared.map(|compared| Event::Compared(Box::new(compared))));
        events.extend(self.differences.into_iter().map(|d| Event::Difference(Box::new(d))));
        events.extend(self.samples.into_iter().map(|(case, run, exchange)| Event::Sample {
            case,
            run,
            exchange: Box::new(exchange),
        }));
        let cases = self.cases.into_values().map(|case| Event::CaseFinished(Box::new(case)));
        events.extend(cases);
        if let Some(tail) = self.tail.filter(|_| !self.killed) {
            events.push(Event::RunFinished(Box::new(tail)));
        }
        events
    }

    /// Evaluates the rules of the run's scope on the sum of all tallies.
    fn evaluate_run(&mut self, head: &RunHead) {
        let mut tally = RunTally::default();
        self.cases.values().for_each(|case| tally.add(&case.tally));
        tally.add(&self.beside);
        let skipped = |rule: &str| head.skip_reason(rule).is_some();
        let tally_beside = std::mem::take(&mut self.beside);
        let mut record =
            CaseRecord { case: RUN.to_owned(), tally: tally_beside, ..CaseRecord::default() };
        for verdict in evaluate_run(&tally, skipped) {
            for finding in &verdict.findings {
                let found = FindingRecord::of(verdict.rule, finding, (RUN, 0, 0), str::to_owned);
                self.add_finding(found.clone(), FindingStatus::first_seen(&found));
            }
            record.rules.insert(verdict.rule.id.to_owned(), verdict.counts);
        }
        for (case, thresholds) in &head.thresholds {
            let Some(measured) = self.cases.get(case) else { continue };
            let (found, counts) = threshold_findings(thresholds, measured);
            let rule = threshold_rule();
            for finding in &found {
                let found = FindingRecord::of(rule, finding, (case, 0, 0), str::to_owned);
                self.add_finding(found.clone(), FindingStatus::first_seen(&found));
            }
            record.rules.entry(rule.id.to_owned()).or_default().add(&counts);
        }
        self.cases.insert(RUN.to_owned(), record);
    }
}

/// The head of the whole run: that of its parts, with no part in it.
fn head(parts: &[&Recorded]) -> Option<RunHead> {
    let heads = || parts.iter().map(|p| p.head());
    let mut head = heads().next()?.clone();
    head.partition = None;
    head.started = heads().map(|h| h.started.clone()).min()?;
    head.planned = heads().fold((0, 0), |(r, i), h| (r + h.planned.0, i + h.planned.1));
    Some(head)
}

fn add_case(sum: &mut CaseRecord, part: &CaseRecord) {
    sum.runs += part.runs;
    sum.unanswered += part.unanswered;
    sum.requests += part.requests;
    sum.items += part.items;
    sum.millis += part.millis;
    sum.retried += part.retried;
    for (rule, counts) in &part.rules {
        sum.rules.entry(rule.clone()).or_default().add(counts);
    }
    sum.tally.add(&part.tally);
    sum.latencies.add(&part.latencies);
    sum.covered.add(&part.covered);
}

fn add_tail(sum: &mut RunTail, part: &RunTail) {
    if part.finished > sum.finished {
        sum.finished.clone_from(&part.finished);
    }
    sum.seconds += part.seconds;
    for trouble in &part.trouble {
        if !sum.trouble.contains(trouble) {
            sum.trouble.push(trouble.clone());
        }
    }
    sum.cut_short |= part.cut_short;
    // Parts ran at times of their own.
    sum.timeline.clear();
    sum.stopped = sum.stopped.or(part.stopped);
    if sum.advice.is_none() {
        sum.advice.clone_from(&part.advice);
    }
    if let (Some(before), Some(after)) = (sum.cleaned_up, part.cleaned_up) {
        let (keys, requests) = (before.keys + after.keys, before.requests + after.requests);
        sum.cleaned_up = Some(CleanedUp { keys, requests });
        sum.left_behind += part.left_behind;
    } else {
        // Where one part left its items, they are what is left.
        sum.left_behind = sum.left() + part.left();
        sum.cleaned_up = None;
    }
    sum.requests += part.requests;
    sum.items += part.items;
}
