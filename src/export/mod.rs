//! Findings as case files: what was sent, with fresh numbers in every run, and what was expected.
//!
//! A case file that is saved fails under the same rule wherever the fault is, and passes once it is gone. It
//! holds no number of the run and no secret.

mod expect;
mod numbers;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::case::{Credential, Expect, Framing, Results};
use crate::check::{Expectation, rules};
use crate::collect::{Collector, FindingState};
use crate::compose::documented_headers;
use crate::contract::validity::ExpectedOutcome;
use crate::contract::yaml::{flow, scalar};
use crate::record::{Event, FindingRecord, Summary};
use crate::scenario::{BatchText, Scenario, ScenarioRequest};
use crate::session::Environment;
use crate::session::RunOptions;
use crate::triage::problems;
use numbers::KeyTemplates;

/// Where a case file comes from.
pub struct CaseOrigin {
    rule: String,
    level: String,
    title: String,
    finding: String,
    what: String,
    origin: String,
    target: String,
    runs: u64,
}

/// How likely a case file may miss a flaky fault.
pub const MISS: f64 = 0.01;
/// Most runs of a case file.
const MOST_RUNS: u64 = 300;

impl CaseOrigin {
    /// From what is recorded of a finding that this number of executions does not miss.
    #[must_use]
    pub fn of(finding: &FindingRecord, options: &RunOptions, runs: u64) -> CaseOrigin {
        let place =
            if finding.place.is_empty() { String::new() } else { format!(" at {}", finding.place) };
        CaseOrigin {
            rule: finding.rule.clone(),
            level: finding.level.to_string(),
            title: rules::find(&finding.rule).map_or_else(String::new, |r| r.title.to_owned()),
            finding: finding.id.clone(),
            what: format!("{}{place}", finding.kind),
            origin: format!("case {}, run {}, seed {}", finding.case, finding.run, options.seed),
            target: options.target.clone(),
            runs: runs.min(MOST_RUNS),
        }
    }
}

/// The name of a finding's case file: its rule and the beginning of its id.
#[must_use]
pub fn file_name(rule: &str, id: &str) -> String {
    format!("{rule}-{}.yaml", id.get(..6).unwrap_or(id))
}

/// A scenario as a case file; nothing where it requests what no case file can say with fresh numbers.
#[must_use]
pub fn case_file(environment: &Environment, scenario: &Scenario, about: &CaseOrigin) -> String {
    let contract = &environment.contract;
    let hidden = scenario.items().any(|item| {
        let unique = item.field(&contract.batch.unique).unwrap_or_default();
        let minted = |text: &str| !scenario.prefixes.find(text.as_bytes()).is_empty();
        let behind_escapes = item.number(contract).is_some_and(|n| minted(&n)) && !minted(&unique);
        behind_escapes || unique.parse().is_ok_and(crate::generate::KeyGenerator::is_integer_key)
    });
    if hidden {
        return String::new();
    }
    let numbers = KeyTemplates::of(scenario);
    let mut out = String::new();
    let mut comment = |text: &str| {
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let _ = writeln!(out, "# {line}");
    };
    comment(&format!(
        "Saved by batchproof {}: {} {}, finding {}.",
        env!("CARGO_PKG_VERSION"),
        about.level,
        about.rule,
        about.finding
    ));
    comment(&format!("Found by {}, against {}.", about.origin, about.target));
    comment(&format!("It fails while the fault is there: {}.", about.what));
    let _ = writeln!(out, "title: {}", scalar(&about.title));
    let own = about.rule == rules::of_user_cases().id;
    if !own {
        let _ = writeln!(out, "asserts: {}", about.rule);
    }
    if about.runs > 1 {
        let _ = writeln!(out, "runs: {} # the fault is flaky", about.runs);
    }
    let _ = writeln!(out, "steps:");
    let mut at = 0;
    while let Some(first) = scenario.requests.get(at) {
        let together = match first.group {
            Some(group) => {
                scenario.requests[at..].iter().take_while(|s| s.group == Some(group)).count()
            }
            None => 1,
        };
        let writer = CaseWriter { environment, scenario, numbers: &numbers, rule: &about.rule };
        if first.group.is_some() {
            let _ = writeln!(out, "  - simultaneously:");
            for index in at..at + together {
                writer.step(&mut out, 6, index);
            }
            if let Some(words) = writer.expected((at..at + together).collect()) {
                let _ = writeln!(out, "    expect: {words}");
            }
        } else {
            writer.step(&mut out, 2, at);
        }
        at += together;
    }
    out
}

