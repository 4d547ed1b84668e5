//! The differences of a comparison with an older target, as results of a rule of their own.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{PLACES, set_exchange};
use crate::record::Summary;
use crate::report::against::{difference_facts, title};
use crate::report::formats::source::{file_of_case, uri};
use crate::report::text::visible;
use crate::triage::{DifferenceGroup, difference_groups};

/// The id of the rule.
const DIFFERENCE: &str = "difference";

/// The rule of the differences, where two targets were compared.
pub(super) fn descriptor(summary: &Summary) -> Option<Value> {
    summary.against.as_ref().map(|_| {
        json!({
            "id": DIFFERENCE,
            "shortDescription": { "text": "Two targets answer one request alike" },
            "fullDescription": { "text": "Every request of the run was sent to an older and a newer target. What \
                differs between their answers is repeated, and grouped by cause." },
            "defaultConfiguration": { "level": "error" },
            "properties": { "tags": ["against"] },
        })
    })
}

/// A result for each cause; `index` is that of the rule.
pub(super) fn results(summary: &Summary, index: usize) -> Vec<Value> {
    let groups = summary.against.as_ref().map(difference_groups).unwrap_or_default();
    groups.iter().map(|group| result(summary, group, index)).collect()
}

fn result(summary: &Summary, group: &DifferenceGroup<'_>, index: usize) -> Value {
    let lead = group.lead;
    let level = match (group.counts(), group.is_violation()) {
        (false, _) => "note",
        (true, false) => "warning",
        (true, true) => "error",
    };
    let mut text = format!("{}: {}", lead.verdict.words(), title(group));
    for fact in difference_facts(summary, group) {
        let _ = write!(text, "\n{}: {}", fact.label, fact.text);
    }
    let places: Vec<Value> = group
        .cases()
        .into_iter()
        .take(PLACES)
        .map(|case| {
            let name = json!({ "fullyQualifiedName": visible(case), "kind": "test" });
            let mut place = json!({ "logicalLocations": [name] });
            if let Some(file) = file_of_case(summary, case) {
                place["physicalLocation"] =
                    json!({ "artifactLocation": { "uri": uri(&file) }, "region": { "startLine": 1 } });
            }
            place
        })
        .collect();
    let mut result = Map::new();
    result.insert("ruleId".to_owned(), DIFFERENCE.into());
    result.insert("ruleIndex".to_owned(), index.into());
    result.insert("level".to_owned(), level.into());
    result.insert("message".to_owned(), json!({ "text": text }));
    result.insert("locations".to_owned(), places.into());
    let print = json!({ "batchproofDifference/v1": lead.id });
    result.insert("partialFingerprints".to_owned(), print);
    result.insert("occurrenceCount".to_owned(), group.count().into());
    if let Some(pair) = lead.evidence.last() {
        set_exchange(&mut result, &pair.new);
    }
    let properties =
        json!({ "state": lead.state, "verdict": lead.verdict, "decidedBy": lead.rule });
    result.insert("properties".to_owned(), properties);
    Value::Object(result)
}
