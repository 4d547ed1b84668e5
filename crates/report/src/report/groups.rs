//! Findings grouped by their cause: same rule, place and kind of difference, over any number of cases; causes
//! with one symptom stand together, and so do many of one rule.
//!
//! What all reports share. It must not know how any of them looks.

use crate::check::Scope;
use crate::contract::{Interpretation, Level};
use crate::record::{
    AnswerRecord, ExchangeRecord, Fate, FindingRecord, Outcome, RUN, RuleSummary, Summary, Update,
};

use super::text::{counted, millis, visible};

/// A finding with what became of it.
pub(super) type Found = (FindingRecord, Update);

/// Whether findings count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum State {
    /// Confirmed, and no waiver covers them.
    Standing,
    /// Not confirmed.
    SeenOnce,
    /// Covered by waivers.
    Waived,
}

impl State {
    pub(super) fn of(update: &Update) -> State {
        match (&update.waived, update.confirmed) {
            (Some(_), _) => State::Waived,
            (None, true) => State::Standing,
            (None, false) => State::SeenOnce,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            State::Standing => "confirmed",
            State::SeenOnce => "seen once",
            State::Waived => "waived",
        }
    }
}

/// Findings of one cause.
pub(super) struct Group<'a> {
    pub(super) state: State,
    pub(super) level: Level,
    /// The one that is shown: the plainest, one whose smallest trial is known before any other.
    pub(super) lead: &'a Found,
    /// All of them, the lead first.
    pub(super) all: Vec<&'a Found>,
}

impl<'a> Group<'a> {
    pub(super) fn rule(&self) -> &'a str {
        &self.lead.0.rule
    }

    /// The first finding of a rule among them.
    pub(super) fn of_rule(&self, rule: &str) -> Option<&'a Found> {
        self.all.iter().copied().find(|(finding, _)| finding.rule == rule)
    }

    /// The other causes that stand here, each with its first finding: what else shows the same fault.
    pub(super) fn others(&self) -> Vec<&'a Found> {
        let mut firsts: Vec<&'a Found> = vec![self.lead];
        for found in &self.all {
            if firsts.iter().all(|(first, _)| first.cause() != found.0.cause()) {
                firsts.push(found);
            }
        }
        firsts.split_off(1)
    }

    /// The other causes in a line, the first few of them.
    pub(super) fn also(&self) -> Option<String> {
        const TOLD: usize = 8;
        let others = self.others();
        let mut told: Vec<String> = others.iter().take(TOLD).map(|o| self.told(o)).collect();
        if others.len() > TOLD {
            told.push(format!("{} more", others.len() - TOLD));
        }
        (!told.is_empty()).then(|| told.join(", "))
    }

    /// Another cause by what tells it from the one that leads.
    fn told(&self, (other, _): &Found) -> String {
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

    /// The first few cases, the rest counted.
    pub(super) fn cases_shown(&self, most: usize) -> String {
        let cases = self.cases();
        let shown = cases.iter().take(most).map(|c| visible(c)).collect::<Vec<_>>().join(", ");
        if cases.len() > most { format!("{shown} and {} more", cases.len() - most) } else { shown }
    }
}

/// All findings: what counts first, MUST before SHOULD, then the most frequent.
pub(super) fn groups(summary: &Summary) -> Vec<Group<'_>> {
    grouped(summary, &summary.findings)
}