/// Writes a case file for every cause of findings that count: its smallest execution, or the first one where it
/// was not shrunk. Notes those that can't be written as one.
///
/// # Errors
/// Where the directory, a file or the record can't be written.
pub fn all(
    environment: &Environment,
    options: &RunOptions,
    collector: &mut Collector,
    dir: &Path,
) -> std::io::Result<()> {
    let mut smallest: HashMap<&str, &str> = HashMap::new();
    for event in &collector.events {
        if let Event::Shrunk(minimal) = event {
            smallest.insert(&minimal.id, &minimal.case_file);
        }
    }
    std::fs::create_dir_all(dir)?;
    let stand_ins = stand_ins(collector);
    let (mut without, mut replaced) = (Vec::new(), Vec::new());
    for cause in collector.causes() {
        let stand_in =
            cause.iter().map(|f| stand_ins.get(&f.record.id)).collect::<Option<Vec<_>>>();
        if let (Some(first), Some(lead)) = (cause.first(), stand_in.iter().flatten().next()) {
            replaced.push(format!("{} ({}): see {lead}", first.record.rule, first.record.id));
            continue;
        }
        let shrunk = cause.iter().find_map(|f| {
            let text = smallest.get(f.record.id.as_str()).filter(|t| !t.is_empty())?;
            Some((*f, (*text).to_owned()))
        });
        let first = || {
            let (found, execution) =
                cause.iter().find_map(|f| Some((*f, f.execution.as_ref()?)))?;
            let scenario = Scenario::of(environment, execution);
            let about =
                CaseOrigin::of(&found.record, options, collector.tries_needed(&cause, MISS));
            let text = collector.clean(&case_file(environment, &scenario, &about));
            (!text.is_empty()).then_some((found, text))
        };
        let Some((found, text)) = shrunk.or_else(first) else {
            without.extend(cause.first().map(|f| format!("{} ({})", f.record.rule, f.record.id)));
            continue;
        };
        let record = &found.record;
        let text = format!("{}{text}", others(&cause, &record.id));
        std::fs::write(dir.join(file_name(&record.rule, &record.id)), text)?;
    }
    if !replaced.is_empty() {
        let text =
            format!("not saved, because nobody knows how often it shows: {}", replaced.join(", "));
        collector.write(Event::Note { text })?;
    }
    if without.is_empty() {
        return Ok(());
    }
    let text = format!("no case file can say what was sent for {}", without.join(", "));
    collector.write(Event::Note { text })
}

/// Findings that were never repeated, of problems that are flaky, each with the finding that is saved in its place: as a
/// case file that runs once it would pass for fixed.
fn stand_ins(collector: &Collector) -> HashMap<String, String> {
    let Some(summary) = Summary::from_events(&collector.events) else { return HashMap::new() };
    let mut stand_ins = HashMap::new();
    for problem in problems(&summary).iter().filter(|problem| problem.is_intermittent()) {
        let (once, repeated): (Vec<_>, Vec<_>) =
            problem.findings.iter().copied().partition(|(_, status)| status.of == 0);
        let Some((known, _)) = repeated.first() else { continue };
        let name = format!("{} ({})", known.rule, known.id);
        stand_ins.extend(once.iter().map(|(finding, _)| (finding.id.clone(), name.clone())));
    }
    stand_ins
}

/// The other findings of a cause, as a comment.
fn others(cause: &[&FindingState], id: &str) -> String {
    let others: Vec<String> = cause
        .iter()
        .filter(|f| f.record.id != id)
        .map(|f| format!("{} ({})", f.record.id, f.record.case))
        .collect();
    if others.is_empty() {
        return String::new();
    }
    let mut text = String::from("# The same cause showed in other cases:\n");
    for line in others.chunks(4) {
        let _ = writeln!(text, "#   {}", line.join(", "));
    }
    text
}

struct CaseWriter<'a> {
    environment: &'a Environment,
    scenario: &'a Scenario,
    numbers: &'a KeyTemplates<'a>,
    rule: &'a str,
}

