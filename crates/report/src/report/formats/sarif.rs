//! SARIF 2.1.0 (OASIS), for code scanning: the rules with their documentation, and a result for each problem.
//!
//! GitHub shows a result only at a place in a file: that of the case which shows it.

mod against;

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::source::{file_of_case, fingerprint, uri};
use crate::contract::Level;
use crate::record::{
    AnswerRecord, BodyRecord, Conclusion, ExchangeRecord, RequestRecord, RuleSummary, Summary,
};
use crate::report::facts::facts;
use crate::report::manual;
use crate::report::text::{excerpt, visible, visible_block};
use crate::report::wording::{family, headline, other_reasons, shown};
use crate::triage::{Problem, ProblemState, problems};

/// The schema that the log names.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Characters of a body.
const BODY: usize = 4_000;
/// Places of a result.
const PLACES: usize = 10;

/// `report.sarif`.
///
/// # Errors
/// Where it can't be written as JSON, which no run brings about.
pub fn sarif(summary: &Summary) -> std::io::Result<String> {
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [run(summary)],
    });
    let mut text = serde_json::to_string_pretty(&log)?;
    text.push('\n');
    Ok(text)
}

fn run(summary: &Summary) -> Value {
    let head = &summary.head;
    let rules: Vec<&RuleSummary> = summary.rules.iter().collect();
    let mut results: Vec<Value> =
        problems(summary).iter().map(|p| result(summary, &rules, p)).collect();
    results.extend(against::results(summary, rules.len()));
    let descriptors = rules.iter().map(|rule| descriptor(&rule.rule));
    let mut driver = json!({
        "name": "batchproof",
        "version": head.tool,
        "semanticVersion": head.tool,
        "rules": descriptors.chain(against::descriptor(summary)).collect::<Vec<_>>(),
    });
    if let Some(home) = manual::home() {
        driver["informationUri"] = home.into();
    }
    json!({
        "tool": { "driver": driver },
        "automationDetails": {
            "id": format!("batchproof/{}", head.run_id),
            "description": { "text": visible(&format!("{} against {}", head.specification.title, head.target)) },
        },
        "invocations": [invocation(summary)],
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "conclusion": summary.conclusion, "seed": head.seed, "depth": head.depth,
            "specification": head.specification.hash, "cases": head.suite,
        },
    })
}

fn invocation(summary: &Summary) -> Value {
    let because: Vec<Value> = match summary.conclusion {
        Conclusion::Inconclusive => other_reasons(summary)
            .into_iter()
            .map(|why| json!({ "level": "error", "message": { "text": visible(&why) } }))
            .collect(),
        Conclusion::Conformant | Conclusion::NonConformant => Vec::new(),
    };
    let mut invocation = json!({
        "executionSuccessful": summary.conclusion != Conclusion::Inconclusive,
        "exitCode": summary.exit(),
        "toolExecutionNotifications": because,
    });
    if let Some(start) = instant(&summary.head.started) {
        invocation["startTimeUtc"] = start.into();
    }
    if let Some(end) = summary.tail.as_ref().and_then(|tail| instant(&tail.finished)) {
        invocation["endTimeUtc"] = end.into();
    }
    invocation
}

/// An RFC 3339 instant in UTC; a record may hold anything.
fn instant(text: &str) -> Option<String> {
    let instant = chrono::DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&chrono::Utc);
    Some(instant.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

fn descriptor(rule: &crate::record::RuleInfo) -> Value {
    let text = visible_block(&rule.doc);
    let cite = visible(&rule.cite);
    let mut descriptor = json!({
        "id": rule.id,
        "shortDescription": { "text": visible(&rule.title) },
        "fullDescription": { "text": if text.is_empty() { visible(&rule.title) } else { text.clone() } },
        "help": {
            "text": format!("{text}\n\nSource: {cite}\nbatchproof explain {}", rule.id),
            "markdown": format!("{text}\n\nSource: {cite}\n\n`batchproof explain {}`", rule.id),
        },
        "defaultConfiguration": { "level": level(rule.level) },
        "properties": { "tags": [family(&rule.id), rule.level.to_string()] },
    });
    if let Some(page) = manual::page(&rule.id) {
        descriptor["helpUri"] = page.into();
    }
    descriptor
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Must => "error",
        Level::Should => "warning",
    }
}