/// These findings by their causes, in the same order.
pub(super) fn grouped<'a>(
    summary: &Summary,
    found: impl IntoIterator<Item = &'a Found>,
) -> Vec<Group<'a>> {
    let mut places = std::collections::HashMap::new();
    let mut groups: Vec<Group<'a>> = Vec::new();
    for found in found {
        let (finding, update) = found;
        let state = State::of(update);
        let key = (state, finding.symptom());
        let at = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => {
                if plainness(summary, found) < plainness(summary, group.lead) {
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
    let mut groups = told_together(summary, groups);
    groups.sort_by_key(|g| (g.state, g.level, std::cmp::Reverse(g.count())));
    groups
}

/// More causes of one rule than these are told together: who checks nothing fails for every field.
const MANY: usize = 2;

/// The same with many causes of one rule as one group.
fn told_together<'a>(summary: &Summary, groups: Vec<Group<'a>>) -> Vec<Group<'a>> {
    let mut counts: std::collections::HashMap<(State, &str), usize> =
        std::collections::HashMap::new();
    for group in &groups {
        *counts.entry((group.state, group.rule())).or_default() += 1;
    }
    let mut together: Vec<Group<'a>> = Vec::new();
    for group in groups {
        let many = counts.get(&(group.state, group.rule())).is_some_and(|count| *count > MANY);
        let same = |g: &&mut Group<'a>| (g.state, g.rule()) == (group.state, group.rule());
        match together.iter_mut().find(same).filter(|_| many) {
            Some(first) if plainness(summary, group.lead) < plainness(summary, first.lead) => {
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

/// How much a reader has to take in to understand a finding; the less, the plainer. Shrunk ones come first.
fn plainness(summary: &Summary, (finding, update): &Found) -> impl Ord + use<> {
    let minimal = summary.minimals.get(&finding.id).filter(|m| m.shown > 0 || m.is_smaller());
    let evidence = summary.shortest(finding);
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

/// Confirmed MUST and SHOULD findings that no waiver covers.
pub(super) fn figures(summary: &Summary) -> (usize, usize) {
    (summary.standing(Level::Must).count(), summary.standing(Level::Should).count())
}

/// Whether the run says nothing at all of the target.
pub(super) fn nothing_judged(summary: &Summary) -> bool {
    summary.findings.is_empty() && summary.rules.iter().all(|r| r.counts.judged() == 0)
}

/// The figures of the first line.
pub(super) fn headline(summary: &Summary) -> String {
    let part = part(summary).map(|part| format!("{part} alone: ")).unwrap_or_default();
    if nothing_judged(summary) {
        return format!("{part}nothing was judged");
    }
    let (musts, shoulds) = figures(summary);
    let judged = summary.rules.iter().filter(|r| r.counts.judged() > 0).count();
    let mut parts =
        vec![counted(musts as u64, "MUST finding"), counted(shoulds as u64, "SHOULD finding")];
    for (state, word) in [(State::SeenOnce, "seen once"), (State::Waived, "waived")] {
        let n = summary.findings.iter().filter(|(_, u)| State::of(u) == state).count();
        if n > 0 {
            parts.push(format!("{n} {word}"));
        }
    }
    let stale = summary.waivers_that_are(Fate::Stale).count();
    if stale > 0 {
        parts.push(counted(stale as u64, "stale waiver"));
    }
    parts.push(format!("{judged} of {} judged", counted(summary.rules.len() as u64, "rule")));
    format!("{part}{}", parts.join(", "))
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

/// What an outcome is called.
pub(super) fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::Waived => "waived",
        Outcome::SeenOnce => "seen once",
        Outcome::NotApplicable => "not applicable",
        Outcome::Masked => "masked",
        Outcome::Unanswered => "unanswered",
        Outcome::Errored => "errored",
    }
}

/// Why a rule was never judged, in a few words.
#[must_use]
pub fn unjudged(rule: &RuleSummary) -> Option<String> {
    let why = match rule.outcome {
        Outcome::NotApplicable => match &rule.skipped {
            Some(reason) => format!("skipped by the profile: {reason}"),
            // A rule for what users' own cases expect is no gap where there are none.
            None if rule.rule.id == "CASE-001" => return None,
            None if rule.rule.scope == Some(Scope::Run) => {
                "nothing came about that it is judged on".to_owned()
            }
            None => "no case that ran applies to it".to_owned(),
        },
        Outcome::Masked => "always masked by the failure of a rule that it needs".to_owned(),
        Outcome::Unanswered => "the target did not answer".to_owned(),
        Outcome::Errored => "it panicked: a defect of batchproof".to_owned(),
        _ => return None,
    };
    Some(why)
}

/// How sure a finding is.
pub(super) fn proof((finding, update): &Found) -> String {
    if finding.case == RUN {
        return "judged over the whole run".to_owned();
    }
    let repeats = (update.of > 0).then(|| format!("{} of {} repeats", update.shown, update.of));
    let proof = match (finding.proven, update.confirmed, repeats) {
        (true, _, None) => "proven by the answer's bytes".to_owned(),
        (true, _, Some(repeats)) => {
            format!("proven by the answer's bytes, and shown again by {repeats}")
        }
        (false, true, Some(repeats)) => format!("confirmed by {repeats}"),
        (false, true, None) => "confirmed".to_owned(),
        (false, false, Some(repeats)) => {
            format!("not confirmed: shown again by {repeats}")
        }
        (false, false, None) => "not confirmed: not repeated".to_owned(),
    };
    // One that comes and goes is a finding with its rate.
    if update.shown < update.of && update.runs > 1 {
        return format!(
            "{proof}; intermittent, in {} of {} of its case",
            update.trials,
            counted(update.runs, "run")
        );
    }
    proof
}

/// The exchange that shows a finding, with its position in the evidence.
pub(super) fn shown(finding: &FindingRecord) -> Option<(usize, &ExchangeRecord)> {
    let last = finding.evidence.len().checked_sub(1)?;
    let at = finding.position.exchange.min(last);
    finding.evidence.get(at).map(|e| (at, e))
}

/// What came back, in a few words.
pub(super) fn answer_line(answer: &AnswerRecord) -> String {
    match answer {
        AnswerRecord::Received { status, millis: took, .. } => {
            format!("{status} in {}", millis(*took))
        }
        AnswerRecord::Lost { kind, message, millis: took } => {
            format!("no answer ({}: {}) after {}", visible(kind), visible(message), millis(*took))
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