impl CaseWriter<'_> {
    fn step(&self, out: &mut String, indent: usize, index: usize) {
        let Some(send) = self.scenario.requests.get(index) else { return };
        let mut lines: Vec<String> = Vec::new();
        if send.pause > 0 {
            lines.push(format!("pause: {}", send.pause));
        }
        if let Some(raw) = &send.request.raw {
            lines.push(format!("raw: {}", scalar(&self.raw(raw))));
        } else {
            self.request(&mut lines, send);
            self.body(&mut lines, send);
        }
        if let Some(words) = self.expected(vec![index]) {
            lines.push(format!("expect: {words}"));
        }
        for (at, line) in lines.iter().enumerate() {
            let mark = if at == 0 { "- " } else { "  " };
            let _ = writeln!(out, "{:indent$}{mark}{line}", "");
        }
    }

    fn request(&self, lines: &mut Vec<String>, send: &ScenarioRequest) {
        let (request, operation) = (&send.request, &self.environment.contract.operation);
        let bodiless = send.batch.is_none() && request.body.is_none();
        if request.method != operation.method || bodiless {
            lines.push(format!("method: {}", scalar(&request.method)));
        }
        if request.path != operation.path {
            lines.push(format!("path: {}", scalar(&self.numbers.text(&request.path))));
        }
        let mut usual = documented_headers(&self.environment.contract);
        if bodiless {
            usual.retain(|(name, _)| name != "Content-Type");
        }
        let mut headers: Vec<String> = Vec::new();
        for (name, value) in request.headers.iter().filter(|h| !usual.contains(h)) {
            headers.push(format!("{}: {}", scalar(name), scalar(&self.numbers.text(value))));
        }
        for (name, _) in &usual {
            if !request.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name)) {
                headers.push(format!("{}: null", scalar(name)));
            }
        }
        if !headers.is_empty() {
            lines.push(format!("headers: {{ {} }}", headers.join(", ")));
        }
        if request.credential != Credential::Good {
            lines.push(format!("credential: {}", word(&request.credential)));
        }
        if request.framing != Framing::Sized {
            lines.push(format!("framing: {}", word(&request.framing)));
        }
        if let Some(hang_up) = &request.hang_up {
            lines.push(format!("disconnect: {}", word(hang_up)));
        }
        if request.new_connection {
            lines.push("new-connection: true".to_owned());
        }
    }

    fn body(&self, lines: &mut Vec<String>, send: &ScenarioRequest) {
        let compact = |batch: &BatchText| {
            let plain = BatchText::compact(&self.environment.contract, Vec::new());
            batch.before == plain.before
                && batch.after == plain.after
                && (batch.between == plain.between || batch.items.len() == 1)
        };
        match &send.batch {
            Some(batch) if compact(batch) => {
                lines.push("batch:".to_owned());
                let texts: Vec<String> =
                    batch.items.iter().map(|item| self.numbers.text(item.text())).collect();
                for alike in texts.chunk_by(|a, b| a == b) {
                    let Some(text) = alike.first() else { continue };
                    lines.push(format!("  - raw: {}", scalar(text)));
                    if alike.len() > 1 {
                        lines.push(format!("    times: {}", alike.len()));
                    }
                }
            }
            _ => {
                if let Some(body) = send.body() {
                    lines.push(format!("body: {}", scalar(&self.numbers.body(&body))));
                }
            }
        }
    }

    /// A request written out: what differs from target to target becomes a template.
    fn raw(&self, raw: &[u8]) -> String {
        let text = String::from_utf8_lossy(raw).replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let host = self.environment.host();
        let head: Vec<String> = head
            .lines()
            .map(|line| match line.split_once(':') {
                Some((name, value)) if value.trim() == host => format!("{name}: ${{host}}"),
                Some((name, value))
                    if name.eq_ignore_ascii_case("content-length")
                        && value.trim() == body.len().to_string() =>
                {
                    format!("{name}: ${{length}}")
                }
                _ => self.numbers.text(line).replace(crate::exchange::TOKEN_MARK, "${token}"),
            })
            .collect();
        format!("{}\n\n{}", head.join("\n"), self.numbers.text(body))
    }

    /// What is expected of these requests together, in words.
    fn expected(&self, mut exchanges: Vec<usize>) -> Option<String> {
        exchanges.sort_unstable();
        let several = exchanges.len() > 1;
        let about = |e: &&Expectation| {
            e.rule.id == self.rule
                && if several || !self.can_be_shared(e) {
                    e.exchanges == exchanges
                } else {
                    exchanges.iter().all(|x| e.exchanges.contains(x))
                }
        };
        let found = self.scenario.expectations.iter().find(about);
        let value = match found {
            Some(expectation) => expect::words(&expectation.expect, None),
            None if several => None,
            None => self.related(*exchanges.first()?),
        };
        value.map(|value| flow(&value, &|text| self.numbers.text(text)))
    }

    /// Whether what is expected of several requests is the same for each, and they overlapped with none.
    fn can_be_shared(&self, expectation: &Expectation) -> bool {
        let grouped = expectation
            .exchanges
            .iter()
            .any(|s| self.scenario.requests.get(*s).is_some_and(|s| s.group.is_some()));
        let Expect { results, count, .. } = &expectation.expect;
        let whole = matches!(results, Some(Results::Each(_) | Results::ExactlyOne { .. }));
        !grouped && !whole && count.is_none()
    }

    /// What a relation demands of a request that was made from another one: the verdicts that are due.
    fn related(&self, index: usize) -> Option<Value> {
        let contract = &self.environment.contract;
        let relating = self.scenario.relating.as_ref().filter(|r| r.rule.id == self.rule)?;
        let paired: HashSet<usize> =
            relating.pairs.iter().filter(|(_, b)| b.0 == index).map(|(_, b)| b.1).collect();
        let items = &self.scenario.requests.get(index)?.batch.as_ref()?.items;
        let due: Vec<Option<ExpectedOutcome>> =
            items.iter().map(|i| i.validity(contract).map(|s| s.expected_outcome())).collect();
        if paired.is_empty() {
            return None;
        }
        if due.iter().any(|d| matches!(d, Some(ExpectedOutcome::Refuse(_)))) {
            return Some(json!({ "refused": null }));
        }
        let word = |(i, due): (usize, &Option<ExpectedOutcome>)| match due {
            Some(ExpectedOutcome::Accept(_)) if paired.contains(&i) => "accepted",
            _ => "any",
        };
        let words: Vec<&str> = due.iter().enumerate().map(word).collect();
        Some(json!({ "results": words }))
    }
}

/// The word of a case file for what has no data.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).ok();
    value.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
