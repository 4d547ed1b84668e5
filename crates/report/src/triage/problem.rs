//! Problems: the findings of a run by their root causes.

use std::cmp::Reverse;
use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::cause::remembers_credentials;
use super::flakiness::is_flaky;
use super::inputs::Inputs;
use crate::contract::Level;
use crate::record::{ExchangeRecord, FindingStatus, RecordedFinding, Summary};

/// Whether a problem counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemState {
    /// Confirmed, and no waiver covers it.
    Confirmed,
    /// Repeats did not show it again.
    Unconfirmed,
    /// Covered by waivers.
    Waived,
}

impl ProblemState {
    /// By what became of a finding.
    #[must_use]
    pub fn from_status(update: &FindingStatus) -> ProblemState {
        match (&update.waived, update.confirmed) {
            (Some(_), _) => ProblemState::Waived,
            (None, true) => ProblemState::Confirmed,
            (None, false) => ProblemState::Unconfirmed,
        }
    }
}

/// A root cause with the findings that show it.
pub struct Problem<'a> {
    /// Whether it counts.
    pub state: ProblemState,
    /// Its level.
    pub level: Level,
    /// The finding that is shown: the simplest, preferably with a minimal example.
    pub lead: &'a RecordedFinding,
    /// All of them, the lead first.
    pub findings: Vec<&'a RecordedFinding>,
    /// The input that the target fails on, where only some input makes it.
    pub input: Option<&'a str>,
}

impl<'a> Problem<'a> {
    /// The rule of the finding that leads.
    #[must_use]
    pub fn rule(&self) -> &'a str {
        &self.lead.0.rule
    }

    /// The first finding of a rule among them.
    #[must_use]
    pub fn finding_of_rule(&self, rule: &str) -> Option<&'a RecordedFinding> {
        self.findings.iter().copied().find(|(finding, _)| finding.rule == rule)
    }

    /// The other causes of the problem, each with its first finding.
    #[must_use]
    pub fn other_causes(&self) -> Vec<&'a RecordedFinding> {
        let mut firsts: Vec<&'a RecordedFinding> = vec![self.lead];
        for found in &self.findings {
            if firsts.iter().all(|(first, _)| first.cause() != found.0.cause()) {
                firsts.push(found);
            }
        }
        firsts.split_off(1)
    }

    /// Whether it is flaky: most of its findings that were repeated did not show in each repeat.
    #[must_use]
    pub fn is_intermittent(&self) -> bool {
        let repeated = || self.findings.iter().filter(|(_, status)| status.of > 0);
        let flaky = repeated().filter(|(_, status)| is_flaky(status)).count();
        flaky > 0 && flaky * 2 >= repeated().count()
    }

    /// Whether it is flaky whatever is sent: ordinary requests show it too.
    #[must_use]
    pub fn comes_whatever_is_sent(&self) -> bool {
        let is_unusual = |(finding, _): &&&RecordedFinding| !finding.inputs.is_empty();
        let unusual = self.findings.iter().filter(is_unusual).count();
        self.is_intermittent() && 0 < unusual && unusual < self.findings.len()
    }

    /// How often it was seen, in all cases.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.findings.iter().map(|(_, u)| u.count).sum()
    }

    /// The cases that showed it, each once.
    #[must_use]
    pub fn cases(&self) -> Vec<&'a str> {
        let mut cases: Vec<&str> = Vec::new();
        for (finding, _) in &self.findings {
            if !cases.contains(&finding.case.as_str()) {
                cases.push(&finding.case);
            }
        }
        cases
    }
}

/// The problems of a run by state and level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProblemTotals {
    /// Confirmed, of level MUST.
    pub must: usize,
    /// Confirmed, of level SHOULD.
    pub should: usize,
    /// Not confirmed.
    pub unconfirmed: usize,
    /// Waived.
    pub waived: usize,
}

impl ProblemTotals {
    /// Counts problems.
    #[must_use]
    pub fn from_problems(problems: &[Problem<'_>]) -> ProblemTotals {
        let count = |state, level: Option<Level>| {
            let counts = |g: &&Problem<'_>| g.state == state && level.is_none_or(|l| g.level == l);
            problems.iter().filter(counts).count()
        };
        ProblemTotals {
            must: count(ProblemState::Confirmed, Some(Level::Must)),
            should: count(ProblemState::Confirmed, Some(Level::Should)),
            unconfirmed: count(ProblemState::Unconfirmed, None),
            waived: count(ProblemState::Waived, None),
        }
    }
}

/// All findings: what counts first, MUST before SHOULD, then the most frequent.
#[must_use]
pub fn problems(summary: &Summary) -> Vec<Problem<'_>> {
    problems_among(summary, &summary.findings)
}

/// The problems of these findings, in the same order.
#[must_use]
pub fn problems_among<'a>(
    summary: &'a Summary,
    found: impl IntoIterator<Item = &'a RecordedFinding>,
) -> Vec<Problem<'a>> {
    let found: Vec<&'a RecordedFinding> = found.into_iter().collect();
    let inputs = Inputs::of(summary, &found);
    let mut places = HashMap::new();
    let mut problems: Vec<Problem<'a>> = Vec::new();
    for found in found {
        let (finding, update) = found;
        let state = ProblemState::from_status(update);
        let input = inputs.get(finding);
        let key = (state, finding.root_cause(), input);
        let at = *places.entry(key).or_insert(problems.len());
        match problems.get_mut(at) {
            Some(problem) => {
                if effort_to_read(summary, found) < effort_to_read(summary, problem.lead) {
                    problem.lead = found;
                    problem.findings.insert(0, found);
                } else {
                    problem.findings.push(found);
                }
            }
            None => {
                problems.push(Problem {
                    state,
                    level: finding.level,
                    lead: found,
                    findings: vec![found],
                    input,
                });
            }
        }
    }
    let problems = merged_by_rule(summary, problems);
    let mut problems = merged_by_connection(summary, problems);
    for problem in &mut problems {
        lead_by_ordinary(summary, problem);
    }
    let mut problems = with_unconfirmed(problems);
    problems.sort_by_key(|g| (g.state, g.level, Reverse(g.count())));
    problems
}