fn result(summary: &Summary, rules: &[&RuleSummary], problem: &Problem<'_>) -> Value {
    let (finding, status) = problem.lead;
    let severity = match problem.state {
        ProblemState::Confirmed if summary.head.strict => "error",
        ProblemState::Confirmed | ProblemState::Waived => level(problem.level),
        ProblemState::Unconfirmed => "note",
    };
    let facts = facts(summary, problem);
    let mut text = visible(&headline(summary, problem));
    for fact in &facts {
        let _ = write!(text, "\n{}: {}", fact.label, fact.text);
    }
    let mut result = Map::new();
    let mut set = |name: &str, value: Value| result.insert(name.to_owned(), value);
    set("ruleId", finding.rule.clone().into());
    if let Some(index) = rules.iter().position(|r| r.rule.id == finding.rule) {
        set("ruleIndex", index.into());
    }
    set("level", severity.into());
    set("message", json!({ "text": text }));
    let places: Vec<Value> =
        problem.cases().iter().take(PLACES).map(|case| place(summary, problem, case)).collect();
    set("locations", places.into());
    set("partialFingerprints", json!({ "batchproofProblem/v1": fingerprint(finding) }));
    set("occurrenceCount", problem.count().into());
    if let Some(reason) = &status.waived {
        let suppression = json!({
            "kind": "external", "status": "accepted", "justification": visible(reason),
        });
        set("suppressions", json!([suppression]));
    }
    if let Some((_, exchange)) = shown(finding) {
        set_exchange(&mut result, exchange);
    }
    let ids: Vec<&str> = problem.findings.iter().map(|(f, _)| f.id.as_str()).collect();
    let properties = json!({ "state": problem.state, "findings": ids });
    result.insert("properties".to_owned(), properties);
    Value::Object(result)
}

/// The case that shows a problem as a place: its file, and what of the response is meant.
fn place(summary: &Summary, problem: &Problem<'_>, case: &str) -> Value {
    let pointer = problem
        .findings
        .iter()
        .find(|(finding, _)| finding.case == case)
        .map_or("", |(finding, _)| finding.place.as_str());
    let mut logical = vec![json!({ "fullyQualifiedName": visible(case), "kind": "test" })];
    if !pointer.is_empty() {
        logical.push(json!({ "fullyQualifiedName": visible(pointer), "kind": "response" }));
    }
    let mut location = json!({ "logicalLocations": logical });
    if let Some(file) = file_of_case(summary, case) {
        location["physicalLocation"] =
            json!({ "artifactLocation": { "uri": uri(&file) }, "region": { "startLine": 1 } });
    }
    location
}

fn set_exchange(result: &mut Map<String, Value>, exchange: &ExchangeRecord) {
    result.insert("webRequest".to_owned(), web_request(&exchange.request));
    result.insert("webResponse".to_owned(), web_response(exchange));
}

fn web_request(request: &RequestRecord) -> Value {
    let mut value = json!({
        "protocol": "HTTP",
        "method": visible(&request.method),
        "target": visible(&request.url),
        "headers": headers(&request.headers),
    });
    set_body(&mut value, &request.body);
    value
}

fn web_response(exchange: &ExchangeRecord) -> Value {
    let AnswerRecord::Received { status, headers: list, body, .. } = &exchange.answer else {
        return json!({ "noResponseReceived": true });
    };
    let mut value = json!({ "protocol": "HTTP", "statusCode": status, "headers": headers(list) });
    set_body(&mut value, body);
    value
}

fn headers(list: &[(String, String)]) -> Value {
    let headers: Map<String, Value> =
        list.iter().map(|(name, value)| (visible(name), visible(value).into())).collect();
    Value::Object(headers)
}

fn set_body(value: &mut Value, body: &BodyRecord) {
    let text = match body {
        BodyRecord::None => return,
        BodyRecord::Text(text) => visible_block(&excerpt(text, BODY)),
        BodyRecord::Hex(hex) => format!("{} (hexadecimal)", excerpt(hex, BODY)),
        BodyRecord::Excerpt { begins, .. } => format!("{}…", visible_block(&excerpt(begins, BODY))),
    };
    value["body"] = json!({ "text": text });
}
