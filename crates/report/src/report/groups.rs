//! Problems: findings grouped by rule, place and kind of difference, over any number of cases. Causes with one
//! symptom are one problem, and so are many of one rule.
//!
//! All reports share it. It must not know how any of them looks.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::{Interpretation, Level};
use crate::record::{
    AnswerRecord, ExchangeRecord, FindingRecord, FindingStatus, RUN, Reason, RecordedFinding,
    RuleOutcome, RuleSummary, Summary, WaiverStatus,
};

use super::text::{counted, millis, visible};

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
    pub(super) fn from_status(update: &FindingStatus) -> ProblemState {
        match (&update.waived, update.confirmed) {
            (Some(_), _) => ProblemState::Waived,
            (None, true) => ProblemState::Confirmed,
            (None, false) => ProblemState::Unconfirmed,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            ProblemState::Confirmed => "confirmed",
            ProblemState::Unconfirmed => "unconfirmed",
            ProblemState::Waived => "waived",
        }
    }

    /// What follows a level if the problem does not count.
    pub(super) fn mark(self) -> String {
        match self {
            ProblemState::Confirmed => String::new(),
            state => format!(" ({})", state.word()),
        }
    }
}

/// Findings of one cause.
pub(super) struct Group<'a> {
    pub(super) state: ProblemState,
    pub(super) level: Level,
    /// The one that is shown: the simplest, preferably with a minimal example.
    pub(super) lead: &'a RecordedFinding,
    /// All of them, the lead first.
    pub(super) all: Vec<&'a RecordedFinding>,
}

impl<'a> Group<'a> {
    pub(super) fn rule(&self) -> &'a str {
        &self.lead.0.rule
    }

    /// The first finding of a rule among them.
    pub(super) fn of_rule(&self, rule: &str) -> Option<&'a RecordedFinding> {
        self.all.iter().copied().find(|(finding, _)| finding.rule == rule)
    }

    /// The other causes in the group, each with its first finding.
    pub(super) fn others(&self) -> Vec<&'a RecordedFinding> {
        let mut firsts: Vec<&'a RecordedFinding> = vec![self.lead];
        for found in &self.all {
            if firsts.iter().all(|(first, _)| first.cause() != found.0.cause()) {
                firsts.push(found);
            }
        }
        firsts.split_off(1)
    }

    /// The other causes in a line, the first few of them.
    pub(super) fn also(&self) -> Option<String> {
        const NAMED: usize = 8;
        let others = self.others();
        let mut named: Vec<String> = others.iter().take(NAMED).map(|o| self.variant(o)).collect();
        if others.len() > NAMED {
            named.push(format!("{} more", others.len() - NAMED));
        }
        (!named.is_empty()).then(|| named.join(", "))
    }

    /// Another cause by its difference from the one that leads.
    fn variant(&self, (other, _): &RecordedFinding) -> String {
        let same = self.all.iter().filter(|(f, _)| f.cause() == other.cause());
        let times = counted(same.map(|(_, u)| u.count).sum::<u64>(), "time");
        let lead = &self.lead.0;
        let what = match (other.rule == lead.rule, other.place == lead.place) {
            (false, _) => visible(&other.rule),
            (true, true) => visible(&other.kind),
            (true, false) => format!("{} {}", visible(&other.kind), visible(&other.place)),
        };
        format!("{what} ({times})")
    }

    /// How often it was seen, in all cases.
    pub(super) fn count(&self) -> u64 {
        self.all.iter().map(|(_, u)| u.count).sum()
    }

    /// The cases that showed it, each once.
    pub(super) fn cases(&self) -> Vec<&'a str> {
        let mut cases: Vec<&str> = Vec::new();
        for (finding, _) in &self.all {
            if !cases.contains(&finding.case.as_str()) {
                cases.push(&finding.case);
            }
        }
        cases
    }

    /// The first few cases.
    pub(super) fn cases_shown(&self, most: usize) -> String {
        let cases = self.cases();
        let shown = cases.iter().take(most).map(|c| visible(c)).collect::<Vec<_>>().join(", ");
        if cases.len() > most { format!("{shown}, …") } else { shown }
    }
}

/// All findings: what counts first, MUST before SHOULD, then the most frequent.
pub(super) fn groups(summary: &Summary) -> Vec<Group<'_>> {
    grouped(summary, &summary.findings)
}

/// These findings by their causes, in the same order.
pub(super) fn grouped<'a>(
    summary: &Summary,
    found: impl IntoIterator<Item = &'a RecordedFinding>,
) -> Vec<Group<'a>> {
    let mut places = std::collections::HashMap::new();
    let mut groups: Vec<Group<'a>> = Vec::new();
    for found in found {
        let (finding, update) = found;
        let state = ProblemState::from_status(update);
        let key = (state, finding.symptom());
        let at = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => {
                if effort_to_read(summary, found) < effort_to_read(summary, group.lead) {
                    group.lead = found;
                    group.all.insert(0, found);
                } else {
                    group.all.push(found);
                }
            }
            None => {
                groups.push(Group { state, level: finding.level, lead: found, all: vec![found] });
            }
        }
    }
    let mut groups = merged_by_rule(summary, groups);
    groups.sort_by_key(|g| (g.state, g.level, std::cmp::Reverse(g.count())));
    groups
}

