//! What makes a finding one of its kind, and which findings another one explains.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::event::{FindingRecord, Position};
use crate::check::{Finding, Rule};
use crate::contract::hex;

/// The pseudo-case that rules of the run's scope are found in.
pub const RUN: &str = "(run)";

/// The rule that fails where requests get each other's answers.
const MIXED_UP: &str = "RACE-002";

/// The id of a finding: a hash of rule, case, place and kind of difference.
#[must_use]
pub fn finding_id(rule: &str, case: &str, place: &str, kind: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [rule, case, place, kind] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hex(&hasher.finalize())[..12].to_owned()
}

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

    /// A finding of `rule` in a run of `case`, still without evidence; `clean` takes out secrets.
    #[must_use]
    pub fn of(
        rule: &Rule,
        finding: &Finding,
        (case, run, seed): (&str, u64, u64),
        clean: impl Fn(&str) -> String,
    ) -> FindingRecord {
        let place = finding.place();
        FindingRecord {
            id: finding_id(rule.id, case, &place, &finding.kind),
            rule: rule.id.to_owned(),
            level: rule.level,
            case: case.to_owned(),
            run,
            seed,
            place,
            kind: clean(&finding.kind),
            position: Position {
                exchange: 0,
                item: finding.item,
                pointer: clean(&finding.pointer),
            },
            expected: clean(&finding.expected),
            actual: clean(&finding.actual),
            message: clean(&finding_message(finding)),
            proven: finding.proven,
            explained_by: explaining(rule, finding),
            evidence: Vec::new(),
        }
    }
}

/// The rules whose failure explains a finding. Where requests get each other's answers, whatever is judged of
/// items beside results may be of another request.
fn explaining(rule: &Rule, finding: &Finding) -> Vec<String> {
    let mut explaining: Vec<String> =
        finding.explained_by.iter().map(|rule| (*rule).to_owned()).collect();
    if rule.relies_on(MIXED_UP) {
        explaining.push(MIXED_UP.to_owned());
    }
    explaining
}

/// What a finding says in one sentence.
#[must_use]
pub fn finding_message(finding: &Finding) -> String {
    let place = match (finding.item, finding.pointer.as_str()) {
        (Some(item), "") => format!("item {item}: "),
        (Some(item), pointer) => format!("item {item}, {pointer}: "),
        (None, "") => String::new(),
        (None, pointer) => format!("{pointer}: "),
    };
    format!("{place}expected {}, got {}", finding.expected, finding.actual)
}

/// Ids of the findings that the confirmed failure of another rule explains, each with that rule. `findings`
/// come with whether they are confirmed.
#[must_use]
pub fn masked(findings: &[(&FindingRecord, bool)]) -> HashMap<String, String> {
    let standing = || findings.iter().filter(|(_, confirmed)| *confirmed).map(|(f, _)| f);
    let confirmed: HashSet<&str> = standing().map(|f| f.rule.as_str()).collect();
    // What is explained itself explains nothing, or two rules could hide each other.
    let roots: HashSet<&str> = standing()
        .filter(|f| {
            let other = |rule: &String| *rule != f.rule && confirmed.contains(rule.as_str());
            !f.explained_by.iter().any(other)
        })
        .map(|f| f.rule.as_str())
        .collect();
    findings
        .iter()
        .filter_map(|(finding, _)| {
            let other = |rule: &&String| finding.rule != **rule && roots.contains(rule.as_str());
            let by = finding.explained_by.iter().find(other)?;
            Some((finding.id.clone(), by.clone()))
        })
        .collect()
}
