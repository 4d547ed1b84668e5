//! A run as a report of Web Fuzzing Commons (schema version 0.6.0), which its viewer and other fuzzers' tools read.
//!
//! Each case is a test case, each problem a fault. It knows the published schema, and nothing of who reads it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::source::{file_of_case, uri};
use crate::record::{RUN, RuleOutcome, Summary};
use crate::report::json::Coverage;
use crate::report::text::visible;
use crate::report::wording::{family, headline, other_reasons};
use crate::triage::{Problem, ProblemState, problems};

/// The version of the schema that the report follows.
const SCHEMA_VERSION: &str = "0.6.0";
/// What the schema leaves to tools: codes from here on.
const OWN: u16 = 900;
/// The families of rules that have a code of the classification.
const CLASSIFIED: [(&str, u16); 3] = [("SCHEMA", 101), ("REFUSE", 102), ("ATOM", 104)];
/// The families that have none, in the order of their own codes; others have the last of these.
const UNCLASSIFIED: [&str; 13] = [
    "ORDER", "ECHO", "CODE", "UNIQUE", "ACCEPT", "RACE", "TENANT", "TIME", "ROBUST", "HTTP",
    "AUTH", "STATUS", "CASE",
];

/// The report.
///
/// # Errors
/// Where it can't be written as JSON, which no run brings about.
pub fn wfc(summary: &Summary) -> std::io::Result<String> {
    let head = &summary.head;
    let endpoint = endpoint(&head.specification.endpoint);
    let groups: Vec<Problem<'_>> =
        problems(summary).into_iter().filter(|p| p.state == ProblemState::Confirmed).collect();
    let ran: Vec<&str> = summary
        .cases
        .iter()
        .filter(|case| case.record.as_ref().is_some_and(|r| r.runs > 0))
        .map(|case| case.id.as_str())
        .collect();
    let mut named: BTreeSet<&str> = ran.iter().copied().collect();
    named.extend(groups.iter().flat_map(Problem::cases));
    let files: BTreeSet<String> =
        named.iter().filter_map(|case| file_of_case(summary, case)).map(|f| uri(&f)).collect();
    let stats = summary.stats();
    let requests: u64 =
        summary.cases.iter().filter_map(|c| c.record.as_ref()).map(|r| r.requests).sum();
    let took = Duration::try_from_secs_f64(stats.seconds).unwrap_or_default();
    let seconds = took.as_secs() + u64::from(took.subsec_nanos() > 0);
    let tail = summary.tail.as_ref();
    let report = json!({
        "schemaVersion": SCHEMA_VERSION,
        "toolName": "batchproof",
        "toolVersion": head.tool,
        "creationTime": tail.map_or(&head.started, |tail| &tail.finished),
        "faults": {
            "totalNumber": groups.iter().map(category).map(|c| c.to_string()).collect::<BTreeSet<_>>().len(),
            "foundFaults": faults(&groups, &named, &endpoint),
        },
        "problemDetails": { "rest": {
            "outputHttpCalls": requests,
            "evaluatedHttpCalls": stats.requests.max(requests),
            "endpointIds": [endpoint],
            "coveredHttpStatus": covered(summary, &endpoint),
        } },
        "totalTests": named.len(),
        "testFilePaths": files,
        "testCases": named.iter().map(|case| test_case(summary, case)).collect::<Vec<_>>(),
        "executionTimeInSeconds": seconds,
        "extra": [extra(summary)],
        "warnings": warnings(summary),
    });
    let mut text = serde_json::to_string_pretty(&report)?;
    text.push('\n');
    Ok(text)
}

/// `POST:/path`.
fn endpoint(words: &str) -> String {
    match words.split_once(' ') {
        Some((method, path)) => format!("{}:{path}", method.to_ascii_uppercase()),
        None => words.to_owned(),
    }
}