/// More causes of one rule than these are one problem: a server that checks nothing fails for every field.
const MANY: usize = 2;

/// The groups, with many causes of one rule as one.
fn merged_by_rule<'a>(summary: &Summary, groups: Vec<Group<'a>>) -> Vec<Group<'a>> {
    let mut counts: std::collections::HashMap<(ProblemState, &str), usize> =
        std::collections::HashMap::new();
    for group in &groups {
        *counts.entry((group.state, group.rule())).or_default() += 1;
    }
    let mut together: Vec<Group<'a>> = Vec::new();
    for group in groups {
        let many = counts.get(&(group.state, group.rule())).is_some_and(|count| *count > MANY);
        let same = |g: &&mut Group<'a>| (g.state, g.rule()) == (group.state, group.rule());
        match together.iter_mut().find(same).filter(|_| many) {
            Some(first)
                if effort_to_read(summary, group.lead) < effort_to_read(summary, first.lead) =>
            {
                let rest = std::mem::replace(&mut first.all, group.all);
                first.all.extend(rest);
                first.lead = group.lead;
            }
            Some(first) => first.all.extend(group.all),
            None => together.push(group),
        }
    }
    together
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
    (minimal.is_none(), unusual > 0, size, std::cmp::Reverse(update.count))
}

/// Whether the run says nothing at all of the target.
pub(super) fn nothing_tested(summary: &Summary) -> bool {
    summary.findings.is_empty() && summary.rules.iter().all(|r| r.counts.judged() == 0)
}

/// The problems of a run by state and level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) must: usize,
    pub(super) should: usize,
    pub(super) unconfirmed: usize,
    pub(super) waived: usize,
}

impl Totals {
    pub(super) fn from_problems(groups: &[Group<'_>]) -> Totals {
        let count = |state, level: Option<Level>| {
            let counts = |g: &&Group<'_>| g.state == state && level.is_none_or(|l| g.level == l);
            groups.iter().filter(counts).count()
        };
        Totals {
            must: count(ProblemState::Confirmed, Some(Level::Must)),
            should: count(ProblemState::Confirmed, Some(Level::Should)),
            unconfirmed: count(ProblemState::Unconfirmed, None),
            waived: count(ProblemState::Waived, None),
        }
    }

    /// `3 problems (2 MUST, 1 SHOULD), 1 unconfirmed`.
    pub(super) fn words(self) -> String {
        let confirmed = self.must + self.should;
        let problems = counted(confirmed as u64, "problem");
        let mut words = match (self.must, self.should) {
            (0, 0) => "no problems".to_owned(),
            (_, 0) => format!("{problems} (MUST)"),
            (0, _) => format!("{problems} (SHOULD)"),
            (must, should) => format!("{problems} ({must} MUST, {should} SHOULD)"),
        };
        for (count, word) in [(self.unconfirmed, "unconfirmed"), (self.waived, "waived")] {
            if count > 0 {
                let _ = write!(words, ", {count} {word}");
            }
        }
        words
    }
}

/// What the run found, in a line: problems, waivers that match nothing, the part of a divided run.
pub(super) fn found_line(summary: &Summary, groups: &[Group<'_>]) -> String {
    if nothing_tested(summary) {
        return "nothing was tested".to_owned();
    }
    let mut line = Totals::from_problems(groups).words();
    let stale = summary.waivers_with(WaiverStatus::Stale).count();
    if stale > 0 {
        let _ = write!(line, ", {}", counted(stale as u64, "stale waiver"));
    }
    if let Some(part) = part(summary) {
        let _ = write!(line, ", in {part} only");
    }
    line
}

/// Scheme, host and port of the target; all of it where it is not a URL.
pub(super) fn host(target: &str) -> String {
    let origin = url::Url::parse(target).ok().map(|url| url.origin());
    match origin {
        Some(origin) if origin.is_tuple() => origin.ascii_serialization(),
        _ => target.to_owned(),
    }
}

/// `70 of 78 rules tested`.
pub(super) fn tested_line(summary: &Summary) -> String {
    let (tested, all) = summary.rules_tested();
    format!("{tested} of {all} rules tested")
}

/// Why the run is not conformant, without what the problems say already.
pub(super) fn other_reasons(summary: &Summary) -> Vec<String> {
    let other = summary.reasons.iter().filter(|r| !matches!(r, Reason::Findings { .. }));
    other.map(ToString::to_string).collect()
}

/// `part 3 of 3`, where the run is a part of a divided one.
pub(super) fn part(summary: &Summary) -> Option<String> {
    summary.head.partition.map(|(part, of)| format!("part {part} of {of}"))
}

/// The rule of a finding, where the record knows it.
pub(super) fn rule_of<'a>(summary: &'a Summary, id: &str) -> Option<&'a RuleSummary> {
    summary.rules.iter().find(|r| r.rule.id == id)
}

