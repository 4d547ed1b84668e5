//! Findings as they are recorded, and what makes one of its kind. It must not know which of them belong together.

use sha2::{Digest, Sha256};

use super::event::FindingRecord;
use super::exchange::FindingPosition;
use crate::check::{Finding, Rule, rules};
use crate::contract::hex;

/// The pseudo-case that rules of the run's scope are found in.
pub const RUN: &str = "(run)";

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

impl FindingRecord {
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
            position: FindingPosition {
                exchange: 0,
                item: finding.item,
                pointer: clean(&finding.pointer),
            },
            expected: clean(&finding.expected.to_string()),
            actual: clean(&finding.actual.to_string()),
            message: clean(&finding_message(finding)),
            proven: finding.proven,
            explained_by: rules::explaining(rule, finding.symptom)
                .into_iter()
                .map(|rule| rule.id.to_owned())
                .collect(),
            inputs: finding.inputs.clone(),
            evidence: Vec::new(),
        }
    }
}

/// What a finding says in one sentence.
#[must_use]
pub fn finding_message(finding: &Finding) -> String {
    // A pointer that goes through the item says which it is.
    let within = |item: usize, pointer: &str| {
        pointer.split('/').nth(2).is_some_and(|part| part.parse() == Ok(item))
    };
    let place = match (finding.item, finding.pointer.as_str()) {
        (Some(item), pointer) if within(item, pointer) => format!("{pointer}: "),
        (Some(item), "") => format!("item {item}: "),
        (Some(item), pointer) => format!("item {item}, {pointer}: "),
        (None, "") => String::new(),
        (None, pointer) => format!("{pointer}: "),
    };
    format!("{place}expected {}, got {}", finding.expected, finding.actual)
}