/// The problems of each case.
fn faults(groups: &[Problem<'_>], cases: &BTreeSet<&str>, endpoint: &str) -> Vec<Value> {
    let mut faults = Vec::new();
    for case in cases {
        let mut categories: Vec<Value> = Vec::new();
        for group in groups.iter().filter(|group| group.cases().contains(case)) {
            let category = category(group);
            if !categories.contains(&category) {
                categories.push(category);
            }
        }
        if !categories.is_empty() {
            // The schema names the operation `operationId`, and demands `endpointId`.
            faults.push(json!({
                "operationId": endpoint,
                "endpointId": endpoint,
                "testCaseId": visible(case),
                "faultCategories": categories,
            }));
        }
    }
    faults
}

/// The code of a problem, and the rule as its context: the same in each run.
fn category(group: &Problem<'_>) -> Value {
    let finding = &group.lead.0;
    let context = format!("{}: {} {}", finding.rule, finding.kind, finding.place);
    json!({ "code": code(group), "context": visible(context.trim()) })
}

fn code(group: &Problem<'_>) -> u16 {
    let finding = &group.lead.0;
    let family = family(&finding.rule);
    if finding.actual.starts_with("500") {
        return 100;
    }
    if let Some((_, code)) = CLASSIFIED.iter().find(|(name, _)| *name == family) {
        return *code;
    }
    let at = UNCLASSIFIED.iter().position(|name| *name == family).unwrap_or(UNCLASSIFIED.len());
    u16::try_from(at).map_or(OWN, |at| OWN + 1 + at)
}

/// The statuses that each case got.
fn covered(summary: &Summary, endpoint: &str) -> Vec<Value> {
    let records = summary.cases.iter().filter_map(|case| Some((&case.id, case.record.as_ref()?)));
    records
        .filter(|(_, record)| record.runs > 0)
        .map(|(case, record)| {
            let statuses: Vec<u16> =
                record.tally.statuses.keys().copied().filter(|status| *status <= 599).collect();
            json!({ "endpointId": endpoint, "testCaseId": visible(case), "httpStatus": statuses })
        })
        .collect()
}

fn test_case(summary: &Summary, case: &str) -> Value {
    let title = summary.cases.iter().find(|c| c.id == case).map(|c| c.title.as_str());
    let title = title.unwrap_or(if case == RUN { "the whole run" } else { case });
    let mut test = json!({ "id": visible(case), "name": visible(title) });
    if let Some(file) = file_of_case(summary, case) {
        test["filePath"] = uri(&file).into();
        test["startLine"] = 1.into();
    }
    test
}

/// Coverage points and rules.
fn extra(summary: &Summary) -> Value {
    let coverage = Coverage::from_summary(summary);
    let (tested, rules) = summary.rules_tested();
    let passed = summary.rules.iter().filter(|r| r.outcome == RuleOutcome::Passed).count();
    json!({
        "toolName": "batchproof",
        "criteria": [
            { "name": "rules tested", "covered": tested, "total": rules },
            { "name": "rules passed", "covered": passed, "total": rules },
            {
                "name": "coverage points of the request schema",
                "covered": coverage.schema.covered,
                "total": coverage.schema.of,
            },
        ],
    })
}

/// Why a run is not conclusive, and what else a reader must know.
fn warnings(summary: &Summary) -> Vec<Value> {
    let reasons = other_reasons(summary);
    let reasons = reasons.iter().map(|text| (text, "run", 1));
    let notes = summary.notes.iter().map(|text| (text, "note", 2));
    let mut warnings: Vec<Value> = reasons
        .chain(notes)
        .map(|(text, category, priority)| {
            json!({ "message": visible(text), "category": category, "displayPriority": priority })
        })
        .collect();
    for group in problems(summary).iter().filter(|p| p.state == ProblemState::Unconfirmed) {
        let message = format!("unconfirmed: {}", headline(summary, group));
        let message = visible(&message);
        warnings
            .push(json!({ "message": message, "category": "unconfirmed", "displayPriority": 3 }));
    }
    warnings
}
