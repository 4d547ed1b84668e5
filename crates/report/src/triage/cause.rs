//! Causes: findings of one rule, place and kind of difference, in any case.

use crate::check::{Grouping, Rule, TextChange, rules};
use crate::record::{ExchangeRecord, FindingRecord, Summary};

/// What findings of one cause share, in any case: rule, place, and kind of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cause<'a> {
    rule: &'a str,
    place: &'a str,
    kind: &'a str,
}

impl FindingRecord {
    /// Its cause. What follows a colon in a kind is a variety of it: `type accepted: array`.
    #[must_use]
    pub fn cause(&self) -> Cause<'_> {
        let kind = self.kind.split_once(": ").map_or(self.kind.as_str(), |(kind, _)| kind);
        Cause { rule: &self.rule, place: &self.place, kind }
    }

    /// What it shares with all findings of its problem, as its rule says.
    pub(super) fn root_cause(&self) -> Cause<'_> {
        let cause = self.cause();
        match rules::find(cause.rule).map(|rule| rule.grouping) {
            // What it failed on is told apart by its inputs.
            Some(Grouping::Shared(group)) => {
                let kind = cause.kind.split_once(" to ").map_or(cause.kind, |(kind, _)| kind);
                Cause { rule: group, kind, ..cause }
            }
            Some(Grouping::ByChange) => match self.change() {
                Some(change) => Cause { rule: "texts change", place: "", kind: change.word() },
                None => cause,
            },
            Some(Grouping::ByPlace) => Cause { kind: "", ..cause },
            Some(Grouping::ByKind) | None => cause,
        }
    }
}

impl FindingRecord {
    /// What the target does to texts, where the finding shows that and its rule is grouped by it.
    #[must_use]
    pub fn change(&self) -> Option<TextChange> {
        let by_change = rules::find(&self.rule).is_some_and(|r| r.grouping == Grouping::ByChange);
        let word = self.kind.rsplit(": ").next().filter(|_| by_change)?;
        TextChange::ALL.into_iter().find(|change| change.word() == word)
    }
}

/// Whether a finding shows that names of fields are compared ignoring letter case.
#[must_use]
pub fn names_ignore_case(finding: &FindingRecord) -> bool {
    finding.kind == "names in another letter case are known"
}

/// Whether bad credentials passed that may hang on what the target remembers of a connection: they did on one that
/// was used before, and on none of its own.
#[must_use]
pub fn remembers_credentials(summary: &Summary, finding: &FindingRecord) -> bool {
    // Only where it was tried on connections of their own.
    let cause = finding.cause();
    let of_cause = || summary.findings.iter().filter(|(f, _)| f.cause() == cause);
    let mut tried = of_cause().filter_map(|(f, _)| summary.minimals.get(&f.id)).peekable();
    with_remembered_credentials(summary, finding).is_some()
        && tried.peek().is_some()
        && tried.all(|m| m.shown == 0 && m.of > 0)
}

/// The exchange with those credentials.
pub(crate) fn with_remembered_credentials<'a>(
    summary: &'a Summary,
    finding: &'a FindingRecord,
) -> Option<&'a ExchangeRecord> {
    let about_credentials = rules::find(&finding.rule).is_some_and(Rule::is_about_credentials);
    let showed = summary.minimals.get(&finding.id).is_some_and(|m| m.shown > 0 && m.shown == m.of);
    let exchange = finding.evidence.get(finding.position.exchange)?;
    let bad = matches!(exchange.request.credential.as_str(), "none" | "empty" | "wrong")
        && matches!(exchange.request.framing.as_str(), "sized" | "chunked")
        && exchange.group.is_none();
    (about_credentials && !showed && bad).then_some(exchange)
}

/// What was found by its causes, in the order in which they came first.
#[must_use]
pub fn by_cause<'a, T>(
    found: impl IntoIterator<Item = T>,
    finding: impl Fn(&T) -> &'a FindingRecord,
) -> Vec<Vec<T>> {
    let mut causes: Vec<(Cause<'a>, Vec<T>)> = Vec::new();
    for one in found {
        let cause = finding(&one).cause();
        match causes.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, list)) => list.push(one),
            None => causes.push((cause, vec![one])),
        }
    }
    causes.into_iter().map(|(_, list)| list).collect()
}