/// What is flaky whatever is sent is shown by an ordinary request: an unusual one would pass for its cause.
fn lead_by_ordinary(summary: &Summary, problem: &mut Problem<'_>) {
    if !problem.comes_whatever_is_sent() {
        return;
    }
    let is_ordinary = |(_, found): &(usize, &&RecordedFinding)| {
        found.0.inputs.is_empty() && found.0.level == problem.level
    };
    let ordinary = problem.findings.iter().enumerate().filter(is_ordinary);
    let first = ordinary.min_by_key(|(_, found)| effort_to_read(summary, found)).map(|(at, _)| at);
    if let Some(at) = first {
        let lead = problem.findings.remove(at);
        problem.findings.insert(0, lead);
        problem.lead = lead;
    }
}

/// More causes of one rule than these are one problem: a server that checks nothing fails for every field.
const MANY: usize = 2;

/// The problems, with many causes of one rule as one.
fn merged_by_rule<'a>(summary: &Summary, problems: Vec<Problem<'a>>) -> Vec<Problem<'a>> {
    let mut counts: HashMap<(ProblemState, &str), usize> = HashMap::new();
    for problem in &problems {
        *counts.entry((problem.state, problem.rule())).or_default() += 1;
    }
    let mut together: Vec<Problem<'a>> = Vec::new();
    for problem in problems {
        // Inputs were told apart on purpose.
        let many = problem.input.is_none()
            && counts.get(&(problem.state, problem.rule())).is_some_and(|count| *count > MANY);
        let same = |g: &&mut Problem<'a>| (g.state, g.rule()) == (problem.state, problem.rule());
        match together.iter_mut().find(same).filter(|_| many) {
            Some(first)
                if effort_to_read(summary, problem.lead) < effort_to_read(summary, first.lead) =>
            {
                let rest = std::mem::replace(&mut first.findings, problem.findings);
                first.findings.extend(rest);
                first.lead = problem.lead;
            }
            Some(first) => first.findings.extend(problem.findings),
            None => together.push(problem),
        }
    }
    together
}

/// The problems, with all that a target lets pass because it remembers credentials of a connection as one.
fn merged_by_connection<'a>(summary: &Summary, problems: Vec<Problem<'a>>) -> Vec<Problem<'a>> {
    let mut together: Vec<Problem<'a>> = Vec::new();
    let mut first: Option<usize> = None;
    for problem in problems {
        let same = problem.state == ProblemState::Confirmed
            && remembers_credentials(summary, &problem.lead.0);
        if let Some(at) = first.filter(|_| same) {
            merge(&mut together[at], problem);
        } else {
            if same {
                first = Some(together.len());
            }
            together.push(problem);
        }
    }
    together
}

/// Adds the findings of a problem to another one, which leads unless it is of a lower level.
fn merge<'a>(into: &mut Problem<'a>, mut problem: Problem<'a>) {
    if problem.level < into.level {
        std::mem::swap(into, &mut problem);
    }
    into.findings.append(&mut problem.findings);
}

/// The problems, with findings that were not confirmed under the confirmed problem of the same root, if there is one:
/// no fault is listed twice.
fn with_unconfirmed(problems: Vec<Problem<'_>>) -> Vec<Problem<'_>> {
    let (unconfirmed, mut kept): (Vec<_>, Vec<_>) =
        problems.into_iter().partition(|p| p.state == ProblemState::Unconfirmed);
    for problem in unconfirmed {
        let root = problem.lead.0.root_cause();
        let same = |known: &&mut Problem<'_>| {
            known.state == ProblemState::Confirmed
                && known.level <= problem.level
                && known.findings.iter().any(|(finding, _)| finding.root_cause() == root)
        };
        match kept.iter_mut().find(same) {
            Some(known) => known.findings.extend(problem.findings),
            None => kept.push(problem),
        }
    }
    kept
}

/// How much a reader has to read to understand a finding. Shrunk ones come first.
fn effort_to_read(summary: &Summary, (finding, update): &RecordedFinding) -> impl Ord + use<> {
    let minimal = summary.minimals.get(&finding.id).filter(|m| m.shown > 0 || m.is_smaller());
    let evidence = summary.shortest_evidence(finding);
    let usual = |e: &ExchangeRecord| {
        let request = &e.request;
        let text = request.body.text();
        e.group.is_none()
            && request.credential == "good"
            && request.framing == "sized"
            && text.is_some_and(|text| text.is_ascii() && !text.contains('\\'))
    };
    let unusual = evidence.iter().filter(|e| !usual(e)).count();
    let size = minimal.map(|m| (m.to.items + 4 * m.to.requests, m.to.bytes));
    let kept = || (evidence.len() as u64, evidence.iter().map(|e| e.size() as u64).sum());
    let size = size.unwrap_or_else(kept);
    (minimal.is_none(), unusual > 0, size, Reverse(update.count))
}