/// The interpretations that a citation names.
pub(super) fn cited<'a>(summary: &'a Summary, cite: &str) -> Vec<&'a Interpretation> {
    cite.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter_map(|word| summary.head.specification.interpretations.iter().find(|r| r.id == word))
        .collect()
}

/// A rule's family.
pub(super) fn family(rule: &str) -> &str {
    rule.split('-').next().unwrap_or(rule)
}

/// The name of an outcome.
pub(super) fn outcome_word(outcome: RuleOutcome) -> &'static str {
    match outcome {
        RuleOutcome::Passed => "passed",
        RuleOutcome::Failed => "failed",
        RuleOutcome::Waived => "waived",
        RuleOutcome::Unconfirmed => "unconfirmed",
        RuleOutcome::NotApplicable => "not applicable",
        RuleOutcome::Masked => "masked",
        RuleOutcome::Unanswered => "no response",
        RuleOutcome::Errored => "errored",
    }
}

/// Why a rule was not tested, in a few words.
#[must_use]
pub fn not_tested(rule: &RuleSummary) -> Option<String> {
    rule.not_tested().map(|why| why.to_string())
}

/// What confirms a finding; nothing where it is not confirmed.
pub(super) fn confirmation((finding, update): &RecordedFinding) -> Option<String> {
    if !update.confirmed {
        return None;
    }
    if finding.case == RUN {
        return Some("over the whole run".to_owned());
    }
    Some(match (update.of, finding.proven) {
        (0, true) => "by the response itself".to_owned(),
        (0, false) => "by repeats".to_owned(),
        (of, _) => format!("{} of {} repeats", update.shown, of),
    })
}

/// How often a problem was seen: `seen 17 times in 2 cases (order/permute, order/large)`.
pub(super) fn seen(group: &Group<'_>, cases: usize) -> String {
    let (finding, update) = group.lead;
    let count = group.count();
    let times = if count == 1 { "once".to_owned() } else { counted(count, "time") };
    let mut text = format!("seen {times}");
    if finding.case != RUN {
        let number = group.cases().len() as u64;
        let _ = write!(text, " in {} ({})", counted(number, "case"), group.cases_shown(cases));
    }
    // A flaky one is a finding with its rate.
    if update.shown < update.of && update.runs > 1 {
        let runs = counted(update.runs, "execution");
        let _ = write!(text, "; flaky: in {} of {runs} of this case", update.runs_shown);
    }
    if !update.confirmed {
        text = match update.of {
            0 => format!("{text}; not repeated"),
            of => format!("{text}; {} of {} repeats showed it again", update.shown, of),
        };
    }
    text
}

/// The exchange that shows a finding, with its position in the evidence.
pub(super) fn shown(finding: &FindingRecord) -> Option<(usize, &ExchangeRecord)> {
    let last = finding.evidence.len().checked_sub(1)?;
    let at = finding.position.exchange.min(last);
    finding.evidence.get(at).map(|e| (at, e))
}

/// The response in a few words.
pub(super) fn answer_line(answer: &AnswerRecord) -> String {
    match answer {
        AnswerRecord::Received { status, millis: took, .. } => {
            format!("{status} in {}", millis(*took))
        }
        AnswerRecord::Lost { kind, message, millis: took } => {
            format!("no response ({}: {}) after {}", visible(kind), visible(message), millis(*took))
        }
    }
}

/// An exchange in one line.
pub(super) fn exchange_line(exchange: &ExchangeRecord) -> String {
    format!(
        "{} {} → {}",
        visible(&exchange.request.method),
        visible(&exchange.request.url),
        answer_line(&exchange.answer)
    )
}

/// An exchange of this run in one line: the path alone where the host is the target's, and the trace id.
pub(super) fn request_line(exchange: &ExchangeRecord, target: &str) -> String {
    let request = &exchange.request;
    let origin = |url: &str| url::Url::parse(url).ok().map(|url| url.origin());
    let path = url::Url::parse(&request.url)
        .ok()
        .filter(|url| Some(url.origin()) == origin(target) || origin(target).is_none())
        .map_or(request.url.clone(), |url| url[url::Position::BeforePath..].to_owned());
    let traced = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("traceparent"));
    let trace = traced.and_then(|(_, value)| value.split('-').nth(1)).map(|id| {
        let short: String = id.chars().take(8).collect();
        format!("  (trace {})", visible(&short))
    });
    format!(
        "{} {} → {}{}",
        visible(&request.method),
        visible(&path),
        answer_line(&exchange.answer),
        trace.unwrap_or_default()
    )
}
